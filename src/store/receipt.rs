//! Owns: what the provider reported. A status only rises; a receipt of an unknown message is kept, since it may overtake
//! the answer that names it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::outbox::{hex_list, key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, code, cut, filled, in_list, marks, provider_key, transaction};
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
        let held = restored::hold(store, sign, None, now).await?;
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
    // By our own id where the provider gave it back, by the provider's otherwise. Foreign ids find no row, and that is fine.
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
    let known = owners(&mut tx, lane, receipts).await?;
    explain(&mut tx, receipts, &known).await?;
    let owners: Vec<Option<MessageId>> = known.iter().map(|owner| owner.as_ref().map(|one| one.id)).collect();
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
    prove_given_up(&mut tx, &known).await?;
    let unknown = owners.iter().filter(|owner| owner.is_none()).count();
    mark(Step::Recording);
    tx.commit().await?;
    Ok((never_sent, unknown))
}

/// Why a message failed; and that it did not, where a device reported its delivery after another one's failure.
async fn explain(tx: &mut Transaction<'_>, receipts: &[&Receipt], owners: &[Option<Owner>]) -> Result<(), StoreError> {
    let mut arrived = Vec::new();
    for (one, owner) in receipts.iter().zip(owners) {
        let Some(owner) = owner else { continue };
        match one.status {
            ReceiptStatus::Failed => {
                let detail = one.detail.as_deref().map(|detail| cut(detail, 500));
                tx.exec_drop(
                    "UPDATE message SET reason = ?, detail = ? WHERE id = ? AND receipt = 'failed'",
                    (Reason::Refused.code(), detail, key(owner.id)),
                )
                .await?;
            }
            ReceiptStatus::Delivered | ReceiptStatus::Read => arrived.push(owner.id),
            ReceiptStatus::Sent => {}
        }
    }
    // Nearly always nothing failed before, neither in this webhook nor in an earlier one.
    let failed = |one: &&Owner| one.reason.as_deref() == Some(Reason::Refused.code());
    let failed_now = receipts.iter().any(|one| one.status == ReceiptStatus::Failed);
    if arrived.is_empty() || !(failed_now || owners.iter().flatten().any(|one| failed(&one))) {
        return Ok(());
    }
    let sql = format!(
        "UPDATE message SET reason = NULL, detail = NULL WHERE id IN ({}) AND state = 'sent' \
         AND receipt IN ('delivered', 'read') AND reason = ?",
        hex_list(&arrived)
    );
    Ok(tx.exec_drop(sql, (Reason::Refused.code(),)).await?)
}

/// The message that a receipt belongs to.
#[derive(Clone, Debug)]
struct Owner {
    id: MessageId,
    state: String,
    reason: Option<String>,
}

/// The message of the lane that each receipt belongs to, if there is one: by our own id, else by the provider's. Looked up apart
/// from the insert: as sub-selects of a prepared batch, all receipts got the first one's message (MariaDB 10.11, binary protocol).
async fn owners(tx: &mut Transaction<'_>, lane: &str, receipts: &[&Receipt]) -> Result<Vec<Option<Owner>>, StoreError> {
    let mut owners = Vec::with_capacity(receipts.len());
    for some in receipts.chunks(500) {
        let ours: Vec<MessageId> = some.iter().filter_map(|r| r.message_id).collect();
        // Our own id finds nearly all; the provider's is looked for only where there is none, or none that is ours.
        let mut by_ours: HashMap<MessageId, Owner> = HashMap::new();
        if !ours.is_empty() {
            let sql = format!(
                "SELECT id, provider_id, state, reason FROM message WHERE id IN ({}) AND lane = ?",
                hex_list(&ours)
            );
            let rows: Vec<Row> = tx.query(filled(&sql, &[lane.into()])).await?;
            for row in &rows {
                let owner = owner(&Reader::new("message", row, ""))?;
                by_ours.insert(owner.id, owner);
            }
        }
        let is_known = |r: &Receipt| r.message_id.is_some_and(|id| by_ours.contains_key(&id));
        let theirs: Vec<String> = some.iter().filter(|r| !is_known(r)).map(|r| provider_key(&r.provider_id)).collect();
        let mut by_theirs: HashMap<String, Owner> = HashMap::new();
        if !theirs.is_empty() {
            let (marks, mut values) = in_list(theirs.iter().map(|id| Value::from(id.as_str())).collect());
            let sql = format!(
                "SELECT id, provider_id, state, reason FROM message WHERE provider_id IN ({marks}) AND lane = ?"
            );
            values.push(lane.into());
            let rows: Vec<Row> = tx.exec(sql, values).await?;
            for row in &rows {
                let reader = Reader::new("message", row, "");
                let id = reader.get::<Option<String>>("provider_id")?;
                let owner = owner(&reader)?;
                by_theirs.extend(id.map(|id| (id, owner)));
            }
        }
        owners.extend(some.iter().map(|r| {
            let ours = r.message_id.and_then(|id| by_ours.get(&id));
            ours.or_else(|| by_theirs.get(&provider_key(&r.provider_id))).cloned()
        }));
    }
    Ok(owners)
}

fn owner(reader: &Reader<'_>) -> Result<Owner, StoreError> {
    Ok(Owner { id: message_id(reader, "id")?, state: reader.get("state")?, reason: reader.get("reason")? })
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
    let sql = format!(
        "SELECT o.message_id, o.attempts = 0 AND m.created_at > COALESCE((SELECT restored_at FROM restore_watch \
         WHERE id = 1), '1970-01-01') AS untried FROM outbox o JOIN message m ON m.id = o.message_id \
         WHERE o.state IN ('unknown', 'queued', 'held') AND o.lane = ? AND o.message_id IN ({list}) FOR UPDATE"
    );
    let rows: Vec<Row> = tx.query(filled(&sql, &[lane.into()])).await?;
    let mut never_sent = 0;
    for row in &rows {
        let reader = Reader::new("outbox", row, "");
        never_sent += usize::from(reader.get::<u8>("untried")? == 1);
        settle_as_sent(tx, message_id(&reader, "message_id")?).await?;
    }
    Ok(never_sent)
}

/// Messages that were given up as unknown, and of which it is known after all that they were sent.
async fn prove_given_up(tx: &mut Transaction<'_>, owners: &[Option<Owner>]) -> Result<(), StoreError> {
    let unknown = Reason::OutcomeUnknown.code();
    let given_up = |one: &&Owner| one.state == "failed" && one.reason.as_deref() == Some(unknown);
    let ids: Vec<MessageId> = owners.iter().flatten().filter(given_up).map(|one| one.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE message SET state = 'sent', reason = NULL, state_at = receipt_at \
         WHERE id IN ({}) AND state = 'failed' AND reason = ? AND receipt <> 'failed'",
        hex_list(&ids)
    );
    Ok(tx.exec_drop(sql, (unknown,)).await?)
}

/// The provider's code for a message that it could not deliver: no WhatsApp behind the number, or terms not accepted.
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
