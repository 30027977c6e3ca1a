//! Owns: whether a client's or contact's data may be saved: no second client with the same e-mail (D1), and a phone that
//! alerts can reach (A: "keep your phone up to date").

use crate::domain::decision::{Decision, Rule, Value, Verdict};
use crate::domain::ids::ClientId;
use crate::domain::phone::{PhoneError, PhonePolicy, normalize};
use crate::domain::reason::Reason;

use super::checks::Checks;

/// Rises when the rule's meaning changes.
pub const VERSION: u16 = 1;

/// Every condition, in the order they are looked at.
pub const CONDITIONS: [&str; 2] = ["email_free", "phone_usable"];
/// Further sentences for the page.
pub const NOTICES: [&str; 3] = ["phone_missing", "phone_invalid", "phone_not_mobile"];

/// What to do about a phone that cannot be a WhatsApp number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPhone {
    Refuse,
    Warn,
    Ignore,
}

/// What the company decided.
#[derive(Clone, Debug)]
pub struct Policy {
    pub bad_phone: BadPhone,
    /// ISO 3166 alpha-2, for numbers without a country.
    pub default_country: String,
    pub phone: PhonePolicy,
}

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// A contact's data: only clients need an e-mail of their own.
    pub contact: bool,
    /// Other clients with the same e-mail.
    pub same_email: Vec<ClientId>,
    /// As typed, with the calling code that the form sent beside it. `None`: the form has no such field, or it is locked.
    pub phone: Option<String>,
    pub phone_prefix: String,
    pub country: String,
}

/// Whether the data may be saved.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy) -> Decision {
    let mut checks = Checks::default();
    if !facts.contact {
        checks.must("email_free", facts.same_email.is_empty());
    }
    let mut notices = Vec::new();
    // A contact need not have a phone: the platform's form for billing contacts does not require one.
    let phone = facts.phone.as_deref().filter(|phone| !(facts.contact && phone.trim().is_empty()));
    if let Some(phone) = phone.filter(|_| policy.bad_phone != BadPhone::Ignore) {
        let stored = stored(phone, &facts.phone_prefix);
        let read = normalize(&stored, &facts.country, &policy.default_country, &policy.phone);
        checks.must_if(policy.bad_phone == BadPhone::Refuse, "phone_usable", read.is_ok());
        match read {
            Ok(phone) => checks.text("phone_e164", phone.e164.as_str()),
            Err(error) => notices.push(notice(error)),
        }
    }
    checks.value("warnings", Value::Number(i64::try_from(notices.len()).unwrap_or(i64::MAX)));
    let verdict = if checks.denied() { Verdict::Deny } else { Verdict::Allow };
    let mut decision = checks.decision(Rule::Identity, VERSION, verdict, None);
    decision.notices = notices;
    decision
}

/// The number as the platform will store it: `+CC.NUMBER`.
fn stored(phone: &str, prefix: &str) -> String {
    let code: String = prefix.chars().filter(char::is_ascii_digit).collect();
    let no_number = !phone.contains(|c: char| c.is_ascii_digit());
    let complete = phone.trim_start().starts_with('+');
    if code.is_empty() || no_number || complete { phone.to_owned() } else { format!("+{code}.{phone}") }
}

fn notice(error: PhoneError) -> &'static str {
    match error.reason() {
        Reason::PhoneMissing => "phone_missing",
        Reason::PhoneNotMobile => "phone_not_mobile",
        _ => "phone_invalid",
    }
}
