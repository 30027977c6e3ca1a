//! Owns: decisions as they were given, with what they saw: keeping them, and finding them along an index, newest first.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};
use uuid::Uuid;

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, marks};
use super::walk::{Found, Place, TIME_MAX, Walk, Where, moment};
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

/// Which decisions to look for: all filters must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub rule: Option<Rule>,
    pub verdict: Option<Verdict>,
    pub subject: Option<Subject>,
    pub client_id: Option<u64>,
    /// Asked by somebody who only wanted to know, or in earnest.
    pub what_if: Option<bool>,
    /// Given at this time or later.
    pub since: Option<Timestamp>,
    /// Given before this time.
    pub until: Option<Timestamp>,
    /// Behind this place.
    pub before: Option<Place>,
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

fn walk(filter: &Filter) -> Walk<Kept> {
    let subject = filter.subject.map(|subject| Value::from(subject.to_string()));
    let what_if = filter.what_if.map(Value::from);
    // The index that leaves the fewest rows to look through; one on subject and rule serves both at once.
    let (index, served) = match filter {
        Filter { subject: Some(_), rule: Some(_), .. } => ("decision_subject", 2),
        Filter { subject: Some(_), .. } => ("decision_subject_at", 1),
        Filter { client_id: Some(_), .. } => ("decision_client", 3),
        Filter { what_if: Some(true), .. } => ("decision_what_if", 4),
        Filter { verdict: Some(_), .. } => ("decision_verdict", 5),
        Filter { rule: Some(_), .. } => ("decision_rule", 6),
        Filter { what_if: Some(false), .. } => ("decision_what_if", 4),
        _ => ("decision_asked", 0),
    };
    let (mut walked, mut looked) = (Where::default(), Where::default());
    let parts = [
        ("subject = ?", subject, matches!(served, 1 | 2)),
        ("rule = ?", filter.rule.map(|rule| rule.code().into()), matches!(served, 2 | 6)),
        ("client_id = ?", filter.client_id.map(Value::from), served == 3),
        ("what_if = ?", what_if, served == 4),
        ("verdict = ?", filter.verdict.map(|verdict| verdict.code().into()), served == 5),
    ];
    for (part, value, is_served) in parts {
        if let Some(value) = value {
            if is_served { walked.add(part, [value]) } else { looked.add(part, [value]) }
        }
    }
    walked.span("asked_at", filter.since, filter.until);
    Walk {
        columns: "*",
        table: "decision",
        index,
        join: "",
        order: (Some("asked_at"), "id"),
        walked,
        looked,
        key: |id| DecisionId::parse(id).unwrap_or(DecisionId(Uuid::nil())).0.as_bytes().as_slice().into(),
        stop: moment,
        item: kept,
        place: |item| Place { at: item.asked_at, id: item.id.to_string() },
    }
}

/// A page of decisions, newest first, for somebody who waits for it.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn page(store: &Store, filter: &Filter) -> Result<Found<Kept>, StoreError> {
    walk(filter).found(store, filter.before.as_ref(), filter.limit, TIME_MAX).await
}

/// Decisions, newest first, at most as many as the filter says.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &Filter) -> Result<Vec<Kept>, StoreError> {
    walk(filter).newest(store, filter.before.as_ref(), filter.limit).await
}

/// One decision.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn one(store: &Store, id: DecisionId) -> Result<Option<Kept>, StoreError> {
    let mut by_id = Where::default();
    by_id.add("id = ?", [id.0.as_bytes().as_slice().into()]);
    by_id.statement("SELECT * FROM decision", "").rows(store).await?.first().map(kept).transpose()
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
