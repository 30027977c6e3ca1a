//! Owns: reading clients, their contacts, and which accounts a login owns.

use std::collections::{BTreeSet, HashMap};

use mysql_async::Conn;

use super::phone_field;
use super::platform::Currencies;
use super::pool::{Billing, BillingError};
use super::row::{flag, id, is_on, text};
use crate::domain::ids::{ClientId, ContactId};
use crate::domain::record::{Client, ClientStatus, Contact};
use crate::sql::{Inconsistent, Reader, list};

/// A row as read, or why it cannot be.
pub(super) type Read<T> = Result<T, Inconsistent>;

impl Billing {
    pub(super) async fn clients(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
        currencies: &Currencies,
    ) -> Result<HashMap<u64, Read<Client>>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT id, firstname, lastname, companyname, phonenumber, country, status, language, currency, \
             billingcid, overideduenotices, COALESCE((SELECT g.susptermexempt FROM tblclientgroups g WHERE \
             g.id = tblclients.groupid), '') AS exempt, {} FROM tblclients WHERE id IN ({})",
            self.phone_field_column("tblclients.id"),
            list(ids.iter().copied())
        );
        let mut found = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblclients", row, ""), "id")?;
            found.insert(key, client(self, &Reader::new("tblclients", row, key.to_string()), key, currencies));
        }
        Ok(found)
    }

    /// The countries of clients, as stored.
    ///
    /// # Errors
    /// The database.
    pub async fn countries(&self, clients: &BTreeSet<u64>) -> Result<HashMap<u64, String>, BillingError> {
        if clients.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!("SELECT id, country FROM tblclients WHERE id IN ({})", list(clients.iter().copied()));
        let mut connection = self.database.connection().await?;
        let mut found = HashMap::new();
        for row in &self.rows(&mut connection, sql).await? {
            let reader = Reader::new("tblclients", row, "");
            found.insert(id(&reader, "id")?, text(&reader, "country").unwrap_or_default());
        }
        Ok(found)
    }

    pub(super) async fn contacts(
        &self,
        connection: &mut Conn,
        clients: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Vec<Read<Contact>>>, BillingError> {
        let mut found: HashMap<u64, Vec<Read<Contact>>> = HashMap::new();
        for (_, owner, contact) in self.contacts_where(connection, "userid", clients).await? {
            found.entry(owner).or_default().push(contact);
        }
        Ok(found)
    }

    pub(super) async fn contacts_by_id(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<Contact>>, BillingError> {
        let found = self.contacts_where(connection, "id", ids).await?;
        Ok(found.into_iter().map(|(key, _, contact)| (key, contact)).collect())
    }

    /// Contacts with their own id and their client's.
    async fn contacts_where(
        &self,
        connection: &mut Conn,
        column: &'static str,
        ids: &BTreeSet<u64>,
    ) -> Result<Vec<(u64, u64, Read<Contact>)>, BillingError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT id, userid, firstname, lastname, companyname, phonenumber, country, generalemails, invoiceemails, \
             productemails, domainemails, supportemails, affiliateemails FROM tblcontacts WHERE {column} IN ({}) ORDER BY id",
            list(ids.iter().copied())
        );
        let mut found = Vec::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblcontacts", row, ""), "id")?;
            let reader = Reader::new("tblcontacts", row, key.to_string());
            // Without an owner it is nobody's contact.
            found.push((key, id(&reader, "userid").unwrap_or(0), contact(&reader, key)));
        }
        Ok(found)
    }

    /// Accounts that each login owns. A login that merely has access to an account does not own its alerts.
    pub(super) async fn owned_by(
        &self,
        connection: &mut Conn,
        users: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<Vec<u64>>>, BillingError> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT auth_user_id, client_id FROM tblusers_clients WHERE owner = 1 AND auth_user_id IN ({}) \
             ORDER BY client_id",
            list(users.iter().copied())
        );
        let mut found: HashMap<u64, Read<Vec<u64>>> = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let user = id(&Reader::new("tblusers_clients", row, ""), "auth_user_id")?;
            let client = id(&Reader::new("tblusers_clients", row, format!("of login {user}")), "client_id");
            add(found.entry(user).or_insert_with(|| Ok(Vec::new())), client);
        }
        Ok(found)
    }
}

/// Adds a row to those that belong together: one that cannot be read makes all of them unreadable.
pub(super) fn add<T>(all: &mut Read<Vec<T>>, one: Read<T>) {
    match (all.as_mut(), one) {
        (Ok(list), Ok(one)) => list.push(one),
        (Ok(_), Err(error)) => *all = Err(error),
        (Err(_), _) => {}
    }
}

fn client(billing: &Billing, reader: &Reader<'_>, key: u64, currencies: &Currencies) -> Read<Client> {
    Ok(Client {
        id: ClientId(key),
        first_name: text(reader, "firstname")?,
        last_name: text(reader, "lastname")?,
        company: text(reader, "companyname")?,
        phone: text(reader, "phonenumber")?,
        phone_field: text(reader, phone_field::NAME)?,
        country: text(reader, "country")?,
        status: status(reader)?,
        locale: billing.locale(&text(reader, "language")?),
        currency: currencies.of(reader, "currency")?,
        // Platform: 0 is the client.
        billing_contact: id(reader, "billingcid").ok().filter(|id| *id > 0).map(ContactId),
        no_overdue_notices: flag(reader, "overideduenotices")?,
        never_suspended: is_on(&text(reader, "exempt")?),
    })
}

pub(super) fn status(reader: &Reader<'_>) -> Read<ClientStatus> {
    reader.parse("status", ClientStatus::parse)
}

fn contact(reader: &Reader<'_>, key: u64) -> Read<Contact> {
    Ok(Contact {
        id: ContactId(key),
        client_id: ClientId(id(reader, "userid")?),
        first_name: text(reader, "firstname")?,
        last_name: text(reader, "lastname")?,
        company: text(reader, "companyname")?,
        phone: text(reader, "phonenumber")?,
        country: text(reader, "country")?,
        general: flag(reader, "generalemails")?,
        invoice: flag(reader, "invoiceemails")?,
        product: flag(reader, "productemails")?,
        domain: flag(reader, "domainemails")?,
        support: flag(reader, "supportemails")?,
        affiliate: flag(reader, "affiliateemails")?,
    })
}
