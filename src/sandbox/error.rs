//! Owns: the provider's refusals: code → text and HTTP status, and their JSON (Meta's rules).

use serde_json::{Map, Value, json};

/// How `error_data` is written: all three were seen in real logs (Meta's rules).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorData {
    #[default]
    Object,
    Text,
    Absent,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub http_status: u16,
    pub code: u32,
    pub subcode: Option<u32>,
    /// Goes to `error_data.details`.
    pub details: String,
    pub error_data: ErrorData,
    pub transient: Option<bool>,
    /// `error_user_title` and `error_user_msg`, which template errors carry.
    pub user: Option<(&'static str, String)>,
}

impl ApiError {
    /// A refusal with the usual HTTP status of its code.
    #[must_use]
    pub fn new(code: u32, details: impl Into<String>) -> Self {
        Self {
            http_status: usual_status(code),
            code,
            subcode: None,
            details: details.into(),
            error_data: ErrorData::Object,
            transient: None,
            user: None,
        }
    }

    /// 100: a parameter that is unsupported, misspelt, too long or empty.
    #[must_use]
    pub fn parameter(details: impl Into<String>) -> Self {
        Self::new(100, details)
    }

    /// An id in the path that is not ours.
    #[must_use]
    pub fn no_object(id: &str) -> Self {
        let details = format!(
            "Unsupported request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, \
             or does not support this operation"
        );
        Self { subcode: Some(33), error_data: ErrorData::Absent, ..Self::new(100, details) }
    }

    /// 401/190.
    #[must_use]
    pub fn token() -> Self {
        Self { error_data: ErrorData::Absent, ..Self::new(190, "Invalid OAuth access token") }
    }

    /// A template that cannot be created (Meta's rules).
    #[must_use]
    pub fn template(subcode: u32, title: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            subcode: Some(subcode),
            error_data: ErrorData::Absent,
            transient: Some(false),
            user: Some((title, message.clone())),
            ..Self::new(100, message)
        }
    }

    #[must_use]
    pub fn with_http_status(mut self, http_status: u16) -> Self {
        self.http_status = http_status;
        self
    }

    /// `(#code) text`, as in `message`.
    #[must_use]
    pub fn message(&self) -> String {
        match self.code {
            190 => self.details.clone(),
            100 if self.subcode == Some(33) => self.details.clone(),
            2 => title(2).to_owned(),
            code => format!("(#{code}) {}", title(code)),
        }
    }

    /// The body as in Meta's rules.
    #[must_use]
    pub fn to_json(&self, trace_id: &str) -> Value {
        let mut error = Map::new();
        error.insert("message".into(), self.message().into());
        let kind = if self.code == 2 { "GraphMethodException" } else { "OAuthException" };
        error.insert("type".into(), kind.into());
        error.insert("code".into(), self.code.into());
        match self.error_data {
            ErrorData::Object => {
                error.insert("error_data".into(), json!({"messaging_product": "whatsapp", "details": self.details}));
            }
            ErrorData::Text => {
                error.insert("error_data".into(), self.details.clone().into());
            }
            ErrorData::Absent => {}
        }
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".into(), subcode.into());
        }
        if let Some(transient) = self.transient {
            error.insert("is_transient".into(), transient.into());
        }
        if let Some((title, message)) = &self.user {
            error.insert("error_user_title".into(), (*title).into());
            error.insert("error_user_msg".into(), message.clone().into());
        }
        error.insert("fbtrace_id".into(), trace_id.into());
        json!({ "error": error })
    }
}

/// The HTTP status that sources name for a code; 400 where none does (Meta's rules).
#[must_use]
pub fn usual_status(code: u32) -> u16 {
    match code {
        0 | 190 => 401,
        10 | 200..=299 | 368 | 130_497 | 131_031 => 403,
        1..=3 | 134_102 => 500,
        _ => 400,
    }
}

/// The short text of a code (Meta's rules).
#[must_use]
pub fn title(code: u32) -> &'static str {
    match code {
        2 => "An unexpected error occurred. Please retry your request",
        4 => "Application request limit reached",
        100 => "Invalid parameter",
        190 => "Access token has expired",
        368 => "Temporarily blocked for policies violations",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        33 | 131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_042 => "Business eligibility payment issue",
        131_045 => "Incorrect certificate",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => "User has stopped receiving marketing messages from your business",
        131_051 => "Unsupported message type",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Business Account is in maintenance mode",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_005 => "Translated text too long",
        132_007 => "Template format character policy violated",
        132_012 => "Parameter format does not match format in the created template",
        132_015 => "Template is paused",
        132_016 => "Template is disabled",
        132_018 => "There's an issue with the parameters in your template",
        133_010 => "Phone number not registered",
        135_000 => "Generic user error",
        _ => "Something went wrong",
    }
}
