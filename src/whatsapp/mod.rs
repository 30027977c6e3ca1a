//! Owns: everything that is particular to the chat provider: sending a message, what the provider's errors mean, reading its
//! webhooks, describing templates to it.
//! Must not know: queues, pace, retries, tables. A [`Gateway`] makes one attempt and says how it ended.
//!
//! Read in this order: `cloud_api` (one attempt) → `request` (its JSON) → `answer` (how it ended) → `errors` and
//! `error_table` (what the provider's codes mean) → `receipt` and `notice` (webhooks) → `challenge` → `templates`,
//! `template_rules`, `account` (for operators).

mod account;
mod answer;
mod challenge;
mod cloud_api;
mod error_table;
pub mod errors;
mod gate;
mod notice;
mod receipt;
mod redact;
mod request;
mod template_rules;
mod templates;

pub use account::{AccountError, NumberInfo, TemplateInfo};
pub use answer::interpret;
pub use challenge::Challenge;
pub use cloud_api::{BuildError, CloudApi, CloudApiSettings};
pub use gate::Gate;
pub use notice::Notice;
pub use receipt::{ParseError, Webhook, parse};
pub use template_rules::{Problem, check};
pub use templates::{Examples, TemplateDefinition, UrlButton, creation_json};

use crate::domain::message::Message;
use crate::domain::outcome::Outcome;

/// A way to send messages. One gateway is one sending number.
#[derive(Debug)]
pub enum Gateway {
    /// Meta's own Cloud API.
    CloudApi(CloudApi),
}

impl Gateway {
    /// Makes one attempt. Never errors: every way it can end is an [`Outcome`]. `None`: the gate was closed when the request
    /// was about to leave, and nothing was sent.
    pub async fn send(&self, message: &Message, gate: Gate) -> Option<Outcome> {
        match self {
            Self::CloudApi(api) => api.send(message, gate).await,
        }
    }

    /// The sending number's name in the configuration.
    #[must_use]
    pub fn lane(&self) -> &str {
        match self {
            Self::CloudApi(api) => api.lane(),
        }
    }
}
