//! Owns: exceptions that administrators make to the company's rules: who, why, until when. None is ever deleted.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::walk::Where;
use super::{Store, StoreError, revision};
use crate::domain::closed_list::closed_list;
use crate::domain::decision::Rule;
use crate::domain::hookpoint::Subject;

/// An administrator's exception to a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub id: u64,
    pub rule: Rule,
    pub subject: Subject,
    pub who: String,
    pub why: String,
    pub made_at: Timestamp,
    pub until_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub ended_by: Option<String>,
}

impl Override {
    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.ended_at {
            Some(_) => Standing::Ended,
            None if self.until_at <= now => Standing::Past,
            None => Standing::InForce,
        }
    }
}

closed_list! {
    /// How an exception stands.
    Standing {
        InForce = "in_force",
        /// Its time is over.
        Past = "past",
        /// Somebody ended it before.
        Ended = "ended",
    }
}

/// Which exceptions to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// `None`: past ones, too.
    pub in_force: Option<bool>,
    /// Only those before this number: the next page.
    pub before: Option<u64>,
    pub limit: usize,
}

/// Makes an exception, and returns its number; `None` if one is in force for the subject. Of two at once, one finds the other's.
///
/// # Errors
/// The database.
pub async fn make<'a>(
    store: &Store,
    (rule, subject): (Rule, Subject),
    (who, why): (&str, &str),
    until: Timestamp,
    record: impl Fn(u64) -> Record<'a> + Sync,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.query_drop(revision::ALONE).await?;
        let there: Option<Row> = tx.exec_first(IN_FORCE, (subject.to_string(), rule.code(), at(now))).await?;
        if there.is_some() {
            return Ok(None);
        }
        tx.exec_drop(
            "INSERT INTO decision_override (rule, subject, who, why, made_at, until_at) VALUES (?, ?, ?, ?, ?, ?)",
            (rule.code(), subject.to_string(), cut(who, 100), cut(why, 500), at(now), at(until)),
        )
        .await?;
        let id = tx.last_insert_id().unwrap_or_default();
        record(id).write(&mut tx).await?;
        tx.commit().await?;
        Ok(Some(id))
    })
    .await
}

/// Ends an exception before its time. Its row stays.
///
/// # Errors
/// The database.
pub async fn end(store: &Store, id: u64, record: &Record<'_>) -> Result<bool, StoreError> {
    let now = record.now;
    bounded(async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
                "UPDATE decision_override SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL AND until_at > ?",
                (at(now), cut(&record.who.name, 100), id, at(now)),
            )
            .await?;
        let ended = tx.affected_rows() == 1;
        if ended {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(ended)
    })
    .await
}

const IN_FORCE: &str = "SELECT * FROM decision_override WHERE subject = ? AND rule = ? AND until_at > ? AND ended_at IS NULL \
                        ORDER BY until_at DESC LIMIT 1";

/// The exception in force for `subject`, if there is one.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn in_force(
    store: &Store,
    rule: Rule,
    subject: Subject,
    now: Timestamp,
) -> Result<Option<Override>, StoreError> {
    bounded(async {
        let row: Option<Row> =
            store.connection().await?.exec_first(IN_FORCE, (subject.to_string(), rule.code(), at(now))).await?;
        row.as_ref().map(read_override).transpose()
    })
    .await
}

/// Exceptions, newest first: in force, past, or both.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &Filter, now: Timestamp) -> Result<Vec<Override>, StoreError> {
    let mut all = Where::default();
    match filter.in_force {
        Some(true) => all.add("ended_at IS NULL AND until_at > ?", [at(now)]),
        Some(false) => all.add("(ended_at IS NOT NULL OR until_at <= ?)", [at(now)]),
        None => {}
    }
    if let Some(before) = filter.before {
        all.add("id < ?", [before.into()]);
    }
    let rest = format!("ORDER BY id DESC LIMIT {}", filter.limit);
    let rows = all.statement("SELECT * FROM decision_override", &rest).rows(store).await?;
    rows.iter().map(read_override).collect()
}

/// One exception.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn one(store: &Store, id: u64) -> Result<Option<Override>, StoreError> {
    let mut by_id = Where::default();
    by_id.add("id = ?", [id.into()]);
    let rows = by_id.statement("SELECT * FROM decision_override", "").rows(store).await?;
    rows.first().map(read_override).transpose()
}

fn read_override(row: &Row) -> Result<Override, StoreError> {
    let id: u64 = Reader::new("decision_override", row, "").get("id")?;
    let reader = Reader::new("decision_override", row, id.to_string());
    Ok(Override {
        id,
        rule: reader.parse("rule", Rule::parse)?,
        subject: reader.parse("subject", Subject::parse)?,
        who: reader.get("who")?,
        why: reader.get("why")?,
        made_at: reader.time("made_at")?,
        until_at: reader.time("until_at")?,
        ended_at: reader.optional_time("ended_at")?,
        ended_by: reader.get("ended_by")?,
    })
}
