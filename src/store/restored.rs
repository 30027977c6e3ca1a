//! Owns: whether our schema was put back from an older dump, and what waits because of it. What such a dump holds as queued, or as an
//! event that nobody processed, may have been sent since: it is held until an operator looks.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction};

use super::audit::Record;
use super::outbox::{cancel_in, hex_list, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::ids::MessageId;
use crate::domain::reason::Reason;

/// Messages released or ended in one step.
const STEP: usize = 500;

/// What the schema says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Tells this schema from others.
    pub schema_id: String,
    /// Raised while an instance runs.
    pub beat: u64,
    /// Whether the tables were made anew since somebody looked; `None`: nobody looked yet.
    pub made_anew: Option<bool>,
    /// When it was noticed last that it was put back.
    pub restored_at: Option<Timestamp>,
    /// By what.
    pub sign: Option<String>,
}

/// When it was noticed last that the schema was put back. Nobody notices it before the transaction ends: what is written in it is
/// either seen by whoever holds what waits, or knows of it.
pub(super) async fn watched(tx: &mut Transaction<'_>) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT restored_at FROM restore_watch WHERE id = 1 LOCK IN SHARE MODE";
    let row: Option<Row> = tx.query_first(sql).await?;
    row.map_or(Ok(None), |row| Ok(Reader::new("restore_watch", &row, "1").optional_time("restored_at")?))
}

/// In the column's own collation: MariaDB 11.8 compares a cast with no column of another one (1267), 10.11 does.
const MADE: &str = "(SELECT CONVERT(CAST(CREATE_TIME AS CHAR) USING ascii) COLLATE ascii_bin FROM information_schema.TABLES \
                    WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'restore_watch')";

/// What the schema says of itself.
///
/// # Errors
/// The database.
pub async fn look(store: &Store) -> Result<Watch, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT schema_id, beat, created IS NULL AS unseen, COALESCE(created <> {MADE}, 0) AS anew, restored_at, sign \
             FROM restore_watch WHERE id = 1"
        );
        let row: Option<Row> = connection.query_first(sql).await?;
        let row = row.ok_or(StoreError::Guard { what: "read the row of `restore_watch`", expected: 1, changed: 0 })?;
        let reader = Reader::new("restore_watch", &row, "1");
        let unseen = reader.get::<u8>("unseen")? == 1;
        Ok(Watch {
            schema_id: reader.get("schema_id")?,
            beat: reader.get("beat")?,
            made_anew: (!unseen).then_some(reader.get::<u8>("anew")? == 1),
            restored_at: reader.optional_time("restored_at")?,
            sign: reader.get("sign")?,
        })
    })
    .await
}

/// Raises the beat, and notes when the tables were made. Returns the beat.
///
/// # Errors
/// The database.
pub async fn beat(store: &Store) -> Result<u64, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let sql = format!("UPDATE restore_watch SET beat = LAST_INSERT_ID(beat + 1), created = {MADE} WHERE id = 1");
        connection.query_drop(sql).await?;
        Ok(connection.last_insert_id().unwrap_or_default())
    })
    .await
}

/// Holds all that waits to be sent, and what becomes of events that were received until `now`. What is on its way at this very
/// moment goes on: it is no older than the dump's claims may be. Where somebody said so, `record` of how many is written with it.
/// Returns how many messages are held.
///
/// # Errors
/// The database; then nothing is held.
pub async fn hold(
    store: &Store,
    sign: &str,
    record: Option<&Recording<'_>>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let sql = "UPDATE restore_watch SET restored_at = ?, sign = ? WHERE id = 1";
        tx.exec_drop(sql, (at(now), cut(sign, 300))).await?;
        tx.exec_drop(
            "UPDATE outbox SET state = 'held', waiting_for = ?, locked_by = NULL, locked_at = NULL \
             WHERE state IN ('queued', 'unknown', 'held') OR (state = 'sending' AND locked_at < ?)",
            (Reason::Restored.code(), at(now - jiff::SignedDuration::from_mins(2))),
        )
        .await?;
        let held = tx.affected_rows();
        if let Some(record) = record {
            record(held).write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(held)
    })
    .await
}

/// What is on record of a step, by how many messages it was about.
pub type Recording<'a> = dyn Fn(u64) -> Record<'a> + Send + Sync + 'a;

/// How many messages wait because of it.
///
/// # Errors
/// The database.
pub async fn waiting(store: &Store) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT COUNT(*) FROM outbox WHERE waiting_for = ? AND state = 'held'";
        Ok(connection.exec_first::<u64, _, _>(sql, (Reason::Restored.code(),)).await?.unwrap_or_default())
    })
    .await
}

async fn next(store: &Store) -> Result<Vec<MessageId>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT message_id FROM outbox WHERE waiting_for = ? AND state = 'held' ORDER BY message_id LIMIT ?";
        let rows: Vec<Row> = connection.exec(sql, (Reason::Restored.code(), STEP as u64)).await?;
        rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect()
    })
    .await
}

/// Lets go what waits because of it, step by step, each with its record. Returns how many.
///
/// # Errors
/// The database: what is let go by then stays so, and is on record.
pub async fn release(store: &Store, record: &Recording<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let mut count = 0;
    loop {
        let ids = next(store).await?;
        if ids.is_empty() {
            return Ok(count);
        }
        count += retried(|| async {
            let mut connection = store.connection().await?;
            let mut tx = connection.start_transaction(transaction()).await?;
            let sql = format!(
                "UPDATE outbox SET state = 'queued', run_at = ?, waiting_for = NULL WHERE message_id IN ({}) \
                 AND state = 'held' AND waiting_for = ?",
                hex_list(&ids)
            );
            tx.exec_drop(sql, (at(now), Reason::Restored.code())).await?;
            let some = tx.affected_rows();
            record(some).write(&mut tx).await?;
            tx.commit().await?;
            Ok(some)
        })
        .await?;
    }
}

/// Ends what waits because of it, step by step, each with its record. Returns how many.
///
/// # Errors
/// The database: what is ended by then stays so, and is on record.
pub async fn discard(store: &Store, record: &Recording<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let mut count = 0;
    loop {
        let ids = next(store).await?;
        if ids.is_empty() {
            return Ok(count);
        }
        let all: Vec<(MessageId, Reason)> = ids.iter().map(|id| (*id, Reason::DroppedByOperator)).collect();
        let some = all.len() as u64;
        retried(|| async {
            let mut connection = store.connection().await?;
            let mut tx = connection.start_transaction(transaction()).await?;
            cancel_in(&mut tx, &all, now).await?;
            record(some).write(&mut tx).await?;
            tx.commit().await?;
            Ok(())
        })
        .await?;
        count += some;
    }
}
