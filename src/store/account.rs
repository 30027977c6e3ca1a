//! Owns: the administrators' accounts. What is secret in them arrives hashed or sealed.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::pool::{bounded, retried};
use super::row::{Reader, at, transaction};
use super::{Store, StoreError, Tx, recovery, revision};
use crate::domain::admin::{Role, name_key};
use crate::domain::locale::Locale;

/// One administrator.
#[derive(Clone)]
pub struct Account {
    pub id: u64,
    pub name: String,
    pub role: Role,
    /// Argon2id, in the PHC format. `None`: nobody gets in by a password.
    pub password_hash: Option<String>,
    pub password_at: Option<Timestamp>,
    /// The second factor's secret, sealed.
    pub totp_sealed: Option<Vec<u8>>,
    /// The last step of the second factor that was used.
    pub totp_step: u64,
    pub locale: Option<Locale>,
    pub created_at: Timestamp,
    pub created_by: String,
    pub disabled_at: Option<Timestamp>,
    /// The id on the platform, of whoever comes by its link.
    pub platform_id: Option<u64>,
}

/// Shows nothing that could help a thief.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

const COLUMNS: &str = "id, name, role, password_hash, password_at, totp_sealed, totp_step, locale, created_at, \
                       created_by, disabled_at, platform_id";

fn read(row: &Row) -> Result<Account, StoreError> {
    let reader = Reader::new("admin", row, "");
    Ok(Account {
        id: reader.get("id")?,
        name: reader.get("name")?,
        role: reader.parse("role", Role::parse)?,
        password_hash: reader.get("password_hash")?,
        password_at: reader.optional_time("password_at")?,
        totp_sealed: reader.get("totp_sealed")?,
        totp_step: reader.get("totp_step")?,
        locale: reader.get::<Option<String>>("locale")?.and_then(|code| code.parse().ok()),
        created_at: reader.time("created_at")?,
        created_by: reader.get("created_by")?,
        disabled_at: reader.optional_time("disabled_at")?,
        platform_id: reader.get("platform_id")?,
    })
}

/// Everybody, by name.
///
/// # Errors
/// The database.
pub async fn all(store: &Store) -> Result<Vec<Account>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        // As many as a company has people: no paging.
        let rows: Vec<Row> = connection.query(format!("SELECT {COLUMNS} FROM admin ORDER BY name LIMIT 1000")).await?;
        rows.iter().map(read).collect()
    })
    .await
}

/// The account of that name, as [`name_key`] compares names.
///
/// # Errors
/// The database.
pub async fn named(store: &Store, name: &str) -> Result<Option<Account>, StoreError> {
    let key = name_key(name);
    if let Some(found) = one(store, "name_key", key.as_str().into()).await? {
        return Ok(Some(found));
    }
    // An account of an older version has no key yet. Our column's collation finds too many: the key decides.
    let older = one(store, "name_key IS NULL AND name", name.into()).await?;
    let Some(older) = older.filter(|older| name_key(&older.name) == key) else { return Ok(None) };
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("UPDATE admin SET name_key = ? WHERE id = ?", (&key, older.id)).await?;
        Ok(())
    })
    .await?;
    Ok(Some(older))
}

/// The account of that id.
///
/// # Errors
/// The database.
pub async fn of(store: &Store, id: u64) -> Result<Option<Account>, StoreError> {
    one(store, "id", id.into()).await
}

pub(super) async fn one(store: &Store, column: &'static str, value: Value) -> Result<Option<Account>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!("SELECT {COLUMNS} FROM admin WHERE {column} = ?");
        let row: Option<Row> = connection.exec_first(sql, (value,)).await?;
        row.as_ref().map(read).transpose()
    })
    .await
}

/// Makes an account, with the hash of its password. Its id.
///
/// # Errors
/// The database; [`StoreError::is_duplicate`] if the name is taken.
pub async fn create(
    tx: &mut Tx,
    (name, role, hash): (&str, Role, Option<&str>),
    by: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let sql = "INSERT INTO admin (name, name_key, role, password_hash, password_at, created_at, created_by) \
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    let now = at(now);
    let values = (name, name_key(name), role.code(), hash, hash.map(|_| now.clone()), &now, by);
    tx.0.exec_drop(sql, values).await?;
    Ok(tx.0.last_insert_id().unwrap_or_default())
}

/// One change of an account.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it may hold a hash")]
pub enum Change {
    Role(Role),
    /// The hash, and when it was made.
    Password(String, Timestamp),
    /// The sealed secret of the second factor, or none.
    Totp(Option<Vec<u8>>),
    Locale(Locale),
    /// Since when it is disabled, if it is.
    Disabled(Option<Timestamp>),
}

/// Changes an account.
///
/// # Errors
/// The database.
pub async fn change(store: &Store, id: u64, change: Change) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        put(&mut tx, id, &change).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

async fn put(tx: &mut Transaction<'_>, id: u64, change: &Change) -> Result<(), StoreError> {
    let (set, value): (&str, Value) = match change {
        Change::Role(role) => ("role = ?", role.code().into()),
        Change::Password(hash, when) => {
            let sql = "UPDATE admin SET password_hash = ?, password_at = ? WHERE id = ?";
            return Ok(tx.exec_drop(sql, (hash, at(*when), id)).await?);
        }
        Change::Totp(sealed) => ("totp_step = 0, totp_sealed = ?", sealed.clone().into()),
        Change::Locale(locale) => ("locale = ?", locale.code().into()),
        Change::Disabled(since) => ("disabled_at = ?", since.map_or(Value::NULL, at)),
    };
    Ok(tx.exec_drop(format!("UPDATE admin SET {set} WHERE id = ?"), (value, id)).await?)
}

/// A change of an account with all that follows from it.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "it may hold a hash")]
pub struct Amendment<'a> {
    pub change: Option<Change>,
    /// It takes power away, which the last administrator must keep.
    pub keep_one: bool,
    /// All its sessions end but this one.
    pub sessions_but: Option<&'a [u8]>,
    /// Its API tokens end.
    pub end_tokens: bool,
    /// Its recovery codes are put in the place of those that there were.
    pub codes: Option<&'a [Vec<u8>]>,
}

impl Amendment<'_> {
    /// A change that nothing follows from.
    #[must_use]
    pub fn of(change: Change) -> Self {
        Self { change: Some(change), ..Self::default() }
    }
}

/// What became of an amendment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amended {
    /// So many API tokens ended.
    Done { tokens: u64 },
    /// Nobody would be left who may: nothing is changed.
    Last,
}

/// Changes an account with all that follows. Of two that would take the last two administrators away, the second finds that it
/// is the last.
///
/// # Errors
/// The database.
pub async fn amend(
    tx: &mut Tx,
    id: u64,
    what: &Amendment<'_>,
    by: &str,
    now: Timestamp,
) -> Result<Amended, StoreError> {
    let tx = &mut tx.0;
    if what.keep_one {
        tx.query_drop(revision::ALONE).await?;
        let sql = "SELECT COUNT(*) FROM admin WHERE role = 'administrator' AND disabled_at IS NULL AND id <> ?";
        let others: Option<u64> = tx.exec_first(sql, (id,)).await?;
        if others == Some(0) {
            return Ok(Amended::Last);
        }
    }
    if let Some(change) = &what.change {
        put(tx, id, change).await?;
    }
    if let Some(kept) = what.sessions_but {
        tx.exec_drop("DELETE FROM admin_session WHERE admin_id = ? AND token <> ?", (id, kept)).await?;
    }
    let mut tokens = 0;
    if what.end_tokens {
        let sql = "UPDATE api_token SET ended_at = ?, ended_by = ? WHERE owner_id = ? AND ended_at IS NULL";
        tx.exec_drop(sql, (at(now), by, id)).await?;
        tokens = tx.affected_rows();
    }
    if let Some(codes) = what.codes {
        recovery::put(tx, id, codes).await?;
    }
    Ok(Amended::Done { tokens })
}

/// Uses up a step of the second factor. False: it, or a later one, was used already.
///
/// # Errors
/// The database.
pub async fn use_totp_step(store: &Store, id: u64, step: u64) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE admin SET totp_step = ? WHERE id = ? AND totp_step < ?";
        connection.exec_drop(sql, (step, id, step)).await?;
        Ok(connection.affected_rows() == 1)
    })
    .await
}
