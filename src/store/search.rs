//! Owns: finding messages. Every search walks one index from the newest on and stops when it has a page; where other
//! wishes are to be looked for in the rows, it looks at no more than [`SCAN_MAX`] of them and says how far it came.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};
use uuid::Uuid;

use super::outbox::{hex_list, key};
use super::pool::bounded;
use super::row::{Reader, at};
use super::trail::{self, MessageTrail};
use super::{Store, StoreError};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::message::Standing;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;

/// Rows that one search looks through at most.
pub const SCAN_MAX: u64 = 20_000;
/// Rows of the queue that one search looks through at most: they are short.
pub const QUEUE_SCAN_MAX: u64 = 100_000;

/// Which messages to look for: all wishes must hold.
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

/// A place in a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    /// The last row's id; empty: everything of that moment was seen.
    pub id: String,
}

impl Place {
    /// Reads what [`std::fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ms, id) = text.split_once('-')?;
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        // A year that a DATETIME holds.
        let ms = ms.parse::<i64>().ok().filter(|ms| (0..253_402_300_800_000).contains(ms))?;
        let at = Timestamp::from_millisecond(ms).ok()?;
        (id.len() <= 64 && id.chars().all(good)).then(|| Self { at, id: id.to_owned() })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.at.as_millisecond(), self.id)
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Place>,
    /// The search gave up here, with less than a page: [`Found::next`] goes on.
    pub looked_until: Option<Timestamp>,
}

/// SQL with its values, as a list runs it; a test has the server explain each.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Statement {
    pub(super) async fn rows(self, store: &Store) -> Result<Vec<Row>, StoreError> {
        bounded(async {
            let params = if self.values.is_empty() { Params::Empty } else { Params::Positional(self.values) };
            Ok(store.connection().await?.exec(self.sql, params).await?)
        })
        .await
    }
}

/// Conditions and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Where {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    pub(super) fn add(&mut self, part: &str, values: impl IntoIterator<Item = Value>) {
        self.parts.push(part.to_owned());
        self.values.extend(values);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn extend(&mut self, more: &Self) {
        self.parts.extend(more.parts.iter().cloned());
        self.values.extend(more.values.iter().cloned());
    }

    /// `select WHERE conditions rest`.
    pub(super) fn statement(&self, select: &str, rest: &str) -> Statement {
        let all = if self.parts.is_empty() { "TRUE".to_owned() } else { self.parts.join(" AND ") };
        Statement { sql: format!("{select} WHERE {all} {rest}"), values: self.values.clone() }
    }
}

/// The index a search walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    Event,
    Subject,
    Client,
    Recipient,
    Queue,
    Ended,
    Hookpoint,
    Created,
}

impl Walk {
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
            _ if ended || (search.reason.is_some() && search.state.is_none()) => Self::Ended,
            MessageSearch { hookpoint: Some(_), .. } => Self::Hookpoint,
            _ => Self::Created,
        }
    }

    const fn index(self) -> &'static str {
        match self {
            Self::Event => "message_event",
            Self::Subject => "message_subject",
            Self::Client => "message_client",
            Self::Recipient => "message_recipient",
            Self::Queue => "PRIMARY",
            Self::Ended => "message_ended",
            Self::Hookpoint => "message_hookpoint",
            Self::Created => "message_created",
        }
    }
}

/// How a search is done.
struct Plan {
    walk: Walk,
    /// What the index serves, with the time.
    walked: Where,
    /// What is looked for in the rows.
    looked: Where,
}

fn plan(search: &MessageSearch) -> Plan {
    let walk = Walk::of(search);
    let (mut walked, mut looked) = (Where::default(), Where::default());
    {
        let mut put = |served: Walk, part: &str, value: Option<Value>| {
            if let Some(value) = value {
                if walk == served { walked.add(part, [value]) } else { looked.add(part, [value]) }
            }
        };
        put(Walk::Event, "m.event_id = ?", search.event.as_ref().map(|id| id.as_str().into()));
        put(Walk::Subject, "m.subject = ?", search.subject.as_deref().map(Value::from));
        put(Walk::Client, "m.client_id = ?", search.client.map(Value::from));
        put(Walk::Recipient, "m.recipient = ?", search.recipient.as_ref().map(|to| to.as_str().into()));
        put(Walk::Hookpoint, "m.hookpoint = ?", search.hookpoint.as_deref().map(Value::from));
    }
    if walk == Walk::Ended {
        match search.state {
            Some(Standing::Failed) => walked.add("m.ended = 1", []),
            Some(_) => walked.add("m.ended = 2", []),
            None => {}
        }
    } else if let Some(state) = search.state {
        let (part, value): (&str, Option<Value>) = match state {
            Standing::Failed => ("m.ended = 1", None),
            Standing::Cancelled => ("m.ended = 2", None),
            Standing::Accepted => ("m.state = 'sent' AND m.receipt IS NULL", None),
            Standing::Sent | Standing::Delivered | Standing::Read => {
                ("m.state = 'sent' AND m.receipt = ?", Some(state.code().into()))
            }
            _ => ("o.state = ?", Some(state.code().into())),
        };
        looked.add(part, value);
    }
    if let Some(reason) = search.reason {
        looked.add("COALESCE(o.waiting_for, m.reason) = ?", [reason.code().into()]);
    }
    Plan { walk, walked, looked }
}

/// The condition for what lies behind a place: an index on `time, id` serves it.
fn behind(into: &mut Where, time: &str, id: &str, place: &Place, key: Value) {
    into.add(&format!("{time} <= ?"), [at(place.at)]);
    into.add(&format!("({time} < ? OR {id} < ?)"), [at(place.at), key]);
}

/// The 16 bytes of a place; without an id the smallest, which nothing is below.
fn bytes(place: &Place) -> Value {
    key(MessageId::parse(&place.id).unwrap_or(MessageId(Uuid::nil())))
}

fn bound(search: &MessageSearch, into: &mut Where) {
    if let Some(since) = search.since {
        into.add("m.created_at >= ?", [at(since)]);
    }
    if let Some(until) = search.until {
        into.add("m.created_at < ?", [at(until)]);
    }
}

/// Where a search that looks into rows must stop: the place after as many rows as it may look through.
fn floor(search: &MessageSearch, plan: &Plan, ended: u8) -> Option<Statement> {
    if plan.looked.is_empty() || plan.walk == Walk::Event {
        return None;
    }
    let mut all = plan.walked.clone();
    if plan.walk == Walk::Queue {
        if let Some(place) = &search.before {
            all.add("o.message_id < ?", [bytes(place)]);
        }
        let rest = format!("ORDER BY o.message_id DESC LIMIT 1 OFFSET {QUEUE_SCAN_MAX}");
        return Some(all.statement("SELECT o.message_id AS id FROM outbox o FORCE INDEX (PRIMARY)", &rest));
    }
    narrowed(search, plan, ended, &mut all);
    let rest = format!("ORDER BY m.created_at DESC, m.id DESC LIMIT 1 OFFSET {SCAN_MAX}");
    Some(all.statement(&format!("SELECT m.created_at AS at FROM message m FORCE INDEX ({})", plan.walk.index()), &rest))
}

/// Time, place, and which end is walked along where both are wanted.
fn narrowed(search: &MessageSearch, plan: &Plan, ended: u8, all: &mut Where) {
    if plan.walk == Walk::Ended && search.state.is_none() {
        all.add(&format!("m.ended = {ended}"), []);
    }
    bound(search, all);
    if let Some(place) = &search.before {
        behind(all, "m.created_at", "m.id", place, bytes(place));
    }
}

/// A message, and where it stands in the queue.
const COLUMNS: &str = "SELECT m.*, o.state AS queue_state, o.waiting_for, o.run_at, o.snoozes, o.last_error FROM";

fn page(search: &MessageSearch, plan: &Plan, ended: u8, stop: Option<Stop>) -> Statement {
    let mut all = plan.walked.clone();
    let limit = search.limit + 1;
    if plan.walk == Walk::Queue {
        if let Some(place) = &search.before {
            all.add("o.message_id < ?", [bytes(place)]);
        }
        if let Some(Stop::Id(id)) = stop {
            all.add("o.message_id >= ?", [key(id)]);
        }
        bound(search, &mut all);
        all.extend(&plan.looked);
        return all.statement(
            &format!("{COLUMNS} outbox o FORCE INDEX (PRIMARY) STRAIGHT_JOIN message m ON m.id = o.message_id"),
            &format!("ORDER BY o.message_id DESC LIMIT {limit}"),
        );
    }
    narrowed(search, plan, ended, &mut all);
    if let Some(Stop::At(time)) = stop {
        all.add("m.created_at >= ?", [at(time)]);
    }
    all.extend(&plan.looked);
    all.statement(
        &format!("{COLUMNS} message m FORCE INDEX ({}) LEFT JOIN outbox o ON o.message_id = m.id", plan.walk.index()),
        &format!("ORDER BY m.created_at DESC, m.id DESC LIMIT {limit}"),
    )
}

/// Where a walk ends, unless it is full before.
#[derive(Clone, Copy, Debug)]
enum Stop {
    At(Timestamp),
    Id(MessageId),
}

/// Which ends must be walked along: both, if only a reason is wanted.
fn ends(search: &MessageSearch, walk: Walk) -> &'static [u8] {
    if walk == Walk::Ended && search.state.is_none() { &[1, 2] } else { &[0] }
}

/// All statements of a search, for a test that has them explained.
#[must_use]
pub fn statements(search: &MessageSearch) -> Vec<Statement> {
    let plan = plan(search);
    let ends = ends(search, plan.walk).iter();
    ends.flat_map(|ended| floor(search, &plan, *ended).into_iter().chain([page(search, &plan, *ended, None)])).collect()
}

/// Messages, newest first, without their attempts and receipts.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn messages(store: &Store, search: &MessageSearch) -> Result<Found<MessageTrail>, StoreError> {
    let plan = plan(search);
    let mut items: Vec<MessageTrail> = Vec::new();
    let mut stopped: Option<Place> = None;
    for ended in ends(search, plan.walk) {
        let stop = match floor(search, &plan, *ended) {
            Some(floor) => stop(&floor.rows(store).await?, plan.walk)?,
            None => None,
        };
        for row in &page(search, &plan, *ended, stop).rows(store).await? {
            items.push(trail::message(row)?);
        }
        let place = stop.map(|stop| match stop {
            Stop::At(at) => Place { at, id: String::new() },
            Stop::Id(id) => Place { at: created(id), id: id.to_string() },
        });
        stopped = stopped.max_by_time(place);
    }
    // What lies before the nearest stop of two walks is not complete.
    if let (Some(place), true) = (&stopped, plan.walk == Walk::Ended) {
        items.retain(|one| one.created_at >= place.at);
    }
    if plan.walk != Walk::Queue {
        items.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    }
    let more = items.len() > search.limit;
    items.truncate(search.limit);
    let last = items.last().map(|one| Place { at: one.created_at, id: one.id.to_string() });
    Ok(if more {
        Found { items, next: last, looked_until: None }
    } else {
        Found { items, looked_until: stopped.as_ref().map(|place| place.at), next: stopped }
    })
}

trait Later {
    fn max_by_time(self, other: Option<Place>) -> Self;
}

impl Later for Option<Place> {
    fn max_by_time(self, other: Option<Place>) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(if a.at >= b.at { a } else { b }),
            (a, b) => a.or(b),
        }
    }
}

fn stop(rows: &[Row], walk: Walk) -> Result<Option<Stop>, StoreError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let reader = Reader::new("message", row, "");
    Ok(Some(if walk == Walk::Queue {
        Stop::Id(super::outbox::message_id(&reader, "id")?)
    } else {
        Stop::At(reader.time("at")?)
    }))
}

/// When an id was made.
fn created(id: MessageId) -> Timestamp {
    let made = id.0.get_timestamp().map(|time| time.to_unix());
    made.and_then(|(s, _)| Timestamp::from_second(i64::try_from(s).ok()?).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Messages of a client queued within a time, newest first, at most `limit`: with [`SCAN_MAX`] far away, no walk is needed.
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
        "{COLUMNS} message m LEFT JOIN outbox o ON o.message_id = m.id WHERE m.id IN ({}) ORDER BY m.created_at DESC, m.id DESC",
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
