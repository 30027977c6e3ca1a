//! The `whatsapp` room: sending over real sockets, the error table, webhooks, templates.

mod errors;
mod faults;
mod gate;
mod provider;
mod receipts;
mod send;
mod templates;
