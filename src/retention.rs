//! Owns: when history is pruned and how fast. One instance at a time; small steps whose size follows the server's speed;
//! between two steps as long a pause as the step took, so that pruning has half of one connection at most; on and on while
//! there is more, so that it outruns any load that one server can take.
//! Must not know: the tables (`store::prune`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::config::section::RetentionConfig;
use crate::metrics::{KindLabel, Metrics};
use crate::road::{Step, mark_one};
use crate::stop::Stop;
use crate::store::prune::{Cursor, Kind, end_turn, note, step, take_turn};
use crate::store::recipient_window::WINDOW;
use crate::store::{Store, StoreError};
use crate::tasks::Task;

/// A first step is careful, and no step is smaller.
const ROWS_MIN: usize = 100;
/// How long an instance keeps the turn without renewing it.
const TURN: SignedDuration = SignedDuration::from_secs(60);
/// A clock that is off by more must not decide what is old.
const CLOCK_OFF_MAX_S: i64 = 3600;

/// How long it is remembered that a link was used, after nobody could use it any more.
const USED_LINK: SignedDuration = SignedDuration::from_hours(24);

/// How long what is kept. `None`: for ever.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    event: Option<SignedDuration>,
    skip: Option<SignedDuration>,
    message: Option<SignedDuration>,
    dedupe: Option<SignedDuration>,
    decision: Option<SignedDuration>,
    reply: Option<SignedDuration>,
    /// Longest time between a transition and the message that it leads to.
    event_age_max: SignedDuration,
}

impl Keep {
    #[must_use]
    pub fn new(config: &RetentionConfig, event_age_max: SignedDuration) -> Self {
        let days = |days: u32| (days > 0).then(|| SignedDuration::from_hours(i64::from(days) * 24));
        Self {
            event: days(config.event_days),
            skip: days(config.skip_days),
            message: days(config.message_days),
            dedupe: days(config.dedupe_days),
            decision: days(config.decision_days),
            reply: days(config.reply_days),
            event_age_max,
        }
    }

    /// The setting that says how long rows of `kind` are kept; `None`: they follow from something else.
    #[must_use]
    pub fn key(kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Event => Some("retention.event_days"),
            Kind::Skip => Some("retention.skip_days"),
            Kind::Message | Kind::Receipt => Some("retention.message_days"),
            Kind::Key | Kind::Transition => Some("retention.dedupe_days"),
            Kind::Decision => Some("retention.decision_days"),
            Kind::Reply => Some("retention.reply_days"),
            Kind::Contacted | Kind::UsedLink => None,
        }
    }

    /// How long rows of `kind` are kept.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<SignedDuration> {
        match kind {
            Kind::Event => self.event,
            Kind::Skip => self.skip,
            Kind::Message | Kind::Receipt => self.message,
            Kind::Key => self.dedupe,
            Kind::Decision => self.decision,
            Kind::Reply => self.reply,
            // Its number is part of the dedupe keys: begun anew it would repeat one that is still remembered.
            Kind::Transition => self.dedupe.map(|kept| kept + self.event_age_max),
            // Twice the window, for clocks that differ.
            Kind::Contacted => Some(WINDOW * 2),
            // After the moment until which the link could be used: for clocks that differ.
            Kind::UsedLink => Some(USED_LINK),
        }
    }

    /// What is older may go.
    #[must_use]
    pub fn before(&self, kind: Kind, now: Timestamp) -> Option<Timestamp> {
        self.of(kind).and_then(|kept| now.checked_sub(kept).ok())
    }
}

/// Prunes history.
#[derive(Debug)]
pub struct Retention {
    pub store: Store,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub keep: Keep,
    rows_max: usize,
    step: Duration,
    every: Duration,
    /// Who prunes: this instance.
    owner: String,
    /// Rows of the next step of each kind.
    sizes: Mutex<BTreeMap<Kind, usize>>,
}

/// What a round did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Round {
    /// Rows pruned of each kind.
    Pruned(BTreeMap<Kind, u64>),
    /// Another instance prunes.
    NotOurTurn,
    /// Our clock and the database's are apart by so many seconds.
    ClockOff(i64),
}

impl Retention {
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        metrics: Arc<Metrics>,
        config: &RetentionConfig,
        event_age_max: SignedDuration,
    ) -> Self {
        Self {
            store,
            clock,
            metrics,
            keep: Keep::new(config, event_age_max),
            rows_max: config.rows_max,
            step: Duration::from_millis(config.step_ms),
            every: Duration::from_secs(config.every_s),
            owner: uuid::Uuid::now_v7().as_simple().to_string(),
            sizes: Mutex::default(),
        }
    }

    /// Prunes until `stop`.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Retention);
            match self.round(&stop).await {
                Ok(Round::ClockOff(seconds)) => {
                    self.metrics.fault("retention");
                    tracing::error!(seconds, "nothing is pruned: our clock and the database's differ");
                }
                Ok(Round::Pruned(rows)) if rows.values().any(|rows| *rows > 0) => {
                    tracing::info!(rows = rows.values().sum::<u64>(), "history pruned");
                }
                Ok(_) => {}
                Err(error) => {
                    self.metrics.fault("retention");
                    tracing::warn!(%error, "pruning is put off");
                }
            }
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    /// Prunes all that is old now, if it is our turn.
    ///
    /// # Errors
    /// The database; what was pruned before stays so.
    pub async fn round(&self, stop: &Stop) -> Result<Round, StoreError> {
        let off = self.store.server(self.clock.now()).await?.clock_ahead_s;
        if off.abs() > CLOCK_OFF_MAX_S {
            return Ok(Round::ClockOff(off));
        }
        if !take_turn(&self.store, &self.owner, TURN, self.clock.now()).await? {
            return Ok(Round::NotOurTurn);
        }
        let mut pruned = BTreeMap::new();
        for kind in Kind::ALL {
            let rows = self.prune(kind, stop).await?;
            pruned.insert(kind, rows);
        }
        end_turn(&self.store, &self.owner, self.clock.now()).await?;
        Ok(Round::Pruned(pruned))
    }

    async fn prune(&self, kind: Kind, stop: &Stop) -> Result<u64, StoreError> {
        let Some(before) = self.keep.before(kind, self.clock.now()) else { return Ok(0) };
        let (mut cursor, mut total): (Cursor, u64) = (None, 0);
        while !stop.is_stopped() {
            let started = self.clock.monotonic();
            let done = step(&self.store, kind, before, cursor, self.size(kind)).await?;
            let took = self.clock.monotonic().saturating_sub(started);
            self.resize(kind, took, done.more);
            cursor = done.cursor;
            if done.rows > 0 {
                total += done.rows;
                note(&self.store, kind, done.rows, self.clock.now()).await?;
                self.metrics.retention_rows.get_or_create(&KindLabel { kind: kind.code() }).inc_by(done.rows);
            }
            if !done.more {
                break;
            }
            tokio::time::sleep(took).await;
            // Whoever was stopped for long may have lost the turn.
            if !take_turn(&self.store, &self.owner, TURN, self.clock.now()).await? {
                break;
            }
        }
        Ok(total)
    }

    fn size(&self, kind: Kind) -> usize {
        let sizes = self.sizes.lock().expect("no holder panics");
        sizes.get(&kind).copied().unwrap_or(ROWS_MIN).min(self.rows_max)
    }

    /// Twice the rows after a quick full step, half of them after a slow one.
    fn resize(&self, kind: Kind, took: Duration, full: bool) {
        let size = self.size(kind);
        let next = if took > self.step {
            size / 2
        } else if full && took < self.step / 2 {
            size * 2
        } else {
            size
        };
        let next = next.clamp(ROWS_MIN.min(self.rows_max), self.rows_max);
        self.sizes.lock().expect("no holder panics").insert(kind, next);
    }
}
