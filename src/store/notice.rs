//! Owns: what each channel reported of each need, how the channels stand, and which instance tells.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::notice::Notice;

/// How a channel stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelState {
    pub channel: String,
    /// The notice under way, or that has to be tried again.
    pub sending: Option<String>,
    /// Tries in a row that failed.
    pub failures: u32,
    /// When the first of them was.
    pub failed_at: Option<Timestamp>,
    pub error: Option<String>,
    /// Not tried before.
    pub next_at: Option<Timestamp>,
    /// Notices that went out.
    pub sent: u64,
    pub sent_at: Option<Timestamp>,
    /// Up to when digests are done with.
    pub digest_at: Option<Timestamp>,
}

/// Takes or keeps the turn to tell until `until`. False: another instance has it.
///
/// # Errors
/// The database.
pub async fn take_turn(store: &Store, owner: &str, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE notice_turn SET owner = ?, until_at = ? WHERE id = 1 AND (owner = ? OR until_at <= ?)";
        connection.exec_drop(sql, (owner, at(until), owner, at(now))).await?;
        let holder: Option<String> = connection.query_first("SELECT owner FROM notice_turn WHERE id = 1").await?;
        Ok(holder.as_deref() == Some(owner))
    })
    .await
}

/// Gives the turn back.
///
/// # Errors
/// The database; then it ends by itself.
pub async fn end_turn(store: &Store, owner: &str, now: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE notice_turn SET until_at = ? WHERE id = 1 AND owner = ?";
        Ok(connection.exec_drop(sql, (at(now), owner)).await?)
    })
    .await
}

/// What `channel` knows.
///
/// # Errors
/// The database.
pub async fn of(store: &Store, channel: &str) -> Result<Vec<Notice>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT need, urgent, first_at, notified_at, notified_count, resolved_at, says FROM notice WHERE channel = ? \
                   ORDER BY first_at, need";
        let rows: Vec<Row> = connection.exec(sql, (channel,)).await?;
        rows.iter().map(notice).collect()
    })
    .await
}

fn notice(row: &Row) -> Result<Notice, StoreError> {
    let reader = Reader::new("notice", row, "");
    Ok(Notice {
        need: reader.get("need")?,
        urgent: reader.get("urgent")?,
        first_at: reader.time("first_at")?,
        notified_at: reader.optional_time("notified_at")?,
        notified_count: reader.get("notified_count")?,
        resolved_at: reader.optional_time("resolved_at")?,
        says: reader.get("says")?,
    })
}

/// Writes what changed of what `channel` knows, and forgets `over`.
///
/// # Errors
/// The database.
pub async fn put(store: &Store, channel: &str, changed: &[Notice], over: &[String]) -> Result<(), StoreError> {
    if changed.is_empty() && over.is_empty() {
        return Ok(());
    }
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        write(&mut tx, channel, changed, over).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

async fn write(
    tx: &mut mysql_async::Transaction<'_>,
    channel: &str,
    changed: &[Notice],
    over: &[String],
) -> Result<(), StoreError> {
    for one in changed {
        tx.exec_drop(
            "INSERT INTO notice (channel, need, urgent, first_at, notified_at, notified_count, resolved_at, says) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE urgent = VALUES(urgent), notified_at = VALUES(notified_at), \
             notified_count = VALUES(notified_count), resolved_at = VALUES(resolved_at), says = VALUES(says)",
            (
                channel,
                &one.need,
                one.urgent,
                at(one.first_at),
                one.notified_at.map(at),
                one.notified_count,
                one.resolved_at.map(at),
                cut(&one.says, 600),
            ),
        )
        .await?;
    }
    for need in over {
        tx.exec_drop("DELETE FROM notice WHERE channel = ? AND need = ?", (channel, need)).await?;
    }
    Ok(())
}

/// How every channel stands that ever spoke or tried to.
///
/// # Errors
/// The database.
pub async fn channels(store: &Store) -> Result<Vec<ChannelState>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT channel, sending, failures, failed_at, error, next_at, sent, sent_at, digest_at \
                   FROM notice_channel ORDER BY channel";
        let rows: Vec<Row> = connection.query(sql).await?;
        let read = |row: &Row| {
            let reader = Reader::new("notice_channel", row, "");
            Ok(ChannelState {
                channel: reader.get("channel")?,
                sending: reader.get("sending")?,
                failures: reader.get("failures")?,
                failed_at: reader.optional_time("failed_at")?,
                error: reader.get("error")?,
                next_at: reader.optional_time("next_at")?,
                sent: reader.get("sent")?,
                sent_at: reader.optional_time("sent_at")?,
                digest_at: reader.optional_time("digest_at")?,
            })
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// Notes which notice is about to leave, before it does.
///
/// # Errors
/// The database: then it must not leave.
pub async fn begin(store: &Store, channel: &str, sending: &str) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "INSERT INTO notice_channel (channel, sending) VALUES (?, ?) ON DUPLICATE KEY UPDATE sending = VALUES(sending)";
        Ok(connection.exec_drop(sql, (channel, sending)).await?)
    })
    .await
}

/// A notice went out: what it reported, in the same transaction. `partly` says who did not get it.
///
/// # Errors
/// The database.
pub async fn sent(
    store: &Store,
    channel: &str,
    (reported, over): (&[Notice], &[String]),
    partly: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        write(&mut tx, channel, reported, over).await?;
        let failures = u32::from(partly.is_some());
        tx.exec_drop(
            "UPDATE notice_channel SET sending = NULL, sent = sent + 1, sent_at = ?, next_at = NULL, error = ?, \
             failed_at = IF(? = 0, NULL, COALESCE(failed_at, ?)), failures = IF(? = 0, 0, failures + 1) WHERE channel = ?",
            (at(now), partly.map(|text| cut(text, 300)), failures, at(now), failures, channel),
        )
        .await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// A try failed: not before `next` again.
///
/// # Errors
/// The database.
pub async fn failed(
    store: &Store,
    channel: &str,
    error: &str,
    next: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "INSERT INTO notice_channel (channel, failures, failed_at, error, next_at) VALUES (?, 1, ?, ?, ?) \
                   ON DUPLICATE KEY UPDATE failures = failures + 1, failed_at = COALESCE(failed_at, VALUES(failed_at)), \
                   error = VALUES(error), next_at = VALUES(next_at)";
        Ok(connection.exec_drop(sql, (channel, at(now), cut(error, 300), at(next))).await?)
    })
    .await
}

/// Digests up to `until` are done with, sent or left out.
///
/// # Errors
/// The database.
pub async fn digested(store: &Store, channel: &str, until: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "INSERT INTO notice_channel (channel, digest_at) VALUES (?, ?) \
                   ON DUPLICATE KEY UPDATE digest_at = VALUES(digest_at)";
        Ok(connection.exec_drop(sql, (channel, at(until))).await?)
    })
    .await
}

/// A notice to the staff's phones: how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMessage {
    pub state: String,
    pub reason: Option<String>,
    pub at: Timestamp,
}

/// The newest notice to a phone of the staff that ended, filed under `hookpoint`, since `since`.
///
/// # Errors
/// The database.
pub async fn last_to_staff(
    store: &Store,
    hookpoint: &str,
    since: Timestamp,
) -> Result<Option<StaffMessage>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT state, reason, state_at FROM message WHERE hookpoint = ? AND created_at >= ? \
                   AND state IN ('sent', 'failed', 'cancelled') ORDER BY created_at DESC LIMIT 1";
        let row: Option<Row> = connection.exec_first(sql, (hookpoint, at(since))).await?;
        let Some(row) = row else { return Ok(None) };
        let reader = Reader::new("message", &row, "");
        Ok(Some(StaffMessage {
            state: reader.get("state")?,
            reason: reader.get("reason")?,
            at: reader.time("state_at")?,
        }))
    })
    .await
}
