//! Owns: how often somebody failed to log in lately.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError};

/// Failures of `subject`, and the last one.
///
/// # Errors
/// The database.
pub async fn failures(store: &Store, subject: &str) -> Result<Option<(u32, Timestamp)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT failures, last_at FROM login_failure WHERE subject = ?";
        let row: Option<Row> = connection.exec_first(sql, (subject,)).await?;
        row.map(|row| {
            let reader = Reader::new("login_failure", &row, "");
            Ok((reader.get("failures")?, reader.time("last_at")?))
        })
        .transpose()
    })
    .await
}

/// Counts one more. What is older than `forgotten` does not count any longer.
///
/// # Errors
/// The database.
pub async fn count(store: &Store, subject: &str, now: Timestamp, forgotten: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "INSERT INTO login_failure (subject, failures, last_at) VALUES (?, 1, ?) ON DUPLICATE KEY UPDATE \
                 failures = IF(last_at < ?, 1, failures + 1), last_at = VALUES(last_at)",
                (subject, at(now), at(forgotten)),
            )
            .await?;
        connection.exec_drop("DELETE FROM login_failure WHERE last_at < ? LIMIT 100", (at(forgotten),)).await?;
        Ok(())
    })
    .await
}

/// He got in: what was before does not matter.
///
/// # Errors
/// The database.
pub async fn forget(store: &Store, subject: &str) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("DELETE FROM login_failure WHERE subject = ?", (subject,)).await?;
        Ok(())
    })
    .await
}
