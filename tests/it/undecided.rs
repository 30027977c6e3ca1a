//! No decision in time: what the asker gets, what the platform does instead, and what is on record of it.

use futures_util::future::join_all;
use hookbridge::demo::data::CAST;
use hookbridge::domain::decision::Rule;
use hookbridge::store::decision::{Filter, list};
use hookbridge::store::missed;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::support::bridge::{Answer, Bridge};

/// Decisions that may wait in memory, and the largest batch on its way to the disk besides (store/keeper.rs).
const KEPT_AT_LEAST: usize = 2_048;
const KEPT_AT_MOST: usize = 2_048 + 200;

fn terminate(service: u32) -> Value {
    json!({ "service_id": service })
}

fn said(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or("an answer"))
}

/// A table that nobody else may read or write until it is unlocked.
async fn locked(bridge: &Bridge, table: &str) -> Conn {
    let mut connection = bridge.db.platform().await;
    connection.query_drop(format!("LOCK TABLES {table} WRITE")).await.expect("the table can be locked");
    connection
}

async fn unlock(mut connection: Conn) {
    connection.query_drop("UNLOCK TABLES").await.expect("the table can be unlocked");
    connection.disconnect().await.expect("an idle connection closes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_behind_the_deadline_are_too_late_and_what_nobody_heard_is_not_on_record() {
    let bridge = Bridge::start().await;
    assert_eq!(bridge.ask("termination", &terminate(9)).await.status, 200);
    let lock = locked(&bridge, "tblhosting").await;
    let started = std::time::Instant::now();
    let late = bridge.ask("termination", &terminate(18)).await;
    assert_eq!(said(&late), (503, "too-late"), "{late:?}");
    assert!(started.elapsed().as_millis() >= 5_000, "it had its time");
    unlock(lock).await;
    let answer = bridge.ask("termination", &terminate(17)).await;
    assert_eq!(answer.status, 200, "the read that was late did not spoil the next: {answer:?}");
    bridge.app.drain().await.expect("all is kept");
    let kept = list(&bridge.app.store, &Filter { limit: 10, ..Filter::default() }).await.expect("decisions");
    let about: Vec<String> = kept.iter().filter_map(|one| one.subject).map(|subject| subject.to_string()).collect();
    assert_eq!(about, ["service:17", "service:9"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_queue_of_records_full_the_asker_is_still_answered_and_each_lost_record_is_counted() {
    // A rule that is off needs no facts: what is measured is the record.
    let settings = [
        ("RULES__IDENTITY__ENABLED", "false"),
        ("SOURCES__BILLING__EVENTS_PER_S", "100000"),
        ("SOURCES__BILLING__EVENTS_BURST", "100000"),
    ];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let lock = locked(&bridge, &format!("`{}`.decision", bridge.db.own)).await;
    let question = json!({ "client_id": 1, "email": "a@example.com" });
    let asked = KEPT_AT_MOST + 52;
    for _ in 0..asked / 50 {
        for answer in join_all((0..50).map(|_| bridge.ask("identity", &question))).await {
            assert_eq!((answer.status, &answer.body["decision"]), (200, &json!("allow")), "{answer:?}");
        }
    }
    let lost = |metrics: &str| {
        let line = metrics.lines().find(|line| line.contains("faults") && line.contains("\"decision_lost\""));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).unwrap_or(0)
    };
    let metrics = crate::support::bridge::answer(bridge.http.get(bridge.url("/metrics"))).await;
    let lost = lost(metrics.body.as_str().unwrap_or_default());
    unlock(lock).await;
    bridge.app.drain().await.expect("what waited is written");
    let filter = Filter { rule: Some(Rule::Identity), limit: 2 * asked, ..Filter::default() };
    let kept = list(&bridge.app.store, &filter).await.expect("decisions can be read").len();
    assert!((KEPT_AT_LEAST..=KEPT_AT_MOST).contains(&kept), "{kept} kept, {lost} lost");
    assert_eq!(kept + lost, asked / 50 * 50, "each is either on record or counted as lost");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_platforms_database_the_stub_does_what_each_rule_declares_and_tells_later() {
    let settings = [("BILLING__ACQUIRE_TIMEOUT_MS", "500")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let stub = bridge.stub();
    stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the manifest is fetched");
    assert_eq!(bridge.ask("termination", &terminate(9)).await.status, 200);
    // Gone, with every connection into it; a new one is refused.
    let mut root = bridge.db.platform().await;
    root.query_drop(format!("DROP DATABASE `{}`", bridge.db.billing)).await.expect("a database can be dropped");
    let theirs: Vec<u64> = root
        .exec(
            "SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()",
            (&bridge.db.billing,),
        )
        .await
        .expect("connections are listed");
    assert!(!theirs.is_empty());
    for id in theirs {
        root.query_drop(format!("KILL {id}")).await.expect("a connection can be ended");
    }
    for _ in 0..3 {
        let none = bridge.ask("termination", &terminate(18)).await;
        assert_eq!(said(&none), (503, "no-facts"), "{none:?}");
    }
    let service = CAST.service_upgradable;
    let page = json!({ "type": "package", "id": service.id, "pid": 2, "billingcycle": "annually" });
    let shots = stub
        .decide(&[
            json!({ "hook": "PreModuleTerminate", "actor": "cron", "new_request": true,
                "vars": { "params": { "serviceid": 18, "userid": 7 } } }),
            json!({ "hook": "ShoppingCartValidateUpgrade", "actor": "client", "client_id": service.client,
                "post": page, "vars": { "id": service.id, "pid": 2 }, "new_request": true }),
        ])
        .await
        .expect("the stub asks");
    let returned: Vec<&Value> = shots.iter().map(|shot| &shot["returned"]).collect();
    assert_eq!(
        returned,
        [&json!([{ "abortcmd": true }]), &json!([])],
        "closed refuses, open leaves the platform alone"
    );
    stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the spool is flushed");
    bridge.app.drain().await.expect("events without facts need no platform");
    assert_eq!(bridge.reasons().await, ["decision_missed"; 2]);
    let all = missed::Filter { limit: 10, ..missed::Filter::default() };
    let told = missed::list(&bridge.app.store, &all).await.expect("missed decisions can be read");
    let mut seen: Vec<_> = told.iter().map(|one| &one.missed).collect();
    seen.sort_by_key(|one| one.rule);
    let of = |one: &hookbridge::domain::missed::Missed| {
        (one.rule, one.hook.clone(), one.on_failure.clone(), one.about.clone(), one.client_id.map(|client| client.0))
    };
    let (plan, client) = (u64::from(service.id), u64::from(service.client));
    let about = vec![("service_id", plan), ("to_product_id", 2)];
    assert_eq!(
        of(seen[0]),
        (Some(Rule::Upgrade), "ShoppingCartValidateUpgrade".into(), "open".into(), about, Some(client))
    );
    let about = vec![("service_id", 18)];
    assert_eq!(of(seen[1]), (Some(Rule::Termination), "PreModuleTerminate".into(), "closed".into(), about, Some(7)));
    for one in [
        missed::Filter { rule: Some(Rule::Termination), ..all.clone() },
        missed::Filter { service: Some(18), ..all.clone() },
        missed::Filter { client: Some(7), ..all },
    ] {
        let found = missed::list(&bridge.app.store, &one).await.expect("missed decisions can be read");
        assert_eq!(found.len(), 1, "{one:?}");
        assert_eq!(found[0].missed.hook, "PreModuleTerminate");
    }
    root.disconnect().await.expect("an idle connection closes");
    bridge.finish().await;
}
