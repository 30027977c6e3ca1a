//! Owns: messages of which nobody knows whether they were sent. They keep their outbox row: a receipt settles them, else
//! their class's policy does, else an operator.

use jiff::{SignedDuration, Timestamp};
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::outbox::{PRIORITIES, hex_list, key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, transaction};
use super::{Store, StoreError, Tx};
use crate::domain::ids::MessageId;
use crate::domain::reason::Reason;

/// Lost messages marked in one transaction.
const LOST_BATCH: usize = 500;
/// Words for the attempt of a process that ended.
const LOST: &str = "the process that was sending it ended, or lost its lease";

/// How long a lost message waits for a receipt, and which are lost.
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    /// The owner's fence: what an earlier owner was sending is lost.
    pub fence: u64,
    /// What this owner has been sending for longer than that is lost, too.
    pub older_than: SignedDuration,
    pub receipt_wait: SignedDuration,
}

/// Messages of a lane that were being sent when their process ended: their outcome is unknown. Returns how many.
///
/// # Errors
/// The database.
pub async fn mark_lost(store: &Store, lane: &str, lost: Lost, now: Timestamp) -> Result<usize, StoreError> {
    let mut count = 0;
    loop {
        let marked = retried(|| mark_once(store, lane, lost, now)).await?;
        count += marked;
        if marked < LOST_BATCH {
            return Ok(count);
        }
    }
}

async fn mark_once(store: &Store, lane: &str, lost: Lost, now: Timestamp) -> Result<usize, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let rows: Vec<Row> = tx
        .exec(
            "SELECT message_id FROM outbox WHERE lane = ? AND state = 'sending' \
             AND (fence IS NULL OR fence <> ? OR locked_at < ?) LIMIT ? FOR UPDATE",
            (lane, lost.fence, at(now - lost.older_than), LOST_BATCH as u64),
        )
        .await?;
    let ids: Vec<MessageId> =
        rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect::<Result<_, _>>()?;
    if !ids.is_empty() {
        let keys = hex_list(&ids);
        // The token stays: if the process lives after all and knows the outcome, it may still say so.
        tx.exec_drop(
            format!(
                "UPDATE outbox SET state = 'unknown', waiting_for = ?, last_error = ?, run_at = ? \
                 WHERE message_id IN ({keys}) AND state = 'sending'"
            ),
            (Reason::OutcomeUnknown.code(), LOST, at(now + lost.receipt_wait)),
        )
        .await?;
        tx.exec_drop(
            format!(
                "INSERT INTO attempt (message_id, started_at, ended_at, outcome, detail) \
                 SELECT message_id, COALESCE(locked_at, ?), ?, 'unknown', ? FROM outbox WHERE message_id IN ({keys})"
            ),
            (at(now), at(now), LOST),
        )
        .await?;
        prove_by_receipts(&mut tx, &keys).await?;
    }
    tx.commit().await?;
    Ok(ids.len())
}

/// A receipt may have come before we knew that we do not know.
async fn prove_by_receipts(tx: &mut mysql_async::Transaction<'_>, keys: &str) -> Result<(), StoreError> {
    let rows: Vec<Row> = tx
        .query(format!("SELECT id AS message_id FROM message WHERE id IN ({keys}) AND receipt IS NOT NULL FOR UPDATE"))
        .await?;
    for row in &rows {
        settle_as_sent(tx, message_id(&Reader::new("message", row, ""), "message_id")?).await?;
    }
    Ok(())
}

/// A message that waits, and of which a receipt says that it went out.
pub(super) async fn settle_as_sent(tx: &mut mysql_async::Transaction<'_>, id: MessageId) -> Result<(), StoreError> {
    tx.exec_drop(
        "UPDATE message SET state = 'sent', state_at = COALESCE(receipt_at, state_at), \
         attempts = (SELECT attempts FROM outbox WHERE message_id = ?) WHERE id = ? AND state = 'open'",
        (key(id), key(id)),
    )
    .await?;
    tx.exec_drop("DELETE FROM outbox WHERE message_id = ? AND state <> 'sending'", (key(id),)).await?;
    Ok(())
}

/// Unknown messages of a lane whose time for a receipt is over, with their priority.
///
/// # Errors
/// The database.
pub async fn overdue(
    store: &Store,
    lane: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(MessageId, u8)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut all = Vec::new();
        for priority in PRIORITIES {
            let rows: Vec<Row> = connection
                .exec(
                    "SELECT message_id FROM outbox WHERE lane = ? AND state = 'unknown' AND priority = ? \
                     AND run_at <= ? LIMIT ?",
                    (lane, priority, at(now), limit as u64),
                )
                .await?;
            for row in &rows {
                all.push((message_id(&Reader::new("outbox", row, ""), "message_id")?, priority));
            }
        }
        Ok(all)
    })
    .await
}

/// As a message waits that is to be sent again: `run_at`, `waiting_for`.
const QUEUED: &str = "state = 'queued', run_at = ?, waiting_for = ?, locked_by = NULL, locked_at = NULL, fence = NULL";

/// Queues unknown messages again, for `why`: the policy of their class, or an operator. Returns how many.
///
/// # Errors
/// The database.
pub async fn send_again(store: &Store, ids: &[MessageId], why: Reason, now: Timestamp) -> Result<u64, StoreError> {
    change(store, ids, QUEUED, at(now), why).await
}

/// Leaves unknown messages to an operator, until they expire. Returns how many.
///
/// # Errors
/// The database.
pub async fn ask_operator(store: &Store, ids: &[MessageId], forever: Timestamp) -> Result<u64, StoreError> {
    change(store, ids, "run_at = ?, waiting_for = ?", at(forever), Reason::OutcomeHeld).await
}

async fn change(
    store: &Store,
    ids: &[MessageId],
    set: &str,
    run_at: mysql_async::Value,
    why: Reason,
) -> Result<u64, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let sql = format!("UPDATE outbox SET {set} WHERE message_id IN ({}) AND state = 'unknown'", hex_list(ids));
    retried(|| async {
        let mut connection = store.connection().await?;
        connection.exec_drop(sql.as_str(), (&run_at, why.code())).await?;
        Ok(connection.affected_rows())
    })
    .await
}

/// What an operator says of a message of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Arrived,
    Again,
    /// It is left, and ends as `outcome_unknown`.
    GiveUp,
}

/// Does what an operator says of a message of unknown outcome. Returns whether it was unknown.
///
/// # Errors
/// The database.
pub async fn answer(tx: &mut Tx, id: MessageId, what: Answer, now: Timestamp) -> Result<bool, StoreError> {
    let tx = &mut tx.0;
    let sql = "SELECT 1 FROM outbox WHERE message_id = ? AND state = 'unknown' FOR UPDATE";
    let row: Option<Row> = tx.exec_first(sql, (key(id),)).await?;
    if row.is_none() {
        return Ok(false);
    }
    match what {
        Answer::Arrived => arrived_in(tx, id, now).await?,
        Answer::Again => {
            let sql = format!("UPDATE outbox SET {QUEUED} WHERE message_id = ?");
            tx.exec_drop(sql, (at(now), Reason::SentAgainByOperator.code(), key(id))).await?;
        }
        Answer::GiveUp => super::outbox::cancel_in(tx, &[(id, Reason::OutcomeUnknown)], now).await?,
    }
    Ok(true)
}

async fn arrived_in(tx: &mut mysql_async::Transaction<'_>, id: MessageId, now: Timestamp) -> Result<(), StoreError> {
    tx.exec_drop(
        "UPDATE message SET detail = 'an operator says that it arrived', state_at = ? WHERE id = ?",
        (at(now), key(id)),
    )
    .await?;
    settle_as_sent(tx, id).await
}

/// An operator leaves it: it ends as `outcome_unknown`. Returns whether it was unknown.
///
/// # Errors
/// The database.
pub async fn give_up(store: &Store, id: MessageId, now: Timestamp) -> Result<bool, StoreError> {
    let unknown: Option<Row> = bounded(async {
        let mut connection = store.connection().await?;
        Ok(connection.exec_first("SELECT 1 FROM outbox WHERE message_id = ? AND state = 'unknown'", (key(id),)).await?)
    })
    .await?;
    if unknown.is_some() {
        super::outbox::cancel(store, &[(id, Reason::OutcomeUnknown)], now).await?;
    }
    Ok(unknown.is_some())
}
