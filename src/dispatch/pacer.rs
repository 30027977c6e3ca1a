//! Owns: the provider's rate limits of one number: messages per second, and messages per recipient. Nobody sleeps in
//! here: the caller learns how long to wait. A place that was taken for a message that is not sent after all is given back.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use crate::clock::Clock;
use crate::domain::phone::E164;

/// Recipients remembered before those that may be written to again are forgotten.
const PAIRS_KEPT: usize = 20_000;

/// The first of two requests to one person may arrive that much later after it left than the second.
const PAIR_HEADROOM: Duration = Duration::from_millis(250);

/// What the number may do.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub per_second: u32,
    /// Part of the rate that is left unused, in percent.
    pub headroom_percent: f64,
    pub pair_interval_s: u64,
    pub pair_burst: u32,
}

impl Rates {
    /// A second, and the headroom: for what happens to a request after it left.
    #[must_use]
    pub fn second(&self) -> Duration {
        Duration::from_secs(1).mul_f64(1.0 + self.headroom_percent.clamp(0.0, 100.0) / 100.0)
    }

    /// Between two messages to one person; zero when there is no such limit.
    #[must_use]
    pub fn pair_interval(&self) -> Duration {
        let interval = Duration::from_secs(self.pair_interval_s);
        if interval.is_zero() { interval } else { interval + PAIR_HEADROOM }
    }
}

/// Our clock, as governor reads it: it never runs back.
#[derive(Clone, Debug)]
struct Hand(Clock);

impl GovernorClock for Hand {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.monotonic())
    }
}

/// When each key's next place is due, as governor counts it. Its own stores cannot take a place back; this one can.
#[derive(Clone, Debug)]
struct Places<K>(Arc<Mutex<HashMap<K, Nanos>>>);

impl<K: Clone + Eq + Hash> StateStore for Places<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut due = self.0.lock().expect("no holder panics");
        let (decision, next) = measure(due.get(key).copied())?;
        due.insert(key.clone(), next);
        Ok(decision)
    }
}

/// A limit whose places can be given back.
#[derive(Debug)]
struct Limit<K: Clone + Eq + Hash> {
    governor: RateLimiter<K, Places<K>, Hand, NoOpMiddleware<Nanos>>,
    places: Places<K>,
    /// Between two places.
    period: Duration,
}

impl<K: Clone + Eq + Hash> Limit<K> {
    fn new(quota: Quota, clock: Hand) -> Self {
        let places = Places(Arc::default());
        let governor = RateLimiter::new(quota, places.clone(), clock);
        Self { governor, places, period: quota.replenish_interval() }
    }

    fn take(&self, key: &K) -> Result<(), Duration> {
        self.governor.check_key(key).map_err(|not| not.wait_time_from(self.governor.clock().now()))
    }

    fn give_back(&self, key: &K) {
        if let Some(due) = self.places.0.lock().expect("no holder panics").get_mut(key) {
            *due = due.saturating_sub(self.period.into());
        }
    }

    fn forget_old(&self, kept_max: usize) {
        let mut due = self.places.0.lock().expect("no holder panics");
        if due.len() > kept_max {
            let now = self.governor.clock().now().as_u64();
            due.retain(|_, next| next.as_u64() > now);
            due.shrink_to_fit();
        }
    }
}

/// Both limits of one number.
pub struct Pacer {
    clock: Hand,
    rates: Rates,
    /// Messages per second now.
    per_second: AtomicU32,
    number: ArcSwap<Limit<()>>,
    pair: Option<Limit<E164>>,
}

impl std::fmt::Debug for Pacer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pacer")
    }
}

impl Pacer {
    #[must_use]
    pub fn new(rates: &Rates, clock: Clock) -> Self {
        let clock = Hand(clock);
        let number = Limit::new(number_quota(rates), clock.clone());
        let pair = Quota::with_period(rates.pair_interval()).map(|quota| {
            let quota = quota.allow_burst(NonZeroU32::new(rates.pair_burst).unwrap_or(NonZeroU32::MIN));
            Limit::new(quota, clock.clone())
        });
        let (rates, per_second) = (*rates, AtomicU32::new(rates.per_second));
        Self { clock, rates, per_second, number: ArcSwap::from_pointee(number), pair }
    }

    /// Messages per second now.
    #[must_use]
    pub fn per_second(&self) -> u32 {
        self.per_second.load(Ordering::Relaxed)
    }

    /// Goes on at another pace. The new one begins with its whole burst; that no second sees too many is the care of
    /// [`super::egress_limiter::EgressLimiter`].
    pub fn set_per_second(&self, per_second: u32) {
        self.per_second.store(per_second, Ordering::Relaxed);
        let rates = Rates { per_second, ..self.rates };
        self.number.store(Arc::new(Limit::new(number_quota(&rates), self.clock.clone())));
    }

    /// Takes one place of the number's rate.
    ///
    /// # Errors
    /// How long until there is one.
    pub fn take_number(&self) -> Result<(), Duration> {
        self.number.load().take(&())
    }

    /// Gives back a place of the number's rate: the message was not sent.
    pub fn give_back_number(&self) {
        self.number.load().give_back(&());
    }

    /// Takes the recipient's place.
    ///
    /// # Errors
    /// How long until the recipient may get a message again.
    pub fn take_pair(&self, to: &E164) -> Result<(), Duration> {
        self.pair.as_ref().map_or(Ok(()), |pair| pair.take(to))
    }

    /// Gives back the recipient's place: the message was not sent.
    pub fn give_back_pair(&self, to: &E164) {
        if let Some(pair) = &self.pair {
            pair.give_back(to);
        }
    }

    /// Treats the recipient's burst as used up: another instance wrote to that number just now.
    pub fn use_up_pair(&self, to: &E164) {
        if let Some(pair) = &self.pair {
            while pair.take(to).is_ok() {}
        }
    }

    /// Forgets recipients whose time is over.
    pub fn forget_old(&self) {
        if let Some(pair) = &self.pair {
            pair.forget_old(PAIRS_KEPT);
        }
    }
}

/// An even pace. The burst lets a timer that woke late catch up, so that the rate is used in full; together with what the
/// headroom leaves, no second ever sees more than the rate: `usable + burst <= rate`.
fn number_quota(rates: &Rates) -> Quota {
    let usable = f64::from(rates.per_second) * (1.0 - rates.headroom_percent / 100.0);
    let spare = (1..=rates.per_second).rev().take_while(|whole| f64::from(*whole) > usable).count();
    let burst = (rates.per_second / 200).max(2).min(u32::try_from(spare).unwrap_or(u32::MAX));
    let period = Duration::from_secs_f64(1.0 / usable.max(0.001));
    let quota = Quota::with_period(period).expect("a rate is never infinite");
    quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
}
