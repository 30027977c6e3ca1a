//! Owns: looking at what the company's rules said: stored decisions, each with its words; and what the platform went on
//! without.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::wish::Reading;
use super::{AdminError, Desk};
use crate::decide::words::restored;
use crate::domain::closed_list::closed_list;
use crate::domain::decision::{DecisionId, Rule, Verdict};
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::locale::Locale;
use crate::store::StoreError;
use crate::store::decision::{self, Filter, Kept};
use crate::store::missed::{self, MissedDecision};
use crate::store::walk::{Found, Place};
/// The stub tells of an answer that did not come in time within so long of the question.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(2);

closed_list! {
    /// Who asked.
    Asked {
        /// The platform's hooks: somebody acted on the answer.
        Hooks = "hooks",
        /// People who only wanted to know.
        People = "people",
    }
}

/// One condition of a stored decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub code: String,
    pub passed: bool,
    /// For the reader, in the reader's language where that is known.
    pub text: String,
}

/// A stored decision, taken apart.
#[derive(Clone, Debug)]
pub struct Whole {
    pub kept: Kept,
    pub reasons: Vec<Reason>,
    /// What the client read, in the client's language.
    pub message: Option<String>,
    pub notices: Vec<String>,
    pub values: Json,
    pub question: Json,
    pub facts: Json,
    /// The stub did not get this answer, and reported that: what it did instead.
    pub unheard: Vec<MissedDecision>,
}

impl Desk {
    /// Reads a search for decisions: `rule`, `decision`, `client`, `service`, `domain`, `subject`, `asked`, `since`, `until`,
    /// `before`.
    ///
    /// # Errors
    /// What does not fit, all at once.
    pub fn decision_search(
        &self,
        get: &(dyn Fn(&str) -> Option<String> + Sync),
        limit: usize,
    ) -> Result<Filter, AdminError> {
        let zone = self.zone();
        let mut reading = Reading::new(get);
        let r = &mut reading;
        let of = |kind: SubjectKind, id: Option<u64>| id.map(|id| Subject { kind, id });
        let service = of(SubjectKind::Service, r.number("service"));
        let domain = of(SubjectKind::Domain, r.number("domain"));
        let subject = r.read("subject", "messages.subject_bad", Subject::parse);
        let filter = Filter {
            rule: r.one_of("rule", Rule::ALL, Rule::code),
            verdict: r.one_of("decision", Verdict::ALL, Verdict::code),
            subject: service.or(domain).or(subject),
            client_id: r.number("client"),
            what_if: r.one_of("asked", Asked::ALL, Asked::code).map(|asked| asked == Asked::People),
            since: r.moment("since", &zone, false),
            until: r.moment("until", &zone, true),
            before: r.read("before", "messages.place_bad", Place::parse),
            limit,
        };
        reading.end(filter)
    }
}

/// Decisions, newest first.
///
/// # Errors
/// The database.
pub async fn list(desk: &Desk, filter: &Filter) -> Result<Found<Kept>, AdminError> {
    Ok(decision::page(&desk.store, filter).await?)
}

/// Reads an id.
///
/// # Errors
/// There can be no such decision.
pub fn id(text: &str) -> Result<DecisionId, AdminError> {
    DecisionId::parse(text).ok_or(AdminError::NotFound("decision"))
}

/// One decision, its conditions in `locale`.
///
/// # Errors
/// There is none (any more); a database.
pub async fn whole(desk: &Desk, id: DecisionId, locale: Locale) -> Result<Whole, AdminError> {
    let kept = decision::one(&desk.store, id).await?.ok_or(AdminError::NotFound("decision"))?;
    let unheard = if kept.what_if { Vec::new() } else { unheard(desk, &kept).await? };
    // The pages' links are the platform's; without it, the words stay as they were said.
    let links = match desk.billing.platform(desk.now()).await {
        Ok(platform) => desk.decider.links(&platform),
        Err(_) => BTreeMap::new(),
    };
    let read = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let (answer, question, facts) = (read(&kept.answer), read(&kept.question), read(&kept.facts));
    let reasons = answer["reasons"].as_array().into_iter().flatten().map(|one| {
        let code = one["code"].as_str().unwrap_or_default();
        let passed = one["passed"] == true;
        let said = one["text"].as_str().unwrap_or_default();
        let text = restored(locale, (kept.rule, code, passed), &links).unwrap_or_else(|| said.to_owned());
        Reason { code: code.to_owned(), passed, text }
    });
    let texts = |name: &str| {
        let list = answer["values"][name].as_array().into_iter().flatten();
        list.filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let notices = [texts("notices"), texts("warnings")].concat();
    Ok(Whole {
        reasons: reasons.collect(),
        message: answer["values"]["message"].as_str().map(str::to_owned),
        notices,
        values: answer["values"].clone(),
        question,
        facts,
        unheard,
        kept,
    })
}

/// What the stub reported of a question to the same rule about the same thing at that time.
async fn unheard(desk: &Desk, kept: &Kept) -> Result<Vec<MissedDecision>, StoreError> {
    let (since, until) = (kept.asked_at - TOLD_WITHIN, kept.asked_at + TOLD_WITHIN);
    let service = kept.subject.filter(|subject| subject.kind == SubjectKind::Service).map(|subject| subject.id);
    let client = if service.is_some() { None } else { kept.client_id };
    if service.is_none() && client.is_none() {
        return Ok(Vec::new());
    }
    // Reported when the stub's spool was sent, which may be later: what counts is when the platform went on.
    let filter =
        missed::Filter { rule: Some(kept.rule), service, client, since: Some(since), limit: 20, ..Default::default() };
    let all = missed::page(&desk.store, &filter).await?.items;
    Ok(all.into_iter().filter(|told| (since..=until).contains(&told.at)).collect())
}

/// A stored decision for programs.
#[must_use]
pub fn as_json(one: &Kept) -> Json {
    let read = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    json!({
        "id": one.id.to_string(), "rule": one.rule.code(), "version": one.version, "decision": one.verdict.code(),
        "subject": one.subject.map(|subject| subject.to_string()), "client_id": one.client_id,
        "asked_at": one.asked_at.to_string(), "source": one.source, "hook": one.hook, "asked_by": one.asked_by,
        "what_if": one.what_if, "request": one.request, "question": read(&one.question), "facts": read(&one.facts),
        "answer": read(&one.answer),
    })
}

/// A missed decision for programs.
#[must_use]
pub fn missed_json(one: &MissedDecision) -> Json {
    let missed = &one.missed;
    let about: serde_json::Map<String, Json> =
        missed.about.iter().map(|(name, id)| ((*name).to_owned(), json!(id))).collect();
    json!({
        "event": one.event.as_str(), "source": one.source, "at": one.at.to_string(),
        "rule": missed.rule.map(Rule::code), "hook": missed.hook, "cause": missed.cause,
        "on_failure": missed.on_failure, "deadline_ms": missed.deadline_ms,
        "client_id": missed.client_id.map(|client| client.0), "about": about,
    })
}
