//! Owns: what both database rooms need of the driver: a connection in bounded time, and reading a row without its
//! conversions, which panic on a mismatch.
//! Must not know: any table.

mod bisect;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mysql_async::prelude::FromValue;
use mysql_async::{Conn, Pool, Row, Value};

pub use self::bisect::{Bisected, bisect};

/// A pool whose users do not wait for ever.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    acquire_timeout: Duration,
}

/// No connection could be had.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no free connection within {0:?}")]
    Busy(Duration),
    #[error(transparent)]
    Driver(#[from] mysql_async::Error),
}

impl Database {
    #[must_use]
    pub fn new(pool: Pool, acquire_timeout: Duration) -> Self {
        Self { pool, acquire_timeout }
    }

    /// A connection, or an error in bounded time.
    ///
    /// # Errors
    /// The pool is used up, or the server does not answer.
    pub async fn connection(&self) -> Result<Conn, ConnectError> {
        match tokio::time::timeout(self.acquire_timeout, self.pool.get_conn()).await {
            Ok(connection) => Ok(connection?),
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
