//! The one test binary. Areas side by side; what they share is in `support`.

mod support;

mod asking;
mod cancelling;
mod commands;
mod content;
mod decisions;
mod delivery;
mod demo_data;
mod entry;
mod fleet;
mod format;
mod fuzzed;
mod galera;
mod holds;
mod hooks;
mod ingest;
mod instances;
mod lessons;
mod migrations;
mod money;
mod order;
mod outcomes;
mod overload;
mod owners;
mod pages;
mod phone;
mod receipts;
mod retention;
mod road;
mod rules;
mod sandbox;
mod signatures;
mod sweep;
mod tidy;
mod whatsapp;
