//! Owns: one alert to one recipient, and the states it may have.

use super::closed_list::closed_list;
use super::hookpoint::{Class, HookpointId, Subject};
use super::ids::{ClientId, ContactId, EventId, MessageId, UserId};
use super::locale::Locale;
use super::phone::E164;
use super::reason::Reason;
use jiff::Timestamp;

/// A message as it is queued.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: MessageId,
    pub event_id: EventId,
    pub hookpoint: HookpointId,
    pub subject: Subject,
    pub client_id: ClientId,
    /// The contact it goes to; neither contact nor login is the client.
    pub contact_id: Option<ContactId>,
    /// The login it goes to.
    pub user_id: Option<UserId>,
    pub to: E164,
    pub locale: Locale,
    pub class: Class,
    /// The sending number, by its name in the configuration.
    pub lane: String,
    pub call: TemplateCall,
    /// Instead of the template: `text` as it is, inside the provider's window.
    pub free_form: Option<FreeForm>,
    /// What the recipient will read, for people and for gateways without templates.
    pub text: String,
    pub queued_at: Timestamp,
    /// It is not sent before, and what it waits for: quiet hours, or the platform's rows to settle.
    pub wait: Option<(Timestamp, Reason)>,
    /// What it was made from.
    pub print: Print,
    /// Not sent after this.
    pub expires_at: Timestamp,
}

/// What a message was made from, as digests: they tell whether its text or what it speaks of changed while it waited. They
/// hold within one build of the bridge; another one finds them changed, and makes the message again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Print {
    /// The text in force when it was made. 0: unknown.
    pub wording: u64,
    /// The platform's rows. 0: unknown.
    pub facts: u64,
}

/// A message without a template: the provider takes it only within 24 hours after the user wrote. It answers the user, so it is sent
/// even after an opt-out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreeForm {
    /// Buttons for an answer: what comes back, and what the user reads.
    pub buttons: Vec<(String, String)>,
}

impl FreeForm {
    /// The template of a message without one.
    #[must_use]
    pub fn no_template() -> TemplateCall {
        TemplateCall {
            name: String::new(),
            language: String::new(),
            parameters: Parameters::Positional(Vec::new()),
            button: None,
        }
    }
}

/// A provider template with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateCall {
    pub name: String,
    /// Provider's language code, e.g. `es_AR`: no fall-back between languages exists there.
    pub language: String,
    pub parameters: Parameters,
    /// The variable end of the URL button.
    pub button: Option<String>,
}

/// Values of a template's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// By position, first is `{{1}}`.
    Positional(Vec<String>),
    /// By name.
    Named(Vec<(String, String)>),
}

closed_list! {
    /// Life of a message: `queued → sending → sent | failed | unknown | cancelled`.
    MessageState {
        Queued = "queued",
        Sending = "sending",
        /// Accepted by the provider; receipts say the rest.
        Sent = "sent",
        Failed = "failed",
        Unknown = "unknown",
        Cancelled = "cancelled",
    }
}

impl MessageState {
    /// Whether a message may go from `self` to `next`. The only way back is a fault that certainly sent nothing.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use MessageState::{Cancelled, Failed, Queued, Sending, Sent, Unknown};
        matches!(
            (self, next),
            (Queued, Sending | Cancelled | Failed)
                | (Sending, Sent | Failed | Unknown | Queued)
                | (Unknown, Sent | Failed | Queued | Cancelled)
                | (Failed, Queued)
        )
    }
}

closed_list! {
    /// Where a message stands, in one word for people: its state, and what the receipts say.
    Standing {
        Queued = "queued",
        /// Waits for an operator's word.
        Held = "held",
        Sending = "sending",
        /// Nobody knows whether it was sent.
        Unknown = "unknown",
        /// The provider took it; no receipt yet.
        Accepted = "accepted",
        Sent = "sent",
        Delivered = "delivered",
        Read = "read",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl Standing {
    /// Whether the message is still in the queue.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Held | Self::Sending | Self::Unknown)
    }
}
