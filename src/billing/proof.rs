//! Owns: proving that our account at the platform can only read, and cannot read secrets. Asks the server what the
//! account may do; nothing is tried that could change a row.

use super::grants::READABLE;
use super::pool::{Billing, BillingError};
use crate::sql::Reader;

/// Rights that only read.
const HARMLESS: [&str; 3] = ["SELECT", "USAGE", "SHOW VIEW"];
/// Columns that must be out of reach.
pub const SECRET_COLUMNS: [(&str, &str); 6] = [
    ("tblclients", "password"),
    ("tblusers", "password"),
    ("tblusers", "second_factor_config"),
    ("tblhosting", "password"),
    ("tblservers", "password"),
    ("tblpaymentgateways", "value"),
];

impl Billing {
    /// What the account may do beyond reading, in words; empty is good.
    ///
    /// # Errors
    /// The database.
    pub async fn proof_of_read_only(&self) -> Result<Vec<String>, BillingError> {
        let mut connection = self.database.connection().await?;
        let mut problems = Vec::new();
        for row in &self.rows(&mut connection, "SHOW GRANTS FOR CURRENT_USER()".to_owned()).await? {
            let Some(Ok(grant)) = row.get_opt::<String, _>(0) else { continue };
            problems.extend(beyond_reading(&grant));
        }
        Ok(problems)
    }

    /// Secret columns that the account can read; empty is good.
    ///
    /// # Errors
    /// The database.
    pub async fn readable_secrets(&self) -> Result<Vec<String>, BillingError> {
        let mut connection = self.database.connection().await?;
        let mut readable = Vec::new();
        for (table, column) in SECRET_COLUMNS {
            // Zero rows: only whether the server would let us.
            let sql = format!("SELECT {column} FROM {table} LIMIT 0");
            if self.rows(&mut connection, sql).await.is_ok() {
                readable.push(format!("{table}.{column}"));
            }
        }
        Ok(readable)
    }

    /// Columns that the bridge reads and the account cannot; empty is good.
    ///
    /// # Errors
    /// The database.
    pub async fn unreadable(&self) -> Result<Vec<String>, BillingError> {
        let mut connection = self.database.connection().await?;
        let sql = "SELECT table_name AS t, column_name AS c FROM information_schema.columns \
                   WHERE table_schema = DATABASE()";
        let rows = self.rows(&mut connection, sql.to_owned()).await?;
        let mut seen = std::collections::HashSet::new();
        for row in &rows {
            let reader = Reader::new("columns", row, "");
            seen.insert((reader.get::<String>("t")?, reader.get::<String>("c")?));
        }
        let wanted = READABLE.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (*table, *column)));
        Ok(wanted
            .filter(|(table, column)| !seen.contains(&((*table).to_owned(), (*column).to_owned())))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect())
    }
}

/// The rights of a `GRANT a, b (x, y), c ON …` that do more than read.
fn beyond_reading(grant: &str) -> Vec<String> {
    let Some(rest) = grant.strip_prefix("GRANT ") else { return Vec::new() };
    let Some(end) = rest.find(" ON ") else { return vec![rest.to_owned()] };
    let mut plain = String::new();
    let mut depth = 0;
    for c in rest[..end].chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let place = rest[end + 4..].split(" TO ").next().unwrap_or_default();
    plain
        .split(',')
        .map(|right| right.trim().to_uppercase())
        .filter(|right| !right.is_empty() && !HARMLESS.contains(&right.as_str()))
        .map(|right| format!("{right} on {place}"))
        .collect()
}
