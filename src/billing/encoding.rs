//! Owns: finding rows whose text is UTF-8 that was kept as latin1 (`MarÃ­a`). Such texts are mended where they are read; the rows stay
//! as they are for everybody else, so an administrator should know of them.

use super::pool::{Billing, BillingError};
use super::row::id;
use crate::domain::text::is_double_encoded;
use crate::sql::Reader;

/// Newest rows of a table that are looked at.
const ROWS_MAX: u32 = 5_000;
/// Places that are named.
pub const NAMED_MAX: usize = 20;

/// What people wrote and clients are shown.
const TEXTS: [(&str, &[&str]); 9] = [
    ("tblclients", &["firstname", "lastname", "companyname"]),
    ("tblcontacts", &["firstname", "lastname", "companyname"]),
    ("tblusers", &["first_name", "last_name"]),
    ("tblproducts", &["name"]),
    ("tblproductgroups", &["name"]),
    ("tblhostingaddons", &["name"]),
    ("tblinvoiceitems", &["description"]),
    ("tblquotes", &["subject"]),
    ("tbltickets", &["title"]),
];

/// Rows whose text is encoded twice. No text of theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubled {
    /// `table.column of row id`, the newest rows of each table first, [`NAMED_MAX`] at most.
    pub places: Vec<String>,
    /// How many there are among the newest rows.
    pub count: usize,
}

impl Billing {
    /// Looks for rows of which a text is encoded twice, among the newest of each table.
    ///
    /// # Errors
    /// The database.
    pub async fn double_encoded(&self) -> Result<Doubled, BillingError> {
        let mut connection = self.database.connection().await?;
        let mut found = Doubled::default();
        for (table, columns) in TEXTS {
            let list = columns.join(", ");
            // Only what is not plain ASCII leaves the server: in every character set such a text is longer in UTF-8.
            let wide = columns
                .iter()
                .map(|c| format!("LENGTH(CONVERT({c} USING utf8mb4)) <> CHAR_LENGTH({c}) OR {c} LIKE '%&%'"));
            let sql = format!(
                "SELECT id, {list} FROM (SELECT id, {list} FROM {table} ORDER BY id DESC LIMIT {ROWS_MAX}) AS newest WHERE {}",
                wide.collect::<Vec<_>>().join(" OR ")
            );
            for row in &self.rows(&mut connection, sql).await? {
                let reader = Reader::new(table, row, "");
                let key = id(&reader, "id")?;
                for column in columns {
                    let stored = reader.get::<Option<String>>(column).ok().flatten().unwrap_or_default();
                    if is_double_encoded(&stored) {
                        found.count += 1;
                        if found.places.len() < NAMED_MAX {
                            found.places.push(format!("{table}.{column} of row {key}"));
                        }
                    }
                }
            }
        }
        Ok(found)
    }
}
