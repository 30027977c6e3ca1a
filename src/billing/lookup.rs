//! Owns: finding the platform's rows by what people call them: an invoice's number, a domain, a ticket's number; and calling rows so.
//! Each is an index or a bounded walk; what a walk did not reach, it says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use mysql_async::{Conn, Row};

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{id, literal, text};
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::sql::{Reader, list};

/// Invoices of one step of a walk: the platform has no index of their numbers.
const PAGE_ROWS: u64 = 20_000;
/// Quotes that are looked through for words of their subject.
const QUOTES_MAX: u64 = 5_000;

/// A row, and what people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    pub subject: Subject,
    /// Its number, domain or subject; empty where it has none.
    pub name: String,
    pub client: u64,
}

/// Which rows to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// An id of any kind of row.
    pub id: Option<u64>,
    /// A word: a number of an invoice or a ticket, a domain, the beginning of one.
    pub word: Option<String>,
    /// Kinds to look for; empty: all.
    pub kinds: BTreeSet<SubjectKind>,
}

/// What was found of the platform's rows.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    pub rows: Vec<Called>,
    /// Invoices with a smaller id were not looked at.
    pub rest: Option<u64>,
}

impl Billing {
    /// Rows by id or by what they are called, each kind up to `limit`; invoices by number for `time`, those below `before`.
    ///
    /// # Errors
    /// The database.
    pub async fn find_rows(
        &self,
        wanted: &Wanted,
        before: Option<u64>,
        time: Duration,
        limit: usize,
    ) -> Result<Rows, BillingError> {
        let mut connection = self.database.connection().await?;
        let mut found = Rows::default();
        for (kind, sql) in reads(wanted, limit) {
            let rows = self.rows_of_text(&mut connection, sql).await?;
            found.rows.extend(rows.iter().filter_map(|row| called(kind, row).ok()));
        }
        let by_number = wanted.word.as_deref().filter(|word| word.chars().any(|c| c.is_ascii_digit()));
        if let Some(number) = by_number.filter(|_| wants(wanted, SubjectKind::Invoice)) {
            found.rest = self.by_number(&mut connection, number, before, time, &mut found.rows, limit).await?;
        }
        let mut seen = BTreeSet::new();
        found.rows.retain(|row| seen.insert(row.subject));
        Ok(found)
    }

    /// Invoices whose number ends in `number`, the newest first. Returns from where on it was not looked.
    async fn by_number(
        &self,
        connection: &mut Conn,
        number: &str,
        before: Option<u64>,
        time: Duration,
        rows: &mut Vec<Called>,
        limit: usize,
    ) -> Result<Option<u64>, BillingError> {
        let started = Instant::now();
        let newest = self.rows(connection, "SELECT COALESCE(MAX(id), 0) AS id FROM tblinvoices".to_owned()).await?;
        let newest = newest.first().map_or(Ok(0), |row| id(&Reader::new("tblinvoices", row, ""), "id"))?;
        let like = literal(&format!("%{}", number.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
        let mut from = before.unwrap_or(newest + 1).min(newest + 1);
        let mut found = 0;
        while from > 1 && found < limit {
            let last = from.saturating_sub(PAGE_ROWS).max(1);
            let sql = format!(
                "SELECT id, userid, invoicenum AS name FROM tblinvoices WHERE id >= {last} AND id < {from} \
                 AND invoicenum LIKE {like} ORDER BY id DESC LIMIT {limit}"
            );
            let page = self.rows_of_text(connection, sql).await?;
            found += page.len();
            rows.extend(page.iter().filter_map(|row| called(SubjectKind::Invoice, row).ok()));
            from = last;
            if started.elapsed() > time {
                break;
            }
        }
        Ok((from > 1 && found < limit).then_some(from))
    }

    /// What the rows of `subjects` are called, one read of each kind. Those that are deleted, or have no name, are left out.
    ///
    /// # Errors
    /// The database.
    pub async fn call(&self, subjects: &BTreeSet<Subject>) -> Result<BTreeMap<Subject, Called>, BillingError> {
        let mut all = BTreeMap::new();
        if subjects.is_empty() {
            return Ok(all);
        }
        let mut connection = self.database.connection().await?;
        for kind in SubjectKind::ALL.iter().copied() {
            let ids: Vec<u64> = subjects.iter().filter(|one| one.kind == kind).map(|one| one.id).collect();
            let Some((columns, table)) = table(kind).filter(|_| !ids.is_empty()) else { continue };
            let rows = self
                .rows(&mut connection, format!("SELECT {columns} FROM {table} WHERE id IN ({})", list(ids)))
                .await?;
            all.extend(rows.iter().filter_map(|row| called(kind, row).ok()).map(|one| (one.subject, one)));
        }
        Ok(all)
    }
}

/// Columns and table of a kind: its id, its client as `userid`, what it is called as `name`.
fn table(kind: SubjectKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        SubjectKind::Client => ("id, id AS userid, CONCAT_WS(' ', firstname, lastname) AS name", "tblclients"),
        SubjectKind::Contact => ("id, userid, CONCAT_WS(' ', firstname, lastname) AS name", "tblcontacts"),
        SubjectKind::Invoice => ("id, userid, invoicenum AS name", "tblinvoices"),
        SubjectKind::Service | SubjectKind::Cancellation => ("id, userid, domain AS name", "tblhosting"),
        SubjectKind::Domain => ("id, userid, domain AS name", "tbldomains"),
        SubjectKind::Quote => ("id, userid, subject AS name", "tblquotes"),
        SubjectKind::Ticket => ("id, userid, tid AS name", "tbltickets"),
        SubjectKind::User => return None,
    })
}

fn wants(wanted: &Wanted, kind: SubjectKind) -> bool {
    wanted.kinds.is_empty() || wanted.kinds.contains(&kind)
}

/// Reads by an index.
fn reads(wanted: &Wanted, limit: usize) -> Vec<(SubjectKind, String)> {
    let mut all = Vec::new();
    let mut add = |kind: SubjectKind, condition: String| {
        if let Some((columns, table)) = table(kind).filter(|_| wants(wanted, kind)) {
            all.push((kind, format!("SELECT {columns} FROM {table} WHERE {condition} ORDER BY id DESC LIMIT {limit}")));
        }
    };
    if let Some(id) = wanted.id {
        for kind in [SubjectKind::Invoice, SubjectKind::Service, SubjectKind::Domain, SubjectKind::Quote] {
            add(kind, format!("id = {id}"));
        }
    }
    if let Some(word) = &wanted.word {
        let begins = literal(&format!("{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
        if word.chars().count() >= 3 && word.chars().any(char::is_alphabetic) {
            add(SubjectKind::Domain, format!("domain LIKE {begins}"));
            add(SubjectKind::Service, format!("domain LIKE {begins}"));
        }
        add(SubjectKind::Ticket, format!("tid = {}", literal(word)));
        if word.chars().any(char::is_alphabetic) {
            let holds = literal(&format!("%{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
            let newest = format!("(SELECT COALESCE(MAX(id), 0) FROM tblquotes) - {QUOTES_MAX}");
            add(SubjectKind::Quote, format!("id > CAST({newest} AS SIGNED) AND subject LIKE {holds}"));
        }
    }
    all
}

fn called(kind: SubjectKind, row: &Row) -> Read<Called> {
    let key = id(&Reader::new("rows", row, ""), "id")?;
    let reader = Reader::new("rows", row, format!("{kind}:{key}"));
    Ok(Called {
        subject: Subject { kind, id: key },
        name: text(&reader, "name")?,
        client: id(&reader, "userid").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_looked_for_by_an_index_and_only_where_it_is_wanted() {
        let kinds = |wanted: &Wanted| reads(wanted, 6).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
        let id = Wanted { id: Some(7), word: Some("7".to_owned()), kinds: BTreeSet::new() };
        let (invoice, service, domain) = (SubjectKind::Invoice, SubjectKind::Service, SubjectKind::Domain);
        assert_eq!(kinds(&id), [invoice, service, domain, SubjectKind::Quote, SubjectKind::Ticket]);
        let word = Wanted { id: None, word: Some("nube".to_owned()), kinds: [domain].into() };
        assert_eq!(kinds(&word), [domain]);
        let odd = Wanted { id: None, word: Some("a%_'".to_owned()), kinds: [domain].into() };
        assert!(reads(&odd, 6)[0].1.contains("_utf8mb4 X'615C255C5F2725'"), "{:?}", reads(&odd, 6));
    }
}
