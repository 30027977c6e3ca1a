//! Owns: finding events: by hook, state and time along an index of their own; by client or reason along what was written
//! about them.

use std::collections::HashMap;

use jiff::Timestamp;
use mysql_async::{Row, Value};

use super::row::{Reader, at, marks};
use super::walk::{Found, Place, Statement, TIME_MAX, Walk, Where, moment};
use super::{Store, StoreError};
use crate::domain::closed_list::closed_list;
use crate::domain::reason::Reason;
/// Lines about events that one search reads at most: of a client, or with a reason.
const LINES_MAX: usize = 200;

closed_list! {
    /// Where an event stands.
    EventState {
        /// Waits to be processed.
        Received = "received",
        /// Led to a message.
        Processed = "processed",
        /// Led to none, and says why.
        Skipped = "skipped",
        /// Something of ours was wrong: an operator should look.
        Failed = "failed",
    }
}

/// Which events to look for: all filters must hold.
#[derive(Clone, Debug, Default)]
pub struct EventSearch {
    pub hook: Option<String>,
    pub state: Option<EventState>,
    pub client: Option<u64>,
    /// Something about it was skipped for this reason.
    pub reason: Option<Reason>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub before: Option<Place>,
    pub limit: usize,
}

/// One event of a list.
#[derive(Clone, Debug)]
pub struct EventRow {
    pub id: String,
    pub source: String,
    pub hook: String,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub state: String,
}

const COLUMNS: &str = "id, source, hook, occurred_at, received_at, state";
const WAITING: &str =
    "SELECT event_id AS id, source, hook, occurred_at, received_at, 'received' AS state, seq FROM inbox";

pub(super) fn event(row: &Row) -> Result<EventRow, StoreError> {
    let reader = Reader::new("event", row, "");
    Ok(EventRow {
        id: reader.get("id")?,
        source: reader.get("source")?,
        hook: reader.get("hook")?,
        occurred_at: reader.time("occurred_at")?,
        received_at: reader.time("received_at")?,
        state: reader.get("state")?,
    })
}

/// The walk along the events themselves.
fn walk(search: &EventSearch) -> Walk<EventRow> {
    let (mut walked, mut looked) = (Where::default(), Where::default());
    let index = match (&search.hook, search.state) {
        (Some(_), _) => "event_hook",
        (None, Some(_)) => "event_state",
        (None, None) => "event_received",
    };
    if let Some(hook) = &search.hook {
        walked.add("hook = ?", [hook.as_str().into()]);
    }
    if let Some(state) = search.state {
        (if search.hook.is_some() { &mut looked } else { &mut walked }).add("state = ?", [state.code().into()]);
    }
    walked.span("received_at", search.since, search.until);
    Walk {
        columns: COLUMNS,
        table: "event",
        index,
        join: "",
        order: (Some("received_at"), "id"),
        walked,
        looked,
        key: |id| id.into(),
        stop: moment,
        item: event,
        place: |item| Place { at: item.received_at, id: item.id.clone() },
    }
}

/// Those that wait, by the order of their arrival.
fn waiting(search: &EventSearch) -> Statement {
    let mut all = Where::default();
    if let Some(seq) = search.before.as_ref().and_then(|place| place.id.parse::<u64>().ok()) {
        all.add("seq < ?", [seq.into()]);
    }
    all.span("received_at", search.since, search.until);
    if let Some(hook) = &search.hook {
        all.add("hook = ?", [hook.as_str().into()]);
    }
    all.statement(WAITING, &format!("ORDER BY seq DESC LIMIT {}", search.limit + 1))
}

/// Lines about events: reasons, and for a client the messages.
fn lines(search: &EventSearch) -> Vec<Statement> {
    let before = |all: &mut Where, column: &str, exact: bool| {
        let Some(place) = &search.before else { return };
        match place.id.parse::<u64>() {
            Ok(id) if exact => {
                all.add(&format!("{column} <= ?"), [at(place.at)]);
                all.add(&format!("({column} < ? OR id < ?)"), [at(place.at), id.into()]);
            }
            _ => all.add(&format!("{column} < ?"), [at(place.at)]),
        }
    };
    let mut skips = Where::default();
    if let Some(client) = search.client {
        skips.add("client_id = ?", [client.into()]);
    }
    if let Some(reason) = search.reason {
        skips.add("reason = ?", [reason.code().into()]);
    }
    skips.span("at", search.since, search.until);
    before(&mut skips, "at", search.reason.is_some());
    let index = if search.client.is_some() { "skip_client" } else { "skip_reason" };
    let mut all = vec![skips.statement(
        &format!("SELECT event_id, at, id AS line FROM skip FORCE INDEX ({index})"),
        &format!("ORDER BY at DESC, id DESC LIMIT {LINES_MAX}"),
    )];
    if let (Some(client), None) = (search.client, search.reason) {
        let mut messages = Where::default();
        messages.add("client_id = ?", [client.into()]);
        messages.span("created_at", search.since, search.until);
        before(&mut messages, "created_at", false);
        all.push(messages.statement(
            "SELECT event_id, created_at AS at, 0 AS line FROM message FORCE INDEX (message_client)",
            &format!("ORDER BY created_at DESC, id DESC LIMIT {LINES_MAX}"),
        ));
    }
    all
}

/// Events, newest first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn events(store: &Store, search: &EventSearch) -> Result<Found<EventRow>, StoreError> {
    if search.client.is_some() || search.reason.is_some() {
        return along_lines(store, search).await;
    }
    if search.state == Some(EventState::Received) {
        let rows = waiting(search).rows(store).await?;
        let place = |row: &Row| {
            let reader = Reader::new("inbox", row, "");
            Ok::<_, StoreError>(Place { at: reader.time("received_at")?, id: reader.get::<u64>("seq")?.to_string() })
        };
        let next = if rows.len() > search.limit { Some(place(&rows[search.limit - 1])?) } else { None };
        let items = rows.iter().take(search.limit).map(event).collect::<Result<_, _>>()?;
        return Ok(Found { items, next, looked_until: None });
    }
    walk(search).found(store, search.before.as_ref(), search.limit, TIME_MAX).await
}

async fn along_lines(store: &Store, search: &EventSearch) -> Result<Found<EventRow>, StoreError> {
    let mut found: Vec<(Timestamp, u64, String)> = Vec::new();
    // Below the end of a walk that was cut, the lines are not complete.
    let mut end: Option<(Timestamp, u64)> = None;
    for statement in lines(search) {
        let rows = statement.rows(store).await?;
        for row in &rows {
            let reader = Reader::new("skip", row, "");
            found.push((reader.time("at")?, reader.get("line")?, reader.get("event_id")?));
        }
        if rows.len() == LINES_MAX {
            let last = found.last().map(|(at, line, _)| (*at, *line));
            end = end.max(last);
        }
    }
    found.sort_by_key(|one| std::cmp::Reverse((one.0, one.1)));
    if let (Some((at, _)), None) = (end, search.reason) {
        found.retain(|one| one.0 > at);
    }
    let mut order: Vec<(Timestamp, u64, String)> = Vec::new();
    for one in found {
        if !order.iter().any(|(_, _, id)| *id == one.2) {
            order.push(one);
        }
    }
    let ids: Vec<String> = order.iter().map(|(_, _, id)| id.clone()).collect();
    let mut rows = of_ids(store, &ids).await?;
    let fits = |row: &EventRow| {
        search.hook.as_ref().is_none_or(|hook| *hook == row.hook)
            && search.state.is_none_or(|state| state.code() == row.state)
    };
    let mut items = Vec::new();
    let mut next = None;
    for (index, (at, line, id)) in order.iter().enumerate() {
        if let Some(row) = rows.remove(id).filter(fits) {
            items.push(row);
        }
        // Never between two of one moment, where only the moment says where to go on.
        let whole = search.reason.is_some() || order.get(index + 1).is_none_or(|next| next.0 < *at);
        if items.len() >= search.limit && whole && (index + 1 < order.len() || end.is_some()) {
            let id = if search.reason.is_some() { line.to_string() } else { String::new() };
            next = Some(Place { at: *at, id });
            break;
        }
    }
    let mut looked_until = None;
    if next.is_none()
        && let Some((at, line)) = end
    {
        let id = if search.reason.is_some() { line.to_string() } else { String::new() };
        // Of a client with that many lines in one moment the rest of it is passed over.
        let at = if search.reason.is_some() { at } else { order.last().map_or(at, |(last, ..)| *last) };
        next = Some(Place { at, id });
        looked_until = Some(at).filter(|_| items.len() < search.limit);
    }
    Ok(Found { items, next, looked_until })
}

fn by_ids(ids: &[String]) -> Statement {
    let mut all = Where::default();
    all.add(&format!("id IN ({})", marks(ids.len())), ids.iter().map(|id| Value::from(id.as_str())));
    all.statement(&format!("SELECT {COLUMNS} FROM event"), "")
}

/// Events by their ids.
///
/// # Errors
/// The database.
pub async fn of_ids(store: &Store, ids: &[String]) -> Result<HashMap<String, EventRow>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = by_ids(ids).rows(store).await?;
    rows.iter().map(|row| event(row).map(|event| (event.id.clone(), event))).collect()
}
