//! Owns: `GET /v1/manifest`: what the stub is to register and may send. Signed like an event with an empty body.

use std::sync::Arc;

use arc_swap::ArcSwap;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::Route;
use super::limit::Sources;
use super::problem::{Problem, json_response};
use super::raw::{text, verified};
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
    let name = text(headers, "hookbridge-source").unwrap_or_default();
    let source =
        sources.get(name).ok_or_else(|| Problem::new(401, "unknown-source", "`hookbridge-source` names no source."))?;
    verified(headers, b"", &source.keys, clock.now())?;
    let (json, etag) = manifest();
    let mut response = if text(headers, "if-none-match") == Some(etag.as_str()) {
        let mut response = Response::new(String::new().into());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        json_response(StatusCode::OK, json)
    };
    if let Ok(value) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}
