//! Owns: what the stub tells afterwards: a decision that was not to be had in time, and what it did instead.

use super::plan::Outcome;
use crate::domain::decision::Rule;
use crate::domain::event::{FieldValue, HookEvent};
use crate::domain::ids::ClientId;
use crate::domain::reason::Reason;

/// The stub's own event.
pub const HOOK: &str = "HookbridgeDecisionMissed";

/// Puts it on record: `termination at PreModuleTerminate, service 7: deadline, closed`.
pub(super) fn note(event: &HookEvent, outcome: &mut Outcome) {
    let word = |name: &str| {
        let text = event.fields.get(name).and_then(FieldValue::as_text).unwrap_or("?");
        text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect::<String>()
    };
    let id = |name: &str| event.fields.get(name).and_then(FieldValue::as_id);
    let about = id("service_id").map_or_else(String::new, |service| format!(", service {service}"));
    let rule = Rule::parse(&word("rule")).map_or("unknown rule", Rule::code);
    let detail = format!("{rule} at {}{about}: {}, {}", word("hook"), word("cause"), word("on_failure"));
    outcome.skip(None, id("client_id").map(ClientId), Reason::DecisionMissed, Some(detail));
}
