//! Owns: one sending number. Leadership → peek → order → pace → look again → claim (committed) → send → settle. A recipient
//! who must wait is put off and delays nobody else.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, Semaphore};

use super::completer::{Completer, Settling};
use super::egress_limiter::EgressLimiter;
use super::leadership::{Leadership, LeaseGuard};
use super::pacer::{Pacer, Rates};
use super::recheck::Words;
use super::recipient_quota::RecipientQuota;
use super::retry_policy::Patience;
use crate::billing::{Billing, BillingError};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::ids::{ClientId, MessageId};
use crate::domain::reason::Reason;
use crate::metrics::Metrics;
use crate::road::{Step, mark, mark_one};
use crate::stop::Stop;
use crate::store::lane::Pause;
use crate::store::lane_setting::Paces;
use crate::store::outbox::{Due, cancel, peek, snooze};
use crate::store::{Store, StoreError, hold};
use crate::tasks::{Failures, Next, Task, caught};
use crate::whatsapp::Gateway;

/// How a lane is to run.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    pub rates: Rates,
    pub recipients_per_day: u32,
    pub portfolio: String,
    pub in_flight_max: usize,
    pub batch: usize,
    pub poll: Duration,
    pub patience: Patience,
    /// A message that this instance has been sending for longer is lost.
    pub sending_timeout: SignedDuration,
}

/// One sending number at work.
#[derive(Debug)]
pub struct Lane {
    pub(super) name: String,
    pub(super) gateway: Arc<Gateway>,
    pub(super) settings: LaneSettings,
    pub(super) parts: Parts,
    pub(super) leadership: Arc<Leadership>,
    pub(super) pacer: Pacer,
    pub(super) slots: Arc<EgressLimiter>,
    /// Shared by the numbers of a portfolio, as the provider's limit is.
    pub(super) day: Arc<Mutex<RecipientQuota>>,
    pub(super) places: Arc<Semaphore>,
    pub(super) settler: Completer,
    settling: Settling,
    /// How often our own code failed on a message that waits.
    failures: Failures<MessageId>,
    /// What outcomes, operators and the lease stopped for a while.
    pub(super) holds: Arc<Mutex<Holds>>,
}

/// A text as the provider knows it, in one wording of ours: what was refused in one language or wording says nothing about the
/// others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Text {
    pub name: String,
    pub language: String,
    pub wording: u64,
}

/// Templates, alerts and the number itself, left alone until a time.
#[derive(Debug, Default)]
pub(super) struct Holds {
    pub templates: HashMap<Text, Timestamp>,
    pub slow_until: Option<Timestamp>,
    pub paused: Option<Timestamp>,
    /// A pause that the provider asked for and the database has not taken.
    pub unstored: Option<Pause>,
    /// Alerts that wait for an operator: hookpoint, and one client or all.
    pub alerts: HashSet<(String, Option<ClientId>)>,
    /// The stored pauses and holds were read at this time, by the monotonic clock.
    pub read_at: Option<Duration>,
    /// The fence under which this lane took over, and when it may send, by the monotonic clock.
    pub since: Option<(u64, Duration)>,
}

/// Everything a lane works with.
#[derive(Clone, Debug)]
pub struct Parts {
    pub store: Store,
    pub billing: Billing,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub words: Words,
    /// What administrators set beside the configuration.
    pub paces: Arc<ArcSwap<Paces>>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// Notified when a message was queued.
    pub bell: Arc<Notify>,
}

/// Why sending is put off.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("facts cannot be looked at again: {0}")]
    Billing(#[from] BillingError),
}

/// What a tick did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Messages were handled: look again at once.
    Busy,
    /// Nothing to do before so long.
    Idle(Duration),
}

impl Lane {
    /// A lane for `gateway`. The numbers of a portfolio share `leadership` and `day`.
    #[must_use]
    pub fn start(
        gateway: Gateway,
        settings: LaneSettings,
        parts: Parts,
        leadership: Arc<Leadership>,
        day: Arc<Mutex<RecipientQuota>>,
    ) -> Self {
        let (settler, settling) = Completer::new(parts.store.clone(), parts.metrics.clone(), parts.bell.clone());
        Self {
            name: gateway.lane().to_owned(),
            gateway: Arc::new(gateway),
            pacer: Pacer::new(&settings.rates, parts.clock.clone()),
            slots: Arc::new(EgressLimiter::new(&settings.rates, parts.clock.clone())),
            day,
            places: Arc::new(Semaphore::new(settings.in_flight_max)),
            settler,
            settling,
            failures: Failures::default(),
            holds: Arc::default(),
            settings,
            parts,
            leadership,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What writes down how its attempts ended. It must run whenever messages are sent.
    #[must_use]
    pub fn settling(&self) -> Settling {
        self.settling.clone()
    }

    /// Sends until `stop`, then waits for what is in flight and lets the next instance take over.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Lane);
            let bell = self.parts.bell.notified();
            let wait = match self.tick().await {
                Ok(Tick::Busy) => continue,
                Ok(Tick::Idle(wait)) => wait,
                Err(error) => {
                    self.parts.metrics.fault("dispatch");
                    tracing::warn!(lane = %self.name, %error, "sending is put off");
                    self.settings.poll
                }
            };
            tokio::select! {
                () = stop.stopped() => {}
                () = bell => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.settled().await;
    }

    /// Waits until every attempt in flight is written down.
    pub async fn settled(&self) {
        let all = u32::try_from(self.settings.in_flight_max).unwrap_or(u32::MAX);
        let _ = self.places.acquire_many(all).await;
    }

    /// Handles what is due now, as far as the lease and the pace allow.
    ///
    /// # Errors
    /// A database; nothing is lost by it.
    pub async fn tick(&self) -> Result<Tick, DispatchError> {
        let now = self.parts.clock.now();
        self.keep_pace();
        let Some(permit) = self.leadership.keep(&self.parts.store, now).await? else {
            return Ok(Tick::Idle(self.settings.poll));
        };
        self.upkeep(&permit, now).await?;
        if let Some(wait) = self.stopped_for(now) {
            return Ok(Tick::Idle(wait.min(self.settings.poll.max(Duration::from_millis(1)))));
        }
        let free = self.places.available_permits();
        if free == 0 {
            return Ok(Tick::Idle(self.settings.poll));
        }
        // A slow number needs few candidates per tick; a fast one, many.
        let look_at = (self.pacer.per_second() as usize / 8).max(16).min(self.settings.batch).min(free);
        let (due, unreadable) = peek(&self.parts.store, &self.name, now, look_at).await?;
        self.set_aside(&unreadable, now).await?;
        if due.is_empty() && unreadable.is_empty() {
            return Ok(Tick::Idle(self.settings.poll));
        }
        mark(Step::Peeked);
        self.handle_caught(&permit, due, now).await
    }

    /// Our own code may fail on one of them: then each is handled alone, and that one is put off, or ended at last.
    async fn handle_caught(&self, permit: &LeaseGuard, due: Vec<Due>, now: Timestamp) -> Result<Tick, DispatchError> {
        let handled = |due: Vec<Due>| async move {
            for one in &due {
                mark_one(Step::Handling, &one.id);
            }
            self.handle(permit, due, now).await
        };
        if due.len() > 1 {
            if let Ok(result) = caught(handled(due.clone())).await {
                return result;
            }
            for one in due {
                Box::pin(self.handle_caught(permit, vec![one], now)).await?;
            }
            return Ok(Tick::Busy);
        }
        let id = due[0].id;
        match caught(handled(due)).await {
            Ok(result) => result,
            Err(panicked) => {
                self.parts.metrics.panicked(Task::Lane, &panicked);
                self.put_off_or_end(id, now).await?;
                Ok(Tick::Busy)
            }
        }
    }

    async fn put_off_or_end(&self, id: MessageId, now: Timestamp) -> Result<(), DispatchError> {
        if let Next::Wait(wait) = self.failures.note(id) {
            return Ok(snooze(&self.parts.store, &[(id, now + wait)], Reason::RetryLater).await?);
        }
        tracing::error!(lane = %self.name, %id, "our own code fails on a message: it is set aside");
        Ok(cancel(&self.parts.store, &[(id, Reason::InternalFault)], now).await?)
    }

    /// Takes over the pace that an administrator set: never above the configured one.
    fn keep_pace(&self) {
        let most = self.settings.rates.per_second;
        let wanted = self.parts.paces.load().get(&self.name).map_or(most, |pace| (*pace).clamp(1, most.max(1)));
        if wanted != self.pacer.per_second() {
            self.pacer.set_per_second(wanted);
            self.slots.set_per_second(wanted);
            tracing::info!(lane = %self.name, per_second = wanted, "the pace changed");
        }
    }

    async fn handle(&self, permit: &LeaseGuard, due: Vec<Due>, now: Timestamp) -> Result<Tick, DispatchError> {
        let store = &self.parts.store;
        let mut line = self.line_up(due, now).await?;
        self.sort(&mut line, now);
        cancel(store, &line.cancelled, now).await?;
        for (reason, ids) in &line.held {
            // Somebody let them go since the holds were read: they are read again before the next look at the queue.
            if hold::put_under(store, ids, *reason).await? < ids.len() {
                self.holds.lock().expect("no holder panics").read_at = None;
            }
        }
        for (reason, waits) in &line.waits {
            snooze(store, waits, *reason).await?;
        }
        if !line.admitted.is_empty() {
            self.send_admitted(permit, &line.admitted, now).await?;
        }
        // The work since has taken its time: only what is left of the wait is slept.
        let left = line.full_until.map(|until| until.saturating_sub(self.parts.clock.monotonic()));
        Ok(match left.filter(|left| !left.is_zero()) {
            Some(left) => Tick::Idle(left),
            // Only recipients who are being written to: their attempts ring when they end.
            None if line.is_still() => Tick::Idle(self.settings.poll),
            None => Tick::Busy,
        })
    }
}
