//! Owns: decisions as they were given, with what they saw; and the exceptions that administrators make.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};
use uuid::Uuid;

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, marks};
use super::{Store, StoreError};
use crate::domain::decision::{DecisionId, Rule, Verdict};
use crate::domain::hookpoint::Subject;

/// A decision to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub id: DecisionId,
    pub rule: Rule,
    /// Of the rule.
    pub version: u16,
    pub verdict: Verdict,
    pub subject: Option<Subject>,
    pub client_id: Option<u64>,
    pub asked_at: Timestamp,
    /// The source that signed the question, or `cli`.
    pub source: String,
    /// Where it was asked: the platform's hook, or `ask`.
    pub hook: String,
    /// The kind of actor, or the administrator's name.
    pub asked_by: String,
    /// Nobody acts on it.
    pub what_if: bool,
    pub request: Option<String>,
    /// JSON: the fields as asked, the facts as read, the answer as given.
    pub question: String,
    pub facts: String,
    pub answer: String,
}

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

/// Which decisions to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub id: Option<DecisionId>,
    pub rule: Option<Rule>,
    pub verdict: Option<Verdict>,
    pub subject: Option<Subject>,
    pub client_id: Option<u64>,
    pub limit: usize,
}

const COLUMNS: usize = 15;

/// Keeps `decisions`. The same again is no error: their ids are ours.
///
/// # Errors
/// The database; then none of them is kept.
pub async fn keep(store: &Store, decisions: &[Kept]) -> Result<(), StoreError> {
    if decisions.is_empty() {
        return Ok(());
    }
    retried(|| async {
        let row = format!("({})", marks(COLUMNS));
        let sql = format!(
            "INSERT IGNORE INTO decision (id, rule, version, verdict, subject, client_id, asked_at, source, hook, asked_by, \
             what_if, request, question, facts, answer) VALUES {}",
            vec![row; decisions.len()].join(",")
        );
        let values: Vec<Value> = decisions.iter().flat_map(values).collect();
        store.connection().await?.exec_drop(sql, values).await?;
        Ok(())
    })
    .await
}

fn values(one: &Kept) -> [Value; COLUMNS] {
    [
        one.id.0.as_bytes().as_slice().into(),
        one.rule.code().into(),
        one.version.into(),
        one.verdict.code().into(),
        one.subject.map(|subject| subject.to_string()).into(),
        one.client_id.into(),
        at(one.asked_at),
        cut(&one.source, 32).into(),
        cut(&one.hook, 64).into(),
        cut(&one.asked_by, 100).into(),
        one.what_if.into(),
        one.request.as_ref().map(|request| cut(request, 64)).into(),
        one.question.as_str().into(),
        one.facts.as_str().into(),
        one.answer.as_str().into(),
    ]
}

/// Decisions, newest first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<Kept>, StoreError> {
    bounded(async {
        let mut parts = vec!["TRUE"];
        let mut values: Vec<Value> = Vec::new();
        let mut add = |part: &'static str, value: Option<Value>| {
            if let Some(value) = value {
                parts.push(part);
                values.push(value);
            }
        };
        add("id = ?", filter.id.map(|id| id.0.as_bytes().as_slice().into()));
        add("rule = ?", filter.rule.map(|rule| rule.code().into()));
        add("verdict = ?", filter.verdict.map(|verdict| verdict.code().into()));
        add("subject = ?", filter.subject.map(|subject| subject.to_string().into()));
        add("client_id = ?", filter.client_id.map(Value::from));
        let sql = format!(
            "SELECT * FROM decision WHERE {} ORDER BY asked_at DESC, id DESC LIMIT {}",
            parts.join(" AND "),
            filter.limit
        );
        let values = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
        let rows: Vec<Row> = store.connection().await?.exec(sql, values).await?;
        rows.iter().map(kept).collect()
    })
    .await
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    let reader = Reader::new("decision", row, "");
    let id = Uuid::from_slice(&reader.get::<Vec<u8>>("id")?).map_err(|_| reader.bad("id"))?;
    let reader = Reader::new("decision", row, DecisionId(id).to_string());
    Ok(Kept {
        id: DecisionId(id),
        rule: reader.parse("rule", Rule::parse)?,
        version: reader.get("version")?,
        verdict: reader.parse("verdict", Verdict::parse)?,
        subject: reader.get::<Option<String>>("subject")?.as_deref().and_then(Subject::parse),
        client_id: reader.get("client_id")?,
        asked_at: reader.time("asked_at")?,
        source: reader.get("source")?,
        hook: reader.get("hook")?,
        asked_by: reader.get("asked_by")?,
        what_if: reader.get("what_if")?,
        request: reader.get("request")?,
        question: reader.get("question")?,
        facts: reader.get("facts")?,
        answer: reader.get("answer")?,
    })
}

/// What the rule said last about `subject` until `until`, when it was asked in earnest.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn last(
    store: &Store,
    rule: Rule,
    subject: Subject,
    until: Timestamp,
) -> Result<Option<(DecisionId, Verdict)>, StoreError> {
    bounded(async {
        let row: Option<Row> = store
            .connection()
            .await?
            .exec_first(
                "SELECT id, verdict FROM decision WHERE subject = ? AND rule = ? AND asked_at <= ? AND NOT what_if \
                 ORDER BY asked_at DESC, id DESC LIMIT 1",
                (subject.to_string(), rule.code(), at(until)),
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let reader = Reader::new("decision", &row, "");
        let id = Uuid::from_slice(&reader.get::<Vec<u8>>("id")?).map_err(|_| reader.bad("id"))?;
        Ok(Some((DecisionId(id), reader.parse("verdict", Verdict::parse)?)))
    })
    .await
}

/// Makes an exception, and returns its number.
///
/// # Errors
/// The database.
pub async fn make_override(
    store: &Store,
    (rule, subject): (Rule, Subject),
    (who, why): (&str, &str),
    until: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "INSERT INTO decision_override (rule, subject, who, why, made_at, until_at) VALUES (?, ?, ?, ?, ?, ?)",
                (rule.code(), subject.to_string(), cut(who, 100), cut(why, 500), at(now), at(until)),
            )
            .await?;
        Ok(connection.last_insert_id().unwrap_or_default())
    })
    .await
}

/// Ends an exception before its time. Its row stays.
///
/// # Errors
/// The database.
pub async fn end_override(store: &Store, id: u64, who: &str, now: Timestamp) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE decision_override SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL AND until_at > ?",
                (at(now), cut(who, 100), id, at(now)),
            )
            .await?;
        Ok(connection.affected_rows() == 1)
    })
    .await
}

/// The exception in force for `subject`, if there is one.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn override_of(
    store: &Store,
    rule: Rule,
    subject: Subject,
    now: Timestamp,
) -> Result<Option<Override>, StoreError> {
    bounded(async {
        let row: Option<Row> = store
            .connection()
            .await?
            .exec_first(
                "SELECT * FROM decision_override WHERE subject = ? AND rule = ? AND until_at > ? AND ended_at IS NULL \
                 ORDER BY until_at DESC LIMIT 1",
                (subject.to_string(), rule.code(), at(now)),
            )
            .await?;
        row.as_ref().map(read_override).transpose()
    })
    .await
}

/// All exceptions, ended ones too, newest first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn overrides(store: &Store, limit: usize) -> Result<Vec<Override>, StoreError> {
    bounded(async {
        let sql = format!("SELECT * FROM decision_override ORDER BY id DESC LIMIT {limit}");
        let rows: Vec<Row> = store.connection().await?.exec(sql, ()).await?;
        rows.iter().map(read_override).collect()
    })
    .await
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
