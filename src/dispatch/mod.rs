//! Owns: from queued messages to attempts at the provider's pace, and what becomes of each attempt.
//! One lane is one sending number. Must not know: events, HTTP routes.

pub mod backoff;
pub mod recipient_quota;
pub mod pacer;
pub mod egress_limiter;
pub mod retry_policy;

pub mod leadership;

mod anew;
pub mod lane;
mod admission;
pub mod recheck;
mod send;
pub mod completer;
mod maintenance;

pub use lane::{Lane, LaneSettings};
