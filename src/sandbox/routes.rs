//! Owns: the way in: which path is what, the token, the send call's answers, and the headers of each answer
//! (Meta's rules).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply};

use super::error::ApiError;
use super::faults::Trouble;
use super::world::Accepted;
use super::{Inner, control, management, page, receipts, request};
use crate::http::body::read_body;
use crate::http::server::Hangup;

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a handler sees of a request.
pub struct Call {
    pub method: Method,
    pub path: FullPath,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// The query's pairs, decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        let base = reqwest::Url::parse("http://sandbox/").ok()?;
        let url = base.join(&format!("?{}", self.query)).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The path without its version: `/v23.0/123/messages` and `/123/messages` are the same.
    fn segments(&self) -> Vec<&str> {
        let mut segments: Vec<&str> = self.path.as_str().split('/').filter(|one| !one.is_empty()).collect();
        if segments.first().is_some_and(|first| is_version(first)) {
            segments.remove(0);
        }
        segments
    }
}

/// Everything behind the socket.
pub fn route(inner: Arc<Inner>) -> BoxedFilter<(Response,)> {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::get::<Hangup>())
        .and(warp::body::stream())
        .then(move |method, path, query, headers, hangup, body| {
            let call = Call { method, path, query, headers, body: Bytes::new() };
            answer(inner.clone(), call, hangup, body)
        })
        .boxed()
}

async fn answer<B: Buf, E>(
    inner: Arc<Inner>,
    mut call: Call,
    hangup: Hangup,
    body: impl Stream<Item = Result<B, E>>,
) -> Response {
    let sends = call.method == Method::POST && call.path.as_str().ends_with("/messages");
    if sends && inner.world().faults.take_before_reading() {
        return cut(&hangup).await;
    }
    let length = call.headers.get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    match read_body(body, length, BODY_BYTES_MAX, BODY_TIMEOUT).await {
        Ok(bytes) => call.body = bytes,
        Err(_) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
    let segments = call.segments();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", []) => page::page(&inner, call.query_value("chat").as_deref()),
        (_, ["_sandbox", name]) => control::answer(&inner, &call, name).await,
        _ => graph(&inner, &call, &segments, &hangup).await,
    }
}

/// The paths of the real service: nothing works without the token.
async fn graph(inner: &Arc<Inner>, call: &Call, segments: &[&str], hangup: &Hangup) -> Response {
    let token = call.headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if token != Some(inner.config.access_token.expose_secret()) {
        return refuse(inner, &ApiError::token());
    }
    if let ("POST", [phone, "messages"]) = (call.method.as_str(), segments) {
        return send(inner, call, phone, hangup).await;
    }
    match management::answer(inner, call, segments) {
        Ok(body) => reply(inner, StatusCode::OK, &body),
        Err(error) => refuse(inner, &error),
    }
}

async fn send(inner: &Arc<Inner>, call: &Call, phone: &str, hangup: &Hangup) -> Response {
    let json = call.headers.get("content-type").and_then(|value| value.to_str().ok());
    let parsed = if json.is_some_and(|kind| kind.starts_with("application/json")) {
        request::parse(&call.body)
    } else {
        Err(ApiError::parameter("Content-Type must be application/json"))
    };
    let now_ms = inner.now_ms();
    let (to, wa_id, verdict) = {
        let mut world = inner.world();
        let Some(phone) = world.phone(phone) else { return refuse(inner, &ApiError::no_object(phone)) };
        let request = match parsed {
            Ok(request) => request,
            Err(error) => {
                world.ledger.refused(error.code);
                return refuse(inner, &error);
            }
        };
        let (to, wa_id) = (request.to.clone(), request.wa_id.clone());
        match world.send(phone, request, now_ms) {
            Ok(verdict) => (to, wa_id, verdict),
            Err(error) => return refuse(inner, &error),
        }
    };
    let mut verdict = verdict;
    if let Some(accepted) = &mut verdict.accepted {
        inner.bell.notify_one();
        // In a task of its own: a sender who hangs up meanwhile must not make the receipts vanish.
        let (inner, early) = (inner.clone(), std::mem::take(&mut accepted.early));
        let _ = tokio::spawn(async move { receipts::post(&inner, early).await }).await;
    }
    match verdict.trouble {
        Some(Trouble::HangAfterAccept) => return std::future::pending().await,
        Some(Trouble::CloseAfterReading { .. }) => return cut(hangup).await,
        Some(Trouble::BadGateway { .. }) => return bad_gateway(),
        Some(Trouble::Garbage { .. }) => return "{\"messaging_product\":\"whatsapp\",\"conta".into_response(),
        Some(Trouble::AnswerLate { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
    let body = verdict.accepted.map(|accepted| success(&to, &wa_id, &accepted, verdict.trouble.as_ref()));
    reply(inner, StatusCode::OK, &body.unwrap_or_default())
}

/// Meta's rules.
fn success(to: &str, wa_id: &str, accepted: &Accepted, trouble: Option<&Trouble>) -> Value {
    let mut message = json!({"id": accepted.wamid});
    match trouble {
        Some(Trouble::WithoutMessageStatus) => {}
        Some(Trouble::AnswersId { id }) => message["id"] = id.as_str().into(),
        Some(Trouble::Held { .. }) => message["message_status"] = "held_for_quality_assessment".into(),
        _ if accepted.is_template => message["message_status"] = "accepted".into(),
        _ => {}
    }
    let mut contact = json!({"input": to});
    if trouble != Some(&Trouble::WithoutWaId) {
        contact["wa_id"] = wa_id.into();
    }
    let mut body = json!({"messaging_product": "whatsapp", "messages": [message]});
    if trouble != Some(&Trouble::WithoutContacts) {
        body["contacts"] = json!([contact]);
    }
    body
}

/// The connection is closed; the accept loop drops this future.
async fn cut(hangup: &Hangup) -> Response {
    hangup.cut();
    std::future::pending().await
}

fn bad_gateway() -> Response {
    let page = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Sorry, something went wrong.\
                </body></html>";
    warp::reply::with_status(warp::reply::html(page), StatusCode::BAD_GATEWAY).into_response()
}

/// An error with Meta's JSON and headers.
pub fn refuse(inner: &Inner, error: &ApiError) -> Response {
    let trace_id = inner.trace_id();
    let status = StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = reply(inner, status, &error.to_json(&trace_id));
    let kind = if error.code == 190 { "invalid_token" } else { "invalid_request" };
    let line = format!("OAuth \"Facebook Platform\" \"{kind}\" \"{}\"", error.message());
    if matches!(error.http_status, 400 | 401)
        && let Ok(value) = HeaderValue::from_str(&line)
    {
        response.headers_mut().insert("www-authenticate", value);
    }
    response
}

/// A JSON answer with Meta's headers.
pub fn reply(inner: &Inner, status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    let trace_id = inner.trace_id();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json; charset=UTF-8"));
    headers.insert("facebook-api-version", HeaderValue::from_static("v26.0"));
    headers.insert("x-fb-rev", HeaderValue::from_static("1000000000"));
    for name in ["x-fb-request-id", "x-fb-trace-id", "x-fb-debug"] {
        if let Ok(value) = HeaderValue::from_str(&trace_id) {
            headers.insert(name, value);
        }
    }
    response
}

fn is_version(segment: &str) -> bool {
    let Some((major, minor)) = segment.strip_prefix('v').and_then(|rest| rest.split_once('.')) else { return false };
    [major, minor].iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()))
}
