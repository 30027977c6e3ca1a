//! Owns: what administrators ask of the last days: alerts per hookpoint, and the events of some hooks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};

use super::pool::bounded;
use super::row::{Reader, at, marks};
use super::{Store, StoreError};
use crate::domain::ids::EventId;

/// Alerts queued for each of `hookpoints`: since `day`, and since `week`.
///
/// # Errors
/// The database.
pub async fn volumes(
    store: &Store,
    hookpoints: &[&str],
    day: Timestamp,
    week: Timestamp,
) -> Result<BTreeMap<String, (u64, u64)>, StoreError> {
    if hookpoints.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT hookpoint, CAST(SUM(IF(slot >= ?, alerts, 0)) AS UNSIGNED) AS day, CAST(SUM(alerts) AS UNSIGNED) AS week \
         FROM volume WHERE hookpoint IN ({}) AND slot >= ? GROUP BY hookpoint",
        marks(hookpoints.len())
    );
    let mut values = vec![at(day)];
    values.extend(hookpoints.iter().map(|name| Value::from(*name)));
    values.push(at(week));
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, Params::Positional(values)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("volume", row, "");
                Ok((reader.get("hookpoint")?, (reader.get("day")?, reader.get("week")?)))
            })
            .collect()
    })
    .await
}

/// An event that was processed.
#[derive(Clone, Debug)]
pub struct Recent {
    pub id: EventId,
    pub source: String,
    pub received_at: Timestamp,
    pub body: String,
}

/// The newest processed events of `hooks` since `since`, at most `limit`, newest first.
///
/// # Errors
/// The database.
pub async fn of_hooks(
    store: &Store,
    hooks: &[&str],
    since: Timestamp,
    limit: usize,
) -> Result<Vec<Recent>, StoreError> {
    let sql = "SELECT id, source, received_at, body FROM event WHERE hook = ? AND received_at >= ? \
               ORDER BY received_at DESC LIMIT ?";
    let mut all = bounded(async {
        let mut connection = store.connection().await?;
        let mut all = Vec::new();
        for hook in hooks {
            let rows: Vec<Row> = connection.exec(sql, (*hook, at(since), limit as u64)).await?;
            for row in &rows {
                let reader = Reader::new("event", row, "");
                all.push(Recent {
                    id: reader.parse("id", EventId::parse)?,
                    source: reader.get("source")?,
                    received_at: reader.time("received_at")?,
                    body: reader.get("body")?,
                });
            }
        }
        Ok::<_, StoreError>(all)
    })
    .await?;
    all.sort_by_key(|event: &Recent| std::cmp::Reverse(event.received_at));
    all.truncate(limit);
    Ok(all)
}
