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

/// What every reader of an event needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub hook: String,
    pub occurred_at: Timestamp,
}

/// `KEEP`: whether the parameters are kept, or only looked at.
#[derive(Deserialize)]
struct EnvelopeWire<'a, const KEEP: bool> {
    v: u32,
    #[serde(borrow)]
    hook: Cow<'a, str>,
    #[serde(borrow)]
    occurred_at: Cow<'a, str>,
    #[serde(borrow, default)]
    request: Option<Text<'a>>,
    #[serde(borrow, default)]
    actor: ActorWire<'a>,
    #[serde(default)]
    fields: Fields<KEEP>,
    #[serde(borrow, default)]
    changed: Vec<Text<'a>>,
    #[serde(default)]
    gone: Fields<KEEP>,
    #[serde(borrow, default)]
    otherwise_at: Option<Text<'a>>,
}

/// Borrowed where it can be: serde does not see a [`Cow`] inside of something else.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn owned(self) -> String {
        self.0.into_owned()
    }
}

#[derive(Default, Deserialize)]
struct ActorWire<'a> {
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    entrypoint: Option<Text<'a>>,
    #[serde(default)]
    masquerading: bool,
}

/// Reads a verified body.
///
/// # Errors
/// [`EnvelopeError`], answered with 422: the stub keeps the event aside and tells somebody.
pub fn parse(id: &EventId, source: &str, body: &[u8]) -> Result<HookEvent, EnvelopeError> {
    let (wire, head) = read::<true>(body)?;
    Ok(HookEvent {
        id: id.clone(),
        source: source.to_owned(),
        hook: head.hook,
        occurred_at: head.occurred_at,
        request: wire.request.map(Text::owned).filter(|request| (1..=64).contains(&request.len())),
        actor: Actor {
            kind: ActorKind::parse(&wire.actor.kind).unwrap_or_default(),
            entrypoint: wire.actor.entrypoint.map(Text::owned),
            masquerading: wire.actor.masquerading,
        },
        fields: wire.fields.flat,
        changed: wire.changed.into_iter().map(Text::owned).collect(),
        gone: wire.gone.flat,
        // Only the sweep has looked before: no stub may claim it.
        otherwise_at: wire.otherwise_at.filter(|_| source == SWEEP).and_then(|at| at.0.parse().ok()),
        day: None,
    })
}

/// Whether [`parse`] will read the body, and its head: ingest needs no more, and does this for every event.
///
/// # Errors
/// As of [`parse`].
pub fn check(body: &[u8]) -> Result<Head, EnvelopeError> {
    Ok(read::<false>(body)?.1)
}

fn read<const KEEP: bool>(body: &[u8]) -> Result<(EnvelopeWire<'_, KEEP>, Head), EnvelopeError> {
    let wire: EnvelopeWire<'_, KEEP> = serde_json::from_slice(body).map_err(|e| {
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
    let head = Head { hook: wire.hook.clone().into_owned(), occurred_at };
    Ok((wire, head))
}

/// Parameters by path, read in one go.
#[derive(Default)]
struct Fields<const KEEP: bool> {
    flat: BTreeMap<String, FieldValue>,
    read: usize,
    /// There were more, or deeper ones, than are read.
    excess: bool,
}

impl<const KEEP: bool> Fields<KEEP> {
    fn members<'de, A: MapAccess<'de>>(&mut self, mut from: A, prefix: &str, depth: usize) -> Result<(), A::Error> {
        if !KEEP {
            while from.next_key::<IgnoredAny>()?.is_some() {
                from.next_value_seed(Member { all: self, path: String::new(), depth })?;
            }
            return Ok(());
        }
        while let Some(key) = from.next_key::<String>()? {
            let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            from.next_value_seed(Member { all: self, path, depth })?;
        }
        Ok(())
    }
}

impl<'de, const KEEP: bool> Deserialize<'de> for Fields<KEEP> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Whole<const KEEP: bool>;
        impl<'de, const KEEP: bool> Visitor<'de> for Whole<KEEP> {
            type Value = Fields<KEEP>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, from: A) -> Result<Fields<KEEP>, A::Error> {
                let mut all = Fields::default();
                all.members(from, "", 1)?;
                Ok(all)
            }

            /// PHP writes an empty array as `[]` where it means `{}`.
            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Fields<KEEP>, A::Error> {
                match from.next_element::<IgnoredAny>()? {
                    None => Ok(Fields::default()),
                    Some(_) => Err(A::Error::custom("expected an object")),
                }
            }

            fn visit_unit<E>(self) -> Result<Fields<KEEP>, E> {
                Ok(Fields::default())
            }
        }
        from.deserialize_any(Whole)
    }
}

/// One parameter, or an object of them.
struct Member<'a, const KEEP: bool> {
    all: &'a mut Fields<KEEP>,
    path: String,
    depth: usize,
}

impl<const KEEP: bool> Member<'_, KEEP> {
    fn put(self, value: impl FnOnce() -> FieldValue) {
        self.all.read += 1;
        if self.all.read > FIELDS_MAX {
            self.all.excess = true;
        } else if KEEP {
            self.all.flat.insert(self.path, value());
        }
    }
}

impl<'de, const KEEP: bool> DeserializeSeed<'de> for Member<'_, KEEP> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, const KEEP: bool> Visitor<'de> for Member<'_, KEEP> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.put(|| FieldValue::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.put(|| FieldValue::Int(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.put(|| i64::try_from(value).map_or_else(|_| FieldValue::Decimal(value.to_string()), FieldValue::Int));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // As it was written, but for its length: the shortest text that means the same number.
        let number = || Number::from_f64(value).map_or_else(String::new, |number| number.to_string());
        self.put(|| FieldValue::Decimal(number()));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.put(|| FieldValue::Text(value.to_owned()));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.put(|| FieldValue::Null);
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
