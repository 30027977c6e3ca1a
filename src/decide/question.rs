//! Owns: what is asked, out of the fields of an envelope or of a command line. Parsed here, once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::case::{CancelKind, Cycle};
use crate::domain::decision::Rule;
use crate::domain::event::FieldValue;
use crate::domain::hookpoint::{Subject, SubjectKind};

/// Fields of a question, by name.
pub type Fields = BTreeMap<String, FieldValue>;

/// A field that is missing or unreadable. Never shows its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    #[error("the field `{0}` must be {1}")]
    Unreadable(&'static str, &'static str),
}

/// One question to one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Upgrade(Upgrade),
    Ownership(Ownership),
    Cancellation(Cancellation),
    Termination(Termination),
    Identity(Identity),
}

/// What would this service cost as another product?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    pub service_id: u64,
    /// Where the platform has made its upgrade row already, that row knows too.
    pub to_product_id: Option<u64>,
    pub to_cycle: Option<Cycle>,
    pub platform_price: Option<Decimal>,
    pub platform_discount: Option<Decimal>,
    pub days: Option<u64>,
    pub total_days: Option<u64>,
    pub upgrade_id: Option<u64>,
    /// The product that the platform changes from.
    pub from_product_id: Option<u64>,
    pub client_id: Option<u64>,
}

/// May this service go to that client?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    pub service_id: u64,
    pub to_client_id: u64,
    /// Whose it was, where the platform has moved it already and the question is what would have been said.
    pub before: Option<u64>,
    /// The number that clients see, or the row's id.
    pub ticket_id: Option<String>,
    /// The address that the request came from.
    pub requested_by: Option<String>,
    pub client_id: Option<u64>,
}

/// What does cancelling this mean?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub what: Subject,
    /// `None`: the client has not chosen yet.
    pub kind: Option<CancelKind>,
    pub client_id: Option<u64>,
    pub requested_at: Option<Timestamp>,
}

impl Cancellation {
    /// What the client asked for, as the platform wrote it down.
    #[must_use]
    pub fn requested(service: u64, kind: CancelKind, at: Timestamp) -> Question {
        let what = Subject { kind: SubjectKind::Service, id: service };
        Question::Cancellation(Self { what, kind: Some(kind), client_id: None, requested_at: Some(at) })
    }
}

/// May this service be removed from its server now?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Termination {
    pub service_id: u64,
    pub client_id: Option<u64>,
}

/// May these data be saved?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `None`: a new client.
    pub client_id: Option<u64>,
    pub contact_id: Option<u64>,
    pub email: String,
    /// `None`: the form did not send it. Platform: a locked field is not posted, and keeps its value.
    pub phone: Option<String>,
    /// The calling code that the platform's form sends beside the number.
    pub phone_prefix: String,
    pub country: String,
    /// A contact's data, not the client's own.
    pub contact: bool,
}

impl Question {
    /// Reads the fields that `rule` knows; others are ignored.
    ///
    /// # Errors
    /// A field that is needed and missing, or that cannot be read.
    pub fn read(rule: Rule, fields: &Fields) -> Result<Self, QuestionError> {
        let service = || need_id(fields, "service_id");
        Ok(match rule {
            Rule::Upgrade => Self::Upgrade(upgrade(fields)?),
            Rule::Ownership => Self::Ownership(Ownership {
                service_id: service()?,
                to_client_id: need_id(fields, "to_client_id")?,
                before: None,
                ticket_id: text(fields, "ticket_id"),
                requested_by: text(fields, "requested_by"),
                client_id: id(fields, "client_id")?,
            }),
            Rule::Cancellation => Self::Cancellation(cancellation(fields)?),
            Rule::Termination => {
                Self::Termination(Termination { service_id: service()?, client_id: id(fields, "client_id")? })
            }
            Rule::Identity => Self::Identity(Identity {
                client_id: id(fields, "client_id")?,
                contact_id: id(fields, "contact_id")?,
                email: text(fields, "email").unwrap_or_default(),
                phone: written(fields, "phonenumber"),
                phone_prefix: text(fields, "phone_prefix").unwrap_or_default(),
                country: text(fields, "country").unwrap_or_default(),
                contact: text(fields, "kind").is_some_and(|kind| kind == "contact"),
            }),
        })
    }

    #[must_use]
    pub fn rule(&self) -> Rule {
        match self {
            Self::Upgrade(_) => Rule::Upgrade,
            Self::Ownership(_) => Rule::Ownership,
            Self::Cancellation(_) => Rule::Cancellation,
            Self::Termination(_) => Rule::Termination,
            Self::Identity(_) => Rule::Identity,
        }
    }

    /// What the question is about; nothing for a client who does not exist yet.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let service = |id| Some(Subject { kind: SubjectKind::Service, id });
        match self {
            Self::Upgrade(q) => service(q.service_id),
            Self::Ownership(q) => service(q.service_id),
            Self::Cancellation(q) => Some(q.what),
            Self::Termination(q) => service(q.service_id),
            Self::Identity(q) => q.client_id.map(|id| Subject { kind: SubjectKind::Client, id }),
        }
    }

    /// The client that the asker named.
    #[must_use]
    pub fn claimed_client(&self) -> Option<u64> {
        match self {
            Self::Upgrade(q) => q.client_id,
            Self::Ownership(q) => q.client_id,
            Self::Cancellation(q) => q.client_id,
            Self::Termination(q) => q.client_id,
            Self::Identity(q) => q.client_id,
        }
    }
}

fn upgrade(fields: &Fields) -> Result<Upgrade, QuestionError> {
    let question = Upgrade {
        service_id: need_id(fields, "service_id")?,
        to_product_id: id(fields, "to_product_id")?,
        to_cycle: match text(fields, "to_cycle") {
            None => None,
            Some(word) => {
                let known = Cycle::parse(&word);
                Some(known.ok_or(QuestionError::Unreadable("to_cycle", "a billing cycle of the platform"))?)
            }
        },
        platform_price: amount(fields, "platform_price")?,
        platform_discount: amount(fields, "platform_discount")?,
        days: count(fields, "days")?,
        total_days: count(fields, "total_days")?,
        upgrade_id: id(fields, "upgrade_id")?,
        from_product_id: id(fields, "from_product_id")?,
        client_id: id(fields, "client_id")?,
    };
    if question.to_product_id.is_none() && question.upgrade_id.is_none() {
        return Err(QuestionError::Missing("to_product_id"));
    }
    Ok(question)
}

fn cancellation(fields: &Fields) -> Result<Cancellation, QuestionError> {
    let service = id(fields, "service_id")?.map(|id| Subject { kind: SubjectKind::Service, id });
    let domain = id(fields, "domain_id")?.map(|id| Subject { kind: SubjectKind::Domain, id });
    let kind = match text(fields, "type") {
        None => None,
        Some(word) => Some(
            CancelKind::parse(&word)
                .ok_or(QuestionError::Unreadable("type", "`Immediate` or `End of Billing Period`"))?,
        ),
    };
    let requested_at = match text(fields, "requested_at") {
        None => None,
        Some(at) => {
            Some(at.parse().map_err(|_| QuestionError::Unreadable("requested_at", "an RFC 3339 time with a zone"))?)
        }
    };
    Ok(Cancellation {
        what: service.or(domain).ok_or(QuestionError::Missing("service_id"))?,
        kind,
        client_id: id(fields, "client_id")?,
        requested_at,
    })
}

/// The same, where an empty text says something, too.
fn written(fields: &Fields, name: &str) -> Option<String> {
    match fields.get(name)? {
        FieldValue::Text(text) if text.trim().is_empty() => Some(String::new()),
        _ => text(fields, name),
    }
}

fn text(fields: &Fields, name: &str) -> Option<String> {
    let text = match fields.get(name)? {
        FieldValue::Text(text) | FieldValue::Decimal(text) => text.trim().to_owned(),
        FieldValue::Int(number) => number.to_string(),
        FieldValue::Null | FieldValue::Bool(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A row's id; absent, empty and 0 all mean "none".
fn id(fields: &Fields, name: &'static str) -> Result<Option<u64>, QuestionError> {
    Ok(count(fields, name)?.filter(|id| *id > 0))
}

fn need_id(fields: &Fields, name: &'static str) -> Result<u64, QuestionError> {
    id(fields, name)?.ok_or(QuestionError::Missing(name))
}

fn count(fields: &Fields, name: &'static str) -> Result<Option<u64>, QuestionError> {
    let Some(text) = text(fields, name) else { return Ok(None) };
    // Days come as a fraction where the platform divided.
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    whole.parse().map(Some).map_err(|_| QuestionError::Unreadable(name, "a whole number from 0"))
}

fn amount(fields: &Fields, name: &'static str) -> Result<Option<Decimal>, QuestionError> {
    let Some(text) = text(fields, name) else { return Ok(None) };
    let read = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
    read.map(Some).map_err(|_| QuestionError::Unreadable(name, "a decimal number"))
}
