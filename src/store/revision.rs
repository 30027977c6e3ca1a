//! Owns: the number that rises with every change that running instances must take over.

use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::Reader;
use super::{Store, StoreError};

/// Raises the number: something changed.
pub(super) const RAISE: &str = "UPDATE revision SET number = number + 1 WHERE id = 1";

/// Held until the transaction ends, it keeps operations one after another that look first and then act.
pub(super) const ALONE: &str = "SELECT number FROM revision WHERE id = 1 FOR UPDATE";

/// The number now.
///
/// # Errors
/// The database.
pub async fn current(store: &Store) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection.query_first("SELECT number FROM revision WHERE id = 1").await?;
        row.map_or(Ok(0), |row| Ok(Reader::new("revision", &row, "1").get("number")?))
    })
    .await
}
