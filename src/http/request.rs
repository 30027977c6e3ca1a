//! Owns: taking a request apart without trusting it: headers as text, the body as bytes within limits.

use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use warp::http::HeaderMap;

use super::body::{BodyError, read_body};
use super::problem::Problem;
use super::sources::{Source, Sources};
use crate::domain::event::HookEvent;
use crate::domain::ids::EventId;
use crate::envelope::{self, EnvelopeError, Head};
use crate::signature::{Headers, Key, SignatureError, TOLERANCE_S, Verified, verify_within};

/// When to come back if we are busy, in seconds.
const BUSY_S: u64 = 5;

/// How much of a body is read, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    pub bytes_max: usize,
    pub timeout: Duration,
}

/// A header as text.
#[must_use]
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads a JSON body within its limits.
///
/// # Errors
/// 415, 411, 413, 408 or 400.
pub async fn json_body<B: Buf, E>(
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, E>>,
    limits: BodyLimits,
) -> Result<Bytes, Problem> {
    let kind = text(headers, "content-type").unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(415, "not-json", "Send `Content-Type: application/json`."));
    }
    let Some(length) = text(headers, "content-length").and_then(|length| length.parse().ok()) else {
        return Err(Problem::new(411, "length-required", "Send a `Content-Length`."));
    };
    read_body(body, Some(length), limits.bytes_max, limits.timeout).await.map_err(|error| match error {
        BodyError::TooLarge => {
            Problem::new(413, "body-too-large", format!("At most {} bytes are accepted.", limits.bytes_max))
        }
        BodyError::Timeout => Problem::new(408, "body-timeout", "The body did not arrive in time."),
        BodyError::Crowded => Problem::new(503, "busy", "Too many large bodies are being read.").retry_after(BUSY_S),
        BodyError::Broken => Problem::new(400, "body-broken", "The connection broke while the body was read."),
    })
}

/// Checks the Standard Webhooks signature of a body.
///
/// # Errors
/// 401 with what is wrong, in words for the one who runs the stub.
pub fn verified<'a>(
    headers: &'a HeaderMap,
    body: &'a [u8],
    keys: &[Key],
    now: jiff::Timestamp,
) -> Result<Verified<'a>, Problem> {
    verified_within(TOLERANCE_S, headers, body, keys, now)
}

/// The same, where sender's and our clock may differ by `tolerance_s`.
///
/// # Errors
/// As [`verified`].
pub fn verified_within<'a>(
    tolerance_s: i64,
    headers: &'a HeaderMap,
    body: &'a [u8],
    keys: &[Key],
    now: jiff::Timestamp,
) -> Result<Verified<'a>, Problem> {
    let parts = Headers {
        id: text(headers, "webhook-id").unwrap_or_default(),
        timestamp: text(headers, "webhook-timestamp").unwrap_or_default(),
        signature: text(headers, "webhook-signature").unwrap_or_default(),
    };
    verify_within(tolerance_s, parts, body, keys, now).map_err(|error| {
        let code = match error {
            SignatureError::Stale(_) => "stale-timestamp",
            SignatureError::Header(_) | SignatureError::Mismatch => "bad-signature",
        };
        Problem::new(401, code, error.to_string())
    })
}

/// What a source sent and signed.
#[derive(Debug)]
pub struct Signed<'a> {
    pub verified: Verified<'a>,
    pub source: &'a str,
    pub id: EventId,
}

impl Signed<'_> {
    /// The whole event.
    ///
    /// # Errors
    /// 422.
    pub fn event(&self) -> Result<HookEvent, Problem> {
        envelope::parse(&self.id, self.source, self.verified.body()).map_err(|e| bad_envelope(&e))
    }

    /// What it is an event of, if it can be read whole.
    ///
    /// # Errors
    /// 422.
    pub fn head(&self) -> Result<Head, Problem> {
        envelope::check(self.verified.body()).map_err(|e| bad_envelope(&e))
    }
}

/// 422: the body of an event is not of the contract's shape.
#[must_use]
pub fn bad_envelope(error: &EnvelopeError) -> Problem {
    Problem::new(422, "bad-envelope", error.to_string())
}

/// A body, once its source, its signature and the source's rate allow it, in this order: a stranger learns
/// nothing about keys, and cannot use up a source's rate.
///
/// # Errors
/// 401, 429, or 422 for its id.
pub fn signed<'a>(
    headers: &'a HeaderMap,
    body: &'a [u8],
    sources: &Sources,
    now: jiff::Timestamp,
) -> Result<Signed<'a>, Problem> {
    let (name, source) = source_of(headers, sources)?;
    let verified = verified(headers, body, &source.keys, now)?;
    if !source.admits() {
        return Err(rate_limited());
    }
    let id = EventId::parse(verified.id())
        .ok_or_else(|| Problem::new(422, "bad-envelope", "`webhook-id` must be 1 to 64 of A-Z a-z 0-9 _ - ."))?;
    Ok(Signed { verified, source: name, id })
}

/// The source that the headers name. The name is not signed: it only selects the keys.
///
/// # Errors
/// 401.
pub fn source_of<'a, 'b>(headers: &'a HeaderMap, sources: &'b Sources) -> Result<(&'a str, &'b Source), Problem> {
    let name = text(headers, "hookbridge-source").unwrap_or_default();
    let source = sources.get(name).ok_or_else(|| {
        Problem::new(401, "unknown-source", "`hookbridge-source` names no source of the bridge's configuration.")
    })?;
    Ok((name, source))
}

/// 429: the source sends more than its rate.
#[must_use]
pub fn rate_limited() -> Problem {
    Problem::new(429, "rate-limited", "This source sends more than its rate.").retry_after(1)
}
