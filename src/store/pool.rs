//! Owns: the connections to our schema, the errors of this room, and how often a transaction is tried again.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};

use crate::sql::{ConnectError, Database, Inconsistent};

/// Tries of a transaction that lost a deadlock, before it is an error.
const DEADLOCK_TRIES: u32 = 5;
/// Any single use of the database ends by then, in seconds.
const STATEMENT_TIMEOUT_S: u64 = 20;

/// Our own schema.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
}

/// What can go wrong here; the caller tries again later, or reports a bug.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the bridge's database: {0}")]
    Connect(#[from] ConnectError),
    #[error("the bridge's database did not answer within {STATEMENT_TIMEOUT_S} s")]
    Slow,
    #[error("the bridge's database: {0}")]
    Database(#[from] Error),
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    #[error("{what}: {expected} rows should have changed, {changed} did")]
    Guard { what: &'static str, expected: u64, changed: u64 },
}

impl StoreError {
    /// Lost a deadlock or waited too long for a lock: the same again may work (MySQL 1213, 1205; Galera 1047 while a node
    /// leaves).
    #[must_use]
    pub fn is_passing_conflict(&self) -> bool {
        matches!(self, Self::Database(Error::Server(e)) if matches!(e.code, 1213 | 1205))
    }

    /// A unique key exists already (1062).
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(Error::Server(e)) if e.code == 1062)
    }
}

impl Store {
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    pub(crate) async fn connection(&self) -> Result<Conn, StoreError> {
        Ok(self.database.connection().await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        bounded(async { Ok(connection.ping().await?) }).await
    }

    /// The connections behind, for their figures and for closing them.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// Ends a piece of database work after [`STATEMENT_TIMEOUT_S`]. The connection inside is dropped with it: one whose
/// future was cut must not be used again.
pub(crate) async fn bounded<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(Duration::from_secs(STATEMENT_TIMEOUT_S), work).await.unwrap_or(Err(StoreError::Slow))
}

/// Runs a transaction, again where it lost a deadlock. The work must be repeatable from its start.
pub(crate) async fn retried<T, F>(mut work: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 1..DEADLOCK_TRIES {
        match bounded(work()).await {
            Err(error) if error.is_passing_conflict() => {}
            other => return other,
        }
    }
    bounded(work()).await
}
