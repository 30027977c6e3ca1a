//! hookbridge sends a hosting company's clients WhatsApp alerts about what happens in the billing platform.
//!
//! The rooms follow in reading order, from the lowest floor up. Imports go down only: the floors are a diagram in
//! `docs/ARCHITECTURE.md`, and `tests/it/tidy.rs` reads them there.

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
pub mod provider_texts;

pub mod dispatch;
pub mod figures;
pub mod health;
pub mod notify;
pub mod process;
pub mod retention;

pub mod admin;
pub mod ops;

pub mod http;

pub mod app;

#[cfg(feature = "demo")]
pub mod sandbox;

#[cfg(feature = "demo")]
pub mod demo;

pub mod cli;
