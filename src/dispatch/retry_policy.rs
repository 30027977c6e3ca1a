//! Owns: what an outcome means for its message, its template and its number. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::backoff::{Backoff, pair_wait};
use crate::domain::closed_list::closed_list;
use crate::domain::outcome::{Fault, Outcome, Scope};
use crate::domain::reason::Reason;
use crate::store::settle::Next;
use crate::whatsapp::errors::retries_max;

/// The provider may ask for so long a wait at most; what it asks beyond that is no wait but a mistake.
const ASKED_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What the company decided about retries.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub attempts_max: u32,
    pub backoff: Backoff,
    pub template_hold: SignedDuration,
    pub number_hold: SignedDuration,
    pub unknown: UnknownPolicy,
}

/// What becomes of a message whose outcome is unknown.
#[derive(Clone, Copy, Debug)]
pub struct UnknownPolicy {
    /// How long a receipt may take.
    pub receipt_wait: SignedDuration,
    pub security: AfterUnknown,
    pub status: AfterUnknown,
    pub notice: AfterUnknown,
}

closed_list! {
    /// What is done when no receipt came.
    AfterUnknown {
        /// Sent again, though it may arrive twice: an alert that protects the client must arrive.
        SendAgain = "send_again",
        /// It waits for an operator, until it expires.
        Hold = "hold",
        /// It ends as `outcome_unknown`.
        GiveUp = "give_up",
    }
}

impl UnknownPolicy {
    /// The class's, by the priority of its messages (see [`crate::store::finish::priority`]).
    #[must_use]
    pub fn of(&self, priority: u8) -> AfterUnknown {
        match priority {
            0 => self.security,
            1 => self.status,
            _ => self.notice,
        }
    }
}

/// What an outcome stops besides its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    None,
    /// This template is left alone until then.
    HoldTemplate(Timestamp),
    /// This number is stopped until then, with an alarm.
    PauseNumber(Timestamp, String),
    /// This number slows down until then.
    SlowDown(Timestamp),
}

/// How often a message was tried.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// Attempts with this one, from 1.
    pub attempt: u32,
    /// Refusals before this one because its recipient had got too much.
    pub waits: u32,
}

/// The longest wait for a recipient that a provider may ask for: what waits longer is taken for put off by a clock that ran
/// ahead (`dispatch::maintenance`).
const RECIPIENT_WAIT_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Decides.
#[must_use]
pub fn judge(outcome: &Outcome, tried: Tried, patience: &Patience, now: Timestamp, random: u64) -> (Next, Effect) {
    match outcome {
        Outcome::Accepted { .. } => (Next::Sent, Effect::None),
        Outcome::Refused(_) => (Next::Failed(Reason::Refused), Effect::None),
        Outcome::Unknown(_) => (Next::Unknown { receipt_until: now + patience.unknown.receipt_wait }, Effect::None),
        Outcome::Later { fault, after } => later(fault, *after, tried, patience, now, random),
    }
}

fn later(
    fault: &Fault,
    after: Option<Duration>,
    Tried { attempt, waits }: Tried,
    patience: &Patience,
    now: Timestamp,
    random: u64,
) -> (Next, Effect) {
    let asked = after.map_or(SignedDuration::ZERO, |after| SignedDuration::try_from(after).unwrap_or(ASKED_MAX));
    let asked = asked.min(ASKED_MAX);
    let backoff = patience.backoff.wait(attempt, random).max(asked);
    let again = |wait: SignedDuration, reason, free| Next::Again { at: now + wait, reason, free };
    // Some codes deserve fewer tries than a message has.
    let tries = fault.code.and_then(retries_max).map_or(u32::MAX, |retries| retries + 1).min(patience.attempts_max);
    match fault.scope {
        Scope::Message if attempt >= tries => (Next::Failed(Reason::AttemptsExhausted), Effect::None),
        Scope::Message => (again(backoff, Reason::RetryLater, false), Effect::None),
        // The recipient got too much: no fault of this message, which ends by its age at the latest.
        Scope::Recipient => {
            let wait = pair_wait(waits.saturating_add(1)).max(asked).min(RECIPIENT_WAIT_MAX);
            (Next::Paced { at: now + wait }, Effect::None)
        }
        Scope::Template => {
            let until = now + patience.template_hold.max(asked);
            (Next::Again { at: until, reason: Reason::TemplateHeld, free: true }, Effect::HoldTemplate(until))
        }
        // It passes by itself: no reason to wake somebody up.
        Scope::Number if after.is_some() => (again(asked, Reason::LanePaused, true), Effect::SlowDown(now + asked)),
        Scope::Number => {
            let hold = patience.number_hold;
            (again(hold, Reason::LanePaused, true), Effect::PauseNumber(now + hold, fault.detail.clone()))
        }
        Scope::Rate => (again(backoff, Reason::PacedNumber, true), Effect::SlowDown(now + backoff)),
    }
}
