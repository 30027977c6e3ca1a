//! Owns: turning rows into multi-row INSERTs, and days before or after today into dates.

use std::fmt::Write as _;

use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

/// A statement is closed when it has grown to this.
const STATEMENT_BYTES: usize = 512 * 1024;
/// The calendar's first and last day, counted from today.
const DAY_MIN: i32 = -5_000;
const DAY_MAX: i32 = 1_500;

/// The platform's server runs on Argentine time, which has no summer time.
const PLATFORM_OFFSET: Offset = Offset::constant(-3);

/// The dates around today, as text.
pub(super) struct Calendar {
    dates: Vec<String>,
}

impl Calendar {
    pub(super) fn new(now: Timestamp) -> anyhow::Result<Self> {
        let today = PLATFORM_OFFSET.to_datetime(now).date();
        let date = |day: i32| Ok(today.checked_add(day.days())?.to_string());
        Ok(Self { dates: (DAY_MIN..=DAY_MAX).map(date).collect::<anyhow::Result<_>>()? })
    }

    /// The date `day` days from today; outside of the calendar, its nearest end.
    pub(super) fn date(&self, day: i32) -> &str {
        &self.dates[day.clamp(DAY_MIN, DAY_MAX).abs_diff(DAY_MIN) as usize]
    }

    /// Replaces `'@-12` by `'` and the date 12 days ago, wherever a text of the statement starts so.
    pub(super) fn resolve(&self, sql: &str) -> String {
        let mut parts = sql.split("'@");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|letter: char| letter != '-' && !letter.is_ascii_digit()).unwrap_or(part.len());
            let (day, rest) = part.split_at(end);
            match day.parse() {
                Ok(day) => {
                    let _ = write!(out, "'{}{rest}", self.date(day));
                }
                Err(_) => {
                    let _ = write!(out, "'@{part}");
                }
            }
        }
        out
    }
}

/// One value of a row.
#[derive(Clone, Copy)]
pub(super) enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    /// Hundredths.
    Money(i64),
    /// Days from today.
    Day(i32),
    /// Days from today, and the second of that day.
    Moment(i32, u32),
    /// The platform's "no date".
    ZeroDate,
}

impl From<u32> for Cell<'_> {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

/// The rows of one table, on their way into statements. Every row must name the same columns.
pub(super) struct Insert<'a> {
    calendar: &'a Calendar,
    table: &'static str,
    columns: Vec<&'static str>,
    text: String,
    finished: Vec<String>,
}

impl<'a> Insert<'a> {
    pub(super) fn new(calendar: &'a Calendar, table: &'static str) -> Self {
        Self { calendar, table, columns: Vec::new(), text: String::new(), finished: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: &[(&'static str, Cell<'_>)]) {
        if self.columns.is_empty() {
            self.columns = cells.iter().map(|(column, _)| *column).collect();
        }
        debug_assert!(self.columns.iter().eq(cells.iter().map(|(column, _)| column)), "columns of {}", self.table);
        if self.text.is_empty() {
            let _ = write!(self.text, "INSERT INTO `{}` (`{}`) VALUES\n(", self.table, self.columns.join("`,`"));
        } else {
            self.text.push_str(",\n(");
        }
        for (at, (_, cell)) in cells.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.cell(*cell);
        }
        self.text.push(')');
        if self.text.len() >= STATEMENT_BYTES {
            self.finished.push(std::mem::take(&mut self.text));
        }
    }

    /// The statements.
    pub(super) fn finish(mut self) -> Vec<String> {
        if !self.text.is_empty() {
            self.finished.push(self.text);
        }
        self.finished
    }

    fn cell(&mut self, cell: Cell<'_>) {
        let out = &mut self.text;
        let _ = match cell {
            Cell::Null => write!(out, "NULL"),
            Cell::Int(value) => write!(out, "{value}"),
            Cell::Text(text) => {
                quote(out, text);
                Ok(())
            }
            Cell::Money(cents) => {
                let sign = if cents < 0 { "-" } else { "" };
                write!(out, "{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
            }
            Cell::Day(day) => write!(out, "'{}'", self.calendar.date(day)),
            Cell::Moment(day, second) => write!(
                out,
                "'{} {:02}:{:02}:{:02}'",
                self.calendar.date(day),
                second / 3600 % 24,
                second / 60 % 60,
                second % 60
            ),
            Cell::ZeroDate => write!(out, "0"),
        };
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('\'');
    for letter in text.chars() {
        if matches!(letter, '\'' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('\'');
}

/// As the platform stores what was typed into a form: PHP's `htmlspecialchars` with both quotes.
pub(super) fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#039;"),
            other => out.push(other),
        }
    }
    out
}
