//! Owns: the settings of the company's rules. Every field is explained in `default.toml`.

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct RulesConfig {
    pub ask_url: String,
    pub upgrade: UpgradeConfig,
    pub ownership: OwnershipConfig,
    pub cancellation: CancellationConfig,
    pub termination: TerminationConfig,
    pub identity: IdentityConfig,
}

/// What every rule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AskConfig {
    pub enabled: bool,
    pub on_failure: OnFailure,
    pub deadline_ms: u64,
}

/// What the stub does without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Goes on as if allowed.
    Open,
    /// Refuses.
    Closed,
}

impl OnFailure {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct UpgradeConfig {
    #[serde(flatten)]
    pub ask: AskConfig,
    pub price: String,
    pub downgrade: String,
    pub shorter_cycle: String,
    pub discount: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct OwnershipConfig {
    #[serde(flatten)]
    pub ask: AskConfig,
    pub review_from: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CancellationConfig {
    #[serde(flatten)]
    pub ask: AskConfig,
    pub renewal_invoiced: String,
    pub national_endings: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TerminationConfig {
    #[serde(flatten)]
    pub ask: AskConfig,
}

#[derive(Clone, Debug, Deserialize)]
pub struct IdentityConfig {
    #[serde(flatten)]
    pub ask: AskConfig,
    pub bad_phone: String,
}
