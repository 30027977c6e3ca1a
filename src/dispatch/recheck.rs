//! Owns: the look at the facts right before sending: an invoice paid meanwhile is not announced as unpaid.

use jiff::{SignedDuration, Timestamp};

use crate::billing::{Billing, BillingError, Missing, Want};
use crate::catalogue::{Catalogue, Entry, Verdict};
use crate::domain::hookpoint::{Class, Subject, SubjectKind};
use crate::domain::message::Message;
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Facts};

/// What the second look says of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Second {
    Send,
    Wait(Timestamp),
    Cancel(Reason),
}

/// Looks again at the facts of `messages`, in one bounded set of reads. Where the hookpoint asks for no second look, only
/// the client's account is looked at. A security alert without a second look passes: it must not wait for the platform's
/// database.
///
/// # Errors
/// The billing database: nothing is to be sent unchecked.
pub async fn look(
    messages: &[Message],
    billing: &Billing,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Vec<Second>, BillingError> {
    let asks: Vec<Ask<'_>> = messages.iter().map(|message| Ask::of(message, catalogue)).collect();
    let wants: Vec<Want> = asks.iter().filter_map(|ask| ask.subject.map(Want::of)).collect();
    let mut facts = billing.gather(&wants, now).await?.into_iter();
    Ok(messages
        .iter()
        .zip(&asks)
        .map(|(message, ask)| match ask.subject {
            None => Second::Send,
            Some(_) => match facts.next() {
                Some(Ok(found)) => {
                    second(message, &found, |f| ask.entry.map_or(Verdict::Holds, |e| e.still_true(f)), now)
                }
                Some(Err(Missing::Unreadable(_))) => Second::Cancel(Reason::SubjectUnreadable),
                Some(Err(_)) | None => Second::Cancel(Reason::SubjectMissing),
            },
        })
        .collect())
}

/// What a message's second look needs.
struct Ask<'a> {
    /// The row to read, if any.
    subject: Option<Subject>,
    /// The hookpoint, if it has conditions that must still hold.
    entry: Option<&'a Entry>,
}

impl<'a> Ask<'a> {
    fn of(message: &Message, catalogue: &'a Catalogue) -> Self {
        let entry = catalogue.entry(&message.hookpoint).filter(|entry| entry.is_rechecked());
        let client = Subject { kind: SubjectKind::Client, id: message.client_id.0 };
        let subject = match entry {
            Some(_) => Some(message.subject),
            None if message.class == Class::Security => None,
            None => Some(client),
        };
        Self { subject, entry }
    }
}

fn second(message: &Message, found: &[Facts], still: impl Fn(&Facts) -> Verdict, now: Timestamp) -> Second {
    // The subject may belong to somebody else by now: then this is not his message any more.
    let Some(facts) = found.iter().find(|facts| facts.client.id == message.client_id) else {
        return Second::Cancel(Reason::OwnerMismatch);
    };
    if facts.client.status == ClientStatus::Closed {
        return Second::Cancel(Reason::ClientClosed);
    }
    match still(facts) {
        Verdict::Holds => Second::Send,
        Verdict::No { reason, .. } => Second::Cancel(reason),
        Verdict::NotYet { reason, wait_s, .. } => {
            let until = message.queued_at + SignedDuration::from_secs(wait_s.into());
            if now < until { Second::Wait(until) } else { Second::Cancel(reason) }
        }
    }
}
