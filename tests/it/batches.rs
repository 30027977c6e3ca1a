//! `POST /v1/batches`: many events under one signature, each with an answer of its own.

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use crate::support::bridge::{Answer, Bridge};
use crate::support::database::connect;

/// Sends `events` as the stub would.
async fn post(bridge: &Bridge, events: &[(&str, &Value)]) -> Answer {
    let events: Vec<Value> = events.iter().map(|(id, event)| json!({ "id": id, "event": event })).collect();
    raw(bridge, json!({ "events": events }).to_string()).await
}

async fn raw(bridge: &Bridge, body: String) -> Answer {
    bridge.signed("/v1/batches", "bat_1", body.into_bytes(), |request| request).await
}

fn problem(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["code"].as_str().unwrap_or_default())
}

/// Status and code of each event.
fn each(answer: &Answer) -> Vec<(u64, &str)> {
    let events = answer.body["events"].as_array().expect("an answer for each");
    let one = |event: &'_ Value| event["status"].as_u64().expect("a status");
    events.iter().map(|event| (one(event), event["code"].as_str().unwrap_or_default())).collect()
}

async fn stored(bridge: &Bridge) -> Vec<String> {
    let sql = "SELECT event_id FROM inbox ORDER BY seq";
    mysql_async::prelude::Queryable::query(&mut connect(&bridge.db.bridge_url()).await, sql).await.expect("rows")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_stored_in_its_order_and_known_by_the_ids_of_its_events() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_unpaid.id }));
    let other = bridge.envelope("NobodyListens", &json!({}));
    assert_eq!(bridge.post("evt_b", &other).await.status, 202, "sent alone before");
    let events = [("evt_c", &body), ("evt_b", &other), ("evt_a", &other), ("evt_d", &other)];
    let first = post(&bridge, &events).await;
    assert_eq!(each(&first), [(202, ""); 4], "{}", first.body);
    let duplicates = |answer: &Answer| {
        let events = answer.body["events"].as_array().cloned().unwrap_or_default();
        events.iter().map(|one| one["duplicate"] == true).collect::<Vec<_>>()
    };
    assert_eq!(duplicates(&first), [false, true, false, false]);
    assert_eq!(stored(&bridge).await, ["evt_b", "evt_c", "evt_a", "evt_d"]);
    bridge.settle().await;
    let again = post(&bridge, &events).await;
    assert_eq!(duplicates(&again), [true; 4]);
    assert_eq!(bridge.post("evt_a", &other).await.body["duplicate"], true, "sent alone after");
    assert_eq!(bridge.event("evt_c").await.state, "processed");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_one_event_delays_no_other() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let big = bridge.envelope("NobodyListens", &json!({ "a": "x".repeat(70_000) }));
    let future = json!({ "v": 2, "hook": "X", "occurred_at": "2026-01-01T00:00:00Z" });
    let changed = bridge.envelope("NobodyListens", &json!({ "a": 1 }));
    bridge.post("evt_used", &body).await;
    let events = [
        ("evt_1", &body),
        ("bad id", &body),
        ("evt_2", &big),
        ("evt_3", &future),
        ("evt_used", &changed),
        ("evt_4", &Value::Null),
        ("evt_5", &body),
    ];
    let answer = post(&bridge, &events).await;
    assert_eq!(answer.status, 200);
    let expected = [
        (202, ""),
        (422, "bad-envelope"),
        (413, "body-too-large"),
        (422, "bad-envelope"),
        (409, "id-reused"),
        (422, "bad-envelope"),
        (202, ""),
    ];
    assert_eq!(each(&answer), expected);
    assert_eq!(stored(&bridge).await, ["evt_used", "evt_1", "evt_5"]);
    assert!(!answer.body.to_string().contains("NobodyListens"), "no value is repeated: {}", answer.body);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_bounded_and_must_be_signed_as_a_whole() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let ids: Vec<String> = (0..501).map(|n| format!("evt_{n}")).collect();
    let events: Vec<(&str, &Value)> = ids.iter().map(|id| (id.as_str(), &body)).collect();
    assert_eq!(problem(&post(&bridge, &events).await), (422, "bad-batch"));
    assert_eq!(problem(&post(&bridge, &[]).await), (422, "bad-batch"));
    for not_a_batch in
        ["[]", "{}", "{\"events\":{}}", "{\"events\":[1]}", "{\"events\":[{\"id\":\"e\"}]}", "{\"events\":["]
    {
        assert_eq!(problem(&raw(&bridge, not_a_batch.to_owned()).await), (422, "bad-batch"), "{not_a_batch}");
    }
    let huge = format!("{{\"events\":[],\"pad\":\"{}\"}}", "x".repeat(1 << 20));
    assert_eq!(problem(&raw(&bridge, huge).await), (413, "body-too-large"));
    let good = json!({ "events": [{ "id": "evt_1", "event": body }] }).to_string();
    let unsigned = bridge.http.post(bridge.url("/v1/batches")).header("content-type", "application/json");
    let unsigned = unsigned.header("hookbridge-source", "billing").body(good.clone());
    assert_eq!(problem(&crate::support::bridge::answer(unsigned).await), (401, "bad-signature"));
    let stranger = bridge.http.post(bridge.url("/v1/batches")).header("content-type", "application/json").body(good);
    assert_eq!(problem(&crate::support::bridge::answer(stranger).await), (401, "unknown-source"));
    assert_eq!(each(&post(&bridge, &events[..500]).await), vec![(202, ""); 500]);
    bridge.settle().await;
    assert_eq!(bridge.reasons().await.len(), 500);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_counts_events_and_what_is_over_it_comes_again_in_its_order() {
    let settings = [("SOURCES__BILLING__EVENTS_PER_S", "1"), ("SOURCES__BILLING__EVENTS_BURST", "3")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let ids: Vec<String> = (0..200).map(|n| format!("evt_{n:03}")).collect();
    let events: Vec<(&str, &Value)> = ids.iter().map(|id| (id.as_str(), &body)).collect();
    let answer = post(&bridge, &events).await;
    let answers = each(&answer);
    let stored_now = answers.iter().take_while(|one| **one == (202, "")).count();
    assert!((3..100).contains(&stored_now), "{stored_now}");
    assert!(answers[stored_now..].iter().all(|one| *one == (429, "rate-limited")), "none overtakes another");
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(stored(&bridge).await, ids[..stored_now]);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_which_nothing_is_stored_is_refused_as_a_whole() {
    let bridge = Bridge::with(&[("SERVER__INGEST_WAIT_MS", "200")], |_| {}).await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let mut blocker = connect(&bridge.db.bridge_url()).await;
    mysql_async::prelude::Queryable::query_drop(&mut blocker, "LOCK TABLES inbox WRITE").await.expect("a lock");
    let refused = post(&bridge, &[("evt_1", &body), ("evt_2", &body)]).await;
    assert_eq!(problem(&refused), (503, "not-stored"));
    assert_eq!(refused.headers["retry-after"], "5");
    mysql_async::prelude::Queryable::query_drop(&mut blocker, "UNLOCK TABLES").await.expect("unlocked");
    assert_eq!(each(&post(&bridge, &[("evt_1", &body), ("evt_2", &body)]).await), [(202, ""); 2]);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hooks_of_one_cron_are_in_the_inbox_when_it_ends() {
    let settings = [("SOURCES__BILLING__EVENTS_PER_S", "20000"), ("SOURCES__BILLING__EVENTS_BURST", "20000")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let stub = bridge.stub();
    let hook = json!({ "hook": "TicketOpenAdmin", "vars": {} });
    assert_eq!(stub.fire(&[hook]).await.expect("the stub fires")[0]["registered"], false);
    let vars = json!({ "invoiceid": 1, "source": "autogen", "user": "system", "status": "Draft" });
    let line = json!({ "hook": "InvoiceCreated", "vars": vars, "repeat": 10_000 });
    stub.fire(&[line, json!({ "hook": "AfterCronJob" })]).await.expect("the stub fires");
    assert_eq!((stub.waiting(), stub.set_aside()), (0, 0));
    let mut own = connect(&bridge.db.bridge_url()).await;
    let count: Option<u64> =
        mysql_async::prelude::Queryable::query_first(&mut own, "SELECT COUNT(*) FROM inbox").await.expect("a count");
    assert_eq!(count, Some(10_000));
    mysql_async::prelude::Queryable::query_drop(&mut own, "DELETE FROM inbox").await.expect("emptied");
    bridge.finish().await;
}
