//! Owns: the client of Meta's Cloud API: one connection pool, one attempt per call, what a broken network means.
//!
//! | fault | outcome |
//! |---|---|
//! | no connection (refused, name unknown, TLS) | later: nothing was sent |
//! | a kept connection ended before the message was handed to it | tried again at once on another one, then later |
//! | timeout, reset or end after the connection stood | unknown: Meta has no idempotency key, so it may have been taken |
//! | an answer that breaks off or is too long | unknown |

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Body, Client, Proxy, RequestBuilder, Response, Url, redirect, retry};
use secrecy::{ExposeSecret, SecretString};

use super::answer::interpret;
use super::gate::{Gate, GatedBody};
use super::redact::redact;
use super::request::MessageWire;
use crate::domain::message::Message;
use crate::domain::outcome::{Fault, Outcome, Scope};
use crate::domain::text::with_causes;

/// Bytes of an answer to a message at most; the real ones have some hundred.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Connections kept open while idle: as many as may be in flight, so that a burst does not shake hands anew.
const CONNECTIONS_IDLE_MAX: usize = 512;
/// Tries of one attempt on connections that end before the message is handed to them.
const NOT_STARTED_TRIES: u32 = 3;
/// How long a number pauses when the provider cannot be reached.
const UNREACHABLE: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("hookbridge/", env!("CARGO_PKG_VERSION"));

/// How one sending number reaches the Cloud API.
#[derive(Debug)]
pub struct CloudApiSettings {
    /// The number's name in our configuration.
    pub lane: String,
    /// `https://graph.facebook.com`. Plain http only to this machine itself.
    pub base_url: String,
    /// The Graph API's version, e.g. `v23.0`. Meta: without one in the path it picks one for the app.
    pub version: String,
    /// Meta's id of the sending number. Not the number.
    pub phone_number_id: String,
    /// A system user's token.
    pub token: SecretString,
    /// A proxy, if there must be one; those of the environment are not used. Secret, since it may hold a password.
    pub proxy: Option<SecretString>,
    /// For a whole attempt, answer included.
    pub timeout: Duration,
    /// For the connection alone; shorter than `timeout`, else a slow handshake looks like a lost answer.
    pub connect_timeout: Duration,
    /// How long an idle connection is kept; shorter than the provider keeps it.
    pub idle_timeout: Duration,
}

/// Why a client cannot be built. Never shows a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BuildError {
    #[error(
        "`base_url` must be an https:// address without user, query or fragment; http:// only to this machine itself"
    )]
    BaseUrl,
    #[error("`version` must look like `v23.0`")]
    Version,
    #[error("`{0}` must be 1 to 32 digits: Meta's id, not the phone number")]
    Id(&'static str),
    #[error("`token` must be a non-empty text of visible ASCII characters")]
    Token,
    #[error("`proxy` is not a proxy's address")]
    Proxy,
    #[error("`connect_timeout` must be above zero and below `timeout`")]
    Timeout,
    #[error("no TLS provider is installed in this process")]
    NoTlsProvider,
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
}

/// A client for one sending number.
pub struct CloudApi {
    client: Client,
    lane: String,
    /// Base address and version, without a slash at the end.
    root: String,
    phone_number_id: String,
    token: SecretString,
    bearer: HeaderValue,
}

impl fmt::Debug for CloudApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudApi").field("lane", &self.lane).field("root", &self.root).finish_non_exhaustive()
    }
}

impl CloudApi {
    /// Builds the client and its pool. Reads the system's certificates (about 70 ms): once, at start.
    ///
    /// # Errors
    /// [`BuildError`] naming the setting that is wrong.
    pub fn new(settings: CloudApiSettings) -> Result<Self, BuildError> {
        let root = root(&settings.base_url, &settings.version)?;
        if !is_id(&settings.phone_number_id) {
            return Err(BuildError::Id("phone_number_id"));
        }
        let bearer = bearer(&settings.token)?;
        if settings.connect_timeout.is_zero() || settings.connect_timeout >= settings.timeout {
            return Err(BuildError::Timeout);
        }
        let client = client(&settings)?;
        let CloudApiSettings { lane, phone_number_id, token, .. } = settings;
        Ok(Self { client, lane, root, phone_number_id, token, bearer })
    }

    /// The sending number's name in the configuration.
    #[must_use]
    pub fn lane(&self) -> &str {
        &self.lane
    }

    pub(super) fn phone_number_id(&self) -> &str {
        &self.phone_number_id
    }

    /// Makes one attempt to send, if `gate` is open when the connection stands. `None`: it was closed, and nothing was sent.
    pub async fn send(&self, message: &Message, gate: Gate) -> Option<Outcome> {
        let url = format!("{}/{}/messages", self.root, self.phone_number_id);
        let json = match serde_json::to_vec(&MessageWire::new(message)) {
            Ok(json) => Bytes::from(json),
            Err(error) => {
                let detail = format!("the request cannot be written: {error}");
                return Some(Outcome::Refused(Fault { code: None, scope: Scope::Message, detail }));
            }
        };
        let mut tries = NOT_STARTED_TRIES;
        loop {
            tries -= 1;
            // Who yields is run again after the runtime looked at its sockets: so a kept connection that the provider closed
            // meanwhile is not chosen.
            tokio::task::yield_now().await;
            let (body, passage) = GatedBody::new(json.clone(), gate.clone());
            let request = self.client.post(&url).header(CONTENT_TYPE, "application/json").body(Body::wrap(body));
            let outcome = match self.authorised(request).send().await {
                Ok(mut response) => self.conclude(&mut response).await,
                Err(_) if passage.is_closed() => return None,
                Err(error) if passage.is_handed_over() => network_outcome(error),
                // The provider ended a kept connection; another one may be good.
                Err(error) if tries > 0 && !error.is_connect() && !error.is_timeout() && !error.is_builder() => {
                    continue;
                }
                Err(error) => not_started(error),
            };
            return Some(self.without_token(outcome));
        }
    }

    async fn conclude(&self, response: &mut Response) -> Outcome {
        let status = response.status().as_u16();
        match read(response, ANSWER_BYTES_MAX).await {
            Ok(body) => interpret(status, retry_after(response.headers()), &body),
            Err(fault) => Outcome::Unknown(format!("HTTP {status}, {fault}")),
        }
    }

    /// A GET below base address and version, for questions that send nothing.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        self.authorised(self.client.get(format!("{}/{path}", self.root)).query(query))
    }

    /// A POST below base address and version, for what changes the account and sends nothing.
    pub(super) fn post(&self, path: &str, body: &serde_json::Value) -> RequestBuilder {
        self.authorised(self.client.post(format!("{}/{path}", self.root)).json(body))
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(AUTHORIZATION, self.bearer.clone())
    }

    /// The general masking knows what tokens look like; this knows ours.
    pub(super) fn mask_token(&self, text: &str) -> String {
        text.replace(self.token.expose_secret(), "…")
    }

    fn without_token(&self, outcome: Outcome) -> Outcome {
        let clean = |fault: Fault| Fault { detail: self.mask_token(&fault.detail), ..fault };
        match outcome {
            Outcome::Refused(fault) => Outcome::Refused(clean(fault)),
            Outcome::Later { fault, after } => Outcome::Later { fault: clean(fault), after },
            Outcome::Unknown(detail) => Outcome::Unknown(self.mask_token(&detail)),
            accepted @ Outcome::Accepted { .. } => accepted,
        }
    }
}

fn client(settings: &CloudApiSettings) -> Result<Client, BuildError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err(BuildError::NoTlsProvider);
    }
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        // One request per connection at a time: when one breaks, exactly one outcome is unknown.
        .http1_only()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .tcp_nodelay(true)
        .timeout(settings.timeout)
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(CONNECTIONS_IDLE_MAX);
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(Proxy::all(proxy.expose_secret()).map_err(|_| BuildError::Proxy)?);
    }
    builder.build().map_err(|error| BuildError::Client(chain(&error.without_url())))
}

fn root(base_url: &str, version: &str) -> Result<String, BuildError> {
    let url = Url::parse(base_url).map_err(|_| BuildError::BaseUrl)?;
    let host = url.host_str().ok_or(BuildError::BaseUrl)?;
    let here = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    if !(plain && safe && url.fragment().is_none()) {
        return Err(BuildError::BaseUrl);
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = version.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    if !numbers.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
        return Err(BuildError::Version);
    }
    Ok(format!("{}/{version}", url.as_str().trim_end_matches('/')))
}

/// Meta's ids are numeric texts; they become a part of the path.
pub(super) fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn bearer(token: &SecretString) -> Result<HeaderValue, BuildError> {
    let token = token.expose_secret();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BuildError::Token);
    }
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| BuildError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a fault before the answer means, once the connection had the message.
fn network_outcome(error: reqwest::Error) -> Outcome {
    Outcome::Unknown(chain(&error.without_url()))
}

/// What a fault means before any connection had the message: nothing was sent.
fn not_started(error: reqwest::Error) -> Outcome {
    let fault = Fault { code: None, scope: Scope::Number, detail: chain(&error.without_url()) };
    Outcome::Later { fault, after: Some(UNREACHABLE) }
}

/// An error with its causes, on one line.
pub(super) fn chain(error: &reqwest::Error) -> String {
    redact(&with_causes(error))
}

/// Reads a whole body, but not more than `bytes_max`: the client itself has no limit.
pub(super) async fn read(response: &mut Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| chain(&error.without_url()))?;
        let Some(chunk) = chunk else { return Ok(body) };
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("the answer is longer than {bytes_max} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
}

/// `Retry-After` as seconds, or as a date counted from the answer's own `Date`: both are the server's clock, so ours does
/// not matter.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second());
    let seconds = date(asked)?.checked_sub(date(text(DATE)?)?)?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}
