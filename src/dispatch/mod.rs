//! Owns: from queued messages to attempts at the provider's pace, and what becomes of each attempt.
//! One lane is one sending number. Must not know: events, HTTP routes.

pub mod backoff;
pub mod day;
pub mod pacer;
pub mod slots;
pub mod verdict;

pub mod tenure;

mod anew;
pub mod lane;
mod line;
pub mod recheck;
mod send;
pub mod settler;
mod upkeep;

pub use lane::{Lane, LaneSettings};
