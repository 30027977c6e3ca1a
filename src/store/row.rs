//! Owns: how values cross into our rows, and the transactions' isolation.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mysql_async::{TxOpts, Value};

use crate::signature::{hex, sha256};
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

/// The provider's id of a message as our columns take it: ASCII, 191 characters. One that does not fit keeps its beginning, and
/// a hash of the whole instead of the rest, so that it stays the same in answer and receipts and two stay two.
pub(crate) fn provider_key(id: &str) -> String {
    const CHARS_MAX: usize = 191;
    const KEPT: usize = 120;
    if id.is_ascii() && id.len() <= CHARS_MAX {
        return id.to_owned();
    }
    let start: String = id.chars().map(|c| if c.is_ascii() { c } else { '?' }).take(KEPT).collect();
    format!("{start}~{}", hex(&sha256(id.as_bytes())))
}

/// A provider's code as our columns take it; one beyond them becomes the nearest.
pub(crate) fn code(code: i64) -> i32 {
    i32::try_from(code).unwrap_or(if code < 0 { i32::MIN } else { i32::MAX })
}

/// `?,?,?`.
pub(crate) fn marks(n: usize) -> String {
    vec!["?"; n].join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_does_not_fit_becomes_one_that_does_and_is_no_others() {
        assert_eq!(provider_key("wamid.A="), "wamid.A=");
        let long = "x".repeat(5_006);
        let keys = [provider_key(&long), provider_key(&long[1..]), provider_key("wamid.ñ"), provider_key("wamid.é")];
        assert!(keys.iter().all(|key| key.is_ascii() && key.len() <= 191), "{keys:?}");
        assert!(keys.iter().collect::<std::collections::BTreeSet<_>>().len() == 4, "{keys:?}");
        assert_eq!((code(131_026), code(99_999_999_999), code(i64::MIN)), (131_026, i32::MAX, i32::MIN));
    }
}
