//! Owns: from a stored event to queued messages, or to the reason why not.
//! Must not know: HTTP, the provider.

mod baseline;
mod missed;
pub mod ownership_changes;
pub mod plan;
pub mod rule_checks;
pub mod schedule;
pub mod sweep;
pub mod worker;

pub use baseline::Usual;
pub use worker::{MassSettings, Settings, Worker};
