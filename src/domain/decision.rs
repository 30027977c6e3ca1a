//! Owns: what a decision is: the company's rules by name, what they can say, and why.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use uuid::Uuid;

use super::case::Debt;
use super::closed_list::closed_list;
use super::money::{Currency, Money};
use super::record::Cancelled;

closed_list! {
    /// The company's rules that can be asked before something happens.
    Rule {
        /// What a higher plan costs, and whether it can be had automatically.
        Upgrade = "upgrade",
        /// Whether a service may go to another client.
        Ownership = "ownership",
        /// Whether and when a cancellation takes effect.
        Cancellation = "cancellation",
        /// Whether a service may be removed from its server now.
        Termination = "termination",
        /// Whether these client data may be saved.
        Identity = "identity",
    }
}

closed_list! {
    /// What a rule says.
    Verdict {
        /// Go on.
        Allow = "allow",
        /// Do not.
        Deny = "deny",
        /// Go on, with the values of the answer.
        Adjust = "adjust",
        /// A person must look first.
        Review = "review",
    }
}

/// One condition of a rule, and whether it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    pub code: &'static str,
    pub passed: bool,
}

/// Something that a text may name or an answer carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(i64),
    Flag(bool),
    Money(Money),
    Date(Date),
    List(Vec<String>),
    Debts(Vec<Debt>),
}

/// What a rule decided, with every condition it looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub rule: Rule,
    /// Rises when the rule's meaning changes; kept with each stored decision.
    pub version: u16,
    pub verdict: Verdict,
    pub conditions: Vec<Condition>,
    pub values: BTreeMap<&'static str, Value>,
    /// The currency of the amounts among the values.
    pub currency: Option<Currency>,
    /// Which text sums it up, if any.
    pub message: Option<&'static str>,
    /// Further texts that the asker shows.
    pub notices: Vec<&'static str>,
}

impl Decision {
    /// What a decision about a cancellation means for the service.
    #[must_use]
    pub fn cancelled(&self) -> Cancelled {
        let effective = match self.values.get("effective_date") {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        };
        let due = match self.values.get("due_invoices") {
            Some(Value::Debts(debts)) => debts.clone(),
            _ => Vec::new(),
        };
        Cancelled { allowed: matches!(self.verdict, Verdict::Allow | Verdict::Adjust), effective, due }
    }

    /// Whether the condition `code` was looked at and holds.
    #[must_use]
    pub fn passed(&self, code: &str) -> Option<bool> {
        self.conditions.iter().find(|one| one.code == code).map(|one| one.passed)
    }
}

/// A stored decision's id: `dec_` and 32 hexadecimal digits of a `UUIDv7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecisionId(pub Uuid);

impl DecisionId {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text.strip_prefix("dec_")?).ok().map(Self)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dec_{}", self.0.as_simple())
    }
}
