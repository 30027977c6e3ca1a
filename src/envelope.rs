//! Owns: the shape of an event's body on the wire. Raw, verified bytes in; [`HookEvent`] out.
//! Must not know: what a hook means. Unknown members are ignored, so that a newer stub may say more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::event::{Actor, ActorKind, FieldValue, HookEvent, SWEEP};
use crate::domain::ids::EventId;

/// Version of the body that this bridge reads.
pub const VERSION: u32 = 1;
/// Longest name of a hook.
const HOOK_CHARS_MAX: usize = 64;
/// Parameters of one event at most: the stub's lists are far shorter.
const FIELDS_MAX: usize = 200;
/// Deepest path, e.g. `params.serviceid` is 2.
const DEPTH_MAX: usize = 4;

/// What is wrong with a body. Never shows values.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EnvelopeError {
    #[error("the body is not a JSON object of the expected shape: {0}")]
    Json(String),
    #[error("`v` is {0}; this bridge reads version {VERSION}")]
    Version(u32),
    #[error("`hook` must be 1 to {HOOK_CHARS_MAX} letters, digits or underscores")]
    Hook,
    #[error("`occurred_at` is not an RFC 3339 time with a zone")]
    OccurredAt,
    #[error("`fields` has more than {FIELDS_MAX} members or is nested deeper than {DEPTH_MAX}")]
    Fields,
}

#[derive(Deserialize)]
struct EnvelopeWire {
    v: u32,
    hook: String,
    occurred_at: String,
    #[serde(default)]
    request: Option<String>,
    #[serde(default)]
    actor: ActorWire,
    #[serde(default, deserialize_with = "map_or_empty_list")]
    fields: Map<String, Value>,
    #[serde(default)]
    changed: Vec<String>,
    #[serde(default, deserialize_with = "map_or_empty_list")]
    gone: Map<String, Value>,
    #[serde(default)]
    otherwise_at: Option<String>,
}

#[derive(Default, Deserialize)]
struct ActorWire {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    entrypoint: Option<String>,
    #[serde(default)]
    masquerading: bool,
}

/// PHP writes an empty array as `[]` where it means `{}`.
fn map_or_empty_list<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
    match Value::deserialize(from)? {
        Value::Object(map) => Ok(map),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        Value::Null => Ok(Map::new()),
        _ => Err(serde::de::Error::custom("expected an object")),
    }
}

/// Reads a verified body.
///
/// # Errors
/// [`EnvelopeError`], answered with 422: the stub keeps the event aside and tells somebody.
pub fn parse(id: &EventId, source: &str, body: &[u8]) -> Result<HookEvent, EnvelopeError> {
    let wire: EnvelopeWire = serde_json::from_slice(body).map_err(|e| {
        // serde's message may quote a value; the place is enough to find it.
        EnvelopeError::Json(format!("{:?} at line {} column {}", e.classify(), e.line(), e.column()))
    })?;
    if wire.v != VERSION {
        return Err(EnvelopeError::Version(wire.v));
    }
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if wire.hook.is_empty() || wire.hook.len() > HOOK_CHARS_MAX || !wire.hook.chars().all(good) {
        return Err(EnvelopeError::Hook);
    }
    let occurred_at: Timestamp = wire.occurred_at.parse().map_err(|_| EnvelopeError::OccurredAt)?;
    let mut fields = BTreeMap::new();
    flatten(&wire.fields, "", 1, &mut fields)?;
    let mut gone = BTreeMap::new();
    flatten(&wire.gone, "", 1, &mut gone)?;
    Ok(HookEvent {
        id: id.clone(),
        source: source.to_owned(),
        hook: wire.hook,
        occurred_at,
        request: wire.request.filter(|request| (1..=64).contains(&request.len())),
        actor: Actor {
            kind: ActorKind::parse(&wire.actor.kind).unwrap_or_default(),
            entrypoint: wire.actor.entrypoint,
            masquerading: wire.actor.masquerading,
        },
        fields,
        changed: wire.changed,
        gone,
        // Only the sweep has looked before: no stub may claim it.
        otherwise_at: wire.otherwise_at.filter(|_| source == SWEEP).and_then(|at| at.parse().ok()),
    })
}

fn flatten(
    map: &Map<String, Value>,
    prefix: &str,
    depth: usize,
    out: &mut BTreeMap<String, FieldValue>,
) -> Result<(), EnvelopeError> {
    for (key, value) in map {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let value = match value {
            Value::Object(inner) if depth < DEPTH_MAX => {
                flatten(inner, &path, depth + 1, out)?;
                continue;
            }
            Value::Object(_) => return Err(EnvelopeError::Fields),
            // The stub never sends lists; a newer one may, and we have no use for them.
            Value::Array(_) => continue,
            Value::Null => FieldValue::Null,
            Value::Bool(b) => FieldValue::Bool(*b),
            Value::Number(n) => n.as_i64().map_or_else(|| FieldValue::Decimal(n.to_string()), FieldValue::Int),
            Value::String(text) => FieldValue::Text(text.clone()),
        };
        if out.len() >= FIELDS_MAX {
            return Err(EnvelopeError::Fields);
        }
        out.insert(path, value);
    }
    Ok(())
}
