//! Owns: `GET|POST /v1/receipts/{sender}`: the provider's check of the address, its receipts, and what clients write back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Buf;
use futures_util::Stream;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use warp::Filter;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::answers::Answers;
use super::problem::{Problem, json_response};
use super::refusals::Refusals;
use super::request::{BodyLimits, json_body, text};
use super::{Route, number_changes};
use crate::clock::Clock;
use crate::domain::reason::Reason;
use crate::domain::receipt::Receipt;
use crate::metrics::{Metrics, Result1};
use crate::road::{Step, mark, mark_one};
use crate::signature::verify_hub;
use crate::store::figure::{self, News};
use crate::store::lane::{Pause, PausedBy, pause};
use crate::store::needs::{self, TextNews};
use crate::store::{Store, StoreError, receipt};
use crate::tasks::{Task, caught};
use crate::whatsapp::errors::{self, FaultClass};
use crate::whatsapp::{Challenge, Notice, Webhook, parse};

/// One sender's webhooks: their secrets, and the number that they are about.
#[derive(Clone, Debug)]
pub struct SenderKeys {
    /// Newest first.
    pub app_secrets: Vec<SecretString>,
    pub verify_token: SecretString,
    /// The company's numbers that share their users' ids.
    pub portfolio: String,
    pub phone_number_id: String,
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
    /// Receipts of messages that nobody knows that are kept.
    pub unknown_max: u64,
    pub seen: Seen,
}

/// What the webhooks so far reported.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Receipts of unknown messages since the oldest of them were last deleted.
    unknown: Arc<AtomicUsize>,
    /// Our numbers' digits, by sender: some news name a number by them alone.
    digits: Arc<Mutex<BTreeMap<String, String>>>,
}

/// Receipts of unknown messages are looked through after so many new ones.
const UNKNOWN_STEP: usize = 1_000;

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
        self.learn(sender, webhook);
        let mut of_lanes: BTreeMap<&str, Vec<&Receipt>> = BTreeMap::new();
        for one in &webhook.receipts {
            match self.lane_of(sender, one.number.as_deref()) {
                Some(lane) => of_lanes.entry(lane).or_default().push(one),
                None => self.foreign("receipt"),
            }
        }
        for (lane, receipts) in of_lanes {
            self.record_of(lane, &receipts).await?;
        }
        let now = self.clock.now();
        let portfolio = self.senders.get(sender).map(|keys| keys.portfolio.as_str()).unwrap_or_default();
        self.answers.learn(portfolio, &webhook.users, now).await?;
        for change in &webhook.user_id_changes {
            self.answers.follow(portfolio, change, now).await?;
        }
        for reply in &webhook.replies {
            match self.lane_of(sender, reply.number.as_deref()) {
                Some(lane) => self.answers.take(lane, portfolio, reply, now).await?,
                None => self.foreign("reply"),
            }
        }
        for change in &webhook.number_changes {
            number_changes::keep(&self.store, &self.metrics, change).await?;
        }
        for notice in &webhook.notices {
            self.alarm(sender, notice).await?;
        }
        Ok(())
    }

    /// Whose lane a piece of a webhook is about: the sender's of the address, or that of another number with the same secret,
    /// since all numbers of one app share an address. `None`: a number that is not ours, or that this secret does not
    /// speak for.
    fn lane_of<'a>(&'a self, sender: &'a str, number: Option<&str>) -> Option<&'a str> {
        let Some(number) = number else { return Some(sender) };
        let own = self.senders.get(sender)?;
        if own.phone_number_id == number {
            return Some(sender);
        }
        let same_app = |keys: &SenderKeys| {
            let is_own =
                |secret: &SecretString| own.app_secrets.iter().any(|one| one.expose_secret() == secret.expose_secret());
            keys.app_secrets.iter().any(is_own)
        };
        let mut others = self.senders.iter().filter(|(_, keys)| keys.phone_number_id == number);
        others.find(|(_, keys)| same_app(keys)).map(|(name, _)| name.as_str())
    }

    fn foreign(&self, what: &str) {
        self.metrics.receipts.get_or_create(&Result1 { result: "foreign_number" }).inc();
        tracing::debug!(what, "a webhook is about a number that is not the sender's: it changes nothing");
    }

    /// Remembers the digits of our numbers.
    fn learn(&self, sender: &str, webhook: &Webhook) {
        let mut known = self.seen.digits.lock().expect("no holder panics");
        for (id, digits) in &webhook.phone_numbers {
            if let Some(lane) = self.lane_of(sender, Some(id)) {
                known.insert(lane.to_owned(), digits.clone());
            }
        }
    }

    async fn record_of(&self, lane: &str, receipts: &[&Receipt]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let recorded = receipt::record(&self.store, lane, receipts, now).await?;
        for (_, error) in &recorded.refused {
            self.metrics.fault("receipt_unstorable");
            tracing::error!(lane, %error, "a receipt cannot be stored: it is passed over");
        }
        for one in receipts {
            self.metrics.receipts.get_or_create(&Result1 { result: one.status.code() }).inc();
        }
        if recorded.unknown > 0 {
            let before = self.seen.unknown.fetch_add(recorded.unknown, Ordering::Relaxed);
            if before / UNKNOWN_STEP != (before + recorded.unknown) / UNKNOWN_STEP || before == 0 {
                let forgotten = receipt::forget_unknown(&self.store, self.unknown_max).await?;
                if forgotten > 0 {
                    self.metrics.receipts.get_or_create(&Result1 { result: "unknown_forgotten" }).inc_by(forgotten);
                    tracing::warn!(forgotten, "too many receipts of unknown messages: the oldest are deleted");
                }
            }
        }
        self.stop_number(lane, receipts).await
    }

    /// Some faults of the whole number come only as a receipt, after the message was accepted (e.g. 131042, unpaid). The
    /// number stands still from the time of the receipt on, so that one that is repeated days later stops nothing.
    async fn stop_number(&self, lane: &str, receipts: &[&Receipt]) -> Result<(), StoreError> {
        let now = self.clock.now();
        let stops = receipts.iter().filter_map(|one| {
            let code = one.code.filter(|code| errors::rule(*code).class == FaultClass::Stop)?;
            let until = one.at.min(now).checked_add(self.number_hold).ok()?;
            (until > now).then_some((until, code))
        });
        let Some((until, code)) = stops.max_by_key(|(until, _)| *until) else { return Ok(()) };
        self.metrics.fault("lane_paused");
        tracing::error!(lane, code, "the provider stopped this number: its queue waits");
        let detail = errors::explain(code).to_owned();
        let stop = Pause { lane: lane.to_owned(), until, by: PausedBy::Provider, detail };
        pause(&self.store, &stop, now).await
    }

    async fn alarm(&self, sender: &str, notice: &Notice) -> Result<(), StoreError> {
        let lane = match notice {
            Notice::Error { phone_number_id, .. } => self.lane_of(sender, phone_number_id.as_deref()),
            Notice::NumberQuality { number: Some(digits), .. } => self.lane_with(sender, digits),
            _ => Some(sender),
        };
        let Some(lane) = lane.map(str::to_owned) else {
            self.foreign("notice");
            return Ok(());
        };
        self.metrics.fault("provider_notice");
        tracing::warn!(lane, notice = ?notice, "the provider says something about the account");
        if let Notice::TemplateStatus { name, language, event, reason } = notice {
            let (name, language, event, detail) = (name.clone(), language.clone(), event.clone(), reason.clone());
            // Others (`PENDING` after an edit, `FLAGGED`) change nothing of what is sent.
            let sends = match event.as_str() {
                "APPROVED" | "REINSTATED" | "UNARCHIVED" => true,
                "REJECTED" | "PAUSED" | "DISABLED" | "DELETED" | "ARCHIVED" | "LOCKED" | "LIMIT_EXCEEDED" => false,
                _ => return Ok(()),
            };
            let news = TextNews { name, language, event, detail, at: self.clock.now() };
            return needs::note_text(&self.store, &news, sends).await;
        }
        let (event, daily_limit) = match notice {
            Notice::NumberQuality { event, limit, .. } => (event.clone(), limit.clone()),
            Notice::Capability { recipients_per_day } => (String::new(), recipients_per_day.clone()),
            _ => return Ok(()),
        };
        figure::note_news(&self.store, &News { lane, event, daily_limit, at: self.clock.now() }).await
    }

    /// The lane of the number with these digits. As long as the sender's own digits are not known, its news are taken for its
    /// own.
    fn lane_with<'a>(&'a self, sender: &'a str, digits: &str) -> Option<&'a str> {
        let known = self.seen.digits.lock().expect("no holder panics");
        let named = known.iter().find(|(_, own)| *own == digits).map(|(lane, _)| lane.clone());
        match named {
            Some(lane) => {
                let keys = self.senders.get(&lane)?;
                self.lane_of(sender, Some(&keys.phone_number_id))
            }
            None if known.contains_key(sender) => None,
            None => Some(sender),
        }
    }
}
