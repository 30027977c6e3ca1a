//! Owns: messages that are still to be sent. Peeking takes no lock (a lane has one dispatcher); claiming is a guarded
//! UPDATE that is committed before anything is sent.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};
use uuid::Uuid;

use super::finish::parameters_text;
use super::lease::{Holder, prove};
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, filled, transaction};
use super::{Store, StoreError, Tx};
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::{ClientId, MessageId};
use crate::domain::message::{Message, Print};
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::road::{Step, mark};
use crate::sql::Inconsistent;

/// Priorities in the order of sending (see [`super::finish::priority`]).
pub const PRIORITIES: [u8; 3] = [0, 1, 2];

/// A message that is due.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: MessageId,
    pub to: E164,
    pub template: String,
    /// The provider's code of its language.
    pub language: String,
    /// What it was made from.
    pub print: Print,
    pub hookpoint: String,
    pub client_id: ClientId,
    /// 0 goes before all others.
    pub priority: u8,
    /// When the hook fired.
    pub event_at: Timestamp,
    pub run_at: Timestamp,
    pub expires_at: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// Refusals because its recipient had got too much; they are no attempts.
    pub waits: u32,
    /// What it waited for until now.
    pub waited_for: Option<Reason>,
}

/// The columns of a [`Due`].
pub(super) const DUE_COLUMNS: &str = "message_id, recipient, template, language, wording, facts, hookpoint, client_id, priority, event_at, run_at, \
     expires_at, attempts, waits, waiting_for";

pub(super) fn due(row: &Row) -> Result<Due, StoreError> {
    let id = message_id(&Reader::new("outbox", row, ""), "message_id")?;
    Ok(due_of(&Reader::new("outbox", row, id.to_string()), id)?)
}

fn due_of(reader: &Reader<'_>, id: MessageId) -> Result<Due, Inconsistent> {
    Ok(Due {
        id,
        to: reader.parse("recipient", E164::trusted)?,
        template: reader.get("template")?,
        language: reader.get("language")?,
        print: Print { wording: reader.get("wording")?, facts: reader.get("facts")? },
        hookpoint: reader.get("hookpoint")?,
        client_id: ClientId(reader.get("client_id")?),
        priority: reader.get("priority")?,
        event_at: reader.time("event_at")?,
        run_at: reader.time("run_at")?,
        expires_at: reader.time("expires_at")?,
        attempts: reader.get("attempts")?,
        waits: reader.get("waits")?,
        waited_for: reader.get::<Option<String>>("waiting_for")?.and_then(|code| Reason::parse(&code)),
    })
}

/// Up to `limit` due messages of a lane, urgent ones first, then the longest due; and those that cannot be read.
///
/// # Errors
/// The database.
pub async fn peek(
    store: &Store,
    lane: &str,
    now: Timestamp,
    limit: usize,
) -> Result<(Vec<Due>, Vec<(MessageId, Inconsistent)>), StoreError> {
    let sql = format!(
        "SELECT {DUE_COLUMNS} FROM outbox WHERE lane = ? AND state = 'queued' AND priority = ? AND run_at <= ? \
         ORDER BY run_at, message_id LIMIT ?"
    );
    bounded(async {
        let mut connection = store.connection().await?;
        let (mut all, mut unreadable) = (Vec::new(), Vec::new());
        // One range of the index per priority: waiting rows of an urgent class are never stepped over one by one.
        for priority in PRIORITIES {
            if all.len() >= limit {
                break;
            }
            let rows: Vec<Row> =
                connection.exec(sql.as_str(), (lane, priority, at(now), (limit - all.len()) as u64)).await?;
            for row in &rows {
                let id = message_id(&Reader::new("outbox", row, ""), "message_id")?;
                match due_of(&Reader::new("outbox", row, id.to_string()), id) {
                    Ok(due) => all.push(due),
                    Err(error) => unreadable.push((id, error)),
                }
            }
        }
        Ok((all, unreadable))
    })
    .await
}

/// Whose claim it is: the lane and the portfolio of its number, and the lease that allows it.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    pub lane: &'a str,
    pub portfolio: &'a str,
    pub holder: &'a Holder,
}

/// Takes `ids` for sending and notes the recipients for the 24-hour limit. Returns those taken, committed: rows that
/// somebody else settled or cancelled meanwhile are left out.
///
/// # Errors
/// The database, or a lease that was lost ([`StoreError::Guard`]); then none is taken.
pub async fn claim(
    store: &Store,
    who: Claimant<'_>,
    ids: &[MessageId],
    token: &str,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    retried(|| claim_once(store, who, ids, token, now)).await
}

async fn claim_once(
    store: &Store,
    who: Claimant<'_>,
    ids: &[MessageId],
    token: &str,
    now: Timestamp,
) -> Result<Vec<MessageId>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    prove(&mut tx, who.holder).await?;
    let sql = format!(
        "UPDATE outbox SET state = 'sending', locked_by = ?, locked_at = ?, fence = ?, attempts = attempts + 1, \
         waiting_for = NULL WHERE message_id IN ({}) AND lane = ? AND state = 'queued'",
        hex_list(ids)
    );
    tx.query_drop(filled(&sql, &[token.into(), at(now), who.holder.fence.into(), who.lane.into()])).await?;
    let claimed = if tx.affected_rows() == ids.len() as u64 {
        ids.to_vec()
    } else {
        let sql = format!(
            "SELECT message_id FROM outbox WHERE message_id IN ({}) AND state = 'sending' AND locked_by = ?",
            hex_list(ids)
        );
        let rows: Vec<Row> = tx.query(filled(&sql, &[token.into()])).await?;
        rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect::<Result<_, _>>()?
    };
    if !claimed.is_empty() {
        let sql = format!(
            "INSERT INTO contacted (portfolio, recipient, at) SELECT ?, recipient, ? FROM outbox WHERE message_id IN ({}) \
             AND template <> '' ON DUPLICATE KEY UPDATE at = VALUES(at)",
            hex_list(&claimed)
        );
        tx.query_drop(filled(&sql, &[who.portfolio.into(), at(now)])).await?;
    }
    mark(Step::Taking);
    tx.commit().await?;
    Ok(claimed)
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

/// Messages of an alert that wait for its text to be taken again are due now: another text is in force.
///
/// # Errors
/// The database.
pub async fn wake_held(store: &Store, hookpoint: &HookpointId, now: Timestamp) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE outbox SET run_at = ?, waiting_for = NULL WHERE state = 'queued' AND hookpoint = ? \
                 AND waiting_for = 'template_held'",
                (at(now), hookpoint.as_str()),
            )
            .await?;
        Ok(())
    })
    .await
}

/// Puts other words into waiting messages, under the same key. `changed`: whether a recipient would see the difference.
///
/// # Errors
/// The database; then none is changed.
pub async fn rewrite(store: &Store, messages: &[(&Message, bool)], now: Timestamp) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        for (message, changed) in messages {
            let (call, print) = (&message.call, message.print);
            tx.exec_drop(
                "UPDATE outbox SET template = ?, language = ?, wording = ?, facts = ? WHERE message_id = ? \
                 AND state = 'queued'",
                (&call.name, &call.language, print.wording, print.facts, key(message.id)),
            )
            .await?;
            // One that was taken by somebody else meanwhile keeps the text that is being sent.
            if !changed || tx.affected_rows() == 0 {
                continue;
            }
            tx.exec_drop(
                "UPDATE message SET template = ?, language = ?, parameters = ?, body = ?, rewritten_at = ? \
                 WHERE id = ? AND state = 'open'",
                (&call.name, &call.language, parameters_text(message), &message.text, at(now), key(message.id)),
            )
            .await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Ends waiting messages that must not be sent any more: cancelled, or failed where it may have been sent.
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
        cancel_in(&mut tx, ids, now).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// The same for one that waits or is held, because an operator says so. Returns whether it did.
///
/// # Errors
/// The database.
pub async fn cancel_by_operator(tx: &mut Tx, id: MessageId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM outbox WHERE message_id = ? AND state IN ('queued', 'held') FOR UPDATE";
    let waits: Option<Row> = tx.0.exec_first(sql, (key(id),)).await?;
    if waits.is_some() {
        cancel_in(&mut tx.0, &[(id, Reason::CancelledByOperator)], now).await?;
    }
    Ok(waits.is_some())
}

/// Ends those of `ids` that are not being sent right now.
pub(super) async fn cancel_in(
    tx: &mut Transaction<'_>,
    ids: &[(MessageId, Reason)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (id, reason) in ids {
        let key = id.0.as_bytes().as_slice();
        let row: Option<Row> = tx
            .exec_first("SELECT attempts FROM outbox WHERE message_id = ? AND state <> 'sending' FOR UPDATE", (key,))
            .await?;
        let Some(row) = row else { continue };
        let attempts: u32 = Reader::new("outbox", &row, id.to_string()).get("attempts")?;
        tx.exec_drop("DELETE FROM outbox WHERE message_id = ?", (key,)).await?;
        tx.exec_drop(
            "UPDATE message SET state = ?, reason = ?, state_at = ?, attempts = ? WHERE id = ? AND state = 'open'",
            (ended(*reason), reason.code(), at(now), attempts, key),
        )
        .await?;
    }
    Ok(())
}

/// Ends messages that cannot be sent because a row cannot be read, each with the words that name it.
///
/// # Errors
/// The database.
pub async fn fail_unreadable(
    store: &Store,
    ids: &[(MessageId, Inconsistent)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (id, error) in ids {
        retried(|| async {
            let mut connection = store.connection().await?;
            let mut tx = connection.start_transaction(transaction()).await?;
            tx.exec_drop("DELETE FROM outbox WHERE message_id = ? AND state = 'queued'", (key(*id),)).await?;
            if tx.affected_rows() == 1 {
                tx.exec_drop(
                    "UPDATE message SET state = 'failed', reason = ?, detail = ?, state_at = ? WHERE id = ? AND state = 'open'",
                    (Reason::SubjectUnreadable.code(), cut(&error.to_string(), 500), at(now), key(*id)),
                )
                .await?;
            }
            tx.commit().await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// The state a message ends in by `reason`: one that may have been sent was not cancelled, nor one that we failed on.
fn ended(reason: Reason) -> &'static str {
    if matches!(reason, Reason::OutcomeUnknown | Reason::InternalFault) { "failed" } else { "cancelled" }
}

/// Ends messages whose time is over: waiting and held ones as `expired`, unknown ones as `outcome_unknown`. Returns how
/// many.
///
/// # Errors
/// The database.
pub async fn expire(store: &Store, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let rows: Vec<Row> = bounded(async {
        let mut connection = store.connection().await?;
        Ok(connection
            .exec(
                "SELECT message_id, state = 'unknown' OR COALESCE(waiting_for IN ('sent_again', 'sent_again_by_operator'), 0) \
                 AS unsure FROM outbox WHERE state <> 'sending' AND expires_at < ? LIMIT ?",
                (at(now), limit as u64),
            )
            .await?)
    })
    .await?;
    let mut ended = Vec::with_capacity(rows.len());
    for row in &rows {
        let reader = Reader::new("outbox", row, "");
        let reason = if reader.get::<u8>("unsure")? == 1 { Reason::OutcomeUnknown } else { Reason::Expired };
        ended.push((message_id(&reader, "message_id")?, reason));
    }
    cancel(store, &ended, now).await?;
    Ok(ended.len())
}

/// Messages of a lane that wait for nothing but the pace, and yet are due in a future that no pace reaches: a clock ran
/// ahead, and was set back. They are due now.
///
/// # Errors
/// The database.
pub async fn bring_back(store: &Store, lane: &str, after: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
    let mut count = 0;
    for priority in PRIORITIES {
        count += retried(|| async {
            let mut connection = store.connection().await?;
            connection
                .exec_drop(
                    "UPDATE outbox SET run_at = ? WHERE lane = ? AND state = 'queued' AND priority = ? AND run_at > ? \
                     AND (waiting_for IS NULL OR waiting_for IN ('paced_recipient', 'service_changed', 'lease_lost'))",
                    (at(now), lane, priority, at(after)),
                )
                .await?;
            Ok(connection.affected_rows())
        })
        .await?;
    }
    Ok(count)
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
