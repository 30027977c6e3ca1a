//! Owns: what the bridge has heard and sent already, asked by the sweep before it stores an event. Bounded reads by index.

use std::collections::HashMap;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};

use super::pool::bounded;
use super::row::{Reader, at, marks};
use super::{Store, StoreError};
use crate::domain::hookpoint::{HookpointId, Subject};
use crate::domain::ids::{ClientId, EventId};
use crate::domain::reason::Reason;
use crate::sql::list;

/// Events looked at for one page of changes, at most.
const EVENTS_MAX: usize = 2000;
/// Reasons that mean "too early": the event was heard, but what it reported may have come true later.
const TOO_EARLY: [Reason; 3] = [Reason::InvoiceDraft, Reason::PaymentMissing, Reason::SubjectMissing];

/// An event that led to a message, or to a reason why not.
#[derive(Clone, Debug)]
pub struct Heard {
    pub id: EventId,
    pub source: String,
    pub body: String,
}

/// Events of `hookpoints` about `clients` since `since`.
///
/// # Errors
/// The database.
pub async fn events(
    store: &Store,
    clients: &[ClientId],
    hookpoints: &[&HookpointId],
    since: Timestamp,
) -> Result<Vec<Heard>, StoreError> {
    if clients.is_empty() || hookpoints.is_empty() {
        return Ok(Vec::new());
    }
    let clients = list(clients.iter().map(|client| client.0));
    let named = marks(hookpoints.len());
    let early = TOO_EARLY.map(|reason| format!("'{reason}'")).join(",");
    let sql = format!(
        "SELECT e.id, e.source, e.body FROM message m JOIN event e ON e.id = m.event_id \
         WHERE m.client_id IN ({clients}) AND m.created_at >= ? AND m.hookpoint IN ({named}) \
         UNION SELECT e.id, e.source, e.body FROM skip s JOIN event e ON e.id = s.event_id \
         WHERE s.client_id IN ({clients}) AND s.at >= ? AND s.hookpoint IN ({named}) AND s.reason NOT IN ({early}) \
         LIMIT {EVENTS_MAX}"
    );
    let one = std::iter::once(at(since)).chain(hookpoints.iter().map(|id| Value::from(id.as_str())));
    let values: Vec<Value> = one.clone().chain(one).collect();
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, Params::Positional(values)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("event", row, "");
                Ok(Heard {
                    id: reader.parse("id", EventId::parse)?,
                    source: reader.get("source")?,
                    body: reader.get("body")?,
                })
            })
            .collect()
    })
    .await
}

/// The last states of `subjects` in any machine.
///
/// # Errors
/// The database.
pub async fn states(
    store: &Store,
    machines: &[&str],
    subjects: &[Subject],
) -> Result<HashMap<(String, Subject), (String, Timestamp)>, StoreError> {
    if machines.is_empty() || subjects.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT machine, subject, state, at FROM transition WHERE machine IN ({}) AND subject IN ({}) AND epoch > 0",
        marks(machines.len()),
        marks(subjects.len())
    );
    let values = machines.iter().map(|m| Value::from(*m)).chain(subjects.iter().map(|s| s.to_string().into()));
    let found = transitions(store, sql, values.collect()).await?;
    Ok(found.into_iter().map(|(machine, subject, state, when)| ((machine, subject), (state, when))).collect())
}

/// Subjects whose state changed between `from` and `until`, at most `limit`: `(machine, subject, state, when)`.
///
/// # Errors
/// The database.
pub async fn moved(
    store: &Store,
    machines: &[&str],
    from: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(String, Subject, String, Timestamp)>, StoreError> {
    if machines.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT machine, subject, state, at FROM transition WHERE at >= ? AND at <= ? AND machine IN ({}) \
         AND epoch > 0 ORDER BY at DESC LIMIT {limit}",
        marks(machines.len())
    );
    let values = [at(from), at(until)].into_iter().chain(machines.iter().map(|m| Value::from(*m)));
    transitions(store, sql, values.collect()).await
}

async fn transitions(
    store: &Store,
    sql: String,
    values: Vec<Value>,
) -> Result<Vec<(String, Subject, String, Timestamp)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, Params::Positional(values)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("transition", row, "");
                let subject = reader.parse("subject", Subject::parse)?;
                Ok((reader.get("machine")?, subject, reader.get("state")?, reader.time("at")?))
            })
            .collect()
    })
    .await
}

/// Which subjects out of `subjects` of `clients` an alert went out about since `since`: a message that was really sent.
///
/// # Errors
/// The database.
pub async fn alerted(
    store: &Store,
    clients: &[ClientId],
    subjects: &[Subject],
    since: Timestamp,
) -> Result<Vec<(Subject, HookpointId)>, StoreError> {
    if clients.is_empty() || subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT DISTINCT subject, hookpoint FROM message WHERE client_id IN ({}) AND created_at >= ? \
         AND state = 'sent' AND subject IN ({}) LIMIT {EVENTS_MAX}",
        list(clients.iter().map(|client| client.0)),
        marks(subjects.len())
    );
    let values: Vec<Value> = std::iter::once(at(since)).chain(subjects.iter().map(|s| s.to_string().into())).collect();
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, Params::Positional(values)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("message", row, "");
                Ok((reader.parse("subject", Subject::parse)?, reader.parse("hookpoint", HookpointId::parse)?))
            })
            .collect()
    })
    .await
}
