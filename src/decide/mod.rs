//! Owns: answering a question: facts out of `billing`, a rule out of `rules`, words in the client's language, the decision
//! kept in `store`. Stands above those rooms and below the two that ask: `http` and `cli`.

pub mod answer;
pub mod question;

use uuid::Uuid;

pub use answer::Answer;
pub use question::{Question, QuestionError};

use crate::config::rules::{AskConfig, RulesConfig};
use crate::domain::decision::{Decision, DecisionId, Rule, Verdict};

/// Answers questions.
#[derive(Clone, Debug)]
pub struct Decider {
    config: RulesConfig,
}

impl Decider {
    #[must_use]
    pub fn new(config: RulesConfig) -> Self {
        Self { config }
    }

    /// What is configured for every rule alike.
    #[must_use]
    pub fn settings(&self, rule: Rule) -> AskConfig {
        match rule {
            Rule::Upgrade => self.config.upgrade.ask,
            Rule::Ownership => self.config.ownership.ask,
            Rule::Cancellation => self.config.cancellation.ask,
            Rule::Termination => self.config.termination.ask,
            Rule::Identity => self.config.identity.ask,
        }
    }

    /// Answers `question`.
    pub fn ask(&self, question: &Question) -> Answer {
        let decision = Decision {
            rule: question.rule(),
            version: 1,
            verdict: Verdict::Allow,
            conditions: Vec::new(),
            values: std::collections::BTreeMap::new(),
            currency: None,
            message: None,
            notices: Vec::new(),
        };
        Answer { id: DecisionId(Uuid::now_v7()), decision }
    }
}
