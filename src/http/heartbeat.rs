//! Owns: `POST /v1/heartbeat`: what a stub says of itself when its platform's cron ends. The answer names what is wrong, so that the
//! platform's own page can show it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Buf;
use futures_util::Stream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use warp::Filter;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::Route;
use super::problem::{Problem, json_response};
use super::refusals::Refusals;
use super::request::{BodyLimits, json_body, rate_limited, source_of, text, verified_within};
use super::sources::Sources;
use crate::catalogue::{Catalogue, manifest};
use crate::clock::Clock;
use crate::config::rules::RulesConfig;
use crate::domain::heartbeat::{CLOCK_OFF_MAX_S, Heartbeat, STUB_LEAST, is_old};
use crate::store::{Store, heartbeat};

/// How far a stub's clock may be off here: it must be able to say that it is.
const CLOCK_OFF_S: i64 = 86_400;
/// Names of one list at most, and characters of one.
const NAMES_MAX: usize = 500;
const NAME_MAX: usize = 64;

/// What the route works with.
#[derive(Clone, Debug)]
pub struct Heartbeats {
    pub sources: Arc<ArcSwap<Sources>>,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub rules: RulesConfig,
    pub store: Store,
    pub clock: Clock,
    pub limits: BodyLimits,
    pub refusals: Arc<Refusals>,
}

#[derive(Deserialize)]
struct HeartbeatWire {
    v: u32,
    host: String,
    owner: String,
    stub: String,
    platform: String,
    php: PhpWire,
    hooks: Vec<String>,
    spool: SpoolWire,
}

#[derive(Deserialize)]
struct PhpWire {
    version: String,
    sapi: String,
    #[serde(default)]
    extensions: Vec<String>,
}

#[derive(Deserialize)]
struct SpoolWire {
    waiting: u64,
    /// Unix seconds; 0 for none.
    oldest: i64,
    aside: u64,
    #[serde(default)]
    lost: u64,
    #[serde(default)]
    fault: String,
}

/// The route.
#[must_use]
pub fn route(heartbeats: Heartbeats) -> Route {
    let heartbeats = Arc::new(heartbeats);
    warp::path!("v1" / "heartbeat")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |headers: HeaderMap, body| {
            let heartbeats = heartbeats.clone();
            async move {
                heartbeats.take(&headers, body).await.unwrap_or_else(|problem| {
                    if let Some(unsaid) = heartbeats.refusals.say(heartbeats.clock.now()) {
                        let (status, code) = (problem.status, problem.code);
                        tracing::warn!(status, code, detail = %problem.detail, unsaid, "a heartbeat was refused");
                    }
                    problem.response()
                })
            }
        })
        .boxed()
}

impl Heartbeats {
    async fn take<B: Buf, E>(
        &self,
        headers: &HeaderMap,
        body: impl Stream<Item = Result<B, E>>,
    ) -> Result<Response, Problem> {
        let body = json_body(headers, body, self.limits).await?;
        let (now, sources) = (self.clock.now(), self.sources.load_full());
        let (name, source) = source_of(headers, &sources)?;
        let verified = verified_within(CLOCK_OFF_S, headers, &body, &source.keys, now)?;
        if !source.admits() {
            return Err(rate_limited());
        }
        let said = read(verified.body())?;
        let sent: i64 = text(headers, "webhook-timestamp").and_then(|text| text.parse().ok()).unwrap_or_default();
        let clock_ahead_s = sent.saturating_sub(now.as_second());
        let hooks: BTreeSet<&str> = said.hooks.iter().map(String::as_str).collect();
        let wanted = manifest::hooks(&self.catalogue.load(), &self.rules);
        let missing: Vec<String> = wanted.into_iter().filter(|hook| !hooks.contains(hook.as_str())).collect();
        heartbeat::keep(&self.store, name, &said, (&missing, clock_ahead_s), now).await.map_err(|error| {
            tracing::error!(%error, "a heartbeat could not be stored");
            Problem::new(503, "not-stored", "The database did not take the heartbeat.").retry_after(5)
        })?;
        let (major, minor, patch) = STUB_LEAST;
        let answer = json!({
            "clock_ahead_s": if clock_ahead_s.abs() > CLOCK_OFF_MAX_S { clock_ahead_s } else { 0 },
            "stub_least": format!("{major}.{minor}.{patch}"), "old": is_old(&said.stub), "missing": missing,
        });
        Ok(json_response(StatusCode::OK, answer.to_string()))
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(422, "bad-heartbeat", detail)
}

fn read(body: &[u8]) -> Result<Heartbeat, Problem> {
    let wire: HeartbeatWire = serde_json::from_slice(body).map_err(|error| {
        // serde's message may quote a value; the place is enough to find it.
        bad(format!("The body is not of the expected shape: line {} column {}.", error.line(), error.column()))
    })?;
    if wire.v != 1 {
        return Err(bad("`v` must be 1."));
    }
    let oldest = match wire.spool.oldest {
        0 => None,
        seconds => Some(Timestamp::from_second(seconds).map_err(|_| bad("`spool.oldest` must be Unix seconds."))?),
    };
    Ok(Heartbeat {
        host: name("host", wire.host)?,
        owner: name("owner", wire.owner)?,
        stub: name("stub", wire.stub)?,
        platform: name("platform", wire.platform)?,
        php: name("php.version", wire.php.version)?,
        sapi: name("php.sapi", wire.php.sapi)?,
        extensions: names("php.extensions", wire.php.extensions)?,
        hooks: names("hooks", wire.hooks)?,
        waiting: wire.spool.waiting,
        oldest,
        aside: wire.spool.aside,
        lost: wire.spool.lost,
        fault: wire.spool.fault.chars().filter(|one| !one.is_control()).take(300).collect(),
    })
}

/// One name: printable ASCII without a comma, which is what lists are kept with.
fn name(member: &str, text: String) -> Result<String, Problem> {
    let fits = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b',';
    if text.is_empty() || text.len() > NAME_MAX || !text.bytes().all(fits) {
        return Err(bad(format!("`{member}` must be 1 to {NAME_MAX} printable ASCII characters without a comma.")));
    }
    Ok(text)
}

fn names(member: &str, all: Vec<String>) -> Result<Vec<String>, Problem> {
    if all.len() > NAMES_MAX {
        return Err(bad(format!("`{member}` holds more than {NAMES_MAX} names.")));
    }
    all.into_iter().map(|one| name(member, one)).collect()
}
