//! Owns: what the bridge knows about a client's days: who got nothing and why, events that named nobody, and the bodies of
//! events, so that a fact of the platform's can be matched with the hook that reported it.

use jiff::Timestamp;
use mysql_async::{Row, Value};

use super::row::{Reader, at, marks};
use super::trail::{self, SkipLine};
use super::walk::Where;
use super::{Store, StoreError};
use crate::domain::event::HookEvent;
use crate::domain::ids::EventId;
use crate::envelope;

/// An event as it came, and where it stands.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub event: HookEvent,
    pub received_at: Timestamp,
    pub state: String,
    /// The steps of processing, as JSON.
    pub steps: String,
}

/// Reasons of `client` within a time, oldest first; of nobody in particular without one.
///
/// # Errors
/// The database.
pub async fn skips(
    store: &Store,
    client: Option<u64>,
    (since, until): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Vec<SkipLine>, StoreError> {
    let mut all = Where::default();
    match client {
        Some(client) => all.add("client_id = ?", [client.into()]),
        None => all.add("client_id IS NULL", []),
    }
    all.add("at >= ? AND at < ?", [at(since), at(until)]);
    let select = format!("{} FORCE INDEX (skip_client)", trail::SKIP_COLUMNS);
    let rows = all.statement(&select, &format!("ORDER BY at, id LIMIT {limit}")).rows(store).await?;
    rows.iter().map(trail::skip).collect()
}

/// Events with their bodies. Those that cannot be read are left out.
///
/// # Errors
/// The database.
pub async fn events(store: &Store, ids: &[String]) -> Result<Vec<StoredEvent>, StoreError> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(200) {
        let mut which = Where::default();
        which.add(&format!("id IN ({})", marks(some.len())), some.iter().map(|id| Value::from(id.as_str())));
        let select = "SELECT id, source, received_at, state, trail, body FROM event";
        for row in &which.statement(select, "").rows(store).await? {
            all.extend(stored(row)?);
        }
    }
    Ok(all)
}

/// Events that wait to be processed, the newest first.
///
/// # Errors
/// The database.
pub async fn waiting(store: &Store, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
    let statement = Where::default().statement(
        "SELECT event_id AS id, source, received_at, 'received' AS state, NULL AS trail, body FROM inbox",
        &format!("ORDER BY seq DESC LIMIT {limit}"),
    );
    let mut all = Vec::new();
    for row in &statement.rows(store).await? {
        all.extend(stored(row)?);
    }
    Ok(all)
}

fn stored(row: &Row) -> Result<Option<StoredEvent>, StoreError> {
    let reader = Reader::new("event", row, "");
    let id = reader.parse("id", EventId::parse)?;
    let source: String = reader.get("source")?;
    let Ok(event) = envelope::parse(&id, &source, reader.get::<String>("body")?.as_bytes()) else { return Ok(None) };
    Ok(Some(StoredEvent {
        event,
        received_at: reader.time("received_at")?,
        state: reader.get("state")?,
        steps: reader.get::<Option<String>>("trail")?.unwrap_or_default(),
    }))
}

/// One event with its body, wherever it is.
///
/// # Errors
/// The database.
pub async fn event(store: &Store, id: &EventId) -> Result<Option<StoredEvent>, StoreError> {
    if let Some(found) = events(store, &[id.as_str().to_owned()]).await?.pop() {
        return Ok(Some(found));
    }
    let mut which = Where::default();
    which.add("event_id = ?", [id.as_str().into()]);
    let select = "SELECT event_id AS id, source, received_at, 'received' AS state, NULL AS trail, body FROM inbox";
    match which.statement(select, "").rows(store).await?.first() {
        Some(row) => stored(row),
        None => Ok(None),
    }
}
