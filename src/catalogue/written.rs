//! Owns: a hookpoint as text again: the section of TOML that is stored, and the same as JSON for forms and the API.

use serde_json::{Map, Value, json};

use crate::domain::hookpoint::{Condition, Hookpoint, Right, SubjectKind, Transition, Trigger};
use crate::domain::schedule::Schedule;

/// The order of keys in the text; JSON has none.
const ORDER: [&str; 39] = [
    "title",
    "introduced",
    "enabled",
    "class",
    "audience",
    "users",
    "subject",
    "on",
    "when",
    "still",
    "answers",
    "transition",
    "quiet",
    "expires_after_min",
    "settle_s",
    "mass_max",
    "client_day_max",
    "schedule",
    "of",
    "plus",
    "days",
    "at",
    "late_max_min",
    "hook",
    "ours",
    "id",
    "names",
    "former",
    "fields",
    "only",
    "lookups",
    "diff",
    "if",
    "else",
    "wait_s",
    "moves",
    "from",
    "machine",
    "to",
];

/// The definition as JSON, in the shape of the TOML.
#[must_use]
pub fn json(hookpoint: &Hookpoint) -> Value {
    let title: Map<String, Value> =
        hookpoint.title.iter().map(|(locale, text)| (locale.code().to_owned(), json!(text))).collect();
    let mut all = json!({
        "title": title,
        "introduced": hookpoint.introduced,
        "enabled": hookpoint.enabled,
        "class": hookpoint.class.code(),
        "audience": hookpoint.audience.code(),
        "subject": hookpoint.subject.code(),
        "on": hookpoint.triggers.iter().map(|one| trigger(one, hookpoint.subject)).collect::<Vec<_>>(),
        "transition": match &hookpoint.transition {
            Transition::Once => json!("once"),
            Transition::Request => json!("request"),
            Transition::Key(key) => json!({ "key": key }),
            Transition::State { machine, to } => json!({ "state": { "machine": machine, "to": to } }),
        },
        "expires_after_min": hookpoint.expires_after_min,
    });
    let mut put = |key: &str, value: Value| drop(all.as_object_mut().map(|all| all.insert(key.to_owned(), value)));
    // Only where it is another right than the audience's own.
    if hookpoint.users != hookpoint.audience.right() {
        put("users", json!(hookpoint.users.map_or("none", Right::code)));
    }
    for (key, conditions) in [("when", &hookpoint.conditions), ("still", &hookpoint.still)] {
        if !conditions.is_empty() {
            put(key, conditions.iter().map(condition).collect());
        }
    }
    if hookpoint.settle_s > 0 {
        put("settle_s", json!(hookpoint.settle_s));
    }
    if let Some(answers) = &hookpoint.answers {
        put("answers", json!(answers.as_str()));
    }
    if let Some(quiet) = hookpoint.quiet {
        let clock = |time: jiff::civil::Time| time.strftime("%H:%M").to_string();
        put("quiet", json!({ "from": clock(quiet.from), "to": clock(quiet.to) }));
    }
    for (key, most) in [("mass_max", hookpoint.mass_max), ("client_day_max", hookpoint.client_day_max)] {
        if let Some(most) = most {
            put(key, json!(most));
        }
    }
    all
}

fn schedule(schedule: &Schedule) -> Value {
    let mut all = json!({
        "of": schedule.of.code(), "days": schedule.days, "at": schedule.at.strftime("%H:%M").to_string(),
        "late_max_min": schedule.late_max_min,
    });
    if let Some(plus) = schedule.plus {
        all["plus"] = json!(plus.code());
    }
    json!({ "schedule": all })
}

fn trigger(trigger: &Trigger, subject: SubjectKind) -> Value {
    if let Some(steps) = &trigger.schedule {
        return schedule(steps);
    }
    let implied = |path: &String| {
        trigger.subject_at.contains(path) || trigger.former_at.contains(path) || trigger.only.contains_key(path)
    };
    let fields: Vec<&String> = trigger.fields.iter().filter(|path| !implied(path)).collect();
    let mut all =
        Map::from_iter([("hook".to_owned(), json!(trigger.hook)), ("id".to_owned(), json!(trigger.subject_at))]);
    let mut put = |key: &str, value: Value, is_there: bool| {
        if is_there {
            all.insert(key.to_owned(), value);
        }
    };
    put("ours", json!(true), trigger.ours);
    put("names", json!(trigger.names.code()), trigger.names != subject);
    put("former", json!(trigger.former_at), !trigger.former_at.is_empty());
    put("fields", json!(fields), !fields.is_empty());
    put("lookups", json!(trigger.lookups), !trigger.lookups.is_empty());
    put("only", json!(trigger.only), !trigger.only.is_empty());
    put("diff", json!(trigger.diff), !trigger.diff.is_empty());
    Value::Object(all)
}

fn condition(condition: &Condition) -> Value {
    let mut all = json!({ "if": condition.expression, "else": condition.otherwise.code() });
    if condition.wait_s > 0 {
        all["wait_s"] = json!(condition.wait_s);
    }
    if condition.moves {
        all["moves"] = json!(true);
    }
    all
}

/// The definition as the section that is stored.
#[must_use]
pub fn toml(hookpoint: &Hookpoint) -> String {
    let all = json(hookpoint);
    let mut lines = vec![format!("[{}]", hookpoint.id)];
    for (key, value) in in_order(&all) {
        match value.as_array().filter(|list| list.iter().any(Value::is_object)) {
            Some(list) => {
                lines.push(format!("{key} = ["));
                lines.extend(list.iter().map(|one| format!("  {},", inline(one))));
                lines.push("]".to_owned());
            }
            None => lines.push(format!("{key} = {}", inline(value))),
        }
    }
    lines.join("\n") + "\n"
}

fn in_order(value: &Value) -> Vec<(&String, &Value)> {
    let mut members: Vec<(&String, &Value)> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(key, _)| ORDER.iter().position(|one| one == key).unwrap_or(ORDER.len()));
    members
}

fn inline(value: &Value) -> String {
    let bare = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match value {
        Value::Object(_) => {
            let members = in_order(value).into_iter().map(|(key, value)| {
                let key = if bare(key) { key.clone() } else { quoted(key) };
                format!("{key} = {}", inline(value))
            });
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A basic string of TOML: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Catalogue, definition};
    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same_hookpoint() {
        let all = Catalogue::built_in(&BTreeMap::new()).expect("the catalogue");
        for hookpoint in all.entries().map(|entry| &entry.hookpoint) {
            let text = toml(hookpoint);
            let again = Catalogue::read(&text, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            let again = &again.entries().next().expect("one").hookpoint;
            assert_eq!(format!("{again:?}"), format!("{hookpoint:?}"), "{text}");
            let of_json = definition::of_json(hookpoint.id.as_str(), json(hookpoint)).expect("JSON");
            assert_eq!(format!("{of_json:?}"), format!("{hookpoint:?}"));
        }
    }

    #[test]
    fn odd_characters_survive_the_text() {
        let mut definition = json!({
            "title": { "es_AR": "a \"b\" \\ {{ 7 }}", "en": "<script>", "pt_BR": "é\u{1f600}x'" }, "introduced": "2026-11-25",
            "class": "notice", "audience": "owner", "subject": "client", "transition": "once", "expires_after_min": 5,
            "on": [{ "hook": "TicketOpen", "id": ["userid"], "only": { "a.b": ["\u{202e}x\"y"] } }],
            "quiet": { "from": "22:00", "to": "08:00" }, "client_day_max": 3, "settle_s": 3,
        });
        let one = definition::of_json("odd", definition.clone()).expect("a hookpoint");
        let again = Catalogue::read(&toml(&one), &BTreeMap::new()).expect("it reads");
        assert_eq!(format!("{:?}", again.entries().next().expect("one").hookpoint), format!("{one:?}"));
        definition["class"] = json!("security");
        let refused = definition::of_json("odd", definition).expect_err("security is never delayed");
        assert!(refused.contains("quiet"), "{refused}");
    }
}
