//! Owns: `POST /v1/events`: bytes and headers in, durable event out. 202 means that it is on disk.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::{Buf, Bytes};
use futures_util::Stream;
use serde::Serialize;
use warp::Filter;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::Route;
use super::problem::{Problem, json_response};
use super::refusals::Refusals;
use super::request::{BodyLimits, Signed, json_body, signed};
use super::sources::Sources;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::hookpoint::Class;
use crate::domain::ids::EventId;
use crate::envelope::Head;
use crate::metrics::Metrics;
use crate::road::{Step, mark};
use crate::signature::sha256;
use crate::store::batch::WriteError;
use crate::store::inbox::{Inserted, NewEvent};
use crate::store::writer::InboxWriter;

/// What the route works with.
#[derive(Clone, Debug)]
pub struct Ingest {
    pub sources: Arc<ArcSwap<Sources>>,
    pub writer: InboxWriter,
    /// Says which hooks are urgent.
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub limits: BodyLimits,
    pub refusals: Arc<Refusals>,
}

/// The answer to an event that is on disk.
#[derive(Serialize)]
struct Taken<'a> {
    id: &'a str,
    duplicate: bool,
}

/// The route.
#[must_use]
pub fn route(ingest: Arc<Ingest>) -> Route {
    warp::path!("v1" / "events")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |headers: HeaderMap, body| {
            let ingest = ingest.clone();
            async move { ingest.answer(headers, body).await }
        })
        .boxed()
}

impl Ingest {
    async fn answer<B: Buf, E>(&self, headers: HeaderMap, body: impl Stream<Item = Result<B, E>>) -> Response {
        let started = self.clock.monotonic();
        let response = match self.take(headers, body).await {
            Ok((id, inserted)) => {
                let duplicate = inserted == Inserted::Duplicate;
                self.metrics.event(if duplicate { "duplicate" } else { "stored" });
                let taken = Taken { id: id.as_str(), duplicate };
                json_response(StatusCode::ACCEPTED, serde_json::to_string(&taken).unwrap_or_default())
            }
            Err(problem) => {
                self.refused(&problem);
                problem.response()
            }
        };
        self.metrics.ingest_seconds.observe(self.clock.monotonic().saturating_sub(started).as_secs_f64());
        response
    }

    async fn take<B: Buf, E>(
        &self,
        headers: HeaderMap,
        body: impl Stream<Item = Result<B, E>>,
    ) -> Result<(EventId, Inserted), Problem> {
        let body = json_body(&headers, body, self.limits).await?;
        mark(Step::Received);
        let event = self.event(&headers, body)?;
        // Nothing but the event is kept while the database writes.
        drop(headers);
        let (id, inserted) = self.writer.insert(event).await.map_err(|error| not_stored(&error))?;
        mark(Step::Stored);
        match inserted {
            Inserted::Reused => Err(reused()),
            Inserted::New | Inserted::Duplicate => Ok((id, inserted)),
        }
    }

    /// The event, once it is believed and can be read.
    fn event(&self, headers: &HeaderMap, body: Bytes) -> Result<NewEvent, Problem> {
        let now = self.clock.now();
        let sources = self.sources.load();
        let signed = signed(headers, &body, &sources, now)?;
        mark(Step::Verified);
        let Head { hook, occurred_at } = signed.head()?;
        let Signed { verified, source, id } = signed;
        let (key_index, body_sha256) = (verified.key_index(), sha256(verified.body()));
        let urgent = self.is_urgent(&hook);
        let source = source.to_owned();
        let not_text = |_| Problem::new(422, "bad-envelope", "The body is not UTF-8.");
        let body = String::from_utf8(body.into()).map_err(not_text)?;
        Ok(NewEvent { id, source, hook, occurred_at, received_at: now, key_index, body_sha256, body, urgent })
    }

    /// Whether events of this hook are processed before all others.
    pub(super) fn is_urgent(&self, hook: &str) -> bool {
        self.catalogue.load().fired_by(hook).any(|(entry, _)| entry.hookpoint.class == Class::Security)
    }

    /// Counts a refusal, and writes it down unless others were written this second.
    pub(super) fn refused(&self, problem: &Problem) {
        self.metrics.event(problem.code);
        if let Some(unsaid) = self.refusals.say(self.clock.now()) {
            let (status, code) = (problem.status, problem.code);
            tracing::warn!(status, code, detail = %problem.detail, unsaid, "an event was refused");
        }
    }
}

/// 409: the id is stored with another body.
pub(super) fn reused() -> Problem {
    Problem::new(409, "id-reused", "This id was stored before with another body.")
}

/// 503: the event is not on disk, or not known to be.
pub(super) fn not_stored(error: &WriteError) -> Problem {
    let detail = match error {
        WriteError::Full => "Too many events wait for the database.",
        WriteError::Late => "The database did not take the event in time.",
        WriteError::Database(_) => "The database did not take the event.",
    };
    Problem::new(503, "not-stored", detail).retry_after(5)
}
