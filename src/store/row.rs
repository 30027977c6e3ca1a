//! Owns: how values cross into our rows, and the transactions' isolation.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mysql_async::{TxOpts, Value};

pub(crate) use crate::sql::Reader;

/// Plain: every connection reads what is committed (see `app::database`), so that workers do not wait for gap locks.
pub(crate) fn transaction() -> TxOpts {
    TxOpts::default()
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
