//! Owns: the administrators' sessions. The table holds only the hash of what the browser holds.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, transaction};
use super::{Store, StoreError};
use crate::domain::closed_list::closed_list;
closed_list! {
    /// How far somebody is with logging in.
    Stage {
        /// The password was right; the second factor is still asked.
        Password = "password",
        Open = "open",
    }
}

/// One session.
#[derive(Clone, Debug)]
pub struct Session {
    /// SHA-256 of the token.
    pub token: Vec<u8>,
    pub admin_id: u64,
    pub stage: Stage,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub until: Timestamp,
    pub address: String,
    /// The browser's own words.
    pub agent: String,
}

fn read(row: &Row) -> Result<Session, StoreError> {
    let reader = Reader::new("admin_session", row, "");
    Ok(Session {
        token: reader.get("token")?,
        admin_id: reader.get("admin_id")?,
        stage: reader.parse("stage", Stage::parse)?,
        created_at: reader.time("created_at")?,
        seen_at: reader.time("seen_at")?,
        until: reader.time("until_at")?,
        address: reader.get("address")?,
        agent: reader.get("agent")?,
    })
}

/// Writes a new session, with what is on record of it.
///
/// # Errors
/// The database; then there is no session.
pub async fn open(store: &Store, session: &Session, records: &[Record<'_>]) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_drop(
            "INSERT INTO admin_session (token, admin_id, stage, created_at, seen_at, until_at, address, agent) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                &session.token,
                session.admin_id,
                session.stage.code(),
                at(session.created_at),
                at(session.seen_at),
                at(session.until),
                &session.address,
                cut(&session.agent, 200),
            ),
        )
        .await?;
        for record in records {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// The session of that token hash, unless it is over at `now`.
///
/// # Errors
/// The database.
pub async fn find(store: &Store, token: &[u8], now: Timestamp) -> Result<Option<Session>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT token, admin_id, stage, created_at, seen_at, until_at, address, agent FROM admin_session \
                   WHERE token = ? AND until_at > ?";
        let row: Option<Row> = connection.exec_first(sql, (token, at(now))).await?;
        row.as_ref().map(read).transpose()
    })
    .await
}

/// The open sessions of one administrator, newest first.
///
/// # Errors
/// The database.
pub async fn of(store: &Store, admin_id: u64, now: Timestamp) -> Result<Vec<Session>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "SELECT token, admin_id, stage, created_at, seen_at, until_at, address, agent FROM admin_session \
                   WHERE admin_id = ? AND until_at > ? ORDER BY created_at DESC LIMIT 100";
        let rows: Vec<Row> = connection.exec(sql, (admin_id, at(now))).await?;
        rows.iter().map(read).collect()
    })
    .await
}

/// It was used at `now`, and lasts until `until`.
///
/// # Errors
/// The database.
pub async fn touch(store: &Store, token: &[u8], now: Timestamp, until: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = "UPDATE admin_session SET seen_at = ?, until_at = ? WHERE token = ?";
        connection.exec_drop(sql, (at(now), at(until), token)).await?;
        Ok(())
    })
    .await
}

/// Ends one session.
///
/// # Errors
/// The database.
pub async fn end(store: &Store, token: &[u8]) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("DELETE FROM admin_session WHERE token = ?", (token,)).await?;
        Ok(())
    })
    .await
}

/// Forgets what is over.
///
/// # Errors
/// The database.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop("DELETE FROM admin_session WHERE until_at <= ?", (at(now),)).await?;
        Ok(())
    })
    .await
}
