//! Owns: lists along an index, newest first, page by page. Where filters must be checked row by row, the walk goes step by
//! step until it has a page or its time is up, and says how far it came: however rarely something is found, no search holds a
//! page or the database for long.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Row, Value};

use super::pool::bounded;
use super::row::{Reader, at};
use super::{Store, StoreError};

/// Rows of a step: so few that one is short, wherever they lie.
const STEP: u64 = 500;
/// A walk that somebody waits for begins no step later than this.
pub(super) const TIME_MAX: Duration = Duration::from_millis(40);

/// A place in a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: Timestamp,
    /// The last row's id; empty: everything of that moment was seen.
    pub id: String,
}

impl Place {
    /// Reads what [`std::fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ms, id) = text.split_once('-')?;
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        // A year that a DATETIME holds.
        let ms = ms.parse::<i64>().ok().filter(|ms| (0..253_402_300_800_000).contains(ms))?;
        let at = Timestamp::from_millisecond(ms).ok()?;
        (id.len() <= 64 && id.chars().all(good)).then(|| Self { at, id: id.to_owned() })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.at.as_millisecond(), self.id)
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Found<T> {
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Place>,
    /// The search gave up here, with less than a page: [`Found::next`] goes on.
    pub looked_until: Option<Timestamp>,
}

/// SQL with its values.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub sql: String,
    pub values: Vec<Value>,
}

impl Statement {
    pub(super) async fn rows(self, store: &Store) -> Result<Vec<Row>, StoreError> {
        bounded(async {
            let params = if self.values.is_empty() { Params::Empty } else { Params::Positional(self.values) };
            Ok(store.connection().await?.exec(self.sql, params).await?)
        })
        .await
    }
}

/// Conditions and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Where {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    pub(super) fn add(&mut self, part: &str, values: impl IntoIterator<Item = Value>) {
        self.parts.push(part.to_owned());
        self.values.extend(values);
    }

    /// From `since` on, before `until`.
    pub(super) fn span(&mut self, column: &str, since: Option<Timestamp>, until: Option<Timestamp>) {
        if let Some(since) = since {
            self.add(&format!("{column} >= ?"), [at(since)]);
        }
        if let Some(until) = until {
            self.add(&format!("{column} < ?"), [at(until)]);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn extend(&mut self, more: &Self) {
        self.parts.extend(more.parts.iter().cloned());
        self.values.extend(more.values.iter().cloned());
    }

    /// `select WHERE conditions rest`.
    pub(super) fn statement(&self, select: &str, rest: &str) -> Statement {
        let all = if self.parts.is_empty() { "TRUE".to_owned() } else { self.parts.join(" AND ") };
        Statement { sql: format!("{select} WHERE {all} {rest}"), values: self.values.clone() }
    }
}

/// A list that can be walked along an index: `SELECT columns FROM table FORCE INDEX (index) join WHERE … ORDER BY …`.
pub(super) struct Walk<T> {
    pub columns: &'static str,
    pub table: &'static str,
    pub index: &'static str,
    pub join: &'static str,
    /// What the index is in the order of: a time and an id, or an id that grows with the time.
    pub order: (Option<&'static str>, &'static str),
    /// Filters that the index serves.
    pub walked: Where,
    /// Filters that are checked row by row.
    pub looked: Where,
    /// A place's id as the table has it; of no id the smallest, which nothing is below.
    pub key: fn(&str) -> Value,
    /// The place of a row of `at`, or of `id` where there is no time: everything of it was seen.
    pub stop: fn(&Row) -> Result<Place, StoreError>,
    pub item: fn(&Row) -> Result<T, StoreError>,
    pub place: fn(&T) -> Place,
}

impl<T> Walk<T> {
    /// What is walked, behind `from`.
    fn behind(&self, from: Option<&Place>) -> Where {
        let mut all = self.walked.clone();
        match (from, self.order) {
            (None, _) => {}
            (Some(place), (Some(time), id)) => {
                all.add(&format!("{time} <= ?"), [at(place.at)]);
                all.add(&format!("({time} < ? OR {id} < ?)"), [at(place.at), (self.key)(&place.id)]);
            }
            (Some(place), (None, id)) => all.add(&format!("{id} < ?"), [(self.key)(&place.id)]),
        }
        all
    }

    fn order_by(&self) -> String {
        let time = self.order.0.map(|time| format!("{time} DESC, ")).unwrap_or_default();
        format!("ORDER BY {time}{} DESC", self.order.1)
    }

    /// Finds the row `rows` behind `from`; nothing if the index serves every filter, so that no row is read in vain.
    fn floor(&self, from: Option<&Place>, rows: u64) -> Option<Statement> {
        let what = match self.order {
            (Some(time), _) => format!("{time} AS at"),
            (None, id) => format!("{id} AS id"),
        };
        let select = format!("SELECT {what} FROM {} FORCE INDEX ({})", self.table, self.index);
        let rest = format!("{} LIMIT 1 OFFSET {rows}", self.order_by());
        (!self.looked.is_empty()).then(|| self.behind(from).statement(&select, &rest))
    }

    /// The first `limit` of those that match, behind `from`, down to `stop`.
    fn page(&self, from: Option<&Place>, stop: Option<&Place>, limit: usize) -> Statement {
        let mut all = self.behind(from);
        match (stop, self.order) {
            (None, _) => {}
            (Some(stop), (Some(time), _)) => all.add(&format!("{time} >= ?"), [at(stop.at)]),
            (Some(stop), (None, id)) => all.add(&format!("{id} >= ?"), [(self.key)(&stop.id)]),
        }
        all.extend(&self.looked);
        let select = format!("SELECT {} FROM {} FORCE INDEX ({}) {}", self.columns, self.table, self.index, self.join);
        all.statement(&select, &format!("{} LIMIT {limit}", self.order_by()))
    }

    /// A page behind `from`, for somebody who waits for it: no step begins after `time`.
    ///
    /// # Errors
    /// The database, or a row that does not fit.
    pub(super) async fn found(
        &self,
        store: &Store,
        from: Option<&Place>,
        limit: usize,
        time: Duration,
    ) -> Result<Found<T>, StoreError> {
        self.steps(store, from, limit, Some(Instant::now() + time)).await
    }

    /// The newest behind `from`, however long that takes.
    ///
    /// # Errors
    /// The database, or a row that does not fit.
    pub(super) async fn newest(&self, store: &Store, from: Option<&Place>, limit: usize) -> Result<Vec<T>, StoreError> {
        Ok(self.steps(store, from, limit, None).await?.items)
    }

    async fn steps(
        &self,
        store: &Store,
        from: Option<&Place>,
        limit: usize,
        until: Option<Instant>,
    ) -> Result<Found<T>, StoreError> {
        let (mut items, mut from) = (Vec::new(), from.cloned());
        loop {
            let stop = match self.floor(from.as_ref(), STEP) {
                Some(floor) => floor.rows(store).await?.first().map(self.stop).transpose()?,
                None => None,
            };
            let rows = self.page(from.as_ref(), stop.as_ref(), limit + 1 - items.len()).rows(store).await?;
            for row in &rows {
                items.push((self.item)(row)?);
            }
            if items.len() > limit {
                items.truncate(limit);
                let next = items.last().map(self.place);
                return Ok(Found { items, next, looked_until: None });
            }
            if stop.is_none() || until.is_some_and(|until| Instant::now() >= until) {
                let looked_until = stop.as_ref().map(|stop| stop.at);
                return Ok(Found { items, next: stop, looked_until });
            }
            from = stop;
        }
    }
}

/// The moment `at` of a row: everything of it was seen.
pub(super) fn moment(row: &Row) -> Result<Place, StoreError> {
    Ok(Place { at: Reader::new("list", row, "").time("at")?, id: String::new() })
}
