//! hookbridge: carries a billing platform's hooks to WhatsApp.
//!
//! The rooms, in reading order. Imports go down only (`tests/it/tidy.rs` checks it):
//!
//! ```text
//! floor 6   cli
//! floor 5   app   provider_texts   sandbox   demo
//! floor 4   http │ process │ dispatch │ retention        they talk through tables and a Notify, never to each other
//! floor 3   decide                          asked by http and cli
//! floor 2   catalogue │ rules │ render │ whatsapp │ billing │ store        none imports another
//! floor 1   clock  signature  config  envelope  sql  metrics  stop  telemetry  road
//! floor 0   domain                          values only
//! ```

pub mod domain;

pub mod clock;
pub mod signature;

pub mod config;
pub mod envelope;
pub mod metrics;
pub mod road;
pub mod sql;
pub mod stop;
pub mod telemetry;

pub mod billing;
pub mod catalogue;
pub mod render;
pub mod rules;
pub mod store;
pub mod whatsapp;

pub mod decide;

pub mod dispatch;
pub mod http;
pub mod process;
pub mod retention;

pub mod app;
pub mod provider_texts;

pub mod sandbox;

pub mod demo;

pub mod cli;
