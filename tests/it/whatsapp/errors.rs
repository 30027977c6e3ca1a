//! The error table against its vectors.

use std::collections::BTreeSet;
use std::time::Duration;

use hookbridge::domain::outcome::{Outcome, Scope};
use hookbridge::whatsapp::Gate;
use hookbridge::whatsapp::errors::{self, FaultClass};
use serde_json::{Value, json};

use super::provider::{Act, Provider, hello};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../vectors/provider_errors.json")).expect("the vectors")
}

fn rows(vectors: &Value) -> Vec<&Value> {
    ["known", "unknown"].into_iter().flat_map(|list| vectors[list].as_array().expect("a list")).collect()
}

fn error_json(code: &Value, data: &Value) -> String {
    let mut error = json!({"message": "(#0) Something", "type": "OAuthException", "code": code, "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam"});
    if !data.is_null() {
        error["error_data"] = data.clone();
    }
    json!({"error": error}).to_string()
}

fn expect(row: &Value, outcome: &Outcome) {
    let (fault, after) = match outcome {
        Outcome::Refused(fault) => (fault, None),
        Outcome::Later { fault, after } => (fault, *after),
        other => panic!("{row}: {other:?}"),
    };
    assert_eq!(outcome.code(), row["outcome"], "{row}");
    assert_eq!(fault.scope.code(), row["scope"], "{row}");
    assert_eq!(fault.code, row["code"].as_i64(), "{row}");
    assert_eq!(after, row["wait_s"].as_u64().map(Duration::from_secs), "{row}");
    assert!(["(#0) Something", "What went wrong with +…."].contains(&fault.detail.as_str()), "{}", fault.detail);
}

#[tokio::test]
async fn every_code_decides_alone_under_every_status_and_shape() {
    let vectors = vectors();
    // The stand-in echoes what the "name" of the template asks for: status, a colon, the body.
    let provider = Provider::start(|request| {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let wanted = body.pointer("/template/components/0/parameters/0/text").and_then(Value::as_str).unwrap_or("500:");
        let (status, answer) = wanted.split_once(':').expect("a status");
        Act::Answer(status.parse().expect("a number"), "", answer.to_owned())
    })
    .await;
    let gateway = provider.gateway();
    for row in rows(&vectors) {
        for status in vectors["http"].as_array().expect("a list") {
            for data in vectors["error_data"].as_array().expect("a list") {
                let mut message = hello();
                let script = format!("{status}:{}", error_json(&row["code"], data));
                message.call.parameters = super::provider::positional(&[&script]);
                expect(row, &gateway.send(&message, Gate::open()).await.expect("the gate is open"));
            }
        }
    }
}

#[test]
fn the_vectors_hold_every_rule_of_the_table_and_no_rule_hides_another() {
    let vectors = vectors();
    let known = vectors["known"].as_array().expect("a list");
    let codes: BTreeSet<i64> = known.iter().map(|row| row["code"].as_i64().expect("a code")).collect();
    assert_eq!(codes.len(), known.len(), "a code is listed twice");
    let mut last = i64::MIN;
    for rule in errors::rules() {
        assert!(rule.first > last && rule.last >= rule.first, "{} overlaps or is out of order", rule.first);
        last = rule.last;
        assert!(codes.contains(&rule.first) && codes.range(rule.first..=rule.last).next().is_some(), "{}", rule.first);
    }
    for code in codes {
        assert!(
            errors::rules().iter().any(|rule| (rule.first..=rule.last).contains(&code)),
            "{code} is not in the table"
        );
    }
}

#[test]
fn every_rule_tells_an_operator_one_sentence() {
    for rule in errors::rules() {
        let advice = errors::explain(rule.first);
        assert!(advice.ends_with('.') && advice.len() > 20 && !advice.contains(". "), "{}: {advice}", rule.first);
        let waits = rule.class == FaultClass::Transient;
        assert_eq!(rule.wait_s.is_some(), waits, "{}: only what passes has a time", rule.first);
    }
    assert!(errors::explain(424_242).contains("does not know"));
}

#[test]
fn unknown_codes_believe_is_transient_and_known_ones_do_not_need_it() {
    let after = |code, is_transient| match errors::outcome(code, "", is_transient, None) {
        Outcome::Later { after, .. } => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(after(999, Some(true)), Some(Duration::from_secs(10)));
    assert_eq!(after(999, Some(false)), Some(Duration::from_mins(5)));
    assert_eq!(after(190, Some(true)), None);
    assert!(matches!(errors::outcome(100, "", Some(true), None), Outcome::Refused(_)));
}

#[test]
fn what_must_be_mended_is_held_whatever_retry_after_says() {
    for code in [190, 132_001] {
        let outcome = errors::outcome(code, "", None, Some(Duration::from_secs(9)));
        assert!(matches!(outcome, Outcome::Later { after: None, .. }), "{outcome:?}");
    }
}

#[test]
fn retries_are_limited_where_the_provider_says_so() {
    assert_eq!([1, 131_060, 131_000, 2, 131_026].map(errors::retries_max), [Some(1), Some(1), Some(3), None, Some(0)]);
}

#[test]
fn a_wrong_phone_number_id_stops_the_number_and_does_not_cost_messages() {
    let body = json!({"error": {"code": 100, "error_subcode": 33, "message": "Unsupported post request. Object with ID '106540352242922' does not exist"}});
    let outcome = hookbridge::whatsapp::interpret(400, None, body.to_string().as_bytes());
    assert!(matches!(&outcome, Outcome::Later { fault, after: None } if fault.scope == Scope::Number), "{outcome:?}");
    let other = json!({"error": {"code": 100, "error_subcode": 2_388_024, "message": "Invalid parameter", "is_transient": false}});
    let outcome = hookbridge::whatsapp::interpret(400, None, other.to_string().as_bytes());
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
}

#[test]
fn a_failed_receipt_is_read_by_the_same_table() {
    let fault = errors::receipt_fault(131_026);
    assert_eq!((fault.code, fault.scope), (Some(131_026), Scope::Recipient));
    assert_eq!(fault.detail, errors::explain(131_026));
    assert_eq!(errors::rule(131_042).class, FaultClass::Stop);
    assert_eq!(errors::rule(132_015).scope, Scope::Template);
}
