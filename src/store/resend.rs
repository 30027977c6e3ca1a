//! Owns: sending a message again as a new one: same content, own key. One message is sent again once; the next time it is
//! the new one that is sent again.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;
use uuid::Uuid;

use super::outbox::{hex_list, key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, transaction};
use super::{Store, StoreError};
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::reason::Reason;
use crate::signature::sha256;

/// Candidates that one look counts and one deed sends at most.
pub const RESEND_MAX: usize = 500;

/// Which messages are to be sent again together: those that failed for one reason within a time.
#[derive(Clone, Debug)]
pub struct Batch {
    pub reason: Reason,
    pub hookpoint: Option<String>,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// The key of what sends `id` again.
fn again_key(id: MessageId) -> [u8; 32] {
    sha256(format!("resend\n{id}").as_bytes())
}

/// Ids of messages of `batch` that nobody sent again yet, oldest first, at most [`RESEND_MAX`] and one: the last says that
/// there are more.
///
/// # Errors
/// The database.
pub async fn candidates(store: &Store, batch: &Batch) -> Result<Vec<MessageId>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec(
                format!(
                    "SELECT m.id FROM message m FORCE INDEX (message_ended) WHERE m.ended = 1 AND m.created_at >= ? \
                     AND m.created_at < ? AND m.reason = ? AND (? IS NULL OR m.hookpoint = ?) AND NOT EXISTS (SELECT 1 \
                     FROM message r WHERE r.dedupe_key = UNHEX(SHA2(CONCAT('resend\n', LOWER(HEX(m.id))), 256))) \
                     ORDER BY m.created_at, m.id LIMIT {}",
                    RESEND_MAX + 1
                ),
                (at(batch.since), at(batch.until), batch.reason.code(), &batch.hookpoint, &batch.hookpoint),
            )
            .await?;
        rows.iter().map(|row| message_id(&Reader::new("message", row, ""), "id")).collect()
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
        let row: Option<Row> =
            connection.exec_first("SELECT id FROM message WHERE dedupe_key = ?", (again_key(id).as_slice(),)).await?;
        row.map(|row| message_id(&Reader::new("message", &row, ""), "id")).transpose()
    })
    .await
}

/// Queues `messages` again, on `lane`, as new ones that live as long as the first. Those that are sent again already, or
/// are none that ended badly (any more), are left out. Returns the old and the new ids.
///
/// # Errors
/// The database; then none is queued.
pub async fn resend(
    store: &Store,
    messages: &[Message],
    lane: impl Fn(&Message) -> String,
    now: Timestamp,
) -> Result<Vec<(MessageId, MessageId)>, StoreError> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let planned: Vec<(&Message, MessageId, String)> =
        messages.iter().map(|one| (one, MessageId(Uuid::now_v7()), lane(one))).collect();
    retried(|| once(store, &planned, now)).await
}

async fn once(
    store: &Store,
    planned: &[(&Message, MessageId, String)],
    now: Timestamp,
) -> Result<Vec<(MessageId, MessageId)>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let mut done = Vec::with_capacity(planned.len());
    for (old, id, lane) in planned {
        let expires_at = now + old.expires_at.duration_since(old.queued_at);
        tx.exec_drop(
            "INSERT IGNORE INTO message (id, event_id, hookpoint, subject, client_id, contact_id, recipient, locale, class, \
             lane, template, language, parameters, body, dedupe_key, created_at, expires_at, state_at, resend_of) \
             SELECT ?, event_id, hookpoint, subject, client_id, contact_id, recipient, locale, class, ?, template, \
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
             event_at) SELECT id, lane, class + 0 - 1, created_at, recipient, template, expires_at, hookpoint, client_id, \
             created_at FROM message WHERE id IN ({})",
            hex_list(&new)
        );
        tx.query_drop(sql).await?;
    }
    tx.commit().await?;
    Ok(done)
}
