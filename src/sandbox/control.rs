//! Owns: `/_sandbox/…`: what a test or an operator does to the stand-in, and reads from it. Asks for no token: the
//! stand-in belongs on loopback.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use warp::Reply as _;
use warp::http::StatusCode;
use warp::reply::Response;

use super::clients::Reply;
use super::error::ApiError;
use super::faults::Fault;
use super::routes::Call;
use super::template::TemplateStatus;
use super::{Inner, receipts};

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Fault),
    Many(Vec<Fault>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateWire {
    name: String,
    language: String,
    status: TemplateStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserWire {
    number: String,
    user_id: String,
    username: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallbackWire {
    url: Option<String>,
}

/// Answers `/_sandbox/{name}`.
pub async fn answer(inner: &Inner, call: &Call, name: &str) -> Response {
    let done = match (call.method.as_str(), name) {
        ("POST", "drain") => Ok(json!({"posted": receipts::post_queued(inner, None).await})),
        ("POST", "deliver") => {
            let now_ms = inner.now_ms();
            Ok(json!({"posted": receipts::post_queued(inner, Some(now_ms)).await}))
        }
        ("POST", "verify") => Ok(json!({"verified": inner.verify_callback().await})),
        _ => at_once(inner, call, name),
    };
    match done {
        Ok(body) => warp::reply::json(&body).into_response(),
        Err(error) => {
            let body = warp::reply::json(&json!({"error": error.details}));
            let status = StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::BAD_REQUEST);
            warp::reply::with_status(body, status).into_response()
        }
    }
}

fn at_once(inner: &Inner, call: &Call, name: &str) -> Result<Value, ApiError> {
    let mut world = inner.world();
    match (call.method.as_str(), name) {
        ("GET", "messages") => {
            let all = world.ledger.messages().filter(|one| !one.incoming);
            Ok(json!(all.collect::<Vec<_>>()))
        }
        ("GET", "stats") => Ok(json!(world.stats())),
        ("GET", "faults") => Ok(json!(world.faults.open())),
        ("DELETE", "faults") => {
            world.faults.clear();
            Ok(json!({"faults": []}))
        }
        ("POST", "faults") => {
            let faults = match read(call)? {
                OneOrMany::One(fault) => vec![fault],
                OneOrMany::Many(faults) => faults,
            };
            for fault in faults {
                world.faults.order(fault);
            }
            Ok(json!({"faults": world.faults.open()}))
        }
        ("POST", "reset") => {
            world.reset();
            Ok(json!({"success": true}))
        }
        ("POST", "reply") => {
            let reply: Reply = read(call)?;
            let id = world.reply(&reply, inner.now_ms())?;
            inner.bell.notify_one();
            Ok(json!({"id": id}))
        }
        ("POST", "user") => {
            let wire: UserWire = read(call)?;
            let wa_id = super::phone::wa_id(&format!("+{}", wire.number.trim_start_matches('+')))?;
            world.set_user(&wa_id, &wire.user_id, wire.username, inner.now_ms())?;
            inner.bell.notify_one();
            Ok(json!({"success": true}))
        }
        ("POST", "template_status") => {
            let wire: TemplateWire = read(call)?;
            if !world.set_template_status(&wire.name, &wire.language, wire.status, inner.now_ms()) {
                return Err(ApiError::parameter("There is no such template in this language"));
            }
            inner.bell.notify_one();
            Ok(json!({"success": true}))
        }
        ("POST", "callback") => {
            let wire: CallbackWire = read(call)?;
            world.callback_url = wire.url;
            Ok(json!({"success": true}))
        }
        _ => Err(ApiError::parameter("Unknown control path or method").with_http_status(404)),
    }
}

fn read<T: DeserializeOwned>(call: &Call) -> Result<T, ApiError> {
    serde_json::from_slice(&call.body).map_err(|error| ApiError::parameter(error.to_string()))
}
