//! History goes when it is old, and nothing else goes: what waits stays, and what was told stays known as told.

use hookbridge::demo::data::CAST;
use hookbridge::retention::Round;
use hookbridge::store::prune::{Kind, take_turn};
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::bridge::Bridge;
use crate::support::database::{connect, sequence};

/// Every time in every table, moved back.
const AGED: [&str; 7] = [
    "UPDATE inbox SET received_at = received_at - INTERVAL ? DAY, occurred_at = occurred_at - INTERVAL ? DAY",
    "UPDATE event SET received_at = received_at - INTERVAL ? DAY, occurred_at = occurred_at - INTERVAL ? DAY",
    "UPDATE skip SET at = at - INTERVAL ? DAY",
    "UPDATE message SET created_at = created_at - INTERVAL ? DAY, expires_at = expires_at - INTERVAL ? DAY",
    "UPDATE receipt SET received_at = received_at - INTERVAL ? DAY",
    "UPDATE contacted SET at = at - INTERVAL ? DAY",
    "UPDATE transition SET at = at - INTERVAL ? DAY",
];

async fn own(bridge: &Bridge, sql: &str) {
    connect(&bridge.db.bridge_url()).await.query_drop(sql).await.expect(sql);
}

async fn count(bridge: &Bridge, table: &str) -> u64 {
    let mut own = connect(&bridge.db.bridge_url()).await;
    own.query_first(format!("SELECT COUNT(*) FROM {table}")).await.expect(table).expect("a count")
}

async fn age_all(bridge: &Bridge, days: u32) {
    for sql in AGED {
        own(bridge, &sql.replace('?', &days.to_string())).await;
    }
}

async fn pruned(bridge: &Bridge) -> u64 {
    match bridge.app.prune().await.expect("the database works") {
        Round::Pruned(rows) => rows.values().sum(),
        other => panic!("{other:?}"),
    }
}

async fn post(bridge: &Bridge, id: &str, hook: &str, fields: &serde_json::Value) {
    let mut body = bridge.envelope(hook, fields);
    body["hook"] = json!(hook);
    assert_eq!(bridge.post(id, &body).await.status, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_history_goes_and_its_alerts_stay_known_as_told() {
    let bridge = Bridge::start().await;
    let invoice = json!({ "invoiceid": CAST.invoice_unpaid.id });
    post(&bridge, "evt_1", "InvoiceCreated", &invoice).await;
    bridge.settle().await;
    let told = bridge.phones().len();
    assert!(told > 0);
    assert_eq!(pruned(&bridge).await, 0, "nothing is old yet");
    age_all(&bridge, 401).await;
    assert!(pruned(&bridge).await > 0);
    for table in ["event", "message", "attempt", "receipt", "skip", "contacted"] {
        assert_eq!(count(&bridge, table).await, 0, "{table}");
    }
    assert_eq!(count(&bridge, "dedupe").await, told as u64);
    // The platform publishes the old invoice once more.
    post(&bridge, "evt_2", "InvoiceCreated", &invoice).await;
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), told);
    assert!(bridge.reasons().await.iter().all(|reason| reason == "already_queued"));
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_retention_rows_total{kind=\"message\"}"), "{text}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_suspended_again_after_its_history_went_is_alerted_again() {
    let bridge = Bridge::start().await;
    let it = CAST.service_suspended;
    let fields = json!({ "params": { "serviceid": it.id, "userid": it.client, "pid": 7 } });
    post(&bridge, "evt_1", "AfterModuleSuspend", &fields).await;
    bridge.settle().await;
    let told = bridge.phones().len();
    age_all(&bridge, 600).await;
    pruned(&bridge).await;
    assert_eq!((count(&bridge, "message").await, count(&bridge, "transition").await), (0, 1), "its number is kept");
    post(&bridge, "evt_2", "AfterModuleSuspend", &fields).await;
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), told * 2);
    // When the keys go, the numbers may begin anew: the keys first.
    own(&bridge, "UPDATE dedupe SET at = at - INTERVAL 1300 DAY").await;
    own(&bridge, "UPDATE transition SET at = at - INTERVAL 1826 DAY").await;
    pruned(&bridge).await;
    assert_eq!((count(&bridge, "dedupe").await, count(&bridge, "transition").await), (0, 1));
    own(&bridge, "UPDATE transition SET at = at - INTERVAL 2 DAY").await;
    pruned(&bridge).await;
    assert_eq!(count(&bridge, "transition").await, 0);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_still_waits_is_never_pruned_however_old_it_is() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "600")], |_| {}).await;
    let [first, second] = CAST.invoices_same_second;
    post(&bridge, "evt_1", "InvoiceCreated", &json!({ "invoiceid": first.id })).await;
    post(&bridge, "evt_2", "InvoiceCreated", &json!({ "invoiceid": second.id })).await;
    bridge.settle().await;
    own(&bridge, "UPDATE outbox SET state = 'unknown', expires_at = expires_at - INTERVAL 9 DAY").await;
    let open = count(&bridge, "outbox").await;
    assert!(open > 0);
    post(&bridge, "evt_3", "InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id })).await;
    age_all(&bridge, 4_000).await;
    pruned(&bridge).await;
    assert_eq!(count(&bridge, "message").await, open, "messages of unknown outcome");
    assert_eq!(count(&bridge, "inbox").await, 1, "an event that waits");
    // As they end, they go.
    bridge.app.keep_house().await.expect("the database works");
    bridge.settle().await;
    pruned(&bridge).await;
    let old = count(&bridge, "message WHERE created_at < NOW() - INTERVAL 1 YEAR").await;
    assert_eq!((old, count(&bridge, "event").await), (0, 0));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_goes_on_until_nothing_old_is_left_and_leaves_the_young() {
    let bridge = Bridge::with(&[("RETENTION__ROWS_MAX", "700")], |_| {}).await;
    // Thousands at one moment, as after a restore, and one per minute around the age at which they go.
    own(
        &bridge,
        &format!(
            "INSERT INTO skip (event_id, reason, at) SELECT CONCAT('a', seq), 'already_queued', NOW(3) - INTERVAL 300 DAY \
             FROM {}",
            sequence(3000)
        ),
    )
    .await;
    own(
        &bridge,
        &format!(
            "INSERT INTO skip (event_id, reason, at) SELECT CONCAT('b', seq), 'already_queued', \
             UTC_TIMESTAMP(3) - INTERVAL 180 DAY + INTERVAL (CAST(seq AS SIGNED) - 1000) MINUTE FROM {}",
            sequence(2000)
        ),
    )
    .await;
    let pruned = pruned(&bridge).await;
    assert!((3_990..=4_010).contains(&pruned), "{pruned}");
    assert_eq!(count(&bridge, "skip").await, 5_000 - pruned);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_instance_prunes_at_a_time_and_a_wrong_clock_never_does() {
    let bridge = Bridge::start().await;
    let minute = SignedDuration::from_mins(1);
    assert!(take_turn(&bridge.app.store, "other", minute, bridge.now()).await.expect("works"));
    assert_eq!(bridge.app.prune().await.expect("works"), Round::NotOurTurn);
    bridge.wait_s(61);
    assert!(matches!(bridge.app.prune().await.expect("works"), Round::Pruned(rows) if rows.contains_key(&Kind::Event)));
    assert!(take_turn(&bridge.app.store, "other", minute, bridge.now()).await.expect("works"), "it was given back");
    bridge.wait_s(10 * 365 * 24 * 3600);
    assert!(matches!(bridge.app.prune().await.expect("works"), Round::ClockOff(_)));
    bridge.finish().await;
}
