//! Owns: the provider's three limits (Meta's rules): per number and second, per pair, distinct recipients per 24 h.
//! Each asks first (`admits`) and counts later (`note`), so that a message which one limit refuses costs nothing in
//! the others.

use std::collections::{HashMap, VecDeque};

const DAY_MS: i64 = 24 * 3_600_000;
/// Pairs in debt that are remembered before settled ones are swept out.
const PAIRS_SWEPT_AT: usize = 100_000;

/// One number's messages, in and out, within a sliding second.
#[derive(Debug, Default)]
pub struct Throughput {
    window: VecDeque<i64>,
    /// The most that any sliding second ever held.
    pub most_per_s: usize,
}

impl Throughput {
    pub fn admits(&mut self, per_s: Option<u32>, now_ms: i64) -> bool {
        while self.window.front().is_some_and(|&at| at <= now_ms - 1_000) {
            self.window.pop_front();
        }
        per_s.is_none_or(|limit| self.window.len() < limit as usize)
    }

    pub fn note(&mut self, now_ms: i64) {
        self.window.push_back(now_ms);
        self.most_per_s = self.most_per_s.max(self.window.len());
    }
}

/// One message per gap and pair. More may come within one gap, borrowed from the gaps that follow: after it, nothing
/// until all is paid back ("after a burst of 20 wait about 2 min").
#[derive(Debug, Default)]
pub struct Pairs {
    debts: HashMap<(usize, u64), Debt>,
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Debt {
    began_ms: i64,
    paid_ms: i64,
}

impl Pairs {
    #[must_use]
    pub fn admits(&self, pair: (usize, u64), gap_ms: i64, burst: u32, now_ms: i64) -> bool {
        let Some(debt) = self.debts.get(&pair).filter(|debt| now_ms < debt.paid_ms) else { return true };
        let borrowed = (debt.paid_ms - debt.began_ms) / gap_ms.max(1);
        now_ms < debt.began_ms + gap_ms && borrowed < i64::from(burst)
    }

    pub fn note(&mut self, pair: (usize, u64), gap_ms: i64, now_ms: i64) {
        if self.debts.len() >= self.sweep_at.max(PAIRS_SWEPT_AT) {
            self.debts.retain(|_, debt| now_ms < debt.paid_ms);
            // Twice what is left: a sweep that frees nothing must not come back at each message.
            self.sweep_at = self.debts.len() * 2;
        }
        let debt = self.debts.entry(pair).or_insert(Debt { began_ms: now_ms, paid_ms: now_ms });
        if now_ms >= debt.paid_ms {
            *debt = Debt { began_ms: now_ms, paid_ms: now_ms };
        }
        debt.paid_ms += gap_ms;
    }
}

/// Distinct recipients within moving 24 hours.
#[derive(Debug, Default)]
pub struct Reach {
    last_ms: HashMap<u64, i64>,
    next_sweep_ms: i64,
}

impl Reach {
    pub fn admits(&mut self, recipient: u64, limit: Option<u32>, now_ms: i64) -> bool {
        let Some(limit) = limit else { return true };
        let known = self.last_ms.get(&recipient).is_some_and(|&last| now_ms < last + DAY_MS);
        if known || self.last_ms.len() < limit as usize {
            return true;
        }
        if now_ms >= self.next_sweep_ms {
            self.last_ms.retain(|_, last| now_ms < *last + DAY_MS);
            // Nobody can leave before the oldest entry does: until then the map need not be walked again.
            self.next_sweep_ms = self.last_ms.values().min().map_or(now_ms, |oldest| oldest + DAY_MS);
        }
        self.last_ms.len() < limit as usize
    }

    pub fn note(&mut self, recipient: u64, now_ms: i64) {
        self.last_ms.insert(recipient, now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sliding_second_holds_no_more_than_the_limit() {
        let mut number = Throughput::default();
        for at in [0, 500] {
            assert!(number.admits(Some(2), at));
            number.note(at);
        }
        assert!(!number.admits(Some(2), 999));
        assert!(number.admits(Some(2), 1_000));
        assert_eq!(number.most_per_s, 2);
    }

    #[test]
    fn a_burst_of_twenty_is_paid_back_in_two_minutes() {
        let mut pairs = Pairs::default();
        for at in 0..20 {
            assert!(pairs.admits((0, 1), 6_000, 45, at));
            pairs.note((0, 1), 6_000, at);
        }
        assert!(!pairs.admits((0, 1), 6_000, 45, 6_000));
        assert!(!pairs.admits((0, 1), 6_000, 45, 119_999));
        assert!(pairs.admits((0, 1), 6_000, 45, 120_000));
        assert!(pairs.admits((0, 2), 6_000, 45, 6_000), "another recipient is not concerned");
        assert!(pairs.admits((1, 1), 6_000, 45, 6_000), "another number is not concerned");
    }

    #[test]
    fn the_burst_ends_at_forty_five() {
        let mut pairs = Pairs::default();
        for _ in 0..45 {
            assert!(pairs.admits((0, 1), 6_000, 45, 0));
            pairs.note((0, 1), 6_000, 0);
        }
        assert!(!pairs.admits((0, 1), 6_000, 45, 1));
    }

    #[test]
    fn a_recipient_leaves_the_count_after_a_day() {
        let mut reach = Reach::default();
        reach.note(1, 0);
        assert!(reach.admits(1, Some(1), 5), "a known recipient is not a new one");
        assert!(!reach.admits(2, Some(1), 5));
        assert!(!reach.admits(2, Some(1), DAY_MS - 1));
        assert!(reach.admits(2, Some(1), DAY_MS));
    }
}
