//! Owns: what cancelling a service or a domain means, and when it takes effect (E1 to E8).

use jiff::civil::Date;

use super::checks::{Checks, currency_of, effective_date, is_due, is_own, name_of};
use crate::domain::case::{Account, CancelKind, Debt, Hosted};
use crate::domain::decision::{Decision, Rule, Value, Verdict};
use crate::domain::record::DomainName;

/// Rises when the rule's meaning changes.
pub const VERSION: u16 = 1;

/// Every condition, in the order they are looked at.
pub const CONDITIONS: [&str; 8] = [
    "service_found",
    "own_service",
    "service_live",
    "asked_before_renewal",
    "domain_found",
    "own_domain",
    "domain_live",
    "national_domain",
];
/// Every sentence that sums a decision up.
pub const MESSAGES: [&str; 6] =
    ["immediate", "end_of_period", "choose", "not_renewed_instead", "pay_first", "nothing_to_cancel"];
/// Further sentences for the page.
pub const NOTICES: [&str; 5] = ["no_refund", "still_due", "erased", "backups", "operational"];

/// Statuses of a service that can be cancelled.
const LIVE: [&str; 2] = ["Active", "Suspended"];
/// Statuses of a domain that can be cancelled.
const LIVE_DOMAIN: [&str; 3] = ["Active", "Grace", "Redemption"];

/// What the company decided.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Asked after the renewal invoice was made: refused, instead of listing the invoice as still due.
    pub late_is_refused: bool,
    /// Endings of domains that are not international.
    pub national_endings: Vec<String>,
}

/// What is to be cancelled.
#[derive(Clone, Debug)]
pub enum What {
    Service(Option<Box<Hosted>>),
    Domain(Option<DomainName>),
}

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub what: What,
    pub account: Option<Account>,
    /// Who the platform says is asking.
    pub claimed_client: Option<u64>,
    /// `None`: the client has not chosen yet.
    pub kind: Option<CancelKind>,
    /// The day of the request where the platform is.
    pub requested: Date,
    /// What is not paid of this service or domain.
    pub debts: Vec<Debt>,
}

/// What the cancellation means.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy) -> Decision {
    let mut checks = Checks::default();
    let (end, notices) = match &facts.what {
        What::Service(service) => (of_service(&mut checks, facts, service.as_deref(), policy), {
            let mut notices = vec!["no_refund"];
            notices.extend(due(facts).next().map(|_| "still_due"));
            notices.extend((facts.kind != Some(CancelKind::Immediate)).then_some("operational"));
            notices.extend(["erased", "backups"]);
            notices
        }),
        What::Domain(domain) => (of_domain(&mut checks, facts, domain.as_ref(), policy), vec!["no_refund"]),
    };
    // A stranger learns only that it belongs to somebody else.
    if matches!(checks.first_failed(), Some("service_found" | "own_service" | "domain_found" | "own_domain")) {
        let mut decision = checks.decision(Rule::Cancellation, VERSION, Verdict::Deny, None);
        decision.message = Some("nothing_to_cancel");
        return decision;
    }
    checks.value("due_invoices", Value::Debts(due(facts).cloned().collect()));
    if let Some(end) = end {
        checks.value("period_end", Value::Date(end.max(facts.requested)));
    }
    let denied = checks.denied();
    let message = match (denied, checks.first_failed(), facts.kind) {
        (true, Some("national_domain"), _) => "not_renewed_instead",
        (true, Some("asked_before_renewal"), _) => "pay_first",
        (true, ..) => "nothing_to_cancel",
        (false, _, Some(CancelKind::Immediate)) => "immediate",
        (false, _, Some(CancelKind::EndOfPeriod)) => "end_of_period",
        (false, _, None) => "choose",
    };
    if let (false, Some(kind)) = (denied, facts.kind) {
        checks.value("effective_date", Value::Date(effective_date(kind, facts.requested, end)));
    }
    let verdict = if denied { Verdict::Deny } else { Verdict::Allow };
    let mut decision = checks.decision(Rule::Cancellation, VERSION, verdict, currency_of(facts.account.as_ref()));
    decision.message = Some(message);
    if !denied {
        decision.notices = notices;
    }
    decision
}

fn due(facts: &Facts) -> impl Iterator<Item = &Debt> {
    facts.debts.iter().filter(|debt| is_due(debt))
}

/// The end of the paid period.
fn of_service(checks: &mut Checks, facts: &Facts, service: Option<&Hosted>, policy: &Policy) -> Option<Date> {
    let found = checks.must("service_found", service.is_some());
    let service = service.filter(|_| found)?;
    if !checks.must("own_service", is_own(facts.claimed_client, service.client_id.0)) {
        return None;
    }
    checks.text("product", name_of(service));
    checks.must("service_live", LIVE.contains(&service.status.as_str()));
    checks.must_if(policy.late_is_refused, "asked_before_renewal", due(facts).next().is_none());
    service.next_due
}

fn of_domain(checks: &mut Checks, facts: &Facts, domain: Option<&DomainName>, policy: &Policy) -> Option<Date> {
    let found = checks.must("domain_found", domain.is_some());
    let domain = domain.filter(|_| found)?;
    if !checks.must("own_domain", is_own(facts.claimed_client, domain.client_id.0)) {
        return None;
    }
    checks.text("product", domain.name.clone());
    checks.must("domain_live", LIVE_DOMAIN.contains(&domain.status.as_str()));
    checks.must("national_domain", is_national(&domain.name, &policy.national_endings));
    domain.expires
}

/// Whether a domain's ending is one of `endings`, in any case.
#[must_use]
pub fn is_national(domain: &str, endings: &[String]) -> bool {
    let name = domain.trim().trim_end_matches('.').to_lowercase();
    endings.iter().any(|ending| name.ends_with(&ending.to_lowercase()))
}
