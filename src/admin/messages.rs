//! Owns: what administrators see of messages, and sending them again.

pub mod retry;

use super::{AdminError, Desk};
use crate::dispatch::lane::DispatchError;
use crate::dispatch::recheck::{Second, Sight, Words, look};
use crate::domain::admin::{Role, Who};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::message::{Message, Standing};
use crate::domain::reason::Reason;
use crate::rules::recipients::Policy;
use crate::store::audit::Record;
use crate::store::client_history::{self, StoredEvent};
use crate::store::resend;
use crate::store::search::{self, MessageSearch};
use crate::store::trail::{self, MessageFilter, MessageTrail};
use crate::store::walk::Found;
use crate::store::{consent, message, moved};

/// A message with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Whole {
    pub message: MessageTrail,
    /// What asked for it, unless it is pruned.
    pub event: Option<StoredEvent>,
    /// What sent it again.
    pub resent_as: Option<MessageId>,
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
        Some(event) => client_history::event(&desk.store, &event).await?,
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
    let (fit, refused) = still_fit(desk, message::load(&desk.store, &[id]).await?).await?;
    if let Some((_, reason)) = refused.first() {
        return conflict(&format!("reason.{reason}"));
    }
    let record = |done: &[(MessageId, MessageId)]| {
        let new = done.first().map(|(_, new)| format!("as {new}"));
        desk.record(who, "message.resend", (id.to_string(), new), false)
    };
    let Some((_, new)) = queue(desk, &fit, record).await?.pop() else { return conflict("messages.resent_already") };
    Ok(new)
}

/// Those of `messages` whose recipients want them and that still say the truth; and why not the others.
async fn still_fit(
    desk: &Desk,
    messages: Vec<Message>,
) -> Result<(Vec<Message>, Vec<(MessageId, Reason)>), AdminError> {
    let everybody: Vec<_> = messages.iter().map(|one| one.to.clone()).collect();
    let book = consent::about(&desk.store, messages.iter()).await?;
    let moved = moved::moved(&desk.store, &everybody).await?;
    let zone = jiff::tz::TimeZone::get(&desk.config.billing.timezone);
    let words = Words {
        templates: desk.templates.clone(),
        decider: desk.decider.clone(),
        people: Policy::of(&desk.config),
        zone: zone.map_err(|error| AdminError::Internal(error.to_string()))?,
    };
    let sight = Sight {
        store: &desk.store,
        billing: &desk.billing,
        catalogue: &desk.catalogue.load(),
        templates: &desk.templates.load(),
        words: &words,
        now: desk.now(),
    };
    let facts = look(&sight, &messages).await.map_err(|error| match error {
        DispatchError::Store(error) => AdminError::from(error),
        DispatchError::Billing(error) => AdminError::from(error),
    })?;
    let (mut fit, mut refused) = (Vec::with_capacity(messages.len()), Vec::new());
    for (message, second) in messages.into_iter().zip(facts) {
        match second {
            // A confirmation goes once, and its time is over.
            _ if message.free_form.is_some() => refused.push((message.id, Reason::WindowClosed)),
            _ if book.refuses(&message) || message.to.is_erased() => refused.push((message.id, Reason::OptedOut)),
            _ if moved.contains(&message.to) => refused.push((message.id, Reason::NumberChanged)),
            Second::Cancel(reason) => refused.push((message.id, reason)),
            Second::Unreadable(_) => refused.push((message.id, Reason::SubjectUnreadable)),
            // It gets its words when it is sent.
            Second::Send | Second::Anew(..) | Second::Wait(..) => fit.push(message),
        }
    }
    Ok((fit, refused))
}

/// The number that sends a message again: its own, while there is one of that name.
fn lane(desk: &Desk, one: &Message) -> String {
    let config = &desk.config;
    let lane = if config.senders.contains_key(&one.lane) { &one.lane } else { &config.alerts.sender };
    lane.clone()
}

/// Queues them anew, with the record of it.
async fn queue<'a>(
    desk: &Desk,
    messages: &[Message],
    record: impl Fn(&[(MessageId, MessageId)]) -> Record<'a> + Sync,
) -> Result<Vec<(MessageId, MessageId)>, AdminError> {
    Ok(resend::resend(&desk.store, messages, |one| lane(desk, one), record, desk.now()).await?)
}
