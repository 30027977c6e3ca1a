//! The one test binary. Areas side by side; what they share is in `support`.

mod support;

mod commands;
mod content;
mod delivery;
mod demo_data;
mod format;
mod ingest;
mod migrations;
mod money;
mod phone;
mod receipts;
mod retention;
mod road;
mod sandbox;
mod signatures;
mod tidy;
mod whatsapp;
