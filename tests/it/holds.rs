//! Masses: more alerts than usual wait for an operator's word, and nobody else waits with them.

use hookbridge::demo::data::CAST;
use hookbridge::domain::hookpoint::HookpointId;
use hookbridge::domain::ids::ClientId;
use hookbridge::store::hold::{HoldState, Scope, all, discard, go, later};
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::bridge::Bridge;
use crate::support::database::connect;

/// Clients who can be written to, besides the first four.
const OTHERS: [u32; 5] = [
    CAST.client_raw_phone,
    CAST.client_old_brazilian_phone,
    CAST.client_old_mexican_phone,
    CAST.client_without_due_notices,
    CAST.client_in_debt,
];

async fn registered(bridge: &Bridge, clients: &[u32]) {
    for client in clients {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        assert_eq!(bridge.post(&format!("evt_{client}"), &body).await.status, 202);
    }
    bridge.app.drain().await.expect("the workers work");
}

fn scope(hookpoint: &str) -> Scope {
    Scope { hookpoint: HookpointId::parse(hookpoint).expect("a name"), client_id: None }
}

async fn count(bridge: &Bridge, state: &str) -> usize {
    bridge.messages().await.iter().filter(|m| m.state == state).count()
}

const FEW: [(&str, &str); 2] =
    [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("HOOKPOINTS__CLIENT_REGISTERED__MASS_MAX", "3")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_usual_is_held_and_goes_when_an_operator_says_so() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    registered(&bridge, &[1, 2, 3, 4]).await;
    assert_eq!((count(&bridge, "held").await, bridge.phones().len()), (4, 0));
    assert!(bridge.messages().await.iter().all(|m| m.reason.as_deref() == Some("mass_send")));
    let hold = all(&bridge.app.store).await.expect("holds").remove(0);
    assert_eq!((hold.state, hold.counted, hold.allowed), (HoldState::Asked, 4, 3));
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_faults_total{result=\"alerts_held\"} 1"), "{text}");
    // Another hookpoint is none of its business.
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    bridge.post("evt_invoice", &body).await;
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 1);

    let until = bridge.now() + SignedDuration::from_mins(60);
    let sent = go(&bridge.app.store, &scope("client_registered"), until, bridge.now(), None).await.expect("released");
    assert_eq!(sent, 4);
    // At once: the sender still remembers the hold.
    bridge.settle().await;
    assert_eq!((count(&bridge, "held").await, bridge.phones().len()), (0, 5));
    // For an hour nobody asks again; then somebody does.
    registered(&bridge, &OTHERS[..1]).await;
    assert_eq!(count(&bridge, "held").await, 0);
    bridge.wait_s(3601);
    registered(&bridge, &OTHERS[1..]).await;
    assert_eq!(count(&bridge, "held").await, 4);
    discard(&bridge.app.store, &scope("client_registered"), bridge.now(), None).await.expect("dropped");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_drops_ends_with_its_reason_and_is_not_usual_afterwards() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    registered(&bridge, &[1, 2, 3, 4]).await;
    let dropped = discard(&bridge.app.store, &scope("client_registered"), bridge.now(), None).await.expect("dropped");
    assert_eq!(dropped, 4);
    let ended: Vec<_> = bridge.messages().await.into_iter().map(|m| (m.state, m.reason)).collect();
    assert!(ended.iter().all(|(s, r)| s == "cancelled" && r.as_deref() == Some("dropped_by_operator")), "{ended:?}");
    assert!(all(&bridge.app.store).await.expect("holds").is_empty());
    bridge.wait_s(2);
    registered(&bridge, &OTHERS[..2]).await;
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 2, "the next ones are not many");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_to_be_decided_later_is_asked_again_later() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    registered(&bridge, &[1, 2, 3, 4]).await;
    let until = bridge.now() + SignedDuration::from_mins(30);
    later(&bridge.app.store, &scope("client_registered"), until, None).await.expect("noted");
    let state = || async { all(&bridge.app.store).await.expect("holds").remove(0).state };
    bridge.wait_s(1799);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!((state().await, count(&bridge, "held").await), (HoldState::Later, 4));
    bridge.wait_s(2);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!((state().await, count(&bridge, "held").await), (HoldState::Asked, 4));
    // Nobody answers: each ends when its own time is over.
    bridge.wait_s(24 * 3600);
    bridge.app.keep_house().await.expect("housekeeping");
    assert!(bridge.messages().await.iter().all(|m| m.reason.as_deref() == Some("expired")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_alerts_to_one_client_hold_his_and_nobody_elses() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("ALERTS__CLIENT_DAY_MAX", "2")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let [first, second] = CAST.invoices_same_second;
    for (n, hook, fields) in [
        (1, "InvoiceCreated", json!({ "invoiceid": first.id })),
        (2, "InvoiceCreated", json!({ "invoiceid": second.id })),
        (3, "ClientAdd", json!({ "client_id": first.client })),
        (4, "UserChangePassword", json!({ "userid": CAST.user_of_spanish.id })),
        (5, "ClientAdd", json!({ "client_id": CAST.client_english })),
    ] {
        let body = bridge.envelope(hook, &fields);
        assert_eq!(bridge.post(&format!("evt_{n}"), &body).await.status, 202);
        bridge.app.drain().await.expect("the workers work");
        bridge.wait_s(2);
    }
    let held: Vec<_> = bridge.messages().await.into_iter().filter(|m| m.state == "held").collect();
    assert!(held.iter().all(|m| m.client_id == u64::from(first.client) && m.class != "security"), "{held:#?}");
    assert!(held.iter().any(|m| m.hookpoint == "client_registered"), "{held:#?}");
    assert!(held.iter().all(|m| m.reason.as_deref() == Some("client_ceiling")));
    // The provider wants a pause between two messages to one person; the answer is not followed by any.
    bridge.wait_s(6);
    bridge.app.drain().await.expect("the workers work");
    for hold in all(&bridge.app.store).await.expect("holds") {
        assert_eq!(hold.client_id, Some(ClientId(first.client.into())));
        let scope = Scope { hookpoint: hold.hookpoint, client_id: hold.client_id };
        go(&bridge.app.store, &scope, bridge.now(), bridge.now(), None).await.expect("released");
    }
    bridge.settle().await;
    let standing: Vec<_> = bridge.messages().await.into_iter().map(|m| (m.standing().to_owned(), m.reason)).collect();
    assert!(standing.iter().all(|(standing, _)| standing == "delivered"), "{standing:?}");
    bridge.finish().await;
}

/// Four alerts that are due, and a sender that remembers the hold over them.
async fn remembered(bridge: &Bridge) {
    registered(bridge, &[1, 2, 3, 4]).await;
    assert_eq!(count(bridge, "held").await, 4);
    bridge.db.own("UPDATE outbox SET state = 'queued', waiting_for = NULL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_between_the_look_at_the_queue_and_the_hold_is_final() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    remembered(&bridge).await;
    let mut operator = connect(&bridge.db.bridge_url()).await;
    operator.query_drop("START TRANSACTION").await.expect("a transaction");
    operator.query_drop("UPDATE hold SET state = 'go', until = UTC_TIMESTAMP(3) + INTERVAL 1 HOUR").await.expect("go");
    let answers = async {
        bridge.db.until_blocked(1).await;
        operator.query_drop("COMMIT").await.expect("committed");
    };
    let (sent, ()) = tokio::join!(bridge.app.drain(), answers);
    sent.expect("the sender works");
    bridge.sandbox.drain_receipts().await;
    assert_eq!((count(&bridge, "held").await, bridge.phones().len()), (0, 4));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_finds_what_is_just_being_held() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    remembered(&bridge).await;
    // The sender stands in the middle of holding them, and the operator answers.
    let mut other = connect(&bridge.db.bridge_url()).await;
    other.query_drop("START TRANSACTION").await.expect("a transaction");
    other.query_drop("SELECT * FROM outbox FOR UPDATE").await.expect("locked");
    let (scope, until) = (scope("client_registered"), bridge.now() + SignedDuration::from_mins(60));
    let answer = async {
        bridge.db.until_blocked(1).await;
        go(&bridge.app.store, &scope, until, bridge.now(), None).await.expect("released")
    };
    let goes_on = async {
        bridge.db.until_blocked(2).await;
        other.query_drop("COMMIT").await.expect("committed");
    };
    let (sent, went, ()) = tokio::join!(bridge.app.drain(), answer, goes_on);
    sent.expect("the sender works");
    assert_eq!(went, 4, "all that was held before the answer");
    bridge.settle().await;
    assert_eq!((count(&bridge, "held").await, bridge.phones().len()), (0, 4));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_leaves_nothing_behind_that_is_held_later() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    registered(&bridge, &[1, 2, 3, 4]).await;
    // One of them was never due, e.g. in its quiet hours.
    bridge
        .db
        .own("UPDATE outbox SET state = 'queued', run_at = run_at + INTERVAL 8 HOUR ORDER BY message_id LIMIT 1")
        .await;
    assert_eq!(discard(&bridge.app.store, &scope("client_registered"), bridge.now(), None).await.expect("dropped"), 4);
    bridge.wait_s(9 * 3600);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 0);
    assert_eq!(count(&bridge, "cancelled").await, 4);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_without_a_hold_is_freed_by_the_housekeeping() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    registered(&bridge, &[1, 2, 3, 4]).await;
    bridge.db.own("DELETE FROM hold").await;
    bridge.wait_s(2);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(count(&bridge, "held").await, 4);
    bridge.app.keep_house().await.expect("housekeeping");
    bridge.settle().await;
    assert_eq!((count(&bridge, "held").await, bridge.phones().len()), (0, 4));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_holds_cover_goes_when_both_are_answered() {
    let bridge = Bridge::with(&FEW, |_| {}).await;
    registered(&bridge, &[1, 2, 3, 4]).await;
    bridge
        .db
        .own(
            "INSERT INTO hold (hookpoint, client_id, state, since, counted, allowed) \
              VALUES ('client_registered', 1, 'asked', UTC_TIMESTAMP(3), 9, 2)",
        )
        .await;
    let until = bridge.now() + SignedDuration::from_mins(60);
    assert_eq!(
        go(&bridge.app.store, &scope("client_registered"), until, bridge.now(), None).await.expect("released"),
        3
    );
    bridge.settle().await;
    let left: Vec<_> = bridge.messages().await.into_iter().filter(|m| m.state == "held").collect();
    assert_eq!((left.len(), left[0].client_id, left[0].reason.as_deref()), (1, 1, Some("client_ceiling")));
    let client = Scope { client_id: Some(ClientId(1)), ..scope("client_registered") };
    assert_eq!(go(&bridge.app.store, &client, until, bridge.now(), None).await.expect("released"), 1);
    bridge.settle().await;
    assert_eq!((count(&bridge, "held").await, bridge.phones().len()), (0, 4));
    bridge.finish().await;
}
