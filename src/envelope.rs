//! Owns: the shape of an event's body on the wire. Raw, verified bytes in; [`HookEvent`] out.
//! Must not know: what a hook means. Unknown members are ignored, so that a newer stub may say more.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

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
struct EnvelopeWire<'a> {
    v: u32,
    #[serde(borrow)]
    hook: Cow<'a, str>,
    #[serde(borrow)]
    occurred_at: Cow<'a, str>,
    #[serde(default)]
    request: Option<String>,
    #[serde(default)]
    actor: ActorWire,
    #[serde(default)]
    fields: Fields,
    #[serde(default)]
    changed: Vec<String>,
    #[serde(default)]
    gone: Fields,
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
    if wire.fields.excess || wire.gone.excess {
        return Err(EnvelopeError::Fields);
    }
    Ok(HookEvent {
        id: id.clone(),
        source: source.to_owned(),
        hook: wire.hook.into_owned(),
        occurred_at,
        request: wire.request.filter(|request| (1..=64).contains(&request.len())),
        actor: Actor {
            kind: ActorKind::parse(&wire.actor.kind).unwrap_or_default(),
            entrypoint: wire.actor.entrypoint,
            masquerading: wire.actor.masquerading,
        },
        fields: wire.fields.flat,
        changed: wire.changed,
        gone: wire.gone.flat,
        // Only the sweep has looked before: no stub may claim it.
        otherwise_at: wire.otherwise_at.filter(|_| source == SWEEP).and_then(|at| at.parse().ok()),
    })
}

/// Parameters by path, read in one go: the door does this for every event.
#[derive(Default)]
struct Fields {
    flat: BTreeMap<String, FieldValue>,
    /// There were more, or deeper ones, than are read.
    excess: bool,
}

impl Fields {
    fn members<'de, A: MapAccess<'de>>(&mut self, mut from: A, prefix: &str, depth: usize) -> Result<(), A::Error> {
        while let Some(key) = from.next_key::<String>()? {
            let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            from.next_value_seed(Member { all: self, path, depth })?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<Fields, A::Error> {
                let mut all = Fields::default();
                all.members(from, "", 1)?;
                Ok(all)
            }

            /// PHP writes an empty array as `[]` where it means `{}`.
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Fields, A::Error> {
                match from.next_element::<IgnoredAny>()? {
                    None => Ok(Fields::default()),
                    Some(_) => Err(A::Error::custom("expected an object")),
                }
            }

            fn visit_unit<E>(self) -> Result<Fields, E> {
                Ok(Fields::default())
            }
        }
        from.deserialize_any(Whole)
    }
}

/// One parameter, or an object of them.
struct Member<'a> {
    all: &'a mut Fields,
    path: String,
    depth: usize,
}

impl Member<'_> {
    fn put(self, value: FieldValue) {
        if self.all.flat.len() < FIELDS_MAX {
            self.all.flat.insert(self.path, value);
        } else {
            self.all.excess = true;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(FieldValue::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(FieldValue::Int(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(i64::try_from(value).map_or_else(|_| FieldValue::Decimal(value.to_string()), FieldValue::Int));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // As it was written, but for its length: the shortest text that means the same number.
        let number = Number::from_f64(value).map_or_else(String::new, |number| number.to_string());
        self.put(FieldValue::Decimal(number));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(FieldValue::Text(value.to_owned()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(FieldValue::Null);
        Ok(())
    }

    /// The stub never sends lists; a newer one may, and we have no use for them.
    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        while from.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        if self.depth < DEPTH_MAX {
            return self.all.members(from, &self.path, self.depth + 1);
        }
        self.all.excess = true;
        while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<BTreeMap<String, FieldValue>, EnvelopeError> {
        let body = format!(r#"{{"v":1,"hook":"X","occurred_at":"2026-11-23T10:00:00Z","fields":{fields}}}"#);
        parse(&EventId::parse("e").expect("an id"), "billing", body.as_bytes()).map(|event| event.fields)
    }

    #[test]
    fn parameters_become_paths_and_keep_their_kind() {
        let fields = read(
            r#"{"a":1,"b":-2,"c":18446744073709551615,"d":10.50,"e":"ñ\"","f":null,"g":true,"h":[1,{"x":2}],"p":{"q":{"r":{"s":"deep"}}}}"#,
        );
        let decimal = |text: &str| FieldValue::Decimal(text.to_owned());
        let expected = [
            ("a", FieldValue::Int(1)),
            ("b", FieldValue::Int(-2)),
            ("c", decimal("18446744073709551615")),
            ("d", decimal("10.5")),
            ("e", FieldValue::Text("ñ\"".to_owned())),
            ("f", FieldValue::Null),
            ("g", FieldValue::Bool(true)),
            ("p.q.r.s", FieldValue::Text("deep".to_owned())),
        ];
        assert_eq!(fields, Ok(expected.map(|(path, value)| (path.to_owned(), value)).into()));
    }

    #[test]
    fn an_empty_list_is_an_empty_object_and_a_full_one_is_none() {
        assert_eq!(read("[]"), Ok(BTreeMap::new()));
        assert_eq!(read("null"), Ok(BTreeMap::new()));
        for wrong in ["[1]", "7", "\"a\"", "{\"a\":}"] {
            assert!(matches!(read(wrong), Err(EnvelopeError::Json(_))), "{wrong}");
        }
    }

    #[test]
    fn more_or_deeper_than_is_read_is_refused() {
        let many = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"k{i}\":0")).collect::<Vec<_>>().join(","));
        assert_eq!(read(&many(FIELDS_MAX)).map(|fields| fields.len()), Ok(FIELDS_MAX));
        assert_eq!(read(&many(FIELDS_MAX + 1)), Err(EnvelopeError::Fields));
        assert_eq!(read(r#"{"a":{"b":{"c":{"d":{"e":1}}}}}"#), Err(EnvelopeError::Fields));
    }
}
