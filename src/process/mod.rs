//! Owns: from a stored event to queued messages, or to the reason why not.
//! Must not know: HTTP, the provider.

mod missed;
pub mod moves;
pub mod plan;
pub mod ruled;
pub mod schedule;
pub mod sweep;
mod usual;
pub mod worker;

pub use usual::Usual;
pub use worker::{MassSettings, Settings, Worker};
