//! Owns: what the sweep reads of the platform: few columns of many rows, by primary key only, in pages. The platform has no
//! index on `updated_at`, and does not always write it: states are compared, not times.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use mysql_async::Row;

use super::pool::{Billing, BillingError};
use super::row::{date, datetime, id, text};
use crate::domain::mirror::{Kind, STATE_CHARS_MAX, Seen};
use crate::domain::schedule::Anchor;
use crate::sql::{Inconsistent, Reader, list};

/// A watched row as it is.
#[derive(Clone, Debug)]
pub struct Watched {
    pub seen: Seen,
    /// The invoice that a payment is for.
    pub invoice: u64,
    /// Dates that steps are counted from, of a row that is still open.
    pub anchors: Vec<(Anchor, Date)>,
    born_utc: Option<DateTime>,
    born_local: Option<DateTime>,
}

impl Watched {
    /// When the row was made, if the platform wrote it down; `zone` is its server's. A day without a time is its end.
    #[must_use]
    pub fn born(&self, zone: &TimeZone) -> Option<Timestamp> {
        let moment = |time: DateTime, zone: &TimeZone| zone.to_ambiguous_timestamp(time).compatible().ok();
        match (self.born_utc, self.born_local) {
            (Some(utc), _) => moment(utc, &TimeZone::UTC),
            (None, Some(local)) => moment(local, zone),
            (None, None) => None,
        }
    }
}

/// Rows in the order of their ids.
#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<Watched>,
    /// Rows that are there and cannot be understood.
    pub unreadable: Vec<(u64, Inconsistent)>,
    /// The last id, none if there was no row.
    pub last: Option<u64>,
}

/// Table and columns: id, owner, state, name, invoice, `born_utc`, `born_local`, `first`, `second` (see [`anchors`]). A date becomes the last second of its day.
fn source(kind: Kind, is_payment: &str) -> (&'static str, String) {
    let (table, columns) = match kind {
        Kind::Client => (
            "tblclients",
            "id, id AS owner, 'here' AS state, '' AS name, 0 AS invoice, created_at AS born_utc, \
             CONCAT(datecreated, ' 23:59:59') AS born_local, \
             NULL AS first_day, NULL AS second_day",
        ),
        Kind::Invoice => (
            "tblinvoices",
            "id, userid AS owner, status AS state, '' AS name, id AS invoice, created_at AS born_utc, \
             CONCAT(date, ' 23:59:59') AS born_local, \
             duedate AS first_day, NULL AS second_day",
        ),
        Kind::Payment => (
            "tblaccounts",
            "id, userid AS owner, IF(amountin > 0 AND invoiceid > 0 AND PAYMENT, 'in', 'other') AS state, '' AS name, \
             invoiceid AS invoice, NULL AS born_utc, date AS born_local, \
             NULL AS first_day, NULL AS second_day",
        ),
        Kind::Service => (
            "tblhosting",
            "id, userid AS owner, domainstatus AS state, '' AS name, 0 AS invoice, created_at AS born_utc, \
             CONCAT(regdate, ' 23:59:59') AS born_local, \
             nextduedate AS first_day, NULL AS second_day",
        ),
        Kind::Quote => (
            "tblquotes",
            "id, userid AS owner, stage AS state, '' AS name, 0 AS invoice, NULL AS born_utc, \
             CONCAT(datecreated, ' 23:59:59') AS born_local, \
             datesent AS first_day, validuntil AS second_day",
        ),
        Kind::Domain => (
            "tbldomains",
            "id, userid AS owner, status AS state, domain AS name, 0 AS invoice, created_at AS born_utc, \
             CONCAT(registrationdate, ' 23:59:59') AS born_local, \
             expirydate AS first_day, NULL AS second_day",
        ),
        Kind::Ticket => (
            "tbltickets",
            "id, userid AS owner, status AS state, '' AS name, 0 AS invoice, NULL AS born_utc, date AS born_local, \
             DATE(lastreply) AS first_day, NULL AS second_day",
        ),
    };
    (table, columns.replace("PAYMENT", is_payment))
}

impl Billing {
    /// At most `limit` rows behind the id `after`.
    ///
    /// # Errors
    /// The database.
    pub async fn watched_after(
        &self,
        kind: Kind,
        after: u64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Page, BillingError> {
        self.watched(kind, &format!("id > {after} ORDER BY id LIMIT {limit}"), now).await
    }

    /// The rows out of `ids` that are there.
    ///
    /// # Errors
    /// The database.
    pub async fn watched_of(&self, kind: Kind, ids: &[u64], now: Timestamp) -> Result<Page, BillingError> {
        if ids.is_empty() {
            return Ok(Page::default());
        }
        self.watched(kind, &format!("id IN ({}) ORDER BY id", list(ids.iter().copied())), now).await
    }

    /// The newest rows of a client, at most `limit`.
    ///
    /// # Errors
    /// The database.
    pub async fn watched_of_owner(
        &self,
        kind: Kind,
        owner: u64,
        limit: usize,
        now: Timestamp,
    ) -> Result<Page, BillingError> {
        let column = if kind == Kind::Client { "id" } else { "userid" };
        self.watched(kind, &format!("{column} = {owner} ORDER BY id DESC LIMIT {limit}"), now).await
    }

    /// Which of `invoices` have a payment.
    ///
    /// # Errors
    /// The database.
    pub async fn with_payment(&self, invoices: &[u64], now: Timestamp) -> Result<Vec<u64>, BillingError> {
        if invoices.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT DISTINCT invoiceid FROM tblaccounts WHERE amountin > 0 AND {} AND invoiceid IN ({})",
            self.remembered(now).await?.is_payment,
            list(invoices.iter().copied())
        );
        let mut connection = self.database.connection().await?;
        let rows = self.rows(&mut connection, sql).await?;
        Ok(rows.iter().map(|row| id(&Reader::new("tblaccounts", row, ""), "invoiceid")).collect::<Result<_, _>>()?)
    }

    async fn watched(&self, kind: Kind, condition: &str, now: Timestamp) -> Result<Page, BillingError> {
        let (table, columns) = source(kind, self.remembered(now).await?.is_payment);
        let mut connection = self.database.connection().await?;
        let sql = format!("SELECT {columns} FROM {table} WHERE {condition}");
        let mut page = Page::default();
        for row in &self.rows(&mut connection, sql).await? {
            let key = id(&Reader::new(table, row, ""), "id")?;
            page.last = Some(key);
            match watched(kind, table, row, key) {
                Ok(one) => page.rows.push(one),
                Err(error) => page.unreadable.push((key, error)),
            }
        }
        Ok(page)
    }
}

fn watched(kind: Kind, table: &'static str, row: &Row, key: u64) -> Result<Watched, Inconsistent> {
    let reader = Reader::new(table, row, key.to_string());
    let owner = id(&reader, "owner")?;
    let state: String = text(&reader, "state")?.chars().take(STATE_CHARS_MAX).collect();
    Ok(Watched {
        seen: Seen {
            id: key,
            owner: (owner > 0).then_some(owner),
            state: if state.is_empty() { "?".to_owned() } else { state.clone() },
            name: text(&reader, "name")?,
        },
        invoice: id(&reader, "invoice")?,
        anchors: anchors(kind, &reader, &state),
        // Only to know what is old: a date that nobody can read must not hide a row.
        born_utc: datetime(&reader, "born_utc").unwrap_or(None),
        born_local: datetime(&reader, "born_local").unwrap_or(None),
    })
}

/// The dates of a row in such a `state` that steps are counted from. One that cannot be read is none: every step looks at the
/// row again, where it is reported.
fn anchors(kind: Kind, reader: &Reader<'_>, state: &str) -> Vec<(Anchor, Date)> {
    let of: &[(Anchor, &'static str)] = match (kind, state) {
        (Kind::Invoice, "Unpaid") => &[(Anchor::InvoiceDue, "first_day")],
        (Kind::Service, "Active" | "Suspended") => &[(Anchor::ServiceNextDue, "first_day")],
        (Kind::Domain, "Active" | "Grace" | "Redemption" | "Expired") => &[(Anchor::DomainExpires, "first_day")],
        (Kind::Ticket, "Answered") => &[(Anchor::TicketAnswered, "first_day")],
        (Kind::Quote, "Delivered") => &[(Anchor::QuoteSent, "first_day"), (Anchor::QuoteValidUntil, "second_day")],
        _ => &[],
    };
    of.iter().filter_map(|(anchor, column)| Some((*anchor, date(reader, column).ok()??))).collect()
}
