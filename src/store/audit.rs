//! Owns: what people did, and reading it back.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::pool::bounded;
use super::row::{Reader, at, cut};
use super::{Store, StoreError, Tx, revision};
use crate::domain::admin::{Via, Who};

/// One thing that somebody did.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: u64,
    pub at: Timestamp,
    pub actor: String,
    pub via: Via,
    /// E.g. `message.resend`.
    pub action: String,
    /// E.g. a message's id, `lane:main`.
    pub target: String,
    pub detail: Option<String>,
    pub address: Option<String>,
}

/// Which entries to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub target: Option<String>,
    /// Only those before this id: the next page.
    pub before: Option<u64>,
    pub limit: usize,
}

/// What is on record of an operation, written in the operation's own transaction: both are there, or neither is.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    pub who: &'a Who,
    pub action: &'a str,
    pub target: String,
    /// Never a secret.
    pub detail: Option<String>,
    /// Every instance must take the change over.
    pub raises: bool,
    pub now: Timestamp,
}

impl Record<'_> {
    /// Writes it with what `tx` does.
    pub(super) async fn write(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        let values = values(self.who, self.action, &self.target, self.detail.as_deref(), self.now);
        tx.exec_drop(INSERT, values).await?;
        if self.raises {
            tx.query_drop(revision::RAISE).await?;
        }
        Ok(())
    }
}

/// Writes the record of an operation into the operation's own transaction.
///
/// # Errors
/// The database.
pub async fn write(tx: &mut Tx, record: &Record<'_>) -> Result<(), StoreError> {
    record.write(&mut tx.0).await
}

const INSERT: &str = "INSERT INTO audit (at, actor, via, action, target, detail, address) VALUES (?, ?, ?, ?, ?, ?, ?)";

fn values(who: &Who, action: &str, target: &str, detail: Option<&str>, now: Timestamp) -> Vec<Value> {
    vec![
        at(now),
        cut(&who.name, 100).into(),
        who.via.code().into(),
        action.into(),
        cut(target, 128).into(),
        detail.map(|detail| cut(detail, 4000)).into(),
        who.address.clone().into(),
    ]
}

/// Notes what `who` did. `detail` never holds a secret.
///
/// # Errors
/// The database.
pub async fn note(
    store: &Store,
    who: &Who,
    action: &str,
    target: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        Ok(connection.exec_drop(INSERT, values(who, action, target, detail, now)).await?)
    })
    .await
}

/// Entries, newest first.
///
/// # Errors
/// The database.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
    // The column is ASCII, and the database refuses to compare it with anything else.
    if filter.action.as_ref().is_some_and(|action| !action.is_ascii()) {
        return Ok(Vec::new());
    }
    let mut parts = vec!["id < ?"];
    let mut values: Vec<Value> = vec![filter.before.unwrap_or(u64::MAX).into()];
    for (part, value) in [("actor = ?", &filter.actor), ("action = ?", &filter.action), ("target = ?", &filter.target)]
    {
        if let Some(value) = value {
            parts.push(part);
            values.push(value.as_str().into());
        }
    }
    let sql = format!(
        "SELECT id, at, actor, via, action, target, detail, address FROM audit WHERE {} ORDER BY id DESC LIMIT {}",
        parts.join(" AND "),
        filter.limit
    );
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("audit", row, "");
                Ok(Entry {
                    id: reader.get("id")?,
                    at: reader.time("at")?,
                    actor: reader.get("actor")?,
                    via: reader.parse("via", Via::parse)?,
                    action: reader.get("action")?,
                    target: reader.get("target")?,
                    detail: reader.get("detail")?,
                    address: reader.get("address")?,
                })
            })
            .collect()
    })
    .await
}

/// Every kind of action in the log.
///
/// # Errors
/// The database.
pub async fn actions(store: &Store) -> Result<Vec<String>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        // By the index, from one action to the next: as fast with a million entries.
        let rows: Vec<Row> = connection.query("SELECT DISTINCT action FROM audit ORDER BY action LIMIT 500").await?;
        rows.iter().map(|row| Ok(Reader::new("audit", row, "").get("action")?)).collect()
    })
    .await
}
