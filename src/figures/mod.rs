//! Owns: counting history per hour, as often as an hour may still change, and noticing that a hook fell silent. Every
//! instance looks; an hour is counted by whoever takes it first.
//! Must not know: what is shown of it.

pub mod silence;
pub mod stubs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::section::RetentionConfig;
use crate::metrics::{HookLabel, Metrics};
use crate::road::{Step, mark_one};
use crate::stop::Stop;
use crate::store::figure::{self, HOUR, Kind, hour_of};
use crate::store::{Store, StoreError};
use crate::tasks::Task;

/// How often it is looked whether an hour is due.
const EVERY: Duration = Duration::from_secs(15);
/// Hours counted in one round: a first start fills the rest in the rounds that follow.
const HOURS_MAX: usize = 100;
/// How far back hours are counted: what the page shows.
pub const SHOWN: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Counts are kept for so long.
const KEPT: SignedDuration = SignedDuration::from_hours(60 * 24);
/// What is read to judge a hook's silence: that, and the fortnight before it.
const HEARD: SignedDuration = SignedDuration::from_hours(28 * 24);
/// The first of these ages of an hour that fits says how old its count may be. Receipts come within minutes as a rule, and
/// for days as an exception; after eight days an hour stays as it is.
const STALE: [(SignedDuration, SignedDuration); 3] = [
    (SignedDuration::from_hours(2), SignedDuration::from_secs(45)),
    (SignedDuration::from_hours(48), SignedDuration::from_mins(15)),
    (SignedDuration::from_hours(8 * 24), SignedDuration::from_hours(6)),
];

/// Counts.
#[derive(Debug)]
pub struct Figures {
    store: Store,
    clock: Clock,
    metrics: Arc<Metrics>,
    catalogue: Arc<ArcSwap<Catalogue>>,
    /// Hours that are older may have lost rows to pruning: what was counted stands.
    whole: Option<SignedDuration>,
    /// Hooks that were silent when we last looked.
    silent: Mutex<BTreeSet<String>>,
}

impl Figures {
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        metrics: Arc<Metrics>,
        catalogue: Arc<ArcSwap<Catalogue>>,
        keep: &RetentionConfig,
    ) -> Self {
        let days = [keep.event_days, keep.skip_days, keep.message_days, keep.decision_days]
            .into_iter()
            .filter(|days| *days > 0)
            .min();
        let whole = days.map(|days| SignedDuration::from_hours(i64::from(days) * 24) - HOUR);
        Self { store, clock, metrics, catalogue, whole, silent: Mutex::default() }
    }

    /// Counts until `stop`.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Figures);
            if let Err(error) = self.round(&stop).await {
                self.metrics.fault("figures");
                tracing::warn!(%error, "counting is put off");
            }
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Counts the hours that are due, the newest first, and listens for hooks that fell silent. Returns how many hours it
    /// counted.
    ///
    /// # Errors
    /// The database; the next round goes on.
    pub async fn round(&self, stop: &Stop) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let due = self.due(now).await?;
        let (mut done, mut newest) = (0, false);
        for (hour, before) in due.into_iter().take(HOURS_MAX) {
            if stop.is_stopped() {
                return Ok(done);
            }
            if figure::take(&self.store, hour, before, now).await? {
                figure::count(&self.store, hour).await?;
                newest |= hour == hour_of(now);
                done += 1;
            }
        }
        if newest {
            figure::forget(&self.store, now - KEPT).await?;
        }
        self.listen(now).await?;
        Ok(done)
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<(Timestamp, Option<Timestamp>)>, StoreError> {
        let first = hour_of(now - SHOWN);
        let counted = figure::counted(&self.store, first).await?;
        let mut due = Vec::new();
        let mut hour = hour_of(now);
        while hour >= first {
            let before = counted.get(&hour).copied();
            if is_due(now.duration_since(hour), before.map(|before| now.duration_since(before)), self.whole) {
                due.push((hour, before));
            }
            hour -= HOUR;
        }
        Ok(due)
    }

    /// Tells once of every hook that fell silent, and keeps its gauge.
    async fn listen(&self, now: Timestamp) -> Result<(), StoreError> {
        let lines = hooks(&self.store, &self.catalogue.load(), now).await?;
        self.metrics.hook_silent.clear();
        let mut silent = BTreeSet::new();
        for line in &lines {
            let is_silent = line.is_silent(now);
            let label = HookLabel { hook: line.hook.clone() };
            self.metrics.hook_silent.get_or_create(&label).set(is_silent.into());
            if is_silent {
                silent.insert(line.hook.clone());
            }
        }
        let before = std::mem::replace(&mut *self.silent.lock().expect("no holder panics"), silent.clone());
        for hook in silent.difference(&before) {
            self.metrics.fault("hook_silent");
            tracing::error!(hook, "nothing came from this hook for much longer than is usual: look at the stub");
        }
        for hook in before.difference(&silent) {
            tracing::info!(hook, "this hook is heard again");
        }
        Ok(())
    }
}

/// Whether an hour that began `age` ago and was last counted `counted` ago must be counted. What lies before `whole` may
/// have been pruned.
fn is_due(age: SignedDuration, counted: Option<SignedDuration>, whole: Option<SignedDuration>) -> bool {
    if whole.is_some_and(|whole| age > whole) {
        return false;
    }
    let Some(counted) = counted else { return true };
    // A clock that was set back must not stop the counting.
    let stale = |limit: SignedDuration| counted > limit || counted.is_negative();
    STALE.iter().find(|(younger, _)| age < *younger).is_some_and(|(_, limit)| stale(*limit))
}

/// One of the platform's hooks, as the bridge hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookLine {
    pub hook: String,
    pub last_at: Option<Timestamp>,
    /// Events of the last 24 hours.
    pub day: u64,
    /// How long it may be silent; `None`: its history does not tell.
    pub limit: Option<SignedDuration>,
    /// An enabled hookpoint uses it: the stub registers it.
    pub used: bool,
}

impl HookLine {
    /// Silent for longer than is usual, though the stub should tell of it.
    #[must_use]
    pub fn is_silent(&self, now: Timestamp) -> bool {
        let (Some(last), Some(limit)) = (self.last_at, self.limit) else { return false };
        self.used && now.duration_since(last) > limit
    }
}

/// Every hook that is used or was heard, in the order of its name.
///
/// # Errors
/// The database.
pub async fn hooks(store: &Store, catalogue: &Catalogue, now: Timestamp) -> Result<Vec<HookLine>, StoreError> {
    let enabled = catalogue.entries().map(|entry| &entry.hookpoint).filter(|hookpoint| hookpoint.enabled);
    let used: BTreeSet<&str> = enabled
        .flat_map(|h| &h.triggers)
        .filter(|trigger| !trigger.ours)
        .map(|trigger| trigger.hook.as_str())
        .collect();
    let mut hours: BTreeMap<String, Vec<figure::Figure>> = BTreeMap::new();
    for one in figure::by_hour(store, Kind::Hook, now - HEARD).await? {
        hours.entry(one.name.clone()).or_default().push(one);
    }
    let waiting: BTreeMap<String, Timestamp> = figure::waiting_hooks(store).await?.into_iter().collect();
    let names: BTreeSet<&str> = used
        .iter()
        .copied()
        .chain(hours.keys().map(String::as_str))
        .chain(waiting.keys().map(String::as_str))
        .collect();
    Ok(names
        .into_iter()
        .map(|hook| {
            let heard = hours.get(hook).map(Vec::as_slice).unwrap_or_default();
            let day = heard.iter().filter(|one| one.hour > now - HOUR * 24).map(|one| one.n).sum();
            let last = heard.last().and_then(|one| one.last_at).max(waiting.get(hook).copied());
            let when: Vec<Timestamp> = heard.iter().map(|one| one.hour).collect();
            HookLine {
                hook: hook.to_owned(),
                last_at: last,
                day,
                limit: silence::limit(&when),
                used: used.contains(hook),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn young_hours_are_counted_often_old_ones_seldom_and_pruned_ones_never_again() {
        let (h, m) = (SignedDuration::from_hours, SignedDuration::from_mins);
        assert!(is_due(h(0), None, None) && is_due(h(700), None, None), "each hour once");
        assert!(is_due(h(1), Some(m(1)), None) && !is_due(h(1), Some(SignedDuration::from_secs(20)), None));
        assert!(is_due(h(30), Some(m(16)), None) && !is_due(h(30), Some(m(10)), None));
        assert!(is_due(h(100), Some(h(7)), None) && !is_due(h(100), Some(h(5)), None));
        assert!(!is_due(h(200), Some(h(400)), None), "after eight days it stays as it is");
        assert!(!is_due(h(30), Some(h(1)), Some(h(23))), "its rows are deleted");
        assert!(is_due(h(1), Some(-h(3)), None), "the clock was set back");
    }
}
