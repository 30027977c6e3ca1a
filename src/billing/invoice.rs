//! Owns: reading invoices and what was paid on them. An amount's currency is its client's: it is not on the invoice.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::{Date, DateTime};
use mysql_async::{Conn, Row};

use super::client::{Read, add};
use super::pool::{Billing, BillingError};
use super::row::{NO_CURRENCY, date, datetime, flag, id, money, text};
use super::service::not_suspended;
use crate::domain::ids::{ClientId, CurrencyId, InvoiceId, PaymentId};
use crate::domain::money::{Money, MoneyError};
use crate::domain::record::{AtRisk, Client, Credited, Invoice, InvoiceItem, Payment};
use crate::sql::{Inconsistent, Reader, list};

/// Items of one invoice that are kept, and characters of each one's description.
const ITEMS_MAX: usize = 50;
const DESCRIPTION_CHARS_MAX: u32 = 200;

/// An invoice without its currency.
pub(super) struct InvoiceRow {
    pub(super) id: u64,
    pub(super) client_id: u64,
    number: String,
    status: String,
    date: Option<Date>,
    due: Option<Date>,
    total: Money,
    /// Taken from the client's credit balance.
    credit: Money,
}

impl InvoiceRow {
    pub(super) fn is_overdue(&self, today: Date) -> bool {
        self.status == "Unpaid" && self.due.is_some_and(|due| due < today)
    }
}

/// A transaction without its currency.
pub(super) struct PaymentRow {
    id: u64,
    paid_in: Money,
    paid_out: Money,
    /// Only the payment that an event is about needs its date.
    at: Read<Option<DateTime>>,
    /// Money that somebody paid. Platform: from 9.0 on, credit notes are rows of the same table.
    is_payment: bool,
}

impl PaymentRow {
    fn is_incoming(&self) -> bool {
        self.is_payment && !self.paid_in.is_zero() && !self.paid_in.is_negative()
    }

    /// Money that went back: a refund, or a payment booked with a minus.
    fn is_back(&self) -> bool {
        self.paid_in.is_negative() || !(self.paid_out.is_zero() || self.paid_out.is_negative())
    }
}

/// What belongs to each invoice besides its row.
#[derive(Default)]
pub(super) struct InvoiceParts {
    items: HashMap<u64, Read<Vec<InvoiceItem>>>,
    /// Invoices that an invoice of the platform's mass payment pays, which is paid itself.
    paid_in_bundle: BTreeSet<u64>,
    pub(super) at_risk: HashMap<u64, Vec<AtRisk>>,
}

/// Invoices, their transactions and what else belongs to them, by the invoice's id.
#[derive(Default)]
pub(super) struct Invoices {
    pub(super) rows: HashMap<u64, Read<InvoiceRow>>,
    /// Oldest first.
    pub(super) payments: HashMap<u64, Read<Vec<PaymentRow>>>,
    pub(super) parts: InvoiceParts,
}

impl Billing {
    /// All of it in one round trip. `is_payment`: what tells a payment from a credit note, in this platform's tables.
    pub(super) async fn invoices(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
        is_payment: &str,
    ) -> Result<Invoices, BillingError> {
        let mut all = Invoices::default();
        if ids.is_empty() {
            return Ok(all);
        }
        let ids = list(ids.iter().copied());
        let invoices = format!(
            "SELECT id, userid, invoicenum, status, date, duedate, total, credit FROM tblinvoices WHERE id IN ({ids})"
        );
        let payments = format!(
            "SELECT id, invoiceid, amountin, amountout, date, {is_payment} AS is_payment FROM tblaccounts \
             WHERE invoiceid IN ({ids}) ORDER BY id"
        );
        let items = format!(
            "SELECT invoiceid, type, relid, LEFT(description, {DESCRIPTION_CHARS_MAX}) AS description \
             FROM tblinvoiceitems WHERE invoiceid IN ({ids}) ORDER BY invoiceid, id"
        );
        // Along the key (userid, type, relid): few rows, however many invoices the client has.
        let bundled = format!(
            "SELECT DISTINCT c.id FROM tblinvoices c \
             JOIN tblinvoiceitems i ON i.userid = c.userid AND i.type = 'Invoice' AND i.relid = c.id \
             JOIN tblinvoices b ON b.id = i.invoiceid AND b.status = 'Paid' WHERE c.id IN ({ids})"
        );
        let mut sets = self.rows_of_each(connection, vec![invoices, payments, items, bundled]).await?.into_iter();
        let mut next = || sets.next().unwrap_or_default();
        all.rows = invoices_of(&next())?;
        all.payments = payments_of(&next())?;
        all.parts.items = items_of(&next())?;
        for row in &next() {
            all.parts.paid_in_bundle.insert(id(&Reader::new("tblinvoices", row, ""), "id")?);
        }
        Ok(all)
    }

    /// The running services that overdue invoices are for. One that cannot be read is not named: no alert depends on it.
    pub(super) async fn at_risk(
        &self,
        connection: &mut Conn,
        overdue: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Vec<AtRisk>>, BillingError> {
        if overdue.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT DISTINCT v.id AS invoice, h.id, h.domain, h.nextduedate, h.overideautosuspend, h.overidesuspenduntil, \
             p.name AS product FROM tblinvoices v JOIN tblinvoiceitems i ON i.invoiceid = v.id AND i.type = 'Hosting' \
             JOIN tblhosting h ON h.id = i.relid AND h.userid = v.userid AND h.domainstatus = 'Active' \
             LEFT JOIN tblproducts p ON p.id = h.packageid WHERE v.status = 'Unpaid' AND v.id IN ({}) \
             ORDER BY v.id, h.nextduedate, h.id",
            list(overdue.iter().copied())
        );
        let mut found: HashMap<u64, Vec<AtRisk>> = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let reader = Reader::new("tblhosting", row, id(&Reader::new("tblhosting", row, ""), "id")?.to_string());
            let invoice = id(&reader, "invoice")?;
            let read = || -> Read<Option<AtRisk>> {
                let next_due =
                    date(&reader, "nextduedate")?.filter(|_| not_suspended(&reader).is_ok_and(|no| no.is_none()));
                let (product, domain) = (text(&reader, "product")?, text(&reader, "domain")?);
                Ok(next_due.map(|next_due| AtRisk { product, domain, next_due }))
            };
            found.entry(invoice).or_default().extend(read().ok().flatten());
        }
        Ok(found)
    }
}

fn invoices_of(rows: &[Row]) -> Result<HashMap<u64, Read<InvoiceRow>>, BillingError> {
    let mut found = HashMap::new();
    for row in rows {
        let key = id(&Reader::new("tblinvoices", row, ""), "id")?;
        found.insert(key, invoice(&Reader::new("tblinvoices", row, key.to_string()), key));
    }
    Ok(found)
}

fn payments_of(rows: &[Row]) -> Result<HashMap<u64, Read<Vec<PaymentRow>>>, BillingError> {
    let mut found: HashMap<u64, Read<Vec<PaymentRow>>> = HashMap::new();
    for row in rows {
        let key = id(&Reader::new("tblaccounts", row, ""), "id")?;
        let reader = Reader::new("tblaccounts", row, key.to_string());
        let invoice = id(&reader, "invoiceid")?;
        add(found.entry(invoice).or_insert_with(|| Ok(Vec::new())), payment(&reader, key));
    }
    Ok(found)
}

fn items_of(rows: &[Row]) -> Result<HashMap<u64, Read<Vec<InvoiceItem>>>, BillingError> {
    let mut found: HashMap<u64, Read<Vec<InvoiceItem>>> = HashMap::new();
    for row in rows {
        let invoice = id(&Reader::new("tblinvoiceitems", row, ""), "invoiceid")?;
        let items = found.entry(invoice).or_insert_with(|| Ok(Vec::new()));
        if items.as_ref().is_ok_and(|items| items.len() < ITEMS_MAX) {
            add(items, item(&Reader::new("tblinvoiceitems", row, format!("of invoice {invoice}"))));
        }
    }
    Ok(found)
}

fn item(reader: &Reader<'_>) -> Read<InvoiceItem> {
    Ok(InvoiceItem {
        kind: text(reader, "type")?,
        // Platform: 0 where the item is about no row; a credit's may be below.
        relates_to: id(reader, "relid").ok().filter(|id| *id > 0),
        description: text(reader, "description")?,
    })
}

fn payment(reader: &Reader<'_>, key: u64) -> Read<PaymentRow> {
    Ok(PaymentRow {
        id: key,
        paid_in: money(reader, "amountin", NO_CURRENCY)?,
        paid_out: money(reader, "amountout", NO_CURRENCY)?,
        at: datetime(reader, "date"),
        is_payment: flag(reader, "is_payment")?,
    })
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
        credit: money(reader, "credit", NO_CURRENCY)?,
    })
}

/// Credit notes first: from 9.0 on the total holds what the column says. After money went back, a note may only undo what was
/// paid, and counts for nothing here.
fn credited(row: &InvoiceRow, payments: &[PaymentRow], currency: CurrencyId) -> Result<Credited, MoneyError> {
    let is_positive = |money: Money| !money.is_zero() && !money.is_negative();
    let column = Money::new(row.credit.amount(), currency);
    let mut notes = Money::zero(currency);
    if !payments.iter().any(PaymentRow::is_back) {
        for note in payments.iter().filter(|row| !row.is_payment) {
            notes = notes.checked_add(Money::new(note.paid_in.amount(), currency))?;
        }
    }
    Ok(match (is_positive(notes), is_positive(column)) {
        (true, _) if notes != column => Credited::Notes(notes),
        (_, true) => Credited::Balance(column),
        (true, false) => Credited::Notes(notes),
        (false, false) => Credited::Nothing,
    })
}

/// Completes an invoice with its client's currency and its payments; `payment` names the one the event is about.
pub(super) fn complete(
    row: &InvoiceRow,
    payments: &[PaymentRow],
    parts: &InvoiceParts,
    payment: Option<u64>,
    client: &Client,
) -> Result<(Invoice, Option<Payment>), Inconsistent> {
    let currency = client.currency_id();
    let too_large = || Inconsistent { table: "tblinvoices", column: "total", row: row.id.to_string() };
    let total = Money::new(row.total.amount(), currency);
    let mut balance = total;
    for one in payments {
        let paid = Money::new(one.paid_in.amount(), currency);
        let back = Money::new(one.paid_out.amount(), currency);
        balance = balance.checked_sub(paid).and_then(|b| b.checked_add(back)).map_err(|_| too_large())?;
    }
    let incoming = |p: &&PaymentRow| p.is_incoming();
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
        credited: credited(row, payments, currency).map_err(|_| too_large())?,
        items: parts.items.get(&row.id).cloned().transpose()?.unwrap_or_default(),
        paid_in_bundle: parts.paid_in_bundle.contains(&row.id),
        at_risk: parts.at_risk.get(&row.id).cloned().unwrap_or_default(),
    };
    let payment = match chosen {
        Some(p) => Some(Payment {
            id: PaymentId(p.id),
            amount: Money::new(p.paid_in.amount(), currency),
            at: p.at.clone()?,
            is_refunded: payments.iter().any(|other| other.id > p.id && other.is_back()),
        }),
        None => None,
    };
    Ok((invoice, payment))
}
