//! Owns: the settings of the company's rules. Every field is explained in `default.toml`.

use serde::Deserialize;

use super::DEFAULTS;
use crate::domain::decision::Rule;

#[derive(Clone, Debug, Deserialize)]
pub struct RulesConfig {
    pub ask_url: String,
    pub upgrade: UpgradeConfig,
    pub ownership: OwnershipConfig,
    pub cancellation: CancellationConfig,
    pub termination: TerminationConfig,
    pub identity: IdentityConfig,
}

impl RulesConfig {
    /// The defaults.
    ///
    /// # Panics
    /// Never: they are embedded, and every start reads them.
    #[must_use]
    pub fn built_in() -> Self {
        #[derive(Deserialize)]
        struct Defaults {
            rules: RulesConfig,
        }
        toml::from_str::<Defaults>(DEFAULTS).expect("the embedded defaults").rules
    }

    /// What `rule` has in common with the others.
    #[must_use]
    pub fn ask(&self, rule: Rule) -> AskConfig {
        match rule {
            Rule::Upgrade => self.upgrade.ask,
            Rule::Ownership => self.ownership.ask,
            Rule::Cancellation => self.cancellation.ask,
            Rule::Termination => self.termination.ask,
            Rule::Identity => self.identity.ask,
        }
    }
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
