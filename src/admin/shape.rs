//! Owns: messages, events and answers as programs get them, from the API and from the command line. Numbers are masked: a
//! pipe is soon a log.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ahead::{Ahead, RowAhead};
use super::events::Whole;
use super::messages::retry::{LeftOut, Plan, Report};
use super::why::{Answer, Line, Person, Untold};
use crate::billing::find::Candidate;
use crate::domain::event::FieldValue;
use crate::store::search_events::EventRow;
use crate::store::trail::{MessageTrail, SkipLine};

/// A message of a list.
#[must_use]
pub fn message(m: &MessageTrail) -> Value {
    json!({
        "id": m.id.to_string(), "event_id": m.event_id, "hookpoint": m.hookpoint, "subject": m.subject,
        "client_id": m.client_id, "contact_id": m.contact_id, "user_id": m.user_id, "to_masked": m.to.masked(),
        "language": m.language,
        "class": m.class, "lane": m.lane, "template": m.template, "text": m.text, "state": m.standing(),
        "reason": m.reason, "detail": m.detail, "created_at": m.created_at.to_string(),
        "expires_at": m.expires_at.to_string(), "resend_of": m.resend_of.map(|id| id.to_string()),
        "rewritten_at": m.rewritten_at.map(|at| at.to_string()),
    })
}

/// A message with its attempts and receipts.
#[must_use]
pub fn whole_message(m: &MessageTrail) -> Value {
    let mut all = message(m);
    all["snoozes"] = json!(m.snoozes);
    all["attempts"] = m
        .attempts
        .iter()
        .map(|a| {
            json!({
                "started_at": a.started_at.to_string(), "ended_at": a.ended_at.to_string(), "outcome": a.outcome,
                "code": a.code, "detail": a.detail, "cause": a.cause,
            })
        })
        .collect();
    all["receipts"] = m
        .receipts
        .iter()
        .map(|r| {
            json!({
                "status": r.status, "at": r.at.to_string(), "received_at": r.received_at.to_string(), "code": r.code,
                "category": r.category,
            })
        })
        .collect();
    all
}

/// The same, and what sent it again.
#[must_use]
pub fn message_and_heirs(whole: &super::messages::Whole) -> Value {
    let mut all = whole_message(&whole.message);
    all["resent_as"] = json!(whole.resent_as.map(|id| id.to_string()));
    all
}

/// An event of a list.
#[must_use]
pub fn event(e: &EventRow) -> Value {
    json!({
        "id": e.id, "source": e.source, "hook": e.hook, "state": e.state, "occurred_at": e.occurred_at.to_string(),
        "received_at": e.received_at.to_string(),
    })
}

fn skip(s: &SkipLine) -> Value {
    json!({
        "hookpoint": s.hookpoint, "client_id": s.client_id, "contact_id": s.contact_id, "reason": s.reason,
        "detail": s.detail, "at": s.at.to_string(),
    })
}

/// An event with all that came of it. What the hook said, `fields`, may hold what people wrote: it is for operators.
#[must_use]
pub fn whole_event(whole: &Whole, with_fields: bool) -> Value {
    let e = &whole.trail;
    let steps: Vec<Value> = serde_json::from_str(&e.steps).unwrap_or_default();
    let waiting = e
        .waiting
        .as_ref()
        .map(|(tries, next, error)| json!({ "tries": tries, "next_at": next.to_string(), "error": error }));
    let fields = whole.told.as_ref().filter(|_| with_fields).map(|told| {
        told.event.fields.iter().map(|(name, one)| (name.clone(), field(one))).collect::<serde_json::Map<_, _>>()
    });
    json!({
        "id": e.id, "source": e.source, "hook": e.hook, "state": e.state,
        "occurred_at": e.occurred_at.to_string(), "received_at": e.received_at.to_string(),
        "processed_at": e.processed_at.map(|at| at.to_string()),
        "waiting": waiting, "steps": steps, "fields": fields,
        "skipped": e.skips.iter().map(skip).collect::<Vec<_>>(),
        "messages": e.messages.iter().map(whole_message).collect::<Vec<_>>(),
    })
}

fn field(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::Null,
        FieldValue::Bool(yes) => json!(yes),
        FieldValue::Int(n) => json!(n),
        FieldValue::Decimal(text) | FieldValue::Text(text) => json!(text),
    }
}

/// A client that somebody's words may mean.
#[must_use]
pub fn candidate(one: &Candidate) -> Value {
    json!({ "client_id": one.id.0, "name": one.name, "company": one.company, "email": one.email })
}

fn counts(left_out: &BTreeMap<LeftOut, usize>) -> Value {
    left_out.iter().map(|(why, n)| (why.code().to_owned(), json!(n))).collect::<serde_json::Map<_, _>>().into()
}

/// What would come of sending many again.
#[must_use]
pub fn plan(plan: &Plan) -> Value {
    let refused: Vec<Value> =
        plan.left_out.iter().map(|(id, why)| json!({ "id": id.to_string(), "why": why.code() })).collect();
    json!({
        "resent": 0, "would_go": plan.fit.len(), "may_have_arrived": plan.unsure.len(), "left_out": counts(&plan.reasons()),
        "refused": refused, "more": plan.more, "takes_s": plan.takes.lasts.as_secs(), "stopped": plan.takes.stopped,
        "over_day": plan.takes.over_day,
    })
}

/// What sending many again did.
#[must_use]
pub fn report(report: &Report) -> Value {
    json!({ "resent": report.resent, "left_out": counts(&report.left_out), "more": report.more })
}

/// Why a client got nothing.
#[must_use]
pub fn answer(answer: &Answer) -> Value {
    json!({
        "client": answer.client.as_ref().map(person),
        "contacts": answer.contacts.iter().map(person).collect::<Vec<_>>(),
        "events": answer.lines.iter().map(line).collect::<Vec<_>>(),
        "untold": answer.untold.iter().map(untold).collect::<Vec<_>>(),
        "is_cut": answer.is_cut,
    })
}

fn person(one: &Person) -> Value {
    json!({
        "contact_id": one.contact_id, "name": one.name, "to_masked": one.to_masked,
        "obstacle": one.obstacle.map(crate::domain::reason::Reason::code), "undeliverable": one.undeliverable,
    })
}

fn line(line: &Line) -> Value {
    let outcomes: Vec<Value> = line
        .outcomes
        .iter()
        .map(|one| {
            let (message, skipped) = (one.message.as_ref(), one.skipped.as_ref());
            json!({
                "hookpoint": one.hookpoint, "contact_id": one.contact_id,
                "message_id": message.map(|m| m.id.to_string()), "state": message.map(MessageTrail::standing),
                "reason": skipped.map(|s| s.reason.as_str()).or(message.and_then(|m| m.reason.as_deref())),
                "detail": skipped.and_then(|s| s.detail.as_deref()).or(message.and_then(|m| m.detail.as_deref())),
            })
        })
        .collect();
    json!({
        "event_id": line.event_id, "hook": line.hook, "at": line.at.to_string(), "state": line.state,
        "outcomes": outcomes,
    })
}

fn untold(one: &Untold) -> Value {
    json!({
        "subject": one.subject.to_string(), "payment_id": one.payment, "hookpoint": one.hookpoint.as_str(),
        "at": one.at.to_string(), "because": one.because.code(),
    })
}

/// What would go out by date.
#[must_use]
pub fn ahead(all: &Ahead) -> Value {
    let steps: Vec<Value> = all
        .steps
        .iter()
        .map(|step| {
            json!({
                "day": step.on.to_string(), "hookpoint": step.hookpoint.as_str(), "enabled": step.enabled,
                "of": step.of.code(), "days": step.days, "rows": step.rows,
            })
        })
        .collect();
    json!({ "items": steps, "sweep_runs": all.sweep_runs })
}

/// The rows of one day, with what would become of each.
#[must_use]
pub fn ahead_rows(all: &[RowAhead], more: bool) -> Value {
    let rows: Vec<Value> = all
        .iter()
        .map(|row| {
            json!({
                "at": row.at.to_string(), "subject": row.subject.to_string(), "client_id": row.client,
                "of": row.of.code(), "days": row.days, "people": row.outcome.ok(),
                "reason": row.outcome.err().map(crate::domain::reason::Reason::code),
            })
        })
        .collect();
    json!({ "items": rows, "more": more })
}
