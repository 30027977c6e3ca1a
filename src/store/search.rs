//! Owns: finding messages, newest first, along the index that leaves the fewest rows to look through.

use jiff::Timestamp;
use mysql_async::{Row, Value};
use uuid::Uuid;

use super::outbox::{hex_list, key};
use super::row::Reader;
use super::trail::{self, MessageTrail};
use super::walk::{Found, Place, Statement, TIME_MAX, Walk, Where, moment};
use super::{Store, StoreError};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::message::Standing;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;

/// Which messages to look for: all filters must hold.
#[derive(Clone, Debug, Default)]
pub struct MessageSearch {
    pub client: Option<u64>,
    pub recipient: Option<E164>,
    /// E.g. `invoice:7`.
    pub subject: Option<String>,
    pub event: Option<EventId>,
    pub hookpoint: Option<String>,
    pub state: Option<Standing>,
    pub reason: Option<Reason>,
    /// Queued at this time or later.
    pub since: Option<Timestamp>,
    /// Queued before this time.
    pub until: Option<Timestamp>,
    /// Behind this place.
    pub before: Option<Place>,
    pub limit: usize,
}

/// The index that is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Index {
    Event,
    Subject,
    Client,
    Recipient,
    Queue,
    Reason,
    Ended,
    Hookpoint,
    Created,
}

impl Index {
    /// The one that leaves the fewest rows to look through.
    fn of(search: &MessageSearch) -> Self {
        let waits = search.reason.is_some_and(Reason::is_wait) && search.state.is_none();
        let ended = matches!(search.state, Some(Standing::Failed | Standing::Cancelled));
        match search {
            MessageSearch { event: Some(_), .. } => Self::Event,
            MessageSearch { subject: Some(_), .. } => Self::Subject,
            MessageSearch { client: Some(_), .. } => Self::Client,
            MessageSearch { recipient: Some(_), .. } => Self::Recipient,
            _ if waits || search.state.is_some_and(Standing::is_open) => Self::Queue,
            _ if search.reason.is_some() && (ended || search.state.is_none()) => Self::Reason,
            _ if ended => Self::Ended,
            MessageSearch { hookpoint: Some(_), .. } => Self::Hookpoint,
            _ => Self::Created,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Event => "message_event",
            Self::Subject => "message_subject",
            Self::Client => "message_client",
            Self::Recipient => "message_recipient",
            Self::Queue => "PRIMARY",
            Self::Reason => "message_reason",
            Self::Ended => "message_ended",
            Self::Hookpoint => "message_hookpoint",
            Self::Created => "message_created",
        }
    }
}

/// As the column `message.ended` has it.
const FAILED: u8 = 1;
const CANCELLED: u8 = 2;

/// A message, and where it stands in the queue.
const COLUMNS: &str = "m.*, o.state AS queue_state, o.waiting_for, o.run_at, o.snoozes, o.last_error";

/// One walk; two for a reason alone: along what failed, and along what was cancelled.
fn walks(search: &MessageSearch) -> Vec<Walk<MessageTrail>> {
    let index = Index::of(search);
    match search.state {
        Some(Standing::Failed) => vec![walk(search, index, Some(FAILED))],
        Some(Standing::Cancelled) => vec![walk(search, index, Some(CANCELLED))],
        None if index == Index::Reason => [FAILED, CANCELLED].map(|end| walk(search, index, Some(end))).into(),
        _ => vec![walk(search, index, None)],
    }
}

fn walk(search: &MessageSearch, index: Index, end: Option<u8>) -> Walk<MessageTrail> {
    let (mut walked, mut looked) = (Where::default(), Where::default());
    let mut put = |served: &[Index], part: &str, value: Option<Value>| {
        if let Some(value) = value {
            if served.contains(&index) { walked.add(part, [value]) } else { looked.add(part, [value]) }
        }
    };
    put(&[Index::Event], "m.event_id = ?", search.event.as_ref().map(|id| id.as_str().into()));
    put(&[Index::Subject], "m.subject = ?", search.subject.as_deref().map(Value::from));
    put(&[Index::Client], "m.client_id = ?", search.client.map(Value::from));
    put(&[Index::Recipient], "m.recipient = ?", search.recipient.as_ref().map(|to| to.as_str().into()));
    put(&[Index::Hookpoint], "m.hookpoint = ?", search.hookpoint.as_deref().map(Value::from));
    put(&[Index::Ended, Index::Reason], "m.ended = ?", end.map(Value::from));
    // Only what waits is in the queue, and says there what it waits for.
    let reason = if index == Index::Reason { "m.reason = ?" } else { "COALESCE(o.waiting_for, m.reason) = ?" };
    put(&[Index::Reason], reason, search.reason.map(|reason| reason.code().into()));
    if let (Some(state), None) = (search.state, end) {
        match state {
            Standing::Accepted => looked.add("m.state = 'sent' AND m.receipt IS NULL", []),
            Standing::Sent | Standing::Delivered | Standing::Read => {
                looked.add("m.state = 'sent' AND m.receipt = ?", [state.code().into()]);
            }
            _ => looked.add("o.state = ?", [state.code().into()]),
        }
    }
    let in_queue = index == Index::Queue;
    // The queue has no time of its own: the ids grow with it.
    (if in_queue { &mut looked } else { &mut walked }).span("m.created_at", search.since, search.until);
    Walk {
        columns: COLUMNS,
        table: if in_queue { "outbox o" } else { "message m" },
        index: index.name(),
        join: if in_queue {
            "STRAIGHT_JOIN message m ON m.id = o.message_id"
        } else {
            "LEFT JOIN outbox o ON o.message_id = m.id"
        },
        order: if in_queue { (None, "o.message_id") } else { (Some("m.created_at"), "m.id") },
        walked,
        looked,
        key: |id| key(MessageId::parse(id).unwrap_or(MessageId(Uuid::nil()))),
        stop: if in_queue { queued } else { moment },
        item: trail::message,
        place,
    }
}

fn place(item: &MessageTrail) -> Place {
    Place { at: item.created_at, id: item.id.to_string() }
}

fn queued(row: &Row) -> Result<Place, StoreError> {
    let id = super::outbox::message_id(&Reader::new("outbox", row, ""), "id")?;
    Ok(Place { at: created(id), id: id.to_string() })
}

/// Messages, newest first, without their attempts and receipts.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn messages(store: &Store, search: &MessageSearch) -> Result<Found<MessageTrail>, StoreError> {
    let walks = walks(search);
    let time = TIME_MAX / if walks.len() > 1 { 2 } else { 1 };
    let mut ends = Vec::new();
    for one in walks {
        ends.push(one.found(store, search.before.as_ref(), search.limit, time).await?);
    }
    Ok(match ends.pop() {
        Some(only) if ends.is_empty() => only,
        last => merged(ends.into_iter().chain(last), search.limit),
    })
}

/// One page of several: complete down to where the first of them ended.
fn merged(ends: impl Iterator<Item = Found<MessageTrail>>, limit: usize) -> Found<MessageTrail> {
    let mut items = Vec::new();
    let mut until: Option<Place> = None;
    for end in ends {
        items.extend(end.items);
        until = until.into_iter().chain(end.next).max_by_key(|place| place.at);
    }
    if let Some(place) = &until {
        items.retain(|one| one.created_at >= place.at);
    }
    items.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    if items.len() > limit || (items.len() == limit && until.is_some()) {
        items.truncate(limit);
        let next = items.last().map(place);
        return Found { items, next, looked_until: None };
    }
    Found { items, looked_until: until.as_ref().map(|place| place.at), next: until }
}

/// When an id was made.
fn created(id: MessageId) -> Timestamp {
    let made = id.0.get_timestamp().map(|time| time.to_unix());
    made.and_then(|(s, _)| Timestamp::from_second(i64::try_from(s).ok()?).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Messages of a client queued within a time, newest first, at most `limit`.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn of_client(
    store: &Store,
    client: u64,
    (since, until): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Vec<MessageTrail>, StoreError> {
    let search = MessageSearch {
        client: Some(client),
        since: Some(since),
        until: Some(until),
        limit,
        ..MessageSearch::default()
    };
    Ok(messages(store, &search).await?.items)
}

/// The messages `ids` that there are, without their attempts and receipts.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn of_ids(store: &Store, ids: &[MessageId]) -> Result<Vec<MessageTrail>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM message m LEFT JOIN outbox o ON o.message_id = m.id WHERE m.id IN ({}) ORDER BY m.created_at DESC, m.id DESC",
        hex_list(ids)
    );
    Statement { sql, values: Vec::new() }.rows(store).await?.iter().map(trail::message).collect()
}

/// Clients that were written to at that number, the last one first.
///
/// # Errors
/// The database.
pub async fn clients_of(store: &Store, recipient: &E164) -> Result<Vec<u64>, StoreError> {
    let statement = Statement {
        sql: "SELECT client_id FROM message FORCE INDEX (message_recipient) WHERE recipient = ? \
              ORDER BY created_at DESC, id DESC LIMIT 200"
            .to_owned(),
        values: vec![recipient.as_str().into()],
    };
    let mut clients = Vec::new();
    for row in &statement.rows(store).await? {
        let client: u64 = Reader::new("message", row, "").get("client_id")?;
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    Ok(clients)
}
