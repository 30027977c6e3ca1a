//! Owns: what administrators set of a sending number while it runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::{Reader, at, cut};
use super::{Store, StoreError, Tx};

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
    tx: &mut Tx,
    lane: &str,
    per_second: Option<u32>,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO lane_setting (lane, rate_per_s, at, who) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
               rate_per_s = VALUES(rate_per_s), at = VALUES(at), who = VALUES(who)";
    Ok(tx.0.exec_drop(sql, (lane, per_second, at(now), cut(by, 100))).await?)
}
