//! Owns: the look at the facts right before sending: an invoice paid meanwhile is not announced as unpaid.

use jiff::{SignedDuration, Timestamp};

use crate::billing::{Billing, BillingError, Missing, Want};
use crate::catalogue::{Catalogue, Verdict};
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

/// Looks again at the facts of `messages`, in one bounded set of reads. Messages whose hookpoint asks for no second look
/// pass.
///
/// # Errors
/// The billing database: nothing is to be sent unchecked.
pub async fn look(
    messages: &[Message],
    billing: &Billing,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Vec<Second>, BillingError> {
    let entries: Vec<_> =
        messages.iter().map(|m| catalogue.entry(&m.hookpoint).filter(|entry| entry.is_rechecked())).collect();
    let wants: Vec<Want> =
        messages.iter().zip(&entries).filter(|(_, entry)| entry.is_some()).map(|(m, _)| Want::of(m.subject)).collect();
    let mut facts = billing.gather(&wants, now).await?.into_iter();
    Ok(messages
        .iter()
        .zip(entries)
        .map(|(message, entry)| match entry {
            None => Second::Send,
            Some(entry) => match facts.next() {
                Some(Ok(found)) => second(message, &found, |f| entry.still_true(f), now),
                Some(Err(Missing::Unreadable(_))) => Second::Cancel(Reason::SubjectUnreadable),
                Some(Err(_)) | None => Second::Cancel(Reason::SubjectMissing),
            },
        })
        .collect())
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
