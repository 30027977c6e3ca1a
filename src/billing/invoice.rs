//! Owns: reading invoices and what was paid on them. An amount's currency is its client's: it is not on the invoice.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Date, DateTime};
use mysql_async::Conn;

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{date, datetime, id, money, text};
use crate::domain::ids::{ClientId, CurrencyId, InvoiceId, PaymentId};
use crate::domain::money::Money;
use crate::domain::record::{Client, Invoice, Payment};
use crate::sql::{Inconsistent, Reader, list};

/// Amounts are read before the client's currency is known.
const NO_CURRENCY: CurrencyId = CurrencyId(0);

/// An invoice without its currency.
pub(super) struct InvoiceRow {
    pub(super) id: u64,
    pub(super) client_id: u64,
    number: String,
    status: String,
    date: Option<Date>,
    due: Option<Date>,
    total: Money,
}

/// A transaction without its currency.
pub(super) struct PaymentRow {
    id: u64,
    paid_in: Money,
    paid_out: Money,
    at: Option<DateTime>,
}

impl Billing {
    pub(super) async fn invoices(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<InvoiceRow>>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT id, userid, invoicenum, status, date, duedate, total FROM tblinvoices WHERE id IN ({})",
            list(ids.iter().copied())
        );
        let mut found = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblinvoices", row, ""), "id")?;
            found.insert(key, invoice(&Reader::new("tblinvoices", row, key.to_string()), key));
        }
        Ok(found)
    }

    /// All transactions of each invoice, oldest first.
    pub(super) async fn payments(
        &self,
        connection: &mut Conn,
        invoices: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Vec<PaymentRow>>, BillingError> {
        if invoices.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT id, invoiceid, amountin, amountout, date FROM tblaccounts WHERE invoiceid IN ({}) ORDER BY id",
            list(invoices.iter().copied())
        );
        let mut found: HashMap<u64, Vec<PaymentRow>> = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblaccounts", row, ""), "id")?;
            let reader = Reader::new("tblaccounts", row, key.to_string());
            found.entry(id(&reader, "invoiceid")?).or_default().push(PaymentRow {
                id: key,
                paid_in: money(&reader, "amountin", NO_CURRENCY)?,
                paid_out: money(&reader, "amountout", NO_CURRENCY)?,
                at: datetime(&reader, "date")?,
            });
        }
        Ok(found)
    }
}

fn invoice(reader: &Reader<'_>, key: u64) -> Read<InvoiceRow> {
    let number = text(reader, "invoicenum")?;
    Ok(InvoiceRow {
        id: key,
        client_id: id(reader, "userid")?,
        // Empty unless the company numbers its invoices in sequence; then the id is what is printed.
        number: if number.is_empty() { key.to_string() } else { number },
        status: text(reader, "status")?,
        date: date(reader, "date")?,
        due: date(reader, "duedate")?,
        total: money(reader, "total", NO_CURRENCY)?,
    })
}

/// Completes an invoice with its client's currency and its payments; `payment` names the one the event is about.
pub(super) fn complete(
    row: &InvoiceRow,
    payments: &[PaymentRow],
    payment: Option<u64>,
    client: &Client,
) -> Result<(Invoice, Option<Payment>), Inconsistent> {
    let currency = client.currency.id;
    let too_large = || Inconsistent { table: "tblinvoices", column: "total", row: row.id.to_string() };
    let total = Money::new(row.total.amount(), currency);
    let mut balance = total;
    for one in payments {
        let paid = Money::new(one.paid_in.amount(), currency);
        let back = Money::new(one.paid_out.amount(), currency);
        balance = balance.checked_sub(paid).and_then(|b| b.checked_add(back)).map_err(|_| too_large())?;
    }
    let incoming = |p: &&PaymentRow| !p.paid_in.is_zero() && !p.paid_in.is_negative();
    let named = payments.iter().filter(incoming).find(|p| Some(p.id) == payment);
    let chosen = named.or_else(|| payments.iter().rfind(incoming));
    let invoice = Invoice {
        id: InvoiceId(row.id),
        client_id: ClientId(row.client_id),
        number: row.number.clone(),
        status: row.status.clone(),
        date: row.date,
        due: row.due,
        total,
        balance,
    };
    let payment =
        chosen.map(|p| Payment { id: PaymentId(p.id), amount: Money::new(p.paid_in.amount(), currency), at: p.at });
    Ok((invoice, payment))
}
