//! Owns: what a hook said, after its envelope was verified and parsed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::ids::EventId;

/// The source of events that the sweep found; no stub may have this name.
pub const SWEEP: &str = "sweep";

/// The source of events that steps from a date made; no stub may have this name.
pub const SCHEDULE: &str = "schedule";

/// One hook that fired in the platform, or should have.
#[derive(Clone, Debug)]
pub struct HookEvent {
    pub id: EventId,
    /// Which configured source sent it.
    pub source: String,
    /// The platform's own name of the hook, e.g. `InvoiceCreated`.
    pub hook: String,
    /// When it fired, by the platform's clock.
    pub occurred_at: Timestamp,
    /// One id per PHP request: the platform fires one hook two or three times within a request.
    pub request: Option<String>,
    pub actor: Actor,
    /// The allow-listed parameters by dotted path, e.g. `params.serviceid`.
    pub fields: BTreeMap<String, FieldValue>,
    /// Names (never values) of what an edit changed.
    pub changed: Vec<String>,
    /// What the stub read because the row would be deleted later, by name, e.g. `domain`.
    pub gone: BTreeMap<String, FieldValue>,
    /// Found by the sweep: when it last saw the subject in another state than the one it tells of now.
    pub otherwise_at: Option<Timestamp>,
    /// The day on the platform's calendar, where whoever reads the event knows its zone.
    pub day: Option<Date>,
}

/// A parameter of a hook. Objects and arrays never leave PHP as values.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    Null,
    Bool(bool),
    Int(i64),
    /// A number with a fraction, kept as the text that PHP wrote.
    Decimal(String),
    Text(String),
}

impl FieldValue {
    /// The value as a row id. PHP passes ids as integers or as digits in a string.
    #[must_use]
    pub fn as_id(&self) -> Option<u64> {
        match self {
            Self::Int(n) => u64::try_from(*n).ok().filter(|n| *n > 0),
            Self::Text(text) => text.trim().parse().ok().filter(|n| *n > 0),
            _ => None,
        }
    }

    /// Whether PHP would write it as `text`.
    #[must_use]
    pub fn is_written(&self, text: &str) -> bool {
        match self {
            Self::Null => text.is_empty(),
            Self::Bool(value) => text == if *value { "1" } else { "" },
            Self::Int(value) => text == value.to_string(),
            Self::Decimal(value) | Self::Text(value) => text == value,
        }
    }

    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Decimal(text) => Some(text),
            _ => None,
        }
    }
}

impl HookEvent {
    /// The first of `paths` that holds a row id.
    #[must_use]
    pub fn id_at(&self, paths: &[String]) -> Option<u64> {
        paths.iter().find_map(|path| self.fields.get(path).and_then(FieldValue::as_id))
    }
}

/// Who made the hook fire, as far as the stub could tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    /// The script that ran, e.g. `clientarea.php`.
    pub entrypoint: Option<String>,
    /// An administrator acting through "login as owner".
    pub masquerading: bool,
}

/// Kinds of actor. `Unknown` is honest: the platform's parameters do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActorKind {
    Client,
    Admin,
    Api,
    Cron,
    System,
    #[default]
    Unknown,
}

impl ActorKind {
    pub const ALL: [Self; 6] = [Self::Client, Self::Admin, Self::Api, Self::Cron, Self::System, Self::Unknown];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Api => "api",
            Self::Cron => "cron",
            Self::System => "system",
            Self::Unknown => "unknown",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}
