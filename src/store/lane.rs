//! Owns: whether a sending number may send. A stopped number keeps its queue.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::pool::bounded;
use super::row::{Reader, at, cut};
use super::{Store, StoreError, Tx};

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

/// Stops a lane until `until`. The provider shortens no pause: neither an operator's nor one of its own.
///
/// # Errors
/// The database.
pub async fn pause(store: &Store, pause: &Pause, now: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        Ok(connection.exec_drop(PAUSE, of_pause(pause, now)).await?)
    })
    .await
}

/// The same in a transaction.
///
/// # Errors
/// The database.
pub async fn pause_in(tx: &mut Tx, pause: &Pause, now: Timestamp) -> Result<(), StoreError> {
    Ok(tx.0.exec_drop(PAUSE, of_pause(pause, now)).await?)
}

fn of_pause(pause: &Pause, now: Timestamp) -> Vec<Value> {
    let by = match pause.by {
        PausedBy::Provider => "provider",
        PausedBy::Operator => "operator",
    };
    vec![pause.lane.as_str().into(), at(pause.until), by.into(), cut(&pause.detail, 500).into(), at(now)]
}

// Assignments run from left to right: what the others look at is assigned last.
const PAUSE: &str = "INSERT INTO lane (name, paused_until, paused_by, detail, changed_at) VALUES (?, ?, ?, ?, ?) \
                 ON DUPLICATE KEY UPDATE \
                 detail = IF(@keep := (VALUES(paused_by) = 'provider' AND paused_until > VALUES(changed_at) \
                 AND (paused_by = 'operator' OR paused_until >= VALUES(paused_until))), detail, VALUES(detail)), \
                 changed_at = IF(@keep, changed_at, VALUES(changed_at)), \
                 paused_by = IF(@keep, paused_by, VALUES(paused_by)), \
                 paused_until = IF(@keep, paused_until, VALUES(paused_until))";

/// Lets a lane send again.
///
/// # Errors
/// The database.
pub async fn resume(tx: &mut Tx, lane: &str, now: Timestamp) -> Result<(), StoreError> {
    Ok(tx.0.exec_drop(RESUME, (at(now), lane)).await?)
}

const RESUME: &str =
    "UPDATE lane SET paused_until = NULL, paused_by = NULL, detail = NULL, changed_at = ? WHERE name = ?";

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
