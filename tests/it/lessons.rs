//! Defects that peers have in the field, and which of our tests show that we do not: `tests/README.md` has the table. Here is
//! what checks it, and what had no test elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use hookbridge::catalogue::Catalogue;
use hookbridge::domain::locale::Locale;
use hookbridge::domain::message::Parameters;
use hookbridge::render::template::Template;
use hookbridge::render::{Templates, sample};
use minijinja::Value;
use serde_json::{Value as Json, json};

use crate::support::bridge::Bridge;
use crate::support::files::below;

/// Rows that must have a test.
const ROWS: [u32; 29] =
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
/// Rows about what is not built yet; the table says so.
const OPEN: [u32; 2] = [23, 27];

#[test]
fn every_defect_that_peers_have_is_shown_not_to_be_ours_by_a_test_that_exists() {
    let table = include_str!("../README.md");
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (path, text) in below("tests/it", "rs") {
        let area = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")).expect("below");
        let area = area.with_extension("").to_string_lossy().replace('/', "::");
        for line in text.lines().map(str::trim_start) {
            let name = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "));
            known.extend(name.and_then(|name| name.split('(').next()).map(|name| format!("{area}::{name}")));
        }
    }
    for (_, text) in below("tests/php/cases", "php") {
        let names = text.lines().filter_map(|line| line.strip_prefix("test('")?.split("', ").next());
        known.extend(names.map(|name| format!("php: {name}")));
    }
    let mut shown: BTreeMap<u32, usize> = BTreeMap::new();
    for item in table.split("\n- **").skip(1) {
        let Some((Ok(row), text)) = item.split_once(".**").map(|(row, text)| (row.parse::<u32>(), text)) else {
            continue;
        };
        let tests: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  - `")?.strip_suffix('`')).collect();
        for test in &tests {
            assert!(known.contains(*test), "tests/README.md, row {row}: there is no test `{test}`");
        }
        *shown.entry(row).or_default() += tests.len();
    }
    for row in ROWS {
        let count = shown.get(&row).copied().unwrap_or(0);
        assert!(count > 0 || OPEN.contains(&row), "tests/README.md, row {row} names no test");
    }
}

#[test]
fn variables_that_stand_out_of_order_keep_their_values() {
    let context = value(json!({ "first": "one", "second": "two", "third": { "name": "three" } }));
    let body = "Hola {{ third.name }}, primero {{ first }}, luego {{ second }} y otra vez {{ first }} hoy.";
    let text = format!("name = \"t\"\nbody = \"{body}\"\n");
    let template = Template::read(&text).expect("a template");
    assert_eq!(template.provider_body(), "Hola {{1}}, primero {{2}}, luego {{3}} y otra vez {{4}} hoy.");
    let rendered = template.render(Locale::EsAr, &context, "https://a.example/").expect("all values");
    let Parameters::Positional(values) = rendered.call.parameters else { panic!("by position") };
    assert_eq!(values, ["three", "one", "two", "one"]);
    assert_eq!(rendered.text.lines().next(), Some("Hola three, primero one, luego two y otra vez one hoy."));
    let named = Template::read(&format!("named = true\n{text}")).expect("a template");
    let rendered = named.render(Locale::EsAr, &context, "https://a.example/").expect("all values");
    let Parameters::Named(values) = rendered.call.parameters else { panic!("by name") };
    for (name, value) in values {
        let expected = BTreeMap::from([("third_name", "three"), ("first", "one"), ("second", "two")]);
        assert_eq!(expected.get(name.as_str()), Some(&value.as_str()), "{name}");
    }
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(one) => one.into(),
        Json::Number(one) => one.as_i64().map_or_else(|| one.to_string().into(), Value::from),
        Json::String(one) => one.into(),
        Json::Array(all) => all.into_iter().map(value).collect(),
        Json::Object(all) => Value::from_pairs(all.into_iter().map(|(key, one)| (key, value(one)))),
    }
}

/// Every text in `value` becomes `hostile`.
fn with_texts(value: Json, hostile: &str) -> Json {
    match value {
        Json::String(_) => json!(hostile),
        Json::Array(all) => all.into_iter().map(|one| with_texts(one, hostile)).collect(),
        Json::Object(all) => all.into_iter().map(|(key, one)| (key, with_texts(one, hostile))).collect(),
        other => other,
    }
}

#[test]
fn blank_broken_and_endless_values_in_every_field_of_every_text_become_what_the_provider_takes() {
    let catalogue = Catalogue::built_in(&BTreeMap::new()).expect("the catalogue is right");
    let templates = Templates::built_in().expect("the texts are right");
    for hostile in [
        "",
        " ",
        "a\r\nb",
        "\t",
        "a     b",
        "😀👨\u{200d}👩\u{200d}👧",
        &"x".repeat(2000),
        &"é ".repeat(1000),
        &"😀".repeat(500),
    ] {
        for entry in catalogue.entries() {
            for locale in Locale::ALL {
                let values = sample::values(entry.hookpoint.subject, locale, &sample::platform());
                let values = serde_json::to_value(&values).expect("plain values");
                let values = value(with_texts(values, hostile));
                let rendered = templates
                    .render(&entry.hookpoint.id, locale, &values, "https://a.example/")
                    .unwrap_or_else(|error| panic!("{} {locale} {hostile:?}: {error}", entry.hookpoint.id));
                let filled: Vec<&String> = match &rendered.call.parameters {
                    Parameters::Positional(values) => values.iter().collect(),
                    Parameters::Named(values) => values.iter().map(|(_, value)| value).collect(),
                };
                for value in filled {
                    let bad = value.is_empty() || value.contains(['\n', '\r', '\t']) || value.contains("     ");
                    assert!(!bad, "{} {locale}: {value:?}", entry.hookpoint.id);
                }
                let body = rendered.text.split("\n\n").next().unwrap_or_default();
                // By the largest of the counts that the provider may mean.
                let units = body.encode_utf16().count();
                assert!(units <= 1024, "{} {locale}: {units} UTF-16 units", entry.hookpoint.id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn characters_of_four_bytes_survive_the_whole_road() {
    let bridge = Bridge::start().await;
    let it = hookbridge::demo::data::CAST.domain;
    let mut body = bridge.envelope("DomainDelete", &json!({ "domainid": 99_999, "userid": it.client }));
    body["gone"] = json!({ "domain": "ñandú-𐍈.example", "userid": it.client });
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.settle().await;
    assert!(bridge.messages().await.iter().all(|m| m.text.contains("ñandú-𐍈.example")));
    assert!(format!("{:?}", bridge.phones()).contains("ñandú-𐍈.example"));
    bridge.finish().await;
}
