//! Owns: how the platform writes text and dates into its columns, and what they mean.
//! Must not know: which table or column. Why here: the reader of the billing rows and the renderer both need it.

use jiff::civil::{Date, DateTime};

/// An error with its causes, on one line; a cause that the text names already is left out.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        let more = one.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = one.source();
    }
    text
}

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

/// UTF-8 that was stored in a `latin1` column and so arrives as two letters for one (`JosÃ©` is `José`); `None` where the text is
/// as it should be.
///
/// Platform: old installations wrote UTF-8 over connections that were set to latin1. MySQL's latin1 is Windows-1252, with the
/// five codes that it does not define kept as they are. Text that somebody really typed is next to never valid UTF-8 then.
#[must_use]
pub fn mend_latin1(text: &str) -> Option<String> {
    const HIGH: [char; 27] = [
        '€', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 'Ž', '‘', '’', '“', '”', '•', '–', '—', '˜', '™',
        'š', '›', 'œ', 'ž', 'Ÿ',
    ];
    const CODES: [u8; 27] = [
        0x80, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8E, 0x91, 0x92, 0x93, 0x94, 0x95,
        0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9E, 0x9F,
    ];
    if text.is_ascii() {
        return None;
    }
    let byte = |c: char| match u8::try_from(u32::from(c)) {
        Ok(code) if !(0x80..=0x9F).contains(&code) || matches!(code, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D) => Some(code),
        Ok(_) => None,
        Err(_) => HIGH.iter().position(|high| *high == c).map(|at| CODES[at]),
    };
    let bytes: Vec<u8> = text.chars().map(byte).collect::<Option<_>>()?;
    String::from_utf8(bytes).ok()
}

/// A text as people wrote it, from what the platform stores: without entities, and mended where it is UTF-8 kept as latin1,
/// also if it was so when it was encoded.
#[must_use]
pub fn as_written(stored: &str) -> String {
    let meant = mend_latin1(stored);
    let decoded = decode_entities(meant.as_deref().unwrap_or(stored));
    mend_latin1(&decoded).unwrap_or(decoded)
}

/// Whether a stored text is UTF-8 kept as latin1.
#[must_use]
pub fn is_double_encoded(stored: &str) -> bool {
    mend_latin1(stored).is_some() || mend_latin1(&decode_entities(stored)).is_some()
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
