//! Owns: reading what clients wrote, and noting that somebody read it.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::audit::Record;
use super::outbox::message_id;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::consent::Meaning;
use crate::domain::ids::{MessageId, ProviderUserId};
use crate::domain::phone::E164;

/// A reply as people read it.
#[derive(Clone, Debug)]
pub struct ReplyLine {
    pub id: u64,
    pub lane: String,
    pub at: Timestamp,
    pub from: Option<E164>,
    pub user_id: Option<ProviderUserId>,
    pub client_id: Option<u64>,
    /// The alert that it answers, and its hookpoint while it is kept.
    pub message_id: Option<MessageId>,
    pub hookpoint: Option<String>,
    pub kind: String,
    pub text: String,
    pub meaning: Meaning,
    /// Whether an alert of ours ever went to whoever wrote.
    pub matched: bool,
    /// Why a request was not confirmed.
    pub outcome: Option<String>,
    pub confirmation_id: Option<MessageId>,
    pub seen_at: Option<Timestamp>,
    pub seen_by: Option<String>,
}

/// Which replies.
#[derive(Clone, Debug, Default)]
pub struct ReplyFilter {
    pub unseen: bool,
    pub meaning: Option<Meaning>,
    pub client_id: Option<u64>,
    /// Older than this one.
    pub before: Option<u64>,
    pub limit: usize,
}

/// What a person has to look at: requests that are not clear, and opt-outs of somebody to whom no alert of ours went.
const TO_LOOK_AT: &str = "seen_at IS NULL AND (meaning = 'near' OR (meaning = 'opt_out' AND NOT matched))";

/// Replies, newest first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn list(store: &Store, filter: &ReplyFilter) -> Result<Vec<ReplyLine>, StoreError> {
    let mut parts = vec!["r.id < ?"];
    let mut values: Vec<Value> = vec![filter.before.unwrap_or(u64::MAX).into()];
    if filter.unseen {
        parts.push("r.seen_at IS NULL");
    }
    if let Some(meaning) = filter.meaning {
        parts.push("r.meaning = ?");
        values.push(meaning.code().into());
    }
    if let Some(client) = filter.client_id {
        parts.push("r.client_id = ?");
        values.push(client.into());
    }
    let sql = format!(
        "SELECT r.*, m.hookpoint FROM reply r LEFT JOIN message m ON m.id = r.message_id WHERE {} ORDER BY r.id DESC LIMIT {}",
        parts.join(" AND "),
        filter.limit
    );
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        rows.iter().map(line).collect()
    })
    .await
}

fn line(row: &Row) -> Result<ReplyLine, StoreError> {
    let id: u64 = Reader::new("reply", row, "").get("id")?;
    let reader = Reader::new("reply", row, id.to_string());
    let message = |column: &'static str| match reader.get::<Option<Vec<u8>>>(column)? {
        Some(_) => message_id(&reader, column).map(Some),
        None => Ok(None),
    };
    let text = |column: &'static str| reader.get::<Option<String>>(column);
    Ok(ReplyLine {
        id,
        lane: reader.get("lane")?,
        at: reader.time("at")?,
        from: text("recipient")?.and_then(|number| E164::trusted(&number)),
        user_id: text("user_id")?.and_then(|user| ProviderUserId::parse(&user)),
        client_id: reader.get("client_id")?,
        message_id: message("message_id")?,
        hookpoint: text("hookpoint")?,
        kind: reader.get("kind")?,
        text: reader.get("body")?,
        meaning: reader.parse("meaning", Meaning::parse)?,
        matched: reader.get("matched")?,
        outcome: text("outcome")?,
        confirmation_id: message("confirmation_id")?,
        seen_at: reader.optional_time("seen_at")?,
        seen_by: text("seen_by")?,
    })
}

/// Replies that nobody looked at, and those of them that a person has to look at.
///
/// # Errors
/// The database.
pub async fn unseen(store: &Store) -> Result<(u64, u64), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql =
            format!("SELECT COUNT(*) AS n, COALESCE(SUM({TO_LOOK_AT}), 0) AS urgent FROM reply WHERE seen_at IS NULL");
        let row: Option<Row> = connection.query_first(sql).await?;
        let Some(row) = row else { return Ok((0, 0)) };
        let reader = Reader::new("reply", &row, "");
        Ok((reader.get("n")?, reader.get("urgent")?))
    })
    .await
}

/// Notes that somebody read one reply, or all up to `up_to`, with the record of it. Returns how many were new.
///
/// # Errors
/// The database; then nothing is noted.
pub async fn note_seen(store: &Store, which: Seen, record: &Record<'_>) -> Result<u64, StoreError> {
    let (condition, id) = match which {
        Seen::One(id) => ("id = ?", id),
        Seen::UpTo(id) => ("id <= ?", id),
    };
    let sql = format!("UPDATE reply SET seen_at = ?, seen_by = ? WHERE seen_at IS NULL AND {condition}");
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(sql.as_str(), (at(record.now), cut(&record.who.name, 100), id)).await?;
        let read = tx.affected_rows();
        if read > 0 {
            Record { detail: Some(format!("{read} replies")), ..record.clone() }.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(read)
    })
    .await
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    One(u64),
    /// Everything up to this reply.
    UpTo(u64),
}

/// Whether there is such a reply.
///
/// # Errors
/// The database.
pub async fn exists(store: &Store, id: u64) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection.exec_first("SELECT 1 FROM reply WHERE id = ?", (id,)).await?;
        Ok(row.is_some())
    })
    .await
}
