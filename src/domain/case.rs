//! Owns: the platform's rows as the company's rules look at them, already checked: entities decoded, zero dates removed,
//! money exact. What alerts look at is in [`super::record`].

use jiff::civil::{Date, DateTime};

use super::ids::{ClientId, CurrencyId, InvoiceId, ServiceId};
use super::locale::Locale;
use super::money::{Currency, Money};
use super::record::ClientStatus;

/// How often a service is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cycle {
    Free,
    OneTime,
    Monthly,
    Quarterly,
    SemiAnnually,
    Annually,
    Biennially,
    Triennially,
}

impl Cycle {
    pub const ALL: [Self; 8] = [
        Self::Free,
        Self::OneTime,
        Self::Monthly,
        Self::Quarterly,
        Self::SemiAnnually,
        Self::Annually,
        Self::Biennially,
        Self::Triennially,
    ];

    /// Reads the platform's word: `Semi-Annually` on a service, `semiannually` in the cart.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        match plain.as_str() {
            "free" | "freeaccount" => Some(Self::Free),
            "onetime" => Some(Self::OneTime),
            plain => Self::ALL.into_iter().find(|one| one.code() == plain),
        }
    }

    /// The platform's word in small letters; for cycles that come again also the column of its price.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::OneTime => "onetime",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::SemiAnnually => "semiannually",
            Self::Annually => "annually",
            Self::Biennially => "biennially",
            Self::Triennially => "triennially",
        }
    }

    /// Months of one period; `None` for what is not paid again.
    #[must_use]
    pub const fn months(self) -> Option<u32> {
        match self {
            Self::Free | Self::OneTime => None,
            Self::Monthly => Some(1),
            Self::Quarterly => Some(3),
            Self::SemiAnnually => Some(6),
            Self::Annually => Some(12),
            Self::Biennially => Some(24),
            Self::Triennially => Some(36),
        }
    }
}

/// An invoice that is not paid, cancelled, refunded or a draft, with what is left to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    pub id: InvoiceId,
    /// What is printed: the sequential number, or the id where there is none.
    pub number: String,
    /// `Unpaid`, `Collections`, `Payment Pending`.
    pub status: String,
    pub due: Option<Date>,
    /// The total less what was paid; taxes are in it.
    pub balance: Money,
}

/// A client as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: ClientId,
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    /// The account's own address.
    pub email: String,
    /// Addresses of the logins that own it (platform 8.0 and later).
    pub owner_emails: Vec<String>,
    pub tax_id: String,
    /// As stored; `domain::phone` reads it.
    pub phone: String,
    /// ISO 3166 alpha-2, may be empty.
    pub country: String,
    pub status: ClientStatus,
    pub locale: Option<Locale>,
    pub currency_id: CurrencyId,
    /// `None`: it cannot be read. The amounts can be compared all the same, and are written without it.
    pub currency: Option<Currency>,
}

/// A service with what is paid for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    pub id: ServiceId,
    pub client_id: ClientId,
    /// `Pending`, `Active`, `Suspended`, `Terminated`, `Cancelled`, `Fraud`, `Completed`.
    pub status: String,
    pub product_id: u64,
    pub product: String,
    /// The domain it serves; may be empty.
    pub domain: String,
    /// `None`: a word that we do not know.
    pub cycle: Option<Cycle>,
    /// What one period costs, all of the quantity, after a promotion that comes again.
    pub recurring: Money,
    pub quantity: u32,
    /// The first day that is not paid yet; `None` where nothing comes again.
    pub next_due: Option<Date>,
}

/// A product with its prices in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub product_id: u64,
    pub name: String,
    /// Only cycles that are offered, in ascending order; without set-up fees.
    pub prices: Vec<(Cycle, Money)>,
}

impl Plan {
    /// The price of one period; `None` if that cycle is not offered.
    #[must_use]
    pub fn price(&self, cycle: Cycle) -> Option<Money> {
        self.prices.iter().find(|(one, _)| *one == cycle).map(|(_, price)| *price)
    }
}

/// A client's cancellation request, as the platform stored it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelRequest {
    pub id: u64,
    /// The platform's local time.
    pub at: Option<DateTime>,
    pub kind: CancelKind,
}

/// When a cancellation is to take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelKind {
    Immediate,
    EndOfPeriod,
}

impl CancelKind {
    /// Reads the platform's words `Immediate` and `End of Billing Period`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "immediate" => Some(Self::Immediate),
            "end of billing period" => Some(Self::EndOfPeriod),
            _ => None,
        }
    }

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::EndOfPeriod => "end_of_period",
        }
    }
}

/// Who wrote a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub id: u64,
    /// `None`: written by nobody we know as a client.
    pub client_id: Option<ClientId>,
    /// The address it came from.
    pub sender: String,
}

/// Whether two addresses are the same to the platform: case and outer blanks do not matter.
#[must_use]
pub fn same_email(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim().to_lowercase(), b.trim().to_lowercase());
    !a.is_empty() && a == b
}
