//! Owns: events from the door to their processing. An event is durable when [`insert`] returned.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::ids::EventId;
use crate::road::{Step, mark};
use crate::sql::list;

/// A verified and parsed event, as it is stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: EventId,
    pub source: String,
    pub hook: String,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    /// Which of the source's keys signed it.
    pub key_index: usize,
    pub body_sha256: [u8; 32],
    pub body: String,
}

/// What became of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The same event again.
    Duplicate,
    /// The id is known with another body: a bug of the source, answered 409.
    Reused,
}

/// An event taken for processing.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub seq: u64,
    pub event: NewEvent,
    /// Tries so far, this one included.
    pub attempts: u32,
    /// Proof of the claim, checked when it is finished.
    pub token: String,
}

/// Stores `events` in one transaction, durable when it returns.
///
/// # Errors
/// The database; then none of them is stored.
pub async fn insert(store: &Store, events: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    loop {
        match retried(|| insert_once(store, events)).await {
            // Another instance stored one of them in the meantime: look again.
            Err(error) if error.is_duplicate() => {}
            other => return other,
        }
    }
}

async fn insert_once(store: &Store, events: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let known = known(&mut tx, events).await?;
    let mut results = Vec::with_capacity(events.len());
    // Ids of this very batch: a source may send the same event twice at once.
    let mut within: HashMap<&str, [u8; 32]> = HashMap::with_capacity(events.len());
    let mut fresh: Vec<&NewEvent> = Vec::with_capacity(events.len());
    for event in events {
        let seen = known
            .iter()
            .find(|(id, _)| id == event.id.as_str())
            .map(|(_, checksum)| checksum.as_slice() == event.body_sha256)
            .or_else(|| within.get(event.id.as_str()).map(|checksum| *checksum == event.body_sha256));
        results.push(match seen {
            None => Inserted::New,
            Some(true) => Inserted::Duplicate,
            Some(false) => Inserted::Reused,
        });
        if seen.is_none() {
            within.insert(event.id.as_str(), event.body_sha256);
            fresh.push(event);
        }
    }
    if !fresh.is_empty() {
        tx.exec_batch(
            "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            fresh.iter().map(|e| {
                (
                    e.id.as_str(),
                    &e.source,
                    &e.hook,
                    at(e.occurred_at),
                    at(e.received_at),
                    u8::try_from(e.key_index).unwrap_or(u8::MAX),
                    e.body_sha256.as_slice(),
                    &e.body,
                )
            }),
        )
        .await?;
        tx.exec_batch(
            "INSERT INTO inbox (event_id, run_at) VALUES (?, ?)",
            fresh.iter().map(|e| (e.id.as_str(), at(e.received_at))),
        )
        .await?;
    }
    mark(Step::Storing);
    tx.commit().await?;
    Ok(results)
}

/// Ids out of `events` that are stored already, with their checksums.
async fn known(
    tx: &mut mysql_async::Transaction<'_>,
    events: &[NewEvent],
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    // Ids hold only [A-Za-z0-9_.-], so they may stand in the text of the statement.
    let ids: Vec<String> = events.iter().map(|e| format!("'{}'", e.id)).collect();
    let rows: Vec<Row> = tx.query(format!("SELECT id, body_sha256 FROM event WHERE id IN ({})", ids.join(","))).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("event", row, "");
            Ok((reader.get("id")?, reader.get("body_sha256")?))
        })
        .collect()
}

/// Takes up to `limit` due events. Until `lease` is over nobody else gets them; a worker that dies loses nothing.
///
/// # Errors
/// The database.
pub async fn claim(
    store: &Store,
    token: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit: usize,
) -> Result<Vec<Claimed>, StoreError> {
    let seqs = retried(|| claim_once(store, token, now, lease, limit)).await?;
    if seqs.is_empty() { Ok(Vec::new()) } else { bounded(load(store, &seqs, token)).await }
}

async fn claim_once(
    store: &Store,
    token: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit: usize,
) -> Result<Vec<u64>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let rows: Vec<Row> = tx
        .exec(
            "SELECT seq FROM inbox WHERE run_at <= ? ORDER BY run_at, seq LIMIT ? FOR UPDATE SKIP LOCKED",
            (at(now), limit as u64),
        )
        .await?;
    let seqs: Vec<u64> = rows.iter().map(|row| Reader::new("inbox", row, "").get("seq")).collect::<Result<_, _>>()?;
    if !seqs.is_empty() {
        let sql = format!(
            "UPDATE inbox SET run_at = ?, locked_by = ?, locked_at = ?, attempts = attempts + 1 WHERE seq IN ({})",
            list(seqs.iter().copied())
        );
        tx.exec_drop(sql, (at(now + lease), token, at(now))).await?;
    }
    tx.commit().await?;
    Ok(seqs)
}

async fn load(store: &Store, seqs: &[u64], token: &str) -> Result<Vec<Claimed>, StoreError> {
    let mut connection = store.connection().await?;
    let sql = format!(
        "SELECT i.seq, i.attempts, e.id, e.source, e.hook, e.occurred_at, e.received_at, e.key_index, e.body_sha256, \
         e.body FROM inbox i JOIN event e ON e.id = i.event_id WHERE i.seq IN ({}) ORDER BY i.seq",
        list(seqs.iter().copied())
    );
    let rows: Vec<Row> = connection.query(sql).await?;
    rows.iter().map(|row| claimed(row, token)).collect()
}

fn claimed(row: &Row, token: &str) -> Result<Claimed, StoreError> {
    let reader = Reader::new("event", row, "");
    let checksum: Vec<u8> = reader.get("body_sha256")?;
    Ok(Claimed {
        seq: reader.get("seq")?,
        attempts: reader.get("attempts")?,
        token: token.to_owned(),
        event: NewEvent {
            id: reader.parse("id", EventId::parse)?,
            source: reader.get("source")?,
            hook: reader.get("hook")?,
            occurred_at: reader.time("occurred_at")?,
            received_at: reader.time("received_at")?,
            key_index: reader.get::<u8>("key_index")?.into(),
            body_sha256: checksum.try_into().map_err(|_| reader.bad("body_sha256"))?,
            body: reader.get("body")?,
        },
    })
}

/// Gives claimed events back, to be taken again at `run_at`.
///
/// # Errors
/// The database; then their lease ends by itself.
pub async fn release(store: &Store, claims: &[&Claimed], run_at: Timestamp, error: &str) -> Result<(), StoreError> {
    let Some(first) = claims.first() else { return Ok(()) };
    let seqs: Vec<u64> = claims.iter().map(|claim| claim.seq).collect();
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "UPDATE inbox SET run_at = ?, locked_by = NULL, locked_at = NULL, last_error = ? \
             WHERE locked_by = ? AND seq IN ({})",
            list(seqs.iter().copied())
        );
        connection.exec_drop(sql, (at(run_at), cut(error, 1000), &first.token)).await?;
        Ok(())
    })
    .await
}

/// Events waiting, and when the oldest of them was received.
///
/// # Errors
/// The database.
pub async fn depth(store: &Store) -> Result<(u64, Option<Timestamp>), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection
            .query_first(
                "SELECT COUNT(*) AS n, MIN(e.received_at) AS oldest FROM inbox i JOIN event e ON e.id = i.event_id",
            )
            .await?;
        let Some(row) = row else { return Ok((0, None)) };
        let reader = Reader::new("inbox", &row, "");
        Ok((reader.get("n")?, reader.optional_time("oldest")?))
    })
    .await
}
