//! Owns: finding a client by what people know: number, address, name, phone.

use std::time::{Duration, Instant};

use mysql_async::{Conn, Row};

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{id, literal, text};
use crate::domain::ids::ClientId;
use crate::sql::Reader;

/// Clients of one read: a search by name or phone looks at each row, since the platform has no index for either.
const PAGE_ROWS: usize = 10_000;
/// Digits at the end of a phone that are compared: calling codes and area codes are written in many ways.
const PHONE_DIGITS: usize = 8;

/// A client, as far as it takes to choose the right one.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: ClientId,
    pub name: String,
    pub company: String,
    pub email: String,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub clients: Vec<Candidate>,
    /// Clients with a smaller number than this were not looked at: the search can go on from there.
    pub rest: Option<u64>,
}

/// Where words are looked for.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// By an index.
    Indexed(String),
    /// Row by row, from the newest on.
    Each(String),
    Nothing,
}

impl Billing {
    /// One client by number.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn find_client(&self, id: u64) -> Result<Option<Candidate>, BillingError> {
        let mut connection = self.database.connection().await?;
        Ok(self.candidates(&mut connection, &format!("id = {id}"), 1).await?.pop())
    }

    /// Clients that `words` may mean, the newest first, at most about `limit`; those with a number below `before` if that is
    /// given. It looks at no further page of clients after `time`. A row that cannot be understood is left out.
    ///
    /// # Errors
    /// The database.
    pub async fn find_clients(
        &self,
        words: &str,
        before: Option<u64>,
        limit: usize,
        time: Duration,
    ) -> Result<Found, BillingError> {
        let condition = match condition(words.trim()) {
            Condition::Nothing => return Ok(Found::default()),
            Condition::Indexed(sql) => {
                let mut connection = self.database.connection().await?;
                return Ok(Found { clients: self.candidates(&mut connection, &sql, limit).await?, rest: None });
            }
            Condition::Each(sql) => sql,
        };
        let mut connection = self.database.connection().await?;
        let started = Instant::now();
        let mut found = Found { clients: Vec::new(), rest: Some(before.unwrap_or(u64::MAX)) };
        while let Some(from) = found.rest.filter(|_| found.clients.len() < limit) {
            let sql = format!(
                "SELECT COUNT(*) AS n, COALESCE(MIN(id), 0) AS last FROM \
                 (SELECT id FROM tblclients WHERE id < {from} ORDER BY id DESC LIMIT {PAGE_ROWS}) newest"
            );
            let rows = self.rows(&mut connection, sql).await?;
            let Some(row) = rows.first() else { break };
            let reader = Reader::new("tblclients", row, "");
            let (count, last) = (id(&reader, "n")?, id(&reader, "last")?);
            if count > 0 {
                let these = format!("id < {from} AND id >= {last} AND {condition}");
                found.clients.extend(self.candidates(&mut connection, &these, limit).await?);
            }
            found.rest = (count == PAGE_ROWS as u64).then_some(last);
            // After a page, and not before: each search gets further than the one that it goes on from.
            if started.elapsed() > time {
                break;
            }
        }
        if found.clients.len() >= limit {
            found.clients.truncate(limit);
            found.rest = found.clients.last().map(|last| last.id.0);
        }
        Ok(found)
    }

    async fn candidates(
        &self,
        connection: &mut Conn,
        condition: &str,
        limit: usize,
    ) -> Result<Vec<Candidate>, BillingError> {
        let sql = format!(
            "SELECT id, firstname, lastname, companyname, email FROM tblclients WHERE {condition} ORDER BY id DESC LIMIT {limit}"
        );
        let rows = self.rows_of_text(connection, sql).await?;
        Ok(rows.iter().filter_map(|row| candidate(row).ok()).collect())
    }
}

fn candidate(row: &Row) -> Read<Candidate> {
    let key = id(&Reader::new("tblclients", row, ""), "id")?;
    let reader = Reader::new("tblclients", row, key.to_string());
    let name = format!("{} {}", text(&reader, "firstname")?, text(&reader, "lastname")?);
    Ok(Candidate {
        id: ClientId(key),
        name: name.trim().to_owned(),
        company: text(&reader, "companyname")?,
        email: text(&reader, "email")?,
    })
}

fn condition(words: &str) -> Condition {
    if let Ok(number) = words.parse::<u64>()
        && words.len() < PHONE_DIGITS
    {
        return Condition::Indexed(format!("id = {number}"));
    }
    if words.contains('@') {
        return Condition::Indexed(format!("email = {}", literal(words)));
    }
    let digits: String = words.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= PHONE_DIGITS && !words.chars().any(char::is_alphabetic) {
        return Condition::Each(format!("phonenumber LIKE '%{}'", &digits[digits.len() - PHONE_DIGITS..]));
    }
    // The platform stores texts HTML-encoded; each word may be in either name, or in the company's.
    let each = words.split_whitespace().take(4).map(|word| {
        let like = literal(&format!("%{}%", escaped(word)));
        // Whatever the platform's character set is: one of three bytes a character cannot be compared with an emoji.
        format!("CONVERT(CONCAT_WS(' ', firstname, lastname, companyname) USING utf8mb4) COLLATE utf8mb4_unicode_ci LIKE {like}")
    });
    let all: Vec<String> = each.collect();
    if all.is_empty() { Condition::Nothing } else { Condition::Each(all.join(" AND ")) }
}

/// A word as the platform stores it, with nothing in it that means something to LIKE.
fn escaped(word: &str) -> String {
    let stored = word.replace('&', "&amp;").replace('\'', "&#039;").replace('"', "&quot;").replace('<', "&lt;");
    stored.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_naming_a_client_is_looked_for_where_it_is() {
        let each = |words| match condition(words) {
            Condition::Each(sql) => sql,
            other => panic!("{other:?}"),
        };
        assert_eq!(condition("7"), Condition::Indexed("id = 7".to_owned()));
        assert!(
            matches!(condition("ana@example.com"), Condition::Indexed(sql) if sql.starts_with("email = _utf8mb4 X'"))
        );
        assert!(each("+54 9 11 5555-0101").ends_with("phonenumber LIKE '%55550101'"));
        assert_eq!(each("ana gómez").matches("LIKE").count(), 2);
        assert_eq!(condition("  "), Condition::Nothing);
        assert_eq!(escaped("O'Brien_100%"), "O&#039;Brien\\_100\\%");
    }
}
