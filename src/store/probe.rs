//! Owns: reading back what the stub's probe of the first day noted.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError};
use crate::domain::ids::EventId;
use crate::domain::probe::{HOOK, Note};
use crate::envelope;

/// Notes that are read at most, the newest.
pub const NOTES_MAX: usize = 20_000;

/// What it noted since `since`, also what is not processed yet; the newest first.
///
/// # Errors
/// The database.
pub async fn notes(store: &Store, since: Timestamp) -> Result<Vec<Note>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT id, source, body FROM event WHERE hook = ? AND received_at >= ? ORDER BY received_at DESC LIMIT {NOTES_MAX}"
        );
        let mut rows: Vec<Row> = connection.exec(sql, (HOOK, at(since))).await?;
        let sql = format!(
            "SELECT event_id AS id, source, body FROM inbox WHERE hook = ? AND received_at >= ? LIMIT {NOTES_MAX}"
        );
        rows.extend(connection.exec::<Row, _, _>(sql, (HOOK, at(since))).await?);
        let mut notes = Vec::new();
        for row in &rows {
            let reader = Reader::new("event", row, "");
            let id = reader.parse("id", EventId::parse)?;
            let (source, body): (String, String) = (reader.get("source")?, reader.get("body")?);
            notes.extend(envelope::parse(&id, &source, body.as_bytes()).ok().and_then(|event| Note::read(&event)));
        }
        Ok(notes)
    })
    .await
}
