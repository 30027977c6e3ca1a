//! Owns: what the provider reported. A status only rises; a receipt of an unknown message is kept, since it may overtake
//! the answer that names it.

use std::collections::HashSet;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::outbox::{key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, marks, transaction};
use super::unknown::settle_as_sent;
use super::{Store, StoreError, restored};
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::domain::receipt::{Receipt, ReceiptStatus};
use crate::road::{Step, mark};

/// Stores a webhook's receipts in one transaction and raises the messages they belong to.
///
/// # Errors
/// The database; then the provider sends them again.
pub async fn record(store: &Store, receipts: &[Receipt], now: Timestamp) -> Result<(), StoreError> {
    if receipts.is_empty() {
        return Ok(());
    }
    // One order for all, so that concurrent webhooks do not lock each other out.
    let mut receipts: Vec<&Receipt> = receipts.iter().collect();
    receipts.sort_by(|a, b| (a.message_id, &a.provider_id, a.status).cmp(&(b.message_id, &b.provider_id, b.status)));
    let never_sent = retried(|| record_once(store, &receipts, now)).await?;
    if never_sent > 0 {
        let sign = "the provider reports messages that were never sent, as far as the schema knows";
        let held = restored::hold(store, sign, now).await?;
        tracing::error!(held, "the bridge's schema was restored from an older dump: see `hookbridge restored show`");
    }
    Ok(())
}

async fn record_once(store: &Store, receipts: &[&Receipt], now: Timestamp) -> Result<usize, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    // By our own id where the provider gave it back, by his otherwise. Foreign ids find no row, and that is fine.
    let (ours, theirs): (Vec<&Receipt>, Vec<&Receipt>) = receipts.iter().copied().partition(|r| r.message_id.is_some());
    if !ours.is_empty() {
        tx.exec_batch(
            "UPDATE message SET receipt_at = ?, provider_id = COALESCE(provider_id, ?), receipt = ? \
             WHERE id = ? AND COALESCE(receipt + 0, 0) < ?",
            ours.iter()
                .map(|r| (at(r.at), cut(&r.provider_id, 191), r.status.code(), r.message_id.map(key), rank(r.status))),
        )
        .await?;
    }
    if !theirs.is_empty() {
        tx.exec_batch(
            "UPDATE message SET receipt_at = ?, receipt = ? WHERE provider_id = ? AND COALESCE(receipt + 0, 0) < ?",
            theirs.iter().map(|r| (at(r.at), r.status.code(), cut(&r.provider_id, 191), rank(r.status))),
        )
        .await?;
    }
    for failed in receipts.iter().filter(|r| r.status == ReceiptStatus::Failed) {
        tx.exec_drop(
            "UPDATE message SET reason = ?, detail = ? WHERE (id = ? OR provider_id = ?) AND receipt = 'failed'",
            (
                Reason::Refused.code(),
                failed.detail.as_deref().map(|detail| cut(detail, 500)),
                failed.message_id.map(key),
                cut(&failed.provider_id, 191),
            ),
        )
        .await?;
    }
    tx.exec_batch(
        "INSERT INTO receipt (provider_id, status, at, received_at, message_id, code, detail, category) \
         VALUES (?, ?, ?, ?, COALESCE(?, (SELECT id FROM message WHERE provider_id = ? LIMIT 1)), ?, ?, ?) \
         ON DUPLICATE KEY UPDATE category = COALESCE(category, VALUES(category))",
        receipts.iter().map(|r| {
            (
                cut(&r.provider_id, 191),
                r.status.code(),
                at(r.at),
                at(now),
                r.message_id.map(key),
                cut(&r.provider_id, 191),
                r.code,
                r.detail.as_deref().map(|detail| cut(detail, 500)),
                r.category.as_deref().map(|category| cut(category, 48)),
            )
        }),
    )
    .await?;
    let never_sent = prove_waiting(&mut tx, &ours).await?;
    mark(Step::Recording);
    tx.commit().await?;
    Ok(never_sent)
}

/// A message that waits, and has a receipt, was taken by the provider: it is sent, and leaves the queue. Returns how many of them
/// were never tried, as far as our tables know, and were queued since the schema was last found to be restored.
async fn prove_waiting(tx: &mut mysql_async::Transaction<'_>, ours: &[&Receipt]) -> Result<usize, StoreError> {
    if ours.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = ours.iter().filter_map(|r| r.message_id).collect();
    let list = super::outbox::hex_list(&ids);
    let rows: Vec<mysql_async::Row> = tx
        .query(format!(
            "SELECT o.message_id, o.attempts = 0 AND m.created_at > COALESCE((SELECT restored_at FROM restore_watch \
             WHERE id = 1), '1970-01-01') AS untried FROM outbox o JOIN message m ON m.id = o.message_id \
             WHERE o.state IN ('unknown', 'queued', 'held') AND o.message_id IN ({list}) FOR UPDATE"
        ))
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
             WHERE id IN ({list}) AND state = 'failed' AND reason = ? AND receipt <> 'failed'"
        ),
        (Reason::OutcomeUnknown.code(),),
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
