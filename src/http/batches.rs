//! Owns: `POST /v1/batches`: up to [`EVENTS_MAX`] events under one signature, each with an answer of its own. They go through the
//! same group commit as single events and are known by the same ids, so what was sent alone may come again in a batch.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Buf;
use futures_util::Stream;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::Route;
use super::ingest::{Ingest, not_stored, reused};
use super::problem::{Problem, json_response};
use super::request::{BodyLimits, bad_envelope, json_body, rate_limited, source_of, verified};
use super::sources::Source;
use crate::domain::ids::EventId;
use crate::envelope;
use crate::road::{Step, mark};
use crate::signature::sha256;
use crate::store::inbox::{Inserted, NewEvent};

/// Events of one batch at most.
pub const EVENTS_MAX: usize = 500;
/// Bytes of one batch at most. Larger ones would be held in memory by few clients.
pub const BYTES_MAX: usize = 1 << 20;

#[derive(Deserialize)]
struct BatchWire<'a> {
    #[serde(borrow)]
    events: Vec<EventWire<'a>>,
}

#[derive(Deserialize)]
struct EventWire<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    /// Kept byte for byte: an id is known by the hash of its body.
    #[serde(borrow)]
    event: &'a RawValue,
}

/// What became of each event, in the order of the batch.
#[derive(Serialize)]
struct AnswersWire<'a> {
    events: Vec<AnswerWire<'a>>,
}

#[derive(Serialize)]
struct AnswerWire<'a> {
    id: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

/// The route.
#[must_use]
pub fn route(ingest: Arc<Ingest>) -> Route {
    warp::path!("v1" / "batches")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |headers: HeaderMap, body| {
            let ingest = ingest.clone();
            async move {
                mark(Step::Received);
                take(&ingest, &headers, body).await.unwrap_or_else(|problem| {
                    ingest.refused(&problem);
                    problem.response()
                })
            }
        })
        .boxed()
}

async fn take<B: Buf, E>(
    ingest: &Ingest,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response, Problem> {
    let limits = BodyLimits { bytes_max: BYTES_MAX, ..ingest.limits };
    let body = json_body(headers, body, limits).await?;
    let sources = ingest.sources.load_full();
    let (name, source) = source_of(headers, &sources)?;
    let verified = verified(headers, &body, &source.keys, ingest.clock.now())?;
    mark(Step::Verified);
    let batch = parse(verified.body())?;
    let sender = Sender { ingest, name, source, key_index: verified.key_index() };
    let mut limited = false;
    let stored = batch.events.iter().map(|event| sender.store(event, &mut limited)).collect::<Vec<_>>();
    let answers = join_all(stored.into_iter().map(|event| async move {
        let (id, inserted) = ingest.writer.insert(event?).await.map_err(|error| not_stored(&error))?;
        match inserted {
            Inserted::Reused => Err(reused()),
            Inserted::New | Inserted::Duplicate => Ok((id, inserted == Inserted::Duplicate)),
        }
    }))
    .await;
    mark(Step::Stored);
    answer(ingest, &batch, &answers)
}

fn parse(body: &[u8]) -> Result<BatchWire<'_>, Problem> {
    let batch: BatchWire<'_> = serde_json::from_slice(body).map_err(|e| {
        // serde's message may quote a value; the place is enough to find it.
        let place = format!("{:?} at line {} column {}", e.classify(), e.line(), e.column());
        Problem::new(422, "bad-batch", format!("The body is not a JSON object of the expected shape: {place}."))
    })?;
    if batch.events.is_empty() || batch.events.len() > EVENTS_MAX {
        return Err(Problem::new(422, "bad-batch", format!("`events` must hold 1 to {EVENTS_MAX} events.")));
    }
    Ok(batch)
}

/// Who sent the batch.
struct Sender<'a> {
    ingest: &'a Ingest,
    name: &'a str,
    source: &'a Source,
    key_index: usize,
}

impl Sender<'_> {
    /// What is to be stored of one event. Each counts against the rate; after the first that does not fit, all others wait
    /// as well, so that they stay in their order.
    fn store(&self, event: &EventWire<'_>, limited: &mut bool) -> Result<NewEvent, Problem> {
        *limited = *limited || !self.source.admits();
        if *limited {
            return Err(rate_limited());
        }
        let id = EventId::parse(&event.id)
            .ok_or_else(|| Problem::new(422, "bad-envelope", "`id` must be 1 to 64 of A-Z a-z 0-9 _ - ."))?;
        let body = event.event.get();
        let bytes_max = self.ingest.limits.bytes_max;
        if body.len() > bytes_max {
            return Err(Problem::new(413, "body-too-large", format!("At most {bytes_max} bytes are accepted.")));
        }
        let head = envelope::check(body.as_bytes()).map_err(|e| bad_envelope(&e))?;
        Ok(NewEvent {
            id,
            source: self.name.to_owned(),
            urgent: self.ingest.is_urgent(&head.hook),
            hook: head.hook,
            occurred_at: head.occurred_at,
            received_at: self.ingest.clock.now(),
            key_index: self.key_index,
            body_sha256: sha256(body.as_bytes()),
            body: body.to_owned(),
        })
    }
}

/// 200 with an answer for each; the problem itself, if all of them must come again for the same reason.
fn answer(
    ingest: &Ingest,
    batch: &BatchWire<'_>,
    answers: &[Result<(EventId, bool), Problem>],
) -> Result<Response, Problem> {
    let waits = answers.iter().filter_map(|one| one.as_ref().err()).filter(|problem| problem.retry_after_s.is_some());
    let retry_after_s = waits.clone().filter_map(|problem| problem.retry_after_s).max();
    if let (Some(Err(first)), true) = (answers.first(), waits.count() == answers.len()) {
        return Err(first.clone());
    }
    let wire = batch.events.iter().zip(answers).map(|(event, answer)| {
        let id = event.id.as_ref();
        match answer {
            Ok((_, duplicate)) => {
                ingest.metrics.event(if *duplicate { "duplicate" } else { "stored" });
                AnswerWire { id, status: 202, duplicate: Some(*duplicate), code: None, detail: None }
            }
            Err(problem) => {
                ingest.refused(problem);
                let (status, code, detail) = (problem.status, Some(problem.code), Some(problem.detail.as_str()));
                AnswerWire { id, status, duplicate: None, code, detail }
            }
        }
    });
    let wire = AnswersWire { events: wire.collect() };
    let mut response = json_response(StatusCode::OK, serde_json::to_string(&wire).unwrap_or_default());
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}
