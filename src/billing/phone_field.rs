//! Owns: the clients' custom field that may hold a WhatsApp number, and its values beside the phone column.
//! Platform: custom fields of type `client` have `relid` 0; a value's `relid` is the client. Contacts have no such fields.

use jiff::Timestamp;
use mysql_async::Conn;

use super::pool::{Billing, BillingError};
use super::row::{id, text};
use crate::sql::Reader;

/// The name of the column that [`column`] adds.
pub(super) const NAME: &str = "phone_field";

impl Billing {
    /// The field of that name, if the platform has one. Its name may be written `key|Shown name`; a field of type `password` is never
    /// read.
    pub(super) async fn find_phone_field(
        &self,
        connection: &mut Conn,
        name: &str,
    ) -> Result<Option<u64>, BillingError> {
        if name.is_empty() {
            return Ok(None);
        }
        let sql =
            "SELECT id, fieldname FROM tblcustomfields WHERE type = 'client' AND fieldtype <> 'password' ORDER BY id";
        for row in &self.rows(connection, sql.to_owned()).await? {
            let reader = Reader::new("tblcustomfields", row, "");
            let stored = text(&reader, "fieldname")?;
            if is_named(&stored, name) {
                return Ok(Some(id(&reader, "id")?));
            }
        }
        tracing::warn!(
            field = name,
            "the platform has no such field of clients (alerts.phone_field): the phone column is read"
        );
        Ok(None)
    }

    /// Whether the platform has the field that the configuration names.
    ///
    /// # Errors
    /// The database.
    pub async fn has_phone_field(&self, now: Timestamp) -> Result<bool, BillingError> {
        Ok(self.remembered(now).await?.phone_field.is_some())
    }

    /// What to add to a list of columns: the field's value of the client whose id is `client`, a column; or nothing.
    pub(super) fn phone_field_column(&self, client: &str) -> String {
        let field = self.remembered.load().as_ref().and_then(|known| known.phone_field);
        let value = field.map(|field| {
            format!(
                "(SELECT v.value FROM tblcustomfieldsvalues v WHERE v.fieldid = {field} AND v.relid = {client} \
                 ORDER BY v.id DESC LIMIT 1)"
            )
        });
        format!("COALESCE({}, '') AS {NAME}", value.as_deref().unwrap_or("NULL"))
    }
}

fn is_named(stored: &str, name: &str) -> bool {
    let same = |one: &str| one.trim().eq_ignore_ascii_case(name.trim());
    same(stored) || stored.split('|').any(same)
}
