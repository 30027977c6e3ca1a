//! What administrators do at the command line: the same as on the page, with the same record of it.

use hookbridge::demo::data::CAST;
use hookbridge::sandbox::Fault;
use hookbridge::store::audit;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

/// What was done at the command line, oldest first.
async fn deeds(bridge: &Bridge) -> Vec<String> {
    let filter = audit::Filter { limit: 100, ..audit::Filter::default() };
    let all = audit::list(&bridge.app.store, &filter).await.expect("the log can be read");
    let own = all.into_iter().rev().filter(|one| one.via.code() == "cli" && one.actor == "cli:luz");
    own.map(|one| format!("{} {}", one.action, one.target)).collect()
}

/// A bridge on which the alert on an invoice failed at the provider. Its message and client.
async fn failed() -> (Bridge, String, String) {
    let bridge = Bridge::start().await;
    let error = serde_json::from_value(json!({ "error": { "code": 131_008 } })).expect("a trouble");
    bridge.sandbox.fault(Fault::next(error));
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.settle().await;
    let message = bridge.messages().await.into_iter().find(|one| one.standing() == "failed").expect("it failed");
    (bridge, message.id.to_string(), message.client_id.to_string())
}

#[tokio::test]
async fn a_failed_message_is_found_explained_and_sent_again() {
    let (bridge, id, client) = failed().await;
    let before = bridge.phones().len();
    let found = bridge.run_json(&["messages", "list", "--state", "failed", "--client", &client]).await;
    assert_eq!((&found["items"][0]["id"], &found["next"]), (&json!(id), &Value::Null));
    let (ok, _, said) = bridge.run(&["messages", "list", "--state", "lost"]).await;
    assert!(!ok && said.contains("state: "), "{said}");
    let why = bridge.run_json(&["why", &client]).await;
    let outcomes = why["events"][0]["outcomes"].as_array().expect("outcomes").clone();
    assert!(outcomes.iter().any(|one| one["reason"] == json!("refused")), "{why}");
    let (ok, said, _) = bridge.run(&["why", &client]).await;
    assert!(ok && said.contains("refused") && said.contains("InvoiceCreated"), "{said}");
    assert!(!said.contains('\u{1b}'), "no colours in a pipe: {said}");
    let events = bridge.run_json(&["events", "list", "--hook", "InvoiceCreated", "--client", &client]).await;
    assert_eq!(events["items"][0]["id"], json!("evt_1"));
    let (ok, _, said) = bridge.run(&["events", "again", "evt_1"]).await;
    assert!(!ok && said.contains("failed"), "it was processed: {said}");
    // Without `--yes` nothing goes.
    let (ok, said, _) = bridge.run(&["messages", "retry", "--state", "failed", "--hookpoint", "invoice_created"]).await;
    assert!(ok && said.starts_with("1 would be sent again") && said.contains("--yes"), "{said}");
    let (ok, _, said) = bridge.run(&["messages", "retry"]).await;
    assert!(!ok && said.contains("search for them"), "{said}");
    let done = bridge.run_json(&["messages", "retry", &id, "--yes"]).await;
    assert_eq!(done, json!({ "resent": 1, "left_out": {}, "more": false }));
    let done = bridge.run_json(&["messages", "retry", &id, "--yes"]).await;
    assert_eq!(done, json!({ "resent": 0, "left_out": { "resent_already": 1 }, "more": false }));
    let (ok, _, said) = bridge.run(&["messages", "resend", &id]).await;
    assert!(!ok && said.contains("sent again already"), "{said}");
    // The command looks at the machine's clock, which went on.
    bridge.wait_s(60);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before + 1);
    assert_eq!(deeds(&bridge).await, ["message.retry messages"; 2]);
    bridge.finish().await;
}

#[tokio::test]
async fn numbers_sources_and_the_log_are_steered_and_leave_their_lines() {
    let bridge = Bridge::start().await;
    let (ok, said, err) = bridge.run(&["lanes", "pause", "main", "--minutes", "5", "--why", "maintenance"]).await;
    assert!(ok && said.contains("is stopped until"), "{said}{err}");
    assert_eq!(bridge.run_json(&["lanes", "list"]).await[0]["why"], json!("cli:luz: maintenance"));
    assert!(bridge.run(&["lanes", "resume", "main"]).await.0);
    assert!(bridge.run(&["lanes", "pace", "main", "3"]).await.0);
    let lanes = bridge.run_json(&["lanes", "list"]).await;
    assert_eq!((&lanes[0]["per_second"], &lanes[0]["paused_until"]), (&json!(3), &Value::Null));
    // It fails, because nobody counts here; but it says how things stand.
    let status: Value = serde_json::from_str(&bridge.run(&["status", "--json"]).await.1).expect("JSON");
    assert_eq!(status["numbers"][0]["pace_max_per_s"], json!(3), "the pace in force: {status}");
    assert!(bridge.run(&["lanes", "pace", "main"]).await.0);
    let (ok, _, said) = bridge.run(&["lanes", "pause", "main"]).await;
    assert!(!ok && said.contains("--minutes") && said.contains("--why"), "how long and why: {said}");
    let (ok, _, said) = bridge.run(&["lanes", "pause", "nobody", "--minutes", "5", "--why", "a test"]).await;
    assert!(!ok && said.contains("no such number"), "{said}");
    let (ok, secret, err) = bridge.run(&["sources", "rotate", "billing", "--days", "2"]).await;
    assert!(ok && secret.starts_with("whsec_") && secret.lines().count() == 1, "{err}");
    let sources = bridge.run_json(&["sources", "list"]).await;
    assert!(!sources.to_string().contains(secret.trim()), "a secret is shown once");
    let id = sources[0]["secrets"][0]["id"].to_string();
    assert!(bridge.run(&["sources", "end", &id]).await.0);
    let log = bridge.run_json(&["admin", "log", "--actor", "cli:luz", "--action", "source.rotate"]).await;
    assert_eq!(log["items"].as_array().map(Vec::len), Some(1), "{log}");
    assert!(!log.to_string().contains(secret.trim()));
    let (ok, csv, _) = bridge.run(&["admin", "log", "--csv"]).await;
    assert!(ok && csv.starts_with("id,at,actor"), "{csv}");
    let noted = ["number.pause lane:main", "number.resume lane:main", "number.pace lane:main", "number.pace lane:main"];
    assert_eq!(deeds(&bridge).await[..4], noted);
    bridge.finish().await;
}

#[tokio::test]
async fn held_alerts_are_answered_and_the_answer_is_on_record() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("ALERTS__CLIENT_DAY_MAX", "1")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    for (n, hook) in ["InvoiceCreated", "InvoiceCreated"].iter().enumerate() {
        let invoice = [CAST.invoice_unpaid.id, CAST.invoice_overdue.id][n];
        bridge.post(&format!("evt_{n}"), &bridge.envelope(hook, &json!({ "invoiceid": invoice }))).await;
        bridge.settle().await;
    }
    let holds = bridge.run_json(&["holds", "list"]).await;
    let hold =
        holds.as_array().expect("holds").iter().find(|one| one["client_id"].is_u64()).expect("one is held").clone();
    let (hookpoint, client) = (hold["hookpoint"].as_str().expect("a name"), hold["client_id"].to_string());
    let (ok, said, err) = bridge.run(&["holds", "drop", hookpoint, "--client", &client]).await;
    assert!(ok && said.contains("cancelled"), "{said}{err}");
    assert_eq!(deeds(&bridge).await, [format!("hold.drop {hookpoint}")]);
    let (ok, _, said) = bridge.run(&["holds", "go", "nothing_of_it"]).await;
    assert!(!ok && said.contains("no such hold"), "{said}");
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}

#[tokio::test]
async fn a_text_is_shown_checked_changed_and_taken_back() {
    let bridge = Bridge::start().await;
    let text = ["invoice_created", "en"];
    let at = |verb: &'static str, more: &[&'static str]| [&["templates", verb][..], &text, more].concat();
    let (ok, shown, err) = bridge.run(&at("show", &[])).await;
    assert!(ok && shown.contains("body = "), "{err}");
    let file = bridge.dir.path().join("text.toml");
    let path: &'static str = Box::leak(file.display().to_string().into_boxed_str());
    std::fs::write(&file, shown.replace("{{", "{{ nobody.")).expect("a file");
    let (ok, said, _) = bridge.run(&at("check", &["--file", path])).await;
    assert!(!ok && said.contains("offers no value"), "{said}");
    let (ok, _, said) = bridge.run(&at("set", &[path])).await;
    assert!(!ok && said.contains("body"), "{said}");
    let changed = shown.replacen("hello ", "good day ", 1);
    assert_ne!(changed, shown, "the text has a greeting: {shown}");
    std::fs::write(&file, &changed).expect("a file");
    let saved = bridge.run_json(&at("set", &[path, "--note", "warmer"])).await;
    assert!(saved["version"].as_u64().is_some_and(|version| version > 0));
    assert_eq!(bridge.run(&at("show", &[])).await.1, changed);
    let preview = bridge.run_json(&at("preview", &[])).await;
    assert!(preview["shown"]["body"].is_string(), "{preview}");
    let history = bridge.run_json(&at("history", &[])).await;
    assert_eq!((&history[0]["note"], &history[0]["who"]), (&json!("warmer"), &json!("cli:luz")));
    let reach = bridge.run_json(&at("reach", &[])).await;
    assert!(reach["reachable"].as_u64().is_some_and(|n| n > 0), "{reach}");
    let (ok, said, err) = bridge.run(&at("roll-back", &["built-in"])).await;
    assert!(ok, "{said}{err}");
    assert_eq!(bridge.run(&at("show", &[])).await.1, shown);
    let sent = bridge.run_json(&at("test", &["+5491155550177"])).await;
    assert!(sent["message"].is_string());
    bridge.wait_s(60);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 1);
    let deeds = deeds(&bridge).await;
    for deed in ["template.save", "template.back", "template.test"] {
        assert!(deeds.contains(&format!("{deed} invoice_created.en")), "{deed}: {deeds:?}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn no_hookpoint_takes_the_name_of_test_messages() {
    let bridge = Bridge::start().await;
    let (_, text, _) = bridge.run(&["hookpoints", "show", "invoice_created"]).await;
    let file = bridge.dir.path().join("test.toml");
    std::fs::write(&file, text.replace("[invoice_created]", "[test]")).expect("a file");
    let (ok, _, said) = bridge.run(&["hookpoints", "set", file.to_str().expect("a path")]).await;
    assert!(!ok && said.contains("is what test messages are filed under"), "{said}");
    bridge.finish().await;
}
