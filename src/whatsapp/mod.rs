//! Owns: everything that is particular to the chat provider: sending a message, what the provider's errors mean, reading its
//! webhooks, describing templates to it.
//! Must not know: queues, pace, retries, tables. A [`Gateway`] makes one attempt and says how it ended.
//!
//! Read in this order: `cloud_api` (one attempt) → `request` (its JSON) → `answer` (how it ended) → `errors` and
//! `error_table` (what the provider's codes mean) → `receipt`, `reply` and `notice` (webhooks) → `challenge` → `templates`,
//! `template_rules`, `account` (for operators).

mod account;
mod answer;
mod challenge;
mod cloud_api;
mod error_table;
pub mod errors;
mod gate;
mod manage;
mod notice;
mod number_change;
mod receipt;
mod redact;
mod reply;
mod request;
mod template_rules;
mod templates;

pub use account::{AccountError, NumberInfo, TemplateInfo};
pub use answer::interpret;
pub use challenge::Challenge;
pub use cloud_api::{BuildError, CloudApi, CloudApiSettings};
pub use gate::Gate;
pub use manage::Created;
pub use notice::Notice;
pub use receipt::{ParseError, Webhook, parse};
pub use template_rules::{BODY_CHARS_MAX, Part, Problem, check};
pub use templates::{Examples, TemplateDefinition, UrlButton, creation_json};

use crate::config::section::SenderConfig;
use crate::domain::message::Message;
use crate::domain::outcome::Outcome;
use secrecy::SecretString;
use std::time::Duration;

/// A way to send messages. One gateway is one sending number.
#[derive(Debug)]
pub enum Gateway {
    /// Meta's own Cloud API.
    CloudApi(CloudApi),
}

impl Gateway {
    /// The gateway of the sender `name`.
    ///
    /// # Errors
    /// The client cannot be built: no certificates, a bad proxy or base URL.
    pub fn of(name: &str, sender: &SenderConfig) -> Result<Self, BuildError> {
        let proxy = (!sender.proxy.is_empty()).then(|| SecretString::from(sender.proxy.clone()));
        let api = CloudApi::new(CloudApiSettings {
            lane: name.to_owned(),
            base_url: sender.base_url.clone(),
            version: sender.version.clone(),
            phone_number_id: sender.phone_number_id.clone(),
            token: sender.token.clone(),
            proxy,
            timeout: Duration::from_millis(sender.timeout_ms),
            connect_timeout: Duration::from_millis(sender.connect_timeout_ms),
            idle_timeout: Duration::from_secs(20),
        })?;
        Ok(Self::CloudApi(api))
    }

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
