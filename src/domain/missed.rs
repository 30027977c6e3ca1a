//! Owns: what the stub tells of a decision that was not to be had in time, as values: which, why, and what it did instead.

use super::decision::Rule;
use super::event::{FieldValue, HookEvent};
use super::ids::ClientId;

/// The stub's own event.
pub const HOOK: &str = "HookbridgeDecisionMissed";

/// Characters of a word of the stub's that are kept.
const WORD_CHARS_MAX: usize = 64;

/// A decision that the platform went on without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// `None`: a name that this version does not know.
    pub rule: Option<Rule>,
    /// Where it was asked.
    pub hook: String,
    /// `deadline`, `no_answer`, `failed`, `refused`, `nonsense`, `resting`, `error`.
    pub cause: String,
    /// What was done: `open` (the platform went on) or `closed` (it was refused).
    pub on_failure: String,
    pub deadline_ms: Option<u64>,
    pub client_id: Option<ClientId>,
    /// The other ids of the question, by their field's name.
    pub about: Vec<(&'static str, u64)>,
}

impl Missed {
    /// Reads the event. A word that it does not say is empty.
    #[must_use]
    pub fn read(event: &HookEvent) -> Self {
        let id = |name: &str| event.fields.get(name).and_then(FieldValue::as_id);
        // It goes into logs and tables: letters and digits, nothing else.
        let word = |name: &str| {
            let text = event.fields.get(name).and_then(FieldValue::as_text).unwrap_or_default();
            text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(WORD_CHARS_MAX).collect::<String>()
        };
        let about = ["service_id", "contact_id", "to_product_id", "upgrade_id"];
        Self {
            rule: Rule::parse(&word("rule")),
            hook: word("hook"),
            cause: word("cause"),
            on_failure: word("on_failure"),
            deadline_ms: id("deadline_ms"),
            client_id: id("client_id").map(ClientId),
            about: about.into_iter().filter_map(|name| Some((name, id(name)?))).collect(),
        }
    }

    /// The rule's name.
    #[must_use]
    pub fn rule_name(&self) -> &'static str {
        self.rule.map_or("unknown rule", Rule::code)
    }
}
