//! The one test binary. Areas side by side; what they share is in `support`.

mod support;

mod content;
mod demo_data;
mod format;
mod ingest;
mod money;
mod phone;
mod whatsapp;
