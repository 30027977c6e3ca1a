//! Owns: the instances that run, as each reports itself; and how late the queues are.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::lane::paused;
use super::pool::{bounded, retried};
use super::row::{Reader, at};
use super::{Store, StoreError};

/// Due events that are looked at for the oldest.
const DUE_MAX: usize = 1_000;

/// An instance, as it reported itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub name: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    /// JSON, as `health` writes it.
    pub health: String,
}

/// Notes that `name` runs, and how it is.
///
/// # Errors
/// The database; it takes no writes.
pub async fn report(
    store: &Store,
    name: &str,
    health: &str,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "INSERT INTO instance (name, started_at, seen_at, health) VALUES (?, ?, ?, ?) \
                 ON DUPLICATE KEY UPDATE seen_at = VALUES(seen_at), health = VALUES(health)",
                (name, at(started_at), at(now), health),
            )
            .await?;
        Ok(())
    })
    .await
}

/// Forgets the instance `name`, and those that did not report since `before`.
///
/// # Errors
/// The database.
pub async fn forget(store: &Store, name: Option<&str>, before: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let name = name.unwrap_or_default();
        connection.exec_drop("DELETE FROM instance WHERE name = ? OR seen_at < ?", (name, at(before))).await?;
        Ok(())
    })
    .await
}

/// Those that reported since, by name.
///
/// # Errors
/// The database.
pub async fn since(store: &Store, since: Timestamp) -> Result<Vec<Instance>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec(
                "SELECT name, started_at, seen_at, health FROM instance WHERE seen_at >= ? ORDER BY name",
                (at(since),),
            )
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("instance", row, "");
                Ok(Instance {
                    name: reader.get("name")?,
                    started_at: reader.time("started_at")?,
                    seen_at: reader.time("seen_at")?,
                    health: reader.get("health")?,
                })
            })
            .collect()
    })
    .await
}

/// Since when the oldest due event waits: it came, or its wait was over. None where events were finished since `moving`: the
/// queue is long, and moves.
///
/// # Errors
/// The database.
pub async fn event_due_since(
    store: &Store,
    moving: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        // An urgent event has always been due: it waits since it came.
        let sql = format!(
            "SELECT MIN(since) AS since FROM (SELECT GREATEST(run_at, received_at) AS since FROM inbox \
             WHERE run_at <= ? ORDER BY run_at, seq LIMIT {DUE_MAX}) due"
        );
        let row: Option<Row> = connection.exec_first(sql, (at(now),)).await?;
        let oldest = oldest(row.as_ref(), "inbox")?.filter(|oldest| *oldest < moving);
        if oldest.is_none() {
            return Ok(None);
        }
        // Newest first by an index: of what came lately, something was finished lately.
        let finished: Option<Row> = connection
            .exec_first(
                "SELECT 1 AS one FROM (SELECT processed_at FROM event ORDER BY received_at DESC LIMIT 1000) e \
                 WHERE processed_at >= ? LIMIT 1",
                (at(moving),),
            )
            .await?;
        Ok(oldest.filter(|_| finished.is_none()))
    })
    .await
}

/// The lanes whose oldest due message waits since before `moving`, although nobody stopped the lane and no attempt of it ended
/// since: `(lane, since)`.
///
/// # Errors
/// The database.
pub async fn messages_due_since(
    store: &Store,
    moving: Timestamp,
    now: Timestamp,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut late: Vec<(String, Timestamp)> = bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT lane, MIN(run_at) AS since FROM outbox WHERE state = 'queued' AND run_at < ? GROUP BY lane";
        let rows: Vec<Row> = connection.exec(sql, (at(moving),)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("outbox", row, "");
                Ok((reader.get("lane")?, reader.time("since")?))
            })
            .collect()
    })
    .await?;
    if late.is_empty() {
        return Ok(late);
    }
    let stopped = paused(store, now).await?;
    late.retain(|(lane, _)| stopped.iter().all(|stop| stop.lane != *lane));
    let busy: Vec<String> = bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT DISTINCT m.lane FROM (SELECT message_id, ended_at FROM attempt ORDER BY id DESC LIMIT {DUE_MAX}) a \
             JOIN message m ON m.id = a.message_id WHERE a.ended_at >= ?"
        );
        let rows: Vec<Row> = connection.exec(sql, (at(moving),)).await?;
        rows.iter().map(|row| Ok(Reader::new("message", row, "").get("lane")?)).collect()
    })
    .await?;
    late.retain(|(lane, _)| !busy.contains(lane));
    Ok(late)
}

fn oldest(row: Option<&Row>, table: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.map(|row| Reader::new(table, row, "").optional_time("since")).transpose()?.flatten())
}
