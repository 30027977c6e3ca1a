//! Owns: what an operator says of a hold, with the record of it: let them go, drop them, decide later.

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::HoldState;
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::{ClientId, MessageId};
use crate::domain::reason::Reason;
use crate::store::audit::Record;
use crate::store::outbox::{cancel, hex_list, message_id};
use crate::store::pool::{bounded, retried};
use crate::store::row::{Reader, at, transaction};
use crate::store::{Store, StoreError};

/// Held messages released or dropped in one step.
const STEP: usize = 500;

/// Whose held messages are meant: a hookpoint's, or those of one client only.
#[derive(Clone, Debug)]
pub struct Scope {
    pub hookpoint: HookpointId,
    pub client_id: Option<ClientId>,
}

/// Lets the held messages go, and holds no others before `until`. What another hold covers as well (a client's beside its
/// hookpoint's) stays under that one. Returns how many went.
///
/// # Errors
/// The database; what was released stays released, and asking again goes on.
pub async fn go(
    store: &Store,
    scope: &Scope,
    until: Timestamp,
    now: Timestamp,
    record: Option<&Record<'_>>,
) -> Result<usize, StoreError> {
    answer(store, scope, HoldState::Go, until, record).await?;
    let count = free(store, Some(scope), now).await?;
    let (ended, left) = match scope.client_id {
        None => (Reason::MassSend, Reason::ClientCeiling),
        Some(_) => (Reason::ClientCeiling, Reason::MassSend),
    };
    retried(|| async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE outbox SET waiting_for = ? WHERE state = 'held' AND waiting_for = ? AND hookpoint = ? \
                   AND (? = 0 OR client_id = ?)";
        let (hookpoint, client) = (scope.hookpoint.as_str(), id(scope));
        Ok(connection.exec_drop(sql, (left.code(), ended.code(), hookpoint, client, client)).await?)
    })
    .await?;
    Ok(count)
}

/// Queues held messages that no hold covers any more, of one scope or of all. Returns how many.
///
/// # Errors
/// The database; asking again goes on.
pub async fn free(store: &Store, scope: Option<&Scope>, now: Timestamp) -> Result<usize, StoreError> {
    // Only what [`put_under`] held: others may hold messages for reasons of their own.
    let mut sql = "SELECT message_id FROM outbox o WHERE o.state = 'held' AND o.waiting_for IN (?, ?) AND NOT EXISTS \
                   (SELECT 1 FROM hold h WHERE h.hookpoint = o.hookpoint AND h.client_id IN (0, o.client_id) \
                   AND h.state <> 'go')"
        .to_owned();
    let mut values: Vec<Value> = vec![Reason::MassSend.code().into(), Reason::ClientCeiling.code().into()];
    if let Some(scope) = scope {
        sql.push_str(" AND o.hookpoint = ? AND (? = 0 OR o.client_id = ?)");
        values.extend([scope.hookpoint.as_str().into(), id(scope).into(), id(scope).into()]);
    }
    sql.push_str(" ORDER BY o.event_at, o.message_id LIMIT ?");
    values.push((STEP as u64).into());
    let mut count = 0;
    loop {
        let ids: Vec<MessageId> = bounded(async {
            let mut connection = store.connection().await?;
            let rows: Vec<Row> = connection.exec(sql.as_str(), values.clone()).await?;
            rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect()
        })
        .await?;
        if ids.is_empty() {
            return Ok(count);
        }
        let sql = format!(
            "UPDATE outbox SET state = 'queued', run_at = ?, waiting_for = NULL WHERE message_id IN ({}) AND state = 'held'",
            hex_list(&ids)
        );
        retried(|| async {
            let mut connection = store.connection().await?;
            Ok(connection.exec_drop(sql.as_str(), (at(now),)).await?)
        })
        .await?;
        count += ids.len();
    }
}

/// Keeps holding, and asks again at `until`.
///
/// # Errors
/// The database.
pub async fn later(
    store: &Store,
    scope: &Scope,
    until: Timestamp,
    record: Option<&Record<'_>>,
) -> Result<(), StoreError> {
    answer(store, scope, HoldState::Later, until, record).await
}

/// Holds that were to be decided later, and it is later: they ask again. Returns how many.
///
/// # Errors
/// The database.
pub async fn ask_again(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        connection
            .exec_drop("UPDATE hold SET state = 'asked', until = NULL WHERE state = 'later' AND until <= ?", (at(now),))
            .await?;
        Ok(connection.affected_rows())
    })
    .await
}

/// Cancels what the hold keeps and ends it: the held messages, and those that wait for their time and would be held then. What
/// they counted is forgotten: a fault must not become usual. Returns how many were cancelled. A hold that was let go only ends.
///
/// # Errors
/// The database; asking again goes on.
pub async fn discard(
    store: &Store,
    scope: &Scope,
    now: Timestamp,
    record: Option<&Record<'_>>,
) -> Result<usize, StoreError> {
    // Before anything of it: whoever asks again goes on, and is on record as well.
    if let Some(record) = record {
        noted(store, scope, record).await?;
    }
    let mut count = 0;
    loop {
        let ids: Vec<(MessageId, Reason)> =
            kept(store, scope).await?.into_iter().map(|id| (id, Reason::DroppedByOperator)).collect();
        if !ids.is_empty() {
            cancel(store, &ids, now).await?;
            count += ids.len();
        } else if retried(|| end(store, scope, now)).await? {
            return Ok(count);
        }
    }
}

/// Ends a hold under which nothing is left. False: something was put under it in the meantime.
async fn end(store: &Store, scope: &Scope, now: Timestamp) -> Result<bool, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let (hookpoint, client) = (scope.hookpoint.as_str(), id(scope));
    let lock = "SELECT 1 FROM hold WHERE hookpoint = ? AND client_id = ? FOR UPDATE";
    let _: Option<Row> = tx.exec_first(lock, (hookpoint, client)).await?;
    let left: Option<Row> = tx.exec_first(KEPT, (hookpoint, client, client, hookpoint, client, 1)).await?;
    if left.is_some() {
        return Ok(false);
    }
    if scope.client_id.is_none() {
        let day = SignedDuration::from_hours(24);
        tx.exec_drop("DELETE FROM volume WHERE hookpoint = ? AND slot > ?", (hookpoint, at(now - day))).await?;
    }
    tx.exec_drop("DELETE FROM hold WHERE hookpoint = ? AND client_id = ?", (hookpoint, client)).await?;
    tx.commit().await?;
    Ok(true)
}

async fn answer(
    store: &Store,
    scope: &Scope,
    state: HoldState,
    until: Timestamp,
    record: Option<&Record<'_>>,
) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
            "UPDATE hold SET state = ?, until = ? WHERE hookpoint = ? AND client_id = ?",
            (state.code(), at(until), scope.hookpoint.as_str(), id(scope)),
        )
        .await?;
        if let Some(record) = record {
            with_count(&mut tx, scope, record).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

async fn noted(store: &Store, scope: &Scope, record: &Record<'_>) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        with_count(&mut tx, scope, record).await?;
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Writes the record of an answer, with how many messages the hold keeps.
async fn with_count(tx: &mut Transaction<'_>, scope: &Scope, record: &Record<'_>) -> Result<(), StoreError> {
    let sql = "SELECT COUNT(*) FROM outbox WHERE state = 'held' AND waiting_for IN (?, ?) AND hookpoint = ? \
               AND (? = 0 OR client_id = ?)";
    let (mass, ceiling) = (Reason::MassSend.code(), Reason::ClientCeiling.code());
    let held: Option<u64> = tx.exec_first(sql, (mass, ceiling, scope.hookpoint.as_str(), id(scope), id(scope))).await?;
    let more = record.detail.as_deref().unwrap_or_default();
    let detail = Some(format!("{} messages{more}", held.unwrap_or_default()));
    Record { detail, ..record.clone() }.write(tx).await
}

fn id(scope: &Scope) -> u64 {
    scope.client_id.map_or(0, |id| id.0)
}

/// What a hold keeps, the oldest first: hookpoint, client twice, hookpoint, client, limit. Messages of a client under a
/// hookpoint's hold belong to both. One that was tried before is not dropped with the others: it may have arrived.
const KEPT: &str = "SELECT o.message_id FROM outbox o WHERE o.hookpoint = ? AND (? = 0 OR o.client_id = ?) \
                    AND (o.state = 'held' AND o.waiting_for <> 'restored' OR o.state = 'queued' AND o.attempts = 0) AND EXISTS (SELECT 1 FROM hold h \
                    WHERE h.hookpoint = ? AND h.client_id = ? AND h.state <> 'go') \
                    ORDER BY o.event_at, o.message_id LIMIT ?";

async fn kept(store: &Store, scope: &Scope) -> Result<Vec<MessageId>, StoreError> {
    let (hookpoint, client) = (scope.hookpoint.as_str(), id(scope));
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(KEPT, (hookpoint, client, client, hookpoint, client, STEP as u64)).await?;
        rows.iter().map(|row| message_id(&Reader::new("outbox", row, ""), "message_id")).collect()
    })
    .await
}
