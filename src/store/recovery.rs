//! Owns: the codes that open an account once each, for whoever lost the phone. The table holds an HMAC of each.

use mysql_async::prelude::Queryable;
use mysql_async::{Params, Transaction, Value};

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{at, transaction};
use super::{Store, StoreError};

/// Puts `codes` in the place of those that there were.
pub(super) async fn put(tx: &mut Transaction<'_>, admin_id: u64, codes: &[Vec<u8>]) -> Result<(), StoreError> {
    tx.exec_drop("DELETE FROM admin_recovery WHERE admin_id = ?", (admin_id,)).await?;
    if !codes.is_empty() {
        let rows = vec!["(?, ?)"; codes.len()].join(", ");
        let values: Vec<Value> = codes.iter().flat_map(|code| [admin_id.into(), code.into()]).collect();
        let sql = format!("INSERT INTO admin_recovery (admin_id, code) VALUES {rows}");
        tx.exec_drop(sql, Params::Positional(values)).await?;
    }
    Ok(())
}

/// Uses a code up, with the record of it. False: there is none like it that was not used.
///
/// # Errors
/// The database; then it is not used.
pub async fn use_up(store: &Store, admin_id: u64, code: &[u8], record: &Record<'_>) -> Result<bool, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let sql = "UPDATE admin_recovery SET used_at = ? WHERE admin_id = ? AND code = ? AND used_at IS NULL";
        tx.exec_drop(sql, (at(record.now), admin_id, code)).await?;
        let used = tx.affected_rows() == 1;
        if used {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(used)
    })
    .await
}

/// How many are left.
///
/// # Errors
/// The database.
pub async fn left(store: &Store, admin_id: u64) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT COUNT(*) FROM admin_recovery WHERE admin_id = ? AND used_at IS NULL";
        Ok(connection.exec_first::<u64, _, _>(sql, (admin_id,)).await?.unwrap_or_default())
    })
    .await
}
