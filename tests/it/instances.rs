//! Several instances on one schema, on a manual clock: one of them sends, and the limits hold across a change.

use hookbridge::app::App;
use hookbridge::demo::data::CAST;
use serde_json::json;

use crate::support::bridge::Bridge;

const LEASE_S: i64 = 5;

async fn registered(bridge: &Bridge, client: u32) {
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
    assert_eq!(bridge.post(&format!("evt_{client}"), &body).await.status, 202);
}

async fn drain(app: &App) {
    app.drain().await.expect("the workers work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_instance_sends_and_another_takes_over_only_when_it_falls_silent() {
    let bridge = Bridge::start().await;
    let other = bridge.another().await;
    registered(&bridge, 1).await;
    drain(&bridge.app).await;
    assert_eq!(bridge.phones().len(), 1);
    registered(&bridge, 2).await;
    drain(&other).await;
    assert_eq!(bridge.phones().len(), 1, "it processes, it does not send");
    // The owner goes on renewing: nobody may take over, however long it takes.
    for _ in 0..20 {
        bridge.wait_s(1);
        drain(&bridge.app).await;
        drain(&other).await;
    }
    assert_eq!(bridge.phones().len(), 2, "the owner sent it");
    registered(&bridge, 3).await;
    drain(&other).await;
    bridge.wait_s(LEASE_S - 1);
    drain(&other).await;
    assert_eq!(bridge.phones().len(), 2, "not silent for long enough");
    bridge.wait_s(1);
    drain(&other).await;
    assert_eq!(bridge.phones().len(), 2, "the last second of the owner before must be over");
    bridge.wait_s(2);
    drain(&other).await;
    assert_eq!(bridge.phones().len(), 3);
    // The old owner wakes up, and finds that it owns nothing.
    registered(&bridge, 4).await;
    drain(&bridge.app).await;
    assert_eq!(bridge.phones().len(), 3);
    drain(&other).await;
    assert_eq!(bridge.phones().len(), 4);
    bridge.sandbox.drain_receipts().await;
    other.stop().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_stops_gives_the_sending_to_the_next_at_once() {
    let bridge = Bridge::start().await;
    let first = bridge.another().await;
    registered(&bridge, 1).await;
    drain(&first).await;
    assert_eq!(bridge.phones().len(), 1);
    first.stop().await;
    registered(&bridge, 2).await;
    drain(&bridge.app).await;
    bridge.wait_s(2);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 2);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pause_between_two_messages_to_one_person_holds_across_a_change_of_owner() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "60"), ("DISPATCH__LEASE_MS", "1000")];
    let bridge = Bridge::with(&settings, |stand_in| stand_in.rates.pair_gap_ms = Some(60_000)).await;
    let other = bridge.another().await;
    let welcome = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_spanish }));
    bridge.post("evt_1", &welcome).await;
    drain(&bridge.app).await;
    assert_eq!(bridge.phones().len(), 1);
    let again = bridge.envelope("UserChangePassword", &json!({ "userid": CAST.user_of_spanish.id }));
    bridge.post("evt_2", &again).await;
    drain(&other).await;
    for _ in 0..3 {
        bridge.wait_s(2);
        drain(&other).await;
    }
    assert_eq!(bridge.phones().len(), 1, "the other instance wrote to him a moment ago");
    bridge.wait_s(61);
    drain(&other).await;
    assert_eq!(bridge.phones().len(), 2);
    bridge.sandbox.drain_receipts().await;
    assert!(bridge.sandbox.stats().refused.is_empty(), "{:?}", bridge.sandbox.stats().refused);
    other.stop().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_24_hour_limit_holds_across_a_change_of_owner() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "2")];
    let bridge = Bridge::with(&settings, |stand_in| stand_in.rates.recipients_per_24h = Some(2)).await;
    let first = bridge.another().await;
    for client in [1, 2] {
        registered(&bridge, client).await;
    }
    drain(&first).await;
    first.stop().await;
    registered(&bridge, 3).await;
    drain(&bridge.app).await;
    bridge.wait_s(2);
    bridge.settle().await;
    let waiting = bridge.messages().await.into_iter().find(|m| m.state == "queued").expect("one waits");
    assert_eq!(waiting.reason.as_deref(), Some("paced_day"));
    assert!(bridge.sandbox.stats().refused.is_empty(), "{:?}", bridge.sandbox.stats().refused);
    bridge.db.own("DELETE FROM outbox").await;
    bridge.finish().await;
}
