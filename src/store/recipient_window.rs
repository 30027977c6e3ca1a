//! Owns: who was written to within the last 24 hours, for the provider's limit of different recipients.

use jiff::{SignedDuration, Timestamp};
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError};
use crate::domain::phone::E164;

/// The provider's moving window.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Recipients of a portfolio since `since`, with the time of the last message.
///
/// # Errors
/// The database.
pub async fn recent(store: &Store, portfolio: &str, since: Timestamp) -> Result<Vec<(E164, Timestamp)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec("SELECT recipient, at FROM contacted WHERE portfolio = ? AND at > ?", (portfolio, at(since)))
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("contacted", row, "");
                Ok((reader.parse("recipient", E164::trusted)?, reader.time("at")?))
            })
            .collect()
    })
    .await
}

/// How many recipients of a portfolio there were since `since`, counted up to `max`.
///
/// # Errors
/// The database.
pub async fn count(store: &Store, portfolio: &str, since: Timestamp, max: u32) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM contacted WHERE portfolio = ? AND at > ? LIMIT ?) AS recent";
        Ok(connection.exec_first(sql, (portfolio, at(since), max)).await?.unwrap_or(0))
    })
    .await
}
