//! Owns: hookpoints and texts as administrators saved them, every version with who and when.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::closed_list::closed_list;
closed_list! {
    /// What has versions.
    Kind {
        /// Named by its id, e.g. `invoice_created`.
        Hookpoint = "hookpoint",
        /// Named by alert and language, e.g. `invoice_created.es_AR`.
        Template = "template",
    }
}

/// One version.
#[derive(Clone, Debug)]
pub struct Version {
    pub id: u64,
    pub name: String,
    /// TOML. `None`: back to what is built in, or deleted.
    pub content: Option<String>,
    pub at: Timestamp,
    pub who: String,
    pub note: String,
    /// In force while it is the newest one of its name that is. One that is not is a draft.
    pub live: bool,
}

fn read(row: &Row) -> Result<Version, StoreError> {
    let reader = Reader::new("version", row, "");
    Ok(Version {
        id: reader.get("id")?,
        name: reader.get("name")?,
        content: reader.get("content")?,
        at: reader.time("at")?,
        who: reader.get("who")?,
        note: reader.get("note")?,
        live: reader.get::<i64>("live")? != 0,
    })
}

/// The newest version of every name.
///
/// # Errors
/// The database.
pub async fn newest(store: &Store, kind: Kind) -> Result<Vec<Version>, StoreError> {
    newest_of(store, kind, "").await
}

/// The version of every name that is in force.
///
/// # Errors
/// The database.
pub async fn in_force(store: &Store, kind: Kind) -> Result<Vec<Version>, StoreError> {
    newest_of(store, kind, "AND live").await
}

/// Puts a draft in force, if it is still the newest version of its name. Returns whether it is.
///
/// # Errors
/// The database.
pub async fn go_live(store: &Store, draft: &Version, kind: Kind, record: &Record<'_>) -> Result<bool, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
            "UPDATE version v JOIN (SELECT MAX(id) AS id FROM version WHERE kind = ? AND name = ?) n ON n.id = v.id \
             SET v.live = TRUE WHERE v.id = ? AND NOT v.live",
            (kind.code(), &draft.name, draft.id),
        )
        .await?;
        let is_live = tx.affected_rows() == 1;
        if is_live {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(is_live)
    })
    .await
}

async fn newest_of(store: &Store, kind: Kind, and: &str) -> Result<Vec<Version>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT v.id, v.name, v.content, v.at, v.who, v.note, v.live FROM version v JOIN (SELECT MAX(id) AS id \
             FROM version WHERE kind = ? {and} GROUP BY name) n ON n.id = v.id ORDER BY v.name"
        );
        let rows: Vec<Row> = connection.exec(sql, (kind.code(),)).await?;
        rows.iter().map(read).collect()
    })
    .await
}

/// The versions of one name, newest first.
///
/// # Errors
/// The database.
pub async fn history(store: &Store, kind: Kind, name: &str, limit: usize) -> Result<Vec<Version>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT id, name, content, at, who, note, live FROM version WHERE kind = ? AND name = ? ORDER BY id DESC LIMIT {limit}"
        );
        let rows: Vec<Row> = connection.exec(sql, (kind.code(), name)).await?;
        rows.iter().map(read).collect()
    })
    .await
}

/// What is saved.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    pub name: &'a str,
    pub content: Option<&'a str>,
    pub who: &'a str,
    pub note: &'a str,
    /// In force at once, or a draft.
    pub live: bool,
    pub now: Timestamp,
}

/// Saves a version, if `based_on` (0: none) is still the newest one, with what `record` says of it. `None`: somebody else was
/// faster. Of two who save at the same moment the second finds the key of what both are based on taken, on a cluster too.
///
/// # Errors
/// The database.
pub async fn save<'a>(
    store: &Store,
    kind: Kind,
    new: New<'_>,
    based_on: u64,
    record: impl Fn(u64) -> Record<'a> + Sync,
) -> Result<Option<u64>, StoreError> {
    let saved = retried(|| save_once(store, kind, new, based_on, &record)).await;
    match saved {
        Err(error) if error.is_duplicate() => Ok(None),
        saved => saved,
    }
}

async fn save_once<'a>(
    store: &Store,
    kind: Kind,
    new: New<'_>,
    based_on: u64,
    record: &(impl Fn(u64) -> Record<'a> + Sync),
) -> Result<Option<u64>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let sql = "SELECT id FROM version WHERE kind = ? AND name = ? ORDER BY id DESC LIMIT 1 FOR UPDATE";
    let row: Option<Row> = tx.exec_first(sql, (kind.code(), new.name)).await?;
    let newest = row.map_or(Ok(0), |row| Reader::new("version", &row, "").get::<u64>("id"))?;
    if newest != based_on {
        return Ok(None);
    }
    tx.exec_drop(
        "INSERT INTO version (kind, name, content, at, who, note, live, based_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (kind.code(), new.name, new.content, at(new.now), cut(new.who, 100), cut(new.note, 300), new.live, based_on),
    )
    .await?;
    let id = tx.last_insert_id().unwrap_or_default();
    record(id).write(&mut tx).await?;
    tx.commit().await?;
    Ok(Some(id))
}
