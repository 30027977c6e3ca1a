//! Owns: how an attempt ended, from the HTTP answer. Pure, so that every answer can be tried without a socket.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx with `messages[0].id` | accepted |
//! | the provider's error JSON, under any status | as its code says (`errors`) |
//! | 2xx without either | unknown: it was taken, but as what? |
//! | 5xx without the provider's JSON | unknown: a gateway may have passed the request on |
//! | 408 and 499 without it | unknown: some proxies write them after passing the request on |
//! | 429 without it | later, the number slows down |
//! | other 3xx and 4xx without it | later, the number pauses for a minute: something before the API (proxy, firewall, wrong address) turned the request away, so nothing was taken, and it would turn the next one away too |

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::errors;
use super::redact::redact;
use crate::domain::outcome::{Fault, Outcome, Scope};

/// How long a number pauses when something before the API turns its requests away.
const TURNED_AWAY: Duration = Duration::from_mins(1);
/// How long a number waits at least after a 429 that is not the provider's.
const SLOW_DOWN: Duration = Duration::from_secs(10);
/// Meta: `100` with this subcode is "object does not exist or no permission": the phone number id or the token's rights
/// are wrong, not the message. It must not cost the queue its messages.
const SUBCODE_NO_OBJECT: i64 = 33;

/// Meta: everything but `code` may be missing, `error_data` is an object or a plain string.
#[derive(Deserialize)]
struct ErrorWire {
    code: i64,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    error_subcode: Value,
    #[serde(default)]
    is_transient: Value,
    #[serde(default)]
    error_data: Value,
}

impl ErrorWire {
    fn code(&self) -> i64 {
        match (self.code, self.error_subcode.as_i64()) {
            (100, Some(SUBCODE_NO_OBJECT)) => SUBCODE_NO_OBJECT,
            (code, _) => code,
        }
    }

    /// The most telling words.
    fn detail(&self) -> &str {
        let details = self.error_data.get("details").unwrap_or(&self.error_data);
        let said = |value: &'_ Value| value.as_str().is_some_and(|text| !text.is_empty());
        [details, &self.message].into_iter().find(|value| said(value)).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The members of an answer. A map, since serde would also take an array for a struct, and nothing odd may pass for an
/// accepted message.
type AnswerWire = Map<String, Value>;

/// How an attempt ended that got an answer.
#[must_use]
pub fn interpret(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Outcome {
    let answer: AnswerWire = serde_json::from_slice(body).unwrap_or_default();
    match (accepted(&answer), refused(&answer)) {
        (Some(accepted), None) if (200..300).contains(&status) => accepted,
        // An id under an error: whatever it is, it may have been taken.
        (Some(_), _) => Outcome::Unknown(format!("HTTP {status} with a message id")),
        (None, Some(error)) => errors::outcome(error.code(), error.detail(), error.is_transient.as_bool(), retry_after),
        (None, None) => silent(status, retry_after),
    }
}

fn accepted(answer: &AnswerWire) -> Option<Outcome> {
    let message = answer.get("messages")?.as_array()?.first()?;
    let provider_id = message.get("id")?.as_str().filter(|id| !id.is_empty())?.to_owned();
    // Only for templates; an open list.
    let status = message.get("message_status").and_then(Value::as_str);
    let held = matches!(status, Some("held_for_quality_assessment" | "paused"));
    Some(Outcome::Accepted { provider_id, held })
}

fn refused(answer: &AnswerWire) -> Option<ErrorWire> {
    let error = answer.get("error").filter(|error| error.is_object())?;
    ErrorWire::deserialize(error).ok()
}

/// An answer in which the provider says nothing that we can read.
fn silent(status: u16, retry_after: Option<Duration>) -> Outcome {
    let detail = format!("HTTP {status} without the provider's answer");
    let later = |scope, own| {
        let fault = Fault { code: None, scope, detail: detail.clone() };
        Outcome::Later { fault, after: Some(errors::longer(own, retry_after)) }
    };
    match status {
        408 | 499 => Outcome::Unknown(detail),
        429 => later(Scope::Rate, SLOW_DOWN),
        300..500 => later(Scope::Number, TURNED_AWAY),
        _ => Outcome::Unknown(detail),
    }
}

/// The provider's error of a call that sends nothing: its code and its words.
pub(super) fn read_error(body: &[u8]) -> Option<(i64, String)> {
    let error = refused(&serde_json::from_slice(body).ok()?)?;
    Some((error.code(), redact(error.detail())))
}
