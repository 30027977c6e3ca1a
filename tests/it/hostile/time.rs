//! Events that say they happened at an impossible moment: they hide no other event, and no sum of moments overflows.

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

async fn dated(bridge: &Bridge, id: &str, hook: &str, fields: &Value, occurred_at: &str) {
    let mut body = bridge.envelope(hook, fields);
    body["occurred_at"] = json!(occurred_at);
    assert_eq!(bridge.post(id, &body).await.status, 202, "{occurred_at}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_at_the_end_of_time_is_processed_like_any_other() {
    let bridge = Bridge::start().await;
    // An invoice without a payment waits for the platform's rows: its wait is counted from when it came.
    let fields = json!({ "invoiceid": CAST.invoice_english.id });
    for (n, at) in
        ["9999-12-30T21:59:59Z", "9999-12-30T22:00:00.999Z", "-009999-01-02T02:00:00Z", "0001-01-01T00:00:00Z"]
            .into_iter()
            .enumerate()
    {
        dated(&bridge, &format!("evt_{n}"), "AddInvoicePayment", &fields, at).await;
    }
    for _ in 0..3 {
        bridge.settle().await;
        bridge.wait_s(3_600);
    }
    assert!(!bridge.app.metrics.text().contains("hookbridge_faults_total{result=\"panic\"}"), "no panic");
    assert_eq!(bridge.reasons().await.len(), 4, "{:?}", bridge.reasons().await);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_a_year_ahead_hides_no_later_event_of_the_same_service() {
    let bridge = Bridge::start().await;
    let it = CAST.service_english;
    let fields = json!({ "params": { "serviceid": it.id, "userid": it.client } });
    let next_year = (bridge.now() + jiff::SignedDuration::from_hours(24 * 365)).to_string();
    for (n, hook, status) in [
        (0, "AfterModuleSuspend", "Suspended"),
        (1, "AfterModuleUnsuspend", "Active"),
        (2, "AfterModuleSuspend", "Suspended"),
    ] {
        bridge.platform(&format!("UPDATE tblhosting SET domainstatus = '{status}' WHERE id = {}", it.id)).await;
        let at = if n == 0 { next_year.clone() } else { bridge.now().to_string() };
        dated(&bridge, &format!("evt_{n}"), hook, &fields, &at).await;
        bridge.settle().await;
        bridge.wait_s(60);
    }
    let hookpoints: Vec<String> = bridge.messages().await.into_iter().map(|m| m.hookpoint).collect();
    assert_eq!(hookpoints, ["service_suspended", "service_reactivated", "service_suspended"]);
    assert_eq!(bridge.event("evt_0").await.occurred_at.to_string()[..4], next_year[..4], "what it said is on record");
    bridge.finish().await;
}
