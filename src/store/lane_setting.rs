//! Owns: what administrators set of a sending number while it runs.

use std::collections::BTreeMap;

use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::audit::Record;
use super::pool::bounded;
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};

/// The pace of numbers that have another than the configured one, in messages per second.
pub type Paces = BTreeMap<String, u32>;

/// All paces that were set.
///
/// # Errors
/// The database.
pub async fn paces(store: &Store) -> Result<Paces, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> =
            connection.query("SELECT lane, rate_per_s FROM lane_setting WHERE rate_per_s IS NOT NULL").await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("lane_setting", row, "");
                Ok((reader.get("lane")?, reader.get("rate_per_s")?))
            })
            .collect()
    })
    .await
}

/// Sets a pace; `None`: as configured.
///
/// # Errors
/// The database.
pub async fn set_pace(
    store: &Store,
    lane: &str,
    per_second: Option<u32>,
    record: &Record<'_>,
) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let sql = "INSERT INTO lane_setting (lane, rate_per_s, at, who) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
                   rate_per_s = VALUES(rate_per_s), at = VALUES(at), who = VALUES(who)";
        tx.exec_drop(sql, (lane, per_second, at(record.now), cut(&record.who.name, 100))).await?;
        record.write(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}
