//! Owns: what the stub tells afterwards: a decision that was not to be had in time, and what it did instead.

use super::plan::Outcome;
use crate::domain::event::HookEvent;
use crate::domain::missed::Missed;
use crate::domain::reason::Reason;

/// Puts it on record: `termination at PreModuleTerminate, service 7: deadline, closed`.
pub(super) fn note(event: &HookEvent, outcome: &mut Outcome) {
    let missed = Missed::read(event);
    let service = missed.about.iter().find(|(name, _)| *name == "service_id");
    let about = service.map_or_else(String::new, |(_, service)| format!(", service {service}"));
    let Missed { hook, cause, on_failure, .. } = &missed;
    let detail = format!("{} at {hook}{about}: {cause}, {on_failure}", missed.rule_name());
    outcome.skip(None, missed.client_id, Reason::DecisionMissed, Some(detail));
}
