//! Owns: events from ingest to their processing. An event is durable when [`insert`] returned. Until it is finished it
//! is here and nowhere else, whole: ingest writes one row into one small table.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row};

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, filled, marks, transaction};
use super::{Store, StoreError};
use crate::domain::ids::{EVENT_ID_CHARS_MAX, EventId};
use crate::road::{Step, mark};
use crate::signature::sha256;
use crate::sql::list;

/// A verified and parsed event, as it is stored.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: EventId,
    pub source: String,
    pub hook: String,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    /// Which of the source's keys signed it.
    pub key_index: usize,
    pub body_sha256: [u8; 32],
    pub body: String,
    /// Goes before all that wait: something in it is about the client's security.
    pub urgent: bool,
}

impl NewEvent {
    /// When it happened, as far as that can be: a source whose clock is ahead must not reach into the future, where every later
    /// event of its subject would look older. What the source said stays on record.
    #[must_use]
    pub fn happened_at(&self) -> Timestamp {
        self.occurred_at.min(self.received_at)
    }
}

/// What became of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    New,
    /// The same event again.
    Duplicate,
    /// The source used the id before, with another body: a bug of it, answered 409. What another source calls its events is
    /// none of its business.
    Reused,
}

/// An event taken for processing.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub seq: u64,
    pub event: NewEvent,
    /// Tries so far, this one included.
    pub attempts: u32,
    /// Proof of the claim, checked when it is finished.
    pub token: String,
}

/// Numbers of rows that one statement inserts. Few, so that a connection has soon prepared them all: parsing the text of
/// such a statement costs the server as much as storing its rows.
const SHAPES: [usize; 17] = [512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 2, 1];
/// How often the unknown ones of a batch are looked for, when other instances store the same ids at the same time.
const LOOKS: u32 = 5;

/// How many of `waiting` events go into one statement.
#[must_use]
pub fn batch_of(waiting: usize) -> usize {
    SHAPES.into_iter().find(|shape| *shape <= waiting).unwrap_or(1)
}

/// Stores `events`, durable when it returns. Each [`batch_of`] them is one statement that commits by itself.
///
/// # Errors
/// The database. Then some of them may be stored, and are found as duplicates when they are stored again.
pub async fn insert(store: &Store, events: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut results = Vec::with_capacity(events.len());
        while results.len() < events.len() {
            let rest = &events[results.len()..];
            results.extend(insert_batch(&mut connection, &rest[..batch_of(rest.len())]).await?);
        }
        Ok(results)
    })
    .await
}

/// Stores one batch, of a size that [`batch_of`] gave, on a connection that the caller keeps with its statements.
async fn insert_batch(connection: &mut Conn, batch: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    let written = write_batch(connection, batch).await?;
    look(connection, batch, &written).await
}

/// What was written of a batch.
pub(super) enum Written {
    /// All of it: no id was in the inbox, and no two were the same. `first` is the `seq` of the first row, if the server
    /// says so.
    Whole { first: Option<u64> },
    /// What was not in the inbox; these were.
    Without(Known),
}

/// The first half of [`insert_batch`]: writes what is not in the inbox.
/// Nearly always all ids are new; so they are inserted first, and only if that fails, those that exist are looked for.
pub(super) async fn write_batch(connection: &mut Conn, batch: &[NewEvent]) -> Result<Written, StoreError> {
    match write(connection, batch.iter()).await {
        Ok(()) => Ok(Written::Whole { first: connection.last_insert_id() }),
        Err(error) if error.is_duplicate() => write_unknown(connection, batch).await.map(Written::Without),
        Err(error) => Err(error),
    }
}

/// The second half, on any connection: what became of each, with those that were finished long ago.
/// After the insert: what `finish` moved away before it is seen now. What it moves later is not in the way.
pub(super) async fn look(
    connection: &mut Conn,
    batch: &[NewEvent],
    written: &Written,
) -> Result<Vec<Inserted>, StoreError> {
    let known = match written {
        Written::Whole { first: Some(first) } if none_finished(connection, *first, batch.len()).await? => {
            return Ok(vec![Inserted::New; batch.len()]);
        }
        Written::Whole { .. } => None,
        Written::Without(known) => Some(known),
    };
    let finished = seen(connection, "SELECT id, source, body_sha256 FROM event WHERE id", batch).await?;
    if known.is_none() && finished.is_empty() {
        return Ok(vec![Inserted::New; batch.len()]);
    }
    withdraw(connection, &finished).await?;
    let mut seen: HashMap<&str, (&str, [u8; 32])> = known
        .into_iter()
        .flatten()
        .chain(&finished)
        .map(|(id, (source, checksum))| (id.as_str(), (source.as_str(), *checksum)))
        .collect();
    let (mut results, mut foreign) = (Vec::with_capacity(batch.len()), Vec::new());
    for event in batch {
        // Of several with one id in this batch, the first is the new one.
        results.push(match seen.entry(event.id.as_str()) {
            Entry::Vacant(place) => {
                place.insert((event.source.as_str(), event.body_sha256));
                Inserted::New
            }
            Entry::Occupied(place) if place.get().0 != event.source => {
                foreign.push(results.len());
                // Until it is known better, below.
                Inserted::Reused
            }
            Entry::Occupied(place) if place.get().1 == event.body_sha256 => Inserted::Duplicate,
            Entry::Occupied(_) => Inserted::Reused,
        });
    }
    if !foreign.is_empty() {
        let twins: Vec<NewEvent> = foreign.iter().map(|at| twin(&batch[*at])).collect();
        let inserted = Box::pin(insert_batch(connection, &twins)).await?;
        for (at, one) in foreign.into_iter().zip(inserted) {
            results[at] = one;
        }
    }
    Ok(results)
}

/// `event` under an id that is its source's own: another source used the one it was sent with. The same each time, so that
/// a repeat is known.
fn twin(event: &NewEvent) -> NewEvent {
    let hash = sha256(format!("{}\n{}", event.source, event.id.as_str()).as_bytes());
    let hash = format!("{:016x}", hash.first_chunk().copied().map_or(0, u64::from_be_bytes));
    let start: String = event.id.as_str().chars().take(EVENT_ID_CHARS_MAX - hash.len() - 1).collect();
    match EventId::parse(&format!("{start}.{hash}")) {
        Some(id) => NewEvent { id, ..event.clone() },
        None => event.clone(),
    }
}

/// Whether all `rows` that were just inserted are still there, and none of them was finished before. Asked by their numbers,
/// since that costs the server half of what all their ids would: one statement inserted them, so they follow each other, in
/// a cluster by as many as it says. `false` where it cannot be said: a worker took and finished one already.
async fn none_finished(connection: &mut Conn, first: u64, rows: usize) -> Result<bool, StoreError> {
    let rows = rows as u64;
    let counts: Option<(u64, u64)> = connection
        .exec_first(
            "SELECT COUNT(*), COUNT(e.id) FROM inbox i LEFT JOIN event e ON e.id = i.event_id \
             WHERE i.seq BETWEEN ? AND ? + ? * @@auto_increment_increment \
             AND i.seq MOD @@auto_increment_increment = ? MOD @@auto_increment_increment",
            (first, first, rows - 1, first),
        )
        .await?;
    Ok(counts == Some((rows, 0)))
}

/// Events that are stored, by their ids: whose they are, and the checksums of their bodies.
pub(super) type Known = HashMap<String, (String, [u8; 32])>;

/// Inserts those of `batch` that are not in the inbox, each id once, and gives those that were.
async fn write_unknown(connection: &mut Conn, batch: &[NewEvent]) -> Result<Known, StoreError> {
    let mut looks = 0;
    loop {
        let known =
            seen(connection, "SELECT event_id AS id, source, body_sha256 FROM inbox WHERE event_id", batch).await?;
        let mut in_batch = HashSet::new();
        let fresh: Vec<&NewEvent> =
            batch.iter().filter(|e| !known.contains_key(e.id.as_str()) && in_batch.insert(e.id.as_str())).collect();
        looks += 1;
        match write(connection, fresh.into_iter()).await {
            Err(error) if error.is_duplicate() && looks < LOOKS => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(known),
        }
    }
}

async fn write<'a>(
    connection: &mut Conn,
    events: impl ExactSizeIterator<Item = &'a NewEvent>,
) -> Result<(), StoreError> {
    const COLUMNS: usize = 9;
    if events.len() == 0 {
        return Ok(());
    }
    let rows = vec!["(?,?,?,?,?,?,?,?,?)"; events.len()].join(",");
    let mut values = Vec::with_capacity(events.len() * COLUMNS);
    for event in events {
        let received_at = at(event.received_at);
        values.extend([
            event.id.as_str().into(),
            event.source.as_str().into(),
            event.hook.as_str().into(),
            at(event.occurred_at),
            received_at.clone(),
            u8::try_from(event.key_index).unwrap_or(u8::MAX).into(),
            event.body_sha256.as_slice().into(),
            event.body.as_str().into(),
            // Work is taken in the order in which it became due, and an urgent event has always been due.
            if event.urgent { at(Timestamp::UNIX_EPOCH) } else { received_at },
        ]);
    }
    let sql = format!(
        "INSERT INTO inbox (event_id, source, hook, occurred_at, received_at, key_index, body_sha256, body, run_at) \
         VALUES {rows}"
    );
    mark(Step::Storing);
    Ok(connection.exec_drop(sql, Params::Positional(values)).await?)
}

/// What `select … IN (ids of the batch)` finds.
async fn seen(connection: &mut Conn, select: &str, batch: &[NewEvent]) -> Result<Known, StoreError> {
    let ids = batch.iter().map(|event| event.id.as_str().into()).collect();
    let rows: Vec<Row> =
        connection.exec(format!("{select} IN ({})", marks(batch.len())), Params::Positional(ids)).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("event", row, "");
            let checksum: Vec<u8> = reader.get("body_sha256")?;
            let checksum = checksum.try_into().map_err(|_| reader.bad("body_sha256"))?;
            Ok((reader.get("id")?, (reader.get("source")?, checksum)))
        })
        .collect()
}

/// Takes rows of events that were finished long ago out of the inbox again. One that a worker holds already is dropped
/// by `finish`, as are those that a killed process leaves here.
async fn withdraw(connection: &mut Conn, finished: &Known) -> Result<(), StoreError> {
    if finished.is_empty() {
        return Ok(());
    }
    let ids = finished.keys().map(|id| id.as_str().into()).collect();
    let sql = format!("DELETE FROM inbox WHERE locked_by IS NULL AND event_id IN ({})", marks(finished.len()));
    Ok(connection.exec_drop(sql, Params::Positional(ids)).await?)
}

/// Takes up to `limit` due events. Until `lease` is over nobody else gets them; a worker that dies loses nothing.
///
/// # Errors
/// The database.
pub async fn claim(
    store: &Store,
    token: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit: usize,
) -> Result<Vec<Claimed>, StoreError> {
    retried(|| claim_once(store, token, now, lease, limit)).await
}

async fn claim_once(
    store: &Store,
    token: &str,
    now: Timestamp,
    lease: SignedDuration,
    limit: usize,
) -> Result<Vec<Claimed>, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let rows: Vec<Row> = tx
        .exec(
            "SELECT seq, attempts + 1 AS attempts, event_id AS id, source, hook, occurred_at, received_at, key_index, \
             body_sha256, body FROM inbox WHERE run_at <= ? ORDER BY run_at, seq LIMIT ? FOR UPDATE SKIP LOCKED",
            (at(now), limit as u64),
        )
        .await?;
    let mut claims: Vec<Claimed> = rows.iter().map(|row| claimed(row, token)).collect::<Result<_, _>>()?;
    // In the order of their arrival, whenever they became due: so the facts of one subject move in the right order.
    claims.sort_by_key(|claim| claim.seq);
    if !claims.is_empty() {
        let sql = format!(
            "UPDATE inbox SET run_at = ?, locked_by = ?, locked_at = ?, attempts = attempts + 1 WHERE seq IN ({})",
            list(claims.iter().map(|claim| claim.seq))
        );
        tx.query_drop(filled(&sql, &[at(now + lease), token.into(), at(now)])).await?;
    }
    tx.commit().await?;
    Ok(claims)
}

fn claimed(row: &Row, token: &str) -> Result<Claimed, StoreError> {
    let reader = Reader::new("inbox", row, "");
    let checksum: Vec<u8> = reader.get("body_sha256")?;
    Ok(Claimed {
        seq: reader.get("seq")?,
        attempts: reader.get("attempts")?,
        token: token.to_owned(),
        event: NewEvent {
            id: reader.parse("id", EventId::parse)?,
            source: reader.get("source")?,
            hook: reader.get("hook")?,
            occurred_at: reader.time("occurred_at")?,
            received_at: reader.time("received_at")?,
            key_index: reader.get::<u8>("key_index")?.into(),
            body_sha256: checksum.try_into().map_err(|_| reader.bad("body_sha256"))?,
            body: reader.get("body")?,
            urgent: false,
        },
    })
}

/// What an event waits for that was given back because the platform's rows do not say yet what the hook said.
pub const FOR_ROWS: &str = "waiting for the platform's rows";

/// Why claimed events are given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// They wait, or a database was away: the try does not count.
    Wait,
    /// A fault of their own: the try counts.
    Fault,
}

/// Gives claimed events back, to be taken again at `run_at`.
///
/// # Errors
/// The database; then their lease ends by itself.
pub async fn release(
    store: &Store,
    claims: &[&Claimed],
    run_at: Timestamp,
    (cause, error): (Cause, &str),
) -> Result<(), StoreError> {
    let Some(first) = claims.first() else { return Ok(()) };
    let seqs: Vec<u64> = claims.iter().map(|claim| claim.seq).collect();
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "UPDATE inbox SET run_at = ?, locked_by = NULL, locked_at = NULL, last_error = ?, \
             attempts = IF(attempts < ?, 0, attempts - ?) WHERE locked_by = ? AND seq IN ({})",
            list(seqs.iter().copied())
        );
        let back = u8::from(cause == Cause::Wait);
        connection.exec_drop(sql, (at(run_at), cut(error, 1000), back, back, &first.token)).await?;
        Ok(())
    })
    .await
}

/// Events that are due in a future that no wait of ours reaches: a clock ran ahead, and was set back. They are due now.
///
/// # Errors
/// The database.
pub async fn bring_back(store: &Store, after: Timestamp, now: Timestamp) -> Result<u64, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection.exec_drop("UPDATE inbox SET run_at = ? WHERE run_at > ?", (at(now), at(after))).await?;
        Ok(connection.affected_rows())
    })
    .await
}

/// Events waiting, and when the oldest of them was received.
///
/// # Errors
/// The database.
pub async fn depth(store: &Store) -> Result<(u64, Option<Timestamp>), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection
            .query_first(
                "SELECT COUNT(*) AS n, (SELECT received_at FROM inbox ORDER BY seq LIMIT 1) AS oldest FROM inbox",
            )
            .await?;
        let Some(row) = row else { return Ok((0, None)) };
        let reader = Reader::new("inbox", &row, "");
        Ok((reader.get("n")?, reader.optional_time("oldest")?))
    })
    .await
}

/// Since when the oldest event waits that came before `late` and is not done: it waits for nothing of its own, or what it waited for
/// was over before `late`.
///
/// # Errors
/// The database.
pub async fn stuck_since(store: &Store, late: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection
            .exec_first(
                "SELECT received_at FROM inbox WHERE received_at < ? AND (run_at < ? OR last_error IS NULL OR last_error <> ?) \
                 ORDER BY seq LIMIT 1",
                (at(late), at(late), FOR_ROWS),
            )
            .await?;
        Ok(row.map(|row| Reader::new("inbox", &row, "").time("received_at")).transpose()?)
    })
    .await
}
