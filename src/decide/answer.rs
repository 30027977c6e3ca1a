//! Owns: an answer and its JSON, for the stub and for `--json`.

use serde_json::{Value as Json, json};

use crate::domain::decision::{Decision, DecisionId};

/// A decision with its id.
#[derive(Clone, Debug)]
pub struct Answer {
    pub id: DecisionId,
    pub decision: Decision,
}

impl Answer {
    /// What the asker gets.
    #[must_use]
    pub fn json(&self) -> Json {
        let reasons: Vec<Json> = self
            .decision
            .conditions
            .iter()
            .map(|one| json!({ "code": one.code, "passed": one.passed, "text": "" }))
            .collect();
        json!({
            "decision": self.decision.verdict.code(),
            "reasons": reasons,
            "values": {},
            "id": self.id.to_string(),
        })
    }
}
