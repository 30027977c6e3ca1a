//! Owns: the provider's notice that a user changed numbers.
//!
//! Meta: a message of type `system`, `user_changed_number`; `from` is the old number, `system.wa_id` the new one. Before version
//! 12 of its API it was `customer_changed_number` with `new_wa_id`; either may be met.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::receipt::{lenient, object, seconds};
use crate::domain::phone::E164;
use crate::domain::receipt::NumberChange;

#[derive(Deserialize)]
struct SystemWire {
    timestamp: Value,
    #[serde(default, deserialize_with = "lenient")]
    from: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    system: Value,
}

/// The changes among the messages of a webhook. What is something else, or cannot be read, is passed over: the reader of replies
/// counts it.
pub(super) fn number_changes(messages: Option<&RawValue>) -> Vec<NumberChange> {
    let Some(messages) = messages.filter(|raw| raw.get().contains("changed_number")) else { return Vec::new() };
    let raw: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
    raw.into_iter().filter_map(object::<SystemWire>).filter_map(|one| change(&one)).collect()
}

fn change(wire: &SystemWire) -> Option<NumberChange> {
    let system = &wire.system;
    if wire.kind != "system" || !matches!(system["type"].as_str()?, "user_changed_number" | "customer_changed_number") {
        return None;
    }
    let number = |text: &str| E164::from_digits(text.strip_prefix('+').unwrap_or(text));
    let named = |name: &str| match &system[name] {
        Value::String(text) => number(text),
        Value::Number(digits) => number(&digits.to_string()),
        _ => None,
    };
    let old = wire.from.as_deref().and_then(number).or_else(|| named("customer"))?;
    let new = named("wa_id").or_else(|| named("new_wa_id")).filter(|new| *new != old);
    Some(NumberChange { from: old, to: new, at: seconds(&wire.timestamp)? })
}
