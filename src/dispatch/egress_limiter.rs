//! Owns: when a claimed request may leave. The pacer gives places before the claim, evenly; but claims take their time, one
//! longer than the next (a busy disk, a cluster that loses a node), and requests of two claims would leave bunched. So each
//! request takes its moment here right before it leaves, and the limits hold for what leaves, not for what was planned.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use super::pacer::Rates;
use crate::clock::Clock;
use crate::domain::phone::E164;

/// Recipients remembered before those whose time is over are forgotten.
const PAIRS_KEPT: usize = 20_000;

/// The moments that are taken.
#[derive(Debug)]
pub struct EgressLimiter {
    clock: Clock,
    pair: Option<Limit>,
    taken: Mutex<Taken>,
}

#[derive(Debug)]
struct Taken {
    limit: Limit,
    number: VecDeque<Duration>,
    pairs: HashMap<E164, VecDeque<Duration>>,
}

/// So many within so long.
#[derive(Clone, Copy, Debug)]
struct Limit {
    max: usize,
    length: Duration,
}

impl EgressLimiter {
    #[must_use]
    pub fn new(rates: &Rates, clock: Clock) -> Self {
        let pair = Limit { max: rates.pair_burst.max(1) as usize, length: rates.pair_interval() };
        let limit = Limit { max: rates.per_second.max(1) as usize, length: rates.second() };
        let taken = Taken { limit, number: VecDeque::new(), pairs: HashMap::new() };
        Self { clock, pair: (rates.pair_interval_s > 0).then_some(pair), taken: Mutex::new(taken) }
    }

    /// From now on so many per second; what left at the old pace counts.
    pub fn set_per_second(&self, per_second: u32) {
        self.taken.lock().expect("no holder panics").limit.max = per_second.max(1) as usize;
    }

    /// Takes the next moment for a request to `to`, and says how long until then.
    pub fn take(&self, to: &E164) -> Duration {
        let now = self.clock.monotonic();
        let mut taken = self.taken.lock().expect("no holder panics");
        let number = taken.limit;
        let mut at = number.earliest(&taken.number, now);
        if let Some(limit) = self.pair {
            if taken.pairs.len() > PAIRS_KEPT {
                taken.pairs.retain(|_, past| past.back().is_some_and(|last| *last + limit.length > now));
            }
            let past = taken.pairs.entry(to.clone()).or_default();
            at = limit.earliest(past, at);
            limit.note(past, at);
        }
        number.note(&mut taken.number, at);
        at.saturating_sub(now)
    }
}

impl Limit {
    fn earliest(self, past: &VecDeque<Duration>, from: Duration) -> Duration {
        let last_allowed = past.len().checked_sub(self.max).and_then(|index| past.get(index));
        last_allowed.map_or(from, |at| from.max(*at + self.length))
    }

    /// In the order of time: a request whose recipient must wait is noted after those that leave before it.
    fn note(self, past: &mut VecDeque<Duration>, at: Duration) {
        let place = past.iter().rposition(|other| *other <= at).map_or(0, |index| index + 1);
        past.insert(place, at);
        while past.len() > self.max {
            past.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(clock: &Clock) -> EgressLimiter {
        let rates = Rates { per_second: 3, headroom_percent: 0.0, pair_interval_s: 6, pair_burst: 1 };
        EgressLimiter::new(&rates, clock.clone())
    }

    fn phone(last: u32) -> E164 {
        E164::trusted(&format!("+54911555501{last:02}")).expect("a number")
    }

    #[test]
    fn requests_that_come_bunched_leave_at_the_numbers_rate() {
        let clock = Clock::manual(Clock::system().now());
        let slots = slots(&clock);
        let waits: Vec<u128> = (0..7).map(|n| slots.take(&phone(n)).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 1_000, 1_000, 1_000, 2_000]);
        clock.advance_ms(1_500);
        assert_eq!(slots.take(&phone(8)).as_millis(), 500);
    }

    #[test]
    fn another_pace_holds_from_the_next_request_on_with_what_left_before_it() {
        let clock = Clock::manual(Clock::system().now());
        let slots = slots(&clock);
        let wait = |n| slots.take(&phone(n)).as_millis();
        assert_eq!((wait(1), wait(2), wait(3)), (0, 0, 0));
        slots.set_per_second(1);
        assert_eq!((wait(4), wait(5)), (1_000, 2_000), "one per second, after the three of this one");
        slots.set_per_second(4);
        clock.advance_ms(2_000);
        assert_eq!((wait(6), wait(7), wait(8)), (0, 0, 0));
        assert_eq!(wait(9), 1_000, "four within a second, with the one that left at the old pace");
    }

    #[test]
    fn two_requests_to_one_person_leave_an_interval_apart_and_delay_nobody_else() {
        let clock = Clock::manual(Clock::system().now());
        let slots = slots(&clock);
        assert_eq!(slots.take(&phone(1)).as_millis(), 0);
        clock.advance_ms(5_900);
        assert_eq!(slots.take(&phone(1)).as_millis(), 350, "six seconds, and a quarter for the network");
        assert_eq!(slots.take(&phone(2)).as_millis(), 0);
        assert_eq!(slots.take(&phone(3)).as_millis(), 0);
        assert_eq!(slots.take(&phone(4)).as_millis(), 1_000, "three within the second of the first of them");
    }
}
