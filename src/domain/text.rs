//! Owns: how the platform writes text and dates into its columns, and what they mean.
//! Must not know: which table or column. Why here: the reader of the billing rows and the renderer both need it.

use jiff::civil::{Date, DateTime};

/// Decodes HTML entities, exactly one pass: `O&#039;Brien` is `O'Brien`, and `&amp;lt;` is `&lt;`, not `<`.
///
/// Platform: what is typed into a form is stored entity-encoded. Called once, where a row is read; a second pass would
/// turn text that somebody really typed (`&lt;`) into something else. Named (the whole HTML list), decimal and
/// hexadecimal forms. Only forms that end in `;` count, so that a link with `&copy=1` stays a link. What is no entity
/// stays as it is, and so do references to control characters.
#[must_use]
pub fn decode_entities(text: &str) -> String {
    html_escape::decode_html_entities(text).into_owned()
}

/// A date column that holds neither a date nor the platform's "unset". The text is shown: it is no personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date of the platform")]
pub struct DateError(String);

/// Reads a `date` (or the date of a `datetime`) column as text.
///
/// Platform: "unset" is `0000-00-00`, empty or NULL, and imports leave partial zeros (`2026-00-00`, `2026-11-00`):
/// all of them are `None`.
///
/// # Errors
/// [`DateError`] when the text is something else, e.g. `2026-02-30`.
pub fn platform_date(raw: &str) -> Result<Option<Date>, DateError> {
    Ok(platform_datetime(raw)?.map(DateTime::date))
}

/// Reads a `datetime` column as text (`2026-11-23 14:05:00`, fractions allowed; a bare date is its midnight).
///
/// The value is the local time of the platform's server, without a zone: `render::format::instant` makes it a moment.
///
/// # Errors
/// [`DateError`] as for [`platform_date`].
pub fn platform_datetime(raw: &str) -> Result<Option<DateTime>, DateError> {
    let text = raw.trim();
    let shaped = |t: &str| t.bytes().zip(*b"dddd-dd-dd").all(|(b, want)| (want == b'-') == (b == b'-'));
    let (Some(date), true) = (text.get(..10), shaped(text)) else {
        return if text.is_empty() { Ok(None) } else { Err(DateError(shown(text))) };
    };
    let digits = date.bytes().all(|b| b == b'-' || b.is_ascii_digit());
    if digits && (&date[..4] == "0000" || &date[5..7] == "00" || &date[8..] == "00") {
        return Ok(None);
    }
    text.parse::<DateTime>().map(Some).map_err(|_| DateError(shown(text)))
}

/// So much of a bad value as a log line needs.
fn shown(text: &str) -> String {
    text.chars().take(32).collect()
}
