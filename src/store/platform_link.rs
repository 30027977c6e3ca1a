//! Owns: the platform's one-time links: which were used, and whose account each opens.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;

use super::account::{self, Account};
use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{at, transaction};
use super::{Store, StoreError};
use crate::domain::admin::{Role, name_key};

/// Uses a link up; it is remembered until `until`. False: it was used before.
///
/// # Errors
/// The database.
pub async fn use_up(store: &Store, id: &str, until: Timestamp) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("INSERT IGNORE INTO sso_used (id, until_at) VALUES (?, ?)", (id, at(until))).await?;
        Ok(connection.affected_rows() == 1)
    })
    .await
}

/// The account of the platform's administrator `platform_id`.
///
/// # Errors
/// The database.
pub async fn account_of(store: &Store, platform_id: u64) -> Result<Option<Account>, StoreError> {
    account::one(store, "platform_id", platform_id.into()).await
}

/// Makes the account of somebody who comes from the platform, with the record of it.
///
/// # Errors
/// The database; [`StoreError::is_duplicate`] if the name or the person is there already. Then nothing is there.
pub async fn create(
    store: &Store,
    platform_id: u64,
    name: &str,
    role: Role,
    record: &Record<'_>,
) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
            "INSERT INTO admin (name, name_key, role, created_at, created_by, platform_id) \
             VALUES (?, ?, ?, ?, 'platform', ?)",
            (name, name_key(name), role.code(), at(record.now), platform_id),
        )
        .await?;
        record.write(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
