//! Owns: `/api/v1`: the same operations as the page, for programs. Tokens with roles; JSON in and out; errors are problems. Each area
//! is a file with its addresses, described in `openapi/<area>.json`, which a test compares with them.

pub mod me;

pub mod events;
pub mod find;
pub mod hookpoints;
pub mod messages;
pub mod notices;
pub mod operation;
pub mod overview;
pub mod phones;
pub mod privacy;
pub mod replies;
pub mod rules;
pub mod schedule;
pub mod settings;
pub mod templates;
pub mod why;

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use futures_util::Stream;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use warp::Filter;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::path::FullPath;
use warp::reply::Response;

use super::Route;
use super::admin::ask::{Fields, fit, segments};
use super::admin::visitor;
use super::problem::{Problem, json_response};
use super::refusals::Refusals;
use super::request::{BodyLimits, json_body, text};
use super::server::Peer;
use crate::admin::{AdminError, Desk, Mistake, token};
use crate::domain::admin::{Role, Who};

/// Largest body, and how long it may take.
const BODY: BodyLimits = BodyLimits { bytes_max: 262_144, timeout: Duration::from_secs(10) };
/// Longest list of one answer.
pub const LIMIT_MAX: u64 = 200;

/// A request with a valid token.
#[derive(Debug)]
pub struct Call {
    pub desk: Arc<Desk>,
    pub who: Who,
    /// The endpoint's.
    pub pattern: &'static str,
    pub params: Vec<String>,
    pub query: Fields,
    /// An object; empty without a body.
    pub body: Value,
}

impl Call {
    /// The n-th variable part of the address.
    #[must_use]
    pub fn param(&self, n: usize) -> &str {
        self.params.get(n).map(String::as_str).unwrap_or_default()
    }

    /// A variable part that is a number.
    ///
    /// # Errors
    /// It is none: there is no such thing.
    pub fn id(&self, n: usize, what: &'static str) -> Result<u64, AdminError> {
        self.param(n).parse().map_err(|_| AdminError::NotFound(what))
    }

    /// A text of the body.
    ///
    /// # Errors
    /// It is missing or no text.
    pub fn text(&self, field: &str) -> Result<&str, AdminError> {
        self.body[field].as_str().ok_or_else(|| AdminError::invalid(field, "must be a text"))
    }

    /// A text of the body that may be missing.
    ///
    /// # Errors
    /// It is no text.
    pub fn optional_text(&self, field: &str) -> Result<Option<&str>, AdminError> {
        match &self.body[field] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            _ => Err(AdminError::invalid(field, "must be a text")),
        }
    }

    /// A number of the query, if it is there.
    ///
    /// # Errors
    /// It is no number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, AdminError> {
        let read = |text: &str| text.parse().map_err(|_| AdminError::invalid(name, "must be a whole number"));
        self.query.get(name).map(read).transpose()
    }

    /// A moment of the query, if it is there.
    ///
    /// # Errors
    /// It is no moment.
    pub fn moment(&self, name: &str) -> Result<Option<Timestamp>, AdminError> {
        let read = |text: &str| {
            text.parse().map_err(|_| AdminError::invalid(name, "must be a moment like 2026-11-25T10:00:00Z"))
        };
        self.query.get(name).map(read).transpose()
    }

    /// How many rows are wanted.
    ///
    /// # Errors
    /// No number, none or too many.
    pub fn limit(&self) -> Result<usize, AdminError> {
        let limit = self.number("limit")?.unwrap_or(50);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(AdminError::invalid("limit", format!("must be 1 to {LIMIT_MAX}")));
        }
        Ok(usize::try_from(limit).unwrap_or(50))
    }
}

/// An endpoint's future.
pub type Answering = std::pin::Pin<Box<dyn Future<Output = Result<Value, AdminError>> + Send>>;

/// Describes an endpoint, and adds the schemas that it names to the others.
pub type Describe = fn(&Endpoint, &mut Map<String, Value>) -> Value;

/// One endpoint.
#[derive(Clone, Copy)]
pub struct Endpoint {
    pub method: &'static str,
    /// Below `/api/v1`, with `:name` for variable parts.
    pub pattern: &'static str,
    pub role: Role,
    pub run: fn(Call) -> Answering,
    /// What the description says of it; `None`: it stands in a file.
    pub describe: Option<Describe>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.method, self.pattern, self.role)
    }
}

/// An endpoint.
pub const fn endpoint(method: &'static str, pattern: &'static str, role: Role, run: fn(Call) -> Answering) -> Endpoint {
    Endpoint { method, pattern, role, run, describe: None }
}

/// Every endpoint, by area.
#[must_use]
pub fn endpoints() -> Vec<Endpoint> {
    [
        overview::ENDPOINTS,
        find::ENDPOINTS,
        messages::ENDPOINTS,
        events::ENDPOINTS,
        why::ENDPOINTS,
        hookpoints::ENDPOINTS,
        templates::ENDPOINTS,
        rules::ENDPOINTS,
        schedule::ENDPOINTS,
        phones::ENDPOINTS,
        privacy::ENDPOINTS,
        replies::ENDPOINTS,
        settings::ENDPOINTS,
        notices::ENDPOINTS,
        me::ENDPOINTS,
    ]
    .concat()
}

/// The route of everything below `/api/v1`.
#[must_use]
pub fn route(desk: Arc<Desk>) -> Route {
    let endpoints = Arc::new(endpoints());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path("api")
        .and(warp::path("v1"))
        .and(warp::path::full())
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream())
        .then(move |path: FullPath, method: Method, query: String, headers: HeaderMap, peer: Option<Peer>, body| {
            let (desk, endpoints) = (desk.clone(), endpoints.clone());
            async move {
                let address = visitor(&headers, peer).address;
                let request = Request { path: segments(path.as_str()).split_off(2), method, query, headers, address };
                answer(desk, &endpoints, request, body).await.unwrap_or_else(|problem| problem.response())
            }
        })
        .boxed()
}

struct Request {
    path: Vec<String>,
    method: Method,
    query: String,
    headers: HeaderMap,
    address: String,
}

async fn answer<B: Buf, E>(
    desk: Arc<Desk>,
    endpoints: &[Endpoint],
    request: Request,
    body: impl Stream<Item = Result<B, E>>,
) -> Result<Response, Problem> {
    if request.method == Method::GET && request.path == ["openapi.json"] {
        return Ok(json_response(StatusCode::OK, super::openapi::document().to_string()));
    }
    let bearer = text(&request.headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let held = bearer.map(|bearer| SecretString::from(bearer.trim()));
    let who = match held {
        Some(held) => token::holder(&desk, &held, &request.address).await.map_err(|e| problem(&e))?,
        None => None,
    };
    let who = who.ok_or_else(|| {
        Problem::new(401, "bad-token", "Send `Authorization: Bearer hbk_…` with a token that is valid.")
    })?;
    let fitting: Vec<(&Endpoint, Vec<String>)> =
        endpoints.iter().filter_map(|one| Some((one, fit(one.pattern, &request.path)?))).collect();
    if fitting.is_empty() {
        return Err(Problem::new(404, "not-found", "There is nothing at this address."));
    }
    let wanted = if request.method == Method::HEAD { "GET" } else { request.method.as_str() };
    let Some((endpoint, params)) = fitting.into_iter().find(|(one, _)| one.method == wanted) else {
        return Err(Problem::new(405, "method-not-allowed", "This address does not know that method."));
    };
    if !who.may(endpoint.role) {
        return Err(problem(&AdminError::Forbidden(endpoint.role)));
    }
    let body = if wanted == "GET" { json!({}) } else { object(&request.headers, body).await? };
    let pattern = endpoint.pattern;
    let call = Call { desk, who, pattern, params, query: Fields::read(request.query.as_bytes()), body };
    let value = (endpoint.run)(call).await.map_err(|error| problem(&error))?;
    Ok(json_response(StatusCode::OK, value.to_string()))
}

/// A body that is an object; none is an empty one.
async fn object<B: Buf, E>(headers: &HeaderMap, body: impl Stream<Item = Result<B, E>>) -> Result<Value, Problem> {
    let announced = text(headers, "content-length").is_some_and(|length| length.trim() != "0");
    if !announced && text(headers, "transfer-encoding").is_none() {
        return Ok(json!({}));
    }
    let bytes = json_body(headers, body, BODY).await?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(400, "not-json", format!("The body is not JSON: {error}.")))?;
    let value = whole_numbers(value);
    if value.is_object() { Ok(value) } else { Err(Problem::new(422, "invalid", "The body must be a JSON object.")) }
}

/// `7.0` is a whole number for JSON Schema, and so it is here.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole, and far below what an i64 holds")]
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(all) => Value::Array(all.into_iter().map(whole_numbers).collect()),
        Value::Object(all) => Value::Object(all.into_iter().map(|(key, one)| (key, whole_numbers(one))).collect()),
        other => other,
    }
}

/// What is written of requests that failed: a token is not needed to make one.
static FAILURES: Refusals = Refusals::new();

/// A failed operation, as an answer.
fn problem(error: &AdminError) -> Problem {
    match error {
        AdminError::Forbidden(_) => Problem::new(403, "forbidden", error.to_string()),
        AdminError::NotFound(_) => Problem::new(404, "not-found", error.to_string()),
        AdminError::Invalid(mistakes) => Problem::new(422, "invalid", words(mistakes)),
        AdminError::Conflict(text) => Problem::new(409, "conflict", plain(text)),
        AdminError::Store(_) | AdminError::Billing(_) => {
            if let Some(unsaid) = FAILURES.say_now() {
                tracing::error!(%error, unsaid, "the API has no database");
            }
            Problem::new(503, "database", "A database does not answer. Try again.").retry_after(5)
        }
        AdminError::Internal(_) => {
            if let Some(unsaid) = FAILURES.say_now() {
                tracing::error!(%error, unsaid, "the API failed");
            }
            Problem::new(500, "internal", "Something went wrong; it is in the service's log.")
        }
    }
}

fn words(mistakes: &[Mistake]) -> String {
    mistakes
        .iter()
        .map(|one| format!("{}: {}{}", one.field, plain(&one.text), one.hint()))
        .collect::<Vec<_>>()
        .join("; ")
}

/// In English, where it is a key of the pages' words.
fn plain(text: &str) -> String {
    crate::i18n::text(crate::domain::locale::Locale::En, text).to_owned()
}
