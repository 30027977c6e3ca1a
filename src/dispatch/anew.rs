//! Owns: writing a waiting message anew, from the event that it came from and the platform's rows as they are now: same alert,
//! same recipient, same key, other words.

use super::lane::DispatchError;
use super::recheck::{Ask, Second, Sight, circle, closed, still, who};
use crate::billing::{BillingError, Missing, Want};
use crate::catalogue::{Entry, Verdict};
use crate::decide::question::Cancellation;
use crate::decide::{Asker, DecideError};
use crate::domain::event::HookEvent;
use crate::domain::hookpoint::SubjectKind;
use crate::domain::message::Message;
use crate::domain::reason::Reason;
use crate::domain::record::{Facts, Platform, SubjectRow};
use crate::render::context::{About, build};
use crate::render::{RenderError, digest};
use crate::rules::recipients::{Policy, addressed};
use crate::store::client_history;

/// Looks closely at `message`, whose text or facts changed. `known`: the facts as they are without what the event adds.
///
/// # Errors
/// A database.
pub(super) async fn write(
    sight: &Sight<'_>,
    message: &Message,
    ask: &Ask<'_>,
    known: Option<Box<Facts>>,
    (people, platform): (&Policy, &Platform),
) -> Result<Second, DispatchError> {
    let Some(entry) = ask.entry else { return Ok(Second::Cancel(Reason::SubjectMissing)) };
    let event = client_history::events(sight.store, &[message.event_id.to_string()]).await?.pop();
    // No later than it came, as when its message was made.
    let event = event.map(|stored| {
        let occurred_at = stored.event.occurred_at.min(stored.received_at);
        let day = Some(occurred_at.to_zoned(sight.words.zone.clone()).date());
        HookEvent { occurred_at, day, ..stored.event }
    });
    let found = event.as_ref().and_then(|event| Some((event, want(entry, event)?)));
    let Some((event, want)) = found else {
        return Ok(without_event(sight, message, ask, entry, known));
    };
    // One message of several moves: only the batch that made it knew them all.
    if message.subject.kind == SubjectKind::Client && want.former.is_some() && want.subject != message.subject {
        return Ok(Second::Send);
    }
    let must_go = ask.must_go(message);
    let mut facts = match sight.billing.gather(&[want], sight.now).await?.pop() {
        Some(Ok(all)) => match all.into_iter().find(|facts| facts.client.id == message.client_id) {
            Some(facts) => facts,
            None if must_go => return Ok(Second::Send),
            None => return Ok(Second::Cancel(Reason::OwnerMismatch)),
        },
        _ if must_go => return Ok(Second::Send),
        Some(Err(missing)) => return Ok(Second::Cancel(reason_of(&missing))),
        None => return Ok(Second::Cancel(Reason::SubjectMissing)),
    };
    let overtaken = || overtaken(entry, event, &facts);
    if let Some(second) = closed(&facts).or_else(|| still(entry, message, &facts, sight.now)).or_else(overtaken) {
        return Ok(second);
    }
    let Some(name) = addressed(&facts, circle(entry), people, who(message)) else {
        return Ok(if must_go { Second::Send } else { Second::Cancel(Reason::RecipientGone) });
    };
    let name = (name.0.to_owned(), name.1.to_owned());
    if let Some(refused) = rule(sight, event, &mut facts).await? {
        return Ok(Second::Cancel(refused));
    }
    let about = About {
        facts: &facts,
        platform,
        zone: &sight.words.zone,
        occurred_at: event.occurred_at,
        hook: &event.hook,
        changed: &event.changed,
        first_name: &name.0,
        company: &name.1,
    };
    let values = build(&about, message.locale);
    let rendered = match sight.templates.render(&message.hookpoint, message.locale, &values, &platform.system_url) {
        Ok(rendered) => rendered,
        Err(_) if must_go => return Ok(Second::Send),
        Err(RenderError::Missing { .. }) => return Ok(Second::Cancel(Reason::TemplateMissing)),
        Err(RenderError::Value { .. }) => return Ok(Second::Cancel(Reason::RenderFailed)),
    };
    let mut print = rendered.print;
    print.facts = digest::facts(&facts, platform, (&name.0, &name.1));
    if rendered.call == message.call && print == message.print {
        return Ok(Second::Send);
    }
    let changed = rendered.call != message.call || rendered.text != message.text;
    let anew = Message { call: rendered.call, text: rendered.text, print, ..message.clone() };
    Ok(Second::Anew(Box::new(anew), changed))
}

/// The event is pruned, or its hookpoint has changed its hooks. What was sent again by an operator goes as it was, if it is
/// still allowed; what would say something else by now does not go.
fn without_event(
    sight: &Sight<'_>,
    message: &Message,
    ask: &Ask<'_>,
    entry: &Entry,
    known: Option<Box<Facts>>,
) -> Second {
    if ask.must_go(message) {
        return Second::Send;
    }
    match known {
        None => Second::Cancel(Reason::SubjectMissing),
        Some(_) if message.print.facts > 0 => Second::Cancel(Reason::TextOutdated),
        Some(facts) => still(entry, message, &facts, sight.now).unwrap_or(Second::Send),
    }
}

/// What comes by date says something of that day: paid, renewed or put off meanwhile, it does not go.
fn overtaken(entry: &Entry, event: &HookEvent, facts: &Facts) -> Option<Second> {
    if !entry.hookpoint.is_by_date() {
        return None;
    }
    match entry.applies(event, facts) {
        Verdict::Holds => None,
        Verdict::No { reason, .. } | Verdict::NotYet { reason, .. } => Some(Second::Cancel(reason)),
    }
}

fn want(entry: &Entry, event: &HookEvent) -> Option<Want> {
    let mut all = entry.hookpoint.triggers.iter().filter(|one| one.hook == event.hook && one.takes(event));
    all.find_map(|trigger| Some(Want::of_event(event, trigger, event.id_at(&trigger.subject_at)?)))
}

fn reason_of(missing: &Missing) -> Reason {
    match missing {
        Missing::Unreadable(_) | Missing::Refused(_) => Reason::SubjectUnreadable,
        Missing::OwnerMismatch { .. } => Reason::OwnerMismatch,
        Missing::Row(_) | Missing::Prospect | Missing::Guest | Missing::UserWithoutClient => Reason::SubjectMissing,
    }
}

/// What the company's rule says of a cancellation, put into its facts; a reason if it refuses by now.
async fn rule(sight: &Sight<'_>, event: &HookEvent, facts: &mut Facts) -> Result<Option<Reason>, DispatchError> {
    let SubjectRow::Cancellation(cancelling) = &mut facts.subject else { return Ok(None) };
    let Some(request) = cancelling.request else { return Ok(None) };
    let question = Cancellation::requested(cancelling.service.id.0, request.kind, event.occurred_at);
    let asker = Asker { source: event.source.clone(), hook: event.hook.clone(), what_if: true, ..Asker::default() };
    let decision = match sight.words.decider.ask(&question, asker, sight.now).await {
        Ok((answer, _)) => answer.decision,
        Err(DecideError::Billing(BillingError::Inconsistent(_))) => return Ok(Some(Reason::SubjectUnreadable)),
        Err(DecideError::Billing(error)) => return Err(error.into()),
        Err(DecideError::Store(error)) => return Err(error.into()),
    };
    let ruled = decision.cancelled();
    let refused = (!ruled.allowed).then_some(Reason::CancellationRefused);
    cancelling.ruled = Some(ruled);
    Ok(refused)
}
