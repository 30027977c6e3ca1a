//! `POST /v1/heartbeat`: what a stub says of itself, and where people see it.

use hookbridge::admin::overview::need::says;
use hookbridge::admin::overview::now;
use hookbridge::domain::admin::{Role, Who};
use serde_json::{Value, json};

use crate::support::bridge::{Answer, Bridge};
use crate::support::person::Person;

/// A heartbeat in which all is well, of a stub that has registered everything.
fn well(bridge: &Bridge) -> Value {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let hooks = hookbridge::catalogue::manifest::hooks(&desk.catalogue.load(), &desk.config.rules);
    json!({
        "v": 1, "host": "web1", "owner": "www-data", "stub": "1.2.0", "platform": "8.13.1-release.1",
        "php": { "version": "8.2.1", "sapi": "cli", "extensions": ["curl", "Zend OPcache"] }, "hooks": hooks,
        "spool": { "waiting": 0, "oldest": 0, "aside": 0, "lost": 0, "fault": "" },
    })
}

async fn post(bridge: &Bridge, body: &Value) -> Answer {
    bridge.signed("/v1/heartbeat", "hbt_1", body.to_string().into_bytes(), |request| request).await
}

/// What the first page says of stubs.
async fn needs(bridge: &Bridge) -> Vec<(&'static str, String)> {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let state = now(&desk, &Who::at_the_command_line("test")).await.expect("it can be read");
    let of_stubs = state.needs.iter().filter(|need| need.code().starts_with("stub_"));
    of_stubs.map(|need| (need.code(), says(need))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_stub_reports_with_each_cron_and_is_shown_everywhere() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    assert!(ana.get("/admin/settings/sources").await.text.contains("Todavía no informó nada"));
    let doctor = bridge.run(&["doctor"]).await.1;
    assert!(doctor.contains("no heartbeat yet"), "{doctor}");

    bridge.fire(&[json!({ "hook": "AfterCronJob" })]).await;
    assert_eq!(needs(&bridge).await, []);
    let stubs = bridge.run_json(&["sources", "list"]).await[0]["stubs"].clone();
    let stub = &stubs[0];
    assert_eq!(
        (&stub["stub"], &stub["sapi"], &stub["troubles"]),
        (&json!("1.2.0"), &json!("cli"), &json!([])),
        "{stub}"
    );
    assert_eq!(stub["hooks_missing"], json!([]), "the built-in manifest is the bridge's");
    assert!(stub["extensions"].as_array().is_some_and(|all| all.contains(&json!("curl"))), "{stub}");
    let page = ana.get("/admin/settings/sources").await.text;
    assert!(page.contains("Hooks registrados") && page.contains("8.13.1-release.1"), "{page}");
    let (ok, table, _) = bridge.run(&["sources", "list"]).await;
    assert!(ok && table.contains("last heartbeat") && table.contains("8.13.1-release.1"), "{table}");
    let doctor = bridge.run(&["doctor"]).await.1;
    assert!(doctor.contains("version 1.2.0, last heartbeat"), "{doctor}");
    let metrics = bridge.http.get(bridge.url("/metrics")).send().await.expect("metrics").text().await.expect("a text");
    assert!(metrics.contains("hookbridge_stub_heartbeat_seconds{source=\"billing\"}"), "{metrics}");
    assert!(metrics.contains("hookbridge_stub_troubles{source=\"billing\",trouble=\"silent\"} 0"), "{metrics}");

    bridge.wait_s(61 * 60);
    let silent = needs(&bridge).await;
    assert_eq!(silent.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["stub_silent"]);
    let metrics = bridge.http.get(bridge.url("/metrics")).send().await.expect("metrics").text().await.expect("a text");
    assert!(metrics.contains("hookbridge_stub_troubles{source=\"billing\",trouble=\"silent\"} 1"), "{metrics}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_trouble_is_said_with_what_to_do_and_answered_to_the_stub() {
    let bridge = Bridge::start().await;
    let calm = well(&bridge);
    let answer = post(&bridge, &calm).await;
    let expected = json!({ "clock_ahead_s": 0, "stub_least": "1.2.0", "old": false, "missing": [] });
    assert_eq!((answer.status, answer.body), (200, expected));
    assert_eq!(needs(&bridge).await, []);

    let oldest = bridge.now().as_second() - 31 * 60;
    for (place, value, code, says) in [
        ("/stub", json!("1.1.9"), "stub_old", "is old (1.1.9)"),
        ("/spool/aside", json!(3), "stub_aside", "has set 3 events aside"),
        ("/spool/fault", json!("spool_dir is a link"), "stub_fault", "spool_dir is a link"),
        ("/spool/oldest", json!(oldest), "stub_waits", "although its cron ran"),
    ] {
        let mut wrong = calm.clone();
        *wrong.pointer_mut(place).expect("a place") = value;
        assert_eq!(post(&bridge, &wrong).await.status, 200);
        let needs = needs(&bridge).await;
        assert_eq!(needs.len(), 1, "{needs:?}");
        assert!(
            needs[0].0 == code && needs[0].1.contains(says) && needs[0].1.contains("billing (web1, www-data)"),
            "{needs:?}"
        );
    }

    let mut fewer = calm.clone();
    fewer["hooks"].as_array_mut().expect("hooks").retain(|hook| hook != "InvoicePaid");
    assert_eq!(post(&bridge, &fewer).await.body["missing"], json!(["InvoicePaid"]));
    assert_eq!(needs(&bridge).await, [], "the next run has the new manifest");
    bridge.wait_s(31 * 60);
    post(&bridge, &fewer).await;
    assert!(matches!(needs(&bridge).await.as_slice(), [("stub_hooks", says)] if says.contains("InvoicePaid")));
    post(&bridge, &calm).await;
    assert_eq!(needs(&bridge).await, []);

    let mut lossy = calm.clone();
    lossy["spool"]["lost"] = json!(2);
    post(&bridge, &lossy).await;
    post(&bridge, &lossy).await;
    post(&bridge, &calm).await;
    assert!(matches!(needs(&bridge).await.as_slice(), [("stub_lost", says)] if says.contains("(4 in all)")));
    bridge.wait_s(24 * 60 * 60);
    post(&bridge, &calm).await;
    assert_eq!(needs(&bridge).await, [], "a day is enough");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_off_is_told_although_it_may_sign_nothing_else() {
    let bridge = Bridge::start().await;
    let body = well(&bridge).to_string().into_bytes();
    let key = hookbridge::signature::Key::parse(&bridge.secrets.stub.clone().into()).expect("a good secret");
    let at = |ahead_s: i64| {
        let timestamp = (bridge.now().as_second() + ahead_s).to_string();
        let signature = key.sign("hbt_2", &timestamp, &body);
        let request = bridge.http.post(bridge.url("/v1/heartbeat")).header("content-type", "application/json");
        let request = request.header("hookbridge-source", "billing").header("webhook-id", "hbt_2");
        request.header("webhook-timestamp", timestamp).header("webhook-signature", signature).body(body.clone())
    };
    let answer = crate::support::bridge::answer(at(-7200)).await;
    assert_eq!((answer.status, &answer.body["clock_ahead_s"]), (200, &json!(-7200)));
    assert!(matches!(needs(&bridge).await.as_slice(), [("stub_skewed", says)] if says.contains("7200 s off")));
    let refused = crate::support::bridge::answer(at(-86_500)).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (401, Some("stale-timestamp")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_heartbeat_is_refused_without_a_value_in_the_answer() {
    let bridge = Bridge::start().await;
    for (place, value) in [
        ("/v", json!(2)),
        ("/host", json!("")),
        ("/host", json!("CANARY,b")),
        ("/owner", json!("CANARY\n")),
        ("/stub", json!("C".repeat(65))),
        ("/hooks", json!(["ClientAdd", "ñ"])),
        ("/hooks", json!(vec!["CANARY"; 501])),
        ("/spool/waiting", json!(-1)),
        ("/spool/oldest", json!(i64::MAX)),
        ("/php", json!("CANARY")),
    ] {
        let mut body = well(&bridge);
        *body.pointer_mut(place).expect("a place") = value;
        let answer = post(&bridge, &body).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (422, Some("bad-heartbeat")), "{place}");
        assert!(!answer.body.to_string().contains("CANARY"), "{}", answer.body);
    }
    assert_eq!(bridge.run_json(&["sources", "list"]).await[0]["stubs"], json!([]));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_come_and_go_ring_only_while_they_hold_events_and_can_be_forgotten() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let (mut first, mut second) = (well(&bridge), well(&bridge));
    (first["host"], first["spool"]["waiting"]) = (json!("pod-1"), json!(4));
    second["host"] = json!("pod-2");
    post(&bridge, &first).await;
    bridge.wait_s(2 * 60 * 60);
    post(&bridge, &second).await;
    assert!(matches!(needs(&bridge).await.as_slice(), [("stub_silent", says)] if says.contains("pod-1")));
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = ana.get("/admin/settings/sources").await.text;
    assert!(page.contains("pod-1") && page.contains("pod-2") && page.contains("requiere atención"), "{page}");
    let form = [("host", "pod-1"), ("owner", "www-data")];
    let done = ana.submit("/admin/settings/sources", "/admin/settings/sources/billing/forget", &form).await;
    assert_eq!(done.location.as_deref(), Some("/admin/settings/sources?done=stub_forgotten"));
    assert_eq!(needs(&bridge).await, []);
    let (ok, _, err) = bridge.run(&["sources", "forget", "billing", "pod-1", "www-data"]).await;
    assert!(!ok && err.contains("no such stub"), "{err}");
    // One that left nothing is forgotten by itself.
    bridge.wait_s(25 * 60 * 60);
    post(&bridge, &well(&bridge)).await;
    let hosts = bridge.run_json(&["sources", "list"]).await[0]["stubs"].clone();
    let hosts: Vec<&str> = hosts.as_array().expect("stubs").iter().filter_map(|one| one["host"].as_str()).collect();
    assert_eq!(hosts, ["web1"]);
    bridge.finish().await;
}
