//! `/readyz` says 503, and why, when the instance cannot do its work; and any instance can tell of all.

use hookbridge::demo::data::CAST;
use hookbridge::health::{Finding, running};
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, answer};

async fn ready(bridge: &Bridge) -> (u16, Vec<String>) {
    bridge.wait_s(2);
    let answer = answer(bridge.http.get(bridge.url("/readyz"))).await;
    assert_eq!(answer.body["ready"], json!(answer.status == 200));
    let problems = answer.body["problems"].as_array().into_iter().flatten();
    (answer.status, problems.map(|one: &Value| one["finding"].as_str().unwrap_or_default().to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_takes_no_writes_is_not_ready_until_it_does() {
    let bridge = Bridge::start().await;
    assert_eq!(ready(&bridge).await, (200, vec![]));
    bridge.db.own("RENAME TABLE instance TO instance_gone").await;
    assert_eq!(ready(&bridge).await, (503, vec!["not_writable".to_owned()]));
    bridge.db.own("RENAME TABLE instance_gone TO instance").await;
    assert_eq!(ready(&bridge).await, (200, vec![]));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn due_events_and_messages_that_stand_still_are_named_and_moving_or_stopped_ones_are_not() {
    let bridge = Bridge::start().await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    assert_eq!(ready(&bridge).await.0, 200, "it came just now");
    bridge.wait_s(700);
    assert_eq!(ready(&bridge).await, (503, vec!["events_late".to_owned()]));
    let all = running(&bridge.app.store, bridge.now()).await.expect("the instances");
    assert!(all.len() == 1 && all[0].report.has(Finding::EventsLate), "{all:?}");
    bridge.settle().await;
    assert_eq!(ready(&bridge).await, (200, vec![]));
    // A message that waits in vain.
    let stop = hookbridge::store::lane::Pause {
        lane: "main".to_owned(),
        until: bridge.now() + jiff::SignedDuration::from_secs(2_000),
        by: hookbridge::store::lane::PausedBy::Operator,
        detail: String::new(),
    };
    hookbridge::store::lane::pause(&bridge.app.store, &stop, bridge.now()).await.expect("a pause");
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_seven.id }));
    assert_eq!(bridge.post("evt_2", &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
    bridge.wait_s(1_500);
    assert_eq!(ready(&bridge).await, (200, vec![]), "an operator stopped it");
    bridge.wait_s(1_500);
    assert_eq!(ready(&bridge).await, (503, vec!["messages_late".to_owned()]));
    bridge.settle().await;
    assert_eq!(ready(&bridge).await, (200, vec![]));
    bridge.finish().await;
}
