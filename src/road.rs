//! Owns: the steps of the road, by name, and the mark that each leaves in the trace log (target [`TARGET`], level
//! `trace`; off by default, and then one comparison). Why: a process may die between any two of them. `make chaos` kills
//! it there, and counts at which step each kill struck; or it makes the thread panic there.

use crate::domain::closed_list::closed_list;
use std::fmt;

/// The target of the marks: `log.level = "info,hookbridge::road=trace"` shows them.
pub const TARGET: &str = "hookbridge::road";

closed_list! {
    /// A step of the road. What ends in `…ing` is written and not committed, or about to be done.
    Step {
        /// The process starts: nothing runs yet.
        Starting = "starting",
        /// It listens.
        Listening = "listening",

        /// An event's bytes are read.
        Received = "received",
        /// Its signature is good.
        Verified = "verified",
        /// Events are inserted, not committed.
        Storing = "storing",
        /// They are committed; nobody is answered yet.
        Stored = "stored",

        /// Events are taken for processing, committed.
        Claimed = "claimed",
        /// Their facts are read.
        Gathered = "gathered",
        /// Messages and reasons are made, nothing is written.
        Decided = "decided",
        /// All of it is written, not committed.
        Finishing = "finishing",
        /// Committed.
        Finished = "finished",

        /// Due messages are seen.
        Peeked = "peeked",
        /// Their facts were looked at again.
        Looked = "looked",
        /// They are taken for sending, not committed.
        Taking = "taking",
        /// Committed: they are `sending`.
        Taken = "taken",
        /// One request is about to be written.
        Sending = "sending",
        /// The right to send was just looked at, and is good: the request's bytes are written next.
        Leaving = "leaving",
        /// Its answer is there, or the outcome is unknown.
        Answered = "answered",
        /// Outcomes are written, not committed.
        Settling = "settling",
        /// Committed.
        Settled = "settled",

        /// A webhook of the provider is read, its signature is good.
        Reported = "reported",
        /// Its receipts are written, not committed.
        Recording = "recording",
        /// Committed; the provider is not answered yet.
        Recorded = "recorded",

        /// One event, message, outcome, receipt or question is about to be handled.
        Handling = "handling",
        /// A task begins its next turn.
        Turning = "turning",
    }
}

/// Leaves the mark of `step`.
pub fn mark(step: Step) {
    if tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        leave(step, &"");
    }
}

/// Leaves the mark of `step` about one `item`: an event, a message, a task.
pub fn mark_one(step: Step, item: &dyn fmt::Display) {
    if tracing::enabled!(target: TARGET, tracing::Level::TRACE) {
        leave(step, item);
    }
}

#[cold]
fn leave(step: Step, item: &dyn fmt::Display) {
    tracing::trace!(target: TARGET, step = step.code(), item = %item);
    assert!(!crate::telemetry::panic_was_asked_for(), "the test of faults asked for a panic here");
}
