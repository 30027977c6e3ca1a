//! Owns: what a provider's error code leads to. The codes themselves are data, in `error_table`.
//!
//! Meta: decide on `code` (and `details`), not on the HTTP status, the subcode or the title: the same throttle arrives
//! as 400, 429 or 500. So nothing here sees a status.

use std::time::Duration;

use super::error_table::{RULES, UNKNOWN, UNKNOWN_TRANSIENT_S};
use super::redact::redact;
use crate::domain::outcome::{Fault, Outcome, Scope};

/// The longest `Retry-After` that is believed, in seconds: a day.
pub const RETRY_AFTER_MAX_S: u64 = 24 * 60 * 60;

/// Who must do something about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// T: nobody, it passes.
    Transient,
    /// P: nobody can, for this message or recipient.
    Permanent,
    /// S: an operator, before this number sends again.
    Stop,
    /// F: somebody mends the template or the values.
    Fix,
}

/// What is known about one code, or a range of codes.
#[derive(Debug)]
pub struct Rule {
    pub first: i64,
    /// Same as `first` for a single code.
    pub last: i64,
    pub class: FaultClass,
    pub scope: Scope,
    /// Seconds to wait at least. None where somebody must act first.
    pub wait_s: Option<u32>,
    /// How often to try again at most; none is the dispatcher's usual number.
    pub retries_max: Option<u32>,
    /// One sentence for an operator: what it means and what to do.
    pub advice: &'static str,
}

impl Rule {
    /// Whether the message is lost as it is: permanent, or its own values are at fault.
    fn refuses(&self) -> bool {
        match self.class {
            FaultClass::Permanent => true,
            FaultClass::Fix => self.scope == Scope::Message,
            FaultClass::Transient | FaultClass::Stop => false,
        }
    }
}

/// All rules, for documentation and tests.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// The rule of a code. A code that nobody knows waits and is tried a few times: the provider did answer, so nothing was
/// sent, and losing a message is worse than a late one.
#[must_use]
pub fn rule(code: i64) -> &'static Rule {
    RULES.iter().find(|rule| (rule.first..=rule.last).contains(&code)).unwrap_or(&UNKNOWN)
}

/// What the error `code` of a send leads to.
///
/// * permanent, or the message's own values are wrong → [`Outcome::Refused`];
/// * transient → [`Outcome::Later`] with `after`: the rule's wait or `retry_after`, whichever is longer;
/// * the number or the template must be mended → [`Outcome::Later`] without `after`: held until somebody acts (a
///   `retry_after` says nothing about when that is).
///
/// `is_transient` counts only for codes that nobody knows.
#[must_use]
pub fn outcome(code: i64, detail: &str, is_transient: Option<bool>, retry_after: Option<Duration>) -> Outcome {
    let rule = rule(code);
    let fault = Fault { code: Some(code), scope: rule.scope, detail: redact(detail) };
    if rule.refuses() {
        return Outcome::Refused(fault);
    }
    let says_transient = std::ptr::eq(rule, &raw const UNKNOWN) && is_transient == Some(true);
    let wait_s = if says_transient { Some(UNKNOWN_TRANSIENT_S) } else { rule.wait_s };
    let after = wait_s.map(|wait_s| longer(Duration::from_secs(wait_s.into()), retry_after));
    Outcome::Later { fault, after }
}

/// The longer of our own wait and what the provider asks for, within a day. Meta: no `Retry-After` is documented.
pub(super) fn longer(own: Duration, retry_after: Option<Duration>) -> Duration {
    own.max(retry_after.unwrap_or_default().min(Duration::from_secs(RETRY_AFTER_MAX_S)))
}

/// What the `code` of a `failed` receipt says. Meta: most faults of a recipient come only after a 200, as a receipt.
/// [`rule`] tells whether anybody can mend it.
#[must_use]
pub fn receipt_fault(code: i64) -> Fault {
    let rule = rule(code);
    Fault { code: Some(code), scope: rule.scope, detail: rule.advice.to_owned() }
}

/// One sentence for an operator: what the code means and what to do.
#[must_use]
pub fn explain(code: i64) -> &'static str {
    rule(code).advice
}

/// How often a message with this error is tried again at most; none is the dispatcher's usual number.
#[must_use]
pub fn retries_max(code: i64) -> Option<u32> {
    rule(code).retries_max
}
