//! Owns: the dates that steps are counted from, which steps of each row are done with, and whose turn it is to look.
//! A row's steps up to `settled_at` are done with for good: that is why a step leads to one event, whoever looks and how often.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::pool::{bounded, retried};
use super::row::{Reader, at, filled, marks, transaction};
use super::{Store, StoreError};
use crate::domain::mirror::Kind;
use crate::domain::schedule::Anchor;
use crate::sql::list;

/// A date as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    pub anchor: Anchor,
    pub id: u64,
    pub owner: Option<u64>,
    pub day: Date,
    /// Steps up to here are done with.
    pub settled_at: Timestamp,
}

/// What is to be remembered of a date.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is new, another one, or another client's. Steps up to `since` are done with, if it was not known.
    Set { anchor: Anchor, id: u64, owner: Option<u64>, day: Date, since: Timestamp },
    /// The row is deleted, or not open any more.
    Forget { anchor: Anchor, id: u64 },
}

/// Looked at: steps up to now are done with, the next one comes at `next`.
#[derive(Clone, Debug)]
pub struct Looked {
    pub row: Anchored,
    pub next: Option<Timestamp>,
}

/// How far the walk over all rows is, after a change of the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub print: u64,
    /// `None`: no walk is under way.
    pub after: Option<(String, u64)>,
    /// When the last round ended.
    pub round_at: Timestamp,
}

const COLUMNS: &str = "name, id, owner, day, settled_at";

/// The names of the dates that rows of `kind` have.
fn names(kind: Kind) -> Vec<&'static str> {
    Anchor::ALL.iter().filter(|anchor| anchor.kind() == kind).map(|anchor| anchor.code()).collect()
}

/// What is remembered of the rows `ids`.
///
/// # Errors
/// The database.
pub async fn of_ids(store: &Store, kind: Kind, ids: &[u64]) -> Result<Vec<Anchored>, StoreError> {
    let names = names(kind);
    if ids.is_empty() || names.is_empty() {
        return Ok(Vec::new());
    }
    let condition = format!("name IN ({}) AND id IN ({})", marks(names.len()), list(ids.iter().copied()));
    select(store, &condition, names.into_iter().map(Value::from).collect()).await
}

/// Rows whose next step has come, the longest waiting first.
///
/// # Errors
/// The database.
pub async fn due(store: &Store, now: Timestamp, limit: usize) -> Result<Vec<Anchored>, StoreError> {
    select(store, &format!("next_at <= ? ORDER BY next_at, name, id LIMIT {limit}"), vec![at(now)]).await
}

/// All rows behind `after`, in the order of their keys.
///
/// # Errors
/// The database.
pub async fn behind(store: &Store, after: &(String, u64), limit: usize) -> Result<Vec<Anchored>, StoreError> {
    // Apart, because a comparison of pairs is no range to every server.
    let (name, id) = after;
    let same = format!("name = ? AND id > ? ORDER BY id LIMIT {limit}");
    let mut rows = select_by_key(store, &same, vec![name.as_str().into(), (*id).into()]).await?;
    if rows.len() < limit {
        let rest = limit - rows.len();
        let later = format!("name > ? ORDER BY name, id LIMIT {rest}");
        rows.extend(select_by_key(store, &later, vec![name.as_str().into()]).await?);
    }
    Ok(rows)
}

async fn select(store: &Store, condition: &str, values: Vec<Value>) -> Result<Vec<Anchored>, StoreError> {
    read(store, format!("SELECT {COLUMNS} FROM anchor WHERE {condition}"), values).await
}

/// In the order of the keys. MySQL would read all rows of a name by another key, for each page anew, and sort them.
async fn select_by_key(store: &Store, condition: &str, values: Vec<Value>) -> Result<Vec<Anchored>, StoreError> {
    read(store, format!("SELECT {COLUMNS} FROM anchor FORCE INDEX (PRIMARY) WHERE {condition}"), values).await
}

async fn read(store: &Store, sql: String, values: Vec<Value>) -> Result<Vec<Anchored>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        rows.iter().map(anchored).collect()
    })
    .await
}

fn anchored(row: &Row) -> Result<Anchored, StoreError> {
    let reader = Reader::new("anchor", row, "");
    Ok(Anchored {
        anchor: reader.parse("name", Anchor::parse)?,
        id: reader.get("id")?,
        owner: reader.get("owner")?,
        day: day(&reader)?,
        settled_at: reader.time("settled_at")?,
    })
}

/// How many rows have their date on which day, from `from` to `until`.
///
/// # Errors
/// The database.
pub async fn per_day(store: &Store, anchor: Anchor, from: Date, until: Date) -> Result<Vec<(Date, u64)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql =
            "SELECT day, COUNT(*) AS n FROM anchor WHERE name = ? AND day BETWEEN ? AND ? GROUP BY day ORDER BY day";
        let rows: Vec<Row> = connection.exec(sql, (anchor.code(), date(from), date(until))).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("anchor", row, "");
                Ok((day(&reader)?, reader.get("n")?))
            })
            .collect()
    })
    .await
}

/// Rows with their date on `day`, behind the id `after`.
///
/// # Errors
/// The database.
pub async fn on_day(
    store: &Store,
    anchor: Anchor,
    day: Date,
    after: u64,
    limit: usize,
) -> Result<Vec<Anchored>, StoreError> {
    let condition = format!("name = ? AND day = ? AND id > ? ORDER BY id LIMIT {limit}");
    select(store, &condition, vec![anchor.code().into(), date(day), after.into()]).await
}

/// Remembers changes. What is new or another date is looked at in the next round; while no hookpoint with steps is on, by the walk
/// that begins when one is switched on.
///
/// # Errors
/// The database; then some may be remembered, and all may be given again.
pub async fn change(store: &Store, changes: &[Change], now: Timestamp) -> Result<(), StoreError> {
    let set = |next: &Value| {
        let mut values: Vec<Value> = Vec::new();
        for change in changes {
            if let Change::Set { anchor, id, owner, day, since } = change {
                values.extend([anchor.code().into(), (*id).into(), (*owner).into()]);
                values.extend([date(*day), at(*since), next.clone()]);
            }
        }
        values
    };
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        // Whoever switches one on waits for this, or is seen here.
        let on = "SELECT EXISTS (SELECT 1 FROM schedule) FROM schedule_turn WHERE id = 1 LOCK IN SHARE MODE";
        let is_any_on = tx.query_first::<bool, _>(on).await?.unwrap_or(true);
        let values = set(&if is_any_on { at(now) } else { Value::NULL });
        if !values.is_empty() {
            let rows = vec!["(?,?,?,?,?,?)"; values.len() / 6].join(",");
            let sql = format!(
                "INSERT INTO anchor (name, id, owner, day, settled_at, next_at) VALUES {rows} ON DUPLICATE KEY UPDATE \
                 owner = VALUES(owner), day = VALUES(day), next_at = VALUES(next_at)"
            );
            tx.query_drop(filled(&sql, &values)).await?;
        }
        for change in changes {
            if let Change::Forget { anchor, id } = change {
                tx.exec_drop("DELETE FROM anchor WHERE name = ? AND id = ?", (anchor.code(), id)).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Remembers that rows were looked at `now`. One whose date became another meanwhile keeps its next look.
///
/// # Errors
/// The database; then they are looked at again.
pub async fn looked(store: &Store, rows: &[Looked], now: Timestamp) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 6);
    for Looked { row, next } in rows {
        values.extend([row.anchor.code().into(), row.id.into(), row.owner.into()]);
        values.extend([date(row.day), at(now), next.map_or(Value::NULL, at)]);
    }
    let sql = format!(
        "INSERT INTO anchor (name, id, owner, day, settled_at, next_at) VALUES {} ON DUPLICATE KEY UPDATE \
         next_at = IF(day = VALUES(day), VALUES(next_at), next_at), \
         settled_at = IF(day = VALUES(day), GREATEST(settled_at, VALUES(settled_at)), settled_at)",
        vec!["(?,?,?,?,?,?)"; rows.len()].join(",")
    );
    let sql = filled(&sql, &values);
    retried(|| async {
        let mut connection = store.connection().await?;
        Ok(connection.query_drop(sql.as_str()).await?)
    })
    .await
}

fn day(reader: &Reader<'_>) -> Result<Date, StoreError> {
    Ok(reader.time("day")?.to_zoned(TimeZone::UTC).date())
}

fn date(day: Date) -> Value {
    let (year, month) = (u16::try_from(day.year()).unwrap_or_default(), day.month().unsigned_abs());
    Value::Date(year, month, day.day().unsigned_abs(), 0, 0, 0, 0)
}

/// Takes or keeps the turn until `until`; `None`: another instance has it.
///
/// # Errors
/// The database.
pub async fn take_turn(
    store: &Store,
    owner: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Turn>, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE schedule_turn SET owner = ?, until_at = ? WHERE id = 1 AND (owner = ? OR until_at <= ?)";
        connection.exec_drop(sql, (owner, at(until), owner, at(now))).await?;
        let sql = "SELECT owner, print, walking, after_name, after_id, round_at FROM schedule_turn WHERE id = 1";
        let row: Option<Row> = connection.query_first(sql).await?;
        let Some(row) = row else { return Ok(None) };
        let reader = Reader::new("schedule_turn", &row, "1");
        if reader.get::<String>("owner")? != owner {
            return Ok(None);
        }
        let after = (reader.get("after_name")?, reader.get("after_id")?);
        let walking: bool = reader.get("walking")?;
        Ok(Some(Turn {
            print: reader.get("print")?,
            after: walking.then_some(after),
            round_at: reader.time("round_at")?,
        }))
    })
    .await
}

/// Remembers how far the walk is, and gives the turn back.
///
/// # Errors
/// The database; then the turn ends by itself, and the walk goes on from where it was.
pub async fn end_turn(store: &Store, owner: &str, turn: &Turn) -> Result<(), StoreError> {
    let (name, id) = turn.after.clone().unwrap_or_default();
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE schedule_turn SET until_at = ?, print = ?, walking = ?, after_name = ?, after_id = ?, \
                   round_at = ? WHERE id = 1 AND owner = ?";
        let values = (at(turn.round_at), turn.print, turn.after.is_some(), name.as_str(), id, at(turn.round_at), owner);
        Ok(connection.exec_drop(sql, values).await?)
    })
    .await
}

/// Since when each of `on` is switched on; those that are not any more are forgotten. New ones are on from `now`.
///
/// # Errors
/// The database.
pub async fn since(store: &Store, on: &[&str], now: Timestamp) -> Result<Vec<(String, Timestamp)>, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let known: Vec<Row> = connection.query("SELECT hookpoint, since_at FROM schedule").await?;
        let mut all: Vec<(String, Timestamp)> = Vec::new();
        for row in &known {
            let reader = Reader::new("schedule", row, "");
            let name: String = reader.get("hookpoint")?;
            if on.contains(&name.as_str()) {
                all.push((name, reader.time("since_at")?));
            } else {
                connection.exec_drop("DELETE FROM schedule WHERE hookpoint = ?", (name,)).await?;
            }
        }
        let new: Vec<&str> = on.iter().filter(|name| !all.iter().any(|(known, _)| known == *name)).copied().collect();
        if new.is_empty() {
            return Ok(all);
        }
        let mut tx = connection.start_transaction(transaction()).await?;
        // What is being remembered without a next look is there for the walk, see `change`.
        tx.query_drop("SELECT id FROM schedule_turn WHERE id = 1 FOR UPDATE").await?;
        for name in new {
            let sql = "INSERT INTO schedule (hookpoint, since_at) VALUES (?, ?) ON DUPLICATE KEY UPDATE hookpoint = hookpoint";
            tx.exec_drop(sql, (name, at(now))).await?;
            all.push((name.to_owned(), now));
        }
        tx.commit().await?;
        Ok(all)
    })
    .await
}
