//! Owns: a transaction that several functions of this room share. Whoever begins it commits it; dropped, it is rolled back.

use mysql_async::Transaction;

use super::row::transaction;
use super::{Store, StoreError};

/// An open transaction.
#[derive(Debug)]
pub struct Tx(pub(super) Transaction<'static>);

impl Store {
    /// Begins a transaction.
    ///
    /// # Errors
    /// No connection.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.database().transaction(transaction()).await?))
    }
}

impl Tx {
    /// # Errors
    /// The database: nothing of the transaction is there then.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}
