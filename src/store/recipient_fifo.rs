//! Owns: the order per recipient. Who has an earlier message waiting gets that one first, whatever its class; only a
//! security alert waits for nobody. What waits for its own fault (a retry, a held template, its hookpoint's quiet hours) is stepped over: it delays
//! nothing but itself.

use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::outbox::{DUE_COLUMNS, Due, due, hex_list, key, message_id};
use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError};
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::MessageId;
use crate::domain::message::Message;
use crate::domain::reason::Reason;

/// An earlier message in the way: queued (then it goes first), held back by nothing of its own; or being sent.
const IN_THE_WAY: &str = "(state = 'sending' OR (state = 'queued' AND (waiting_for IS NULL OR waiting_for NOT IN \
     ('retry_later', 'template_held', 'attempts_exhausted', 'quiet_hours'))))";

/// What goes before a message.
#[derive(Clone, Debug)]
pub enum Ahead {
    /// This one must be sent first. It may be due later.
    Queued(Due),
    /// One is being sent to the same recipient.
    Sending,
}

/// Which of `ids` have an earlier message to the same recipient in the way.
///
/// # Errors
/// The database.
pub async fn behind(store: &Store, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT c.message_id FROM outbox c WHERE c.message_id IN ({}) AND EXISTS (SELECT 1 FROM outbox e \
         WHERE e.recipient = c.recipient AND e.event_at <= c.event_at \
         AND (e.event_at < c.event_at OR e.message_id < c.message_id) \
         AND e.lane = c.lane AND (c.priority > 0 OR e.priority = 0) AND {})",
        hex_list(ids),
        IN_THE_WAY.replace("state", "e.state").replace("waiting_for", "e.waiting_for")
    );
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.query(sql).await?;
        rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect()
    })
    .await
}

/// The first message in the way of `one`.
///
/// # Errors
/// The database.
pub async fn ahead(store: &Store, lane: &str, one: &Due) -> Result<Option<Ahead>, StoreError> {
    let sql = format!(
        "SELECT {DUE_COLUMNS}, state FROM outbox WHERE recipient = ? AND event_at <= ? \
         AND (event_at < ? OR message_id < ?) AND lane = ? AND (? > 0 OR priority = 0) AND {IN_THE_WAY} \
         ORDER BY event_at, message_id LIMIT 1"
    );
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection
            .exec_first(
                sql.as_str(),
                (one.to.as_str(), at(one.event_at), at(one.event_at), key(one.id), lane, one.priority),
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sending = Reader::new("outbox", &row, "").get::<String>("state")? == "sending";
        Ok(Some(if sending { Ahead::Sending } else { Ahead::Queued(due(&row)?) }))
    })
    .await
}

/// Whether the alert that `message` answers (`first`, of the same thing, to the same recipient) was withdrawn before
/// anybody saw it.
///
/// # Errors
/// The database.
pub async fn was_never_said(store: &Store, message: &Message, first: &HookpointId) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection
            .exec_first(
                "SELECT state, reason FROM message WHERE recipient = ? AND hookpoint = ? AND subject = ? \
                 ORDER BY created_at DESC, id DESC LIMIT 1",
                (message.to.as_str(), first.as_str(), message.subject.to_string()),
            )
            .await?;
        let Some(row) = row else { return Ok(false) };
        let reader = Reader::new("message", &row, "");
        let withdrawn = reader.get::<Option<String>>("reason")?.as_deref() == Some(Reason::ServiceChanged.code());
        Ok(reader.get::<String>("state")? == "cancelled" && withdrawn)
    })
    .await
}
