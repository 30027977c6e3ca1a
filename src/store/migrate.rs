//! Owns: bringing our schema up to date. Own runner, because the libraries that fit our driver leave a half-run file that
//! can never be run again, and let two starters race. One lock, one checksum per file, every statement repeatable.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use rust_embed::RustEmbed;

use super::row::at;
use super::{Store, StoreError};
use crate::signature::sha256;
use crate::sql::plain;

/// How long a second starter waits for the first, in seconds.
const LOCK_WAIT_S: u32 = 30;

/// The lock belongs to the server, not to the schema, so its name holds the schema's: as a hash, since a lock's name may have
/// 64 characters, as many as a schema's alone. (MySQL 9.7 has no SHA1 any more.)
const LOCK: &str = "CONCAT('hb_migrate_', LEFT(SHA2(DATABASE(), 256), 40))";

#[derive(RustEmbed)]
#[folder = "migrations/"]
struct Files;

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the database server is too old: {0}")]
    TooOld(String),
    #[error("another starter has been migrating for {LOCK_WAIT_S} s")]
    Locked,
    #[error("`{0}` was applied before with other content: never edit an applied migration, add a new one")]
    Edited(String),
    #[error("the schema knows `{0}`, this binary does not: it is older than the schema")]
    Newer(String),
    #[error("`{file}`, statement {number}: {}", plain(.error))]
    Statement { file: String, number: usize, error: mysql_async::Error },
}

impl From<mysql_async::Error> for MigrateError {
    fn from(error: mysql_async::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Files in this binary, in order.
#[must_use]
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = Files::iter().map(|name| name.to_string()).collect();
    names.sort();
    names
}

/// The tables that `files` make, and the runner's own.
#[must_use]
pub fn tables_of(files: &[String]) -> BTreeSet<String> {
    let mut tables = BTreeSet::from(["schema_migration".to_owned()]);
    for name in files {
        let content = content(name);
        let made = statements(&content).into_iter().filter_map(|one| {
            let rest = one.trim_start().strip_prefix("CREATE TABLE IF NOT EXISTS ")?;
            Some(rest.split([' ', '(']).next()?.trim_matches('`').to_owned())
        });
        tables.extend(made);
    }
    tables
}

/// Files that [`run`] would apply.
///
/// # Errors
/// The database, or a schema that does not fit this binary.
pub async fn pending(store: &Store) -> Result<Vec<String>, MigrateError> {
    let mut connection = store.connection().await?;
    let exists: Option<String> = first(&mut connection, "SHOW TABLES LIKE 'schema_migration'").await?;
    if exists.is_none() {
        return Ok(names());
    }
    unapplied(&mut connection).await
}

/// Applies what is missing and returns the names of it.
///
/// # Errors
/// [`MigrateError`]; what was applied before the error stays applied, and running again goes on from there.
pub async fn run(store: &Store, now: Timestamp) -> Result<Vec<String>, MigrateError> {
    if let Some(lacks) = store.server(now).await?.lacks() {
        return Err(MigrateError::TooOld(lacks));
    }
    let mut connection = store.connection().await?;
    let locked: Option<i64> = first(&mut connection, &format!("SELECT GET_LOCK({LOCK}, {LOCK_WAIT_S})")).await?;
    if locked != Some(1) {
        return Err(MigrateError::Locked);
    }
    let result = apply(&mut connection, now).await;
    connection.query_drop(format!("SELECT RELEASE_LOCK({LOCK})")).await?;
    result
}

async fn apply(connection: &mut Conn, now: Timestamp) -> Result<Vec<String>, MigrateError> {
    connection
        .query_drop(
            "CREATE TABLE IF NOT EXISTS schema_migration (name VARCHAR(128) CHARACTER SET ascii NOT NULL PRIMARY KEY, \
             sha256 BINARY(32) NOT NULL, applied_at DATETIME(3) NOT NULL) ENGINE=InnoDB",
        )
        .await?;
    let missing = unapplied(connection).await?;
    for name in &missing {
        let content = content(name);
        for (index, statement) in statements(&content).into_iter().enumerate() {
            match connection.query_drop(statement).await {
                Err(error) if !was_done_before(&error) => {
                    return Err(MigrateError::Statement { file: name.clone(), number: index + 1, error });
                }
                _ => {}
            }
        }
        connection
            .exec_drop(
                "INSERT INTO schema_migration (name, sha256, applied_at) VALUES (?, ?, ?)",
                (name, sha256(content.as_bytes()).to_vec(), at(now)),
            )
            .await?;
    }
    Ok(missing)
}

/// An ALTER of an earlier, interrupted run: the column is there (1060), the key is there (1061), or what is to be dropped
/// is not (1091). MySQL has no `ADD COLUMN IF NOT EXISTS`, so this makes such statements repeatable on both servers.
fn was_done_before(error: &mysql_async::Error) -> bool {
    matches!(error, mysql_async::Error::Server(e) if matches!(e.code, 1060 | 1061 | 1091))
}

/// Names not applied yet, after checking those that were.
async fn unapplied(connection: &mut Conn) -> Result<Vec<String>, MigrateError> {
    let rows: Vec<mysql_async::Row> = connection.query("SELECT name, sha256 FROM schema_migration").await?;
    let mut applied = Vec::new();
    for row in rows {
        let (name, checksum): (String, Vec<u8>) = mysql_async::from_row_opt(row).map_err(|_| {
            StoreError::from(crate::sql::Inconsistent { table: "schema_migration", column: "name", row: String::new() })
        })?;
        if !names().contains(&name) {
            return Err(MigrateError::Newer(name));
        }
        if sha256(content(&name).as_bytes()).as_slice() != checksum {
            return Err(MigrateError::Edited(name));
        }
        applied.push(name);
    }
    Ok(names().into_iter().filter(|name| !applied.contains(name)).collect())
}

async fn first<T: mysql_async::prelude::FromValue>(
    connection: &mut Conn,
    sql: &str,
) -> Result<Option<T>, MigrateError> {
    let row: Option<mysql_async::Row> = connection.query_first(sql).await?;
    Ok(row.and_then(|row| row.get_opt::<T, _>(0).and_then(Result::ok)))
}

fn content(name: &str) -> String {
    let file = Files::get(name).expect("an embedded file");
    String::from_utf8(file.data.into_owned()).expect("migrations are UTF-8")
}

/// The statements of one of [`names`], for a test that cuts it anywhere.
#[must_use]
pub fn statements_of(name: &str) -> Vec<String> {
    statements(&content(name))
}

/// Statements end with `;` at the end of a line; comment lines start with `--`.
fn statements(content: &str) -> Vec<String> {
    let code: Vec<&str> = content.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    code.join("\n")
        .split(";\n")
        .map(|one| one.trim().trim_end_matches(';').to_owned())
        .filter(|one| !one.is_empty())
        .collect()
}
