//! Owns: what both database rooms need of the driver: a connection in bounded time, and reading a row without its
//! conversions, which panic on a mismatch.
//! Must not know: any table.

mod bisect;
mod open;
mod session;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mysql_async::prelude::FromValue;
use mysql_async::{Conn, Pool, Row, Transaction, TxOpts, Value};

pub use self::bisect::{Bisected, bisect};
pub use self::open::{Address, AddressError, Check};

/// Bytes of a statement that every server takes, for as long as none has said its own limit.
const PACKET_BYTES: u64 = 1024 * 1024;

/// Whose tables a pool's sessions work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Our own: read and written.
    Own,
    /// The platform's: every transaction is one that only reads.
    Platform,
}

/// A pool whose users do not wait for ever, and whose sessions are all alike.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    acquire_timeout: Duration,
    seen: Arc<Seen>,
}

/// What new sessions said of their server.
#[derive(Debug, Default)]
struct Seen {
    /// Defaults that would have lost, cut or refused work: `name=value`.
    corrected: Mutex<Vec<String>>,
    /// `max_allowed_packet` in bytes; 0: not said yet.
    packet: AtomicU64,
}

impl Seen {
    fn session(&self, corrected: Vec<String>, packet: Option<u64>) {
        self.packet.store(packet.unwrap_or(PACKET_BYTES), Ordering::Relaxed);
        let Ok(mut before) = self.corrected.lock() else { return };
        if *before != corrected {
            if !corrected.is_empty() {
                let settings = corrected.join(", ");
                tracing::warn!(
                    settings,
                    "defaults of the database server would lose or cut work: corrected in our sessions"
                );
            }
            *before = corrected;
        }
    }
}

/// Why a connection that the server gave is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a session did not take its settings ({0}): does a proxy between here and the server keep them back?")]
    Session(String),
    #[error("the billing account may do more than read: {}", .0.join("; "))]
    MayWrite(Vec<String>),
    #[error("what the billing account may do cannot be seen, so it is not used: {0}")]
    Unproven(String),
}

impl From<Refusal> for mysql_async::Error {
    fn from(refusal: Refusal) -> Self {
        Self::Other(Box::new(refusal))
    }
}

/// No connection could be had.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no free connection within {0:?}")]
    Busy(Duration),
    #[error("{0}")]
    Refused(Refusal),
    /// The driver panics on a few things that a server may say, among them ways to log in that it was not built for.
    #[error("the driver cannot connect: {0}")]
    Panicked(String),
    #[error("{}", plain(.0))]
    Driver(mysql_async::Error),
}

impl From<mysql_async::Error> for ConnectError {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Other(other) => match other.downcast::<Refusal>() {
                Ok(refusal) => Self::Refused(*refusal),
                Err(other) => Self::Driver(mysql_async::Error::Other(other)),
            },
            error => Self::Driver(error),
        }
    }
}

/// A driver's error in one sentence. Its own text repeats that of its cause.
#[must_use]
pub fn plain(error: &mysql_async::Error) -> String {
    use mysql_async::{Error, IoError};
    match error {
        Error::Server(e) => e.to_string(),
        Error::Io(IoError::Io(e)) => e.to_string(),
        Error::Io(IoError::Tls(e)) => format!("TLS: {e}"),
        Error::Driver(e) => e.to_string(),
        Error::Url(e) => e.to_string(),
        Error::Other(e) => e.to_string(),
    }
}

impl Database {
    fn new(pool: Pool, acquire_timeout: Duration, seen: Arc<Seen>) -> Self {
        Self { pool, acquire_timeout, seen }
    }

    /// The longest statement that the server takes, in bytes (`max_allowed_packet`).
    #[must_use]
    pub fn packet_bytes(&self) -> u64 {
        match self.seen.packet.load(Ordering::Relaxed) {
            0 => PACKET_BYTES,
            bytes => bytes,
        }
    }

    /// The server's defaults that had to be corrected in our newest session because they would lose, cut or refuse work:
    /// `autocommit=OFF`. Empty: none, or no session yet.
    #[must_use]
    pub fn corrected(&self) -> Vec<String> {
        self.seen.corrected.lock().map(|corrected| corrected.clone()).unwrap_or_default()
    }

    /// A connection, or an error in bounded time.
    ///
    /// # Errors
    /// The pool is used up, or the server does not answer.
    pub async fn connection(&self) -> Result<Conn, ConnectError> {
        let connecting = AssertUnwindSafe(self.pool.get_conn()).catch_unwind();
        match tokio::time::timeout(self.acquire_timeout, connecting).await {
            Ok(Ok(connection)) => Ok(connection?),
            Ok(Err(panic)) => Err(ConnectError::Panicked(said(&*panic))),
            Err(_) => Err(ConnectError::Busy(self.acquire_timeout)),
        }
    }

    /// A transaction on a connection of its own. One that is dropped is rolled back before anybody else uses its connection.
    ///
    /// # Errors
    /// As [`Self::connection`].
    pub async fn transaction(&self, options: TxOpts) -> Result<Transaction<'static>, ConnectError> {
        let beginning = AssertUnwindSafe(self.pool.start_transaction(options)).catch_unwind();
        match tokio::time::timeout(self.acquire_timeout, beginning).await {
            Ok(Ok(transaction)) => Ok(transaction?),
            Ok(Err(panic)) => Err(ConnectError::Panicked(said(&*panic))),
            Err(_) => Err(ConnectError::Busy(self.acquire_timeout)),
        }
    }

    /// Connections in use, for the metrics.
    #[must_use]
    pub fn in_use(&self) -> usize {
        use std::sync::atomic::Ordering::Relaxed;
        let metrics = self.pool.metrics();
        metrics.connection_count.load(Relaxed).saturating_sub(metrics.connections_in_pool.load(Relaxed))
    }

    /// Closes all connections; gives up after a while.
    pub async fn close(self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.pool.disconnect()).await;
    }
}

/// An error's own sentence, a driver's as [`plain`] puts it.
#[must_use]
pub fn sentence(error: &(dyn std::error::Error + 'static)) -> String {
    error.downcast_ref().map_or_else(|| error.to_string(), plain)
}

/// What a panic says.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

/// A row that does not fit what we know of its table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of row {row} holds a value that does not fit")]
pub struct Inconsistent {
    pub table: &'static str,
    pub column: &'static str,
    /// The row's id, where it was known.
    pub row: String,
}

/// Reads columns of one row and names what does not fit.
#[derive(Debug)]
pub struct Reader<'a> {
    table: &'static str,
    row: &'a Row,
    id: String,
}

impl<'a> Reader<'a> {
    pub fn new(table: &'static str, row: &'a Row, id: impl Into<String>) -> Self {
        Self { table, row, id: id.into() }
    }

    /// The error that names `column` of this row.
    #[must_use]
    pub fn bad(&self, column: &'static str) -> Inconsistent {
        Inconsistent { table: self.table, column, row: self.id.clone() }
    }

    /// # Errors
    /// The column is missing or of another type.
    pub fn get<T: FromValue>(&self, column: &'static str) -> Result<T, Inconsistent> {
        match self.row.get_opt::<T, _>(column) {
            Some(Ok(value)) => Ok(value),
            _ => Err(self.bad(column)),
        }
    }

    /// A value that the domain must recognise.
    ///
    /// # Errors
    /// It does not.
    pub fn parse<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Inconsistent> {
        read(&self.get::<String>(column)?).ok_or_else(|| self.bad(column))
    }

    /// A DATETIME that is UTC.
    ///
    /// # Errors
    /// NULL, or no time.
    pub fn time(&self, column: &'static str) -> Result<Timestamp, Inconsistent> {
        self.optional_time(column)?.ok_or_else(|| self.bad(column))
    }

    /// A DATETIME that is UTC, or NULL.
    ///
    /// # Errors
    /// No time.
    pub fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, Inconsistent> {
        let index = self.row.columns_ref().iter().position(|c| c.name_str() == column);
        match index.and_then(|index| self.row.as_ref(index)) {
            Some(Value::NULL) => Ok(None),
            Some(value) => moment(value).map(Some).ok_or_else(|| self.bad(column)),
            None => Err(self.bad(column)),
        }
    }
}

/// A DATETIME of either protocol, read as UTC.
fn moment(value: &Value) -> Option<Timestamp> {
    let civil = match value {
        Value::Date(y, mo, d, h, mi, s, us) => jiff::civil::DateTime::new(
            i16::try_from(*y).ok()?,
            i8::try_from(*mo).ok()?,
            i8::try_from(*d).ok()?,
            i8::try_from(*h).ok()?,
            i8::try_from(*mi).ok()?,
            i8::try_from(*s).ok()?,
            i32::try_from(us.checked_mul(1000)?).ok()?,
        )
        .ok()?,
        Value::Bytes(text) => std::str::from_utf8(text).ok()?.parse().ok()?,
        _ => return None,
    };
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// `1,2,3` for an `IN (…)`: numbers need no quoting.
#[must_use]
pub fn list(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(|n| n.to_string()).collect::<Vec<_>>().join(",")
}
