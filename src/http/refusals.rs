//! Owns: keeping a flood of refused requests out of the log. One line a second is written for each endpoint; the others are
//! counted in the next line (`unsaid`) and in the metrics. So a stranger costs the log a bounded number of bytes.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;

use crate::clock::Clock;

/// What was written last about one endpoint, and how many refusals were not.
#[derive(Debug)]
pub struct Refusals {
    second: AtomicI64,
    unsaid: AtomicU64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self::new()
    }
}

impl Refusals {
    #[must_use]
    pub const fn new() -> Self {
        Self { second: AtomicI64::new(-1), unsaid: AtomicU64::new(0) }
    }

    /// Whether this one is to be written, and how many were not since the last.
    pub fn say(&self, now: Timestamp) -> Option<u64> {
        self.say_in(now.as_second())
    }

    /// The same where there is no clock at hand.
    pub fn say_now(&self) -> Option<u64> {
        self.say_in(i64::try_from(Clock::system().monotonic().as_secs()).unwrap_or(i64::MAX))
    }

    fn say_in(&self, second: i64) -> Option<u64> {
        if self.second.swap(second, Ordering::Relaxed) == second {
            self.unsaid.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.unsaid.swap(0, Ordering::Relaxed))
    }
}
