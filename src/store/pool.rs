//! Owns: the connections to our schema, the errors of this room, and how often a transaction is tried again.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error, IoError};

use crate::sql::{ConnectError, Database, Inconsistent, plain};

/// Tries of a transaction that lost a deadlock, before it is an error.
const DEADLOCK_TRIES: u32 = 5;
/// Any single use of the database ends by then, in seconds.
const STATEMENT_TIMEOUT_S: u64 = 20;

/// Codes of MySQL and MariaDB that are about the server and not about a row: out of disk (1021, 1030, 1114) or memory (1037,
/// 1038, 1041, 1135), too many connections (1040, 1203, 1226), going down or coming up (1053, 1077, 1079, 1317, 1927, 3169),
/// the network (1152 to 1161 without 1153, 1184), conflicts (1180, 1205, 1213), read only (1290, 1792, 1836), a cluster's node that is
/// not ready (1047), a statement that took too long (1969, 3024).
const PASSING: &[u16] = &[
    1021, 1030, 1037, 1038, 1040, 1041, 1047, 1053, 1077, 1079, 1114, 1135, 1152, 1154, 1155, 1156, 1157, 1158, 1159,
    1160, 1161, 1180, 1184, 1203, 1205, 1213, 1226, 1290, 1317, 1792, 1836, 1927, 1969, 3024, 3169,
];

/// Codes about the statement, the schema or the account: no row of a batch is to blame, and none of them is taken without a
/// person. Rights (1044, 1045, 1142, 1143, 1227, 1370), what is not there (1046, 1049, 1054, 1146, 1305), syntax (1064), a binary
/// log that does not take it (1665, 1666), a limit of the server (1461).
const OF_THE_SERVER: &[u16] =
    &[1044, 1045, 1046, 1049, 1054, 1064, 1142, 1143, 1146, 1227, 1305, 1370, 1461, 1665, 1666];

/// Whether the server refused something in the rows of a statement: without one of them the others may be taken.
#[must_use]
fn is_of_a_row(error: &Error) -> bool {
    match error {
        Error::Server(e) => !PASSING.contains(&e.code) && !OF_THE_SERVER.contains(&e.code),
        Error::Driver(DriverError::PacketTooLarge) => true,
        // The driver looks at `max_allowed_packet` before it sends; it hands the codec's error on as one of the network.
        Error::Io(IoError::Io(e)) => e.get_ref().is_some_and(|inner| inner.to_string().contains("max_allowed_packet")),
        _ => false,
    }
}

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
    #[error("the bridge's database: {}", plain(.0))]
    Database(#[from] Error),
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    #[error("{what}: {expected} rows should have changed, {changed} did")]
    Guard { what: &'static str, expected: u64, changed: u64 },
}

impl StoreError {
    /// Lost a deadlock, or waited too long for a lock, or another node of the cluster was first: the same again may work
    /// (1213, at a commit on Galera too; 1205; 3101 on MySQL's group replication).
    #[must_use]
    pub fn is_passing_conflict(&self) -> bool {
        matches!(self, Self::Database(Error::Server(e)) if matches!(e.code, 1213 | 1205 | 3101))
    }

    /// The fault is the database's or the connection's, not the data's: the same again later may work. A full disk, a
    /// server that stops or was cut off, a claim that went to somebody else.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Inconsistent(_) => false,
            Self::Database(Error::Server(e)) => PASSING.contains(&e.code),
            Self::Connect(_) | Self::Slow | Self::Database(_) | Self::Guard { .. } => true,
        }
    }

    /// Some row of the batch is to blame: it is worth trying them apart (see [`crate::sql::bisect`]). Never together with
    /// [`Self::is_passing`].
    #[must_use]
    pub fn is_of_a_row(&self) -> bool {
        match self {
            Self::Inconsistent(_) => true,
            Self::Database(error) => is_of_a_row(error),
            Self::Connect(_) | Self::Slow | Self::Guard { .. } => false,
        }
    }

    /// What kind of fault it is, in words that hold nothing of the data.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Database(Error::Server(e)) if matches!(e.code, 1290 | 1792 | 1836) => "the server is read-only",
            Self::Database(Error::Server(e)) if matches!(e.code, 1021 | 1030 | 1114) => "the server's disk is full",
            Self::Database(Error::Server(_)) => "the server refuses to write",
            Self::Connect(_) | Self::Database(_) => "there is no connection",
            Self::Slow => "it does not answer in time",
            Self::Inconsistent(_) | Self::Guard { .. } => "its rows are not as expected",
        }
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

/// An error of work that may be tried again.
pub trait Passing: From<StoreError> {
    /// See [`StoreError::is_passing_conflict`].
    fn is_passing_conflict(&self) -> bool;
}

impl Passing for StoreError {
    fn is_passing_conflict(&self) -> bool {
        self.is_passing_conflict()
    }
}

/// Ends a piece of database work after [`STATEMENT_TIMEOUT_S`]. The connection inside is dropped with it: one whose
/// future was cut must not be used again.
pub(crate) async fn bounded<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    within(work).await
}

async fn within<T, E: From<StoreError>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let done = tokio::time::timeout(Duration::from_secs(STATEMENT_TIMEOUT_S), work).await;
    done.unwrap_or_else(|_| Err(StoreError::Slow.into()))
}

/// Runs a transaction, again where it lost a deadlock. The work must be repeatable from its start.
pub(crate) async fn retried<T, F>(work: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    repeated(work).await
}

/// The same for work with errors of its own.
///
/// # Errors
/// The work's own, and [`StoreError::Slow`].
pub async fn repeated<T, E: Passing, F>(mut work: impl FnMut() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..DEADLOCK_TRIES {
        match within(work()).await {
            Err(error) if error.is_passing_conflict() => {}
            other => return other,
        }
    }
    within(work()).await
}
