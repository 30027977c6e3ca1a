//! Owns: who asked not to be written to, with the evidence.

use std::collections::HashSet;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::pool::bounded;
use super::row::{Reader, at, cut, marks};
use super::{Store, StoreError};
use crate::domain::phone::E164;

/// Which of `recipients` opted out.
///
/// # Errors
/// The database.
pub async fn opted_out(store: &Store, recipients: &[E164]) -> Result<HashSet<E164>, StoreError> {
    if recipients.is_empty() {
        return Ok(HashSet::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql =
            format!("SELECT recipient FROM consent WHERE opted_out AND recipient IN ({})", marks(recipients.len()));
        let parameters: Vec<Value> = recipients.iter().map(|to| Value::from(to.as_str())).collect();
        let rows: Vec<Row> = connection.exec(sql, parameters).await?;
        rows.iter().map(|row| Ok(Reader::new("consent", row, "").parse("recipient", E164::trusted)?)).collect()
    })
    .await
}

/// The last that a recipient said, or somebody for him.
#[derive(Clone, Debug)]
pub struct Word {
    pub recipient: E164,
    pub opted_out: bool,
    /// His reply, or who noted it and why.
    pub evidence: String,
    pub at: Timestamp,
}

/// The last words of `recipients`: of those who ever said one, newest first.
///
/// # Errors
/// The database.
pub async fn words_of(store: &Store, recipients: &[E164]) -> Result<Vec<Word>, StoreError> {
    if recipients.is_empty() {
        return Ok(Vec::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT recipient, opted_out, evidence, at FROM consent WHERE recipient IN ({}) ORDER BY at DESC",
            marks(recipients.len())
        );
        let parameters: Vec<Value> = recipients.iter().map(|to| Value::from(to.as_str())).collect();
        let rows: Vec<Row> = connection.exec(sql, parameters).await?;
        let read = |row: &Row| {
            let reader = Reader::new("consent", row, "");
            Ok(Word {
                recipient: reader.parse("recipient", E164::trusted)?,
                opted_out: reader.get("opted_out")?,
                evidence: reader.get("evidence")?,
                at: reader.time("at")?,
            })
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// Notes what a recipient wants. An older word does not undo a newer one.
///
/// # Errors
/// The database.
pub async fn record(
    store: &Store,
    recipients: &[E164],
    opted_out: bool,
    evidence: &str,
    when: Timestamp,
) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_batch(
                "INSERT INTO consent (recipient, opted_out, evidence, at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
                 opted_out = IF(VALUES(at) >= at, VALUES(opted_out), opted_out), \
                 evidence = IF(VALUES(at) >= at, VALUES(evidence), evidence), at = GREATEST(at, VALUES(at))",
                recipients.iter().map(|to| (to.as_str(), opted_out, cut(evidence, 500), at(when))),
            )
            .await?;
        Ok(())
    })
    .await
}
