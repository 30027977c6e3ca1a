//! Owns: messages that are still to be sent. Peeking takes no lock (a lane has one dispatcher); claiming is a guarded
//! UPDATE that is committed before anything is sent.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};
use uuid::Uuid;

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::hookpoint::{Class, HookpointId, Subject};
use crate::domain::ids::{ClientId, ContactId, EventId, MessageId};
use crate::domain::locale::Locale;
use crate::domain::message::{Message, Parameters, TemplateCall};
use crate::domain::phone::E164;
use crate::domain::reason::Reason;

/// Priorities in the order of sending (see [`super::finish::priority`]).
const PRIORITIES: [u8; 3] = [0, 1, 2];

/// A message that is due.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: MessageId,
    pub to: E164,
    pub template: String,
    pub expires_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
}

/// Up to `limit` due messages of a lane, urgent ones first, then the longest due.
///
/// # Errors
/// The database.
pub async fn peek(store: &Store, lane: &str, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut due = Vec::new();
        // One range of the index per priority: waiting rows of an urgent class are never stepped over one by one.
        for priority in PRIORITIES {
            if due.len() >= limit {
                break;
            }
            let rows: Vec<Row> = connection
                .exec(
                    "SELECT message_id, recipient, template, expires_at, attempts FROM outbox WHERE lane = ? \
                     AND state = 'queued' AND priority = ? AND run_at <= ? ORDER BY run_at, message_id LIMIT ?",
                    (lane, priority, at(now), (limit - due.len()) as u64),
                )
                .await?;
            for row in &rows {
                let reader = Reader::new("outbox", row, "");
                due.push(Due {
                    id: message_id(&reader, "message_id")?,
                    to: reader.parse("recipient", E164::trusted)?,
                    template: reader.get("template")?,
                    expires_at: reader.time("expires_at")?,
                    attempts: reader.get("attempts")?,
                });
            }
        }
        Ok(due)
    })
    .await
}

/// When the next message of a lane is due; `None` when nothing waits.
///
/// # Errors
/// The database.
pub async fn next_due(store: &Store, lane: &str) -> Result<Option<Timestamp>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut next = None;
        for priority in PRIORITIES {
            let row: Option<Row> = connection
                .exec_first(
                    "SELECT MIN(run_at) AS next FROM outbox WHERE lane = ? AND state = 'queued' AND priority = ?",
                    (lane, priority),
                )
                .await?;
            let this = row.map(|row| Reader::new("outbox", &row, "").optional_time("next")).transpose()?.flatten();
            next = match (next, this) {
                (Some(a), Some(b)) => Some(std::cmp::min::<Timestamp>(a, b)),
                (a, b) => a.or(b),
            };
        }
        Ok(next)
    })
    .await
}

/// Takes `ids` for sending and notes the recipients for the 24-hour limit. Returns those taken, committed: rows that
/// somebody else settled or cancelled meanwhile are left out.
///
/// # Errors
/// The database; then none is taken.
pub async fn claim(
    store: &Store,
    lane: &str,
    portfolio: &str,
    ids: &[MessageId],
    token: &str,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    retried(|| claim_once(store, lane, portfolio, ids, token, now)).await
}

async fn claim_once(
    store: &Store,
    lane: &str,
    portfolio: &str,
    ids: &[MessageId],
    token: &str,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let sql = format!(
        "UPDATE outbox SET state = 'sending', locked_by = ?, locked_at = ?, attempts = attempts + 1, waiting_for = NULL \
         WHERE message_id IN ({}) AND lane = ? AND state = 'queued'",
        hex_list(ids)
    );
    tx.exec_drop(sql, (token, at(now), lane)).await?;
    let claimed = if tx.affected_rows() == ids.len() as u64 {
        ids.to_vec()
    } else {
        let sql = format!(
            "SELECT message_id FROM outbox WHERE message_id IN ({}) AND state = 'sending' AND locked_by = ?",
            hex_list(ids)
        );
        let rows: Vec<Row> = tx.exec(sql, (token,)).await?;
        rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect::<Result<_, _>>()?
    };
    if !claimed.is_empty() {
        let sql = format!(
            "INSERT INTO contacted (portfolio, recipient, at) SELECT ?, recipient, ? FROM outbox WHERE message_id IN ({}) \
             ON DUPLICATE KEY UPDATE at = VALUES(at)",
            hex_list(&claimed)
        );
        tx.exec_drop(sql, (portfolio, at(now))).await?;
    }
    tx.commit().await?;
    Ok(claimed)
}

/// The messages `ids`, in the order asked for.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn load(store: &Store, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT id, event_id, hookpoint, subject, client_id, contact_id, recipient, locale, class, lane, template, \
             language, parameters, body, created_at, expires_at FROM message WHERE id IN ({})",
            hex_list(ids)
        );
        let rows: Vec<Row> = connection.query(sql).await?;
        let mut found: HashMap<MessageId, Message> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let message = message(row)?;
            found.insert(message.id, message);
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    })
    .await
}

fn message(row: &Row) -> Result<Message, StoreError> {
    let reader = Reader::new("message", row, "");
    let id = message_id(&reader, "id")?;
    let reader = Reader::new("message", row, id.to_string());
    Ok(Message {
        id,
        event_id: reader.parse("event_id", EventId::parse)?,
        hookpoint: reader.parse("hookpoint", HookpointId::parse)?,
        subject: reader.parse("subject", Subject::parse)?,
        client_id: ClientId(reader.get("client_id")?),
        contact_id: reader.get::<Option<u64>>("contact_id")?.map(ContactId),
        to: reader.parse("recipient", E164::trusted)?,
        locale: reader.parse("locale", |code| Locale::ALL.into_iter().find(|locale| locale.code() == code))?,
        class: reader.parse("class", Class::parse)?,
        lane: reader.get("lane")?,
        call: TemplateCall {
            name: reader.get("template")?,
            language: reader.get("language")?,
            parameters: reader.parse("parameters", parameters)?,
            button: reader.parse("parameters", |text| Some(button(text)))?,
        },
        text: reader.get("body")?,
        queued_at: reader.time("created_at")?,
        expires_at: reader.time("expires_at")?,
    })
}

fn parameters(text: &str) -> Option<Parameters> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    if let Some(named) = json.get("named") {
        return serde_json::from_value(named.clone()).ok().map(Parameters::Named);
    }
    serde_json::from_value(json.get("body")?.clone()).ok().map(Parameters::Positional)
}

fn button(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    json.get("button")?.as_str().map(str::to_owned)
}

/// Puts messages off without an attempt: pacing, a held template, a stopped number.
///
/// # Errors
/// The database.
pub async fn snooze(store: &Store, waits: &[(MessageId, Timestamp)], reason: Reason) -> Result<(), StoreError> {
    if waits.is_empty() {
        return Ok(());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_batch(
                "UPDATE outbox SET run_at = ?, waiting_for = ?, snoozes = snoozes + 1 \
                 WHERE message_id = ? AND state = 'queued'",
                waits.iter().map(|(id, until)| (at(*until), reason.code(), id.0.as_bytes().as_slice())),
            )
            .await?;
        Ok(())
    })
    .await
}

/// Ends waiting messages that must not be sent any more.
///
/// # Errors
/// The database.
pub async fn cancel(store: &Store, ids: &[(MessageId, Reason)], now: Timestamp) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        for (id, reason) in ids {
            let key = id.0.as_bytes().as_slice();
            tx.exec_drop("DELETE FROM outbox WHERE message_id = ? AND state IN ('queued', 'unknown')", (key,)).await?;
            if tx.affected_rows() == 1 {
                tx.exec_drop(
                    "UPDATE message SET state = 'cancelled', reason = ?, state_at = ? WHERE id = ? AND state = 'open'",
                    (reason.code(), at(now), key),
                )
                .await?;
            }
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Messages that were being sent when their process died: their outcome is unknown. Returns how many.
///
/// # Errors
/// The database.
pub async fn mark_lost(store: &Store, older_than: SignedDuration, now: Timestamp) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE outbox SET state = 'unknown', waiting_for = ?, last_error = ? \
                 WHERE state = 'sending' AND locked_at < ?",
                (
                    Reason::OutcomeUnknown.code(),
                    cut("the process that was sending it ended", 500),
                    at(now - older_than),
                ),
            )
            .await?;
        Ok(connection.affected_rows())
    })
    .await
}

/// Ends messages whose time is over: waiting ones as `expired`, unknown ones as `outcome_unknown`. Returns how many.
///
/// # Errors
/// The database.
pub async fn expire(store: &Store, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let rows: Vec<Row> = bounded(async {
        let mut connection = store.connection().await?;
        Ok(connection
            .exec(
                "SELECT message_id, state FROM outbox WHERE state IN ('queued', 'unknown') AND expires_at < ? LIMIT ?",
                (at(now), limit as u64),
            )
            .await?)
    })
    .await?;
    let mut ended = Vec::with_capacity(rows.len());
    for row in &rows {
        let reader = Reader::new("outbox", row, "");
        let unknown = reader.get::<String>("state")? == "unknown";
        let reason = if unknown { Reason::OutcomeUnknown } else { Reason::Expired };
        ended.push((message_id(&reader, "message_id")?, reason));
    }
    cancel(store, &ended, now).await?;
    Ok(ended.len())
}

/// Messages in each state of each lane: `(lane, state, count)`, and the oldest due time of the queued ones.
///
/// # Errors
/// The database.
pub async fn depth(store: &Store) -> Result<Vec<(String, String, u64, Option<Timestamp>)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .query("SELECT lane, state, COUNT(*) AS n, MIN(run_at) AS oldest FROM outbox GROUP BY lane, state")
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("outbox", row, "");
                Ok((reader.get("lane")?, reader.get("state")?, reader.get("n")?, reader.optional_time("oldest")?))
            })
            .collect()
    })
    .await
}

pub(super) fn message_id(reader: &Reader<'_>, column: &'static str) -> Result<MessageId, StoreError> {
    let bytes: Vec<u8> = reader.get(column)?;
    Ok(Uuid::from_slice(&bytes).map(MessageId).map_err(|_| reader.bad(column))?)
}

/// Keys as literals, for an `IN (…)`.
pub(super) fn hex_list(ids: &[MessageId]) -> String {
    ids.iter().map(|id| format!("x'{}'", id.0.as_simple())).collect::<Vec<_>>().join(",")
}

/// A message id as a parameter.
pub(super) fn key(id: MessageId) -> Value {
    Value::Bytes(id.0.as_bytes().to_vec())
}
