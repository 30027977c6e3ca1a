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

/// `sql` with `values` in the places of its `?`. For statements whose text differs each time anyway (keys as literals): prepared,
/// each would cost two more round trips and push another one out of the connection's cache. Sessions escape by backslash, as
/// `sql_mode` is set and read back.
pub(crate) fn filled(sql: &str, values: &[Value]) -> String {
    let mut parts = sql.split('?');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (value, part) in values.iter().zip(parts) {
        text.push_str(&value.as_sql(false));
        text.push_str(part);
    }
    text
}

/// The marks of an `IN (…)`, and its values: the last is repeated up to the next power of two, so that few shapes are prepared.
pub(crate) fn in_list(mut values: Vec<Value>) -> (String, Vec<Value>) {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    (marks(values.len()), values)
}

/// `?,?,?`.
pub(crate) fn marks(n: usize) -> String {
    vec!["?"; n].join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_as_literals_that_nothing_breaks_out_of() {
        let values = [Value::from("it's \\ here"), Value::from(7_u8), Value::NULL, Value::Bytes(vec![0xff, 0x27])];
        let text = filled("a = ? AND b = ? AND c = ? AND d = ?", &values);
        assert_eq!(text, r"a = 'it\'s \\ here' AND b = 7 AND c = NULL AND d = 0xFF27");
    }

    #[test]
    fn a_list_has_few_shapes() {
        let of = |n: u64| in_list((0..n).map(Value::from).collect());
        assert_eq!((of(0).1.len(), of(1).1.len(), of(5).1.len(), of(8).1.len()), (0, 1, 8, 8));
        assert_eq!(of(3), ("?,?,?,?".to_owned(), [0_u64, 1, 2, 2].map(Value::from).to_vec()));
    }

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
