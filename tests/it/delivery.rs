//! Sending: the provider's pace, its refusals, its silence.

use hookbridge::demo::data::CAST;
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use hookbridge::store::lane::{Pause, PausedBy, pause, paused};
use serde_json::json;

use crate::support::bridge::Bridge;

fn refusal(code: u32, http_status: u16) -> Trouble {
    let error_data = ErrorData::default();
    Trouble::Error { code, http_status: Some(http_status), subcode: None, error_data, transient: None }
}

/// One alert for the English client: one recipient, one message.
async fn alert(bridge: &Bridge, id: &str) {
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_accepted_but_never_answered_is_unknown_and_not_sent_again() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(Trouble::HangAfterAccept));
    alert(&bridge, "evt_1").await;
    let message = bridge.messages().await.remove(0);
    assert_eq!((message.standing(), message.reason.as_deref()), ("unknown", Some("outcome_unknown")));
    bridge.wait_s(3600);
    bridge.app.keep_house().await.expect("housekeeping");
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(bridge.phones().len(), 1, "it was sent twice");
    // The receipt carries our own id, and settles it.
    bridge.sandbox.drain_receipts().await;
    assert_eq!(bridge.messages().await[0].standing(), "delivered");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_that_overtake_a_lost_answer_prove_that_the_message_went_out() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(Trouble::ReceiptsBeforeAnswer));
    bridge.sandbox.fault(Fault::next(Trouble::Garbage { accepted: true }));
    alert(&bridge, "evt_1").await;
    bridge.sandbox.drain_receipts().await;
    assert_eq!(bridge.messages().await[0].standing(), "delivered");
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passing_fault_is_tried_again_later_and_a_refusal_is_not() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(refusal(131_000, 500)));
    alert(&bridge, "evt_1").await;
    let message = bridge.messages().await.remove(0);
    assert_eq!((message.standing(), message.reason.as_deref()), ("queued", Some("retry_later")));
    bridge.wait_s(3600);
    bridge.settle().await;
    assert_eq!(bridge.messages().await[0].standing(), "delivered");
    assert_eq!(bridge.messages().await[0].attempts.len(), 2);

    bridge.sandbox.fault(Fault::next(refusal(131_026, 400)));
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_english }));
    bridge.post("evt_2", &body).await;
    bridge.settle().await;
    let message = bridge.messages().await.remove(1);
    assert_eq!((message.standing(), message.reason.as_deref()), ("failed", Some("refused")));
    assert_eq!(message.attempts[0].code, Some(131_026));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_always_meets_a_fault_ends_and_says_so() {
    let bridge = Bridge::with(&[("DISPATCH__ATTEMPTS_MAX", "3")], |_| {}).await;
    bridge.sandbox.fault(Fault::next(refusal(131_000, 400)).times(10));
    alert(&bridge, "evt_1").await;
    for _ in 0..3 {
        bridge.wait_s(3600);
        bridge.app.drain().await.expect("the workers work");
    }
    let message = bridge.messages().await.remove(0);
    assert_eq!((message.standing(), message.reason.as_deref()), ("failed", Some("attempts_exhausted")));
    assert_eq!(message.attempts.len(), 3);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_the_provider_stops_keeps_its_queue_and_goes_on_when_mended() {
    let bridge = Bridge::start().await;
    for (n, code) in [190_u32, 368, 131_031].into_iter().enumerate() {
        bridge.sandbox.fault(Fault::next(refusal(code, 401)));
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": n + 1 }));
        bridge.post(&format!("evt_{n}"), &body).await;
        bridge.app.drain().await.expect("the workers work");
        let message = bridge.messages().await.remove(n);
        assert_eq!((message.standing(), message.reason.as_deref()), ("queued", Some("lane_paused")), "{code}");
        let text = bridge.app.metrics.text();
        assert!(text.contains("hookbridge_faults_total{result=\"lane_paused\"}"), "{text}");
        bridge.wait_s(3600);
        bridge.settle().await;
        assert_eq!(bridge.messages().await[n].standing(), "delivered", "{code}");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttling_is_judged_by_its_code_whatever_the_http_status() {
    let bridge = Bridge::start().await;
    for (n, status) in [400_u16, 429, 500].into_iter().enumerate() {
        bridge.sandbox.fault(Fault::next(refusal(130_429, status)));
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": n + 1 }));
        bridge.post(&format!("evt_{n}"), &body).await;
        bridge.app.drain().await.expect("the workers work");
        assert_eq!(bridge.messages().await[n].reason.as_deref(), Some("paced_number"), "{status}");
        bridge.wait_s(3600);
        bridge.settle().await;
        assert_eq!(bridge.messages().await[n].standing(), "delivered", "{status}");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_who_must_wait_delays_nobody_else_and_security_goes_first() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "6"), ("SENDERS__MAIN__IN_FLIGHT_MAX", "1")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let [first, second] = CAST.invoices_same_second;
    for (id, hook, fields) in [
        ("evt_1", "InvoiceCreated", json!({ "invoiceid": first.id })),
        ("evt_2", "InvoiceCreated", json!({ "invoiceid": second.id })),
        ("evt_3", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id })),
        ("evt_4", "UserChangePassword", json!({ "userid": CAST.user_of_spanish.id })),
    ] {
        let body = bridge.envelope(hook, &fields);
        assert_eq!(bridge.post(id, &body).await.status, 202);
    }
    bridge.settle().await;
    let standing: Vec<String> = bridge.messages().await.iter().map(|m| m.standing().to_owned()).collect();
    assert_eq!(standing.iter().filter(|s| *s == "delivered").count(), 3, "{standing:?}");
    assert_eq!(standing.iter().filter(|s| *s == "queued").count(), 1, "{standing:?}");
    assert_eq!(bridge.phones()[0].template.as_deref(), Some("password_changed"), "security goes first");
    bridge.wait_s(7);
    bridge.settle().await;
    assert!(bridge.messages().await.iter().all(|m| m.standing() == "delivered"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_different_people_are_written_to_in_24_hours_than_allowed() {
    let bridge = Bridge::with(
        &[("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "2")],
        |stand_in| stand_in.rates.recipients_per_24h = Some(2),
    )
    .await;
    for client in [1, 2, 3] {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        bridge.post(&format!("evt_{client}"), &body).await;
    }
    bridge.settle().await;
    let waiting: Vec<_> = bridge.messages().await.into_iter().filter(|m| m.standing() == "queued").collect();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].reason.as_deref(), Some("paced_day"));
    assert!(bridge.sandbox.stats().refused.is_empty(), "{:?}", bridge.sandbox.stats().refused);
    bridge.wait_s(24 * 3600 - 60);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(bridge.phones().len(), 2);
    // The hookpoint's own patience of a day ends first here: it is told so, not sent late.
    bridge.wait_s(120);
    bridge.settle().await;
    let ended = bridge.messages().await.into_iter().find(|m| m.id == waiting[0].id).expect("the message");
    assert_eq!((ended.standing(), ended.reason.as_deref()), ("cancelled", Some("expired")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_pace_is_never_exceeded_on_a_virtual_clock() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("SENDERS__MAIN__RATE_PER_S", "10")];
    let bridge = Bridge::with(&settings, |stand_in| stand_in.rates.throughput_per_s = Some(10)).await;
    for client in 1..=40 {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        assert_eq!(bridge.post(&format!("evt_{client}"), &body).await.status, 202);
    }
    for _ in 0..800 {
        bridge.app.drain().await.expect("the workers work");
        bridge.clock.advance_ms(10);
    }
    bridge.settle().await;
    let stats = bridge.sandbox.stats();
    assert!(stats.refused.is_empty(), "{:?}", stats.refused);
    assert!(stats.most_per_second.values().all(|most| *most <= 10), "{:?}", stats.most_per_second);
    assert!(stats.accepted > 20);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_pause_outlasts_the_providers_and_one_that_ran_out_stops_nobody() {
    let bridge = Bridge::start().await;
    let stop = |by, minutes: i64| Pause {
        lane: "main".to_owned(),
        until: bridge.now() + jiff::SignedDuration::from_mins(minutes),
        by,
        detail: format!("{by:?}"),
    };
    let by = || async { paused(&bridge.app.store, bridge.now()).await.expect("readable").pop().map(|p| p.by) };
    pause(&bridge.app.store, &stop(PausedBy::Operator, 10), bridge.now()).await.expect("paused");
    pause(&bridge.app.store, &stop(PausedBy::Provider, 60), bridge.now()).await.expect("paused");
    assert_eq!(by().await, Some(PausedBy::Operator));
    bridge.wait_s(601);
    assert_eq!(by().await, None);
    pause(&bridge.app.store, &stop(PausedBy::Provider, 5), bridge.now()).await.expect("paused");
    assert_eq!(by().await, Some(PausedBy::Provider));
    bridge.wait_s(301);
    alert(&bridge, "evt_1").await;
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_stopped_by_a_receipt_stops() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(Trouble::ReceiptFailed { code: 131_042 }));
    alert(&bridge, "evt_1").await;
    bridge.settle().await;
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_portuguese }));
    bridge.wait_s(2);
    bridge.post("evt_2", &body).await;
    bridge.settle().await;
    let standing: Vec<String> = bridge.messages().await.iter().map(|m| m.standing().to_owned()).collect();
    assert_eq!(standing, ["failed", "queued"]);
    bridge.wait_s(3600);
    bridge.settle().await;
    assert_eq!(bridge.messages().await[1].standing(), "delivered");
    bridge.finish().await;
}
