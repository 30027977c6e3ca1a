//! Owns: how often somebody guessed lately. A try is counted before it is looked at, so that many at once are many tries.

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};

use super::pool::{bounded, retried};
use super::row::{Reader, at, marks, transaction};
use super::{Store, StoreError, Tx};

/// A counter as it stood before a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub subject: String,
    pub failures: u32,
    pub last_at: Timestamp,
}

/// Counts one try against each of `subjects`, unless `wait` says of one of them how long it must wait; then nothing is counted,
/// and the longest wait is the inner error. What is older than `forgotten` counts as nothing.
///
/// All in one transaction, each row locked in the subjects' order, which must be the same for everybody: sorted.
///
/// # Errors
/// The database.
pub async fn take(
    store: &Store,
    subjects: &[String],
    now: Timestamp,
    forgotten: Timestamp,
    wait: impl Fn(&Past) -> Option<SignedDuration>,
) -> Result<Result<Vec<Past>, SignedDuration>, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        // Locks the rows that are there, and makes the others: a plain read first would lock gaps, and lose a deadlock.
        let rows = vec!["(?, 0, ?)"; subjects.len()].join(", ");
        let sql = format!(
            "INSERT INTO login_failure (subject, failures, last_at) VALUES {rows} ON DUPLICATE KEY UPDATE \
             failures = failures"
        );
        let values: Vec<Value> = subjects.iter().flat_map(|one| [one.into(), at(now)]).collect();
        tx.exec_drop(sql, Params::Positional(values)).await?;
        let names: Vec<Value> = subjects.iter().map(Into::into).collect();
        let sql = format!(
            "SELECT subject, failures, last_at FROM login_failure WHERE subject IN ({}) FOR UPDATE",
            marks(subjects.len())
        );
        let found: Vec<Row> = tx.exec(sql, Params::Positional(names.clone())).await?;
        let past = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let longest = past.iter().filter(|one| one.last_at >= forgotten).filter_map(&wait).max();
        if let Some(longest) = longest {
            tx.rollback().await?;
            return Ok(Err(longest));
        }
        let sql = format!(
            "UPDATE login_failure SET failures = IF(last_at < ?, 1, failures + 1), last_at = ? WHERE subject IN ({})",
            marks(subjects.len())
        );
        let values = [at(forgotten), at(now)].into_iter().chain(names).collect();
        tx.exec_drop(sql, Params::Positional(values)).await?;
        tx.commit().await?;
        Ok(Ok(past))
    })
    .await
}

fn read(row: &Row) -> Result<Past, StoreError> {
    let reader = Reader::new("login_failure", row, "");
    Ok(Past { subject: reader.get("subject")?, failures: reader.get("failures")?, last_at: reader.time("last_at")? })
}

/// The try of `taken_at` was right: it does not count against a counter that stood as `past`.
///
/// # Errors
/// The database.
pub async fn give_back(store: &Store, past: &Past, taken_at: Timestamp) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE login_failure SET last_at = IF(last_at = ?, ?, last_at), failures = failures - 1 \
                 WHERE subject = ? AND failures > 0",
                (at(taken_at), at(past.last_at), &past.subject),
            )
            .await?;
        Ok(())
    })
    .await
}

/// What was before does not matter any longer.
///
/// # Errors
/// The database.
pub async fn forget(store: &Store, subject: &str) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection.exec_drop("DELETE FROM login_failure WHERE subject = ?", (subject,)).await?;
        Ok(())
    })
    .await
}

/// The same for `subject` and all `subject@…`.
///
/// # Errors
/// The database.
pub async fn forget_all(tx: &mut Tx, subject: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM login_failure WHERE subject = ? OR subject LIKE CONCAT(?, '@%')";
    Ok(tx.0.exec_drop(sql, (subject, subject)).await?)
}

/// Removes counters that were last raised before `forgotten`.
///
/// # Errors
/// The database.
pub async fn sweep(store: &Store, forgotten: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("DELETE FROM login_failure WHERE last_at < ? LIMIT 1000", (at(forgotten),)).await?;
        Ok(())
    })
    .await
}
