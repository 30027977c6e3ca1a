//! Owns: the platform's rows as we understand them, already checked: entities decoded, zero dates removed, money exact.

use jiff::civil::{Date, DateTime};

use super::case::{CancelRequest, Debt};
use super::hookpoint::Right;
use super::ids::{ClientId, ContactId, CurrencyId, DomainId, InvoiceId, PaymentId, QuoteId, ServiceId, UserId};
use super::locale::Locale;
use super::money::{Currency, Money, NoCurrency};

/// A billing account.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: ClientId,
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    /// As stored; `domain::phone` reads it.
    pub phone: String,
    /// The same, in the custom field that the company names; empty: there is none, or nothing in it.
    pub phone_field: String,
    /// ISO 3166 alpha-2, may be empty.
    pub country: String,
    pub status: ClientStatus,
    /// The language's name as the platform writes it was known to us.
    pub locale: Option<Locale>,
    pub currency: Result<Currency, NoCurrency>,
    /// The contact that gets the invoices instead of the client, if there is one.
    pub billing_contact: Option<ContactId>,
    /// Platform: `overideduenotices`, "no overdue notices".
    pub no_overdue_notices: bool,
    /// The client's group is exempt from suspension and termination.
    pub never_suspended: bool,
}

impl Client {
    /// The currency of its amounts, whether or not it can be written.
    #[must_use]
    pub fn currency_id(&self) -> CurrencyId {
        self.currency.as_ref().map_or_else(|none| none.id, |currency| currency.id)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientStatus {
    Active,
    Inactive,
    Closed,
}

impl ClientStatus {
    /// Reads the platform's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "Active" => Some(Self::Active),
            "Inactive" => Some(Self::Inactive),
            "Closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "the platform's six rights are six columns")]
/// A secondary contact and the kinds of notice it has a right to.
#[derive(Clone, Debug)]
pub struct Contact {
    pub id: ContactId,
    pub client_id: ClientId,
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    pub phone: String,
    pub country: String,
    pub general: bool,
    pub invoice: bool,
    pub product: bool,
    pub domain: bool,
    pub support: bool,
    pub affiliate: bool,
}

/// A login that may look into a client's account without owning it (platform 8.0 and later).
#[derive(Clone, Debug)]
pub struct Guest {
    pub user_id: UserId,
    pub first_name: String,
    pub locale: Option<Locale>,
    pub rights: Vec<Right>,
    /// A login has no phone. An account that it owns has one.
    pub home: Option<Home>,
}

/// Where a login can be reached: an open account of its own.
#[derive(Clone, Debug)]
pub struct Home {
    /// As stored.
    pub phone: String,
    /// As stored; never empty together with `phone`.
    pub phone_field: String,
    pub country: String,
    pub company: String,
    pub locale: Option<Locale>,
}

#[derive(Clone, Debug)]
pub struct Invoice {
    pub id: InvoiceId,
    pub client_id: ClientId,
    /// What is printed: the sequential number, or the id where there is none.
    pub number: String,
    /// `Draft`, `Unpaid`, `Paid`, `Cancelled`, `Refunded`, `Collections`, `Payment Pending`.
    pub status: String,
    pub date: Option<Date>,
    pub due: Option<Date>,
    /// Platform: net of applied credit up to 8.x; from 9.0 on credit is a row beside the payments. What is owed is the balance.
    pub total: Money,
    /// `total` less what was paid or credited.
    pub balance: Money,
    /// What nobody paid and is not owed all the same.
    pub credited: Credited,
    /// The first of them, in their order.
    pub items: Vec<InvoiceItem>,
    /// An invoice of the platform's mass payment pays this one, and is paid.
    pub paid_in_bundle: bool,
    /// Running services that it is for and that the platform suspends by itself, by the day they are paid up to.
    pub at_risk: Vec<AtRisk>,
}

/// What an invoice was reduced by without a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credited {
    Nothing,
    /// From the client's credit balance. Platform: `tblinvoices.credit`.
    Balance(Money),
    /// By credit notes, as the platform writes them from 9.0 on: for credit that was used, and for a rest that somebody waived.
    /// The rows do not tell which of the two.
    Notes(Money),
}

/// A service that is suspended if an invoice stays unpaid.
#[derive(Clone, Debug)]
pub struct AtRisk {
    pub product: String,
    pub domain: String,
    /// The platform counts the days to the suspension from here.
    pub next_due: Date,
}

impl Invoice {
    /// Whether it only bundles other invoices to be paid at once (the platform's mass payment): nothing new is owed by it.
    #[must_use]
    pub fn is_bundle(&self) -> bool {
        !self.items.is_empty() && self.items.iter().all(|item| item.kind == "Invoice")
    }
}

/// What an invoice is for.
#[derive(Clone, Debug)]
pub struct InvoiceItem {
    /// The platform's word: `Hosting`, `Domain`, `AddFunds`, `Invoice` …; empty for what was written by hand.
    pub kind: String,
    /// The row that it is about, of a table that `kind` says.
    pub relates_to: Option<u64>,
    pub description: String,
}

#[derive(Clone, Debug)]
pub struct Payment {
    pub id: PaymentId,
    pub amount: Money,
    pub at: Option<DateTime>,
    /// Money went back after it.
    pub is_refunded: bool,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub id: ServiceId,
    pub client_id: ClientId,
    /// `Pending`, `Active`, `Suspended`, `Terminated`, `Cancelled`, `Fraud`, `Completed`.
    pub status: String,
    pub product: String,
    pub group: String,
    /// The domain it serves; may be empty.
    pub domain: String,
    pub suspend_reason: String,
    pub next_due: Option<Date>,
    /// What the next period costs, in the client's currency.
    pub recurring: Money,
    /// The platform is set not to suspend it until this day; without an end it is the calendar's last.
    pub not_suspended: Option<Date>,
    /// The client asked to cancel it.
    pub is_cancelling: bool,
    /// Open invoices for it, the longest due first.
    pub owed: Vec<Debt>,
}

/// A service that its client asked to cancel.
#[derive(Clone, Debug)]
pub struct Cancelling {
    pub service: Service,
    /// `None`: the platform has not stored the request, or not any more.
    pub request: Option<CancelRequest>,
    /// What the company's rule says of it; set where an alert goes out.
    pub ruled: Option<Cancelled>,
}

/// What a cancellation means.
#[derive(Clone, Debug)]
pub struct Cancelled {
    pub allowed: bool,
    pub effective: Option<Date>,
    /// What is still to be paid.
    pub due: Vec<Debt>,
}

#[derive(Clone, Debug)]
pub struct Quote {
    pub id: QuoteId,
    /// `None`: a prospect.
    pub client_id: Option<ClientId>,
    pub subject: String,
    /// `Draft`, `Delivered`, `On Hold`, `Accepted`, `Lost`, `Dead`.
    pub stage: String,
    pub total: Money,
    /// A quote has a currency of its own, which need not be its client's.
    pub currency: Result<Currency, NoCurrency>,
    pub valid_until: Option<Date>,
    pub sent: Option<Date>,
}

impl Quote {
    /// Whether its last day is before `today`. One without a last day does not end.
    #[must_use]
    pub fn is_over(&self, today: Date) -> bool {
        self.valid_until.is_some_and(|last| last < today)
    }
}

#[derive(Clone, Debug)]
pub struct DomainName {
    pub id: DomainId,
    pub client_id: ClientId,
    pub name: String,
    /// Empty when the row is deleted and only the stub's snapshot is left.
    pub status: String,
    pub expires: Option<Date>,
    /// Its client wants no renewal.
    pub do_not_renew: bool,
}

/// A support ticket. What was written in it stays at the platform.
#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: u64,
    /// `None`: a guest's, who is no client.
    pub client_id: Option<ClientId>,
    /// What clients see, e.g. `ABC-123456`.
    pub number: String,
    /// Empty where the department is deleted.
    pub department: String,
    /// `Low`, `Medium`, `High`.
    pub priority: String,
    /// The platform's word or the company's own.
    pub status: String,
    pub is_closed: bool,
    /// It is part of another ticket now.
    pub is_merged: bool,
    /// By the platform's clock.
    pub last_reply: Option<DateTime>,
}

impl Ticket {
    /// The day since which it waits for its client.
    #[must_use]
    pub fn answered_on(&self) -> Option<Date> {
        self.last_reply.filter(|_| self.status == "Answered").map(DateTime::date)
    }
}

/// What one alert may speak about: the client it belongs to, the client's contacts and guests, and the subject's own row.
#[derive(Clone, Debug)]
pub struct Facts {
    pub client: Client,
    pub contacts: Vec<Contact>,
    pub guests: Vec<Guest>,
    pub subject: SubjectRow,
    /// Set when the event is about a change of owner.
    pub moved: Option<Moved>,
    /// The day on the platform's wall when the rows were read.
    pub today: Date,
    /// Contacts and logins that were left out because their rows cannot be understood.
    pub unreadable: Vec<UnreadablePerson>,
}

/// Somebody who may have a right to hear of it, and which row says nothing sensible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadablePerson {
    /// A login, not a contact.
    pub is_login: bool,
    /// Table, column and id.
    pub why: String,
}

/// A change of owner, as it concerns one of the two clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The client of these facts is the one it belonged to before.
    pub former: bool,
    /// The client on the other side.
    pub other: ClientId,
    /// The two accounts were merged, and that alert went out.
    pub by_merge: bool,
    /// How many services and domains moved with it, itself included.
    pub together: usize,
}

/// The subject's own row.
#[derive(Clone, Debug)]
pub enum SubjectRow {
    Client,
    /// A login; the facts' client is one of the accounts it owns.
    User(UserId),
    /// A secondary contact; `None` when it is deleted already.
    Contact(Option<Box<Contact>>),
    Invoice(Box<Invoice>, Option<Payment>),
    Service(Box<Service>),
    Cancellation(Box<Cancelling>),
    Quote(Box<Quote>),
    Domain(DomainName),
    Ticket(Box<Ticket>),
}

/// What the platform says about itself.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Base of the client area, with a trailing slash.
    pub system_url: String,
    pub company_name: String,
    /// The system's language for clients who chose none.
    pub locale: Option<Locale>,
    /// ISO 3166 alpha-2.
    pub default_country: String,
    /// e.g. `8.13.1-release.1`.
    pub version: String,
    /// Days from the date due to the suspension of a service; `None`: it does not suspend by itself.
    pub suspension_days: Option<u16>,
    /// Days from the date due to the termination of a service; `None`: it does not terminate by itself.
    pub termination_days: Option<u16>,
}
