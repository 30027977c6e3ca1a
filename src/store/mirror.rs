//! Owns: what the sweep remembers of the platform's rows, how far it is, and whose turn it is.
//! A change of a remembered row is guarded by what it was, so that two sweeps at once cannot undo each other.

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, filled, transaction};
use super::{Store, StoreError};
use crate::domain::mirror::{ABSENT, Kind, Mirrored, Seen};
use crate::sql::list;

/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 255;

/// How far the sweep is with one kind of row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The first, silent walk is complete.
    pub filled_at: Option<Timestamp>,
    /// All rows up to here were seen at `newest_at`.
    pub newest_id: u64,
    pub newest_at: Timestamp,
    /// The round over all rows goes on behind this id; it began at `round_at`, and the one before at `round_before`.
    pub walk_after: u64,
    pub round_at: Timestamp,
    pub round_before: Timestamp,
    /// The round over the rows that may change soon goes on behind this id.
    pub live_after: u64,
}

impl Walk {
    /// A walk that begins.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            filled_at: None,
            newest_id: 0,
            newest_at: now,
            walk_after: 0,
            round_at: now,
            round_before: now,
            live_after: 0,
        }
    }
}

/// What is to be remembered of a row.
#[derive(Clone, Debug)]
pub enum Change {
    /// A row as it is, silently: the first time, or after the event of its change.
    Take { seen: Seen, live: bool, at: Timestamp },
    /// A row that differs from what is remembered: it waits. `since` is when it was last known to be otherwise.
    Wait { seen: Seen, since: Timestamp, at: Timestamp },
    /// It is again as it was.
    Back { seen: Seen, live: bool },
    /// It belongs to somebody else, or has another name.
    Rename { seen: Seen, at: Timestamp },
    /// It is deleted, and there is an event of that.
    Forget { id: u64 },
}

/// The remembered rows out of `ids`.
///
/// # Errors
/// The database.
pub async fn of_ids(store: &Store, kind: Kind, ids: &[u64]) -> Result<Vec<Mirrored>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    select(store, kind, &format!("id IN ({})", list(ids.iter().copied())), usize::MAX).await
}

/// The remembered rows behind `after` up to `until`.
///
/// # Errors
/// The database.
pub async fn of_range(
    store: &Store,
    kind: Kind,
    after: u64,
    until: u64,
    limit: usize,
) -> Result<Vec<Mirrored>, StoreError> {
    select(store, kind, &format!("id > {after} AND id <= {until}"), limit).await
}

/// Remembered rows behind `after` that may change soon, or wait for the event of their change.
///
/// # Errors
/// The database.
pub async fn live(store: &Store, kind: Kind, after: u64, limit: usize) -> Result<Vec<Mirrored>, StoreError> {
    // Without the hint the server reads all rows that are not: their number grows with history.
    select_by(store, "FORCE INDEX (mirror_live)", kind, &format!("live = TRUE AND id > {after}"), limit).await
}

/// Remembered rows behind `after` that wait for the event of their change.
///
/// # Errors
/// The database.
pub async fn waiting(store: &Store, kind: Kind, after: u64, limit: usize) -> Result<Vec<Mirrored>, StoreError> {
    let condition = format!("pending_at IS NOT NULL AND id > {after}");
    select_by(store, "FORCE INDEX (mirror_waiting)", kind, &condition, limit).await
}

/// Live rows of one owner with an id below `before`; `None`: not all rows are remembered, or not of late.
///
/// # Errors
/// The database.
pub async fn live_of_owner(
    store: &Store,
    kind: Kind,
    owner: u64,
    before: u64,
    since: Timestamp,
) -> Result<Option<Vec<u64>>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT 1 FROM sweep_walk WHERE kind = ? AND filled_at IS NOT NULL AND newest_at >= ?";
        let row: Option<Row> = connection.exec_first(sql, (kind.code(), at(since))).await?;
        if row.is_none() {
            return Ok(None);
        }
        let sql =
            "SELECT id FROM mirror WHERE owner = ? AND kind = ? AND live = TRUE AND id < ? ORDER BY id LIMIT 1000";
        let rows: Vec<Row> = connection.exec(sql, (owner, kind.code(), before)).await?;
        let ids: Result<_, StoreError> = rows.iter().map(|row| Ok(Reader::new("mirror", row, "").get("id")?)).collect();
        Ok(Some(ids?))
    })
    .await
}

async fn select(store: &Store, kind: Kind, condition: &str, limit: usize) -> Result<Vec<Mirrored>, StoreError> {
    select_by(store, "", kind, condition, limit).await
}

async fn select_by(
    store: &Store,
    hint: &str,
    kind: Kind,
    condition: &str,
    limit: usize,
) -> Result<Vec<Mirrored>, StoreError> {
    let sql = format!(
        "SELECT id, owner, state, name, seen_at, pending, pending_at FROM mirror {hint} WHERE kind = ? AND {condition} \
         ORDER BY id LIMIT {limit}"
    );
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, (kind.code(),)).await?;
        rows.iter().map(mirrored).collect()
    })
    .await
}

fn mirrored(row: &Row) -> Result<Mirrored, StoreError> {
    let reader = Reader::new("mirror", row, "");
    let pending: Option<String> = reader.get("pending")?;
    Ok(Mirrored {
        seen: Seen {
            id: reader.get("id")?,
            owner: reader.get("owner")?,
            state: reader.get("state")?,
            name: reader.get("name")?,
        },
        at: reader.time("seen_at")?,
        pending: pending.zip(reader.optional_time("pending_at")?),
    })
}

/// Remembers changes.
///
/// # Errors
/// The database; then some of them may be remembered, and all of them may be given again.
pub async fn change(store: &Store, kind: Kind, changes: &[Change]) -> Result<(), StoreError> {
    let take: Vec<&Change> = changes.iter().filter(|c| matches!(c, Change::Take { .. })).collect();
    retried(|| take_all(store, kind, &take)).await?;
    let others: Vec<_> =
        changes.iter().filter(|c| !matches!(c, Change::Take { .. })).map(|change| statement(kind, change)).collect();
    if others.is_empty() {
        return Ok(());
    }
    // One commit for all of a page: thousands of them would take longer than finding the changes.
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        for (sql, values) in &others {
            tx.exec_drop(*sql, values.clone()).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

async fn take_all(store: &Store, kind: Kind, changes: &[&Change]) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut values: Vec<Value> = Vec::with_capacity(changes.len() * 7);
    for change in changes {
        let Change::Take { seen, live, at: when } = change else { continue };
        values.extend([kind.code().into(), seen.id.into(), seen.owner.into(), seen.state.as_str().into()]);
        values.extend([name(seen), at(*when), (*live).into()]);
    }
    let rows = vec!["(?,?,?,?,?,?,?)"; changes.len()].join(",");
    let sql = format!(
        "INSERT INTO mirror (kind, id, owner, state, name, seen_at, live) VALUES {rows} ON DUPLICATE KEY UPDATE \
         owner = VALUES(owner), state = VALUES(state), name = VALUES(name), seen_at = VALUES(seen_at), \
         live = VALUES(live), pending = NULL, pending_at = NULL"
    );
    let mut connection = store.connection().await?;
    Ok(connection.query_drop(filled(&sql, &values)).await?)
}

fn statement(kind: Kind, change: &Change) -> (&'static str, Vec<Value>) {
    let kind = Value::from(kind.code());
    match change {
        Change::Wait { seen, since, at: when } => (
            "INSERT INTO mirror (kind, id, owner, state, name, seen_at, pending, pending_at, live) \
             VALUES (?, ?, ?, '', ?, ?, ?, ?, TRUE) ON DUPLICATE KEY UPDATE \
             pending_at = IF(pending <=> VALUES(pending), pending_at, VALUES(pending_at)), \
             pending = VALUES(pending), seen_at = GREATEST(seen_at, VALUES(seen_at)), live = TRUE",
            vec![
                kind,
                seen.id.into(),
                seen.owner.into(),
                name(seen),
                at(*since),
                seen.state.as_str().into(),
                at(*when),
            ],
        ),
        Change::Back { seen, live } => (
            "UPDATE mirror SET pending = NULL, pending_at = NULL, live = ? WHERE kind = ? AND id = ? AND state = ?",
            vec![(*live).into(), kind, seen.id.into(), seen.state.as_str().into()],
        ),
        Change::Rename { seen, at: when } => (
            // Seen now, unless it waits in another state: the next move is another one.
            "UPDATE mirror SET owner = ?, name = ?, seen_at = IF(state = ? AND pending IS NULL, ?, seen_at) \
             WHERE kind = ? AND id = ?",
            vec![seen.owner.into(), name(seen), seen.state.as_str().into(), at(*when), kind, seen.id.into()],
        ),
        Change::Forget { id } => ("DELETE FROM mirror WHERE kind = ? AND id = ?", vec![kind, (*id).into()]),
        // Written together by `take_all`.
        Change::Take { seen, .. } => ("DO ?", vec![seen.id.into()]),
    }
}

fn name(seen: &Seen) -> Value {
    cut(&seen.name, NAME_CHARS_MAX).into()
}

/// Whether anything of this kind is remembered.
///
/// # Errors
/// The database.
pub async fn is_empty(store: &Store, kind: Kind) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT id FROM mirror WHERE kind = ? AND state <> ? LIMIT 1";
        let row: Option<Row> = connection.exec_first(sql, (kind.code(), ABSENT)).await?;
        Ok(row.is_none())
    })
    .await
}

/// Rows remembered of a kind, counted no further than `most`, and how many of them wait.
///
/// # Errors
/// The database.
pub async fn counts(store: &Store, kind: Kind, most: u64) -> Result<(u64, u64), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM mirror WHERE kind = ? LIMIT ?) some) AS n, \
                   (SELECT COUNT(*) FROM mirror WHERE kind = ? AND pending_at IS NOT NULL) AS waiting";
        let row: Option<Row> = connection.exec_first(sql, (kind.code(), most, kind.code())).await?;
        let Some(row) = row else { return Ok((0, 0)) };
        let reader = Reader::new("mirror", &row, kind.code());
        Ok((reader.get("n")?, reader.get("waiting")?))
    })
    .await
}

/// How far the sweep is with `kind`; none: it never began.
///
/// # Errors
/// The database.
pub async fn walk(store: &Store, kind: Kind) -> Result<Option<Walk>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT filled_at, newest_id, newest_at, walk_after, round_at, round_before, live_after \
                   FROM sweep_walk WHERE kind = ?";
        let row: Option<Row> = connection.exec_first(sql, (kind.code(),)).await?;
        let Some(row) = row else { return Ok(None) };
        let reader = Reader::new("sweep_walk", &row, kind.code());
        Ok(Some(Walk {
            filled_at: reader.optional_time("filled_at")?,
            newest_id: reader.get("newest_id")?,
            newest_at: reader.time("newest_at")?,
            walk_after: reader.get("walk_after")?,
            round_at: reader.time("round_at")?,
            round_before: reader.time("round_before")?,
            live_after: reader.get("live_after")?,
        }))
    })
    .await
}

/// Remembers how far the sweep is with `kind`.
///
/// # Errors
/// The database.
pub async fn save_walk(store: &Store, kind: Kind, walk: &Walk) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "REPLACE INTO sweep_walk (kind, filled_at, newest_id, newest_at, walk_after, round_at, round_before, \
                 live_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    kind.code(),
                    walk.filled_at.map_or(Value::NULL, at),
                    walk.newest_id,
                    at(walk.newest_at),
                    walk.walk_after,
                    at(walk.round_at),
                    at(walk.round_before),
                    walk.live_after,
                ),
            )
            .await?;
        Ok(())
    })
    .await
}

/// Takes the turn to sweep for `length`, if the next sweep is due and nobody else is at it, or keeps it.
///
/// # Errors
/// The database.
pub async fn take_turn(store: &Store, owner: &str, length: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE sweep_turn SET owner = ?, until_at = ? WHERE id = 1 AND next_at <= ? \
                 AND (owner = ? OR until_at <= ?)",
                (owner, at(now + length), at(now), owner, at(now)),
            )
            .await?;
        let sql = "SELECT owner FROM sweep_turn WHERE id = 1 AND next_at <= ?";
        let row: Option<Row> = connection.exec_first(sql, (at(now),)).await?;
        let holder = row.map(|row| Reader::new("sweep_turn", &row, "1").get::<String>("owner")).transpose()?;
        Ok(holder.as_deref() == Some(owner))
    })
    .await
}

/// Gives the turn back; the next one begins at `next`.
///
/// # Errors
/// The database; then it ends by itself.
pub async fn end_turn(store: &Store, owner: &str, now: Timestamp, next: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE sweep_turn SET until_at = ?, next_at = ? WHERE id = 1 AND owner = ?";
        Ok(connection.exec_drop(sql, (at(now), at(next), owner)).await?)
    })
    .await
}

/// Forgets all rows and how far the sweep is: it begins anew, silently. The record is written with the first step. False: a sweep is
/// at work, nothing was done.
///
/// # Errors
/// The database; then the sweep begins anew, or nothing happened.
pub async fn forget(store: &Store, record: &Record<'_>) -> Result<bool, StoreError> {
    const LENGTH: SignedDuration = SignedDuration::from_mins(5);
    let now = record.now;
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let sql = "UPDATE sweep_turn SET owner = 'forget', until_at = ? WHERE id = 1 AND until_at <= ?";
    tx.exec_drop(sql, (at(now + LENGTH), at(now))).await?;
    if tx.affected_rows() == 0 {
        return Ok(false);
    }
    record.write(&mut tx).await?;
    tx.commit().await?;
    // The walk first: with it and without its rows, all of them would count as new.
    connection.query_drop("DELETE FROM sweep_walk").await?;
    connection.query_drop("TRUNCATE TABLE mirror").await?;
    let sql = "UPDATE sweep_turn SET until_at = ?, next_at = ? WHERE id = 1 AND owner = 'forget'";
    connection.exec_drop(sql, (at(now), at(now))).await?;
    Ok(true)
}

/// When the next sweep is due; `None`: there was none yet.
///
/// # Errors
/// The database.
pub async fn next_turn(store: &Store) -> Result<Option<Timestamp>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection.query_first("SELECT next_at FROM sweep_turn WHERE id = 1").await?;
        let next = row.map(|row| Reader::new("sweep_turn", &row, "1").time("next_at")).transpose()?;
        Ok(next.filter(|next| *next > Timestamp::UNIX_EPOCH))
    })
    .await
}
