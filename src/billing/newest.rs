//! Owns: the newest row of each kind, for trying a text with something real.

use super::pool::{Billing, BillingError};
use super::row::id;
use crate::domain::hookpoint::SubjectKind;
use crate::sql::Reader;

impl Billing {
    /// The id of the newest subject of `kind`, of `client` alone if one is given. `None`: there is none.
    ///
    /// # Errors
    /// The database.
    pub async fn newest(&self, kind: SubjectKind, client: Option<u64>) -> Result<Option<u64>, BillingError> {
        let mut connection = self.database.connection().await?;
        let rows = self.rows(&mut connection, sql(kind, client)).await?;
        rows.first().map(|row| Ok(id(&Reader::new("newest", row, ""), "id")?)).transpose()
    }
}

/// Of the newest rows of a table whose owner has no index, this many are looked at.
const LOOKED_AT: u32 = 2_000;

/// By primary key backwards, or by the owner's index.
fn sql(kind: SubjectKind, client: Option<u64>) -> String {
    let of = |table: &str, owner: &str| {
        let owner = client.map_or_else(String::new, |client| format!(" WHERE {owner} = {client}"));
        format!("SELECT id FROM {table}{owner} ORDER BY id DESC LIMIT 1")
    };
    match kind {
        SubjectKind::Client => of("tblclients", "id"),
        SubjectKind::Contact => of("tblcontacts", "userid"),
        SubjectKind::Invoice => of("tblinvoices", "userid"),
        SubjectKind::Service => of("tblhosting", "userid"),
        SubjectKind::Domain => of("tbldomains", "userid"),
        SubjectKind::Ticket => of("tbltickets", "userid"),
        // An owner's own logins are few; the newest of all may stand behind many logins that own nothing.
        SubjectKind::User => match client {
            Some(client) => format!(
                "SELECT auth_user_id AS id FROM tblusers_clients WHERE owner = 1 AND client_id = {client} \
                 ORDER BY auth_user_id DESC LIMIT 1"
            ),
            None => format!(
                "SELECT id FROM (SELECT auth_user_id AS id, owner FROM tblusers_clients ORDER BY auth_user_id DESC \
                 LIMIT {LOOKED_AT}) newest WHERE owner = 1 ORDER BY id DESC LIMIT 1"
            ),
        },
        // The platform has no index of a quote's client. Prospects' quotes belong to no client: there is no recipient.
        SubjectKind::Quote => {
            let owner = client.map_or_else(|| "userid > 0".to_owned(), |client| format!("userid = {client}"));
            format!(
                "SELECT id FROM (SELECT id, userid FROM tblquotes ORDER BY id DESC LIMIT {LOOKED_AT}) newest \
                 WHERE {owner} ORDER BY id DESC LIMIT 1"
            )
        }
        SubjectKind::Cancellation => {
            let owner = client.map_or_else(String::new, |client| format!(" WHERE h.userid = {client}"));
            format!(
                "SELECT r.relid AS id FROM tblcancelrequests r JOIN tblhosting h ON h.id = r.relid{owner} \
                 ORDER BY r.id DESC LIMIT 1"
            )
        }
    }
}
