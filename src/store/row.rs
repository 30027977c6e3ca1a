//! Owns: how values cross into and out of our rows. Never lets the driver convert by itself: it panics on a mismatch.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mysql_async::prelude::FromValue;
use mysql_async::{Row, TxOpts, Value};

use super::StoreError;

/// Transactions read what is committed: no gap locks, so that workers do not wait for each other's neighbours.
pub(crate) fn transaction() -> TxOpts {
    let mut options = TxOpts::default();
    options.with_isolation_level(mysql_async::IsolationLevel::ReadCommitted);
    options
}

/// A time as our DATETIME(3) columns take it, UTC.
pub(crate) fn at(time: Timestamp) -> Value {
    let t = time.to_zoned(TimeZone::UTC).datetime();
    Value::Date(
        u16::try_from(t.year()).unwrap_or_default(),
        t.month().unsigned_abs(),
        t.day().unsigned_abs(),
        t.hour().unsigned_abs(),
        t.minute().unsigned_abs(),
        t.second().unsigned_abs(),
        u32::try_from(t.subsec_nanosecond() / 1000).unwrap_or_default(),
    )
}

/// Cuts a text to the width of its column.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

/// `?,?,?`.
pub(crate) fn marks(n: usize) -> String {
    vec!["?"; n].join(",")
}

/// Reads columns of one row and names what does not fit.
pub(crate) struct Reader<'a> {
    table: &'static str,
    row: &'a Row,
    id: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(table: &'static str, row: &'a Row, id: impl Into<String>) -> Self {
        Self { table, row, id: id.into() }
    }

    pub(crate) fn bad(&self, column: &'static str) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.id.clone() }
    }

    pub(crate) fn get<T: FromValue>(&self, column: &'static str) -> Result<T, StoreError> {
        match self.row.get_opt::<T, _>(column) {
            Some(Ok(value)) => Ok(value),
            _ => Err(self.bad(column)),
        }
    }

    /// A value that the domain must recognise.
    pub(crate) fn parse<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        read(&self.get::<String>(column)?).ok_or_else(|| self.bad(column))
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.optional_time(column)?.ok_or_else(|| self.bad(column))
    }

    pub(crate) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        match self.row.as_ref(column_index(self.row, column).ok_or_else(|| self.bad(column))?) {
            Some(Value::NULL) => Ok(None),
            Some(value) => moment(value).map(Some).ok_or_else(|| self.bad(column)),
            None => Err(self.bad(column)),
        }
    }
}

fn column_index(row: &Row, column: &str) -> Option<usize> {
    row.columns_ref().iter().position(|c| c.name_str() == column)
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
