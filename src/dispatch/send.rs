//! Owns: from admitted messages to attempts in flight: the second look, the claim, the request, and what its outcome stops.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::lane::{DispatchError, Holds, Lane, Parts, Text};
use super::leadership::LeaseGuard;
use super::recheck::{Second, Sight, look, must_go};
use super::retry_policy::{Effect, Tried, judge};
use crate::billing::stated::Stated;
use crate::catalogue::Catalogue;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::outcome::{Fault, Outcome, Scope};
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::metrics::ClassResult;
use crate::road::{Step, mark, mark_one};
use crate::sql::Inconsistent;
use crate::store::lane::{Pause, PausedBy, pause};
use crate::store::message::load_each;
use crate::store::outbox::{Claimant, Due, cancel, claim, fail_unreadable, rewrite, snooze};
use crate::store::settle::{Attempt, Next};
use crate::store::{StoreError, consent, moved, recipient_fifo};
use crate::tasks::{Panicked, Task, caught};
use crate::whatsapp::Gate;

impl Lane {
    pub(super) async fn send_admitted(
        &self,
        permit: &LeaseGuard,
        admitted: &[Due],
        now: Timestamp,
    ) -> Result<(), DispatchError> {
        let token = Uuid::now_v7().as_simple().to_string();
        let mut messages: HashMap<MessageId, Message> = HashMap::new();
        let outcome = self.take(permit, admitted, &token, now).await;
        let outcome = outcome.map(|claimed| messages.extend(claimed.into_iter().map(|message| (message.id, message))));
        let (going, staying): (Vec<&Due>, Vec<&Due>) = admitted.iter().partition(|due| messages.contains_key(&due.id));
        for due in staying {
            self.give_back(due);
        }
        for due in going.iter().filter(|due| !due.template.is_empty()) {
            self.day.lock().expect("no holder panics").confirm(&due.to, now);
        }
        for due in going {
            let Some(message) = messages.remove(&due.id) else { continue };
            let place = self.places.clone().acquire_owned().await.expect("nobody closes the semaphore");
            self.spawn(permit.clone(), message, due, token.clone(), place);
        }
        outcome
    }

    /// Looks at the admitted messages once more and claims those that may go. Returns them.
    async fn take(
        &self,
        permit: &LeaseGuard,
        admitted: &[Due],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<Message>, DispatchError> {
        let mut messages = self.load(admitted, now).await?;
        let good = self.still_true(&mut messages, now).await?;
        mark(Step::Looked);
        if good.is_empty() {
            return Ok(Vec::new());
        }
        let claimed: HashSet<MessageId> = self.claim(permit, &good, token, now).await?.into_iter().collect();
        mark(Step::Taken);
        Ok(messages.into_iter().filter(|message| claimed.contains(&message.id)).collect())
    }

    /// The admitted messages that can be read; the others end.
    async fn load(&self, admitted: &[Due], now: Timestamp) -> Result<Vec<Message>, DispatchError> {
        let ids: Vec<MessageId> = admitted.iter().map(|due| due.id).collect();
        let mut left: HashSet<MessageId> = ids.iter().copied().collect();
        let (mut messages, mut unreadable) = (Vec::new(), Vec::new());
        for (id, read) in load_each(&self.parts.store, &ids).await? {
            left.remove(&id);
            match read {
                Ok(mut message) => {
                    message.print = admitted.iter().find(|due| due.id == id).map_or(message.print, |due| due.print);
                    messages.push(message);
                }
                Err(error) => unreadable.push((id, error)),
            }
        }
        let missing = |id: MessageId| Inconsistent { table: "message", column: "id", row: id.to_string() };
        unreadable.extend(left.into_iter().map(|id| (id, missing(id))));
        self.set_aside(&unreadable, now).await?;
        Ok(messages)
    }

    /// Ends messages that cannot be sent because a row cannot be read: the others must not wait behind them.
    pub(super) async fn set_aside(
        &self,
        which: &[(MessageId, Inconsistent)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for (id, error) in which {
            self.parts.metrics.fault("message_unreadable");
            tracing::error!(lane = %self.name, message = %id, %error, "a message cannot be sent: a row cannot be read");
        }
        fail_unreadable(&self.parts.store, which, now).await
    }

    /// The messages that may still be sent; the others are ended or put off.
    /// Those that say something else by now get other words, under the same key.
    async fn still_true(&self, messages: &mut [Message], now: Timestamp) -> Result<Vec<MessageId>, DispatchError> {
        let store = &self.parts.store;
        let catalogue = self.parts.catalogue.load_full();
        let sight = Sight {
            store,
            billing: &self.parts.billing,
            catalogue: &catalogue,
            templates: &self.parts.words.templates.load_full(),
            words: &self.parts.words,
            now,
        };
        let looks = look(&sight, messages).await?;
        let everybody: Vec<E164> = messages.iter().map(|m| m.to.clone()).collect();
        let book = consent::about(store, messages.iter()).await?;
        let refused = self.refused(messages, &catalogue).await?;
        let moved = moved::moved(store, &everybody).await?;
        let by_answer =
            |m: &Message| refused.get(&m.client_id.0).is_some_and(|stated| !book.asked_for_all(&m.to, stated.at));
        let (mut good, mut ended, mut anew) = (Vec::new(), Vec::new(), Vec::new());
        let mut unreadable = Vec::new();
        let mut waits: HashMap<Reason, Vec<(MessageId, Timestamp)>> = HashMap::new();
        for (message, second) in messages.iter_mut().zip(looks) {
            if let Second::Anew(other, changed) = &second {
                *message = (**other).clone();
                anew.push((message.id, *changed));
            }
            match second {
                // A client who opts out is answered all the same.
                _ if message.free_form.is_none() && (book.refuses(message) || by_answer(message)) => {
                    ended.push((message.id, Reason::OptedOut));
                }
                _ if moved.contains(&message.to) => ended.push((message.id, Reason::NumberChanged)),
                Second::Cancel(reason) => ended.push((message.id, reason)),
                Second::Unreadable(error) => unreadable.push((message.id, error)),
                Second::Wait(until, reason) => waits.entry(reason).or_default().push((message.id, until)),
                Second::Send | Second::Anew(..) => {
                    let answers = catalogue.entry(&message.hookpoint).and_then(|entry| entry.hookpoint.answers.clone());
                    match answers {
                        Some(first) if recipient_fifo::was_never_said(store, message, &first).await? => {
                            ended.push((message.id, Reason::Collapsed));
                        }
                        _ => good.push(message.id),
                    }
                }
            }
        }
        cancel(store, &ended, now).await?;
        for (reason, waits) in &waits {
            snooze(store, waits, *reason).await?;
        }
        let written: Vec<(&Message, bool)> = messages
            .iter()
            .filter_map(|message| Some((message, anew.iter().find(|(id, _)| *id == message.id)?.1)))
            .collect();
        rewrite(store, &written, now).await?;
        for (message, changed) in written {
            if changed {
                tracing::info!(message = %message.id, hookpoint = %message.hookpoint, "written anew: its facts or text changed");
            }
        }
        self.set_aside(&unreadable, now).await?;
        Ok(good)
    }

    /// Who opted out on the platform meanwhile. What must go even where nobody can look does not wait for it.
    async fn refused(
        &self,
        messages: &[Message],
        catalogue: &Catalogue,
    ) -> Result<HashMap<u64, Stated>, DispatchError> {
        let asked = messages.iter().filter(|message| message.free_form.is_none());
        let clients = asked.map(|message| message.client_id.0).collect();
        match self.parts.billing.refused(&clients).await {
            Err(error) if messages.iter().all(|message| must_go(message, catalogue.entry(&message.hookpoint))) => {
                tracing::warn!(lane = %self.name, %error, "the platform cannot be asked for opt-outs: security alerts go");
                Ok(HashMap::new())
            }
            answer => Ok(answer?),
        }
    }

    async fn claim(
        &self,
        permit: &LeaseGuard,
        ids: &[MessageId],
        token: &str,
        now: Timestamp,
    ) -> Result<Vec<MessageId>, StoreError> {
        let asked = self.parts.clock.monotonic();
        let who = Claimant { lane: &self.name, portfolio: &self.settings.portfolio, holder: &permit.holder };
        let claimed = claim(&self.parts.store, who, ids, token, now).await;
        match &claimed {
            Ok(_) => permit.proven(asked),
            Err(StoreError::Guard { .. }) => permit.lost(),
            Err(_) => {}
        }
        claimed
    }

    fn spawn(&self, permit: LeaseGuard, message: Message, due: &Due, token: String, place: OwnedSemaphorePermit) {
        let (gateway, settler, parts) = (self.gateway.clone(), self.settler.clone(), self.parts.clone());
        let (holds, patience, lane) = (self.holds.clone(), self.settings.patience, self.name.clone());
        let tried = Tried { attempt: due.attempts + 1, waits: due.waits };
        let again = |reason: &Reason| matches!(reason, Reason::SentAgain | Reason::SentAgainByOperator);
        let cause = due.waited_for.filter(again);
        let slots = self.slots.clone();
        tokio::spawn(async move {
            // Milliseconds, when claims came bunched: with a claim in hand nobody waits for long.
            let wait = slots.take(&message.to);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let started_at = parts.clock.now();
            let clock = parts.clock.monotonic();
            // Whether the request may have left.
            let passed = Arc::new(AtomicBool::new(false));
            let gate = gate(permit.clone(), message.id, passed.clone());
            let attempted = async {
                mark_one(Step::Sending, &message.id);
                let sent = gateway.send(&message, gate).await;
                mark_one(Step::Answered, &message.id);
                sent
            };
            let sent = caught(attempted).await.unwrap_or_else(|panicked| {
                parts.metrics.panicked(Task::Lane, &panicked);
                Some(fault(&panicked, passed.load(Ordering::SeqCst)))
            });
            let ended_at = parts.clock.now();
            parts.metrics.send_seconds.observe((parts.clock.monotonic().saturating_sub(clock)).as_secs_f64());
            let id = message.id;
            let Some(outcome) = sent else {
                settler.hand_in(not_sent(id, token, started_at, ended_at, cause), place);
                return;
            };
            if passed.load(Ordering::SeqCst) && !permit.is_valid() {
                parts.metrics.sends_without_lease.inc();
                tracing::warn!(%lane, %id, "the lease ended between the last look and the answer: it may have left after that");
            }
            let labels = ClassResult { class: message.class.code(), result: outcome.code() };
            parts.metrics.attempts.get_or_create(&labels).inc();
            let random = u64::from_le_bytes(id.0.as_bytes()[8..].try_into().expect("8 of 16 bytes"));
            let (mut next, mut effect) = judge(&outcome, tried, &patience, ended_at, random);
            let words = &parts.words;
            let in_force = words.is_in_force(message.hookpoint.as_str(), &message.call.language, message.print);
            // An older wording that could not be made anew is not worth waiting for, and says nothing of the new one.
            if matches!(effect, Effect::HoldTemplate(_)) && !in_force {
                (next, effect) = (Next::Failed(Reason::Refused), Effect::None);
            }
            take_effect(&lane, &message, effect, &holds, &parts).await;
            settler.hand_in(Attempt { id, token, started_at, ended_at, outcome, next, cause }, place);
        });
    }
}

/// The last look. What it lets pass is written by the same poll that asked: nothing lies between but the system call, and no
/// program can close that. What went through it is seen afterwards, and counted.
fn gate(permit: LeaseGuard, id: MessageId, passed: Arc<AtomicBool>) -> Gate {
    Gate::new(move || {
        let open = permit.is_valid();
        passed.store(open, Ordering::SeqCst);
        if open {
            mark_one(Step::Leaving, &id);
        }
        open
    })
}

/// Our own code failed in the middle of an attempt. What may have left is not sent again blindly.
fn fault(panicked: &Panicked, may_have_left: bool) -> Outcome {
    let detail = panicked.to_string();
    if may_have_left {
        return Outcome::Unknown(detail);
    }
    Outcome::Later { fault: Fault { code: None, scope: Scope::Message, detail }, after: None }
}

/// The lease was lost before the request left: the next owner sends it.
fn not_sent(
    id: MessageId,
    token: String,
    started_at: Timestamp,
    ended_at: Timestamp,
    cause: Option<Reason>,
) -> Attempt {
    let detail = "another instance took over; nothing was sent".to_owned();
    let fault = Fault { code: None, scope: Scope::Message, detail };
    let next = Next::Again { at: ended_at, reason: Reason::LeaseLost, free: true };
    Attempt { id, token, started_at, ended_at, outcome: Outcome::Later { fault, after: None }, next, cause }
}

/// Stops what the outcome says must stop, with an alarm.
async fn take_effect(lane: &str, message: &Message, effect: Effect, holds: &Mutex<Holds>, parts: &Parts) {
    match effect {
        Effect::None => {}
        Effect::SlowDown(until) => {
            let mut holds = holds.lock().expect("no holder panics");
            holds.slow_until = holds.slow_until.max(Some(until));
        }
        Effect::HoldTemplate(until) => {
            parts.metrics.fault("template_held");
            let call = &message.call;
            tracing::error!(
                %lane, template = call.name, language = call.language,
                "the provider refuses this template: its messages in this language wait"
            );
            let text =
                Text { name: call.name.clone(), language: call.language.clone(), wording: message.print.wording };
            holds.lock().expect("no holder panics").templates.insert(text, until);
        }
        Effect::PauseNumber(until, detail) => {
            parts.metrics.fault("lane_paused");
            tracing::error!(%lane, detail, "the provider stopped this number: its queue waits");
            let stop = Pause { lane: lane.to_owned(), until, by: PausedBy::Provider, detail };
            {
                let mut holds = holds.lock().expect("no holder panics");
                holds.paused = holds.paused.max(Some(until));
                holds.unstored = Some(stop.clone());
            }
            store_pause(&stop, holds, parts).await;
        }
    }
}

/// Stores a pause that the provider asked for. One that the database does not take stands until it does: see
/// [`Lane::upkeep`].
pub(super) async fn store_pause(stop: &Pause, holds: &Mutex<Holds>, parts: &Parts) {
    match pause(&parts.store, stop, parts.clock.now()).await {
        Ok(()) => {
            let mut holds = holds.lock().expect("no holder panics");
            holds.unstored.take_if(|unstored| unstored.until == stop.until);
        }
        Err(error) => tracing::warn!(lane = stop.lane, %error, "the pause is not stored yet: it stands"),
    }
}
