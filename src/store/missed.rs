//! Owns: reading back which decisions the platform went on without, as the stub told of them afterwards.

use jiff::Timestamp;
use mysql_async::{Row, Value};

use super::row::{Reader, at};
use super::search::{Place, Where};
use super::{Store, StoreError};
use crate::domain::decision::Rule;
use crate::domain::ids::EventId;
use crate::domain::missed::{HOOK, Missed};
use crate::envelope;

/// A missed decision and the event that tells of it.
#[derive(Clone, Debug)]
pub struct Told {
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
    /// Told at this time or later.
    pub since: Option<Timestamp>,
    /// Behind this place.
    pub before: Option<Place>,
    pub limit: usize,
}

/// Missed decisions, those that were told last first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<Told>, StoreError> {
    let mut all = Where::default();
    all.add("hook = ?", [HOOK.into()]);
    if let Some(since) = filter.since {
        all.add("received_at >= ?", [at(since)]);
    }
    if let Some(place) = &filter.before {
        all.add("received_at <= ?", [at(place.at)]);
        all.add("(received_at < ? OR id < ?)", [at(place.at), place.id.as_str().into()]);
    }
    // Only the rows of this hook are looked into: the index finds them.
    let rule = filter.rule.map(|rule| rule.code().into());
    for (part, value) in [
        ("JSON_UNQUOTE(JSON_EXTRACT(body, '$.fields.rule')) = ?", rule),
        ("JSON_EXTRACT(body, '$.fields.service_id') = ?", filter.service.map(Value::from)),
        ("JSON_EXTRACT(body, '$.fields.client_id') = ?", filter.client.map(Value::from)),
    ] {
        if let Some(value) = value {
            all.add(part, [value]);
        }
    }
    let rest = format!("ORDER BY received_at DESC, id DESC LIMIT {}", filter.limit);
    let select = "SELECT id, source, received_at, body FROM event FORCE INDEX (event_hook)";
    all.statement(select, &rest).rows(store).await?.iter().map(told).collect()
}

fn told(row: &Row) -> Result<Told, StoreError> {
    let reader = Reader::new("event", row, "");
    let id = reader.parse("id", EventId::parse)?;
    let reader = Reader::new("event", row, id.as_str());
    let source: String = reader.get("source")?;
    // It was readable when it was stored.
    let event =
        envelope::parse(&id, &source, reader.get::<String>("body")?.as_bytes()).map_err(|_| reader.bad("body"))?;
    let received_at = reader.time("received_at")?;
    Ok(Told { event: id, source, received_at, at: event.occurred_at, missed: Missed::read(&event) })
}
