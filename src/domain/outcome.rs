//! Owns: how an attempt to send ended. Four outcomes, not two: a timeout is not a failure.

use std::time::Duration;

use super::closed_list::closed_list;
/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken for processing by the provider. Not delivered yet.
    Accepted {
        /// The provider's id of the message.
        provider_id: String,
        /// The provider holds it back to assess the template's quality.
        held: bool,
    },
    /// It will never be taken as it is.
    Refused(Fault),
    /// Not taken now; certainly not sent.
    Later { fault: Fault, after: Option<Duration> },
    /// It may have been taken. Never blindly sent again.
    Unknown(String),
}

/// What the provider, or the network, said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The provider's code; none for a network fault.
    pub code: Option<i64>,
    pub scope: Scope,
    /// In words, without personal data.
    pub detail: String,
}

closed_list! {
    /// What a fault stops.
    Scope {
        /// Only this message.
        Message = "message",
        /// All messages to this recipient for a while.
        Recipient = "recipient",
        /// All messages with this template until somebody mends it.
        Template = "template",
        /// All messages of this number until somebody mends it.
        Number = "number",
        /// The number must slow down, no more.
        Rate = "rate",
    }
}

impl Outcome {
    /// The word for logs, metrics and the attempt's row.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Refused(_) => "refused",
            Self::Later { .. } => "later",
            Self::Unknown(_) => "unknown",
        }
    }
}
