//! Owns: queueing one message that no event of the platform asked for: a test to a number that somebody typed.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;

use super::audit::Record;
use super::finish::parameters_text;
use super::pool::retried;
use super::row::{at, transaction};
use super::{Store, StoreError};
use crate::domain::message::Message;
use crate::signature::sha256;

/// Queues `message` like any other, with the record of who asked for it: the lane paces it, sends it, and its receipts are kept. Each
/// call is a message of its own.
///
/// # Errors
/// The database; then nothing is queued.
pub async fn queue(store: &Store, message: &Message, priority: u8, record: &Record<'_>) -> Result<(), StoreError> {
    put(store, message, priority, (record.now, Some(record))).await
}

/// The same for what nobody asked for: a notice to the staff.
///
/// # Errors
/// The database; a message with that id is there already.
pub async fn queue_notice(store: &Store, message: &Message, priority: u8, now: Timestamp) -> Result<(), StoreError> {
    put(store, message, priority, (now, None)).await
}

async fn put(
    store: &Store,
    message: &Message,
    priority: u8,
    (now, record): (Timestamp, Option<&Record<'_>>),
) -> Result<(), StoreError> {
    let key = sha256(format!("single\n{}", message.id).as_bytes());
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let id = message.id.0.as_bytes().as_slice();
        tx.exec_drop(
            "INSERT INTO message (id, event_id, hookpoint, subject, client_id, contact_id, recipient, locale, class, lane, \
             template, language, parameters, body, dedupe_key, created_at, expires_at, state_at) \
             VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            mysql_async::Params::Positional(vec![
                id.into(),
                message.event_id.as_str().into(),
                message.hookpoint.as_str().into(),
                message.subject.to_string().into(),
                message.client_id.0.into(),
                message.to.as_str().into(),
                message.locale.code().into(),
                message.class.code().into(),
                message.lane.as_str().into(),
                message.call.name.as_str().into(),
                message.call.language.as_str().into(),
                parameters_text(message).into(),
                message.text.as_str().into(),
                key.as_slice().into(),
                at(now),
                at(message.expires_at),
                at(now),
            ]),
        )
        .await?;
        tx.exec_drop(
            "INSERT INTO outbox (message_id, lane, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
             event_at, language, wording) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                message.lane.as_str(),
                priority,
                at(now),
                message.to.as_str(),
                message.call.name.as_str(),
                at(message.expires_at),
                message.hookpoint.as_str(),
                message.client_id.0,
                at(now),
                message.call.language.as_str(),
                message.print.wording,
            ),
        )
        .await?;
        if let Some(record) = record {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}
