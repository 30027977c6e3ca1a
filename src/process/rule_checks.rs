//! Owns: what the company's rules say of events that are alerted: a cancellation as it takes effect, a change of owner as it
//! would have been judged. Both are kept with the other decisions.

use jiff::Timestamp;

use super::plan::HookpointMatch;
use super::worker::ProcessError;
use crate::billing::gather::Gathered;
use crate::billing::{BillingError, Missing};
use crate::decide::question::{Cancellation, Ownership};
use crate::decide::{DecideError, Decider, Question};
use crate::domain::decision::{Decision, DecisionId};
use crate::domain::event::HookEvent;
use crate::domain::hookpoint::SubjectKind;
use crate::domain::record::{Facts, SubjectRow};
use crate::signature::sha256;
use crate::store::decision::keep;

/// Asks about each of `asked` that a rule has a say in, and puts the answer into its facts.
///
/// # Errors
/// A database: the events are taken again.
pub async fn ask(
    decider: &Decider,
    asked: &[(usize, HookpointMatch<'_>)],
    events: &[Option<HookEvent>],
    facts: &mut [Gathered],
    now: Timestamp,
) -> Result<(), ProcessError> {
    for ((index, one), found) in asked.iter().zip(facts) {
        let (Some(event), Ok(all)) = (&events[*index], &*found) else { continue };
        let Some((question, what_if)) = question(one, event, all) else { continue };
        match put(decider, question, what_if, event, now).await {
            Ok(decision) => {
                for cancelling in found.iter_mut().flatten().filter_map(cancelling) {
                    cancelling.ruled = Some(decision.cancelled());
                }
            }
            // One row that nobody can read is that event's matter, not the batch's.
            Err(DecideError::Billing(BillingError::Inconsistent(error))) => *found = Err(Missing::Unreadable(error)),
            Err(DecideError::Billing(error)) => return Err(error.into()),
            Err(DecideError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(())
}

fn question(one: &HookpointMatch<'_>, event: &HookEvent, all: &[Facts]) -> Option<(Question, bool)> {
    let facts = all.first()?;
    match (one.want.subject.kind, &facts.subject) {
        (SubjectKind::Cancellation, SubjectRow::Cancellation(cancelling)) => {
            let request = cancelling.request?;
            Some((Cancellation::requested(one.want.subject.id, request.kind, event.occurred_at), false))
        }
        (SubjectKind::Service, SubjectRow::Service(row)) => {
            let before = Some(one.want.former?);
            let (service_id, to_client_id) = (row.id.0, row.client_id.0);
            Some((Question::Ownership(Ownership { service_id, to_client_id, before, ..Ownership::default() }), true))
        }
        _ => None,
    }
}

/// Asks once, and keeps the answer under an id made from the event's: processing it again keeps nothing twice.
async fn put(
    decider: &Decider,
    question: Question,
    what_if: bool,
    event: &HookEvent,
    now: Timestamp,
) -> Result<Decision, DecideError> {
    let asker = crate::decide::Asker {
        source: event.source.clone(),
        hook: event.hook.clone(),
        by: if what_if { "observed" } else { event.actor.kind.code() }.to_owned(),
        request: event.request.clone(),
        what_if,
    };
    let (mut answer, mut kept) = decider.ask(&question, asker, now).await?;
    let digest = sha256(event.id.as_str().as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    answer.id = DecisionId(uuid::Builder::from_custom_bytes(bytes).into_uuid());
    (kept.id, kept.answer) = (answer.id, answer.json().to_string());
    keep(&decider.store, &[kept]).await?;
    Ok(answer.decision)
}

fn cancelling(facts: &mut Facts) -> Option<&mut crate::domain::record::Cancelling> {
    match &mut facts.subject {
        SubjectRow::Cancellation(cancelling) => Some(cancelling),
        _ => None,
    }
}
