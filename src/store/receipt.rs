//! Owns: what the provider reported. A status only rises; a receipt of an unknown message is kept, since it may overtake
//! the answer that names it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::outbox::{hex_list, key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, code, cut, marks, provider_key, transaction};
use super::unknown::settle_as_sent;
use super::{Store, StoreError, restored};
use crate::domain::ids::MessageId;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::domain::receipt::{Receipt, ReceiptStatus};
use crate::road::{Step, mark};
use crate::sql::{Bisected, bisect};

/// What became of a webhook's receipts.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Receipts that the database does not take, by their place, and why.
    pub refused: Vec<(usize, StoreError)>,
    /// Receipts of messages that nobody knows (yet).
    pub unknown: usize,
}

/// Stores the receipts of one number and raises the messages of its lane that they belong to. One that cannot be stored does
/// not lose the others.
///
/// # Errors
/// The database; then the provider sends them again.
pub async fn record(store: &Store, lane: &str, receipts: &[&Receipt], now: Timestamp) -> Result<Recorded, StoreError> {
    // One order for all, so that concurrent webhooks do not lock each other out.
    let mut sorted: Vec<(usize, &Receipt)> = receipts.iter().copied().enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| {
        (a.message_id, &a.provider_id, a.status).cmp(&(b.message_id, &b.provider_id, b.status))
    });
    let in_order: Vec<&Receipt> = sorted.iter().map(|(_, receipt)| *receipt).collect();
    let work = |piece: Range<usize>| {
        let some = &in_order[piece];
        retried(move || record_once(store, lane, some, now))
    };
    let Bisected { done, refused, stopped } = bisect(in_order.len(), StoreError::is_of_a_row, work).await;
    if done.iter().any(|(_, (never_sent, _))| *never_sent > 0) {
        let sign = "the provider reports messages that were never sent, as far as the schema knows";
        let held = restored::hold(store, sign, now).await?;
        tracing::error!(held, "the bridge's schema was restored from an older dump: see `hookbridge restored show`");
    }
    if let Some((_, error)) = stopped {
        return Err(error);
    }
    let refused = refused.into_iter().map(|(place, error)| (sorted[place].0, error)).collect();
    Ok(Recorded { refused, unknown: done.into_iter().map(|(_, (_, unknown))| unknown).sum() })
}

/// Returns how many messages were never sent as far as we know, and how many receipts belong to no message of the lane.
async fn record_once(
    store: &Store,
    lane: &str,
    receipts: &[&Receipt],
    now: Timestamp,
) -> Result<(usize, usize), StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    // By our own id where the provider gave it back, by his otherwise. Foreign ids find no row, and that is fine.
    let (ours, theirs): (Vec<&Receipt>, Vec<&Receipt>) = receipts.iter().copied().partition(|r| r.message_id.is_some());
    if !ours.is_empty() {
        tx.exec_batch(
            "UPDATE message SET receipt_at = ?, provider_id = COALESCE(provider_id, ?), receipt = ? \
             WHERE id = ? AND lane = ? AND COALESCE(receipt + 0, 0) < ?",
            ours.iter().map(|r| {
                let id = r.message_id.map(key);
                (at(r.at), provider_key(&r.provider_id), r.status.code(), id, lane, rank(r.status))
            }),
        )
        .await?;
    }
    if !theirs.is_empty() {
        tx.exec_batch(
            "UPDATE message SET receipt_at = ?, receipt = ? \
             WHERE provider_id = ? AND lane = ? AND COALESCE(receipt + 0, 0) < ?",
            theirs.iter().map(|r| (at(r.at), r.status.code(), provider_key(&r.provider_id), lane, rank(r.status))),
        )
        .await?;
    }
    explain(&mut tx, lane, receipts).await?;
    let owners = owners(&mut tx, lane, receipts).await?;
    tx.exec_batch(
        "INSERT INTO receipt (provider_id, status, at, received_at, message_id, lane, code, detail, category) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE lane = IF(message_id IS NULL, VALUES(lane), lane), \
         message_id = COALESCE(message_id, VALUES(message_id)), category = COALESCE(category, VALUES(category))",
        receipts.iter().zip(&owners).map(|(r, owner)| {
            (
                provider_key(&r.provider_id),
                r.status.code(),
                at(r.at),
                at(now),
                owner.map(key),
                lane,
                r.code.map(code),
                r.detail.as_deref().map(|detail| cut(detail, 500)),
                r.category.as_deref().map(|category| cut(category, 48)),
            )
        }),
    )
    .await?;
    let never_sent = prove_waiting(&mut tx, lane, &ours).await?;
    let unknown = owners.iter().filter(|owner| owner.is_none()).count();
    mark(Step::Recording);
    tx.commit().await?;
    Ok((never_sent, unknown))
}

/// Why a message failed; and that it did not, where a device reported its delivery after another one's failure.
async fn explain(tx: &mut Transaction<'_>, lane: &str, receipts: &[&Receipt]) -> Result<(), StoreError> {
    for one in receipts {
        let whose = (one.message_id.map(key), provider_key(&one.provider_id), lane);
        match one.status {
            ReceiptStatus::Failed => {
                let detail = one.detail.as_deref().map(|detail| cut(detail, 500));
                tx.exec_drop(
                    "UPDATE message SET reason = ?, detail = ? \
                     WHERE (id = ? OR provider_id = ?) AND lane = ? AND receipt = 'failed'",
                    (Reason::Refused.code(), detail, whose.0, whose.1, whose.2),
                )
                .await?;
            }
            ReceiptStatus::Delivered | ReceiptStatus::Read => {
                tx.exec_drop(
                    "UPDATE message SET reason = NULL, detail = NULL WHERE (id = ? OR provider_id = ?) AND lane = ? \
                     AND state = 'sent' AND receipt IN ('delivered', 'read') AND reason = ?",
                    (whose.0, whose.1, whose.2, Reason::Refused.code()),
                )
                .await?;
            }
            ReceiptStatus::Sent => {}
        }
    }
    Ok(())
}

/// The message of the lane that each receipt belongs to, if there is one: by our own id, else by the provider's. Looked up apart
/// from the insert: as sub-selects of a prepared batch, all receipts got the first one's message (MariaDB 10.11, binary protocol).
async fn owners(
    tx: &mut Transaction<'_>,
    lane: &str,
    receipts: &[&Receipt],
) -> Result<Vec<Option<MessageId>>, StoreError> {
    let mut owners = Vec::with_capacity(receipts.len());
    for some in receipts.chunks(500) {
        let ours: Vec<MessageId> = some.iter().filter_map(|r| r.message_id).collect();
        let theirs: Vec<String> = some.iter().map(|r| provider_key(&r.provider_id)).collect();
        let by_ours = if ours.is_empty() { "FALSE".to_owned() } else { format!("id IN ({})", hex_list(&ours)) };
        // Two ranges, each by its own index.
        let sql = format!(
            "SELECT id, provider_id FROM message WHERE {by_ours} AND lane = ? UNION \
             SELECT id, provider_id FROM message WHERE provider_id IN ({}) AND lane = ?",
            marks(theirs.len())
        );
        let mut values: Vec<Value> = vec![lane.into()];
        values.extend(theirs.iter().map(|id| Value::from(id.as_str())));
        values.push(lane.into());
        let rows: Vec<Row> = tx.exec(sql, values).await?;
        let mut known: HashSet<MessageId> = HashSet::new();
        let mut by_theirs: HashMap<String, MessageId> = HashMap::new();
        for row in &rows {
            let reader = Reader::new("message", row, "");
            let id = message_id(&reader, "id")?;
            known.insert(id);
            by_theirs.extend(reader.get::<Option<String>>("provider_id")?.map(|theirs| (theirs, id)));
        }
        owners.extend(some.iter().zip(&theirs).map(|(r, theirs)| {
            r.message_id.filter(|id| known.contains(id)).or_else(|| by_theirs.get(theirs).copied())
        }));
    }
    Ok(owners)
}

/// Deletes the oldest receipts of messages that nobody knows, but for the newest `kept_max`. Returns how many.
///
/// # Errors
/// The database.
pub async fn forget_unknown(store: &Store, kept_max: u64) -> Result<u64, StoreError> {
    const STEP: u64 = 10_000;
    retried(|| async {
        let mut connection = store.connection().await?;
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM receipt WHERE message_id IS NULL LIMIT ?) unknown";
        let count: u64 = connection.exec_first(sql, (kept_max + STEP,)).await?.unwrap_or(0);
        let Some(excess) = count.checked_sub(kept_max).filter(|excess| *excess > 0) else { return Ok(0) };
        let sql = "DELETE FROM receipt WHERE message_id IS NULL ORDER BY received_at LIMIT ?";
        connection.exec_drop(sql, (excess,)).await?;
        Ok(connection.affected_rows())
    })
    .await
}

/// A message that waits, and has a receipt, was taken by the provider: it is sent, and leaves the queue. Returns how many of them
/// were never tried, as far as our tables know, and were queued since the schema was last found to be restored.
async fn prove_waiting(tx: &mut Transaction<'_>, lane: &str, ours: &[&Receipt]) -> Result<usize, StoreError> {
    if ours.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = ours.iter().filter_map(|r| r.message_id).collect();
    let list = hex_list(&ids);
    let rows: Vec<Row> = tx
        .exec(
            format!(
                "SELECT o.message_id, o.attempts = 0 AND m.created_at > COALESCE((SELECT restored_at FROM restore_watch \
                 WHERE id = 1), '1970-01-01') AS untried FROM outbox o JOIN message m ON m.id = o.message_id \
                 WHERE o.state IN ('unknown', 'queued', 'held') AND o.lane = ? AND o.message_id IN ({list}) FOR UPDATE"
            ),
            (lane,),
        )
        .await?;
    let mut never_sent = 0;
    for row in &rows {
        let reader = Reader::new("outbox", row, "");
        never_sent += usize::from(reader.get::<u8>("untried")? == 1);
        settle_as_sent(tx, message_id(&reader, "message_id")?).await?;
    }
    // Given up as unknown, and now it is known after all.
    tx.exec_drop(
        format!(
            "UPDATE message SET state = 'sent', reason = NULL, state_at = receipt_at \
             WHERE id IN ({list}) AND lane = ? AND state = 'failed' AND reason = ? AND receipt <> 'failed'"
        ),
        (lane, Reason::OutcomeUnknown.code()),
    )
    .await?;
    Ok(never_sent)
}

/// The provider's code for a message that he could not deliver: no WhatsApp behind the number, or terms not accepted.
const NOT_DELIVERABLE: i64 = 131_026;

/// Which of `recipients` the provider could not deliver to since `since`, and nothing arrived after that.
///
/// # Errors
/// The database.
pub async fn undeliverable(store: &Store, recipients: &[E164], since: Timestamp) -> Result<HashSet<E164>, StoreError> {
    if recipients.is_empty() {
        return Ok(HashSet::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT DISTINCT m.recipient FROM message m JOIN receipt r ON r.provider_id = m.provider_id \
             AND r.status = 'failed' AND r.code = {NOT_DELIVERABLE} \
             WHERE m.recipient IN ({}) AND m.created_at >= ? AND m.receipt = 'failed' AND NOT EXISTS (SELECT 1 FROM message n \
             WHERE n.recipient = m.recipient AND n.created_at > m.created_at AND n.receipt IN ('delivered', 'read'))",
            marks(recipients.len())
        );
        let mut parameters: Vec<Value> = recipients.iter().map(|to| Value::from(to.as_str())).collect();
        parameters.push(at(since));
        let rows: Vec<Row> = connection.exec(sql, parameters).await?;
        rows.iter().map(|row| Ok(Reader::new("message", row, "").parse("recipient", E164::trusted)?)).collect()
    })
    .await
}

/// The position in the column's ENUM, which is the order of rising.
fn rank(status: ReceiptStatus) -> u8 {
    match status {
        ReceiptStatus::Sent => 1,
        ReceiptStatus::Failed => 2,
        ReceiptStatus::Delivered => 3,
        ReceiptStatus::Read => 4,
    }
}
