//! hookbridge: carries a billing platform's hooks to WhatsApp.
//!
//! The rooms, in reading order. Imports go down only (`tests/it/tidy.rs` checks it):
//!
//! ```text
//! floor 8   cli
//! floor 7   app   sandbox   demo
//! floor 6   http
//! floor 5   admin                           what people do, by page, API and command line
//! floor 4   process │ dispatch │ retention │ figures │ health │ notify    they talk through tables and a Notify, never to each other
//! floor 3   decide │ provider_texts │ i18n  used by admin, http and cli
//! floor 2   catalogue │ rules │ render │ whatsapp │ billing │ store        none imports another
//! floor 1   clock  signature  seal  config  envelope  expression  sql  metrics  stop  telemetry  road  tasks
//! floor 0   domain                          values only
//! ```

pub mod domain;

pub mod clock;
pub mod signature;

pub mod config;
pub mod envelope;
pub mod expression;
pub mod metrics;
pub mod road;
pub mod seal;
pub mod sql;
pub mod stop;
pub mod tasks;
pub mod telemetry;

pub mod billing;
pub mod catalogue;
pub mod render;
pub mod rules;
pub mod store;
pub mod whatsapp;

pub mod decide;
pub mod i18n;

pub mod dispatch;
pub mod figures;
pub mod health;
pub mod notify;
pub mod process;
pub mod retention;

pub mod admin;

pub mod http;

pub mod app;
pub mod provider_texts;

#[cfg(feature = "demo")]
pub mod sandbox;

#[cfg(feature = "demo")]
pub mod demo;

pub mod cli;
