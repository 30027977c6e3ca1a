//! Owns: writing down how attempts ended, in batches. Every state change is guarded: it must find the row as the claim
//! left it, or something is wrong and nothing is written.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::outbox::{hex_list, key, message_id};
use super::pool::retried;
use super::row::{Reader, at, code, cut, filled, in_list, provider_key, transaction};
use super::{Store, StoreError};
use crate::domain::ids::MessageId;
use crate::domain::outcome::Outcome;
use crate::domain::reason::Reason;
use crate::road::{Step, mark};

/// One attempt that ended, and what is to become of its message.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: MessageId,
    /// The claim it was sent under.
    pub token: String,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: Outcome,
    pub next: Next,
    /// Why it was made although an earlier one may have succeeded.
    pub cause: Option<Reason>,
}

/// What becomes of the message after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The provider has it.
    Sent,
    /// It ends here.
    Failed(Reason),
    /// It goes back into the queue. `free`: the attempt does not count, since the fault was not the message's.
    Again { at: Timestamp, reason: Reason, free: bool },
    /// Its recipient got too much at once: it goes back, and counts as a wait instead of an attempt.
    Paced { at: Timestamp },
    /// Nobody knows; a receipt may tell until then.
    Unknown { receipt_until: Timestamp },
}

/// The claim is still ours. One that was taken for lost in the meantime keeps its token until it is sent again: the
/// process that knows how it ended may still say so.
const OURS: &str = "state IN ('sending', 'unknown')";

/// Writes a batch of ended attempts in one transaction.
///
/// # Errors
/// The database, or a message that was not `sending` under this claim any more.
pub async fn settle(store: &Store, batch: &[Attempt]) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    retried(|| settle_once(store, batch)).await
}

async fn settle_once(store: &Store, batch: &[Attempt]) -> Result<(), StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    insert_attempts(&mut tx, batch).await?;
    // A receipt may have overtaken the answer: then the message was taken, whatever happened to the answer.
    let known = proven(&mut tx, batch).await?;
    let next = |a: &Attempt| match a.next {
        Next::Unknown { .. } if known.contains(&a.id) => Next::Sent,
        next => next,
    };
    let mut ended: Vec<&Attempt> = batch.iter().filter(|a| matches!(next(a), Next::Sent | Next::Failed(_))).collect();
    // Receipts of the same messages come at the same time: one order for both, so that they do not lock each other out.
    ended.sort_by_key(|a| a.id);
    close(&mut tx, &ended, &next).await?;
    let waiting: Vec<&Attempt> = batch.iter().filter(|a| !matches!(next(a), Next::Sent | Next::Failed(_))).collect();
    requeue(&mut tx, &waiting, &next).await?;
    early_receipts(&mut tx, &ended).await?;
    mark(Step::Settling);
    tx.commit().await?;
    mark(Step::Settled);
    Ok(())
}

/// Notes an attempt whose message went on without it: it was taken for lost, and sent again.
///
/// # Errors
/// The database.
pub async fn note_late(store: &Store, attempt: &Attempt) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        insert_attempts(&mut tx, std::slice::from_ref(attempt)).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

async fn insert_attempts(tx: &mut Transaction<'_>, batch: &[Attempt]) -> Result<(), StoreError> {
    tx.exec_batch(
        "INSERT INTO attempt (message_id, started_at, ended_at, outcome, code, detail, cause) VALUES (?, ?, ?, ?, ?, ?, ?)",
        batch.iter().map(|a| {
            let (code, detail) = code_and_detail(&a.outcome);
            let cause = a.cause.map(Reason::code);
            (key(a.id), at(a.started_at), at(a.ended_at), a.outcome.code(), code, detail, cause)
        }),
    )
    .await?;
    Ok(())
}

fn code_and_detail(outcome: &Outcome) -> (Option<i32>, Option<String>) {
    match outcome {
        Outcome::Accepted { held, .. } => (None, held.then(|| "held for quality assessment".to_owned())),
        Outcome::Refused(fault) | Outcome::Later { fault, .. } => (fault.code.map(code), Some(cut(&fault.detail, 500))),
        Outcome::Unknown(detail) => (None, Some(cut(detail, 500))),
    }
}

async fn proven(tx: &mut Transaction<'_>, batch: &[Attempt]) -> Result<Vec<MessageId>, StoreError> {
    let unknown: Vec<MessageId> =
        batch.iter().filter(|a| matches!(a.next, Next::Unknown { .. })).map(|a| a.id).collect();
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id FROM message WHERE id IN ({}) AND receipt IS NOT NULL FOR UPDATE", hex_list(&unknown));
    let rows: Vec<Row> = tx.query(sql).await?;
    rows.iter().map(|row| message_id(&Reader::new("message", row, ""), "id")).collect()
}

async fn close(
    tx: &mut Transaction<'_>,
    ended: &[&Attempt],
    next: &(impl Fn(&Attempt) -> Next + Sync),
) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    tx.exec_batch(
        // A receipt may be quicker than we are: what it said of a failure stays.
        "UPDATE message SET attempts = (SELECT attempts FROM outbox WHERE message_id = ?), state = ?, \
         reason = COALESCE(?, IF(receipt = 'failed', reason, NULL)), \
         detail = COALESCE(?, IF(receipt = 'failed', detail, NULL)), state_at = ?, provider_id = COALESCE(?, provider_id) WHERE id = ? AND state = 'open'",
        ended.iter().map(|a| {
            let (state, reason) = match next(a) {
                Next::Failed(reason) => ("failed", Some(reason.code())),
                _ => ("sent", None),
            };
            let provider_id = match &a.outcome {
                Outcome::Accepted { provider_id, .. } => Some(provider_key(provider_id)).filter(|id| !id.is_empty()),
                _ => None,
            };
            let detail = if state == "failed" { code_and_detail(&a.outcome).1 } else { None };
            (key(a.id), state, reason, detail, at(a.ended_at), provider_id, key(a.id))
        }),
    )
    .await?;
    guarded_delete(tx, ended).await
}

/// Takes the ended messages out of the queue; each must still be ours.
async fn guarded_delete(tx: &mut Transaction<'_>, ended: &[&Attempt]) -> Result<(), StoreError> {
    // All attempts of a claim share its token, so one statement per token does.
    let mut tokens: Vec<&str> = ended.iter().map(|a| a.token.as_str()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    for token in tokens {
        let ids: Vec<MessageId> = ended.iter().filter(|a| a.token == token).map(|a| a.id).collect();
        let sql = format!("DELETE FROM outbox WHERE message_id IN ({}) AND locked_by = ? AND {OURS}", hex_list(&ids));
        tx.query_drop(filled(&sql, &[token.into()])).await?;
        let (expected, changed) = (ids.len() as u64, tx.affected_rows());
        if changed != expected {
            return Err(StoreError::Guard { what: "settle a message", expected, changed });
        }
    }
    Ok(())
}

async fn requeue(
    tx: &mut Transaction<'_>,
    waiting: &[&Attempt],
    next: &(impl Fn(&Attempt) -> Next + Sync),
) -> Result<(), StoreError> {
    for attempt in waiting {
        let detail = code_and_detail(&attempt.outcome).1;
        let (state, run_at, reason, (refund, waits)) = match next(attempt) {
            Next::Again { at, reason, free } => ("queued", at, reason, (free, false)),
            Next::Paced { at } => ("queued", at, Reason::PacedRecipient, (true, true)),
            Next::Unknown { receipt_until } => ("unknown", receipt_until, Reason::OutcomeUnknown, (false, false)),
            Next::Sent | Next::Failed(_) => continue,
        };
        tx.exec_drop(
            format!(
                "UPDATE outbox SET state = ?, run_at = ?, waiting_for = ?, last_error = ?, attempts = attempts - ?, \
                 waits = waits + ?, locked_by = NULL, locked_at = NULL, fence = NULL WHERE message_id = ? AND locked_by = ? AND {OURS}"
            ),
            (state, at(run_at), reason.code(), detail, u8::from(refund), u8::from(waits), key(attempt.id), &attempt.token),
        )
        .await?;
        if tx.affected_rows() != 1 {
            let changed = tx.affected_rows();
            return Err(StoreError::Guard { what: "give a message back", expected: 1, changed });
        }
    }
    Ok(())
}

/// Applies receipts that came before we knew the provider's id, from providers that do not give our own id back.
async fn early_receipts(tx: &mut Transaction<'_>, ended: &[&Attempt]) -> Result<(), StoreError> {
    let ids: Vec<Value> = ended
        .iter()
        .filter_map(|a| match &a.outcome {
            Outcome::Accepted { provider_id, .. } if !provider_id.is_empty() => Some(provider_key(provider_id).into()),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let (marks, ids) = in_list(ids);
    let sql = format!(
        "UPDATE receipt r JOIN message m ON m.provider_id = r.provider_id \
         SET r.message_id = m.id, m.receipt_at = IF(COALESCE(m.receipt + 0, 0) < r.status + 0, r.at, m.receipt_at), \
         m.receipt = IF(COALESCE(m.receipt + 0, 0) < r.status + 0, r.status, m.receipt) \
         WHERE r.message_id IS NULL AND (r.lane IS NULL OR r.lane = m.lane) AND r.provider_id IN ({marks})"
    );
    tx.exec_drop(sql, ids).await?;
    Ok(())
}
