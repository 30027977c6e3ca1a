//! Owns: what the provider reports about a message after it was accepted.

use jiff::Timestamp;

use super::closed_list::closed_list;
use super::ids::{MessageId, ProviderUserId};
use super::phone::E164;
closed_list! {
    /// `sent < delivered < read`; `failed` yields to `delivered` and `read`, since with several devices a delivery may be
    /// reported after a failure.
    ReceiptStatus {
        Sent = "sent",
        Failed = "failed",
        Delivered = "delivered",
        Read = "read",
    }
}

/// One status of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message. Holds the phone number in clear: personal data.
    pub provider_id: String,
    pub status: ReceiptStatus,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// Our own id, given back by the provider.
    pub message_id: Option<MessageId>,
    /// The provider's error code of a failure.
    pub code: Option<i64>,
    pub detail: Option<String>,
    /// What the provider billed it as, e.g. `utility` or `marketing`.
    pub category: Option<String>,
    /// The provider's id of the sending number that the webhook names.
    pub number: Option<String>,
}

closed_list! {
    /// What kind of message a client sent.
    ReplyKind {
        Text = "text",
        /// A button of a template.
        Button = "button",
        /// A button or a row of a list.
        Interactive = "interactive",
        Reaction = "reaction",
        /// A picture, a voice message and such; the words are the caption.
        Media = "media",
    }
}

/// A message that a client wrote to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The user's number as the provider knows it, digits only. Missing for users who hide it.
    pub from: Option<String>,
    /// The provider's id of the user.
    pub user_id: Option<ProviderUserId>,
    /// The provider's id of the message that it answers.
    pub answers: Option<String>,
    pub provider_id: String,
    pub at: Timestamp,
    pub kind: ReplyKind,
    /// The text, or the payload of the button that was pressed.
    pub text: String,
    /// What the button said.
    pub shown: Option<String>,
    /// The provider's id of the number it was written to.
    pub number: Option<String>,
}

/// A user whose id at the provider changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIdChange {
    pub previous: ProviderUserId,
    pub new: ProviderUserId,
    /// The number changed with it: the old one belongs to nobody we know.
    pub with_number: bool,
    pub at: Timestamp,
}

/// A user of whom the provider named both the number and the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KnownUser {
    pub user_id: ProviderUserId,
    pub phone: E164,
}

/// A user's change of number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberChange {
    /// The number that was given up.
    pub from: E164,
    /// `None`: the provider does not say.
    pub to: Option<E164>,
    pub at: Timestamp,
}
