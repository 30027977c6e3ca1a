//! Owns: what the crowd owes and has paid: invoices with items and payments, and quotes.

use super::draw::Draw;
use super::insert::{Calendar, Cell, Insert, entities};
use super::people::Person;
use super::services::Service;

/// The first ids after the cast's.
const FIRST_INVOICE: u32 = 101;
const FIRST_QUOTE: u32 = 31;
/// The tax inside of Argentina, in percent.
const TAX_PERCENT: i64 = 21;

struct Invoice<'a> {
    service: &'a Service<'a>,
    kind: Kind,
    /// Days from today.
    date: i32,
    due: i32,
    /// Hundredths.
    subtotal: i64,
    tax: i64,
    credit: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Paid,
    PaidByCredit,
    Unpaid,
    PartlyPaid,
    Overdue,
    Cancelled,
    Refunded,
    Collections,
    PaymentPending,
    Draft,
}

/// The newest invoice of a service may be in any state; the ones before it have come to an end.
const NEWEST: &[(u32, Kind)] = &[
    (44, Kind::Paid),
    (2, Kind::PaidByCredit),
    (24, Kind::Unpaid),
    (4, Kind::PartlyPaid),
    (9, Kind::Overdue),
    (8, Kind::Cancelled),
    (2, Kind::Refunded),
    (2, Kind::Collections),
    (2, Kind::PaymentPending),
    (3, Kind::Draft),
];
const EARLIER: &[(u32, Kind)] = &[(90, Kind::Paid), (7, Kind::Cancelled), (3, Kind::Refunded)];

impl Kind {
    fn status(self) -> &'static str {
        match self {
            Self::Paid | Self::PaidByCredit => "Paid",
            Self::Unpaid | Self::PartlyPaid | Self::Overdue => "Unpaid",
            Self::Cancelled => "Cancelled",
            Self::Refunded => "Refunded",
            Self::Collections => "Collections",
            Self::PaymentPending => "Payment Pending",
            Self::Draft => "Draft",
        }
    }

    fn settled(self) -> bool {
        matches!(self, Self::Paid | Self::PaidByCredit | Self::Refunded)
    }
}

/// The rows of the invoices: one to four per service, just the newest if `thin`.
pub(super) fn statements(services: &[Service<'_>], calendar: &Calendar, thin: bool) -> Vec<String> {
    let mut all: Vec<Invoice<'_>> = services.iter().flat_map(|service| bill(service, thin)).collect();
    all.sort_by_key(|invoice| (invoice.date, invoice.service.id));
    let mut invoices = Insert::new(calendar, "tblinvoices");
    let mut items = Insert::new(calendar, "tblinvoiceitems");
    let mut payments = Insert::new(calendar, "tblaccounts");
    for (id, invoice) in (FIRST_INVOICE..).zip(&all) {
        invoice.insert(&mut invoices, id);
        invoice.insert_item(&mut items, id);
        invoice.insert_payments(&mut payments, id);
    }
    [invoices.finish(), items.finish(), payments.finish()].concat()
}

fn bill<'a>(service: &'a Service<'a>, thin: bool) -> impl Iterator<Item = Invoice<'a>> {
    let mut draw = Draw::new("invoices", service.id);
    let count = if thin { 1 } else { draw.day(1, 4) };
    (0..count).map(move |number| {
        let kind = *draw.weighted(if number == 0 { NEWEST } else { EARLIER });
        let date = match kind {
            Kind::Overdue => draw.day(-60, -20),
            Kind::Collections => draw.day(-400, -120),
            _ if number == 0 => draw.day(-13, 0),
            _ => -number * service.cycle.days - draw.day(14, 20),
        };
        let subtotal = service.amount;
        let tax = if service.owner.country.code == "AR" { subtotal * TAX_PERCENT / 100 } else { 0 };
        let credit = if kind == Kind::PaidByCredit { subtotal + tax } else { 0 };
        Invoice { service, kind, date, due: date + 14, subtotal, tax, credit }
    })
}

impl Invoice<'_> {
    fn total(&self) -> i64 {
        self.subtotal + self.tax - self.credit
    }

    /// The day something last happened to it.
    fn touched(&self) -> i32 {
        let last = match self.kind {
            Kind::Paid | Kind::Refunded | Kind::PaidByCredit => self.due - 3,
            Kind::Cancelled => self.due + 30,
            _ => self.date,
        };
        last.clamp(self.date, self.date.max(-1))
    }

    fn insert(&self, invoices: &mut Insert<'_>, id: u32) {
        let owner = self.service.owner;
        let touched = Cell::Moment(self.touched(), owner.second());
        let on = |kind: Kind| if self.kind == kind { touched } else { Cell::ZeroDate };
        let number = if self.kind.settled() { format!("FC-0001-{id:08}") } else { String::new() };
        invoices.row(&[
            ("id", id.into()),
            ("userid", owner.id.into()),
            ("invoicenum", (&number).into()),
            ("date", Cell::Day(self.date)),
            ("duedate", Cell::Day(self.due)),
            ("datepaid", if self.kind.settled() { touched } else { Cell::ZeroDate }),
            ("date_refunded", on(Kind::Refunded)),
            ("date_cancelled", on(Kind::Cancelled)),
            ("subtotal", Cell::Money(self.subtotal)),
            ("credit", Cell::Money(self.credit)),
            ("tax", Cell::Money(self.tax)),
            ("total", Cell::Money(self.total())),
            ("taxrate", Cell::Int(if self.tax > 0 { TAX_PERCENT } else { 0 })),
            ("status", self.kind.status().into()),
            ("paymentmethod", owner.gateway().into()),
            ("created_at", Cell::Moment(self.date, 245)),
            ("updated_at", if self.touched() > self.date { touched } else { Cell::Moment(self.date, 245) }),
        ]);
    }

    fn insert_item(&self, items: &mut Insert<'_>, id: u32) {
        let service = self.service;
        items.row(&[
            ("invoiceid", id.into()),
            ("userid", service.owner.id.into()),
            ("type", "Hosting".into()),
            ("relid", service.id.into()),
            ("description", (&format!("{} - {}", service.product_name, service.domain)).into()),
            ("amount", Cell::Money(self.subtotal)),
            ("taxed", (self.tax > 0).into()),
            ("duedate", Cell::Day(self.due)),
            ("paymentmethod", service.owner.gateway().into()),
        ]);
    }

    fn insert_payments(&self, payments: &mut Insert<'_>, id: u32) {
        let total = self.total();
        let paid = match self.kind {
            Kind::Paid | Kind::Refunded => total,
            Kind::PartlyPaid => total / 3,
            _ => return,
        };
        self.insert_payment(payments, id, "", (paid, 0));
        if self.kind == Kind::Refunded {
            self.insert_payment(payments, id, "-R", (0, paid));
        }
    }

    fn insert_payment(&self, payments: &mut Insert<'_>, id: u32, mark: &str, (paid_in, paid_out): (i64, i64)) {
        let owner = self.service.owner;
        payments.row(&[
            ("userid", owner.id.into()),
            ("gateway", owner.gateway().into()),
            ("date", Cell::Moment(self.touched(), owner.second())),
            ("description", "Invoice Payment".into()),
            ("amountin", Cell::Money(paid_in)),
            ("fees", Cell::Money(paid_in / 20)),
            ("amountout", Cell::Money(paid_out)),
            ("transid", (&format!("T555{id:07}{mark}")).into()),
            ("invoiceid", id.into()),
        ]);
    }
}

const STAGES: &[(u32, &str)] =
    &[(40, "Delivered"), (20, "Draft"), (20, "Accepted"), (8, "Lost"), (7, "Dead"), (5, "On Hold")];

/// A few of the crowd have asked for a quote.
pub(super) fn quotes(crowd: &[Person<'_>], calendar: &Calendar) -> Vec<String> {
    const DOLLAR_CENTS: i64 = 25_000;
    let mut quotes = Insert::new(calendar, "tblquotes");
    let mut items = Insert::new(calendar, "tblquoteitems");
    for (id, person) in (FIRST_QUOTE..).zip(crowd.iter().filter(|person| person.id % 16 == 0)) {
        let mut draw = Draw::new("quote", person.id);
        let stage = *draw.weighted(STAGES);
        let made = draw.day(person.joined, -5);
        let price = super::products::in_currency(DOLLAR_CENTS, person.country.currency);
        let sent = if stage == "Draft" { Cell::ZeroDate } else { Cell::Day(made + 1) };
        quotes.row(&[
            ("id", id.into()),
            ("subject", (&entities(&format!("Sitio web & correo para {}", person.last))).into()),
            ("stage", stage.into()),
            ("validuntil", Cell::Day(made + 30)),
            ("userid", person.id.into()),
            ("currency", person.country.currency.into()),
            ("subtotal", Cell::Money(price)),
            ("total", Cell::Money(price)),
            ("adminnotes", "canary-do-not-leak".into()),
            ("datecreated", Cell::Day(made)),
            ("lastmodified", Cell::Day(made + 1)),
            ("datesent", sent),
            ("dateaccepted", if stage == "Accepted" { Cell::Day(made + 4) } else { Cell::ZeroDate }),
        ]);
        items.row(&[
            ("quoteid", id.into()),
            ("description", "Sitio web".into()),
            ("quantity", "1".into()),
            ("unitprice", Cell::Money(price)),
        ]);
    }
    [quotes.finish(), items.finish()].concat()
}
