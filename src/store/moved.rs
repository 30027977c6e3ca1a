//! Owns: numbers that their users gave up, so that nothing is written to whoever gets them next.

use std::collections::HashSet;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{Reader, at, in_list, marks, transaction};
use super::{Store, StoreError};
use crate::domain::phone::E164;

/// Rows that are listed at most.
const LISTED_MAX: usize = 200;

/// A number that was given up.
#[derive(Clone, Debug)]
pub struct Moved {
    pub from: E164,
    /// `None`: the provider did not say.
    pub to: Option<E164>,
    pub at: Timestamp,
    /// An operator has taken note.
    pub noted: bool,
}

/// Marks a number, in all its spellings; and unmarks the new one, whose user may have come back to it. An older report does not
/// undo a newer one.
///
/// # Errors
/// The database.
pub async fn record(store: &Store, from: &[E164], to: &[E164], when: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_batch(
            "INSERT INTO moved_number (recipient, main, moved_to, at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
             moved_to = IF(VALUES(at) > at, VALUES(moved_to), moved_to), \
             noted_at = IF(VALUES(at) > at, NULL, noted_at), at = GREATEST(at, VALUES(at))",
            from.iter()
                .enumerate()
                .map(|(place, one)| (one.as_str(), place == 0, to.first().map(E164::as_str), at(when))),
        )
        .await?;
        if !to.is_empty() {
            let sql = format!("DELETE FROM moved_number WHERE at <= ? AND recipient IN ({})", marks(to.len()));
            let mut values = vec![at(when)];
            values.extend(to.iter().map(|one| Value::from(one.as_str())));
            tx.exec_drop(sql, values).await?;
        }
        Ok(tx.commit().await?)
    })
    .await
}

/// Which of `recipients` were given up.
///
/// # Errors
/// The database.
pub async fn moved(store: &Store, recipients: &[E164]) -> Result<HashSet<E164>, StoreError> {
    if recipients.is_empty() {
        return Ok(HashSet::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let (marks, values) = in_list(recipients.iter().map(|to| Value::from(to.as_str())).collect());
        let sql = format!("SELECT recipient FROM moved_number WHERE recipient IN ({marks})");
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        rows.iter().map(|row| Ok(Reader::new("moved_number", row, "").parse("recipient", E164::trusted)?)).collect()
    })
    .await
}

/// Where the users of `recipients` went, as far as the provider said.
///
/// # Errors
/// The database.
pub async fn targets(store: &Store, recipients: &[E164]) -> Result<Vec<E164>, StoreError> {
    if recipients.is_empty() {
        return Ok(Vec::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let list = marks(recipients.len());
        let sql =
            format!("SELECT DISTINCT moved_to FROM moved_number WHERE moved_to IS NOT NULL AND recipient IN ({list})");
        let values: Vec<Value> = recipients.iter().map(|to| Value::from(to.as_str())).collect();
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        rows.iter().map(|row| Ok(Reader::new("moved_number", row, "").parse("moved_to", E164::trusted)?)).collect()
    })
    .await
}

/// Those that were given up, the ones of which nobody took note first, then the newest.
///
/// # Errors
/// The database.
pub async fn all(store: &Store) -> Result<Vec<Moved>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT recipient, moved_to, at, noted_at IS NOT NULL AS noted FROM moved_number WHERE main \
             ORDER BY noted_at IS NOT NULL, at DESC LIMIT {LISTED_MAX}"
        );
        let rows: Vec<Row> = connection.query(sql).await?;
        let read = |row: &Row| {
            let reader = Reader::new("moved_number", row, "");
            let to: Option<String> = reader.get("moved_to")?;
            Ok(Moved {
                from: reader.parse("recipient", E164::trusted)?,
                to: to.as_deref().and_then(E164::trusted),
                at: reader.time("at")?,
                noted: reader.get("noted")?,
            })
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// How many there are of which nobody took note.
///
/// # Errors
/// The database.
pub async fn open(store: &Store) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let n: Option<u64> =
            connection.query_first("SELECT COUNT(*) FROM moved_number WHERE main AND noted_at IS NULL").await?;
        Ok(n.unwrap_or_default())
    })
    .await
}

/// Takes note of one, in all its spellings, with the record of it. Returns whether there is such a mark.
///
/// # Errors
/// The database; then nothing is changed.
pub async fn note(store: &Store, from: &[E164], record: &Record<'_>) -> Result<bool, StoreError> {
    let sql = format!("UPDATE moved_number SET noted_at = ? WHERE recipient IN ({})", marks(from.len()));
    change(store, sql, Some(at(record.now)), from, record).await
}

/// Takes the mark away, with the record of it. Returns whether there was one.
///
/// # Errors
/// The database; then nothing is changed.
pub async fn unmark(store: &Store, from: &[E164], record: &Record<'_>) -> Result<bool, StoreError> {
    let sql = format!("DELETE FROM moved_number WHERE recipient IN ({})", marks(from.len()));
    change(store, sql, None, from, record).await
}

async fn change(
    store: &Store,
    sql: String,
    first: Option<Value>,
    from: &[E164],
    record: &Record<'_>,
) -> Result<bool, StoreError> {
    let values: Vec<Value> = first.into_iter().chain(from.iter().map(|one| Value::from(one.as_str()))).collect();
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(sql.as_str(), values.clone()).await?;
        let changed = tx.affected_rows() > 0;
        if changed {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(changed)
    })
    .await
}
