//! Owns: which of the due messages go now. First their order, then age, holds and pace.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::lane::{DispatchError, Lane, Text};
use super::recipient_quota::Full;
use crate::domain::ids::MessageId;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::store::outbox::Due;
use crate::store::recipient_fifo::{Ahead, ahead, behind};

/// What becomes of the messages that were due.
#[derive(Debug, Default)]
pub(super) struct AdmissionPlan {
    /// In the order in which they may go; at most one per recipient.
    ready: Vec<Due>,
    pub admitted: Vec<Due>,
    pub cancelled: Vec<(MessageId, Reason)>,
    pub held: HashMap<Reason, Vec<MessageId>>,
    pub waits: HashMap<Reason, Vec<(MessageId, Timestamp)>>,
    /// The number's own rate is used up until then, by the monotonic clock.
    pub full_until: Option<Duration>,
}

impl AdmissionPlan {
    /// Whether nothing was done with any of them.
    pub fn is_still(&self) -> bool {
        let moved = [self.cancelled.len(), self.held.len(), self.waits.len(), self.admitted.len()];
        self.full_until.is_none() && moved.iter().all(|n| *n == 0)
    }

    fn wait(&mut self, reason: Reason, id: MessageId, until: Timestamp) {
        self.waits.entry(reason).or_default().push((id, until));
    }
}

impl Lane {
    /// Puts each recipient's first message in the place of those that came after it.
    pub(super) async fn line_up(&self, due: Vec<Due>, now: Timestamp) -> Result<AdmissionPlan, DispatchError> {
        let ids: Vec<MessageId> = due.iter().map(|one| one.id).collect();
        let late: HashSet<MessageId> = behind(&self.parts.store, &ids).await?.into_iter().collect();
        let mut line = AdmissionPlan::default();
        let mut written_to: HashSet<E164> = HashSet::new();
        for one in due {
            let first = if late.contains(&one.id) { ahead(&self.parts.store, &self.name, &one).await? } else { None };
            let next = match first {
                None => one,
                Some(Ahead::Queued(first)) if first.run_at <= now => {
                    self.after_the_first(&mut line, &one, now);
                    first
                }
                Some(Ahead::Queued(first)) => {
                    line.wait(behind_one_that_waits(&first), one.id, first.run_at);
                    continue;
                }
                Some(Ahead::Sending) => {
                    self.after_the_first(&mut line, &one, now);
                    continue;
                }
            };
            if written_to.insert(next.to.clone()) {
                line.ready.push(next);
            } else if line.ready.iter().all(|ready| ready.id != next.id) {
                self.after_the_first(&mut line, &next, now);
            }
        }
        Ok(line)
    }

    /// The recipient must wait between two messages anyway. Where that is not needed, the message stays where it is: the end of
    /// the attempt before it wakes the lane.
    fn after_the_first(&self, line: &mut AdmissionPlan, one: &Due, now: Timestamp) {
        let pause = self.settings.rates.pair_interval_s;
        if pause > 0 {
            let until = now + SignedDuration::from_secs(i64::try_from(pause).unwrap_or(i64::MAX / 4));
            line.wait(Reason::PacedRecipient, one.id, until);
        }
    }

    /// Decides about each by age, holds and pace alone.
    pub(super) fn sort(&self, line: &mut AdmissionPlan, now: Timestamp) {
        let mut place = false;
        for one in std::mem::take(&mut line.ready) {
            if one.expires_at <= now {
                line.cancelled.push((one.id, ended(&one)));
                continue;
            }
            if let Some(until) = self.template_held(&one, now) {
                line.wait(Reason::TemplateHeld, one.id, until);
                continue;
            }
            if let Some(reason) = self.alert_held(&one) {
                line.held.entry(reason).or_default().push(one.id);
                continue;
            }
            // A place of the number that a waiting recipient did not use goes to the next one.
            if !place {
                if let Err(wait) = self.pacer.take_number() {
                    let wait = wait.max(Duration::from_millis(1));
                    line.full_until = Some(self.parts.clock.monotonic() + wait);
                    break;
                }
                place = true;
            }
            // The pair before the day: who must wait a moment takes no place among the day's recipients.
            if let Err(wait) = self.pacer.take_pair(&one.to) {
                let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(6));
                line.wait(Reason::PacedRecipient, one.id, now + wait.max(SignedDuration::from_millis(1)));
                continue;
            }
            // Inside the provider's window the limit of 24 hours does not count.
            let free = one.template.is_empty();
            let reserved = if free { Ok(()) } else { self.day.lock().expect("no holder panics").reserve(&one.to, now) };
            match reserved {
                Ok(()) => {
                    place = false;
                    line.admitted.push(one);
                }
                Err(full) => {
                    self.pacer.give_back_pair(&one.to);
                    if let Full::Until(until) = full {
                        line.wait(Reason::PacedDay, one.id, until);
                    }
                }
            }
        }
        if place {
            self.pacer.give_back_number();
        }
    }

    /// A message that is not sent after all gives back the places that [`Self::sort`] took for it.
    pub(super) fn give_back(&self, due: &Due) {
        self.pacer.give_back_number();
        self.pacer.give_back_pair(&due.to);
        if !due.template.is_empty() {
            self.day.lock().expect("no holder panics").give_back(&due.to);
        }
    }

    fn template_held(&self, one: &Due, now: Timestamp) -> Option<Timestamp> {
        let holds = self.holds.lock().expect("no holder panics");
        if holds.templates.is_empty() {
            return None;
        }
        let (name, language) = (one.template.clone(), one.language.clone());
        let text = Text { name, language, wording: one.print.wording };
        let until = holds.templates.get(&text).copied().filter(|until| *until > now)?;
        // Another text is in force by now: it gets its words, and these are never tried again.
        self.parts.words.is_in_force(&one.hookpoint, &one.language, one.print).then_some(until)
    }

    fn alert_held(&self, one: &Due) -> Option<Reason> {
        let holds = self.holds.lock().expect("no holder panics");
        if holds.alerts.is_empty() {
            return None;
        }
        if holds.alerts.contains(&(one.hookpoint.clone(), None)) {
            return Some(Reason::MassSend);
        }
        let one_client = (one.hookpoint.clone(), Some(one.client_id));
        holds.alerts.contains(&one_client).then_some(Reason::ClientCeiling)
    }
}

/// Why a message waits that comes after `first`. A wait for the day or the number is as long as that of the first: longer than
/// any pace between two messages to one recipient.
fn behind_one_that_waits(first: &Due) -> Reason {
    match first.waited_for {
        Some(long @ (Reason::PacedDay | Reason::PacedNumber | Reason::LanePaused)) => long,
        _ => Reason::PacedRecipient,
    }
}

/// Why a message whose time is over ends: one that was to be sent again may have arrived the first time.
fn ended(one: &Due) -> Reason {
    match one.waited_for {
        Some(Reason::SentAgain | Reason::SentAgainByOperator) => Reason::OutcomeUnknown,
        _ => Reason::Expired,
    }
}
