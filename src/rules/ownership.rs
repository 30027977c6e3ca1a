//! Owns: whether a service may go to another client (D1 to D8).

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::checks::{Checks, currency_of, is_own, name_of, overdue};
use super::consent::fold;
use crate::domain::case::{Account, Debt, Hosted, same_email};
use crate::domain::decision::{Decision, Rule, Value, Verdict};
use crate::domain::phone::{PhonePolicy, normalize};
use crate::domain::record::ClientStatus;

/// Rises when the rule's meaning changes.
pub const VERSION: u16 = 1;

/// Every condition, in the order they are looked at.
pub const CONDITIONS: [&str; 12] = [
    "service_found",
    "own_service",
    "service_active",
    "owner_open",
    "new_owner_found",
    "new_owner_open",
    "other_account",
    "emails_differ",
    "asked_by_owner",
    "owner_up_to_date",
    "new_owner_up_to_date",
    "data_alike",
];
/// Every sentence that sums a decision up.
pub const MESSAGES: [&str; 3] = ["may_move", "telephone_first", "may_not_move"];

/// Points of difference. What one side does not know is no difference.
const NAME_PARTLY: u32 = 1;
const NAME: u32 = 2;
const COMPANY: u32 = 1;
const COUNTRY: u32 = 2;
const TAX_ID: u32 = 2;
const PHONE: u32 = 1;

/// What the company decided.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Points of difference from which somebody telephones first.
    pub review_from: u32,
    /// ISO 3166 alpha-2, for numbers without a country.
    pub default_country: String,
    pub phone: PhonePolicy,
}

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub service: Option<Hosted>,
    pub owner: Option<Account>,
    pub new_owner: Option<Account>,
    /// Who the asker says the owner is.
    pub claimed_client: Option<u64>,
    /// The address that the request came from.
    pub sender: Option<String>,
    pub owner_debts: Vec<Debt>,
    pub new_owner_debts: Vec<Debt>,
}

/// Whether the service may move on `today`.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy, today: Date) -> Decision {
    let mut checks = Checks::default();
    let (owner, new) = (facts.owner.as_ref(), facts.new_owner.as_ref());
    let service = facts.service.as_ref();
    if checks.must("service_found", service.is_some())
        && let Some(service) = service
    {
        checks.text("product", name_of(service));
        checks.must("own_service", is_own(facts.claimed_client, service.client_id.0));
        checks.must("service_active", service.status == "Active");
        checks.must("owner_open", owner.is_some_and(is_open));
    }
    checks.must("new_owner_found", new.is_some());
    if let Some(new) = new {
        checks.must("new_owner_open", is_open(new));
    }
    if let (Some(owner), Some(new)) = (owner, new) {
        checks.must("other_account", owner.id != new.id);
        let shared = addresses(owner).any(|one| addresses(new).any(|other| same_email(one, other)));
        checks.must("emails_differ", !shared);
    }
    if let Some(owner) = owner {
        let sender = facts.sender.as_deref().unwrap_or_default();
        checks.must("asked_by_owner", addresses(owner).any(|one| same_email(one, sender)));
        let owed = overdue(&facts.owner_debts, today);
        checks.must("owner_up_to_date", owed.is_empty());
        checks.value("owner_overdue", Value::List(owed));
    }
    if new.is_some() {
        let owed = overdue(&facts.new_owner_debts, today);
        checks.must("new_owner_up_to_date", owed.is_empty());
        checks.value("new_owner_overdue", Value::List(owed));
    }
    let mut alike = true;
    if let (Some(owner), Some(new)) = (owner, new) {
        let (score, differences) = difference(owner, new, policy);
        alike = checks.note("data_alike", score < policy.review_from);
        checks.value("score", Value::Number(score.into()));
        checks.value("differences", Value::List(differences.into_iter().map(str::to_owned).collect()));
    }
    let (verdict, message) = match (checks.denied(), alike) {
        (true, _) => (Verdict::Deny, "may_not_move"),
        (false, false) => (Verdict::Review, "telephone_first"),
        (false, true) => (Verdict::Allow, "may_move"),
    };
    let mut decision = checks.decision(Rule::Ownership, VERSION, verdict, currency_of(owner));
    decision.message = Some(message);
    decision
}

fn is_open(account: &Account) -> bool {
    account.status != ClientStatus::Closed
}

/// The account's own address and those of the logins that own it.
fn addresses(account: &Account) -> impl Iterator<Item = &str> {
    std::iter::once(account.email.as_str()).chain(account.owner_emails.iter().map(String::as_str))
}

/// How much the two accounts' data differ, 0 to 8 points, and in what.
#[must_use]
pub fn difference(a: &Account, b: &Account, policy: &Policy) -> (u32, Vec<&'static str>) {
    let mut found = Vec::new();
    let mut score = 0;
    let mut add = |points: u32, what: &'static str| {
        if points > 0 {
            score += points;
            found.push(what);
        }
    };
    add(names(a, b), "name");
    add(if differ(&fold(&a.company), &fold(&b.company)) { COMPANY } else { 0 }, "company");
    add(if differ(&fold(&a.country), &fold(&b.country)) { COUNTRY } else { 0 }, "country");
    add(if differ(&letters(&a.tax_id), &letters(&b.tax_id)) { TAX_ID } else { 0 }, "tax_id");
    add(if differ(&phone(a, policy), &phone(b, policy)) { PHONE } else { 0 }, "phone");
    (score, found)
}

fn differ(a: &str, b: &str) -> bool {
    !a.is_empty() && !b.is_empty() && a != b
}

/// No word in common is another person; some in common may be a relative, or the same one with a second name.
fn names(a: &Account, b: &Account) -> u32 {
    let words = |account: &Account| {
        let full = fold(&format!("{} {}", account.first_name, account.last_name));
        full.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let (a, b) = (words(a), words(b));
    if a.is_empty() || b.is_empty() || a == b {
        0
    } else if a.is_disjoint(&b) {
        NAME
    } else {
        NAME_PARTLY
    }
}

/// `20-12345678-9` and `20123456789` are the same.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn phone(account: &Account, policy: &Policy) -> String {
    normalize(&account.phone, &account.country, &policy.default_country, &policy.phone)
        .map_or_else(|_| account.phone.chars().filter(char::is_ascii_digit).collect(), |p| p.e164.digits().to_owned())
}
