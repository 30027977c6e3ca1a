//! Owns: reading back which decisions the platform went on without, as the stub told of them afterwards.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};

use super::pool::bounded;
use super::row::Reader;
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
    /// When the platform went on.
    pub at: Timestamp,
    pub missed: Missed,
}

/// Which of them to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub rule: Option<Rule>,
    pub service: Option<u64>,
    pub client: Option<u64>,
    pub limit: usize,
}

/// Missed decisions, those that were told last first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<Told>, StoreError> {
    bounded(async {
        let mut parts = vec!["hook = ?"];
        let mut values: Vec<Value> = vec![HOOK.into()];
        let mut add = |part: &'static str, value: Option<Value>| {
            if let Some(value) = value {
                parts.push(part);
                values.push(value);
            }
        };
        // Only the rows of this hook are looked into: the index finds them.
        add("JSON_UNQUOTE(JSON_EXTRACT(body, '$.fields.rule')) = ?", filter.rule.map(|rule| rule.code().into()));
        add("JSON_EXTRACT(body, '$.fields.service_id') = ?", filter.service.map(Value::from));
        add("JSON_EXTRACT(body, '$.fields.client_id') = ?", filter.client.map(Value::from));
        let sql = format!(
            "SELECT id, source, body FROM event WHERE {} ORDER BY received_at DESC, id DESC LIMIT {}",
            parts.join(" AND "),
            filter.limit
        );
        let rows: Vec<Row> = store.connection().await?.exec(sql, Params::Positional(values)).await?;
        rows.iter().map(told).collect()
    })
    .await
}

fn told(row: &Row) -> Result<Told, StoreError> {
    let reader = Reader::new("event", row, "");
    let id = reader.parse("id", EventId::parse)?;
    let reader = Reader::new("event", row, id.as_str());
    let source: String = reader.get("source")?;
    // It was readable when it was stored.
    let event =
        envelope::parse(&id, &source, reader.get::<String>("body")?.as_bytes()).map_err(|_| reader.bad("body"))?;
    Ok(Told { event: id, source, at: event.occurred_at, missed: Missed::read(&event) })
}
