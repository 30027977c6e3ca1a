//! Owns: the company's rules as they are in force: what the configuration says of each, how often it was asked, and what it
//! would say. A question of an administrator's is kept as a what-if, like one at the command line; nobody acts on it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::{AdminError, Desk};
use crate::billing::Billing;
use crate::billing::belongings::{Belongings, Targets};
use crate::config::rules::{AskConfig, RulesConfig};
use crate::decide::question::Fields;
use crate::decide::{Answer, Asker, Decider, Question, QuestionError};
use crate::domain::admin::{Role, Who};
use crate::domain::decision::{Rule, Verdict};
use crate::domain::locale::Locale;
use crate::rules;
use crate::store::decision::{Kept, keep};
use crate::store::figure::{self, Kind, hour_of};
use crate::store::{Store, StoreError};

/// What the counts are of.
pub const DAYS: i64 = 30;

/// A rule, and how it does.
#[derive(Clone, Debug)]
pub struct Standing {
    pub rule: Rule,
    pub version: u16,
    pub ask: AskConfig,
    /// What the company decided, by the name of its setting below `rules.<rule>`.
    pub policy: Vec<(&'static str, String)>,
    pub counts: Counts,
}

/// Answers of the last [`DAYS`], counted per hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Given in earnest, by what was said.
    pub verdicts: BTreeMap<Verdict, u64>,
    /// Asked by somebody who only wanted to know.
    pub what_if: u64,
    /// What the platform went on without, by what the stub did: it went on, or refused.
    pub missed_open: u64,
    pub missed_closed: u64,
    pub last_at: Option<Timestamp>,
}

impl Counts {
    /// Answers given in earnest.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// Those that stopped something.
    #[must_use]
    pub fn refused(&self) -> u64 {
        let of = |verdict| self.verdicts.get(&verdict).copied().unwrap_or(0);
        of(Verdict::Deny) + of(Verdict::Review)
    }

    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed_open + self.missed_closed
    }
}

/// All rules.
///
/// # Errors
/// The database.
pub async fn all(store: &Store, config: &RulesConfig, now: Timestamp) -> Result<Vec<Standing>, AdminError> {
    let counts = counts(store, now).await?;
    let one = |rule: &Rule| Standing {
        rule: *rule,
        version: rules::version(*rule),
        ask: config.ask(*rule),
        policy: policy(config, *rule),
        counts: counts.get(rule).cloned().unwrap_or_default(),
    };
    Ok(Rule::ALL.iter().map(one).collect())
}

fn policy(config: &RulesConfig, rule: Rule) -> Vec<(&'static str, String)> {
    match rule {
        Rule::Upgrade => vec![
            ("price", config.upgrade.price.clone()),
            ("downgrade", config.upgrade.downgrade.clone()),
            ("shorter_cycle", config.upgrade.shorter_cycle.clone()),
            ("discount", config.upgrade.discount.clone()),
        ],
        Rule::Ownership => vec![("review_from", config.ownership.review_from.to_string())],
        Rule::Cancellation => vec![
            ("renewal_invoiced", config.cancellation.renewal_invoiced.clone()),
            ("national_endings", config.cancellation.national_endings.join(" ")),
        ],
        Rule::Termination => Vec::new(),
        Rule::Identity => vec![("bad_phone", config.identity.bad_phone.clone())],
    }
}

async fn counts(store: &Store, now: Timestamp) -> Result<BTreeMap<Rule, Counts>, StoreError> {
    let since = hour_of(now - SignedDuration::from_hours(24 * DAYS));
    let mut all: BTreeMap<Rule, Counts> = BTreeMap::new();
    for one in figure::by_reason(store, Kind::Decision, since).await? {
        let Some(rule) = Rule::parse(&one.name) else { continue };
        let counts = all.entry(rule).or_default();
        match Verdict::parse(&one.reason) {
            Some(verdict) => {
                *counts.verdicts.entry(verdict).or_default() += one.n;
                counts.last_at = counts.last_at.max(one.last_at);
            }
            None => counts.what_if += one.n,
        }
    }
    for one in figure::by_reason(store, Kind::Missed, since).await? {
        let Some(rule) = Rule::parse(&one.name) else { continue };
        let counts = all.entry(rule).or_default();
        if one.reason == "closed" { counts.missed_closed += one.n } else { counts.missed_open += one.n }
    }
    Ok(all)
}

/// What a rule would say.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// As the client would get it, in the client's language.
    pub answer: Answer,
    /// The same in the language of whoever asks.
    pub read: Answer,
    /// As it was kept.
    pub kept: Kept,
}

/// Asks `rule` with the fields of a question, as the stub does. The answer is kept as a what-if.
///
/// # Errors
/// The role; a field that is missing or cannot be read; a database.
pub async fn ask(
    decider: &Decider,
    who: &Who,
    (rule, fields): (Rule, &Fields),
    locale: Locale,
    now: Timestamp,
) -> Result<WhatIf, AdminError> {
    if !who.may(Role::Viewer) {
        return Err(AdminError::Forbidden(Role::Viewer));
    }
    let question = Question::read(rule, fields).map_err(|error| mistake(&error))?;
    let asker = Asker {
        source: who.via.code().to_owned(),
        hook: "ask".to_owned(),
        by: who.name.clone(),
        request: None,
        what_if: true,
    };
    let (answer, kept) = decider.ask(&question, asker, now).await?;
    keep(&decider.store, std::slice::from_ref(&kept)).await?;
    let read = decider.reworded(&answer, locale, now).await?;
    Ok(WhatIf { answer, read, kept })
}

/// What is wrong with a question, by the name of its field.
fn mistake(error: &QuestionError) -> AdminError {
    match error {
        QuestionError::Missing(field) => AdminError::invalid(field, "form.needed"),
        QuestionError::Unreadable(field, wanted) => {
            let text = match *field {
                "platform_price" | "platform_discount" => "rule.amount_bad".to_owned(),
                "to_cycle" | "type" => "form.unknown".to_owned(),
                "requested_at" => format!("must be {wanted}"),
                _ => "form.not_a_number".to_owned(),
            };
            AdminError::invalid(field, text)
        }
    }
}

/// A client with what can be asked about.
///
/// # Errors
/// There is no such client; the platform's database.
pub async fn belongings(billing: &Billing, client: u64, now: Timestamp) -> Result<Belongings, AdminError> {
    billing.belongings(client, now).await?.ok_or(AdminError::NotFound("client"))
}

/// A service with where it may go.
///
/// # Errors
/// There is no such service; the platform's database.
pub async fn targets(billing: &Billing, service: u64, now: Timestamp) -> Result<Targets, AdminError> {
    billing.targets(service, now).await?.ok_or(AdminError::NotFound("service"))
}

impl Desk {
    /// A rule by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn rule(name: &str) -> Result<Rule, AdminError> {
        Rule::parse(name).ok_or(AdminError::NotFound("rule"))
    }
}

/// A rule for programs.
#[must_use]
pub fn as_json(one: &Standing) -> Json {
    let policy: serde_json::Map<String, Json> =
        one.policy.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let of = |verdict| one.counts.verdicts.get(&verdict).copied().unwrap_or(0);
    json!({
        "rule": one.rule.code(), "version": one.version, "enabled": one.ask.enabled,
        "on_failure": one.ask.on_failure.code(), "deadline_ms": one.ask.deadline_ms, "policy": policy,
        "conditions": rules::conditions(one.rule),
        "last_30_days": {
            "asked": one.counts.asked(), "allow": of(Verdict::Allow), "adjust": of(Verdict::Adjust),
            "deny": of(Verdict::Deny), "review": of(Verdict::Review), "what_if": one.counts.what_if,
            "missed_open": one.counts.missed_open, "missed_closed": one.counts.missed_closed,
            "last_at": one.counts.last_at.map(|at| at.to_string()),
        },
    })
}
