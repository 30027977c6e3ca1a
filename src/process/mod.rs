//! Owns: from a stored event to queued messages, or to the reason why not.
//! Must not know: HTTP, the provider.

pub mod plan;
pub mod worker;

pub use worker::{Settings, Worker};
