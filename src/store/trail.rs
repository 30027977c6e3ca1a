//! Owns: reading back what happened to an event, for people.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::outbox::message_id;
use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::phone::E164;

/// One event and all that came of it.
#[derive(Clone, Debug)]
pub struct EventTrail {
    pub id: String,
    pub source: String,
    pub hook: String,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub key_index: u8,
    /// `received`, `processed`, `skipped`, `failed`.
    pub state: String,
    pub processed_at: Option<Timestamp>,
    /// The steps of processing, as JSON.
    pub steps: String,
    /// Where it stands in the inbox: attempts, next try, last error.
    pub waiting: Option<(u32, Timestamp, Option<String>)>,
    pub skips: Vec<SkipLine>,
    pub messages: Vec<MessageTrail>,
}

/// Why somebody, or a whole event, got nothing.
#[derive(Clone, Debug)]
pub struct SkipLine {
    pub event_id: String,
    pub hookpoint: Option<String>,
    pub client_id: Option<u64>,
    pub contact_id: Option<u64>,
    pub reason: String,
    pub detail: Option<String>,
    pub at: Timestamp,
}

/// One message with its attempts and receipts.
#[derive(Clone, Debug)]
pub struct MessageTrail {
    pub id: MessageId,
    pub event_id: String,
    pub hookpoint: String,
    pub subject: String,
    pub client_id: u64,
    pub contact_id: Option<u64>,
    /// The login it goes to, where it is neither the client nor a contact.
    pub user_id: Option<u64>,
    pub to: E164,
    pub locale: String,
    pub class: String,
    pub lane: String,
    pub template: String,
    pub language: String,
    pub text: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `queued`, `sending`, `unknown`, `sent`, `failed`, `cancelled`.
    pub state: String,
    pub state_at: Timestamp,
    /// Why it ended, or what it waits for.
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub run_at: Option<Timestamp>,
    pub snoozes: u32,
    pub provider_id: Option<String>,
    /// The message that this one sends again.
    pub resend_of: Option<MessageId>,
    /// When it was last written anew, because what it says had changed while it waited.
    pub rewritten_at: Option<Timestamp>,
    /// `sent`, `delivered`, `read`, `failed`.
    pub receipt: Option<String>,
    pub attempts: Vec<AttemptLine>,
    pub receipts: Vec<ReceiptLine>,
}

impl MessageTrail {
    /// The one word for people: a receipt says more than "sent", which only means that the provider took it.
    #[must_use]
    pub fn standing(&self) -> &str {
        match (self.state.as_str(), self.receipt.as_deref()) {
            ("sent", Some("sent")) => "sent",
            ("sent", Some(receipt)) => receipt,
            ("sent", None) => "accepted",
            (state, _) => state,
        }
    }
}

#[derive(Clone, Debug)]
pub struct AttemptLine {
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: String,
    pub code: Option<i64>,
    pub detail: Option<String>,
    /// Why it was made although an earlier one may have succeeded.
    pub cause: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ReceiptLine {
    pub status: String,
    pub at: Timestamp,
    pub received_at: Timestamp,
    pub code: Option<i64>,
    pub category: Option<String>,
}

/// Which messages to list.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    pub event: Option<EventId>,
    pub client_id: Option<u64>,
    pub id: Option<MessageId>,
    pub state: Option<String>,
    pub since: Option<Timestamp>,
    pub limit: usize,
}

/// Everything about one event.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn event(store: &Store, id: &EventId) -> Result<Option<EventTrail>, StoreError> {
    let row: Option<Row> = bounded(async {
        let mut connection = store.connection().await?;
        Ok(connection
            .exec_first(
                // One statement, so that an event is seen while it moves from one table to the other.
                "SELECT id, source, hook, occurred_at, received_at, key_index, state, processed_at, trail, \
                 NULL AS attempts, NULL AS run_at, NULL AS last_error FROM event WHERE id = ? UNION ALL \
                 SELECT event_id, source, hook, occurred_at, received_at, key_index, 'received', NULL, NULL, \
                 attempts, run_at, last_error FROM inbox WHERE event_id = ?",
                (id.as_str(), id.as_str()),
            )
            .await?)
    })
    .await?;
    let Some(row) = row else { return Ok(None) };
    let reader = Reader::new("event", &row, id.as_str());
    let waiting = match reader.get::<Option<u32>>("attempts")? {
        Some(attempts) => Some((attempts, reader.time("run_at")?, reader.get("last_error")?)),
        None => None,
    };
    Ok(Some(EventTrail {
        id: reader.get("id")?,
        source: reader.get("source")?,
        hook: reader.get("hook")?,
        occurred_at: reader.time("occurred_at")?,
        received_at: reader.time("received_at")?,
        key_index: reader.get("key_index")?,
        state: reader.get("state")?,
        processed_at: reader.optional_time("processed_at")?,
        steps: reader.get::<Option<String>>("trail")?.unwrap_or_default(),
        waiting,
        skips: skips(store, id).await?,
        messages: messages(store, &MessageFilter { event: Some(id.clone()), limit: 100, ..Default::default() }).await?,
    }))
}

/// One line per event, newest first: `(id, hook, received_at, state)`.
///
/// # Errors
/// The database.
pub async fn events(
    store: &Store,
    hook: Option<&str>,
    state: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, String, Timestamp, String)>, StoreError> {
    let limit = limit as u64;
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec(
                "(SELECT id, hook, received_at, state FROM event WHERE (? IS NULL OR hook = ?) \
                 AND (? IS NULL OR state = ?) ORDER BY received_at DESC, id DESC LIMIT ?) UNION ALL \
                 (SELECT event_id, hook, received_at, 'received' FROM inbox WHERE (? IS NULL OR hook = ?) \
                 AND (? IS NULL OR ? = 'received') ORDER BY seq DESC LIMIT ?) \
                 ORDER BY received_at DESC, id DESC LIMIT ?",
                (hook, hook, state, state, limit, hook, hook, state, state, limit, limit),
            )
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("event", row, "");
                Ok((reader.get("id")?, reader.get("hook")?, reader.time("received_at")?, reader.get("state")?))
            })
            .collect()
    })
    .await
}

async fn skips(store: &Store, id: &EventId) -> Result<Vec<SkipLine>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> =
            connection.exec(format!("{SKIP_COLUMNS} WHERE event_id = ? ORDER BY id"), (id.as_str(),)).await?;
        rows.iter().map(skip).collect()
    })
    .await
}

/// What [`skip`] reads.
pub(super) const SKIP_COLUMNS: &str = "SELECT event_id, hookpoint, client_id, contact_id, reason, detail, at FROM skip";

pub(super) fn skip(row: &Row) -> Result<SkipLine, StoreError> {
    let reader = Reader::new("skip", row, "");
    Ok(SkipLine {
        event_id: reader.get("event_id")?,
        hookpoint: reader.get("hookpoint")?,
        client_id: reader.get("client_id")?,
        contact_id: reader.get("contact_id")?,
        reason: reader.get("reason")?,
        detail: reader.get("detail")?,
        at: reader.time("at")?,
    })
}

/// Messages with their attempts and receipts, newest first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn messages(store: &Store, filter: &MessageFilter) -> Result<Vec<MessageTrail>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let (condition, parameters) = conditions(filter);
        let sql = format!(
            "SELECT m.*, o.state AS queue_state, o.waiting_for, o.run_at, o.snoozes, o.last_error FROM message m \
             LEFT JOIN outbox o ON o.message_id = m.id WHERE {condition} ORDER BY m.created_at DESC, m.id DESC LIMIT {}",
            filter.limit
        );
        let rows: Vec<Row> = connection.exec(sql, parameters).await?;
        let mut found: Vec<MessageTrail> = rows.iter().map(message).collect::<Result<_, _>>()?;
        for one in &mut found {
            attempts(&mut connection, one).await?;
            receipts(&mut connection, one).await?;
        }
        Ok(found)
    })
    .await
}

fn conditions(filter: &MessageFilter) -> (String, mysql_async::Params) {
    let mut parts = vec!["TRUE".to_owned()];
    let mut values: Vec<mysql_async::Value> = Vec::new();
    let mut add = |part: &str, value: mysql_async::Value| {
        parts.push(part.to_owned());
        values.push(value);
    };
    if let Some(event) = &filter.event {
        add("m.event_id = ?", event.as_str().into());
    }
    if let Some(id) = filter.id {
        add("m.id = ?", super::outbox::key(id));
    }
    if let Some(client) = filter.client_id {
        add("m.client_id = ?", client.into());
    }
    if let Some(state) = &filter.state {
        add("COALESCE(o.state, m.state) = ?", state.as_str().into());
    }
    if let Some(since) = filter.since {
        add("m.created_at >= ?", at(since));
    }
    let params = if values.is_empty() { mysql_async::Params::Empty } else { mysql_async::Params::Positional(values) };
    (parts.join(" AND "), params)
}

pub(super) fn message(row: &Row) -> Result<MessageTrail, StoreError> {
    let reader = Reader::new("message", row, "");
    let id = message_id(&reader, "id")?;
    let reader = Reader::new("message", row, id.to_string());
    let queue_state: Option<String> = reader.get("queue_state")?;
    let waiting: Option<String> = reader.get("waiting_for")?;
    let last_error: Option<String> = reader.get("last_error")?;
    Ok(MessageTrail {
        id,
        event_id: reader.get("event_id")?,
        hookpoint: reader.get("hookpoint")?,
        subject: reader.get("subject")?,
        client_id: reader.get("client_id")?,
        contact_id: reader.get("contact_id")?,
        user_id: reader.get("user_id")?,
        to: reader.parse("recipient", E164::trusted)?,
        locale: reader.get("locale")?,
        class: reader.get("class")?,
        lane: reader.get("lane")?,
        template: reader.get("template")?,
        language: reader.get("language")?,
        text: reader.get("body")?,
        created_at: reader.time("created_at")?,
        expires_at: reader.time("expires_at")?,
        state: match queue_state {
            Some(state) => state,
            None => reader.get("state")?,
        },
        state_at: reader.time("state_at")?,
        reason: waiting.or(reader.get("reason")?),
        detail: last_error.or(reader.get("detail")?),
        run_at: reader.optional_time("run_at")?,
        snoozes: reader.get::<Option<u32>>("snoozes")?.unwrap_or(0),
        provider_id: reader.get("provider_id")?,
        resend_of: match reader.get::<Option<Vec<u8>>>("resend_of")? {
            Some(_) => Some(message_id(&reader, "resend_of")?),
            None => None,
        },
        rewritten_at: reader.optional_time("rewritten_at")?,
        receipt: reader.get("receipt")?,
        attempts: Vec::new(),
        receipts: Vec::new(),
    })
}

async fn attempts(connection: &mut mysql_async::Conn, message: &mut MessageTrail) -> Result<(), StoreError> {
    let rows: Vec<Row> = connection
        .exec(
            "SELECT started_at, ended_at, outcome, code, detail, cause FROM attempt WHERE message_id = ? ORDER BY id",
            (super::outbox::key(message.id),),
        )
        .await?;
    for row in &rows {
        let reader = Reader::new("attempt", row, message.id.to_string());
        message.attempts.push(AttemptLine {
            started_at: reader.time("started_at")?,
            ended_at: reader.time("ended_at")?,
            outcome: reader.get("outcome")?,
            code: reader.get("code")?,
            detail: reader.get("detail")?,
            cause: reader.get("cause")?,
        });
    }
    Ok(())
}

async fn receipts(connection: &mut mysql_async::Conn, message: &mut MessageTrail) -> Result<(), StoreError> {
    let rows: Vec<Row> = connection
        .exec(
            "SELECT status, at, received_at, code, category FROM receipt WHERE message_id = ? ORDER BY at, status + 0",
            (super::outbox::key(message.id),),
        )
        .await?;
    for row in &rows {
        let reader = Reader::new("receipt", row, message.id.to_string());
        message.receipts.push(ReceiptLine {
            status: reader.get("status")?,
            at: reader.time("at")?,
            received_at: reader.time("received_at")?,
            code: reader.get("code")?,
            category: reader.get("category")?,
        });
    }
    Ok(())
}
