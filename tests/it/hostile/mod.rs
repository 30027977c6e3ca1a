//! Promises tried with hostile ground and input. One file a topic; each test fails where the promise was only kept by
//! friendly defaults.

mod batches;
mod encryption;
mod entry;
mod ending;
mod ground;
mod identity;
mod log;
mod proof;
mod restored;
mod ready;
mod sessions;
mod tasks;
mod time;
