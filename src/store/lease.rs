//! Owns: which instance may send for a portfolio's numbers. The row holds no time: an owner lives while its `beat` rises,
//! and every watcher measures that by its own clock, so that no two machines' clocks need to agree. The fence rises
//! with each owner; a claim must match it.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Transaction};

use super::pool::{bounded, retried};
use super::row::{Reader, at};
use super::{Store, StoreError};

/// A lease as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `None`: given back, free to take.
    pub owner: Option<String>,
    pub fence: u64,
    pub beat: u64,
}

/// Who claims: the lease's name, the owner, and the fence it was taken with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub name: String,
    pub owner: String,
    pub fence: u64,
}

/// The lease as it stands; `None` when nobody ever held it.
///
/// # Errors
/// The database.
pub async fn look(store: &Store, name: &str) -> Result<Option<Seen>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> =
            connection.exec_first("SELECT owner, fence, beat FROM lease WHERE name = ?", (name,)).await?;
        row.map(|row| {
            let reader = Reader::new("lease", &row, name);
            Ok(Seen { owner: reader.get("owner")?, fence: reader.get("fence")?, beat: reader.get("beat")? })
        })
        .transpose()
    })
    .await
}

/// Takes the lease if it still stands as it was `seen`. Returns the new fence, or `None` when somebody was faster.
///
/// # Errors
/// The database.
pub async fn take(
    store: &Store,
    name: &str,
    owner: &str,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let fence = seen.map_or(1, |seen| seen.fence + 1);
    retried(|| async {
        let mut connection = store.connection().await?;
        match seen {
            None => {
                connection
                    .exec_drop(
                        "INSERT IGNORE INTO lease (name, owner, fence, beat, taken_at) VALUES (?, ?, ?, 0, ?)",
                        (name, owner, fence, at(now)),
                    )
                    .await?;
            }
            Some(seen) => {
                connection
                    .exec_drop(
                        "UPDATE lease SET owner = ?, fence = ?, beat = 0, taken_at = ? \
                         WHERE name = ? AND fence = ? AND beat = ? AND owner <=> ?",
                        (owner, fence, at(now), name, seen.fence, seen.beat, &seen.owner),
                    )
                    .await?;
            }
        }
        Ok((connection.affected_rows() == 1).then_some(fence))
    })
    .await
}

/// Shows that the owner lives. Returns false when the lease is lost.
///
/// # Errors
/// The database; then nobody knows, and the owner's time runs on.
pub async fn keep(store: &Store, holder: &Holder) -> Result<bool, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        beat(&mut connection, holder).await
    })
    .await
}

async fn beat(connection: &mut Conn, holder: &Holder) -> Result<bool, StoreError> {
    connection.exec_drop(BEAT, (&holder.name, &holder.owner, holder.fence)).await?;
    Ok(connection.affected_rows() == 1)
}

const BEAT: &str = "UPDATE lease SET beat = beat + 1 WHERE name = ? AND owner = ? AND fence = ?";

/// The same within a transaction. It *writes* the row, so that on a cluster whose nodes know nothing of each other's locks
/// (Galera) the transaction of a lost owner fails at its commit.
pub(super) async fn prove(tx: &mut Transaction<'_>, holder: &Holder) -> Result<(), StoreError> {
    tx.exec_drop(BEAT, (&holder.name, &holder.owner, holder.fence)).await?;
    let changed = tx.affected_rows();
    if changed == 1 { Ok(()) } else { Err(StoreError::Guard { what: "keep a lease", expected: 1, changed }) }
}

/// Gives the lease back, so that the next instance need not wait.
///
/// # Errors
/// The database; then the others wait until they see that the owner is silent.
pub async fn give_back(store: &Store, holder: &Holder) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE lease SET owner = NULL WHERE name = ? AND owner = ? AND fence = ?",
                (&holder.name, &holder.owner, holder.fence),
            )
            .await?;
        Ok(())
    })
    .await
}

/// All leases: name, owner, fence, and since when.
///
/// # Errors
/// The database.
pub async fn all(store: &Store) -> Result<Vec<(String, Option<String>, u64, Timestamp)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.query("SELECT name, owner, fence, taken_at FROM lease ORDER BY name").await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("lease", row, "");
                Ok((reader.get("name")?, reader.get("owner")?, reader.get("fence")?, reader.time("taken_at")?))
            })
            .collect()
    })
    .await
}
