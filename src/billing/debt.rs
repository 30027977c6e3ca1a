//! Owns: reading what is not paid. "Overdue" is not a status of the platform: it is computed by who asks.

use mysql_async::{Conn, Row};

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{date, id, money, text};
use crate::domain::case::Debt;
use crate::domain::ids::{CurrencyId, InvoiceId};
use crate::domain::money::Money;
use crate::sql::Reader;

/// Unpaid invoices of one client that are looked at; who has more is in debt anyway.
const DEBTS_MAX: u32 = 200;

const COLUMNS: &str = "i.id, i.invoicenum, i.status, i.duedate, i.total, (SELECT COALESCE(SUM(a.amountin), 0) - \
                       COALESCE(SUM(a.amountout), 0) FROM tblaccounts a WHERE a.invoiceid = i.id) AS paid";
const OPEN: &str = "i.status IN ('Unpaid', 'Collections', 'Payment Pending')";

/// What an invoice's lines may be for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    Service(u64),
    Domain(u64),
}

impl Billing {
    /// What `client` has not paid, the oldest first.
    pub(super) async fn debts(
        &self,
        connection: &mut Conn,
        client: u64,
        currency: CurrencyId,
    ) -> Result<Vec<Debt>, BillingError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM tblinvoices i WHERE i.userid = {client} AND {OPEN} ORDER BY i.duedate, i.id \
             LIMIT {DEBTS_MAX}"
        );
        self.read_debts(connection, sql, currency).await
    }

    /// What `client` has not paid of one service (its addons too) or domain.
    pub(super) async fn debts_of(
        &self,
        connection: &mut Conn,
        client: u64,
        of: Of,
        currency: CurrencyId,
    ) -> Result<Vec<Debt>, BillingError> {
        let lines = match of {
            Of::Service(service) => format!(
                "(t.type IN ('Hosting', 'Setup') AND t.relid = {service} OR t.type = 'Addon' AND t.relid IN \
                 (SELECT ha.id FROM tblhostingaddons ha WHERE ha.hostingid = {service}))"
            ),
            Of::Domain(domain) => {
                format!("t.type IN ('Domain', 'DomainRegister', 'DomainTransfer') AND t.relid = {domain}")
            }
        };
        let sql = format!(
            "SELECT DISTINCT {COLUMNS} FROM tblinvoiceitems t JOIN tblinvoices i ON i.id = t.invoiceid \
             WHERE t.userid = {client} AND i.userid = {client} AND {lines} AND {OPEN} ORDER BY i.duedate, i.id \
             LIMIT {DEBTS_MAX}"
        );
        self.read_debts(connection, sql, currency).await
    }

    async fn read_debts(
        &self,
        connection: &mut Conn,
        sql: String,
        currency: CurrencyId,
    ) -> Result<Vec<Debt>, BillingError> {
        let rows = self.rows(connection, sql).await?;
        Ok(rows.iter().map(|row| debt(row, currency)).collect::<Read<_>>()?)
    }
}

fn debt(row: &Row, currency: CurrencyId) -> Read<Debt> {
    let key = id(&Reader::new("tblinvoices", row, ""), "id")?;
    let reader = Reader::new("tblinvoices", row, key.to_string());
    let number = text(&reader, "invoicenum")?;
    let total: Money = money(&reader, "total", currency)?;
    let paid = money(&reader, "paid", currency)?;
    Ok(Debt {
        id: InvoiceId(key),
        number: if number.is_empty() { key.to_string() } else { number },
        status: text(&reader, "status")?,
        due: date(&reader, "duedate")?,
        balance: total.checked_sub(paid).map_err(|_| reader.bad("total"))?,
    })
}
