//! Owns: reading what is not paid. "Overdue" is not a status of the platform: it is computed by who asks.

use mysql_async::{Conn, Row};

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{date, id, money, text};
use crate::domain::case::Debt;
use crate::domain::ids::{CurrencyId, InvoiceId};
use crate::domain::money::Money;
use crate::sql::{Reader, list};

/// Older unpaid invoices of one client that are looked at; who has more is in debt anyway.
const DEBTS_MAX: u32 = 200;
/// Invoices of one client that are looked at, the newest: the platform has no index for those of them that are open.
const NEWEST: u32 = 200;

/// What a client has not paid.
#[derive(Clone, Debug, Default)]
pub struct Debts {
    /// The oldest first.
    pub found: Vec<Debt>,
    /// Invoices up to this id were not looked at: there are too many newer ones.
    pub before: Option<u64>,
}

const COLUMNS: &str = "i.id, i.invoicenum, i.status, i.duedate, i.total, (SELECT COALESCE(SUM(a.amountin), 0) - \
                       COALESCE(SUM(a.amountout), 0) FROM tblaccounts a WHERE a.invoiceid = i.id) AS paid";
const OPEN: &str = "i.status IN ('Unpaid', 'Collections', 'Payment Pending')";

/// What an invoice's lines may be for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    Service(u64),
    Domain(u64),
}

/// Two statements with bounded reads, however many invoices `client` has: where the newest of them begin, and which of these
/// are open. The second is sorted by [`debts_of_client`]: with an order and a limit of its own, the server may walk the
/// index on due dates through everybody's invoices instead.
pub(super) fn debts_sql(client: u64) -> [String; 2] {
    let before = format!("SELECT id FROM tblinvoices WHERE userid = {client} ORDER BY id DESC LIMIT 1 OFFSET {NEWEST}");
    let open = format!(
        "SELECT {COLUMNS} FROM tblinvoices i WHERE i.userid = {client} AND i.id > COALESCE(({before}), 0) AND {OPEN}"
    );
    [before, open]
}

/// What the two statements of [`debts_sql`] read.
pub(super) fn debts_of_client(before: &[Row], open: &[Row], currency: CurrencyId) -> Read<Debts> {
    let before = before.first().map(|row| id(&Reader::new("tblinvoices", row, ""), "id")).transpose()?;
    let mut found = open.iter().map(|row| debt(row, currency)).collect::<Read<Vec<_>>>()?;
    found.sort_by_key(|debt| (debt.due, debt.id.0));
    Ok(Debts { found, before })
}

impl Billing {
    /// What `client` has not paid of the newest invoices. Bounded reads, however many there are.
    pub(super) async fn debts(
        &self,
        connection: &mut Conn,
        client: u64,
        currency: CurrencyId,
    ) -> Result<Debts, BillingError> {
        let sets = self.rows_of_each(connection, debts_sql(client).into()).await?;
        Ok(debts_of_client(&sets[0], &sets[1], currency)?)
    }

    /// What `client` has not paid of older invoices than [`Self::debts`] looked at: of `known`, which are those that may be
    /// open, or of all of them.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn older_debts(
        &self,
        client: u64,
        before: u64,
        known: Option<&[u64]>,
        currency: CurrencyId,
    ) -> Result<Vec<Debt>, BillingError> {
        let which = match known {
            Some([]) => return Ok(Vec::new()),
            Some(ids) => format!("i.id IN ({})", list(ids.iter().copied())),
            None => "TRUE".to_owned(),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM tblinvoices i WHERE i.userid = {client} AND i.id <= {before} AND {which} AND {OPEN} \
             ORDER BY i.duedate, i.id LIMIT {DEBTS_MAX}"
        );
        let mut connection = self.database.connection().await?;
        self.read_debts(&mut connection, sql, currency).await
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
