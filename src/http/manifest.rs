//! Owns: `GET /v1/manifest`: what the stub is to register and may send. Signed like an event with an empty body.

use std::sync::Arc;

use arc_swap::ArcSwap;
use warp::Filter;
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use warp::reply::Response;

use super::Route;
use super::problem::{Problem, json_response};
use super::request::{source_of, text, verified};
use super::sources::Sources;
use crate::catalogue::{Catalogue, manifest};
use crate::clock::Clock;
use crate::config::rules::RulesConfig;

/// The route.
#[must_use]
pub fn route(
    sources: Arc<ArcSwap<Sources>>,
    catalogue: Arc<ArcSwap<Catalogue>>,
    rules: RulesConfig,
    clock: Clock,
) -> Route {
    warp::path!("v1" / "manifest")
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .map(move |headers: HeaderMap| {
            let manifest = || manifest::of(&catalogue.load(), &rules);
            answer(&headers, &sources.load(), manifest, &clock).unwrap_or_else(|problem| problem.response())
        })
        .boxed()
}

fn answer(
    headers: &HeaderMap,
    sources: &Sources,
    manifest: impl FnOnce() -> (String, String),
    clock: &Clock,
) -> Result<Response, Problem> {
    let (_, source) = source_of(headers, sources)?;
    let verified = verified(headers, b"", &source.keys, clock.now())?;
    let (json, etag) = manifest();
    // The stub makes PHP of it, so it must be known to be ours: signed by the key and under the id of the question.
    let at = clock.now().as_second().to_string();
    let signature = source.keys[verified.key_index()].sign(verified.id(), &at, json.as_bytes());
    let mut response = if text(headers, "if-none-match") == Some(etag.as_str()) {
        let mut response = Response::new(String::new().into());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        json_response(StatusCode::OK, json)
    };
    let signed = [("webhook-id", verified.id()), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    for (name, value) in signed.into_iter().chain([("etag", etag.as_str())]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    Ok(response)
}
