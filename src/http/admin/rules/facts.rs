//! Owns: stored facts and questions for people: named in words, one below the other.

use jiff::civil::{Date, DateTime};
use maud::{Markup, html};
use serde_json::Value;

use super::super::ask::Ask;
use crate::render::format;

/// How deep a value may lie inside others: what we store is flatter.
const DEEP_MAX: u8 = 5;

/// An object, field by field; what is empty is left out.
pub(super) fn show(ask: &Ask, value: &Value) -> Markup {
    inner(ask, value, DEEP_MAX)
}

fn inner(ask: &Ask, value: &Value, deep: u8) -> Markup {
    html! {
        @match value {
            Value::Object(all) if deep > 0 => dl.facts {
                @for (name, one) in all.iter().filter(|(_, one)| !is_empty(one)) {
                    @let group = one.is_object() || one.as_array().is_some_and(|all| all.iter().any(Value::is_object));
                    dt.group[group] { (label(ask, name)) }
                    dd.group[group] { (inner(ask, one, deep - 1)) }
                }
            },
            Value::Array(all) if deep > 0 && all.iter().any(Value::is_object) => ul.plain {
                @for one in all { li { (inner(ask, one, deep - 1)) } }
            },
            Value::Array(all) if deep > 0 => {
                @for (n, one) in all.iter().enumerate() { @if n > 0 { ", " } (inner(ask, one, deep - 1)) }
            },
            Value::Bool(flag) => (ask.t(if *flag { "form.yes" } else { "form.no" })),
            Value::String(text) => bdi { (word(ask, text)) },
            Value::Null => "–",
            other => bdi { (other.to_string()) },
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.values().all(is_empty),
        _ => false,
    }
}

fn label<'a>(ask: &Ask, name: &'a str) -> &'a str {
    let key = [format!("rule.f_{name}"), format!("rule.cycle_{name}")];
    key.iter().find_map(|key| ask.localizer.known(key)).unwrap_or(name)
}

/// Codes of ours in words, days as people write them; whatever else stands for itself.
pub(super) fn word(ask: &Ask, text: &str) -> String {
    let keys = [format!("rule.cycle_{text}"), format!("rule.type_{text}")];
    if let Some(word) = keys.iter().find_map(|key| ask.localizer.known(key)) {
        return word.to_owned();
    }
    match text.parse::<Date>() {
        Ok(day) if text.len() == 10 => format::date(day, ask.localizer.locale),
        _ => text.replace('T', " ").parse::<DateTime>().map_or_else(|_| text.to_owned(), |_| text.replace('T', " ")),
    }
}
