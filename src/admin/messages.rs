//! Owns: what administrators see of messages, and what operators do about them: cancel, settle, send again.

use std::collections::BTreeMap;

use super::{AdminError, Desk};
use crate::dispatch::recheck::{Second, look};
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::closed_list;
use crate::domain::ids::{EventId, MessageId};
use crate::domain::message::{Message, Standing};
use crate::domain::reason::Reason;
use crate::store::resend::{self, Batch, RESEND_MAX};
use crate::store::search::{self, Found, MessageSearch, WINDOW_MAX};
use crate::store::told::{self, Told};
use crate::store::trail::{self, MessageFilter, MessageTrail};
use crate::store::{consent, message, outbox, unknown};
use std::fmt;

/// Messages whose facts are looked at together.
const STEP: usize = 100;

closed_list! {
    /// What an operator knows of a message whose outcome is unknown, or wants.
    Verdict {
        /// It arrived.
        Arrived = "arrived",
        /// Send it again; it may arrive twice.
        Again = "again",
        /// Leave it.
        GiveUp = "give_up",
    }
}

/// A message with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Whole {
    pub message: MessageTrail,
    /// What asked for it, unless it is pruned.
    pub event: Option<Told>,
    /// What sent it again.
    pub resent_as: Option<MessageId>,
}

/// What a deed on many did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub resent: usize,
    /// Left out, by reason.
    pub left_out: BTreeMap<Reason, usize>,
    /// There are more of them: do it again.
    pub more: bool,
}

impl MessageTrail {
    /// Where it stands.
    #[must_use]
    pub fn stands(&self) -> Standing {
        Standing::parse(self.standing()).unwrap_or(Standing::Unknown)
    }

    /// Whether it ended, and certainly reached nobody, or so an operator decided.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stands(), Standing::Failed | Standing::Cancelled)
    }

    /// Whether the recipient may have it although it counts as failed.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        let unsure = self.attempts.iter().any(|attempt| attempt.outcome == "unknown");
        self.receipt.is_none() && (unsure || self.reason.as_deref() == Some(Reason::OutcomeUnknown.code()))
    }
}

/// Messages, newest first.
///
/// # Errors
/// The database.
pub async fn list(desk: &Desk, search: &MessageSearch) -> Result<Found<MessageTrail>, AdminError> {
    Ok(search::messages(&desk.store, search).await?)
}

/// A message with its attempts and receipts.
///
/// # Errors
/// There is none; the database.
pub async fn one(desk: &Desk, id: MessageId) -> Result<MessageTrail, AdminError> {
    let filter = MessageFilter { id: Some(id), limit: 1, ..MessageFilter::default() };
    trail::messages(&desk.store, &filter).await?.pop().ok_or(AdminError::NotFound("message"))
}

/// A message with all that belongs to it.
///
/// # Errors
/// There is none; the database.
pub async fn whole(desk: &Desk, id: MessageId) -> Result<Whole, AdminError> {
    let message = one(desk, id).await?;
    let event = match EventId::parse(&message.event_id) {
        Some(event) => told::event(&desk.store, &event).await?,
        None => None,
    };
    let resent_as = resend::next(&desk.store, id).await?;
    Ok(Whole { message, event, resent_as })
}

/// Reads an id.
///
/// # Errors
/// There can be no such message.
pub fn id(text: &str) -> Result<MessageId, AdminError> {
    MessageId::parse(text).ok_or(AdminError::NotFound("message"))
}

/// Cancels a message that waits.
///
/// # Errors
/// The role; it waits no more; the database.
pub async fn cancel(desk: &Desk, who: &Who, id: MessageId) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    let waits = |message: &MessageTrail| matches!(message.stands(), Standing::Queued | Standing::Held);
    if !waits(&one(desk, id).await?) {
        return Err(AdminError::Conflict("messages.not_waiting".to_owned()));
    }
    outbox::cancel(&desk.store, &[(id, Reason::CancelledByOperator)], desk.now()).await?;
    // Between the look and the deed it may have gone.
    if one(desk, id).await?.stands() != Standing::Cancelled {
        return Err(AdminError::Conflict("messages.not_waiting".to_owned()));
    }
    desk.note(who, "message.cancel", &id.to_string(), None).await
}

/// Says what became of a message whose outcome is unknown.
///
/// # Errors
/// The role; it is not unknown (any more); the database.
pub async fn settle(desk: &Desk, who: &Who, id: MessageId, verdict: Verdict) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    one(desk, id).await?;
    let now = desk.now();
    let was_unknown = match verdict {
        Verdict::Arrived => unknown::arrived(&desk.store, id, now).await?,
        Verdict::Again => unknown::send_again(&desk.store, &[id], Reason::SentAgainByOperator, now).await? == 1,
        Verdict::GiveUp => unknown::give_up(&desk.store, id, now).await?,
    };
    if !was_unknown {
        return Err(AdminError::Conflict("messages.not_unknown".to_owned()));
    }
    desk.note(who, "message.settle", &id.to_string(), Some(verdict.code())).await
}

/// Sends a message again that ended badly, as a new one. `twice`: it is understood that it may arrive twice.
///
/// # Errors
/// The role; it has not ended, may have arrived, was sent again already, its recipient does not want it, or what it says is not
/// true any more; a database.
pub async fn resend(desk: &Desk, who: &Who, id: MessageId, twice: bool) -> Result<MessageId, AdminError> {
    desk.require(who, Role::Operator)?;
    let conflict = |key: &str| Err(AdminError::Conflict(key.to_owned()));
    let first = one(desk, id).await?;
    if !first.is_over() {
        return conflict("messages.not_ended");
    }
    if first.may_have_arrived() && !twice {
        return conflict("messages.twice_unconfirmed");
    }
    let mut left_out = BTreeMap::new();
    let fit = still_fit(desk, &[id], &mut left_out).await?;
    if let Some(reason) = left_out.keys().next() {
        return conflict(&format!("reason.{reason}"));
    }
    let Some((_, new)) = again(desk, &fit).await?.pop() else { return conflict("messages.resent_already") };
    desk.note(who, "message.resend", &id.to_string(), Some(&format!("as {new}"))).await?;
    Ok(new)
}

/// How many messages failed for one reason within a time and may be sent again: exactly up to [`RESEND_MAX`], and whether
/// there are more.
///
/// # Errors
/// A window that is none or too long; the database.
pub async fn count(desk: &Desk, batch: &Batch) -> Result<(usize, bool), AdminError> {
    check(batch)?;
    let found = resend::candidates(&desk.store, batch).await?.len();
    Ok((found.min(RESEND_MAX), found > RESEND_MAX))
}

/// Sends those messages again, at most [`RESEND_MAX`]. `twice`: it is understood that they may arrive twice.
///
/// # Errors
/// The role; a window that is none or too long; unconfirmed; a database: what was queued stays queued, and doing it again goes
/// on.
pub async fn retry(desk: &Desk, who: &Who, batch: &Batch, twice: bool) -> Result<Report, AdminError> {
    desk.require(who, Role::Operator)?;
    check(batch)?;
    if batch.reason == Reason::OutcomeUnknown && !twice {
        return Err(AdminError::Conflict("messages.twice_unconfirmed".to_owned()));
    }
    let mut ids = resend::candidates(&desk.store, batch).await?;
    let mut report = Report { more: ids.len() > RESEND_MAX, ..Report::default() };
    ids.truncate(RESEND_MAX);
    for step in ids.chunks(STEP) {
        let fit = still_fit(desk, step, &mut report.left_out).await?;
        report.resent += again(desk, &fit).await?.len();
    }
    let left_out: usize = report.left_out.values().sum();
    let detail = format!("{} to {}: {} queued, {left_out} left out", batch.since, batch.until, report.resent);
    desk.note(who, "message.retry", &format!("reason:{}", batch.reason), Some(&detail)).await?;
    Ok(report)
}

fn check(batch: &Batch) -> Result<(), AdminError> {
    let length = batch.until.duration_since(batch.since);
    if length.is_negative() || length.is_zero() || length > WINDOW_MAX {
        return Err(AdminError::invalid("until", "messages.window_bad"));
    }
    if batch.reason.is_wait() {
        return Err(AdminError::invalid("reason", "form.unknown"));
    }
    Ok(())
}

/// Those of `ids` whose recipients want messages, and that still say the truth.
async fn still_fit(
    desk: &Desk,
    ids: &[MessageId],
    left_out: &mut BTreeMap<Reason, usize>,
) -> Result<Vec<Message>, AdminError> {
    let messages = message::load(&desk.store, ids).await?;
    let everybody: Vec<_> = messages.iter().map(|one| one.to.clone()).collect();
    let out = consent::opted_out(&desk.store, &everybody).await?;
    let facts = look(&messages, &desk.billing, &desk.catalogue.load(), desk.now()).await?;
    let mut fit = Vec::with_capacity(messages.len());
    for (message, second) in messages.into_iter().zip(facts) {
        let reason = match second {
            _ if out.contains(&message.to) => Some(Reason::OptedOut),
            Second::Cancel(reason) => Some(reason),
            Second::Send | Second::Wait(_) => None,
        };
        match reason {
            Some(reason) => *left_out.entry(reason).or_default() += 1,
            None => fit.push(message),
        }
    }
    Ok(fit)
}

async fn again(desk: &Desk, messages: &[Message]) -> Result<Vec<(MessageId, MessageId)>, AdminError> {
    let config = &desk.config;
    let lane = |one: &Message| {
        let lane = if config.senders.contains_key(&one.lane) { &one.lane } else { &config.alerts.sender };
        lane.clone()
    };
    Ok(resend::resend(&desk.store, messages, lane, desk.now()).await?)
}
