//! Owns: how a notice reaches administrators by e-mail or webhook, and when a channel speaks ([`plan`]).
//! Must not know: what the needs are, the words, our tables.

mod hook;
mod mail;
pub mod plan;

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::config::notify::{EmailConfig, MannerConfig, NotifyConfig, WebhookConfig};
use crate::config::section::is_empty;
use crate::domain::closed_list::closed_list;
use jiff::Timestamp;

/// Characters of an error that are kept.
const DETAIL_CHARS_MAX: usize = 280;

closed_list! {
    /// A way to administrators.
    Channel {
        Email = "email",
        Webhook = "webhook",
        WhatsApp = "whatsapp",
    }
}

impl Channel {
    /// Whether somebody is reached by it.
    #[must_use]
    pub fn is_on(self, config: &NotifyConfig) -> bool {
        match self {
            Self::Email => !config.email.to.is_empty(),
            Self::Webhook => !is_empty(&config.webhook.url),
            Self::WhatsApp => !config.whatsapp.to.is_empty(),
        }
    }

    /// When it speaks.
    #[must_use]
    pub fn manner(self, config: &NotifyConfig) -> &MannerConfig {
        match self {
            Self::Email => &config.email.manner,
            Self::Webhook => &config.webhook.manner,
            Self::WhatsApp => &config.whatsapp.manner,
        }
    }
}

/// One notice, in the forms that the channels need.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// The same at each try: receivers know by it what they have already.
    pub id: Uuid,
    pub at: Timestamp,
    pub subject: String,
    /// Plain text, several lines.
    pub text: String,
    /// One line for a phone.
    pub line: String,
    /// For programs.
    pub json: Value,
}

/// A notice did not reach everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, without secrets.
    pub detail: String,
    /// The receiver asks for so much patience.
    pub after: Option<Duration>,
    /// Some of the recipients have it: it is not sent again.
    pub partly: bool,
}

impl Failure {
    #[must_use]
    pub fn new(detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self { detail: detail.chars().take(DETAIL_CHARS_MAX).collect(), after: None, partly: false }
    }
}

/// Sends by e-mail, to each address by itself.
///
/// # Errors
/// [`Failure`].
pub async fn by_mail(config: &EmailConfig, letter: &Letter) -> Result<(), Failure> {
    mail::send(config, letter).await
}

/// Posts to the webhook.
///
/// # Errors
/// [`Failure`].
pub async fn by_hook(config: &WebhookConfig, letter: &Letter) -> Result<(), Failure> {
    hook::post(config, letter).await
}

/// Whether the mail server answers and lets us in, without a mail.
///
/// # Errors
/// [`Failure`].
pub async fn try_mail(config: &EmailConfig) -> Result<(), Failure> {
    mail::knock(config).await
}
