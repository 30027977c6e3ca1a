//! Owns: the platform's habits in its columns: entities, zero dates, 0/1, decimals as text.

use jiff::civil::{Date, DateTime};

use crate::domain::ids::CurrencyId;
use crate::domain::money::Money;
use crate::domain::text::{as_written, platform_date, platform_datetime};
use crate::sql::{Inconsistent, Reader};

/// Amounts that are read before the client's currency is known.
pub(super) const NO_CURRENCY: CurrencyId = CurrencyId(0);

/// A text as a literal of a statement: in hexadecimal, so that nothing in it can end it.
pub(super) fn literal(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() * 2 + 12);
    out.push_str("_utf8mb4 X'");
    for byte in text.bytes() {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02X}");
    }
    out.push('\'');
    out
}

/// A text as people wrote it: the platform stores it HTML-encoded, and old installations UTF-8 as latin1.
pub(super) fn text(reader: &Reader<'_>, column: &'static str) -> Result<String, Inconsistent> {
    let stored = reader.get::<Option<String>>(column)?.unwrap_or_default();
    Ok(as_written(&stored).trim().to_owned())
}

pub(super) fn id(reader: &Reader<'_>, column: &'static str) -> Result<u64, Inconsistent> {
    reader.get::<i64>(column)?.try_into().map_err(|_| reader.bad(column))
}

pub(super) fn flag(reader: &Reader<'_>, column: &'static str) -> Result<bool, Inconsistent> {
    Ok(reader.get::<Option<i64>>(column)?.unwrap_or(0) != 0)
}

/// A switch as a text. Platform: 'on', and in places '1', 'yes' or 'true'.
pub(super) fn is_on(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "on" | "1" | "yes" | "true")
}

pub(super) fn money(reader: &Reader<'_>, column: &'static str, currency: CurrencyId) -> Result<Money, Inconsistent> {
    reader.parse(column, |text| Money::parse(text, currency).ok())
}

/// A date; zero and NULL both mean "unset".
pub(super) fn date(reader: &Reader<'_>, column: &'static str) -> Result<Option<Date>, Inconsistent> {
    let Some(raw) = reader.get::<Option<String>>(column)? else { return Ok(None) };
    platform_date(&raw).map_err(|_| reader.bad(column))
}

pub(super) fn datetime(reader: &Reader<'_>, column: &'static str) -> Result<Option<DateTime>, Inconsistent> {
    let Some(raw) = reader.get::<Option<String>>(column)? else { return Ok(None) };
    platform_datetime(&raw).map_err(|_| reader.bad(column))
}
