//! Owns: `GET|POST /v1/receipts/{sender}`: the provider's check of the address, his receipts, and what clients write back.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Buf;
use futures_util::Stream;
use jiff::SignedDuration;
use secrecy::SecretString;
use warp::Filter;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::answers::Answers;
use super::problem::{Problem, json_response};
use super::raw::{BodyLimits, json_body, text};
use super::refusals::Refusals;
use super::{Route, number_changes};
use crate::clock::Clock;
use crate::domain::reason::Reason;
use crate::domain::receipt::Receipt;
use crate::metrics::{Metrics, Result1};
use crate::road::{Step, mark, mark_one};
use crate::signature::verify_hub;
use crate::store::figure::{self, News};
use crate::store::lane::{Pause, PausedBy, pause};
use crate::store::{Store, StoreError, receipt};
use crate::tasks::{Task, caught};
use crate::whatsapp::errors::{self, FaultClass};
use crate::whatsapp::{Challenge, Notice, Webhook, parse};

/// Secrets of one sender's webhooks.
#[derive(Clone, Debug)]
pub struct SenderKeys {
    /// Newest first.
    pub app_secrets: Vec<SecretString>,
    pub verify_token: SecretString,
    /// The company's numbers that share their users' ids.
    pub portfolio: String,
}

/// What the routes work with.
#[derive(Clone, Debug)]
pub struct Receipts {
    pub senders: BTreeMap<String, SenderKeys>,
    pub store: Store,
    pub answers: Answers,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub limits: BodyLimits,
    /// How long a number stays stopped.
    pub number_hold: SignedDuration,
    /// What is written of refused webhooks, and of those that the database did not take.
    pub refusals: Arc<Refusals>,
    pub failures: Arc<Refusals>,
}

/// Both routes.
#[must_use]
pub fn route(receipts: Receipts) -> Route {
    let receipts = Arc::new(receipts);
    let checker = receipts.clone();
    let check = warp::path!("v1" / "receipts" / String)
        .and(warp::get())
        .and(warp::query::<Challenge>())
        .map(move |sender: String, challenge: Challenge| {
            checker.check(&sender, challenge).unwrap_or_else(|problem| problem.response())
        })
        .boxed();
    let take = warp::path!("v1" / "receipts" / String)
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |sender: String, headers: HeaderMap, body| {
            let receipts = receipts.clone();
            async move {
                receipts.take(&sender, &headers, body).await.unwrap_or_else(|problem| {
                    receipts.metrics.receipts.get_or_create(&Result1 { result: problem.code }).inc();
                    if let Some(unsaid) = receipts.refusals.say(receipts.clock.now()) {
                        tracing::warn!(status = problem.status, code = problem.code, unsaid, "a webhook was refused");
                    }
                    problem.response()
                })
            }
        })
        .boxed();
    check.or(take).unify().boxed()
}

impl Receipts {
    fn keys(&self, sender: &str) -> Result<&SenderKeys, Problem> {
        self.senders.get(sender).ok_or_else(|| Problem::new(404, "unknown-sender", "There is no such sender."))
    }

    fn check(&self, sender: &str, challenge: Challenge) -> Result<Response, Problem> {
        let text = challenge
            .answer(&self.keys(sender)?.verify_token)
            .ok_or_else(|| Problem::new(403, "bad-verify-token", "The verify token is not the configured one."))?;
        Ok(Response::new(text.into()))
    }

    async fn take<B: Buf, E>(
        &self,
        sender: &str,
        headers: &HeaderMap,
        body: impl Stream<Item = Result<B, E>>,
    ) -> Result<Response, Problem> {
        let keys = self.keys(sender)?;
        let body = json_body(headers, body, self.limits).await?;
        let signature = text(headers, "x-hub-signature-256").unwrap_or_default();
        let signed_by = keys.app_secrets.iter().position(|secret| verify_hub(signature, &body, secret));
        if let Some(place) = signed_by {
            self.metrics.signed(sender, place + 1);
        } else {
            return Err(Problem::new(401, "bad-signature", "`X-Hub-Signature-256` does not match."));
        }
        // Signed, but not JSON: asking for it again would bring the same again, for seven days.
        let webhook = match parse(&body) {
            Ok(webhook) => webhook,
            Err(error) => {
                self.metrics.fault("receipt_unreadable");
                tracing::error!(%error, "a signed webhook cannot be read");
                Webhook::default()
            }
        };
        mark(Step::Reported);
        self.record_caught(sender, &webhook).await.map_err(|error| {
            if let Some(unsaid) = self.failures.say(self.clock.now()) {
                tracing::error!(%error, unsaid, "receipts were not stored");
            }
            Problem::new(503, "not-stored", "The database did not take the receipts.").retry_after(5)
        })?;
        mark(Step::Recorded);
        Ok(json_response(StatusCode::OK, "{}".to_owned()))
    }

    /// Our own code may fail on one item: then each is recorded alone, and that one is left out. The provider would only
    /// bring it again.
    async fn record_caught(&self, sender: &str, webhook: &Webhook) -> Result<(), StoreError> {
        let whole = async {
            for one in &webhook.receipts {
                mark_one(Step::Handling, &one.message_id.map(|id| id.to_string()).unwrap_or_default());
            }
            self.record(sender, webhook).await
        };
        let panicked = match caught(whole).await {
            Ok(result) => return result,
            Err(panicked) => panicked,
        };
        let items = webhook.apart();
        if items.len() <= 1 {
            self.metrics.panicked(Task::Receipts, &panicked);
            self.metrics.receipts.get_or_create(&Result1 { result: Reason::InternalFault.code() }).inc();
            return Ok(());
        }
        for one in items {
            Box::pin(self.record_caught(sender, &one)).await?;
        }
        Ok(())
    }

    async fn record(&self, sender: &str, webhook: &Webhook) -> Result<(), StoreError> {
        let now = self.clock.now();
        receipt::record(&self.store, &webhook.receipts, now).await?;
        for one in &webhook.receipts {
            self.metrics.receipts.get_or_create(&Result1 { result: one.status.code() }).inc();
        }
        self.stop_numbers(sender, &webhook.receipts).await?;
        let portfolio = self.senders.get(sender).map(|keys| keys.portfolio.as_str()).unwrap_or_default();
        self.answers.learn(portfolio, &webhook.users, now).await?;
        for change in &webhook.user_id_changes {
            self.answers.follow(portfolio, change, now).await?;
        }
        for reply in &webhook.replies {
            self.answers.take(sender, portfolio, reply, now).await?;
        }
        for change in &webhook.number_changes {
            number_changes::keep(&self.store, &self.metrics, change).await?;
        }
        for notice in &webhook.notices {
            self.alarm(sender, notice).await?;
        }
        Ok(())
    }

    /// Some faults of the whole number come only as a receipt, after the message was accepted (e.g. 131042, unpaid).
    async fn stop_numbers(&self, sender: &str, receipts: &[Receipt]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let codes = receipts.iter().filter_map(|one| one.code);
        let Some(code) = codes.into_iter().find(|code| errors::rule(*code).class == FaultClass::Stop) else {
            return Ok(());
        };
        self.metrics.fault("lane_paused");
        tracing::error!(sender, code, "the provider stopped this number: its queue waits");
        let detail = errors::explain(code).to_owned();
        let stop = Pause { lane: sender.to_owned(), until: now + self.number_hold, by: PausedBy::Provider, detail };
        pause(&self.store, &stop, now).await
    }

    async fn alarm(&self, sender: &str, notice: &Notice) -> Result<(), StoreError> {
        self.metrics.fault("provider_notice");
        tracing::warn!(notice = ?notice, "the provider says something about the account");
        let (event, daily_limit) = match notice {
            Notice::NumberQuality { event, limit } => (event.clone(), limit.clone()),
            Notice::Capability { recipients_per_day } => (String::new(), recipients_per_day.clone()),
            _ => return Ok(()),
        };
        figure::note_news(&self.store, &News { lane: sender.to_owned(), event, daily_limit, at: self.clock.now() })
            .await
    }
}
