//! Owns: reading who else may look into an account, and their phones. Platform 8.0 and later: logins with rights;
//! `tblusers` has no phone, so a login is reached through an account of its own, if it owns one.

use std::collections::{BTreeSet, HashMap};

use mysql_async::{Conn, Error, Row};

use super::client::Read;
use super::phone_field;
use super::pool::{Billing, BillingError};
use super::row::{id, text};
use crate::domain::hookpoint::Right;
use crate::domain::ids::UserId;
use crate::domain::record::{Guest, Home};
use crate::sql::{Reader, list};

/// The server's word for a table that is not there. Platform: before 8.0 there are no logins.
const NO_SUCH_TABLE: u16 = 1146;

impl Billing {
    /// The guests of each of `clients`, in the order of their ids.
    pub(super) async fn guests(
        &self,
        connection: &mut Conn,
        clients: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Vec<Read<Guest>>>, BillingError> {
        if clients.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT uc.client_id, uc.auth_user_id, uc.permissions, u.first_name, u.language FROM tblusers_clients uc \
             JOIN tblusers u ON u.id = uc.auth_user_id WHERE uc.owner = 0 AND uc.client_id IN ({}) ORDER BY u.id",
            list(clients.iter().copied())
        );
        let rows = self.rows_of_logins(connection, sql).await?;
        let mut users = BTreeSet::new();
        for row in &rows {
            users.insert(id(&Reader::new("tblusers_clients", row, ""), "auth_user_id")?);
        }
        let homes = self.homes(connection, &users).await?;
        let mut found: HashMap<u64, Vec<Read<Guest>>> = HashMap::new();
        for row in &rows {
            let reader = Reader::new("tblusers_clients", row, "");
            let user = id(&reader, "auth_user_id")?;
            let reader = Reader::new("tblusers_clients", row, format!("of login {user}"));
            let client = id(&reader, "client_id")?;
            found.entry(client).or_default().push(guest(self, row, user, &homes));
        }
        Ok(found)
    }

    /// Of each login's own accounts the first one that is open and has a phone.
    async fn homes(
        &self,
        connection: &mut Conn,
        users: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<Home>>, BillingError> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT uc.auth_user_id, c.id, c.phonenumber, c.country, c.companyname, c.language, {} FROM tblusers_clients uc \
             JOIN tblclients c ON c.id = uc.client_id WHERE uc.owner = 1 AND uc.auth_user_id IN ({}) \
             AND c.status <> 'Closed' ORDER BY c.id",
            self.phone_field_column("c.id"),
            list(users.iter().copied())
        );
        let mut homes = HashMap::new();
        for row in &self.rows_of_logins(connection, sql).await? {
            let user = id(&Reader::new("tblusers_clients", row, ""), "auth_user_id")?;
            let client = id(&Reader::new("tblclients", row, ""), "id")?;
            match home(self, &Reader::new("tblclients", row, client.to_string())) {
                Ok(home) if home.phone.is_empty() && home.phone_field.is_empty() => {}
                home => drop(homes.entry(user).or_insert(home)),
            }
        }
        Ok(homes)
    }

    /// Rows out of the tables of logins; none where the platform has no such tables.
    pub(super) async fn rows_of_logins(&self, connection: &mut Conn, sql: String) -> Result<Vec<Row>, BillingError> {
        match self.rows(connection, sql).await {
            Err(BillingError::Database(Error::Server(error))) if error.code == NO_SUCH_TABLE => Ok(Vec::new()),
            rows => rows,
        }
    }
}

fn guest(billing: &Billing, row: &Row, user: u64, homes: &HashMap<u64, Read<Home>>) -> Read<Guest> {
    let rights = Reader::new("tblusers_clients", row, format!("of login {user}"));
    let reader = Reader::new("tblusers", row, user.to_string());
    Ok(Guest {
        user_id: UserId(user),
        first_name: text(&reader, "first_name")?,
        locale: billing.locale(&text(&reader, "language")?),
        rights: Right::list(&text(&rights, "permissions")?),
        home: homes.get(&user).cloned().transpose()?,
    })
}

fn home(billing: &Billing, reader: &Reader<'_>) -> Read<Home> {
    Ok(Home {
        phone: text(reader, "phonenumber")?,
        phone_field: text(reader, phone_field::NAME)?,
        country: text(reader, "country")?,
        company: text(reader, "companyname")?,
        locale: billing.locale(&text(reader, "language")?),
    })
}
