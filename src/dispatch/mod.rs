//! Owns: from queued messages to attempts at the provider's pace, and what becomes of each attempt.
//! One lane is one sending number. Must not know: events, HTTP routes.

pub mod backoff;
pub mod egress_limiter;
pub mod pacer;
pub mod recipient_quota;
pub mod retry_policy;

pub mod leadership;

mod admission;
mod anew;
pub mod completer;
pub mod lane;
mod maintenance;
pub mod recheck;
mod send;

pub use lane::{Lane, LaneSettings};
