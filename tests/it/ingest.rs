//! The door: what is let in, and what is answered to the rest.

use hookbridge::demo::data::CAST;
use hookbridge::domain::ids::EventId;
use hookbridge::signature::sha256;
use hookbridge::store::inbox::{Inserted, NewEvent, insert};
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::bridge::{Bridge, answer};
use crate::support::database::{at_work, connect};

async fn own(bridge: &Bridge, sql: &str) {
    connect(&bridge.db.bridge_url()).await.query_drop(sql).await.expect(sql);
}

async fn rows(bridge: &Bridge, sql: &str) -> u64 {
    let count = connect(&bridge.db.bridge_url()).await.query_first(sql).await.expect(sql);
    count.expect("a row")
}

/// What the door stores for `evt_{n}`.
fn event(bridge: &Bridge, n: usize, body: &str) -> NewEvent {
    NewEvent {
        id: EventId::parse(&format!("evt_{n}")).expect("an id"),
        source: "billing".to_owned(),
        hook: "NobodyListens".to_owned(),
        occurred_at: bridge.now(),
        received_at: bridge.now(),
        key_index: 0,
        body_sha256: sha256(body.as_bytes()),
        body: body.to_owned(),
        urgent: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_stored_once_however_often_it_comes() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_unpaid.id }));
    let first = bridge.post("evt_1", &body).await;
    assert_eq!((first.status, &first.body), (202, &json!({ "id": "evt_1", "duplicate": false })));
    let again = bridge.post("evt_1", &body).await;
    assert_eq!((again.status, &again.body), (202, &json!({ "id": "evt_1", "duplicate": true })));
    let other = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    let reused = bridge.post("evt_1", &other).await;
    assert_eq!((reused.status, &reused.body["code"]), (409, &json!("id-reused")));
    assert_eq!(reused.headers["content-type"], "application/problem+json");
    bridge.settle().await;
    assert_eq!(bridge.messages().await.iter().filter(|m| m.contact_id.is_none()).count(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_finished_is_still_known_by_its_id() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_unpaid.id }));
    bridge.post("evt_1", &body).await;
    bridge.settle().await;
    let sent = bridge.messages().await.len();
    let again = bridge.post("evt_1", &body).await;
    assert_eq!((again.status, &again.body["duplicate"]), (202, &json!(true)));
    let other = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post("evt_1", &other).await.status, 409);
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM inbox").await, 0, "a repeat does not stay");
    bridge.settle().await;
    assert_eq!(bridge.messages().await.len(), sent);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_that_was_left_in_the_inbox_is_dropped_by_the_worker() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("ClientChangePassword", &json!({ "userid": CAST.client_spanish }));
    bridge.post("evt_1", &body).await;
    bridge.settle().await;
    let (sent, trail) = (bridge.messages().await.len(), bridge.event("evt_1").await.steps);
    assert!(sent > 0);
    // As a bridge leaves it that is killed between the insert and the look for finished events.
    own(
        &bridge,
        "INSERT INTO inbox (event_id, source, hook, occurred_at, received_at, key_index, body_sha256, body, run_at) \
         SELECT id, source, 'InvoiceCreated', occurred_at, received_at, key_index, body_sha256, body, received_at FROM event",
    )
    .await;
    let new = bridge.envelope("NobodyListens", &json!({}));
    bridge.post("evt_2", &new).await;
    bridge.settle().await;
    assert_eq!(bridge.messages().await.len(), sent);
    assert_eq!(bridge.event("evt_1").await.steps, trail, "what was done once stays as it was");
    assert_eq!(bridge.event("evt_2").await.state, "skipped", "its neighbours are not held");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_that_store_the_same_events_at_once_store_each_once() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("NobodyListens", &json!({})).to_string();
    let event = |n| event(&bridge, n, &body);
    let half: Vec<NewEvent> = (0..300).map(event).collect();
    let other: Vec<NewEvent> = (150..450).rev().map(event).collect();
    let (a, b) = tokio::join!(insert(&bridge.app.store, &half), insert(&bridge.app.store, &other));
    let all = [a.expect("stored"), b.expect("stored")].concat();
    assert!(all.iter().all(|one| matches!(one, Inserted::New | Inserted::Duplicate)), "{all:?}");
    assert_eq!(all.len(), 600);
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM inbox").await, 450);
    bridge.settle().await;
    assert_eq!(bridge.reasons().await.len(), 450);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_tells_those_that_were_finished_from_the_new_ones() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    for n in [3, 5] {
        bridge.post(&format!("evt_{n}"), &body).await;
    }
    bridge.settle().await;
    let text = body.to_string();
    let mut batch: Vec<NewEvent> = (0..8).map(|n| event(&bridge, n, &text)).collect();
    batch[5].body_sha256 = [7; 32];
    let answers = insert(&bridge.app.store, &batch).await.expect("stored");
    let mut expected = [Inserted::New; 8];
    (expected[3], expected[5]) = (Inserted::Duplicate, Inserted::Reused);
    assert_eq!(answers, expected);
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM inbox").await, 6, "what was finished does not come again");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_waits_for_a_lock_does_not_hold_those_behind_it() {
    let bridge = Bridge::with(&[("SERVER__INGEST_WAIT_MS", "15000")], |_| {}).await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    // The lock reaches from the locked id down to the next smaller one.
    for id in ["middle", "z_locked"] {
        assert_eq!(bridge.post(id, &body).await.status, 202);
    }
    let mut blocker = connect(&bridge.db.bridge_url()).await;
    blocker.query_drop("START TRANSACTION").await.expect("a transaction");
    blocker.query_drop("DELETE FROM inbox WHERE event_id = 'z_locked'").await.expect("a lock");
    let behind = async {
        wait_for_insert(&bridge).await;
        for n in 0..3 {
            assert_eq!(bridge.post(&format!("behind_{n}"), &body).await.status, 202);
        }
        blocker.query_drop("ROLLBACK").await.expect("unlocked");
    };
    let (locked, ()) = tokio::join!(bridge.post("z_locked", &body), behind);
    assert_eq!((locked.status, &locked.body["duplicate"]), (202, &json!(true)));
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM inbox").await, 5);
    bridge.settle().await;
    bridge.finish().await;
}

/// Until the door's statement is at work in the server.
async fn wait_for_insert(bridge: &Bridge) {
    const ASKED_MAX: u32 = 20_000;
    let mut root = connect(&bridge.db.billing_admin_url()).await;
    for _ in 0..ASKED_MAX {
        if at_work(&mut root, &bridge.db.own).await.iter().any(|(_, what)| what.starts_with(b"INSERT INTO inbox ")) {
            return;
        }
    }
    panic!("the insert never began");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_closed_meanwhile_costs_no_event() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    let mut root = connect(&bridge.db.billing_admin_url()).await;
    let ids: Vec<u64> = root
        .exec("SELECT id FROM information_schema.processlist WHERE db = ?", (&bridge.db.own,))
        .await
        .expect("the list");
    assert!(!ids.is_empty());
    for id in ids {
        root.query_drop(format!("KILL {id}")).await.expect("killed");
    }
    assert_eq!(bridge.post("evt_2", &body).await.status, 202);
    bridge.settle().await;
    assert_eq!(bridge.reasons().await.len(), 2);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_with_repeats_are_each_stored_once() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let posts = (0..300).map(|n| {
        let (bridge, body) = (&bridge, &body);
        async move { bridge.post(&format!("evt_{}", n % 100), body).await.status }
    });
    let answers = futures_util::future::join_all(posts).await;
    assert!(answers.iter().all(|status| *status == 202), "{answers:?}");
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, vec!["hook_not_used"; 100]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_now_and_by_a_known_source_is_refused() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": 3 })).to_string().into_bytes();
    let refused = |answer: &crate::support::bridge::Answer| {
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    let wrong = bridge.post_raw("evt_1", body.clone(), |r| r.header("webhook-signature", "v1,AAAA")).await;
    // reqwest appends: two signature headers; the first is ours, so take the body for the change instead.
    assert_eq!(wrong.status, 202);
    let unsigned = answer(
        bridge
            .http
            .post(bridge.url("/v1/events"))
            .header("content-type", "application/json")
            .header("hookbridge-source", "billing")
            .body(body.clone()),
    )
    .await;
    assert_eq!(refused(&unsigned), (401, "bad-signature".to_owned()));
    let stranger = answer(
        bridge.http.post(bridge.url("/v1/events")).header("content-type", "application/json").body(body.clone()),
    )
    .await;
    assert_eq!(refused(&stranger), (401, "unknown-source".to_owned()));
    let before = bridge.now();
    bridge.wait_s(-301);
    let request = bridge.post_raw("evt_2", body.clone(), |r| r);
    let early = request.await;
    assert_eq!(early.status, 202, "signed by the same clock");
    bridge.clock.set(before);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_requests_get_their_own_answers() {
    let bridge = Bridge::start().await;
    let code = |a: crate::support::bridge::Answer| (a.status, a.body["code"].as_str().unwrap_or_default().to_owned());
    let big = format!("{{\"v\":1,\"pad\":\"{}\"}}", "x".repeat(70_000)).into_bytes();
    assert_eq!(code(bridge.post_raw("e1", big, |r| r).await), (413, "body-too-large".to_owned()));
    assert_eq!(code(bridge.post_raw("e2", b"not json".to_vec(), |r| r).await), (422, "bad-envelope".to_owned()));
    let future = json!({ "v": 2, "hook": "X", "occurred_at": "2026-01-01T00:00:00Z" });
    assert_eq!(code(bridge.post("e3", &future).await), (422, "bad-envelope".to_owned()));
    let id = "x".repeat(65);
    let body = bridge.envelope("X", &json!({}));
    assert_eq!(code(bridge.post(&id, &body).await), (422, "bad-envelope".to_owned()));
    let plain = answer(bridge.http.post(bridge.url("/v1/events")).body("{}")).await;
    assert_eq!(code(plain), (415, "not-json".to_owned()));
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("{}")]);
    let chunked = bridge
        .http
        .post(bridge.url("/v1/events"))
        .header("content-type", "application/json")
        .header("transfer-encoding", "chunked");
    drop(chunks);
    assert_eq!(code(answer(chunked).await).0, 411);
    assert_eq!(code(answer(bridge.http.get(bridge.url("/v1/events"))).await), (405, "method-not-allowed".to_owned()));
    assert_eq!(code(answer(bridge.http.get(bridge.url("/nothing"))).await), (404, "not-found".to_owned()));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_sends_more_than_its_rate_is_told_to_wait() {
    let settings = [("SOURCES__BILLING__EVENTS_PER_S", "1"), ("SOURCES__BILLING__EVENTS_BURST", "3")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let mut statuses = Vec::new();
    for n in 0..6 {
        let answer = bridge.post(&format!("evt_{n}"), &body).await;
        if answer.status == 429 {
            assert_eq!(answer.headers["retry-after"], "1");
        }
        statuses.push(answer.status);
    }
    assert!(statuses.starts_with(&[202, 202, 202]) && statuses.contains(&429), "{statuses:?}");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manifest_is_signed_and_known_by_its_tag() {
    let bridge = Bridge::start().await;
    let key = hookbridge::signature::Key::parse(&bridge.secrets.stub.clone().into()).expect("a secret");
    let at = bridge.now().as_second().to_string();
    let get = |tag: Option<String>| {
        let request = bridge
            .http
            .get(bridge.url("/v1/manifest"))
            .header("hookbridge-source", "billing")
            .header("webhook-id", "man_1")
            .header("webhook-timestamp", &at)
            .header("webhook-signature", key.sign("man_1", &at, b""));
        answer(match tag {
            Some(tag) => request.header("if-none-match", tag),
            None => request,
        })
    };
    let first = get(None).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body["hooks"]["InvoiceCreated"]["fields"], json!(["invoiceid", "source", "status", "user"]));
    assert_eq!(get(Some(first.headers["etag"].clone())).await.status, 304);
    assert_eq!(answer(bridge.http.get(bridge.url("/v1/manifest"))).await.status, 401);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_about_security_is_processed_before_all_that_wait() {
    let bridge = Bridge::with(&[("PROCESS__BATCH", "1")], |_| {}).await;
    for n in 0..20 {
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
        assert_eq!(bridge.post(&format!("evt_{n}"), &body).await.status, 202);
        bridge.wait_s(1);
    }
    let body = bridge.envelope("UserChangePassword", &json!({ "userid": CAST.user_of_spanish.id }));
    assert_eq!(bridge.post("evt_password", &body).await.status, 202);
    bridge.app.step().await.expect("the workers work");
    assert_eq!(bridge.event("evt_password").await.state, "processed");
    assert_eq!(bridge.event("evt_0").await.state, "received");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_messages_of_a_clock_that_ran_ahead_do_not_wait_for_it_to_come_true() {
    let bridge = Bridge::start().await;
    bridge.wait_s(30 * 86_400);
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_english }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.wait_s(-30 * 86_400);
    bridge.app.drain().await.expect("the workers work");
    assert!(bridge.phones().is_empty(), "it is not due yet by this clock");
    bridge.app.keep_house().await.expect("housekeeping");
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sources_may_give_their_events_the_same_id_and_each_is_stored_once() {
    let bridge = Bridge::start().await;
    let of = |source: &str, n: usize, body: &str| NewEvent { source: source.to_owned(), ..event(&bridge, n, body) };
    let store = async |events: &[NewEvent]| insert(&bridge.app.store, events).await.expect("stored");
    // One after the other, then the repeats of both, and another body under the same id.
    assert_eq!(store(&[of("billing", 1, "a")]).await, [Inserted::New]);
    assert_eq!(store(&[of("shop", 1, "b")]).await, [Inserted::New]);
    let again = [of("shop", 1, "b"), of("billing", 1, "a"), of("shop", 1, "c"), of("billing", 1, "b")];
    let known = [Inserted::Duplicate, Inserted::Duplicate, Inserted::Reused, Inserted::Reused];
    assert_eq!(store(&again).await, known);
    // Both in one batch, each twice.
    let both = [of("billing", 2, "a"), of("shop", 2, "a"), of("shop", 2, "a"), of("billing", 2, "a")];
    let known = [Inserted::New, Inserted::New, Inserted::Duplicate, Inserted::Duplicate];
    assert_eq!(store(&both).await, known);
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM inbox").await, 4);
    // Finished long ago: the other source's is new nevertheless, and its repeat is known.
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM event WHERE source = 'shop'").await, 2);
    assert_eq!(store(&[of("billing", 3, "a")]).await, [Inserted::New]);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(store(&[of("shop", 3, "a"), of("billing", 3, "a")]).await, [Inserted::New, Inserted::Duplicate]);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(store(&[of("shop", 3, "a"), of("billing", 3, "a")]).await, [Inserted::Duplicate, Inserted::Duplicate]);
    assert_eq!(rows(&bridge, "SELECT COUNT(*) FROM event").await, 6);
    bridge.finish().await;
}
