//! Owns: one sending number. Peek → pace → look again → claim (committed) → send → settle. A recipient who must wait is
//! put off and delays nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::day::Day;
use super::pacer::{Pacer, Rates};
use super::recheck::{Second, look};
use super::settler::Settler;
use super::verdict::{Effect, Patience, judge};
use crate::billing::{Billing, BillingError};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::metrics::{ClassResult, Metrics};
use crate::stop::Stop;
use crate::store::lane::{Pause, PausedBy, pause, paused};
use crate::store::outbox::{Due, cancel, claim, load, peek, snooze};
use crate::store::settle::Attempt;
use crate::store::{Store, StoreError, consent, contacted};
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
}

/// One sending number at work.
#[derive(Debug)]
pub struct Lane {
    name: String,
    gateway: Arc<Gateway>,
    settings: LaneSettings,
    parts: Parts,
    pacer: Pacer,
    day: Mutex<Day>,
    places: Arc<Semaphore>,
    settler: Settler,
    /// What outcomes stopped for a while.
    holds: Arc<Mutex<Holds>>,
}

/// Templates and the number itself, left alone until a time.
#[derive(Debug, Default)]
struct Holds {
    templates: HashMap<String, Timestamp>,
    slow_until: Option<Timestamp>,
    paused: Option<Timestamp>,
    /// The stored pauses were read at this time.
    read_at: Option<Timestamp>,
}

/// Everything a lane works with.
#[derive(Clone, Debug)]
pub struct Parts {
    pub store: Store,
    pub billing: Billing,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// Rung when a message was queued.
    pub bell: Arc<Notify>,
}

/// What became of the messages that were due.
#[derive(Default)]
struct Sorted {
    admitted: Vec<Due>,
    cancelled: Vec<(MessageId, Reason)>,
    waits: HashMap<Reason, Vec<(MessageId, Timestamp)>>,
    /// The number's own rate is used up until then, by the monotonic clock.
    full_until: Option<Duration>,
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
    /// A lane for `gateway`, with the recipients of the last 24 hours.
    ///
    /// # Errors
    /// The database.
    pub async fn start(gateway: Gateway, settings: LaneSettings, parts: Parts) -> Result<Self, StoreError> {
        let now = parts.clock.now();
        let recent = match settings.recipients_per_day {
            0 => Vec::new(),
            _ => contacted::recent(&parts.store, &settings.portfolio, now).await?,
        };
        let settler = Settler::start(parts.store.clone(), parts.bell.clone());
        Ok(Self {
            name: gateway.lane().to_owned(),
            gateway: Arc::new(gateway),
            pacer: Pacer::new(&settings.rates, parts.clock.clone()),
            day: Mutex::new(Day::new(settings.recipients_per_day, recent)),
            places: Arc::new(Semaphore::new(settings.in_flight_max)),
            settler,
            holds: Arc::default(),
            settings,
            parts,
        })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends until told to stop, then waits for what is in flight.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
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

    /// Handles what is due now, as far as the pace allows.
    ///
    /// # Errors
    /// A database; nothing is lost by it.
    pub async fn tick(&self) -> Result<Tick, DispatchError> {
        let now = self.parts.clock.now();
        if let Some(until) = self.stopped_until(now).await? {
            let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            return Ok(Tick::Idle(wait.min(self.settings.poll.max(Duration::from_millis(1)))));
        }
        let free = self.places.available_permits();
        if free == 0 {
            return Ok(Tick::Idle(self.settings.poll));
        }
        // A slow number needs few candidates per tick; a fast one, many.
        let look_at = (self.settings.rates.per_second as usize / 8).max(16).min(self.settings.batch).min(free);
        let due = peek(&self.parts.store, &self.name, now, look_at).await?;
        if due.is_empty() {
            return Ok(Tick::Idle(self.settings.poll));
        }
        let sorted = self.sort(due, now);
        cancel(&self.parts.store, &sorted.cancelled, now).await?;
        for (reason, waits) in &sorted.waits {
            snooze(&self.parts.store, waits, *reason).await?;
        }
        if !sorted.admitted.is_empty() {
            self.send_admitted(&sorted.admitted, now).await?;
        }
        // The work since has taken its time: only what is left of the wait is slept.
        let left = sorted.full_until.map(|until| until.saturating_sub(self.parts.clock.monotonic()));
        Ok(left.filter(|left| !left.is_zero()).map_or(Tick::Busy, Tick::Idle))
    }

    /// Whether the number is stopped or slowed down. The stored pauses are read at most once a second.
    async fn stopped_until(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let fresh = {
            let holds = self.holds.lock().expect("no holder panics");
            holds.read_at.is_some_and(|at| now.duration_since(at).abs() < SignedDuration::from_secs(1))
        };
        if !fresh {
            let all = paused(&self.parts.store, now).await?;
            let mine = all.into_iter().find(|pause| pause.lane == self.name).map(|pause| pause.until);
            let label = crate::metrics::LaneLabel { lane: self.name.clone() };
            self.parts.metrics.lane_paused.get_or_create(&label).set(mine.is_some().into());
            let mut holds = self.holds.lock().expect("no holder panics");
            holds.read_at = Some(now);
            holds.paused = mine;
            self.pacer.forget_old();
        }
        let holds = self.holds.lock().expect("no holder panics");
        Ok(holds.paused.max(holds.slow_until).filter(|until| *until > now))
    }

    /// Decides about each due message by age, holds and pace alone.
    fn sort(&self, due: Vec<Due>, now: Timestamp) -> Sorted {
        let mut sorted = Sorted::default();
        let mut place = false;
        for one in due {
            if one.expires_at <= now {
                sorted.cancelled.push((one.id, Reason::Expired));
                continue;
            }
            let held = self.holds.lock().expect("no holder panics").templates.get(&one.template).copied();
            if let Some(until) = held.filter(|until| *until > now) {
                sorted.waits.entry(Reason::TemplateHeld).or_default().push((one.id, until));
                continue;
            }
            // A place of the number that a waiting recipient did not use goes to the next one.
            if !place {
                if let Err(wait) = self.pacer.take_number() {
                    let wait = wait.max(Duration::from_millis(1));
                    sorted.full_until = Some(self.parts.clock.monotonic() + wait);
                    break;
                }
                place = true;
            }
            if let Err(until) = self.day.lock().expect("no holder panics").take(&one.to, now) {
                sorted.waits.entry(Reason::PacedDay).or_default().push((one.id, until));
            } else if let Err(wait) = self.pacer.take_pair(&one.to) {
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(6));
                let until = now + wait.max(SignedDuration::from_millis(1));
                sorted.waits.entry(Reason::PacedRecipient).or_default().push((one.id, until));
            } else {
                place = false;
                sorted.admitted.push(one);
            }
        }
        sorted
    }

    async fn send_admitted(&self, admitted: &[Due], now: Timestamp) -> Result<(), DispatchError> {
        let ids: Vec<MessageId> = admitted.iter().map(|due| due.id).collect();
        let messages = load(&self.parts.store, &ids).await?;
        let catalogue = self.parts.catalogue.load_full();
        let looks = look(&messages, &self.parts.billing, &catalogue, now).await?;
        let everybody: Vec<E164> = messages.iter().map(|m| m.to.clone()).collect();
        let out = consent::opted_out(&self.parts.store, &everybody).await?;
        let (mut good, mut cancelled, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        for (message, second) in messages.iter().zip(looks) {
            match second {
                _ if out.contains(&message.to) => cancelled.push((message.id, Reason::OptedOut)),
                Second::Send => good.push(message.id),
                Second::Cancel(reason) => cancelled.push((message.id, reason)),
                Second::Wait(until) => waits.push((message.id, until)),
            }
        }
        cancel(&self.parts.store, &cancelled, now).await?;
        snooze(&self.parts.store, &waits, Reason::ServiceChanged).await?;
        if good.is_empty() {
            return Ok(());
        }
        let token = Uuid::now_v7().as_simple().to_string();
        let claimed = claim(&self.parts.store, &self.name, &self.settings.portfolio, &good, &token, now).await?;
        let mut messages: HashMap<MessageId, Message> = messages.into_iter().map(|m| (m.id, m)).collect();
        for id in claimed {
            let attempt = admitted.iter().find(|due| due.id == id).map_or(0, |due| due.attempts) + 1;
            let Some(message) = messages.remove(&id) else { continue };
            let place = self.places.clone().acquire_owned().await.expect("nobody closes the semaphore");
            self.spawn(message, attempt, token.clone(), place);
        }
        Ok(())
    }

    fn spawn(&self, message: Message, attempt: u32, token: String, place: OwnedSemaphorePermit) {
        let (gateway, settler, parts) = (self.gateway.clone(), self.settler.clone(), self.parts.clone());
        let (holds, patience, lane) = (self.holds.clone(), self.settings.patience, self.name.clone());
        tokio::spawn(async move {
            let started_at = parts.clock.now();
            let clock = parts.clock.monotonic();
            let outcome = gateway.send(&message).await;
            parts.metrics.send_seconds.observe((parts.clock.monotonic().saturating_sub(clock)).as_secs_f64());
            let labels = ClassResult { class: message.class.code(), result: outcome.code() };
            parts.metrics.attempts.get_or_create(&labels).inc();
            let ended_at = parts.clock.now();
            let random = u64::from_le_bytes(message.id.0.as_bytes()[8..].try_into().expect("8 of 16 bytes"));
            let (next, effect) = judge(&outcome, attempt, &patience, ended_at, random);
            take_effect(&lane, &message.call.name, effect, &holds, &parts).await;
            let id = message.id;
            settler.hand_in(Attempt { id, token, started_at, ended_at, outcome, next }, place);
        });
    }
}

/// Stops what the outcome says must stop, with an alarm.
async fn take_effect(lane: &str, template: &str, effect: Effect, holds: &Mutex<Holds>, parts: &Parts) {
    match effect {
        Effect::None => {}
        Effect::SlowDown(until) => {
            let mut holds = holds.lock().expect("no holder panics");
            holds.slow_until = holds.slow_until.max(Some(until));
        }
        Effect::HoldTemplate(until) => {
            parts.metrics.fault("template_held");
            tracing::error!(%lane, template, "the provider refuses this template: its messages wait");
            holds.lock().expect("no holder panics").templates.insert(template.to_owned(), until);
        }
        Effect::PauseNumber(until, detail) => {
            parts.metrics.fault("lane_paused");
            tracing::error!(%lane, detail, "the provider stopped this number: its queue waits");
            {
                let mut holds = holds.lock().expect("no holder panics");
                holds.paused = holds.paused.max(Some(until));
            }
            let stop = Pause { lane: lane.to_owned(), until, by: PausedBy::Provider, detail };
            if let Err(error) = pause(&parts.store, &stop, parts.clock.now()).await {
                tracing::warn!(%lane, %error, "the pause is not stored");
            }
        }
    }
}
