//! The alert rules and the dashboard of docs/monitoring: they speak of metrics that exist, no need of the first page is left
//! out, and the rules do what their own tests say, by promtool.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookbridge::admin::overview::need::Kind;
use serde_json::Value;

use crate::support::bridge::Bridge;
use crate::support::files::read;

const RULES: &str = "docs/monitoring/alerts.yml";
const DASHBOARD: &str = "docs/monitoring/dashboard.json";

fn promtool() -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join(".work/prometheus/promtool");
    if unpacked.exists() { unpacked } else { "promtool".into() }
}

/// The metrics that `text` names, without what Prometheus adds for kinds of them.
fn named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in
        text.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).filter(|part| part.starts_with("hookbridge_"))
    {
        let plain = ["_total", "_bucket", "_sum", "_count"].into_iter().find_map(|end| part.strip_suffix(end));
        found.insert(plain.unwrap_or(part).to_owned());
    }
    found
}

/// Every expression of the dashboard's panels.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().expect("an expression").to_owned()).collect()
}

/// Everything that the service measures. A metric without a value yet is not in `/metrics`.
fn measured() -> BTreeSet<String> {
    let source = read("src/metrics.rs");
    let registered = source.split("registry.register(").skip(1);
    let names = registered.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    names.map(|name| format!("hookbridge_{name}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_and_dashboard_speak_of_metrics_that_are_there_and_the_dashboard_of_all() {
    let bridge = Bridge::start().await;
    let metrics = bridge.http.get(bridge.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    let there = measured();
    assert!(there.len() > 30, "{there:?}");
    let shown: Vec<&str> = metrics.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    assert!(shown.len() > 10 && shown.iter().all(|name| there.contains(*name)), "{shown:?}");
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).expect("JSON");
    let queries = queries(&dashboard);
    let asked = named(&queries.join("\n"));
    let ruled = named(&read(RULES));
    let unknown: Vec<&String> = asked.union(&ruled).filter(|name| !there.contains(*name)).collect();
    assert!(unknown.is_empty(), "not in /metrics: {unknown:?}");
    let unseen: Vec<&String> = there.iter().filter(|name| !asked.contains(*name)).collect();
    assert!(unseen.is_empty(), "in no panel of {DASHBOARD}: {unseen:?}");
    // Grafana takes a panel's number for its identity.
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().expect("a number")).collect();
    assert_eq!(ids.len(), panels.len());
    bridge.finish().await;
}

#[test]
fn every_need_of_the_first_page_rings_and_what_is_urgent_by_a_rule_of_its_own() {
    let rules = read(RULES);
    let all =
        rules.lines().find_map(|line| line.split_once("need=~\"")?.1.split_once('"')).expect("a rule for the rest").0;
    let rest: BTreeSet<&str> = all.split('|').collect();
    for kind in Kind::ALL {
        let own = rules.contains(&format!("hookbridge_needs{{need=\"{kind}\"}}) > 0"));
        assert_eq!((own, rest.contains(kind.code())), (kind.is_urgent(), !kind.is_urgent()), "{kind}");
    }
    let others = Kind::ALL.iter().filter(|kind| !kind.is_urgent()).count();
    assert_eq!(rest.len(), others, "a need that does not exist: {rest:?}");
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_pass() {
    for words in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let ran = Command::new(promtool()).current_dir("docs/monitoring").args(words).output();
        let ran = ran.expect("promtool runs: scripts/setup.sh test unpacks it");
        let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{words:?}: {said}");
    }
    // Each rule is seen ringing and seen silent.
    let tests = read("docs/monitoring/alerts.test.yml");
    for name in read(RULES).lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let silent = tests.contains(&format!("alertname: {name}, exp_alerts: []"));
        let rings = tests.contains(&format!("alertname: {name}\n        exp_alerts:\n          - "));
        assert!(silent && rings, "{name}");
    }
}

/// Every line of a source file below `folder`, as one text.
fn source(folder: &Path, all: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder of ours").flatten() {
        let path = entry.path();
        if path.is_dir() {
            source(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push_str(&std::fs::read_to_string(path).expect("a source"));
        }
    }
}

#[test]
fn the_log_s_samples_are_lines_that_the_program_writes() {
    let mut code = String::new();
    source(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let document = read("docs/OPERATIONS.md");
    let samples: Vec<Value> = document
        .lines()
        .filter(|line| line.starts_with("{\"level\""))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(samples.len() >= 5, "{samples:?}");
    for sample in samples {
        let message = sample["message"].as_str().expect("a message");
        assert!(code.contains(&format!("\"{message}\"")), "nothing logs {message}");
    }
}
