//! Owns: processing an event again that was set aside as failed.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::row::at;
use super::{StoreError, Tx};
use crate::domain::hookpoint::Subject;
use crate::domain::ids::EventId;

/// Puts a failed event back into the inbox, and takes back what its first run wrote: its reasons, and the steps of the
/// states in `entered` that this event moved last. So the second run counts the same transitions, and whoever got the
/// message the first time gets no other. Returns whether it was there and had failed.
///
/// # Errors
/// The database.
pub async fn again(
    tx: &mut Tx,
    id: &EventId,
    entered: &[(String, Subject)],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let tx = &mut tx.0;
    let failed = "SELECT 1 FROM event WHERE id = ? AND state = 'failed' FOR UPDATE";
    let row: Option<Row> = tx.exec_first(failed, (id.as_str(),)).await?;
    if row.is_none() {
        return Ok(false);
    }
    for (machine, subject) in entered {
        tx.exec_drop(
            "UPDATE transition t JOIN event e ON e.id = ? SET t.state = '', t.epoch = t.epoch - 1 \
             WHERE t.machine = ? AND t.subject = ? AND t.at = LEAST(e.occurred_at, e.received_at) AND t.epoch > 0",
            (id.as_str(), machine, subject.to_string()),
        )
        .await?;
    }
    tx.exec_drop(
        "INSERT INTO inbox (event_id, source, hook, occurred_at, received_at, key_index, body_sha256, body, run_at) \
         SELECT id, source, hook, occurred_at, received_at, key_index, body_sha256, body, ? FROM event WHERE id = ?",
        (at(now), id.as_str()),
    )
    .await?;
    tx.exec_drop("DELETE FROM skip WHERE event_id = ?", (id.as_str(),)).await?;
    tx.exec_drop("DELETE FROM event WHERE id = ?", (id.as_str(),)).await?;
    Ok(true)
}
