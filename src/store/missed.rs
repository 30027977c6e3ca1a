//! Owns: reading back which decisions the platform went on without, as the stub reported them afterwards.

use jiff::Timestamp;
use mysql_async::{Row, Value};

use super::row::Reader;
use super::walk::{Found, Place, TIME_MAX, Walk, Where, moment};
use super::{Store, StoreError};
use crate::domain::decision::Rule;
use crate::domain::ids::EventId;
use crate::domain::missed::{HOOK, Missed};
use crate::envelope;

/// A missed decision and the event that tells of it.
#[derive(Clone, Debug)]
pub struct MissedDecision {
    pub event: EventId,
    pub source: String,
    pub received_at: Timestamp,
    /// When the platform went on.
    pub at: Timestamp,
    pub missed: Missed,
}

/// Which of them to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub rule: Option<Rule>,
    pub service: Option<u64>,
    pub client: Option<u64>,
    /// Reported at this time or later.
    pub since: Option<Timestamp>,
    /// Behind this place.
    pub before: Option<Place>,
    pub limit: usize,
}

/// Missed decisions, those that were reported last first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<MissedDecision>, StoreError> {
    walk(filter).newest(store, filter.before.as_ref(), filter.limit).await
}

/// A page of them, for somebody who waits for it.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn page(store: &Store, filter: &Filter) -> Result<Found<MissedDecision>, StoreError> {
    walk(filter).found(store, filter.before.as_ref(), filter.limit, TIME_MAX).await
}

fn walk(filter: &Filter) -> Walk<MissedDecision> {
    let (mut walked, mut looked) = (Where::default(), Where::default());
    walked.add("hook = ?", [HOOK.into()]);
    walked.span("received_at", filter.since, None);
    let rule = filter.rule.map(|rule| rule.code().into());
    for (part, value) in [
        ("JSON_UNQUOTE(JSON_EXTRACT(body, '$.fields.rule')) = ?", rule),
        ("JSON_EXTRACT(body, '$.fields.service_id') = ?", filter.service.map(Value::from)),
        ("JSON_EXTRACT(body, '$.fields.client_id') = ?", filter.client.map(Value::from)),
    ] {
        if let Some(value) = value {
            looked.add(part, [value]);
        }
    }
    Walk {
        columns: "id, source, received_at, body",
        table: "event",
        index: "event_hook",
        join: "",
        order: (Some("received_at"), "id"),
        walked,
        looked,
        key: |id| id.into(),
        stop: moment,
        item: reported,
        place: |item: &MissedDecision| Place { at: item.received_at, id: item.event.to_string() },
    }
}

fn reported(row: &Row) -> Result<MissedDecision, StoreError> {
    let reader = Reader::new("event", row, "");
    let id = reader.parse("id", EventId::parse)?;
    let reader = Reader::new("event", row, id.as_str());
    let source: String = reader.get("source")?;
    // It was readable when it was stored.
    let event =
        envelope::parse(&id, &source, reader.get::<String>("body")?.as_bytes()).map_err(|_| reader.bad("body"))?;
    let received_at = reader.time("received_at")?;
    Ok(MissedDecision {
        event: id,
        source,
        received_at,
        at: event.occurred_at.min(received_at),
        missed: Missed::read(&event),
    })
}
