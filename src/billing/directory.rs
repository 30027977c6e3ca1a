//! Owns: reading who there is: clients and their contacts as far as people know them, page by page along the primary key, newest first.

use std::collections::{BTreeMap, BTreeSet};

use mysql_async::{Conn, Row};

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{id, text};
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::sql::{Reader, list};

/// Rows of one read.
const PAGE_ROWS: usize = 10_000;

/// The tables of people: whose row it is, and which contact.
const CLIENTS: (&str, &str) = ("tblclients", "id, id AS client, NULL AS contact");
const CONTACTS: (&str, &str) = ("tblcontacts", "id, userid AS client, id AS contact");

/// Somebody, as people know them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    pub client: u64,
    /// A contact of that client.
    pub contact: Option<u64>,
    pub name: String,
    pub company: String,
    pub email: String,
    /// As it is written there.
    pub phone: String,
}

/// All that were read.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    pub people: Vec<Person>,
    /// False: there are more, older ones.
    pub is_whole: bool,
}

impl Billing {
    /// Everybody, the newest clients first, then contacts; at most `rows_max` of each. A row that cannot be understood is left out.
    ///
    /// # Errors
    /// The database.
    pub async fn directory(&self, rows_max: usize) -> Result<Directory, BillingError> {
        let mut connection = self.database.connection().await?;
        let mut all = Directory { people: Vec::new(), is_whole: true };
        for (table, columns) in [CLIENTS, CONTACTS] {
            all.is_whole &= self.pages(&mut connection, (table, columns), rows_max, &mut all.people).await?;
        }
        Ok(all)
    }

    /// Whether a table was read to its end.
    async fn pages(
        &self,
        connection: &mut Conn,
        (table, columns): (&'static str, &str),
        rows_max: usize,
        people: &mut Vec<Person>,
    ) -> Result<bool, BillingError> {
        let (mut before, mut read) = (u64::MAX, 0);
        while read < rows_max {
            let sql = format!(
                "SELECT {columns}, firstname, lastname, companyname, email, phonenumber FROM {table} WHERE id < {before} \
                 ORDER BY id DESC LIMIT {PAGE_ROWS}"
            );
            let rows = self.rows(connection, sql).await?;
            people.extend(rows.iter().filter_map(|row| person(table, row).ok()));
            read += rows.len();
            let Some(last) = rows.last().filter(|_| rows.len() == PAGE_ROWS) else { return Ok(true) };
            before = id(&Reader::new(table, last, ""), "id")?;
        }
        Ok(false)
    }
}

impl Billing {
    /// Clients and contacts by id, as the rows are now.
    ///
    /// # Errors
    /// The database.
    pub async fn cards(&self, subjects: &BTreeSet<Subject>) -> Result<BTreeMap<Subject, Person>, BillingError> {
        let mut all = BTreeMap::new();
        let mut connection = self.database.connection().await?;
        for (kind, table, columns) in
            [(SubjectKind::Client, CLIENTS.0, CLIENTS.1), (SubjectKind::Contact, CONTACTS.0, CONTACTS.1)]
        {
            let ids: Vec<u64> = subjects.iter().filter(|one| one.kind == kind).map(|one| one.id).collect();
            if ids.is_empty() {
                continue;
            }
            let sql = format!(
                "SELECT {columns}, firstname, lastname, companyname, email, phonenumber FROM {table} WHERE id IN ({})",
                list(ids)
            );
            for row in &self.rows(&mut connection, sql).await? {
                if let Ok(one) = person(table, row) {
                    let id = one.contact.unwrap_or(one.client);
                    all.insert(Subject { kind, id }, one);
                }
            }
        }
        Ok(all)
    }
}

fn person(table: &'static str, row: &Row) -> Read<Person> {
    let key = id(&Reader::new(table, row, ""), "id")?;
    let reader = Reader::new(table, row, key.to_string());
    let name = format!("{} {}", text(&reader, "firstname")?, text(&reader, "lastname")?);
    Ok(Person {
        client: id(&reader, "client")?,
        contact: reader.get::<Option<i64>>("contact")?.and_then(|id| u64::try_from(id).ok()),
        name: name.trim().to_owned(),
        company: text(&reader, "companyname")?,
        email: text(&reader, "email")?,
        phone: reader.get::<Option<String>>("phonenumber")?.unwrap_or_default(),
    })
}
