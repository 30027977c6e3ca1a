//! Owns: how long to wait after a passing fault.

use jiff::SignedDuration;

/// First wait and longest wait.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub first_ms: u64,
    pub max_ms: u64,
}

impl Backoff {
    /// The wait after attempt number `attempt` (from 1): doubling, with up to a quarter of jitter so that messages that
    /// failed together do not come back together. `random` is any number.
    #[must_use]
    pub fn wait(self, attempt: u32, random: u64) -> SignedDuration {
        let doubled = self.first_ms.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.max_ms);
        let jitter = random % (doubled / 4 + 1);
        SignedDuration::from_millis(i64::try_from(doubled + jitter).unwrap_or(i64::MAX))
    }
}

/// The wait for a recipient who got too much: Meta advises 4^n seconds, n from 0.
#[must_use]
pub fn pair_wait(attempt: u32) -> SignedDuration {
    SignedDuration::from_secs(4_i64.saturating_pow(attempt.saturating_sub(1).min(6)))
}
