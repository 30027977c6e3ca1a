//! Owns: the secrets of sources that administrators made, sealed. What is over is not kept: only that it was there.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::audit::Record;
use super::pool::bounded;
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};

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

/// Writes a new secret of `source`; those before it end at `old_until`, if they do not end earlier.
///
/// # Errors
/// The database.
pub async fn rotate<'a>(
    store: &Store,
    (source, sealed): (&str, &[u8]),
    by: &str,
    old_until: Timestamp,
    record: impl Fn(u64) -> Record<'a> + Sync,
    now: Timestamp,
) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
            "UPDATE source_secret SET until_at = ? WHERE source = ? AND (until_at IS NULL OR until_at > ?)",
            (at(old_until), source, at(old_until)),
        )
        .await?;
        tx.exec_drop("UPDATE source_secret SET sealed = '' WHERE source = ? AND until_at <= ?", (source, at(now)))
            .await?;
        tx.exec_drop(
            "INSERT INTO source_secret (source, sealed, made_at, made_by) VALUES (?, ?, ?, ?)",
            (source, sealed, at(now), cut(by, 100)),
        )
        .await?;
        let id = tx.last_insert_id().unwrap_or_default();
        record(id).write(&mut tx).await?;
        tx.commit().await?;
        Ok(id)
    })
    .await
}

/// Ends a secret now. False: there is none that is valid.
///
/// # Errors
/// The database.
pub async fn end(store: &Store, id: u64, record: &Record<'_>, now: Timestamp) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let sql =
            "UPDATE source_secret SET until_at = ?, sealed = '' WHERE id = ? AND (until_at IS NULL OR until_at > ?)";
        tx.exec_drop(sql, vec![at(now), Value::from(id), at(now)]).await?;
        let ended = tx.affected_rows() == 1;
        if ended {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(ended)
    })
    .await
}
