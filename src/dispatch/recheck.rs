//! Owns: the look at the facts right before sending: an invoice paid meanwhile is not announced as unpaid, and an amount that
//! changed is not sent as it was. Most messages find nothing changed, by two digests; what differs is looked at closely
//! ([`super::anew`]).

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::billing::{Billing, Missing, Want};
use crate::catalogue::{Catalogue, Entry, Verdict};
use crate::decide::Decider;
use crate::domain::hookpoint::{Class, HookpointId, Subject, SubjectKind};
use crate::domain::message::{Message, Print};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Facts, Platform};
use crate::render::{Templates, digest};
use crate::rules::recipients::{Circle, Policy, Who, addressed};
use crate::sql::Inconsistent;
use crate::store::Store;

use super::anew;
use super::lane::DispatchError;

/// What the second look says of one message.
#[derive(Clone, Debug)]
pub enum Second {
    Send,
    /// The same alert in other words; `true`: words that its recipient would tell apart.
    Anew(Box<Message>, bool),
    Wait(Timestamp, Reason),
    Cancel(Reason),
    /// A row that it needs cannot be understood.
    Unreadable(Inconsistent),
}

/// What writing a message anew needs.
#[derive(Clone, Debug)]
pub struct Words {
    pub templates: Arc<ArcSwap<Templates>>,
    pub decider: Arc<Decider>,
    pub people: Policy,
    /// Zone of the platform's server.
    pub zone: TimeZone,
}

impl Words {
    /// Whether what was made from `print` still has the words of the text in force. What has no text any more has them, too.
    pub(super) fn is_in_force(&self, hookpoint: &str, language: &str, print: Print) -> bool {
        let (Some(hookpoint), Ok(locale)) = (HookpointId::parse(hookpoint), language.parse()) else { return true };
        let templates = self.templates.load();
        templates.get(&hookpoint, locale).is_none_or(|text| text.wording == print.wording)
    }
}

/// What is in force and known while a batch is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    pub store: &'a Store,
    pub billing: &'a Billing,
    pub catalogue: &'a Catalogue,
    pub templates: &'a Templates,
    pub words: &'a Words,
    pub now: Timestamp,
}

/// Looks again at the facts of `messages`, in one bounded set of reads. A security alert without conditions of its own passes:
/// it must not wait for the platform's database, unless its text was changed meanwhile.
///
/// # Errors
/// A database: nothing is to be sent unchecked.
pub async fn look(sight: &Sight<'_>, messages: &[Message]) -> Result<Vec<Second>, DispatchError> {
    let asks: Vec<Ask<'_>> = messages.iter().map(|message| Ask::of(sight, message)).collect();
    let wants: Vec<Want> = asks.iter().filter_map(|ask| ask.subject.map(Want::of)).collect();
    if wants.is_empty() && asks.iter().all(|ask| ask.is_current) {
        return Ok(messages.iter().map(|_| Second::Send).collect());
    }
    let platform = sight.billing.platform(sight.now).await?;
    let people = sight.words.people.at(&platform);
    let mut facts = sight.billing.gather(&wants, sight.now).await?.into_iter();
    let mut looks = Vec::with_capacity(messages.len());
    for (message, ask) in messages.iter().zip(&asks) {
        let first = match ask.subject {
            None if ask.is_current => First::Clear(Second::Send),
            None => First::Differs(None),
            Some(_) => match facts.next() {
                Some(Ok(found)) => ask.first(message, found, &people, &platform, sight.now),
                Some(Err(Missing::Unreadable(error))) => First::Clear(Second::Unreadable(error)),
                Some(Err(Missing::Refused(_))) => First::Clear(Second::Cancel(Reason::SubjectUnreadable)),
                Some(Err(_)) | None => First::Differs(None),
            },
        };
        looks.push(match first {
            First::Clear(second) => second,
            First::Differs(facts) => anew::write(sight, message, ask, facts, (&people, &platform)).await?,
        });
    }
    Ok(looks)
}

/// What a message's second look needs.
pub(super) struct Ask<'a> {
    /// The row to read, if any.
    subject: Option<Subject>,
    pub entry: Option<&'a Entry>,
    /// It has the words of the text in force.
    is_current: bool,
}

enum First {
    Clear(Second),
    /// Facts or text are not those it was made from; the facts, if they were found.
    Differs(Option<Box<Facts>>),
}

impl<'a> Ask<'a> {
    fn of(sight: &'a Sight<'_>, message: &Message) -> Self {
        let entry = sight.catalogue.entry(&message.hookpoint);
        // It answers what the client wrote, and says nothing of the platform's rows.
        if message.free_form.is_some() {
            return Self { subject: None, entry: None, is_current: true };
        }
        let client = Subject { kind: SubjectKind::Client, id: message.client_id.0 };
        let subject = match entry {
            Some(entry) if message.class != Class::Security || entry.is_rechecked() => Some(message.subject),
            _ if message.class == Class::Security => None,
            _ => Some(client),
        };
        // A test, or an alert that is no more, has nothing to be written anew from.
        let text = entry.and_then(|entry| sight.templates.get(&entry.hookpoint.id, message.locale));
        let is_current = text.is_none_or(|text| text.wording == message.print.wording);
        Self { subject, entry, is_current }
    }

    fn first(
        &self,
        message: &Message,
        found: Vec<Facts>,
        people: &Policy,
        platform: &Platform,
        now: Timestamp,
    ) -> First {
        // The subject may belong to another client by now: then the message has the wrong recipient.
        let Some(facts) = found.into_iter().find(|facts| facts.client.id == message.client_id) else {
            return First::Clear(Second::Cancel(Reason::OwnerMismatch));
        };
        if let Some(closed) = closed(&facts) {
            return First::Clear(closed);
        }
        let Some(entry) = self.entry else { return First::Clear(Second::Send) };
        let name = addressed(&facts, circle(entry), people, who(message));
        let same = name.is_some_and(|name| digest::facts(&facts, platform, name) == message.print.facts);
        // A rule of the company's has its say in what a cancellation means.
        if !same || !self.is_current || message.subject.kind == SubjectKind::Cancellation {
            return First::Differs(Some(Box::new(facts)));
        }
        First::Clear(still(entry, message, &facts, now).unwrap_or(Second::Send))
    }

    /// Whether the alert goes out even where nobody can look.
    pub fn must_go(&self, message: &Message) -> bool {
        must_go(message, self.entry)
    }
}

/// Whether an alert goes out even where nobody can look.
pub(super) fn must_go(message: &Message, entry: Option<&Entry>) -> bool {
    message.class == Class::Security && !entry.is_some_and(Entry::is_rechecked)
}

pub(super) fn closed(facts: &Facts) -> Option<Second> {
    (facts.client.status == ClientStatus::Closed).then_some(Second::Cancel(Reason::ClientClosed))
}

/// What the conditions before sending say against it.
pub(super) fn still(entry: &Entry, message: &Message, facts: &Facts, now: Timestamp) -> Option<Second> {
    match entry.still_true(facts) {
        Verdict::Holds => None,
        Verdict::No { reason, .. } => Some(Second::Cancel(reason)),
        Verdict::NotYet { reason, wait_s, .. } => {
            let until = message.queued_at + SignedDuration::from_secs(wait_s.into());
            Some(if now < until { Second::Wait(until, reason) } else { Second::Cancel(reason) })
        }
    }
}

pub(super) fn circle(entry: &Entry) -> Circle {
    Circle { audience: entry.hookpoint.audience, users: entry.hookpoint.users }
}

pub(super) fn who(message: &Message) -> Who {
    match (message.contact_id, message.user_id) {
        (Some(contact), _) => Who::Contact(contact),
        (None, Some(user)) => Who::User(user),
        (None, None) => Who::Client,
    }
}
