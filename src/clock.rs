//! Owns: what time it is. Everything that needs the time takes a [`Clock`]; nothing else asks the operating system,
//! so that a test can move time without waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// A source of the current time: the system's, or one that a test sets.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `start` until `Clock::advance` or [`Clock::set`] moves it. Clones share the hand.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.as_millisecond()))))
    }

    /// Now, in whole milliseconds (what our tables can hold).
    ///
    /// # Panics
    /// Never: every millisecond count a clock can hold is within jiff's range.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the operating system")]
    pub fn now(&self) -> Timestamp {
        let millis = match &self.0 {
            Source::System => Timestamp::now().as_millisecond(),
            Source::Manual(hand) => hand.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millis).expect("a clock within the calendar")
    }

    /// Time since some moment in the past that never runs back, for pacing and leases: a clock set by an administrator must not
    /// let a burst through, nor stop the sending. It goes on while the machine sleeps.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System => awake_or_asleep(),
            Source::Manual(hand) => Duration::from_millis(hand.load(Ordering::SeqCst).unsigned_abs()),
        }
    }

    /// Moves a manual clock forward (or back, with a negative number).
    ///
    /// # Panics
    /// On a system clock: nobody moves that.
    pub fn advance_ms(&self, ms: i64) {
        match &self.0 {
            Source::System => panic!("the system's clock cannot be moved"),
            Source::Manual(hand) => {
                hand.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }

    /// Sets a manual clock to `at`.
    ///
    /// # Panics
    /// On a system clock.
    pub fn set(&self, at: Timestamp) {
        match &self.0 {
            Source::System => panic!("the system's clock cannot be set"),
            Source::Manual(hand) => hand.store(at.as_millisecond(), Ordering::SeqCst),
        }
    }
}

/// Since the machine started, the time it slept included. (Rust's `Instant` leaves that out on Linux: a machine that was suspended
/// would wake up with a lease that others took long ago.)
fn awake_or_asleep() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
