//! The cases of `tests/vectors/rules`, and that `docs/RULES.md` shows exactly these.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hookbridge::domain::decision::{Decision, Rule};
use hookbridge::rules::{cancellation, identity, ownership, termination, upgrade};
use serde_json::Value;

use super::facts::{Case, cases};

const BEGIN: &str =
    "<!-- cases: generated out of tests/vectors/rules; HOOKBRIDGE_WRITE_DOCS=1 cargo test rules::cases -->\n";
const END: &str = "<!-- cases: end -->\n";

/// Every condition of a rule.
pub fn conditions(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::Upgrade => &upgrade::CONDITIONS,
        Rule::Ownership => &ownership::CONDITIONS,
        Rule::Cancellation => &cancellation::CONDITIONS,
        Rule::Termination => &termination::CONDITIONS,
        Rule::Identity => &identity::CONDITIONS,
    }
}

fn failed(decision: &Decision) -> Vec<&'static str> {
    decision.conditions.iter().filter(|one| !one.passed).map(|one| one.code).collect()
}

/// As a case writes it: amounts and numbers as text, invoices as their ids.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => Value::String(value.to_string()),
        Value::Array(list) => {
            list.iter().map(|one| if one.is_object() { one["id"].clone() } else { one.clone() }).collect()
        }
        other => other.clone(),
    }
}

fn check(case: &Case) -> Vec<String> {
    let answer = case.answer();
    let decision = &answer.decision;
    let mut wrong = Vec::new();
    let mut compare = |what: &str, is: Value, wanted: &Value| {
        if is != *wanted {
            wrong.push(format!("{}: {}\n    {what} is {is}, not {wanted}", case.rule, case.name));
        }
    };
    compare("the decision", decision.verdict.code().into(), &case.wanted["decision"]);
    compare("what failed", failed(decision).into(), &case.wanted["failed"]);
    if let Some(message) = case.wanted.get("message") {
        compare("the message", decision.message.into(), message);
    }
    if let Some(notices) = case.wanted.get("notices") {
        compare("the notices", decision.notices.clone().into(), notices);
    }
    let values = &answer.json()["values"];
    for (name, wanted) in case.wanted["values"].as_object().into_iter().flatten() {
        compare(name, plain(&values[name]), wanted);
    }
    wrong
}

#[test]
fn every_case_is_decided_as_the_owner_says() {
    let wrong: Vec<String> = Rule::ALL.iter().flat_map(|rule| cases(*rule)).flat_map(|case| check(&case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_cases_meet_every_condition_both_ways_and_every_sentence() {
    for rule in Rule::ALL.iter().copied() {
        let decisions: Vec<Decision> = cases(rule).iter().map(Case::decide).collect();
        for code in conditions(rule) {
            for passed in [true, false] {
                let met = decisions.iter().any(|one| one.passed(code) == Some(passed));
                assert!(met, "{rule}: no case where {code} is {passed}");
            }
        }
        let said: BTreeSet<&str> =
            decisions.iter().flat_map(|one| one.message.into_iter().chain(one.notices.iter().copied())).collect();
        for code in super::words::sentences(rule) {
            assert!(said.contains(code), "{rule}: no case says {code}");
        }
    }
}

#[test]
fn the_documents_show_exactly_these_cases_and_name_every_condition() {
    let path = format!("{}/docs/RULES.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("docs/RULES.md");
    let (before, rest) = text.split_once(BEGIN).expect("the beginning of the cases");
    let (shown, after) = rest.split_once(END).expect("the end of the cases");
    for code in Rule::ALL.iter().flat_map(|rule| conditions(*rule)) {
        assert!(before.contains(&format!("`{code}`")), "docs/RULES.md does not explain {code}");
    }
    let wanted = tables();
    if shown != wanted && std::env::var_os("HOOKBRIDGE_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).expect("docs/RULES.md can be written");
        return;
    }
    assert!(shown == wanted, "docs/RULES.md shows other cases: HOOKBRIDGE_WRITE_DOCS=1 cargo test rules::cases");
}

fn tables() -> String {
    let mut text = String::new();
    for rule in Rule::ALL.iter().copied() {
        let _ = write!(text, "\n#### {rule}\n\n| case | answer | not met | says |\n|---|---|---|---|\n");
        for case in cases(rule) {
            let codes: Vec<String> =
                case.wanted["failed"].as_array().into_iter().flatten().filter_map(Value::as_str).map(code).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                case.name,
                case.wanted["decision"].as_str().unwrap_or_default(),
                codes.join(", "),
                says(&case)
            );
        }
    }
    text.push('\n');
    text
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

/// The values that the case names; what must be absent is left out.
fn says(case: &Case) -> String {
    let one = |(name, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{name} {text}")),
        Value::Array(list) if list.is_empty() => Some(format!("no {name}")),
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(|one| one.to_string().replace('"', "")).collect();
            Some(format!("{name} {}", list.join(", ")))
        }
        other => Some(format!("{name} {other}")),
    };
    let values = case.wanted["values"].as_object().into_iter().flatten().filter_map(one);
    values.collect::<Vec<_>>().join("; ")
}
