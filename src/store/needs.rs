//! Owns: what the first page must know besides queues and counts: what messages wait for, what ended unsent, what somebody took
//! note of, which texts the provider does not send.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::audit::Record;
use super::outbox::message_id;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, marks, transaction};
use super::{Store, StoreError};
use crate::domain::reason::Reason;

/// Counted up to here: more is "very many", and costs no more to find out.
const COUNTED_MAX: usize = 10_000;
/// A message may have waited so long before it ended: looked for among those queued since then.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(24 * 14);

/// How many, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Up to 10,000.
    pub n: u64,
    /// The first of them.
    pub since: Option<Timestamp>,
}

/// A kind of waiting: for what, with which text, how many, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub reason: Reason,
    /// The provider's name of the text, and its language there.
    pub template: String,
    pub language: String,
    pub messages: u64,
    /// When the oldest of them was queued.
    pub since: Timestamp,
}

/// What queued messages wait for, text by text. Those that wait for nothing but their turn are left out.
///
/// # Errors
/// The database.
pub async fn waiting(store: &Store) -> Result<Vec<Waiting>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .query(
                "SELECT waiting_for, template, language, COUNT(*) AS n, MIN(message_id) AS oldest FROM outbox \
                 WHERE state = 'queued' AND waiting_for IS NOT NULL GROUP BY waiting_for, template, language",
            )
            .await?;
        let mut all = Vec::new();
        for row in &rows {
            let reader = Reader::new("outbox", row, "");
            let Some(reason) = Reason::parse(&reader.get::<String>("waiting_for")?) else { continue };
            // The ids rise with the time they were made at.
            let oldest = message_id(&reader, "oldest")?;
            all.push(Waiting {
                reason,
                template: reader.get("template")?,
                language: reader.get("language")?,
                messages: reader.get("n")?,
                since: oldest.made_at(),
            });
        }
        Ok(all)
    })
    .await
}

/// Messages of which nobody knows whether they were sent.
///
/// # Errors
/// The database.
pub async fn unknown(store: &Store) -> Result<Tally, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT COUNT(*) AS n, MIN(message_id) AS oldest FROM outbox WHERE state = 'unknown'";
        let row: Option<Row> = connection.query_first(sql).await?;
        let Some(row) = row else { return Ok(Tally::default()) };
        let reader = Reader::new("outbox", &row, "");
        let n = reader.get("n")?;
        let since = if n == 0 { None } else { Some(message_id(&reader, "oldest")?.made_at()) };
        Ok(Tally { n, since })
    })
    .await
}

/// Events that were set aside as failed since `since`.
///
/// # Errors
/// The database.
pub async fn failed_events(store: &Store, since: Timestamp) -> Result<Tally, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) AS n, MIN(processed_at) AS since FROM (SELECT processed_at FROM event FORCE INDEX (event_state) \
         WHERE state = 'failed' AND received_at >= ? AND processed_at > ? LIMIT {COUNTED_MAX}) e"
    );
    tally(store, sql, vec![at(since - WAIT_MAX), at(since)]).await
}

/// Messages that ended since `since` for one of `reasons`, the most first, without those of the hookpoint `except`.
///
/// # Errors
/// The database.
pub async fn ended(
    store: &Store,
    reasons: &[Reason],
    except: &str,
    since: Timestamp,
) -> Result<Vec<(Reason, Tally)>, StoreError> {
    let sql = format!(
        "SELECT reason, COUNT(*) AS n, MIN(state_at) AS since FROM (SELECT reason, state_at FROM message \
         FORCE INDEX (message_reason) WHERE ended IN (1, 2) AND reason IN ({}) AND created_at >= ? AND state_at > ? \
         AND hookpoint <> ? LIMIT {COUNTED_MAX}) m GROUP BY reason ORDER BY n DESC, reason",
        marks(reasons.len())
    );
    let mut values: Vec<Value> = reasons.iter().map(|reason| reason.code().into()).collect();
    values.extend([at(since - WAIT_MAX), at(since), except.into()]);
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        let read = |row: &Row| {
            let reader = Reader::new("message", row, "");
            let found = Tally { n: reader.get("n")?, since: reader.optional_time("since")? };
            Ok((reader.parse("reason", Reason::parse)?, found))
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// Answers of the rules that the platform went on without, reported since `since`.
///
/// # Errors
/// The database.
pub async fn missed(store: &Store, since: Timestamp) -> Result<Tally, StoreError> {
    let sql = format!(
        "SELECT COUNT(*) AS n, MIN(at) AS since FROM (SELECT at FROM skip FORCE INDEX (skip_reason) \
         WHERE reason = ? AND at > ? LIMIT {COUNTED_MAX}) s"
    );
    tally(store, sql, vec![Reason::DecisionMissed.code().into(), at(since)]).await
}

async fn tally(store: &Store, sql: String, values: Vec<Value>) -> Result<Tally, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection.exec_first(sql, values).await?;
        let Some(row) = row else { return Ok(Tally::default()) };
        let reader = Reader::new("needs", &row, "");
        Ok(Tally { n: reader.get("n")?, since: reader.optional_time("since")? })
    })
    .await
}

/// Whether our schema takes writes: a server that is read-only refuses even this one, which changes nothing.
///
/// # Errors
/// The database does not answer at all.
pub async fn is_writable(store: &Store) -> Result<bool, StoreError> {
    let tried = bounded(async {
        let mut connection = store.connection().await?;
        connection.query_drop("UPDATE revision SET number = number WHERE id = 1").await?;
        Ok(())
    })
    .await;
    match tried {
        Ok(()) => Ok(true),
        Err(StoreError::Database(mysql_async::Error::Server(_))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// When somebody last took note of each kind of need.
///
/// # Errors
/// The database.
pub async fn seen(store: &Store) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.query("SELECT code, at FROM need_seen").await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("need_seen", row, "");
                Ok((reader.get("code")?, reader.time("at")?))
            })
            .collect()
    })
    .await
}

/// Notes that somebody took note of `code`, with the record of it.
///
/// # Errors
/// The database; then neither is there.
pub async fn note_seen(store: &Store, code: &str, record: &Record<'_>) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
            "INSERT INTO need_seen (code, at, who) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE at = VALUES(at), who = VALUES(who)",
            (code, at(record.now), cut(&record.who.name, 100)),
        )
        .await?;
        record.write(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// What the provider reported of a text, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextNews {
    pub name: String,
    pub language: String,
    /// The provider's name of its state, e.g. `PAUSED`.
    pub event: String,
    pub detail: Option<String>,
    pub at: Timestamp,
}

/// Keeps what the provider reported of a text; one that it sends (again) is forgotten.
///
/// # Errors
/// The database.
pub async fn note_text(store: &Store, news: &TextNews, sends: bool) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let (name, language) = (cut(&news.name, 191), cut(&news.language, 16));
        if sends {
            connection.exec_drop("DELETE FROM text_news WHERE name = ? AND language = ?", (name, language)).await?;
            return Ok(());
        }
        connection
            .exec_drop(
                "INSERT INTO text_news (name, language, event, detail, at) VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
                 event = VALUES(event), detail = VALUES(detail), at = VALUES(at)",
                (name, language, cut(&news.event, 64), news.detail.as_deref().map(|d| cut(d, 300)), at(news.at)),
            )
            .await?;
        Ok(())
    })
    .await
}

/// The texts that the provider reported it does not send.
///
/// # Errors
/// The database.
pub async fn texts(store: &Store) -> Result<Vec<TextNews>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> =
            connection.query("SELECT name, language, event, detail, at FROM text_news ORDER BY name, language").await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("text_news", row, "");
                Ok(TextNews {
                    name: reader.get("name")?,
                    language: reader.get("language")?,
                    event: reader.get("event")?,
                    detail: reader.get("detail")?,
                    at: reader.time("at")?,
                })
            })
            .collect()
    })
    .await
}
