//! Owns: answering a question: facts out of `billing`, a rule out of `rules`, words in the client's language, the decision
//! kept in `store`. Stands above those rooms and below the two that ask: `http` and `cli`.

pub mod answer;
pub mod policy;
pub mod question;
mod seen;
pub mod words;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use uuid::Uuid;

pub use answer::Answer;
pub use policy::Policies;
pub use question::{Question, QuestionError};

use crate::billing::debt::Debts;
use crate::billing::{Billing, BillingError};
use crate::domain::case::{Account, CancelRequest, Debt};
use crate::domain::decision::{Decision, DecisionId, Rule, Verdict};
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::locale::Locale;
use crate::domain::mirror::Kind;
use crate::domain::record::Platform;
use crate::render::format;
use crate::rules::cancellation::What;
use crate::rules::{cancellation, checks, identity, ownership, termination, upgrade};
use crate::store::decision::{Kept, last};
use crate::store::exception::in_force;
use crate::store::{Store, StoreError, mirror};

/// The page of a cancellation request asks shortly after the platform stored the request.
const WISH_LATE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// What the sweep remembers of open invoices counts for so long after its last round.
const MIRROR_AGE_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Answers questions.
#[derive(Clone, Debug)]
pub struct Decider {
    pub billing: Billing,
    pub store: Store,
    pub policies: Policies,
}

/// Who asks, and where.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// The source that signed the question, or `cli`.
    pub source: String,
    /// The platform's hook, or `ask`.
    pub hook: String,
    /// The kind of actor, or the administrator's name.
    pub by: String,
    pub request: Option<String>,
    /// Nobody acts on the answer.
    pub what_if: bool,
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error(transparent)]
    Billing(#[from] BillingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a rule said, to whom it is said, and what it saw.
struct Ruled {
    decision: Decision,
    account: Option<Account>,
    seen: Json,
}

impl Decider {
    /// Answers `question`, and makes the record of it, which the caller keeps.
    ///
    /// # Errors
    /// The facts cannot be had: a database, or a row that cannot be understood.
    pub async fn ask(&self, question: &Question, asker: Asker, now: Timestamp) -> Result<(Answer, Kept), DecideError> {
        let rule = question.rule();
        let platform = self.billing.platform(now).await?;
        let mut ruled = if self.policies.ask(rule).enabled {
            self.rule(question, &platform, now).await?
        } else {
            Ruled { decision: checks::switched_off(rule), account: None, seen: Json::Null }
        };
        let refused = matches!(ruled.decision.verdict, Verdict::Deny | Verdict::Review);
        if let (true, Some(subject)) = (refused, question.subject())
            && let Some(exception) = in_force(&self.store, rule, subject, now).await?
        {
            ruled.decision = checks::overridden(ruled.decision);
            ruled.seen["override"] = json!(exception.id);
        }
        let known = ruled.account.as_ref().and_then(|account| account.locale).or(platform.locale);
        let locale = known.unwrap_or(self.policies.default_locale);
        let answer = Answer::new(DecisionId(Uuid::now_v7()), ruled.decision, locale, &self.links(&platform));
        let kept = Kept {
            id: answer.id,
            rule,
            version: answer.decision.version,
            verdict: answer.decision.verdict,
            subject: question.subject(),
            client_id: ruled.account.map(|account| account.id.0).or(question.claimed_client()),
            asked_at: now,
            source: asker.source,
            hook: asker.hook,
            asked_by: asker.by,
            what_if: asker.what_if,
            request: asker.request,
            question: asked(question).to_string(),
            facts: ruled.seen.to_string(),
            answer: answer.json().to_string(),
        };
        Ok((answer, kept))
    }

    /// The same answer in another language.
    ///
    /// # Errors
    /// The platform's settings cannot be read.
    pub async fn reworded(&self, answer: &Answer, locale: Locale, now: Timestamp) -> Result<Answer, DecideError> {
        let platform = self.billing.platform(now).await?;
        Ok(Answer::new(answer.id, answer.decision.clone(), locale, &self.links(&platform)))
    }

    async fn rule(&self, question: &Question, platform: &Platform, now: Timestamp) -> Result<Ruled, DecideError> {
        match question {
            Question::Upgrade(q) => self.upgrade(q, now).await,
            Question::Ownership(q) => self.ownership(q, platform, now).await,
            Question::Cancellation(q) => self.cancellation(q, now).await,
            Question::Termination(q) => self.termination(q, now).await,
            Question::Identity(q) => self.identity(q, platform, now).await,
        }
    }

    /// All that an account has not paid. Of one with very many invoices the older open ones are those that the sweep
    /// remembers as open; where it does not know them all, they are read.
    async fn all_debts(
        &self,
        debts: Debts,
        account: Option<&Account>,
        now: Timestamp,
    ) -> Result<Vec<Debt>, DecideError> {
        let Debts { mut found, before } = debts;
        if let (Some(before), Some(account)) = (before, account) {
            let since = now - MIRROR_AGE_MAX;
            let known =
                mirror::live_of_owner(&self.store, Kind::Invoice, account.id.0, before.saturating_add(1), since)
                    .await?;
            let older = self.billing.older_debts(account.id.0, before, known.as_deref(), account.currency_id);
            found.extend(older.await?);
            found.sort_by_key(|debt| (debt.due, debt.id.0));
        }
        Ok(found)
    }

    async fn upgrade(&self, q: &question::Upgrade, now: Timestamp) -> Result<Ruled, DecideError> {
        let to = q.to_product_id.map(|product| (product, q.to_cycle));
        let mut case = self.billing.upgrade_case(q.service_id, to, q.upgrade_id, now).await?;
        let debts = self.all_debts(std::mem::take(&mut case.debts), case.account.as_ref(), now).await?;
        let seen = json!({
            "service": seen::service(case.service.as_ref()), "account": seen::account(case.account.as_ref()),
            "from": seen::plan(case.from.as_ref()), "to": seen::plan(case.to.as_ref()), "is_path": case.is_path,
            "open_upgrades": case.open_upgrades, "debts": seen::debts(&debts), "today": self.today(now).to_string(),
        });
        let facts = upgrade::Facts {
            service: case.service,
            account: case.account.clone(),
            claimed_client: q.client_id,
            claimed_product: q.from_product_id,
            from: case.from,
            to: case.to,
            is_path: case.is_path,
            to_cycle: case.to_cycle,
            open_upgrades: case.open_upgrades,
            debts,
            platform_price: q.platform_price,
            platform_discount: q.platform_discount,
            days: q.days.zip(q.total_days),
        };
        let decision = upgrade::decide(&facts, &self.policies.upgrade(), self.today(now));
        Ok(Ruled { decision, account: case.account, seen })
    }

    async fn ownership(
        &self,
        q: &question::Ownership,
        platform: &Platform,
        now: Timestamp,
    ) -> Result<Ruled, DecideError> {
        let mut case =
            self.billing.ownership_case(q.service_id, q.to_client_id, q.before, q.ticket_id.as_deref(), now).await?;
        let owner_debts = self.all_debts(std::mem::take(&mut case.owner_debts), case.owner.as_ref(), now).await?;
        let new_owner_debts =
            self.all_debts(std::mem::take(&mut case.new_owner_debts), case.new_owner.as_ref(), now).await?;
        // What the ticket says counts more than what somebody typed beside it.
        let sender = case.ticket.as_ref().map(|ticket| ticket.sender.clone()).or_else(|| q.requested_by.clone());
        let seen = json!({
            "service": seen::service(case.service.as_ref()), "owner": seen::account(case.owner.as_ref()),
            "new_owner": seen::account(case.new_owner.as_ref()), "ticket": case.ticket.as_ref().map(|ticket| ticket.id),
            "sender": sender.as_deref().map(seen::masked), "owner_debts": seen::debts(&owner_debts),
            "new_owner_debts": seen::debts(&new_owner_debts), "today": self.today(now).to_string(),
        });
        let facts = ownership::Facts {
            service: case.service,
            owner: case.owner.clone(),
            new_owner: case.new_owner,
            claimed_client: q.client_id,
            sender,
            owner_debts,
            new_owner_debts,
        };
        let policy = self.policies.ownership(&platform.default_country);
        let decision = ownership::decide(&facts, &policy, self.today(now));
        Ok(Ruled { decision, account: case.owner, seen })
    }

    async fn cancellation(&self, q: &question::Cancellation, now: Timestamp) -> Result<Ruled, DecideError> {
        let case = self.billing.cancellation_case(q.what, now).await?;
        let requested = self.today(q.requested_at.unwrap_or(now));
        let seen = json!({
            "service": seen::service(case.service.as_ref()), "domain": seen::domain(case.domain.as_ref()),
            "account": seen::account(case.account.as_ref()), "debts": seen::debts(&case.debts),
            "requested": requested.to_string(),
        });
        let what = match q.what.kind {
            SubjectKind::Domain => What::Domain(case.domain),
            _ => What::Service(case.service.map(Box::new)),
        };
        let facts = cancellation::Facts {
            what,
            account: case.account.clone(),
            claimed_client: q.client_id,
            kind: q.kind,
            requested,
            debts: case.debts,
        };
        let decision = cancellation::decide(&facts, &self.policies.cancellation());
        Ok(Ruled { decision, account: case.account, seen })
    }

    async fn termination(&self, q: &question::Termination, now: Timestamp) -> Result<Ruled, DecideError> {
        let case = self.billing.termination_case(q.service_id, now).await?;
        let was_denied = match &case.request {
            Some(request) => self.was_denied(q.service_id, request, now).await?,
            None => None,
        };
        let seen = json!({
            "service": seen::service(case.service.as_ref()), "request": seen::request(case.request.as_ref()),
            "denied_by": was_denied.map(|id| id.to_string()), "today": self.today(now).to_string(),
        });
        let facts = termination::Facts {
            service: case.service,
            claimed_client: q.client_id,
            request: case.request,
            was_denied: was_denied.is_some(),
        };
        let decision = termination::decide(&facts, self.today(now));
        Ok(Ruled { decision, account: case.account, seen })
    }

    /// The decision that refused this very request: the last one until it was stored. A page that is looked at
    /// again later says nothing about it.
    async fn was_denied(
        &self,
        service: u64,
        request: &CancelRequest,
        now: Timestamp,
    ) -> Result<Option<DecisionId>, StoreError> {
        let requested = request.at.and_then(|local| format::instant(local, &self.policies.zone)).unwrap_or(now);
        let until = requested.checked_add(WISH_LATE_MAX).unwrap_or(now);
        let subject = Subject { kind: SubjectKind::Service, id: service };
        let found = last(&self.store, Rule::Cancellation, subject, until).await?;
        Ok(found.filter(|(_, verdict)| *verdict == Verdict::Deny).map(|(id, _)| id))
    }

    async fn identity(
        &self,
        q: &question::Identity,
        platform: &Platform,
        now: Timestamp,
    ) -> Result<Ruled, DecideError> {
        let email = if q.contact { "" } else { q.email.as_str() };
        let mut case = self.billing.identity_case(q.client_id, email, now).await?;
        // Who shares an address already may save all else: only a change of it is looked at.
        if case.account.as_ref().is_some_and(|account| account.email.eq_ignore_ascii_case(email.trim())) {
            case.same_email.clear();
        }
        let seen = json!({ "same_email": case.same_email.iter().map(|client| client.0).collect::<Vec<_>>() });
        let facts = identity::Facts {
            contact: q.contact,
            same_email: case.same_email,
            phone: q.phone.clone(),
            phone_prefix: q.phone_prefix.clone(),
            country: q.country.clone(),
        };
        let decision = identity::decide(&facts, &self.policies.identity(&platform.default_country));
        Ok(Ruled { decision, account: case.account, seen })
    }

    /// The day where the platform's server is.
    fn today(&self, now: Timestamp) -> jiff::civil::Date {
        policy::day(now, &self.policies.zone)
    }

    /// The addresses that sentences name.
    #[must_use]
    pub fn links(&self, platform: &Platform) -> BTreeMap<&'static str, String> {
        let page = |path: &str| format!("{}{path}", platform.system_url);
        BTreeMap::from([
            ("ask_url", self.policies.ask_url().map_or_else(|| page("submitticket.php"), str::to_owned)),
            ("invoices_url", page("clientarea.php?action=invoices")),
            ("domains_url", page("clientarea.php?action=domains")),
            ("details_url", page("clientarea.php?action=details")),
        ])
    }
}

/// The question as it is kept: personal data that somebody typed is masked or left out.
fn asked(question: &Question) -> Json {
    match question {
        Question::Upgrade(q) => json!({
            "service_id": q.service_id, "to_product_id": q.to_product_id,
            "to_cycle": q.to_cycle.map(crate::domain::case::Cycle::code),
            "platform_price": q.platform_price.map(|price| price.to_string()),
            "platform_discount": q.platform_discount.map(|discount| discount.to_string()), "days": q.days,
            "total_days": q.total_days, "upgrade_id": q.upgrade_id, "from_product_id": q.from_product_id,
            "client_id": q.client_id,
        }),
        Question::Ownership(q) => json!({
            "service_id": q.service_id, "to_client_id": q.to_client_id, "ticket_id": q.ticket_id,
            "requested_by": q.requested_by.as_deref().map(seen::masked), "client_id": q.client_id,
        }),
        Question::Cancellation(q) => json!({
            "subject": q.what.to_string(), "type": q.kind.map(crate::domain::case::CancelKind::code),
            "client_id": q.client_id, "requested_at": q.requested_at.map(|at| at.to_string()),
        }),
        Question::Termination(q) => json!({ "service_id": q.service_id, "client_id": q.client_id }),
        Question::Identity(q) => json!({
            "client_id": q.client_id, "contact_id": q.contact_id, "email": seen::masked(&q.email),
            "country": q.country, "kind": if q.contact { "contact" } else { "client" },
        }),
    }
}
