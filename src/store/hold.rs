//! Owns: what is usual for a hookpoint, and the alerts that wait for an operator's word because there were more.

mod answer;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

pub use self::answer::{Scope, ask_again, discard, free, go, later};
use super::outbox::hex_list;
use super::pool::{bounded, retried};
use super::row::{Reader, at, marks, transaction};
use super::{Store, StoreError};
use crate::domain::closed_list::closed_list;
use crate::domain::hookpoint::{Class, HookpointId};
use crate::domain::ids::{ClientId, MessageId};
use crate::domain::message::Message;
use crate::domain::reason::Reason;
/// Length of a slot in which alerts are counted.
const SLOT: SignedDuration = SignedDuration::from_mins(10);
/// Counts are spread over so many rows, so that workers do not wait for each other.
const SHARDS: u8 = 8;

closed_list! {
    /// Where a hold stands.
    HoldState {
        /// Nobody has answered yet.
        Asked = "asked",
        /// An operator will decide later; it is asked again then.
        Later = "later",
        /// An operator let them go; until then there is no new hold.
        Go = "go",
    }
}

/// Alerts that wait, or were let go.
#[derive(Clone, Debug)]
pub struct Hold {
    pub hookpoint: HookpointId,
    /// `None`: all of the hookpoint's alerts.
    pub client_id: Option<ClientId>,
    pub state: HoldState,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    /// Alerts when it began, and how many were allowed.
    pub counted: u32,
    pub allowed: u32,
}

/// All holds.
///
/// # Errors
/// The database.
pub async fn all(store: &Store) -> Result<Vec<Hold>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .query("SELECT hookpoint, client_id, state, since, until, counted, allowed FROM hold ORDER BY since")
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("hold", row, "");
                Ok(Hold {
                    hookpoint: reader.parse("hookpoint", HookpointId::parse)?,
                    client_id: Some(ClientId(reader.get("client_id")?)).filter(|id| id.0 > 0),
                    state: reader.parse("state", HoldState::parse)?,
                    since: reader.time("since")?,
                    until: reader.optional_time("until")?,
                    counted: reader.get("counted")?,
                    allowed: reader.get("allowed")?,
                })
            })
            .collect()
    })
    .await
}

/// How many alerts are not yet too many.
#[derive(Clone, Debug, Default)]
pub struct Ceilings {
    /// The time in which a hookpoint's alerts are counted.
    pub window: SignedDuration,
    /// Alerts of a hookpoint within it; a hookpoint that is not named has no ceiling.
    pub allowed: BTreeMap<String, u32>,
    /// Alerts to one client in 24 hours, security apart; 0 is no ceiling.
    pub client_day_max: u32,
    /// Alerts of a hookpoint to one client in 24 hours, where the hookpoint says a number.
    pub client_day: BTreeMap<String, u32>,
    /// Which of the counting rows this worker uses.
    pub shard: u8,
}

/// Counts the `queued` messages, and begins holds where there are too many. Returns how many holds began.
pub(super) async fn watch(
    tx: &mut Transaction<'_>,
    queued: &[&Message],
    ceilings: &Ceilings,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut alerts: BTreeMap<&str, u32> = BTreeMap::new();
    for message in queued {
        *alerts.entry(message.hookpoint.as_str()).or_default() += 1;
    }
    let mut begun = 0;
    for (hookpoint, counted) in count(tx, &alerts, ceilings.window, ceilings.shard, now).await? {
        match ceilings.allowed.get(&hookpoint) {
            Some(allowed) if counted > *allowed => {
                begun += usize::from(begin(tx, &hookpoint, None, (counted, *allowed), now).await?);
            }
            _ => {}
        }
    }
    begun += watch_clients_of(tx, queued, ceilings, now).await?;
    if ceilings.client_day_max == 0 {
        return Ok(begun);
    }
    let limited: Vec<&&Message> = queued.iter().filter(|m| m.class != Class::Security).collect();
    let clients: BTreeSet<ClientId> = limited.iter().map(|m| m.client_id).collect();
    let clients: Vec<ClientId> = clients.into_iter().collect();
    for (client, counted) in of_clients(tx, &clients, now - SignedDuration::from_hours(24)).await? {
        if counted <= ceilings.client_day_max {
            continue;
        }
        let hookpoints: BTreeSet<&str> =
            limited.iter().filter(|m| m.client_id == client).map(|m| m.hookpoint.as_str()).collect();
        for hookpoint in hookpoints {
            let numbers = (counted, ceilings.client_day_max);
            begun += usize::from(begin(tx, hookpoint, Some(client), numbers, now).await?);
        }
    }
    Ok(begun)
}

/// The same for single hookpoints that say how much one client may get of them.
async fn watch_clients_of(
    tx: &mut Transaction<'_>,
    queued: &[&Message],
    ceilings: &Ceilings,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut begun = 0;
    for (hookpoint, most) in &ceilings.client_day {
        let clients: BTreeSet<ClientId> =
            queued.iter().filter(|m| m.hookpoint.as_str() == hookpoint).map(|m| m.client_id).collect();
        if clients.is_empty() {
            continue;
        }
        let list = crate::sql::list(clients.iter().map(|id| id.0));
        let sql = format!(
            "SELECT client_id, COUNT(*) AS n FROM message WHERE client_id IN ({list}) AND created_at > ? \
             AND hookpoint = ? GROUP BY client_id HAVING n > ?"
        );
        let rows: Vec<Row> = tx.exec(sql, (at(now - SignedDuration::from_hours(24)), hookpoint, most)).await?;
        for row in &rows {
            let reader = Reader::new("message", row, "");
            let counted = u32::try_from(reader.get::<u64>("n")?).unwrap_or(u32::MAX);
            let client = ClientId(reader.get("client_id")?);
            begun += usize::from(begin(tx, hookpoint, Some(client), (counted, *most), now).await?);
        }
    }
    Ok(begun)
}

/// Counts `alerts` per hookpoint at `now`, and returns how many there were within `window`.
async fn count(
    tx: &mut Transaction<'_>,
    alerts: &BTreeMap<&str, u32>,
    window: SignedDuration,
    shard: u8,
    now: Timestamp,
) -> Result<BTreeMap<String, u32>, StoreError> {
    if alerts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let slot = slot(now);
    tx.exec_batch(
        "INSERT INTO volume (hookpoint, slot, shard, alerts) VALUES (?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE alerts = alerts + VALUES(alerts)",
        alerts.iter().map(|(hookpoint, n)| (*hookpoint, at(slot), shard % SHARDS, n)),
    )
    .await?;
    let sql = format!(
        "SELECT hookpoint, CAST(SUM(alerts) AS UNSIGNED) AS n FROM volume WHERE hookpoint IN ({}) AND slot > ? \
         GROUP BY hookpoint",
        marks(alerts.len())
    );
    let mut values: Vec<Value> = alerts.keys().map(|hookpoint| Value::from(*hookpoint)).collect();
    values.push(at(slot - window));
    let rows: Vec<Row> = tx.exec(sql, values).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("volume", row, "");
            let n: u64 = reader.get("n")?;
            Ok((reader.get("hookpoint")?, u32::try_from(n).unwrap_or(u32::MAX)))
        })
        .collect()
}

fn slot(time: Timestamp) -> Timestamp {
    let length = SLOT.as_secs();
    Timestamp::from_second(time.as_second() / length * length).unwrap_or(time)
}

/// Alerts of `clients` since `since`.
async fn of_clients(
    tx: &mut Transaction<'_>,
    clients: &[ClientId],
    since: Timestamp,
) -> Result<Vec<(ClientId, u32)>, StoreError> {
    if clients.is_empty() {
        return Ok(Vec::new());
    }
    let list = crate::sql::list(clients.iter().map(|id| id.0));
    let sql = format!(
        "SELECT client_id, COUNT(*) AS n FROM message WHERE client_id IN ({list}) AND created_at > ? GROUP BY client_id"
    );
    let rows: Vec<Row> = tx.exec(sql, (at(since),)).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("message", row, "");
            let n: u64 = reader.get("n")?;
            Ok((ClientId(reader.get("client_id")?), u32::try_from(n).unwrap_or(u32::MAX)))
        })
        .collect()
}

/// Begins a hold, unless one stands or an operator let them go. Returns whether it is new.
async fn begin(
    tx: &mut Transaction<'_>,
    hookpoint: &str,
    client_id: Option<ClientId>,
    (counted, allowed): (u32, u32),
    now: Timestamp,
) -> Result<bool, StoreError> {
    tx.exec_drop(
        "DELETE FROM hold WHERE hookpoint = ? AND client_id = ? AND state = 'go' AND until <= ?",
        (hookpoint, client_id.map_or(0, |id| id.0), at(now)),
    )
    .await?;
    tx.exec_drop(
        "INSERT IGNORE INTO hold (hookpoint, client_id, state, since, counted, allowed) VALUES (?, ?, 'asked', ?, ?, ?)",
        (hookpoint, client_id.map_or(0, |id| id.0), at(now), counted, allowed),
    )
    .await?;
    Ok(tx.affected_rows() == 1)
}

/// The most alerts of each hookpoint within any whole hour between `since` and `until`: what is usual.
///
/// # Errors
/// The database.
pub async fn busiest_hours(
    store: &Store,
    since: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<String, u32>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec(
                "SELECT hookpoint, CAST(MAX(n) AS UNSIGNED) AS n FROM (SELECT hookpoint, SUM(alerts) AS n FROM volume \
                 WHERE slot >= ? AND slot < ? GROUP BY hookpoint, DATE(slot), HOUR(slot)) hours GROUP BY hookpoint",
                (at(since), at(until)),
            )
            .await?;
        rows.iter()
            .map(|row| {
                let reader = Reader::new("volume", row, "");
                let n: u64 = reader.get("n")?;
                Ok((reader.get("hookpoint")?, u32::try_from(n).unwrap_or(u32::MAX)))
            })
            .collect()
    })
    .await
}

/// Puts queued messages under a hold that stands: the hookpoint's for [`Reason::MassSend`], else the client's. Returns how
/// many; what an operator let go meanwhile stays in the queue.
///
/// # Errors
/// The database.
pub async fn put_under(store: &Store, ids: &[MessageId], why: Reason) -> Result<usize, StoreError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let list = hex_list(ids);
    let whose = if why == Reason::MassSend { "0" } else { "o.client_id" };
    // Locked until the commit: an answer to the hold waits for it, and then finds all that was held before.
    let lock = format!(
        "SELECT h.hookpoint FROM hold h WHERE h.state <> 'go' AND (h.hookpoint, h.client_id) IN \
         (SELECT o.hookpoint, {whose} FROM outbox o WHERE o.message_id IN ({list})) LOCK IN SHARE MODE"
    );
    let hold = format!(
        "UPDATE outbox o JOIN hold h ON h.hookpoint = o.hookpoint AND h.client_id = {whose} AND h.state <> 'go' \
         SET o.state = 'held', o.waiting_for = ? WHERE o.message_id IN ({list}) AND o.state = 'queued'"
    );
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let standing: Vec<Row> = tx.query(lock.as_str()).await?;
        let mut count = 0;
        if !standing.is_empty() {
            tx.exec_drop(hold.as_str(), (why.code(),)).await?;
            count = tx.affected_rows();
        }
        tx.commit().await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    })
    .await
}

/// Counts that nobody looks at any more are deleted.
///
/// # Errors
/// The database.
pub async fn forget_counts(store: &Store, before: Timestamp) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        Ok(connection.exec_drop("DELETE FROM volume WHERE slot < ? LIMIT 1000", (at(before),)).await?)
    })
    .await
}
