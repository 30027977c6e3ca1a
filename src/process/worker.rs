//! Owns: taking events in batches through facts and rules into the outbox. `tick` does one batch; the loop around it only
//! waits. A batch that cannot be finished as a whole is finished event by event, so that one poisoned event delays
//! nothing but itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use super::baseline::Usual;
use super::plan::{DecisionContext, HookpointMatch, Outcome, ask, decide};
use super::{ownership_changes, rule_checks};
use crate::billing::{Billing, BillingError};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::decide::Decider;
use crate::domain::event::HookEvent;
use crate::domain::ids::EventId;
use crate::domain::message::Message;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::domain::schedule::Zones;
use crate::envelope;
use crate::expression::aside;
use crate::metrics::{Metrics, Result1};
use crate::render::Templates;
use crate::road::{Step, mark, mark_one};
use crate::rules::mass::{MassPolicy, allowed};
use crate::rules::recipients::Policy;
use crate::stop::Stop;
use crate::store::finish::{AlertLimits, Finished, Processed, Skip, finish};
use crate::store::inbox::{Cause, Claimed, FOR_ROWS, claim, release};
use crate::store::{Store, StoreError, consent, moved};
use crate::tasks::{Failures, Next, Panicked, Task, caught};

/// How processing is to run.
#[derive(Clone, Debug)]
pub struct Settings {
    pub batch: usize,
    pub poll: Duration,
    pub lease: SignedDuration,
    pub attempts_max: u32,
    pub limits: AlertLimits,
    pub mass: MassSettings,
    pub event_age_max: SignedDuration,
    /// The sending number that carries the alerts.
    pub lane: String,
    pub zone: TimeZone,
    /// The clocks of clients.
    pub zones: Zones,
    pub people: Policy,
}

/// How masses are noticed.
#[derive(Clone, Debug)]
pub struct MassSettings {
    pub policy: MassPolicy,
    pub history: SignedDuration,
    /// What the company says about single hookpoints; 0 is no ceiling.
    pub fixed: BTreeMap<String, u32>,
}

/// Processes events.
#[derive(Debug)]
pub struct Worker {
    pub store: Store,
    pub billing: Billing,
    pub decider: Arc<Decider>,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub templates: Arc<ArcSwap<Templates>>,
    pub settings: Settings,
    /// What is usual, read now and then.
    pub usual: Usual,
    /// Batches in a row that a database put off.
    pub put_offs: AtomicU32,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// Notified when an event was stored.
    pub inbox_bell: Arc<Notify>,
    /// Notified when a message was queued.
    pub outbox_bell: Arc<Notify>,
    /// Events that our own code failed on.
    pub failures: Failures<EventId>,
}

/// Why a batch was not finished; its events are taken again.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Billing(#[from] BillingError),
}

impl ProcessError {
    /// Some event of the batch is to blame, not a database.
    fn is_of_an_event(&self) -> bool {
        match self {
            Self::Store(error) => error.is_of_a_row(),
            Self::Billing(error) => error.is_of_a_row(),
        }
    }
}

impl Worker {
    /// Works until `stop`.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Worker);
            let bell = self.inbox_bell.notified();
            match self.tick().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => {
                    self.metrics.fault("process");
                    tracing::warn!(%error, "a batch of events is put off");
                }
            }
            tokio::select! {
                () = stop.stopped() => {}
                () = bell => {}
                () = tokio::time::sleep(self.settings.poll) => {}
            }
        }
    }

    /// Takes one batch through. Returns how many events were taken.
    ///
    /// # Errors
    /// A database failed; the events are taken again.
    pub async fn tick(&self) -> Result<usize, ProcessError> {
        let now = self.clock.now();
        let token = Uuid::now_v7().as_simple().to_string();
        let claims = claim(&self.store, &token, now, self.settings.lease, self.settings.batch).await?;
        if claims.is_empty() {
            return Ok(0);
        }
        mark(Step::Claimed);
        let count = claims.len();
        if let Err(error) = self.batch_caught(&claims, now).await {
            if error.is_of_an_event() {
                self.apart(&claims, now).await?;
                return Ok(count);
            }
            self.put_off(&claims, &error, now).await?;
            return Err(error);
        }
        self.put_offs.store(0, Ordering::Relaxed);
        Ok(count)
    }

    /// Our own code may fail on one of them: then each is processed alone, and that one is set aside.
    async fn batch_caught(&self, claims: &[Claimed], now: Timestamp) -> Result<(), ProcessError> {
        let handled = async {
            for claim in claims {
                mark_one(Step::Handling, &claim.event.id);
            }
            self.batch(claims, now).await
        };
        match caught(handled).await {
            Ok(result) => result,
            Err(panicked) if claims.len() == 1 => {
                self.metrics.panicked(Task::Worker, &panicked);
                self.put_off_or_set_aside(&claims[0], &panicked, now).await
            }
            Err(_) => {
                for claim in claims {
                    let alone = std::slice::from_ref(claim);
                    if let Err(error) = Box::pin(self.batch_caught(alone, now)).await {
                        self.put_off(alone, &error, now).await?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The cause may be over in a while: a fault of a library, a change of settings. Only what fails again and again is given up.
    async fn put_off_or_set_aside(
        &self,
        claim: &Claimed,
        panicked: &Panicked,
        now: Timestamp,
    ) -> Result<(), ProcessError> {
        if let Next::Wait(wait) = self.failures.note(claim.event.id.clone()) {
            return Ok(release(&self.store, &[claim], now + wait, (Cause::Fault, &panicked.to_string())).await?);
        }
        tracing::error!(event = %claim.event.id, "our own code fails on an event: it is set aside");
        let reason = Skip {
            hookpoint: None,
            client_id: None,
            contact_id: None,
            reason: Reason::InternalFault,
            detail: Some(panicked.to_string()),
        };
        let (trail, alerts) = ("[]".to_owned(), Vec::new());
        let bare = [Processed { claim: claim.clone(), failed: true, trail, alerts, skips: vec![reason] }];
        let finished = finish(&self.store, &bare, &self.limits(now).await?, now).await?;
        self.count(&bare, finished);
        Ok(())
    }

    /// Takes a batch through event by event: one of them cannot be processed, and must not keep the others.
    async fn apart(&self, claims: &[Claimed], now: Timestamp) -> Result<(), ProcessError> {
        for (place, claim) in claims.iter().enumerate() {
            match self.batch_caught(std::slice::from_ref(claim), now).await {
                Ok(()) => {}
                Err(error) if error.is_of_an_event() => self.set_aside(claim, &error, now).await?,
                Err(error) => {
                    self.put_off(&claims[place..], &error, now).await?;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Ends an event that cannot be processed, as failed, with what is to blame.
    async fn set_aside(&self, claim: &Claimed, error: &ProcessError, now: Timestamp) -> Result<(), ProcessError> {
        tracing::error!(event = %claim.event.id, %error, "an event cannot be processed");
        let mut outcome = Outcome { failed: true, ..Outcome::default() };
        outcome.skip(None, None, Reason::SubjectUnreadable, Some(error.to_string()));
        self.write(std::slice::from_ref(claim), vec![outcome], now).await
    }

    /// Waits longer after each try in a row; a database being away spends no patience of the events.
    async fn put_off(&self, claims: &[Claimed], error: &ProcessError, now: Timestamp) -> Result<(), StoreError> {
        let before = self.put_offs.fetch_add(1, Ordering::Relaxed);
        let wait = SignedDuration::from_secs(2_i64 << before.min(4));
        let all: Vec<&Claimed> = claims.iter().collect();
        release(&self.store, &all, now + wait, (Cause::Wait, &error.to_string())).await
    }

    async fn batch(&self, claims: &[Claimed], now: Timestamp) -> Result<(), ProcessError> {
        let catalogue = self.catalogue.load_full();
        let templates = self.templates.load_full();
        let platform = self.billing.platform(now).await?;
        let events: Vec<Option<HookEvent>> = claims.iter().map(|claim| read(claim, &self.settings.zone)).collect();
        let mut outcomes: Vec<Outcome> = claims.iter().map(|_| Outcome::default()).collect();
        let mut asked: Vec<(usize, HookpointMatch<'_>)> = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let outcome = &mut outcomes[index];
            let claim = &claims[index];
            outcome
                .step("received", &serde_json::json!({ "source": claim.event.source, "key": claim.event.key_index }));
            match event {
                // It was readable at ingest; only an older binary could have stored something else.
                None => {
                    outcome.failed = true;
                    outcome.skip(None, None, Reason::SubjectUnreadable, Some("the stored envelope".to_owned()));
                }
                Some(event) => {
                    let found = ask(&catalogue, event, self.settings.event_age_max, now, outcome);
                    asked.extend(found.into_iter().map(|one| (index, one)));
                }
            }
        }
        let wants: Vec<_> = asked.iter().map(|(_, one)| one.want.clone()).collect();
        let mut facts = self.billing.gather(&wants, now).await?;
        ownership_changes::join(&self.store, &mut asked, &mut facts).await?;
        rule_checks::ask(&self.decider, &asked, &events, &mut facts, now).await?;
        mark(Step::Gathered);
        let desk = DecisionContext {
            policy: self.settings.people.at(&platform),
            platform: &platform,
            templates: &templates,
            zone: &self.settings.zone,
            zones: &self.settings.zones,
            lane: &self.settings.lane,
            now,
        };
        aside(|| {
            for ((index, one), facts) in asked.iter().zip(&facts) {
                if let Some(event) = &events[*index] {
                    decide(&desk, event, one, facts, &mut outcomes[*index]);
                }
            }
        });
        self.without_opted_out(&mut outcomes).await?;
        self.without_moved(&mut outcomes).await?;
        mark(Step::Decided);
        self.write(claims, outcomes, now).await
    }

    async fn without_opted_out(&self, outcomes: &mut [Outcome]) -> Result<(), ProcessError> {
        let everything = outcomes.iter().flat_map(|o| &o.alerts).flat_map(|a| &a.messages);
        let book = consent::about(&self.store, everything).await?;
        let clients = outcomes.iter().flat_map(|o| &o.alerts).map(|alert| alert.client_id.0).collect();
        let refused = self.billing.refused(&clients).await?;
        if book.is_empty() && refused.is_empty() {
            return Ok(());
        }
        let by_answer = |m: &Message| {
            refused
                .get(&m.client_id.0)
                .filter(|stated| !book.asked_for_all(&m.to, stated.at))
                .map(|stated| &stated.evidence)
        };
        for outcome in outcomes {
            for alert in &mut outcome.alerts {
                let (held, kept) = std::mem::take(&mut alert.messages)
                    .into_iter()
                    .partition(|m| book.refuses(m) || by_answer(m).is_some());
                alert.messages = kept;
                outcome.skips.extend(Vec::into_iter(held).map(|m| {
                    let skip = Skip::of(&m, Reason::OptedOut);
                    let evidence = by_answer(&m).filter(|_| !book.refuses(&m)).cloned();
                    Skip { detail: evidence.or(skip.detail.clone()), ..skip }
                }));
            }
        }
        Ok(())
    }

    /// Numbers that their users gave up get nothing.
    async fn without_moved(&self, outcomes: &mut [Outcome]) -> Result<(), StoreError> {
        let everybody: Vec<E164> =
            outcomes.iter().flat_map(|o| &o.alerts).flat_map(|a| &a.messages).map(|m| m.to.clone()).collect();
        let moved = moved::moved(&self.store, &everybody).await?;
        if moved.is_empty() {
            return Ok(());
        }
        for outcome in outcomes {
            for alert in &mut outcome.alerts {
                let (moved, kept) =
                    std::mem::take(&mut alert.messages).into_iter().partition(|m| moved.contains(&m.to));
                alert.messages = kept;
                outcome.skips.extend(Vec::into_iter(moved).map(|m| Skip::of(&m, Reason::NumberChanged)));
            }
        }
        Ok(())
    }

    /// What the company decided, with the ceilings of the moment.
    async fn limits(&self, now: Timestamp) -> Result<AlertLimits, StoreError> {
        let mass = &self.settings.mass;
        let busiest = self.usual.busiest_hours(&self.store, mass.history, now).await?;
        let catalogue = self.catalogue.load();
        let mut limits = self.settings.limits.clone();
        limits.ceilings.shard = u8::try_from(now.as_millisecond() % 251).unwrap_or_default();
        limits.ceilings.client_day = catalogue
            .entries()
            .filter_map(|entry| Some((entry.hookpoint.id.to_string(), entry.hookpoint.client_day_max?)))
            .collect();
        limits.ceilings.allowed = catalogue
            .entries()
            .filter_map(|entry| {
                let name = entry.hookpoint.id.to_string();
                let fixed = mass.fixed.get(&name).copied().or(entry.hookpoint.mass_max);
                let most = allowed(fixed, busiest.get(&name).copied().unwrap_or(0), &mass.policy);
                (fixed != Some(0)).then_some((name, most))
            })
            .collect();
        Ok(limits)
    }

    async fn write(&self, claims: &[Claimed], outcomes: Vec<Outcome>, now: Timestamp) -> Result<(), ProcessError> {
        let mut ready = Vec::with_capacity(claims.len());
        for (claim, outcome) in claims.iter().zip(outcomes) {
            if let Some(until) = outcome.defer {
                release(&self.store, &[claim], until, (Cause::Wait, FOR_ROWS)).await?;
                continue;
            }
            ready.push(Processed {
                claim: claim.clone(),
                failed: outcome.failed,
                trail: serde_json::Value::Array(outcome.steps).to_string(),
                alerts: outcome.alerts,
                skips: outcome.skips,
            });
        }
        let limits = self.limits(now).await?;
        match finish(&self.store, &ready, &limits, now).await {
            Ok(finished) => self.count(&ready, finished),
            // One bad event must not hold the others: each on its own.
            Err(error) if ready.len() > 1 => {
                tracing::warn!(%error, events = ready.len(), "finishing one by one");
                self.one_by_one(&ready, &limits, now).await?;
            }
            Err(error) => self.give_up_or_again(&ready[0], error, &limits, now).await?,
        }
        Ok(())
    }

    async fn one_by_one(&self, ready: &[Processed], limits: &AlertLimits, now: Timestamp) -> Result<(), ProcessError> {
        for one in ready {
            match finish(&self.store, std::slice::from_ref(one), limits, now).await {
                Ok(finished) => self.count(std::slice::from_ref(one), finished),
                Err(error) => self.give_up_or_again(one, error, limits, now).await?,
            }
        }
        Ok(())
    }

    /// An event that cannot be finished is tried some times, then set aside as failed without its alerts. Tries that ended
    /// with the process, and faults of the database, are not held against it.
    async fn give_up_or_again(
        &self,
        one: &Processed,
        error: StoreError,
        limits: &AlertLimits,
        now: Timestamp,
    ) -> Result<(), ProcessError> {
        self.metrics.fault("finish");
        tracing::error!(event = %one.claim.event.id, attempts = one.claim.attempts, %error, "an event was not finished");
        if error.is_passing() || one.claim.attempts < self.settings.attempts_max {
            let cause = if error.is_passing() { Cause::Wait } else { Cause::Fault };
            let wait = SignedDuration::from_secs(i64::from(2_u32.saturating_pow(one.claim.attempts.min(8))));
            return Ok(release(&self.store, &[&one.claim], now + wait, (cause, &error.to_string())).await?);
        }
        let reason = Skip {
            hookpoint: None,
            client_id: None,
            contact_id: None,
            reason: Reason::AttemptsExhausted,
            detail: Some(error.to_string()),
        };
        let given_up = Processed { failed: true, alerts: Vec::new(), skips: vec![reason], ..one.clone() };
        finish(&self.store, &[given_up], limits, now).await?;
        Ok(())
    }

    fn count(&self, ready: &[Processed], finished: Finished) {
        let count = |result, n: usize| {
            self.metrics.processed.get_or_create(&Result1 { result }).inc_by(n as u64);
        };
        count("processed", ready.len() - finished.skipped - finished.failed);
        count("skipped", finished.skipped);
        count("failed", finished.failed);
        for skip in ready.iter().flat_map(|one| &one.skips) {
            self.metrics.skips.get_or_create(&Result1 { result: skip.reason.code() }).inc();
        }
        if finished.failed > 0 {
            self.metrics.fault("event_failed");
            tracing::error!(events = finished.failed, "events failed: see `hookbridge events list --state failed`");
        }
        if finished.holds > 0 {
            self.metrics.fault("alerts_held");
            tracing::error!(
                holds = finished.holds,
                "more alerts than usual wait for an operator: see `hookbridge holds`"
            );
        }
        if finished.queued > 0 {
            self.outbox_bell.notify_waiters();
        }
    }
}

fn read(claim: &Claimed, zone: &TimeZone) -> Option<HookEvent> {
    let mut event = envelope::parse(&claim.event.id, &claim.event.source, claim.event.body.as_bytes()).ok()?;
    event.occurred_at = claim.event.happened_at();
    event.day = Some(event.occurred_at.to_zoned(zone.clone()).date());
    Some(event)
}
