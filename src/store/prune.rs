//! Owns: deleting history in small steps. A step reads the keys of some old rows without a lock, then deletes exactly those,
//! if they are still old and ended: short transactions, no gaps locked, the same rows on every replica and cluster node.
//! Must not know: how long what is kept, how fast to go.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Transaction, Value};

use super::pool::{bounded, retried};
use super::row::{Reader, at, marks, transaction};
use super::{Store, StoreError};

/// Overdue rows are counted up to here; more are "many".
pub const COUNT_MAX: u64 = 100_000;

/// What is pruned, each with an age of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Event,
    Skip,
    /// With its attempts. Its dedupe key moves to [`Kind::Key`].
    Message,
    Receipt,
    /// Who was written to within the provider's window.
    Contacted,
    /// Dedupe keys of pruned messages.
    Key,
    /// Last states of subjects.
    Transition,
    /// Answers of the company's rules.
    Decision,
    /// What clients wrote. What they asked for stays.
    Reply,
    /// Links from the platform's addon page that were used.
    UsedLink,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Event,
        Self::Skip,
        Self::Message,
        Self::Receipt,
        Self::Contacted,
        Self::Key,
        Self::Transition,
        Self::Decision,
        Self::Reply,
        Self::UsedLink,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Skip => "skip",
            Self::Message => "message",
            Self::Receipt => "receipt",
            Self::Contacted => "contacted",
            Self::Key => "dedupe",
            Self::Transition => "transition",
            Self::Decision => "decision",
            Self::Reply => "reply",
            Self::UsedLink => "sso_used",
        }
    }

    /// The column that tells the age of a row; an index begins with it, or with the column before it.
    fn time(self) -> &'static str {
        match self {
            Self::Event | Self::Receipt | Self::Reply => "received_at",
            Self::Message => "created_at",
            Self::Decision => "asked_at",
            Self::UsedLink => "until_at",
            Self::Skip | Self::Contacted | Self::Key | Self::Transition => "at",
        }
    }

    /// The column that finds the row.
    fn key(self) -> &'static str {
        match self {
            Self::Event | Self::Skip | Self::Message | Self::Decision | Self::Reply | Self::UsedLink => "id",
            Self::Receipt => "provider_id",
            Self::Contacted => "recipient",
            Self::Key => "dedupe_key",
            Self::Transition => "subject",
        }
    }

    /// The column before the key, where the primary key has two.
    fn group(self) -> Option<&'static str> {
        match self {
            Self::Contacted => Some("portfolio"),
            Self::Transition => Some("machine"),
            _ => None,
        }
    }

    /// What a row must be to be history.
    fn ended(self) -> &'static str {
        match self {
            Self::Message => "state <> 'open'",
            _ => "TRUE",
        }
    }
}

/// Where a step begins: nothing older is left to prune. Beginning at the oldest row each time would walk over all that was
/// deleted and is not purged yet.
pub type Cursor = Option<Timestamp>;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Rows deleted; an attempt counts with its message.
    pub rows: u64,
    /// Whether there may be more.
    pub more: bool,
    pub cursor: Cursor,
}

/// Prunes at most `limit` rows of `kind` that are older than `before`.
///
/// # Errors
/// The database; then nothing of this step is deleted.
pub async fn step(
    store: &Store,
    kind: Kind,
    before: Timestamp,
    cursor: Cursor,
    limit: usize,
) -> Result<Step, StoreError> {
    let old = bounded(oldest_rows(store, kind, before, cursor, limit)).await?;
    let Some(last) = old.last() else { return Ok(Step { rows: 0, more: false, cursor }) };
    let (more, cursor) = (old.len() == limit, Some(last.at));
    let rows = retried(|| delete(store, kind, before, &old)).await?;
    Ok(Step { rows, more, cursor })
}

struct Old {
    at: Timestamp,
    key: Value,
    group: Value,
}

async fn oldest_rows(
    store: &Store,
    kind: Kind,
    before: Timestamp,
    cursor: Cursor,
    limit: usize,
) -> Result<Vec<Old>, StoreError> {
    let (table, time, key, ended) = (kind.code(), kind.time(), kind.key(), kind.ended());
    let group = kind.group().unwrap_or("NULL");
    let sql = format!(
        "SELECT {time} AS at, {key} AS row_key, {group} AS row_group FROM {table} \
         WHERE {time} < ? AND {time} >= ? AND {ended} ORDER BY {time} LIMIT ?"
    );
    let from = cursor.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut connection = store.connection().await?;
    let rows: Vec<Row> = connection.exec(sql, (at(before), at(from), limit as u64)).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new(table, row, "");
            Ok(Old { at: reader.time("at")?, key: reader.get("row_key")?, group: reader.get("row_group")? })
        })
        .collect()
}

async fn delete(store: &Store, kind: Kind, before: Timestamp, old: &[Old]) -> Result<u64, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let mut rows = 0;
    if kind == Kind::Message {
        rows += leave_messages(&mut tx, before, old).await?;
    } else {
        let mut rest = old.iter().collect::<Vec<_>>();
        // Few groups: portfolios and machines.
        while let Some(first) = rest.first() {
            let group = first.group.clone();
            let (same, others): (Vec<&Old>, Vec<&Old>) = rest.into_iter().partition(|one| one.group == group);
            rows += delete_group(&mut tx, kind, before, &group, &same).await?;
            rest = others;
        }
    }
    tx.commit().await?;
    Ok(rows)
}

async fn delete_group(
    tx: &mut Transaction<'_>,
    kind: Kind,
    before: Timestamp,
    group: &Value,
    old: &[&Old],
) -> Result<u64, StoreError> {
    let (table, time, key, ended) = (kind.code(), kind.time(), kind.key(), kind.ended());
    let list = marks(old.len());
    let mut parameters: Vec<Value> = old.iter().map(|one| one.key.clone()).collect();
    parameters.push(at(before));
    let mut sql = format!("DELETE FROM {table} WHERE {key} IN ({list}) AND {time} < ? AND {ended}");
    if let Some(column) = kind.group() {
        sql = format!("{sql} AND {column} = ?");
        parameters.push(group.clone());
    }
    tx.exec_drop(sql, parameters).await?;
    Ok(tx.affected_rows())
}

/// The key of a message stays behind, so that its alert is not sent again; its attempts go with it.
async fn leave_messages(tx: &mut Transaction<'_>, before: Timestamp, old: &[Old]) -> Result<u64, StoreError> {
    let mut parameters: Vec<Value> = old.iter().map(|one| one.key.clone()).collect();
    parameters.push(at(before));
    let sql = format!(
        "SELECT id FROM message WHERE id IN ({}) AND created_at < ? AND state <> 'open' FOR UPDATE",
        marks(old.len())
    );
    let found: Vec<Row> = tx.exec(sql, parameters).await?;
    let ids: Vec<Value> =
        found.iter().map(|row| Reader::new("message", row, "").get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let list = marks(ids.len());
    tx.exec_drop(
        format!(
            "INSERT INTO dedupe (dedupe_key, at) SELECT dedupe_key, created_at FROM message WHERE id IN ({list}) \
             ON DUPLICATE KEY UPDATE at = GREATEST(dedupe.at, VALUES(at))"
        ),
        ids.clone(),
    )
    .await?;
    tx.exec_drop(format!("DELETE FROM attempt WHERE message_id IN ({list})"), ids.clone()).await?;
    let attempts = tx.affected_rows();
    tx.exec_drop(format!("DELETE FROM message WHERE id IN ({list})"), ids).await?;
    Ok(attempts + tx.affected_rows())
}

/// Adds to what was pruned of a kind so far.
///
/// # Errors
/// The database.
pub async fn note(store: &Store, kind: Kind, rows: u64, now: Timestamp) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "INSERT INTO retention (kind, pruned_rows, pruned_at) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE \
                 pruned_rows = pruned_rows + VALUES(pruned_rows), pruned_at = VALUES(pruned_at)",
                (kind.code(), rows, at(now)),
            )
            .await?;
        Ok(())
    })
    .await
}

/// How a kind stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub kind: Kind,
    /// The oldest row, of what is still waiting too.
    pub oldest: Option<Timestamp>,
    /// Rows that may be pruned, at most [`COUNT_MAX`].
    pub overdue: u64,
    pub pruned_rows: u64,
    pub pruned_at: Option<Timestamp>,
}

/// Looks at a kind; `before` as for [`step`], `None` if it is kept for ever.
///
/// # Errors
/// The database.
pub async fn standing(store: &Store, kind: Kind, before: Option<Timestamp>) -> Result<Standing, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let oldest = oldest_of(&mut connection, kind).await?;
        let overdue = match before {
            None => 0,
            Some(before) => {
                let sql = format!(
                    "SELECT COUNT(*) AS n FROM (SELECT 1 FROM {} WHERE {} < ? AND {} LIMIT {COUNT_MAX}) AS capped",
                    kind.code(),
                    kind.time(),
                    kind.ended()
                );
                let row: Option<Row> = connection.exec_first(sql, (at(before),)).await?;
                row.map_or(Ok(0), |row| Reader::new(kind.code(), &row, "").get("n"))?
            }
        };
        let row: Option<Row> = connection
            .exec_first("SELECT pruned_rows, pruned_at FROM retention WHERE kind = ?", (kind.code(),))
            .await?;
        let (pruned_rows, pruned_at) = match row {
            None => (0, None),
            Some(row) => {
                let reader = Reader::new("retention", &row, kind.code());
                (reader.get("pruned_rows")?, Some(reader.time("pruned_at")?))
            }
        };
        Ok(Standing { kind, oldest, overdue, pruned_rows, pruned_at })
    })
    .await
}

/// Rows of each kind, as the server estimates them: counting a large table would read all of it.
///
/// # Errors
/// The database.
pub async fn rows(store: &Store) -> Result<BTreeMap<Kind, u64>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let names: Vec<String> = Kind::ALL.iter().map(|kind| format!("'{}'", kind.code())).collect();
        let sql = format!(
            "SELECT table_name AS name, table_rows AS n FROM information_schema.tables WHERE table_schema = DATABASE() \
             AND table_name IN ({})",
            names.join(",")
        );
        let rows: Vec<Row> = connection.query(sql).await?;
        let mut found = BTreeMap::new();
        for row in &rows {
            let reader = Reader::new("information_schema.tables", row, "");
            let name: String = reader.get("name")?;
            if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.code() == name) {
                found.insert(kind, reader.get::<Option<u64>>("n")?.unwrap_or(0));
            }
        }
        Ok(found)
    })
    .await
}

/// When the oldest row of each kind is from.
///
/// # Errors
/// The database.
pub async fn oldest(store: &Store) -> Result<Vec<(Kind, Option<Timestamp>)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut all = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            all.push((kind, oldest_of(&mut connection, kind).await?));
        }
        Ok(all)
    })
    .await
}

async fn oldest_of(connection: &mut Conn, kind: Kind) -> Result<Option<Timestamp>, StoreError> {
    let sql = format!("SELECT MIN({}) AS oldest FROM {}", kind.time(), kind.code());
    let row: Option<Row> = connection.query_first(sql).await?;
    Ok(row.map(|row| Reader::new(kind.code(), &row, "").optional_time("oldest")).transpose()?.flatten())
}

/// Takes or keeps the turn to prune for `length`. False: it is somebody else's.
///
/// # Errors
/// The database.
pub async fn take_turn(store: &Store, owner: &str, length: SignedDuration, now: Timestamp) -> Result<bool, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop(
                "UPDATE retention_turn SET owner = ?, until_at = ? WHERE id = 1 AND (owner = ? OR until_at <= ?)",
                (owner, at(now + length), owner, at(now)),
            )
            .await?;
        let row: Option<Row> = connection.query_first("SELECT owner FROM retention_turn WHERE id = 1").await?;
        Ok(row.map(|row| Reader::new("retention_turn", &row, "1").get::<String>("owner")).transpose()?.as_deref()
            == Some(owner))
    })
    .await
}

/// Gives the turn back.
///
/// # Errors
/// The database; then it ends by itself.
pub async fn end_turn(store: &Store, owner: &str, now: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop("UPDATE retention_turn SET until_at = ? WHERE id = 1 AND owner = ?", (at(now), owner))
            .await?;
        Ok(())
    })
    .await
}
