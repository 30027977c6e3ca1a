//! Owns: the identifiers. Each has a type of its own, so that a service id can never be looked up in a product column.

use std::fmt;

use uuid::Uuid;

macro_rules! platform_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

platform_id! {
    /// `tblclients.id`: a billing account. The platform calls it `userid` almost everywhere.
    ClientId;
    /// `tblusers.id`: a login (platform 8.0 and later). Not a client.
    UserId;
    /// `tblcontacts.id`.
    ContactId;
    /// `tblinvoices.id`, not the printed number.
    InvoiceId;
    /// `tblaccounts.id`: one transaction.
    PaymentId;
    /// `tblhosting.id`.
    ServiceId;
    /// `tblquotes.id`.
    QuoteId;
    /// `tbldomains.id`.
    DomainId;
    /// `tblcurrencies.id`.
    CurrencyId;
}

/// Characters an event id may have at most (the width of the column).
pub const EVENT_ID_CHARS_MAX: usize = 64;

/// The id that a source gave its event: the same on every try, so that a repeat is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(String);

impl EventId {
    /// An id of 1 to [`EVENT_ID_CHARS_MAX`] characters out of `[A-Za-z0-9_.-]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
        let fits = (1..=EVENT_ID_CHARS_MAX).contains(&text.len());
        (fits && text.bytes().all(good)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One message to one recipient. A `UUIDv7`, so that the primary key grows at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub Uuid);

impl MessageId {
    /// Reads the text form (what the provider gives back to us).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// When it was made, by the machine's clock; the beginning of time for an id of another kind.
    #[must_use]
    pub fn made_at(self) -> jiff::Timestamp {
        let seconds = self.0.get_timestamp().map(|time| time.to_unix()).and_then(|(s, _)| i64::try_from(s).ok());
        jiff::Timestamp::from_second(seconds.unwrap_or(0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

/// Characters of a provider's user id at most (the width of the column; Meta: a country, perhaps `ENT`, and up to 128).
pub const PROVIDER_USER_CHARS_MAX: usize = 160;

/// The provider's own id of a user for one company, e.g. `AR.13491208655302741918`. Meta: users who took a user name may come with
/// this alone, without a number. Personal data: shown masked.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderUserId(String);

impl ProviderUserId {
    /// Two capital letters, a dot, then letters, digits and dots.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (country, rest) = text.split_once('.')?;
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let good = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        (is_country && good && text.len() <= PROVIDER_USER_CHARS_MAX).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For people who need not know it: `AR.••••••918`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (head, tail) = (&self.0[..3], &self.0[self.0.len().saturating_sub(3).max(3)..]);
        format!("{head}••••••{tail}")
    }
}

impl fmt::Display for ProviderUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

impl fmt::Debug for ProviderUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderUserId({})", self.masked())
    }
}
