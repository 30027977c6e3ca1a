//! Owns: exceptions to the company's rules, as administrators make and end them: for one service, domain or client, for a reason,
//! until a day.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::{AdminError, Mistake};
use crate::billing::Billing;
use crate::domain::admin::{Role, Who};
use crate::domain::decision::Rule;
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::store::Store;
use crate::store::audit::Record;
use crate::store::exception::{self, Filter, Override};

/// Longest exception, in days.
pub const DAYS_MAX: u32 = 366;
/// If nothing else is said, in days.
pub const DAYS: u32 = 7;
/// Longest reason, in characters.
pub const WHY_MAX: usize = 500;

/// What an exception is to be.
#[derive(Clone, Debug)]
pub struct Wish {
    pub rule: Option<Rule>,
    pub subject: Option<Subject>,
    pub why: String,
    /// `None`: no moment was given, or none that can be read.
    pub until: Option<Timestamp>,
}

/// What a rule can be asked about.
#[must_use]
pub const fn kinds(rule: Rule) -> &'static [SubjectKind] {
    match rule {
        Rule::Upgrade | Rule::Ownership | Rule::Termination => &[SubjectKind::Service],
        Rule::Cancellation => &[SubjectKind::Service, SubjectKind::Domain],
        Rule::Identity => &[SubjectKind::Client],
    }
}

/// Makes an exception: what `rule` refuses for the subject is allowed until then. Returns its number.
///
/// # Errors
/// The role; everything that is wrong with the exception, by its field; a database.
pub async fn make(store: &Store, billing: &Billing, who: &Who, wish: &Wish, now: Timestamp) -> Result<u64, AdminError> {
    if !who.may(Role::Administrator) {
        return Err(AdminError::Forbidden(Role::Administrator));
    }
    let mut mistakes = Vec::new();
    let mut wrong = |field: &str, text: &str| mistakes.push(Mistake::new(field, text));
    let why = wish.why.trim();
    if why.is_empty() {
        wrong("why", "form.needed");
    } else if why.chars().count() > WHY_MAX {
        wrong("why", "rule.why_long");
    }
    match wish.until {
        None => wrong("until", "rule.until_bad"),
        Some(until) if until <= now => wrong("until", "rule.until_past"),
        Some(until) if until > now + SignedDuration::from_hours(24 * i64::from(DAYS_MAX)) => {
            wrong("until", "rule.until_far");
        }
        Some(_) => {}
    }
    match (wish.rule, wish.subject) {
        (None, _) => wrong("rule", "form.needed"),
        (Some(_), None) => wrong("subject", "rule.subject_bad"),
        (Some(rule), Some(subject)) if !kinds(rule).contains(&subject.kind) => wrong("subject", "rule.subject_kind"),
        (Some(rule), Some(subject)) => {
            if billing.owner_of(subject).await?.is_none() {
                wrong("subject", "rule.subject_unknown");
            } else if exception::in_force(store, rule, subject, now).await?.is_some() {
                wrong("subject", "rule.already");
            }
        }
    }
    let (Some(rule), Some(subject), Some(until), true) = (wish.rule, wish.subject, wish.until, mistakes.is_empty())
    else {
        return Err(AdminError::Invalid(mistakes));
    };
    let record = |number| Record {
        who,
        action: "override.make",
        target: format!("override:{number}"),
        detail: Some(format!("{rule} allows {subject} until {until}: {why}")),
        raises: false,
        now,
    };
    let made = exception::make(store, (rule, subject), (&who.name, why), until, record, now).await?;
    made.ok_or_else(|| AdminError::invalid("subject", "rule.already"))
}

/// Ends an exception before its time. Its record stays.
///
/// # Errors
/// The role; there is none of that number, or it is over already; the database.
pub async fn end(store: &Store, who: &Who, number: u64, now: Timestamp) -> Result<Override, AdminError> {
    if !who.may(Role::Administrator) {
        return Err(AdminError::Forbidden(Role::Administrator));
    }
    let one = exception::one(store, number).await?.ok_or(AdminError::NotFound("exception"))?;
    let record = Record {
        who,
        action: "override.end",
        target: format!("override:{number}"),
        detail: Some(format!("{} allowed {}", one.rule, one.subject)),
        raises: false,
        now,
    };
    if !exception::end(store, number, &record).await? {
        return Err(AdminError::Conflict("rule.over_already".to_owned()));
    }
    Ok(one)
}

/// Exceptions, newest first, and the number behind which the next page begins.
///
/// # Errors
/// The database.
pub async fn list(store: &Store, filter: &Filter, now: Timestamp) -> Result<(Vec<Override>, Option<u64>), AdminError> {
    let more = Filter { limit: filter.limit + 1, ..*filter };
    let mut all = exception::list(store, &more, now).await?;
    let next = (all.len() > filter.limit).then(|| all.get(filter.limit - 1).map(|one| one.id)).flatten();
    all.truncate(filter.limit);
    Ok((all, next))
}

/// An exception for programs.
#[must_use]
pub fn as_json(one: &Override, now: Timestamp) -> Json {
    json!({
        "override": one.id, "rule": one.rule.code(), "subject": one.subject.to_string(), "who": one.who, "why": one.why,
        "made_at": one.made_at.to_string(), "until": one.until_at.to_string(),
        "ended_at": one.ended_at.map(|at| at.to_string()), "ended_by": one.ended_by,
        "standing": one.standing(now).code(),
    })
}
