//! Owns: the secrets of sources that administrators made, sealed. What is over is not kept: only that it was there.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::{Reader, at, cut};
use super::{Store, StoreError, Tx};

/// One secret.
#[derive(Clone)]
pub struct SourceSecret {
    pub id: u64,
    pub source: String,
    /// Empty once it is over.
    pub sealed: Vec<u8>,
    pub made_at: Timestamp,
    pub made_by: String,
    /// `None`: until somebody ends it or makes the next one.
    pub until: Option<Timestamp>,
}

impl std::fmt::Debug for SourceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceSecret").field("id", &self.id).field("source", &self.source).finish_non_exhaustive()
    }
}

impl SourceSecret {
    /// Whether requests signed with it are believed at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// All of them, newest first, those that are over too.
///
/// # Errors
/// The database.
pub async fn all(store: &Store) -> Result<Vec<SourceSecret>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql =
            "SELECT id, source, sealed, made_at, made_by, until_at FROM source_secret ORDER BY id DESC LIMIT 1000";
        let rows: Vec<Row> = connection.query(sql).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("source_secret", row, "");
                Ok(SourceSecret {
                    id: reader.get("id")?,
                    source: reader.get("source")?,
                    sealed: reader.get("sealed")?,
                    made_at: reader.time("made_at")?,
                    made_by: reader.get("made_by")?,
                    until: reader.optional_time("until_at")?,
                })
            })
            .collect()
    })
    .await
}

/// Writes a new secret of `source`; those before it end at `old_until`, if they do not end earlier. Its number.
///
/// # Errors
/// The database.
pub async fn rotate(
    tx: &mut Tx,
    (source, sealed): (&str, &[u8]),
    by: &str,
    old_until: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let ends = "UPDATE source_secret SET until_at = ? WHERE source = ? AND (until_at IS NULL OR until_at > ?)";
    tx.0.exec_drop(ends, (at(old_until), source, at(old_until))).await?;
    let over = "UPDATE source_secret SET sealed = '' WHERE source = ? AND until_at <= ?";
    tx.0.exec_drop(over, (source, at(now))).await?;
    let new = "INSERT INTO source_secret (source, sealed, made_at, made_by) VALUES (?, ?, ?, ?)";
    tx.0.exec_drop(new, (source, sealed, at(now), cut(by, 100))).await?;
    Ok(tx.0.last_insert_id().unwrap_or_default())
}

/// Ends a secret now. Its source; `None`: there is none that is valid.
///
/// # Errors
/// The database.
pub async fn end(tx: &mut Tx, id: u64, now: Timestamp) -> Result<Option<String>, StoreError> {
    let sql = "UPDATE source_secret SET until_at = ?, sealed = '' WHERE id = ? AND (until_at IS NULL OR until_at > ?)";
    tx.0.exec_drop(sql, (at(now), id, at(now))).await?;
    if tx.0.affected_rows() == 0 {
        return Ok(None);
    }
    Ok(tx.0.exec_first("SELECT source FROM source_secret WHERE id = ?", (id,)).await?)
}
