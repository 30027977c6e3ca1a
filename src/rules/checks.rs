//! Owns: what the company's rules share: gathering conditions, who owes, what a promise of a date means.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::case::{Account, CancelKind, Debt, Hosted};
use crate::domain::decision::{Condition, Decision, Rule, Value, Verdict};
use crate::domain::money::Currency;

/// Conditions as they are looked at, and what the texts may name.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) conditions: Vec<Condition>,
    pub(super) values: BTreeMap<&'static str, Value>,
    denied: bool,
}

impl Checks {
    /// Notes a condition that must hold.
    pub(super) fn must(&mut self, code: &'static str, passed: bool) -> bool {
        self.denied |= !passed;
        self.note(code, passed)
    }

    /// Notes a condition that may fail.
    pub(super) fn note(&mut self, code: &'static str, passed: bool) -> bool {
        self.conditions.push(Condition { code, passed });
        passed
    }

    /// A condition that must hold, or may fail if the company allows it.
    pub(super) fn must_if(&mut self, strict: bool, code: &'static str, passed: bool) -> bool {
        if strict { self.must(code, passed) } else { self.note(code, passed) }
    }

    pub(super) fn value(&mut self, name: &'static str, value: Value) {
        self.values.insert(name, value);
    }

    pub(super) fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.value(name, Value::Text(text.into()));
    }

    /// Whether a condition that must hold does not.
    pub(super) fn denied(&self) -> bool {
        self.denied
    }

    /// The first condition that failed.
    pub(super) fn first_failed(&self) -> Option<&'static str> {
        self.conditions.iter().find(|one| !one.passed).map(|one| one.code)
    }

    pub(super) fn decision(self, rule: Rule, version: u16, verdict: Verdict, currency: Option<Currency>) -> Decision {
        Decision {
            rule,
            version,
            verdict,
            conditions: self.conditions,
            values: self.values,
            currency,
            message: None,
            notices: Vec::new(),
        }
    }
}

/// Whether an invoice is overdue on `today`. Platform: never stored, always computed. What is with a collector is overdue
/// whatever its date; what is being paid is not; an invoice of 0.00 is owed by nobody.
#[must_use]
pub fn is_overdue(debt: &Debt, today: Date) -> bool {
    let owed = !debt.balance.is_zero() && !debt.balance.is_negative();
    match debt.status.as_str() {
        "Collections" => owed,
        "Unpaid" => owed && debt.due.is_some_and(|due| due < today),
        _ => false,
    }
}

/// Whether money is still to come for an invoice, overdue or not.
#[must_use]
pub fn is_due(debt: &Debt) -> bool {
    let owed = !debt.balance.is_zero() && !debt.balance.is_negative();
    owed && matches!(debt.status.as_str(), "Unpaid" | "Collections")
}

/// The numbers of the overdue invoices.
pub(super) fn overdue(debts: &[Debt], today: Date) -> Vec<String> {
    debts.iter().filter(|debt| is_overdue(debt, today)).map(|debt| debt.number.clone()).collect()
}

/// Whether the one who asks may: nobody was named, or the owner.
pub(super) fn is_own(claimed: Option<u64>, owner: u64) -> bool {
    claimed.is_none_or(|claimed| claimed == owner)
}

/// The day a cancellation takes effect. The paid period ends on the first day that is not paid; where nothing is paid
/// ahead any more, the day of the request is all that is left.
#[must_use]
pub fn effective_date(kind: CancelKind, requested: Date, next_due: Option<Date>) -> Date {
    match kind {
        CancelKind::Immediate => requested,
        CancelKind::EndOfPeriod => next_due.map_or(requested, |end| end.max(requested)),
    }
}

/// What a service is called in a text.
pub(super) fn name_of(service: &Hosted) -> String {
    if service.domain.is_empty() {
        service.product.clone()
    } else {
        format!("{} ({})", service.product, service.domain)
    }
}

/// The currency of an account's amounts.
pub(super) fn currency_of(account: Option<&Account>) -> Option<Currency> {
    account.and_then(|account| account.currency.clone())
}

/// An administrator's exception on record: what was refused is allowed, and says so.
#[must_use]
pub fn overridden(mut decision: Decision) -> Decision {
    if matches!(decision.verdict, Verdict::Deny | Verdict::Review) {
        decision.verdict = Verdict::Allow;
        decision.conditions.push(Condition { code: "override", passed: true });
        decision.values.insert("override", Value::Flag(true));
        decision.message = None;
    }
    decision
}

/// The answer of a rule that is switched off.
#[must_use]
pub fn switched_off(rule: Rule) -> Decision {
    let mut checks = Checks::default();
    checks.note("rule_enabled", false);
    checks.decision(rule, 0, Verdict::Allow, None)
}
