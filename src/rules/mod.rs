//! Owns: who the recipients are, and what the company's rules say. Pure: facts, policy and now in, decision out. No IO, no clock, no
//! logging.

pub mod consent;
pub mod mass;
pub mod quiet;
pub mod recipients;

pub mod cancellation;
pub mod checks;
pub mod identity;
pub mod ownership;
pub mod termination;
pub mod upgrade;

use crate::domain::decision::Rule;

/// Every condition of `rule`, in the order they are looked at.
#[must_use]
pub const fn conditions(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::Upgrade => &upgrade::CONDITIONS,
        Rule::Ownership => &ownership::CONDITIONS,
        Rule::Cancellation => &cancellation::CONDITIONS,
        Rule::Termination => &termination::CONDITIONS,
        Rule::Identity => &identity::CONDITIONS,
    }
}

/// The version of `rule`: it rises when its meaning changes.
#[must_use]
pub const fn version(rule: Rule) -> u16 {
    match rule {
        Rule::Upgrade => upgrade::VERSION,
        Rule::Ownership => ownership::VERSION,
        Rule::Cancellation => cancellation::VERSION,
        Rule::Termination => termination::VERSION,
        Rule::Identity => identity::VERSION,
    }
}
