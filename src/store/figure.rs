//! Owns: history counted per hour: how alerts ended, what led to none, which hooks came. An hour is counted from its rows by
//! their time index, as often as it may still change, so that a page that shows 30 days reads some thousand short rows.
//! Must not know: how often to count, what is shown.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};

use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, marks, transaction};
use super::{Store, StoreError};
use crate::domain::closed_list::closed_list;
use crate::domain::event::{SCHEDULE, SWEEP};
use crate::domain::missed;
/// What is counted at once.
pub const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Rows of one INSERT.
const BATCH: usize = 200;
/// Waiting events that are looked at for their hook: the newest.
const WAITING_MAX: u32 = 1_000;

closed_list! {
    /// What is counted.
    Kind {
        Alert = "alert",
        Skip = "skip",
        Hook = "hook",
        /// Answers of the company's rules.
        Decision = "decision",
        /// Answers that the platform went on without.
        Missed = "missed",
    }
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub hour: Timestamp,
    /// How alerts stand (`open`, `accepted`, `sent`, `delivered`, `read`, `failed`, `cancelled`), a hook's or a rule's name.
    pub name: String,
    pub reason: String,
    pub n: u64,
    pub last_at: Option<Timestamp>,
}

/// The hour that `time` lies in.
#[must_use]
pub fn hour_of(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    Timestamp::from_second(second - second.rem_euclid(HOUR.as_secs())).unwrap_or(time)
}

/// When the hours since `since` were last counted.
///
/// # Errors
/// The database.
pub async fn counted(store: &Store, since: Timestamp) -> Result<BTreeMap<Timestamp, Timestamp>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT hour, counted_at FROM figure_hour WHERE hour >= ?";
        let rows: Vec<Row> = connection.exec(sql, (at(since),)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("figure_hour", row, "");
                Ok((reader.time("hour")?, reader.time("counted_at")?))
            })
            .collect()
    })
    .await
}

/// Takes an hour that was last counted at `before`, so that only one instance counts it. Returns whether it is ours.
///
/// # Errors
/// The database.
pub async fn take(
    store: &Store,
    hour: Timestamp,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        if let Some(before) = before {
            let sql = "UPDATE figure_hour SET counted_at = ? WHERE hour = ? AND counted_at = ?";
            connection.exec_drop(sql, (at(now), at(hour), at(before))).await?;
        } else {
            let sql = "INSERT IGNORE INTO figure_hour (hour, counted_at) VALUES (?, ?)";
            connection.exec_drop(sql, (at(hour), at(now))).await?;
        }
        Ok(connection.affected_rows() == 1)
    })
    .await
}

/// Counts an hour anew.
///
/// # Errors
/// The database; then its old counts stand.
pub async fn count(store: &Store, hour: Timestamp) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for kind in Kind::ALL {
            rows.extend(count_kind(&mut connection, *kind, hour).await?);
        }
        let mut tx = connection.start_transaction(transaction()).await?;
        for kind in Kind::ALL {
            tx.exec_drop("DELETE FROM figure WHERE kind = ? AND hour = ?", (kind.code(), at(hour))).await?;
        }
        for part in rows.chunks(BATCH) {
            let places = vec![format!("({})", marks(6)); part.len()].join(",");
            let sql = format!("INSERT INTO figure (kind, hour, name, reason, n, last_at) VALUES {places}");
            tx.exec_drop(sql, part.concat()).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// The rows of one kind and hour, as they are stored.
async fn count_kind(connection: &mut Conn, kind: Kind, hour: Timestamp) -> Result<Vec<Vec<Value>>, StoreError> {
    let sql = match kind {
        // A receipt says more than "sent", which only means that the provider took it.
        Kind::Alert => {
            "SELECT IF(state = 'sent', COALESCE(receipt, 'accepted'), state) AS name, \
             IF(state IN ('failed', 'cancelled') OR receipt = 'failed', COALESCE(reason, ''), '') AS reason, \
             COUNT(*) AS n, CAST(NULL AS DATETIME(3)) AS last_at FROM message \
             WHERE created_at >= ? AND created_at < ? GROUP BY 1, 2"
        }
        Kind::Skip => {
            "SELECT '' AS name, reason, COUNT(*) AS n, CAST(NULL AS DATETIME(3)) AS last_at FROM skip \
             WHERE at >= ? AND at < ? GROUP BY reason"
        }
        Kind::Hook => {
            "SELECT hook AS name, '' AS reason, COUNT(*) AS n, MAX(received_at) AS last_at FROM event \
             WHERE received_at >= ? AND received_at < ? AND source NOT IN (?, ?) GROUP BY hook"
        }
        Kind::Decision => {
            "SELECT rule AS name, IF(what_if, 'what_if', verdict) AS reason, COUNT(*) AS n, MAX(asked_at) AS last_at \
             FROM decision WHERE asked_at >= ? AND asked_at < ? GROUP BY 1, 2"
        }
        // What the stub wrote there is not ours: only words that we know are counted by name.
        Kind::Missed => {
            "SELECT IF(rule IN ('upgrade', 'ownership', 'cancellation', 'termination', 'identity'), rule, '') AS name, \
             IF(did IN ('open', 'closed'), did, '') AS reason, COUNT(*) AS n, MAX(received_at) AS last_at FROM \
             (SELECT received_at, JSON_UNQUOTE(JSON_EXTRACT(body, '$.fields.rule')) AS rule, \
             JSON_UNQUOTE(JSON_EXTRACT(body, '$.fields.on_failure')) AS did FROM event \
             WHERE received_at >= ? AND received_at < ? AND hook = ?) AS missed GROUP BY 1, 2"
        }
    };
    let mut parameters = vec![at(hour), at(hour + HOUR)];
    match kind {
        // What the sweep found is what a hook did not tell.
        Kind::Hook => parameters.extend([SWEEP.into(), SCHEDULE.into()]),
        Kind::Missed => parameters.push(missed::HOOK.into()),
        Kind::Alert | Kind::Skip | Kind::Decision => {}
    }
    let rows: Vec<Row> = connection.exec(sql, parameters).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("figure", row, "");
            let last = reader.optional_time("last_at")?.map_or(Value::NULL, at);
            let (name, reason): (String, String) = (reader.get("name")?, reader.get("reason")?);
            Ok(vec![kind.code().into(), at(hour), name.into(), reason.into(), reader.get::<u64>("n")?.into(), last])
        })
        .collect()
}

/// Counts of `kind` since `since`, per hour and name; `reason` is left out.
///
/// # Errors
/// The database.
pub async fn by_hour(store: &Store, kind: Kind, since: Timestamp) -> Result<Vec<Figure>, StoreError> {
    let sql = "SELECT hour, name, '' AS reason, CAST(SUM(n) AS UNSIGNED) AS n, MAX(last_at) AS last_at FROM figure \
               WHERE kind = ? AND hour >= ? GROUP BY hour, name ORDER BY hour";
    read(store, sql, kind, since).await
}

/// Counts of `kind` since `since` by name and reason, the most first; `hour` is the first of them.
///
/// # Errors
/// The database.
pub async fn by_reason(store: &Store, kind: Kind, since: Timestamp) -> Result<Vec<Figure>, StoreError> {
    let sql = "SELECT MIN(hour) AS hour, name, reason, CAST(SUM(n) AS UNSIGNED) AS n, MAX(last_at) AS last_at \
               FROM figure WHERE kind = ? AND hour >= ? GROUP BY name, reason ORDER BY 4 DESC, reason";
    read(store, sql, kind, since).await
}

async fn read(store: &Store, sql: &str, kind: Kind, since: Timestamp) -> Result<Vec<Figure>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, (kind.code(), at(since))).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("figure", row, kind.code());
                Ok(Figure {
                    hour: reader.time("hour")?,
                    name: reader.get("name")?,
                    reason: reader.get("reason")?,
                    n: reader.get("n")?,
                    last_at: reader.optional_time("last_at")?,
                })
            })
            .collect()
    })
    .await
}

/// When each hook last brought one of the newest events that still wait.
///
/// # Errors
/// The database.
pub async fn waiting_hooks(store: &Store) -> Result<Vec<(String, Timestamp)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT hook, MAX(received_at) AS last_at FROM (SELECT hook, source, received_at FROM inbox \
             ORDER BY seq DESC LIMIT {WAITING_MAX}) AS newest WHERE source NOT IN (?, ?) GROUP BY hook"
        );
        let rows: Vec<Row> = connection.exec(sql, (SWEEP, SCHEDULE)).await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("inbox", row, "");
                Ok((reader.get("hook")?, reader.time("last_at")?))
            })
            .collect()
    })
    .await
}

/// Forgets the counts of hours before `before`.
///
/// # Errors
/// The database.
pub async fn forget(store: &Store, before: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        for kind in Kind::ALL {
            connection.exec_drop("DELETE FROM figure WHERE kind = ? AND hour < ?", (kind.code(), at(before))).await?;
        }
        connection.exec_drop("DELETE FROM figure_hour WHERE hour < ?", (at(before),)).await?;
        Ok(())
    })
    .await
}

/// The last that the provider said of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub lane: String,
    /// The provider's status, e.g. `FLAGGED`.
    pub event: String,
    /// The recipients that the provider allows within 24 hours, as it writes them.
    pub daily_limit: Option<String>,
    pub at: Timestamp,
}

/// Notes what the provider said of a number. A limit that is not repeated stays.
///
/// # Errors
/// The database.
pub async fn note_news(store: &Store, news: &News) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let limit = news.daily_limit.as_deref().map(|limit| cut(limit, 64));
        connection
            .exec_drop(
                "INSERT INTO lane_news (lane, event, daily_limit, at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE \
                 event = IF(VALUES(event) = '', event, VALUES(event)), \
                 daily_limit = COALESCE(VALUES(daily_limit), daily_limit), at = VALUES(at)",
                (&news.lane, cut(&news.event, 64), limit, at(news.at)),
            )
            .await?;
        Ok(())
    })
    .await
}

/// The last news of each number.
///
/// # Errors
/// The database.
pub async fn news(store: &Store) -> Result<Vec<News>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.query("SELECT lane, event, daily_limit, at FROM lane_news").await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("lane_news", row, "");
                Ok(News {
                    lane: reader.get("lane")?,
                    event: reader.get("event")?,
                    daily_limit: reader.get("daily_limit")?,
                    at: reader.time("at")?,
                })
            })
            .collect()
    })
    .await
}
