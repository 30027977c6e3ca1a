//! Owns: the phone numbers of all clients, page by page, for the audit of who cannot be alerted.

use std::collections::BTreeSet;

use super::client::status;
use super::phone_field;
use super::pool::{Billing, BillingError};
use super::row::{id, text};
use crate::domain::ids::ClientId;
use crate::domain::locale::Locale;
use crate::domain::record::{ClientStatus, Contact};
use crate::sql::{Inconsistent, Reader};

/// A client as the audit sees it.
#[derive(Clone, Debug)]
pub struct StoredPhone {
    pub client: ClientId,
    /// As stored; `domain::phone` reads it.
    pub phone: String,
    /// The same, in the custom field; empty: there is none, or nothing in it.
    pub phone_field: String,
    pub country: String,
    pub status: ClientStatus,
    /// `None`: none was chosen, or one that we have no texts in.
    pub locale: Option<Locale>,
}

impl Billing {
    /// The next clients behind `after`, at most `limit`; each as read, or why it cannot be.
    ///
    /// # Errors
    /// The database.
    pub async fn phones(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Result<StoredPhone, Inconsistent>)>, BillingError> {
        let sql = format!(
            "SELECT id, phonenumber, country, status, language, {} FROM tblclients WHERE id > {after} ORDER BY id LIMIT {limit}",
            self.phone_field_column("tblclients.id")
        );
        let mut connection = self.database.connection().await?;
        let rows = self.rows(&mut connection, sql).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let key = id(&Reader::new("tblclients", row, ""), "id")?;
            found.push((key, stored(self, &Reader::new("tblclients", row, key.to_string()), key)));
        }
        Ok(found)
    }

    /// The contacts of `clients`.
    ///
    /// # Errors
    /// The database. A contact whose row cannot be understood is left out: nobody can choose it.
    pub async fn contacts_of(&self, clients: &BTreeSet<u64>) -> Result<Vec<Contact>, BillingError> {
        let mut connection = self.database.connection().await?;
        Ok(self.contacts(&mut connection, clients).await?.into_values().flatten().filter_map(Result::ok).collect())
    }
}

fn stored(billing: &Billing, reader: &Reader<'_>, key: u64) -> Result<StoredPhone, Inconsistent> {
    Ok(StoredPhone {
        client: ClientId(key),
        phone: text(reader, "phonenumber")?,
        phone_field: text(reader, phone_field::NAME)?,
        country: text(reader, "country")?,
        status: status(reader)?,
        locale: billing.locale(&text(reader, "language")?),
    })
}
