//! Owns: what a hookpoint is. A definition is DATA: the company keeps adding hookpoints, and a new one must need no line
//! of Rust or PHP.

use std::collections::BTreeMap;
use std::fmt;

use super::closed_list::closed_list;

use jiff::civil::Time;

use super::event::HookEvent;
use super::locale::Locale;
use super::reason::Reason;
use super::schedule::Schedule;

/// The name of a hookpoint, e.g. `invoice_created`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookpointId(String);

impl HookpointId {
    /// 1 to 64 characters out of `[a-z0-9_]` (it is also a template's name at the provider).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        ((1..=64).contains(&text.len()) && text.chars().all(good)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HookpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One hookpoint: which hooks fire it, whom it concerns, when it leads to an alert.
#[derive(Clone, Debug)]
pub struct Hookpoint {
    pub id: HookpointId,
    /// What administrators read, per language.
    pub title: BTreeMap<Locale, String>,
    /// The day the company introduced it (`YYYY-MM-DD`).
    pub introduced: String,
    pub enabled: bool,
    pub class: Class,
    pub audience: Audience,
    /// Logins with this right in the client's account are recipients as well, where they can be reached. `None`: no login is.
    pub users: Option<Right>,
    pub subject: SubjectKind,
    pub triggers: Vec<Trigger>,
    /// All must hold when the event is processed.
    pub conditions: Vec<Condition>,
    /// All must still hold right before the message is sent.
    pub still: Vec<Condition>,
    pub transition: Transition,
    /// The hookpoint that this one answers: if that alert was withdrawn unseen, this one says nothing either.
    pub answers: Option<HookpointId>,
    /// A message older than this is not sent any more, in minutes.
    pub expires_after_min: u32,
    /// Seconds after the hook before which no message goes: what the platform does meanwhile is in its words.
    pub settle_s: u32,
    /// Alerts made in this time of the day wait until it ends.
    pub quiet: Option<Quiet>,
    /// More alerts than this within the company's window are held; `None`: what is usual decides, 0: none are.
    pub mass_max: Option<u32>,
    /// More of these alerts to one client in 24 hours are held.
    pub client_day_max: Option<u32>,
}

impl Hookpoint {
    /// Whether some of its alerts come by date: what they say must hold on the day that they are for.
    #[must_use]
    pub fn is_by_date(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.schedule.is_some())
    }
}

/// A time of the day, by the platform's clock; `from` later than `to` goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    pub from: Time,
    pub to: Time,
}

/// A platform hook that fires a hookpoint, and what the stub may send of it.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// The platform's own name.
    pub hook: String,
    /// An event of our own making, which the stub knows nothing of.
    pub ours: bool,
    /// Where the subject's row id is; the first path that holds one wins.
    pub subject_at: Vec<String>,
    /// What kind of row that id names, where it is not the hookpoint's subject (a user instead of a client).
    pub names: SubjectKind,
    /// Where the client is named that the subject belonged to before: a recipient as well. Empty where nothing moves.
    pub former_at: Vec<String>,
    /// All paths that may leave PHP.
    pub fields: Vec<String>,
    /// Small reads the stub makes at once, by name.
    pub lookups: Vec<String>,
    /// The stub sends the event only if the field has one of these values.
    pub only: BTreeMap<String, Vec<String>>,
    /// Fields whose change is reported by name.
    pub diff: Vec<String>,
    /// Not a hook of the platform's: steps from a date of the row.
    pub schedule: Option<Schedule>,
}

impl Trigger {
    /// Whether it wants the event. The stub sends what any trigger of the hook wants.
    #[must_use]
    pub fn takes(&self, event: &HookEvent) -> bool {
        self.only.iter().all(|(path, accepted)| {
            event.fields.get(path).is_none_or(|value| accepted.iter().any(|one| value.is_written(one)))
        })
    }
}

/// An expression over the facts, and the reason to give when it is false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub expression: String,
    pub otherwise: Reason,
    /// How long the platform may take until its rows say what the hook said, in seconds: within it, a false condition
    /// means "look again", not "no".
    pub wait_s: u32,
    /// Whether the subject moved all the same: a quote that went on hold has left "delivered", though no alert goes out.
    pub moves: bool,
}

/// What makes two events "the same thing happening": at most one alert for it per recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Once in the subject's life.
    Once,
    /// Once per request of the platform.
    Request,
    /// Once per value of an expression over the facts, e.g. the payment's id.
    Key(String),
    /// A change of the subject's state: repeating the same state is no transition, leaving and returning is.
    State {
        /// Shared by the hookpoints that move the same thing, e.g. `service`.
        machine: String,
        /// An expression that gives the state entered.
        to: String,
    },
}

closed_list! {
    /// How urgent an alert is. The order is the order of sending.
    Class {
        Security = "security",
        Status = "status",
        Notice = "notice",
    }
}

closed_list! {
    /// Which contacts get the alert besides the client: those with the platform's e-mail right of that name.
    Audience {
        /// The client alone.
        Owner = "owner",
        General = "general",
        Invoice = "invoice",
        Product = "product",
        Domain = "domain",
        Support = "support",
        Affiliate = "affiliate",
    }
}

impl Audience {
    /// The right that stands for it in the logins' list: the platform's columns for contacts know no more.
    #[must_use]
    pub fn right(self) -> Option<Right> {
        match self {
            Self::Owner => None,
            Self::General => Some(Right::Emails),
            Self::Invoice => Some(Right::Invoices),
            Self::Product => Some(Right::Products),
            Self::Domain => Some(Right::Domains),
            Self::Support => Some(Right::Tickets),
            Self::Affiliate => Some(Right::Affiliates),
        }
    }
}

closed_list! {
    /// What a login may do in an account that it does not own, in the platform's words (8.0 and later).
    Right {
        Profile = "profile",
        Contacts = "contacts",
        Products = "products",
        ManageProducts = "manageproducts",
        ProductSso = "productsso",
        Domains = "domains",
        ManageDomains = "managedomains",
        Invoices = "invoices",
        Quotes = "quotes",
        Tickets = "tickets",
        Affiliates = "affiliates",
        Emails = "emails",
        Orders = "orders",
    }
}

impl Right {
    /// Reads the platform's list. Platform: words with commas between; how exactly they are encoded is nowhere written, so
    /// everything else that is no letter separates as well. A word that we do not know grants nothing.
    #[must_use]
    pub fn list(text: &str) -> Vec<Self> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter_map(|word| Self::parse(&word.to_ascii_lowercase()))
            .collect()
    }
}

closed_list! {
    /// Which of the platform's tables a subject is a row of.
    SubjectKind {
        Client = "client",
        User = "user",
        Contact = "contact",
        Invoice = "invoice",
        Service = "service",
        /// A request to cancel a service; it bears the service's id.
        Cancellation = "cancellation",
        Quote = "quote",
        Domain = "domain",
        /// A support ticket.
        Ticket = "ticket",
    }
}

/// One row of the platform that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    pub kind: SubjectKind,
    pub id: u64,
}

impl Subject {
    /// Reads what [`fmt::Display`] wrote, e.g. `invoice:7`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        Some(Self { kind: SubjectKind::parse(kind)?, id: id.parse().ok()? })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}
