//! Owns: the tokens of programs that use the API. The table holds only their hashes.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError, Tx};
use crate::domain::admin::Role;

/// One token.
#[derive(Clone, Debug)]
pub struct ApiToken {
    pub id: u64,
    pub name: String,
    pub role: Role,
    pub made_at: Timestamp,
    pub made_by: String,
    /// When it was last used, to the hour.
    pub used_at: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<String>,
    /// The account behind: its own maker, or the maker of the token that made it. `None`: made at the command line.
    pub owner_id: Option<u64>,
}

const COLUMNS: &str = "id, name, role, made_at, made_by, used_at, until_at, ended_at, ended_by, owner_id";

fn read(row: &Row) -> Result<ApiToken, StoreError> {
    let reader = Reader::new("api_token", row, "");
    Ok(ApiToken {
        id: reader.get("id")?,
        name: reader.get("name")?,
        role: reader.parse("role", Role::parse)?,
        made_at: reader.time("made_at")?,
        made_by: reader.get("made_by")?,
        used_at: reader.optional_time("used_at")?,
        until: reader.optional_time("until_at")?,
        ended_at: reader.optional_time("ended_at")?,
        ended_by: reader.get("ended_by")?,
        owner_id: reader.get("owner_id")?,
    })
}

/// All of them, newest first, ended ones too.
///
/// # Errors
/// The database.
pub async fn all(store: &Store) -> Result<Vec<ApiToken>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!("SELECT {COLUMNS} FROM api_token ORDER BY id DESC LIMIT 1000");
        let rows: Vec<Row> = connection.query(sql).await?;
        rows.iter().map(read).collect()
    })
    .await
}

/// The token with that hash, if it is valid at `now`.
///
/// # Errors
/// The database.
pub async fn valid(store: &Store, hash: &[u8], now: Timestamp) -> Result<Option<ApiToken>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM api_token WHERE token = ? AND ended_at IS NULL AND (until_at IS NULL OR until_at > ?)"
        );
        let row: Option<Row> = connection.exec_first(sql, (hash, at(now))).await?;
        row.as_ref().map(read).transpose()
    })
    .await
}

/// Notes its use.
///
/// # Errors
/// The database.
pub async fn used(store: &Store, id: u64, now: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("UPDATE api_token SET used_at = ? WHERE id = ?", (at(now), id)).await?;
        Ok(())
    })
    .await
}

/// A new one.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub name: &'a str,
    pub hash: &'a [u8],
    pub role: Role,
    pub by: &'a str,
    /// See [`ApiToken::owner_id`].
    pub owner_id: Option<u64>,
    pub until: Option<Timestamp>,
}

/// Writes a token.
///
/// # Errors
/// The database.
pub async fn create(tx: &mut Tx, new: New<'_>, now: Timestamp) -> Result<(), StoreError> {
    let until = new.until.map_or(Value::NULL, at);
    let sql =
        "INSERT INTO api_token (name, token, role, made_at, made_by, until_at, owner_id) VALUES (?, ?, ?, ?, ?, ?, ?)";
    let values = (new.name, new.hash, new.role.code(), at(now), new.by, until, new.owner_id);
    Ok(tx.0.exec_drop(sql, values).await?)
}

/// Ends a token. False: it was over already.
///
/// # Errors
/// The database.
pub async fn end(tx: &mut Tx, id: u64, by: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE api_token SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL";
    tx.0.exec_drop(sql, (at(now), by, id)).await?;
    Ok(tx.0.affected_rows() == 1)
}
