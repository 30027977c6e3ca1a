//! Owns: whether a service may be removed from its server now. It keeps the promise of a cancellation: fully operational
//! until the day it takes effect (E8). A termination that no cancellation asked for (unpaid, by staff) is no business of it.

use jiff::civil::{Date, DateTime};

use super::checks::{Checks, effective_date, is_own};
use crate::domain::case::{CancelRequest, Hosted};
use crate::domain::decision::{Decision, Rule, Value, Verdict};

/// Rises when the rule's meaning changes.
pub const VERSION: u16 = 1;

/// Every condition, in the order they are looked at.
pub const CONDITIONS: [&str; 5] =
    ["service_found", "own_service", "cancellation_requested", "cancellation_allowed", "effective_date_reached"];
/// Every sentence that sums a decision up.
pub const MESSAGES: [&str; 2] = ["may_go", "too_early"];

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub service: Option<Hosted>,
    /// Who the asker says the owner is.
    pub claimed_client: Option<u64>,
    /// The newest request to cancel this service.
    pub request: Option<CancelRequest>,
    /// The cancellation rule had refused it when it was requested.
    pub was_denied: bool,
}

/// Whether the service may be removed on `today`, the day where the platform is.
#[must_use]
pub fn decide(facts: &Facts, today: Date) -> Decision {
    let mut checks = Checks::default();
    checks.note("service_found", facts.service.is_some());
    if let Some(service) = &facts.service {
        let own = checks.must("own_service", is_own(facts.claimed_client, service.client_id.0));
        if own {
            checks.note("cancellation_requested", facts.request.is_some());
        }
        if let Some(request) = facts.request.filter(|_| own) {
            let asked = request.at.map_or(today, DateTime::date);
            let effective = effective_date(request.kind, asked, service.next_due);
            checks.must("cancellation_allowed", !facts.was_denied);
            checks.must("effective_date_reached", today >= effective);
            checks.value("effective_date", Value::Date(effective));
        }
    }
    let denied = checks.denied();
    let verdict = if denied { Verdict::Deny } else { Verdict::Allow };
    let mut decision = checks.decision(Rule::Termination, VERSION, verdict, None);
    decision.message = Some(if denied { "too_early" } else { "may_go" });
    decision
}
