//! Owns: sending a message again as a new one: same content, own key. One message is sent again once; the next time it is
//! the new one that is sent again.

use std::collections::HashSet;

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;
use uuid::Uuid;

use super::audit::Record;
use super::outbox::{hex_list, key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, transaction};
use super::{Store, StoreError};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::signature::sha256;

/// Messages that one operation resends at most.
pub const RESEND_MAX: usize = 500;

/// The key of what sends `id` again.
fn again_key(id: MessageId) -> [u8; 32] {
    sha256(format!("resend\n{id}").as_bytes())
}

/// Those of `ids` that something sends again already.
///
/// # Errors
/// The database.
pub async fn resent(store: &Store, ids: &[MessageId]) -> Result<HashSet<MessageId>, StoreError> {
    let mut all = HashSet::new();
    // Of more the optimizer (`eq_range_index_dive_limit`) goes by the mean of the key, and nearly all of it is empty: it would
    // read the whole key.
    for some in ids.chunks(100) {
        let rows: Vec<Row> = bounded(async {
            let sql = format!("SELECT resend_of FROM message WHERE resend_of IN ({})", hex_list(some));
            Ok(store.connection().await?.query(sql).await?)
        })
        .await?;
        for row in &rows {
            all.insert(message_id(&Reader::new("message", row, ""), "resend_of")?);
        }
    }
    Ok(all)
}

/// Those of `ids` with an attempt of which nobody knows whether it sent something.
///
/// # Errors
/// The database.
pub async fn unsure(store: &Store, ids: &[MessageId]) -> Result<HashSet<MessageId>, StoreError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    bounded(async {
        let sql = format!(
            "SELECT message_id FROM attempt FORCE INDEX (attempt_message) WHERE message_id IN ({}) AND outcome = 'unknown'",
            hex_list(ids)
        );
        let rows: Vec<Row> = store.connection().await?.query(sql).await?;
        rows.iter().map(|row| message_id(&Reader::new("attempt", row, ""), "message_id")).collect()
    })
    .await
}

/// What sends `id` again, if something does.
///
/// # Errors
/// The database.
pub async fn next(store: &Store, id: MessageId) -> Result<Option<MessageId>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection.exec_first("SELECT id FROM message WHERE resend_of = ?", (key(id),)).await?;
        row.map(|row| message_id(&Reader::new("message", &row, ""), "id")).transpose()
    })
    .await
}

/// Queues `messages` again, on `lane`, as new ones that live as long as the first. Those that are sent again already, or
/// are none that ended badly (any more), are left out. What was queued is on record with it. Returns the old and the new ids.
///
/// # Errors
/// The database; then none is queued.
pub async fn resend<'a>(
    store: &Store,
    messages: &[Message],
    lane: impl Fn(&Message) -> String,
    record: impl Fn(&[(MessageId, MessageId)]) -> Record<'a> + Sync,
    now: Timestamp,
) -> Result<Vec<(MessageId, MessageId)>, StoreError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let planned: Vec<(&Message, MessageId, String)> =
        messages.iter().map(|one| (one, MessageId(Uuid::now_v7()), lane(one))).collect();
    retried(|| once(store, &planned, &record, now)).await
}

async fn once<'a>(
    store: &Store,
    planned: &[(&Message, MessageId, String)],
    record: &(impl Fn(&[(MessageId, MessageId)]) -> Record<'a> + Sync),
    now: Timestamp,
) -> Result<Vec<(MessageId, MessageId)>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let mut done = Vec::with_capacity(planned.len());
    for (old, id, lane) in planned {
        let expires_at = now + old.expires_at.duration_since(old.queued_at);
        tx.exec_drop(
            "INSERT IGNORE INTO message (id, event_id, hookpoint, subject, client_id, contact_id, user_id, recipient, locale, \
             class, lane, template, language, parameters, body, dedupe_key, created_at, expires_at, state_at, resend_of) \
             SELECT ?, event_id, hookpoint, subject, client_id, contact_id, user_id, recipient, locale, class, ?, template, \
             language, parameters, body, ?, ?, ?, ?, id FROM message WHERE id = ? AND ended IS NOT NULL",
            (
                key(*id),
                lane,
                again_key(old.id).as_slice(),
                at(now),
                at(expires_at),
                at(now),
                key(old.id),
            ),
        )
        .await?;
        if tx.affected_rows() == 1 {
            done.push((old.id, *id));
        }
    }
    let new: Vec<MessageId> = done.iter().map(|(_, new)| *new).collect();
    if !new.is_empty() {
        // As the hook that asked for it: an operator, now. So it goes behind what the recipient is waiting for already.
        let sql = format!(
            "INSERT INTO outbox (message_id, lane, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
             event_at, language) SELECT id, lane, class + 0 - 1, created_at, recipient, template, expires_at, hookpoint, client_id, \
             created_at, language FROM message WHERE id IN ({})",
            hex_list(&new)
        );
        tx.query_drop(sql).await?;
        record(&done).write(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(done)
}
