//! Owns: `POST /v1/decisions/{rule}`: a signed question in, the rule's answer out, before the rule's deadline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Buf;
use futures_util::Stream;
use warp::Filter;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::Route;
use super::problem::{Problem, json_response};
use super::refusals::Refusals;
use super::request::{BodyLimits, json_body, signed};
use super::sources::Sources;
use crate::clock::Clock;
use crate::decide::{Answer, Asker, Decider, Question};
use crate::domain::decision::Rule;
use crate::metrics::Metrics;
use crate::road::{Step, mark_one};
use crate::store::decision_writer::DecisionWriter;
use crate::tasks::{Task, caught};

/// What the route works with.
#[derive(Clone, Debug)]
pub struct Decide {
    pub sources: Arc<ArcSwap<Sources>>,
    pub decider: Arc<Decider>,
    pub decision_writer: DecisionWriter,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub limits: BodyLimits,
    pub refusals: Arc<Refusals>,
}

/// The server ends a read so long after the deadline: whoever asks hears that it is too late, not that the server ended something.
const LATER: Duration = Duration::from_millis(100);

/// The route.
#[must_use]
pub fn route(decide: Decide) -> Route {
    let decide = Arc::new(decide);
    warp::path!("v1" / "decisions" / String)
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |rule: String, headers: HeaderMap, body| {
            let decide = decide.clone();
            async move { decide.answer(&rule, &headers, body).await }
        })
        .boxed()
}

impl Decide {
    async fn answer<B: Buf, E>(
        &self,
        rule: &str,
        headers: &HeaderMap,
        body: impl Stream<Item = Result<B, E>>,
    ) -> Response {
        let started = self.clock.monotonic();
        let response = match self.take(rule, headers, body).await {
            Ok(answer) => {
                self.metrics.decision(answer.decision.rule.code(), answer.decision.verdict.code());
                json_response(StatusCode::OK, answer.json().to_string())
            }
            Err(problem) => {
                self.metrics.decision(Rule::parse(rule).map_or("unknown", Rule::code), problem.code);
                if let Some(unsaid) = self.refusals.say(self.clock.now()) {
                    let (status, code) = (problem.status, problem.code);
                    tracing::warn!(status, code, detail = %problem.detail, unsaid, "a question was refused");
                }
                problem.response()
            }
        };
        self.metrics.decision_seconds.observe(self.clock.monotonic().saturating_sub(started).as_secs_f64());
        response
    }

    async fn take<B: Buf, E>(
        &self,
        rule: &str,
        headers: &HeaderMap,
        body: impl Stream<Item = Result<B, E>>,
    ) -> Result<Answer, Problem> {
        let body = json_body(headers, body, self.limits).await?;
        let now = self.clock.now();
        let event = signed(headers, &body, &self.sources.load(), now)?.event()?;
        let rule = Rule::parse(rule).ok_or_else(|| Problem::new(404, "unknown-rule", "There is no such rule."))?;
        let question = Question::read(rule, &event.fields)
            .map_err(|error| Problem::new(422, "bad-question", format!("{error}.")))?;
        let asker = Asker {
            source: event.source,
            hook: event.hook,
            by: event.actor.kind.code().to_owned(),
            request: event.request,
            what_if: false,
        };
        self.ask(question, asker, now).await
    }

    /// Answers before the deadline. The work goes on behind it, since a read that is cut off would leave its connection in the
    /// middle of an answer; the server ends it by the same deadline.
    async fn ask(&self, question: Question, asker: Asker, now: jiff::Timestamp) -> Result<Answer, Problem> {
        let deadline = Duration::from_millis(self.decider.policies.ask(question.rule()).deadline_ms);
        let billing = self.decider.billing.within(deadline + LATER);
        let decider = Decider { billing, ..(*self.decider).clone() };
        let work = tokio::spawn(caught(async move {
            mark_one(Step::Handling, &question.rule());
            decider.ask(&question, asker, now).await
        }));
        let began = Instant::now();
        let late = || Problem::new(503, "too-late", "The facts did not come before the rule's deadline.");
        let no_facts = || Problem::new(503, "no-facts", "The facts cannot be had; the bridge's log says why.");
        match tokio::time::timeout(deadline, work).await {
            Err(_) => Err(late()),
            Ok(Ok(Ok(Ok((answer, kept))))) => {
                // An answer that came too late is not kept: nobody heard it.
                self.decision_writer.keep(kept);
                Ok(answer)
            }
            Ok(Ok(Ok(Err(error)))) => {
                tracing::error!(%error, "a question has no answer");
                // The server ends a statement by the same deadline, and may say so a moment before it.
                Err(if began.elapsed() >= deadline.mul_f32(0.9) { late() } else { no_facts() })
            }
            Ok(Ok(Err(panicked))) => {
                self.metrics.panicked(Task::Decisions, &panicked);
                Err(no_facts())
            }
            Ok(Err(_)) => Err(no_facts()),
        }
    }
}
