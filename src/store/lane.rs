//! Owns: whether a sending number may send. A stopped number keeps its queue.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::{Reader, at, cut};
use super::{Store, StoreError};

/// Who stopped a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PausedBy {
    Provider,
    Operator,
}

/// A lane that must not send.
#[derive(Clone, Debug)]
pub struct Pause {
    pub lane: String,
    pub until: Timestamp,
    pub by: PausedBy,
    pub detail: String,
}

/// Stops a lane until `until`. An operator's pause is not shortened by the provider's.
///
/// # Errors
/// The database.
pub async fn pause(store: &Store, pause: &Pause, now: Timestamp) -> Result<(), StoreError> {
    let by = match pause.by {
        PausedBy::Provider => "provider",
        PausedBy::Operator => "operator",
    };
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                // Assignments run from left to right: what the others look at is assigned last.
                "INSERT INTO lane (name, paused_until, paused_by, detail, changed_at) VALUES (?, ?, ?, ?, ?) \
                 ON DUPLICATE KEY UPDATE \
                 detail = IF(@keep := (paused_by = 'operator' AND paused_until > VALUES(changed_at) \
                 AND VALUES(paused_by) = 'provider'), detail, VALUES(detail)), \
                 changed_at = IF(@keep, changed_at, VALUES(changed_at)), \
                 paused_by = IF(@keep, paused_by, VALUES(paused_by)), \
                 paused_until = IF(@keep, paused_until, VALUES(paused_until))",
                (&pause.lane, at(pause.until), by, cut(&pause.detail, 500), at(now)),
            )
            .await?;
        Ok(())
    })
    .await
}

/// Lets a lane send again.
///
/// # Errors
/// The database.
pub async fn resume(store: &Store, lane: &str, now: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE lane SET paused_until = NULL, paused_by = NULL, detail = NULL, changed_at = ? WHERE name = ?",
                (at(now), lane),
            )
            .await?;
        Ok(())
    })
    .await
}

/// Lanes that are stopped at `now`.
///
/// # Errors
/// The database.
pub async fn paused(store: &Store, now: Timestamp) -> Result<Vec<Pause>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec("SELECT name, paused_until, paused_by, detail FROM lane WHERE paused_until > ?", (at(now),))
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("lane", row, "");
                let operator = reader.get::<Option<String>>("paused_by")?.as_deref() == Some("operator");
                Ok(Pause {
                    lane: reader.get("name")?,
                    until: reader.time("paused_until")?,
                    by: if operator { PausedBy::Operator } else { PausedBy::Provider },
                    detail: reader.get::<Option<String>>("detail")?.unwrap_or_default(),
                })
            })
            .collect()
    })
    .await
}

/// Attempts looked at for the pace: the newest. More than all numbers together make within a half minute.
const ATTEMPTS_MAX: u32 = 10_000;

/// Attempts of each lane since `since`.
///
/// # Errors
/// The database.
pub async fn attempts(store: &Store, since: Timestamp) -> Result<Vec<(String, u64)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT m.lane, COUNT(*) AS n FROM (SELECT message_id, started_at FROM attempt ORDER BY id DESC \
             LIMIT {ATTEMPTS_MAX}) AS newest JOIN message m ON m.id = newest.message_id \
             WHERE newest.started_at >= ? GROUP BY m.lane"
        );
        let rows: Vec<Row> = connection.exec(sql, (at(since),)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("attempt", row, "");
                Ok((reader.get("lane")?, reader.get("n")?))
            })
            .collect()
    })
    .await
}
