//! Owns: reading clients as the company's rules look at them: with their addresses, and who else has one of those.

use std::collections::HashMap;

use jiff::Timestamp;
use mysql_async::{Conn, Row};

use super::client::{Read, status};
use super::platform::Currencies;
use super::pool::{Billing, BillingError};
use super::row::{id, literal, text};
use crate::domain::case::Account;
use crate::domain::ids::{ClientId, CurrencyId};
use crate::sql::{Reader, list};

/// Others with the same address that are named at most.
const SAME_EMAIL_MAX: u32 = 5;

impl Billing {
    /// The clients of `ids` that exist, without the addresses of their logins.
    pub(super) async fn accounts(
        &self,
        connection: &mut Conn,
        ids: &[u64],
        now: Timestamp,
    ) -> Result<HashMap<u64, Account>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.rows(connection, accounts_sql(ids)).await?;
        self.accounts_of(&rows, now).await
    }

    /// The clients of what [`accounts_sql`] read.
    pub(super) async fn accounts_of(
        &self,
        rows: &[Row],
        now: Timestamp,
    ) -> Result<HashMap<u64, Account>, BillingError> {
        let named = |row| id(&Reader::new("tblclients", row, ""), "currency").ok().map(CurrencyId);
        let mut reference = self.remembered(now).await?;
        if let Some(fresh) = self.renewed(&reference, rows.iter().filter_map(named).collect(), now).await? {
            reference = fresh;
        }
        let mut found = HashMap::new();
        for row in rows {
            let key = id(&Reader::new("tblclients", row, ""), "id")?;
            let reader = Reader::new("tblclients", row, key.to_string());
            found.insert(key, account(self, &reader, key, &reference.currencies)?);
        }
        Ok(found)
    }

    /// Adds the addresses of the logins that own the accounts. Platform: before 8.0 there are no logins.
    pub(super) async fn add_owner_emails(
        &self,
        connection: &mut Conn,
        accounts: &mut HashMap<u64, Account>,
    ) -> Result<(), BillingError> {
        if accounts.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT uc.client_id, u.email FROM tblusers_clients uc JOIN tblusers u ON u.id = uc.auth_user_id \
             WHERE uc.owner = 1 AND uc.client_id IN ({}) ORDER BY u.id",
            list(accounts.keys().copied())
        );
        for row in &self.rows_of_logins(connection, sql).await? {
            let reader = Reader::new("tblusers", row, "");
            if let Some(account) = accounts.get_mut(&id(&reader, "client_id")?) {
                account.owner_emails.push(text(&reader, "email")?);
            }
        }
        Ok(())
    }

    /// Other clients with the address `email`.
    pub(super) async fn same_email(
        &self,
        connection: &mut Conn,
        email: &str,
        but: Option<u64>,
    ) -> Result<Vec<ClientId>, BillingError> {
        let email = email.trim();
        if email.is_empty() {
            return Ok(Vec::new());
        }
        // Stored as typed, or with entities, depending on who wrote it. The column's collation ignores case.
        let encoded = html_escape::encode_safe(email).replace("&#x27;", "&#039;").replace("&#x2F;", "/");
        let sql = format!(
            "SELECT id FROM tblclients WHERE email IN ({}, {}) AND id <> {} ORDER BY id LIMIT {SAME_EMAIL_MAX}",
            literal(email),
            literal(&encoded),
            but.unwrap_or(0)
        );
        let rows = self.rows_of_text(connection, sql).await?;
        rows.iter().map(|row| Ok(ClientId(id(&Reader::new("tblclients", row, ""), "id")?))).collect()
    }

    /// One address out of a table of people.
    pub(super) async fn email_of(
        &self,
        connection: &mut Conn,
        table: &'static str,
        key: u64,
    ) -> Result<String, BillingError> {
        let rows: Vec<Row> = self.rows(connection, format!("SELECT email FROM {table} WHERE id = {key}")).await?;
        rows.first().map_or(Ok(String::new()), |row| Ok(text(&Reader::new(table, row, key.to_string()), "email")?))
    }
}

pub(super) fn accounts_sql(ids: &[u64]) -> String {
    format!(
        "SELECT id, firstname, lastname, companyname, email, tax_id, phonenumber, country, status, language, currency \
         FROM tblclients WHERE id IN ({})",
        list(ids.iter().copied())
    )
}

fn account(billing: &Billing, reader: &Reader<'_>, key: u64, currencies: &Currencies) -> Read<Account> {
    let currency = currencies.of(reader, "currency")?;
    Ok(Account {
        id: ClientId(key),
        first_name: text(reader, "firstname")?,
        last_name: text(reader, "lastname")?,
        company: text(reader, "companyname")?,
        email: text(reader, "email")?,
        owner_emails: Vec::new(),
        tax_id: text(reader, "tax_id")?,
        phone: text(reader, "phonenumber")?,
        country: text(reader, "country")?,
        status: status(reader)?,
        locale: billing.locale(&text(reader, "language")?),
        currency_id: currency.as_ref().map_or_else(|none| none.id, |currency| currency.id),
        currency: currency.ok(),
    })
}
