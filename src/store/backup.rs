//! Owns: what a copy of our schema holds, so that somebody knows before it is needed whether it can be lived with.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::Reader;
use super::{Store, StoreError};

/// The tables that are there.
///
/// # Errors
/// The database.
pub async fn tables(store: &Store) -> Result<BTreeSet<String>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.query("SHOW TABLES").await?;
        Ok(rows.iter().filter_map(|row| row.get_opt::<String, _>(0)?.ok()).collect())
    })
    .await
}

/// What a bridge that starts on this schema goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Alerts that were not sent when the copy was made.
    pub messages: u64,
    /// Events that nobody had processed.
    pub events: u64,
    /// When the newest of all events came. What came after it is not in the copy.
    pub newest: Option<Timestamp>,
}

/// What is queued in this schema, and how new it is.
///
/// # Errors
/// The database; a table that is not there.
pub async fn held(store: &Store) -> Result<Held, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        // Each along an index.
        let sql = "SELECT (SELECT COUNT(*) FROM outbox) AS messages, (SELECT COUNT(*) FROM inbox) AS events, \
                   GREATEST(COALESCE((SELECT MAX(received_at) FROM event), (SELECT MAX(received_at) FROM inbox)), \
                   COALESCE((SELECT MAX(received_at) FROM inbox), (SELECT MAX(received_at) FROM event))) AS newest";
        let row: Option<Row> = connection.query_first(sql).await?;
        let row = row.ok_or(StoreError::Guard { what: "count what is queued", expected: 1, changed: 0 })?;
        let reader = Reader::new("outbox", &row, "");
        Ok(Held {
            messages: reader.get("messages")?,
            events: reader.get("events")?,
            newest: reader.optional_time("newest")?,
        })
    })
    .await
}
