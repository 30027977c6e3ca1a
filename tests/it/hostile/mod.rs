//! Promises tried with hostile ground and input. One file a topic; each test fails where the promise was only kept by
//! friendly defaults.

mod batches;
mod encryption;
mod ending;
mod entry;
pub mod ground;
mod identity;
mod log;
mod proof;
mod ready;
mod receipts;
mod restored;
mod rows;
mod sessions;
mod tasks;
mod time;
