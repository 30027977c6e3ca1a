//! Owns: waiting for other processes. They have clocks of their own, so there is no hand to move: what they do is looked at
//! again and again, and the test goes on at once when it has happened.

use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A machine that does other things as well may take so many times as long. The bound is there so that a test ends, not to
/// measure anything.
pub const BUSY: u64 = 6;

/// Waits until `holds`, at most `seconds` on a machine that has nothing else to do.
///
/// # Panics
/// It did not come to that.
pub async fn until(what: &str, seconds: u64, holds: impl AsyncFn() -> bool) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let waited = tokio::time::timeout(Duration::from_secs(seconds * BUSY), async {
        while !holds().await {
            looks.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "not within {seconds} s: {what}");
}

/// Lets the processes run for a while.
pub async fn let_run(ms: u64) {
    let _ = tokio::time::timeout(Duration::from_millis(ms), std::future::pending::<()>()).await;
}
