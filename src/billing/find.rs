//! Owns: finding a client by what people know of him: number, address, name, phone.

use super::pool::{Billing, BillingError};
use super::row::{id, literal, text};
use crate::domain::ids::ClientId;
use crate::sql::Reader;

/// Clients that a search by name or phone looks through at most, from the newest on: the platform has no index for either.
const SCAN_MAX: u64 = 100_000;
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

impl Billing {
    /// Clients that `words` may mean, at most `limit`.
    ///
    /// # Errors
    /// The database.
    pub async fn find_clients(&self, words: &str, limit: usize) -> Result<Vec<Candidate>, BillingError> {
        let condition = condition(words.trim());
        let sql = format!(
            "SELECT id, firstname, lastname, companyname, email FROM tblclients WHERE {condition} ORDER BY id DESC LIMIT {limit}"
        );
        let mut connection = self.database.connection().await?;
        let mut found = Vec::new();
        for row in &self.rows_of_text(&mut connection, sql).await? {
            let key = id(&Reader::new("tblclients", row, ""), "id")?;
            let reader = Reader::new("tblclients", row, key.to_string());
            let name = format!("{} {}", text(&reader, "firstname")?, text(&reader, "lastname")?);
            found.push(Candidate {
                id: ClientId(key),
                name: name.trim().to_owned(),
                company: text(&reader, "companyname")?,
                email: text(&reader, "email")?,
            });
        }
        Ok(found)
    }
}

fn condition(words: &str) -> String {
    if let Ok(number) = words.parse::<u64>()
        && words.len() < PHONE_DIGITS
    {
        return format!("id = {number}");
    }
    if words.contains('@') {
        return format!("email = {}", literal(words));
    }
    let newest = format!("id > (SELECT MAX(id) FROM tblclients) - {SCAN_MAX}");
    let digits: String = words.chars().filter(char::is_ascii_digit).collect();
    if digits.len() >= PHONE_DIGITS && !words.chars().any(char::is_alphabetic) {
        return format!("{newest} AND phonenumber LIKE '%{}'", &digits[digits.len() - PHONE_DIGITS..]);
    }
    // The platform stores texts HTML-encoded; each word may be in either name, or in the company's.
    let each = words.split_whitespace().take(4).map(|word| {
        let like = literal(&format!("%{}%", escaped(word)));
        // Whatever the platform's character set is: one of three bytes a character cannot be compared with an emoji.
        format!("CONVERT(CONCAT_WS(' ', firstname, lastname, companyname) USING utf8mb4) COLLATE utf8mb4_unicode_ci LIKE {like}")
    });
    let all: Vec<String> = each.collect();
    if all.is_empty() { "FALSE".to_owned() } else { format!("{newest} AND {}", all.join(" AND ")) }
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
        assert_eq!(condition("7"), "id = 7");
        assert!(condition("ana@example.com").starts_with("email = _utf8mb4 X'"));
        assert!(condition("+54 9 11 5555-0101").ends_with("phonenumber LIKE '%55550101'"));
        assert_eq!(condition("ana gómez").matches("LIKE").count(), 2);
        assert_eq!(condition("  "), "FALSE");
        assert_eq!(escaped("O'Brien_100%"), "O&#039;Brien\\_100\\%");
    }
}
