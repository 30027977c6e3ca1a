//! Sending: the provider's pace, its refusals, its silence.

use hookbridge::demo::data::CAST;
use hookbridge::domain::reason::Reason;
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use hookbridge::store::lane::{Pause, PausedBy, pause, paused};
use hookbridge::store::outbox::cancel;
use hookbridge::store::trail::MessageTrail;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::acts;
use crate::support::bridge::Bridge;
use crate::support::database::connect;

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

/// Two invoices queued while the number is stopped, both paid before it goes on.
async fn two_paid_meanwhile(bridge: &Bridge) {
    let stop = |until| Pause { lane: "main".to_owned(), until, by: PausedBy::Operator, detail: String::new() };
    let later = bridge.now() + jiff::SignedDuration::from_mins(5);
    pause(&bridge.app.store, &stop(later), bridge.now()).await.expect("paused");
    for invoice in [CAST.invoice_english, CAST.invoice_portuguese] {
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice.id }));
        bridge.post(&format!("evt_{}", invoice.id), &body).await;
        bridge.app.drain().await.expect("the workers work");
        bridge.platform(&format!("UPDATE tblinvoices SET status = 'Paid' WHERE id = {}", invoice.id)).await;
    }
    acts::resume_lane(&bridge.app.store, "main", bridge.now()).await;
    bridge.wait_s(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_written_to_after_all_takes_no_place_of_the_day_the_pair_or_the_number() {
    let settings = [
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "600"),
        ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "2"),
        // One second's burst is two: both would be used up.
        ("SENDERS__MAIN__RATE_PER_S", "2"),
        ("SENDERS__MAIN__RATE_HEADROOM_PERCENT", "50"),
    ];
    let bridge = Bridge::with(&settings, |_| {}).await;
    two_paid_meanwhile(&bridge).await;
    for (client, cancelled) in [(CAST.client_english, 1), (CAST.client_portuguese, 2)] {
        // One per second: the second of the two invoices is looked at here.
        bridge.app.drain().await.expect("the workers work");
        assert!(bridge.messages().await.iter().filter(|m| m.state == "cancelled").count() >= cancelled);
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        bridge.post(&format!("evt_c{client}"), &body).await;
        bridge.settle().await;
    }
    bridge.wait_s(1);
    bridge.settle().await;
    let (welcome, paid): (Vec<_>, Vec<_>) =
        bridge.messages().await.into_iter().partition(|m| m.hookpoint == "client_registered");
    assert!(paid.iter().all(|m| m.standing() == "cancelled"), "{paid:#?}");
    assert_eq!(welcome.iter().map(MessageTrail::standing).collect::<Vec<_>>(), ["delivered"; 2], "{welcome:#?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_cancelled_between_the_look_and_the_claim_takes_no_place_either() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "600"), ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "1")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    alert(&bridge, "evt_0").await;
    bridge.settle().await;
    bridge.wait_s(24 * 3600);
    bridge.app.drain().await.expect("the lease is renewed");
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_portuguese }));
    bridge.post("evt_1", &body).await;
    // The sender stands right before its claim, which proves the lease, and somebody cancels the message.
    let mut other = connect(&bridge.db.bridge_url()).await;
    other.query_drop("START TRANSACTION").await.expect("a transaction");
    other.query_drop("SELECT * FROM lease FOR UPDATE").await.expect("locked");
    let cancelled = async {
        bridge.db.until_blocked(1).await;
        let id = bridge.messages().await[1].id;
        cancel(&bridge.app.store, &[(id, Reason::CancelledByOperator)], bridge.now()).await.expect("cancelled");
        other.query_drop("COMMIT").await.expect("committed");
    };
    let (sent, ()) = tokio::join!(bridge.app.drain(), cancelled);
    sent.expect("the sender works");
    assert_eq!((bridge.messages().await[1].standing(), bridge.phones().len()), ("cancelled", 1));
    for (client, user) in [(1, CAST.client_spanish), (2, CAST.client_english)] {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": user }));
        bridge.post(&format!("evt_2{client}"), &body).await;
        bridge.app.drain().await.expect("the workers work");
    }
    bridge.settle().await;
    let waiting: Vec<_> = bridge.messages().await.into_iter().map(|m| (m.standing().to_owned(), m.reason)).collect();
    assert_eq!(waiting[2].0, "delivered", "the day's one place: {waiting:?}");
    assert_eq!(waiting[3].1.as_deref(), Some("paced_day"), "{waiting:?}");
    bridge.wait_s(48 * 3600);
    bridge.settle().await;
    bridge.app.keep_house().await.expect("housekeeping");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_behind_a_full_day_waits_in_silence() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "6"), ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "1")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    alert(&bridge, "evt_1").await;
    for (n, invoice) in CAST.invoices_same_second.into_iter().enumerate() {
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice.id }));
        bridge.post(&format!("evt_2{n}"), &body).await;
        bridge.app.drain().await.expect("the workers work");
        bridge.wait_s(7);
    }
    let mut own = connect(&bridge.db.bridge_url()).await;
    let rows = "SELECT run_at, waiting_for FROM outbox ORDER BY message_id";
    let mut before: Vec<(String, String)> = Vec::new();
    for _ in 0..5 {
        bridge.wait_s(2);
        bridge.app.drain().await.expect("the workers work");
        let now: Vec<(String, String)> = own.query(rows).await.expect("the queue");
        assert!(before.is_empty() || before == now, "nobody set a clock back: {now:?}");
        before = now;
    }
    assert_eq!(before.len(), 2);
    assert!(before.iter().all(|(_, reason)| reason == "paced_day"), "{before:?}");
    bridge.wait_s(48 * 3600);
    bridge.app.keep_house().await.expect("housekeeping");
    bridge.sandbox.drain_receipts().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_the_database_did_not_take_stands_until_it_does() {
    let bridge = Bridge::start().await;
    bridge.app.drain().await.expect("the pauses are read");
    bridge.db.own("RENAME TABLE lane TO lane_away").await;
    bridge.sandbox.fault(Fault::next(refusal(131_031, 403)));
    alert(&bridge, "evt_1").await;
    assert_eq!(bridge.messages().await[0].reason.as_deref(), Some("lane_paused"));
    bridge.db.own("RENAME TABLE lane_away TO lane").await;
    bridge.wait_s(2);
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_portuguese }));
    bridge.post("evt_2", &body).await;
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(bridge.phones().len(), 0, "the number is stopped");
    let stop = paused(&bridge.app.store, bridge.now()).await.expect("readable").pop().expect("it is stored by now");
    assert_eq!(stop.by, PausedBy::Provider);
    bridge.wait_s(3600);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 2);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_read_ends_and_delays_no_other() {
    let bridge = Bridge::start().await;
    let stop = |until| Pause { lane: "main".to_owned(), until, by: PausedBy::Operator, detail: String::new() };
    pause(&bridge.app.store, &stop(bridge.now() + jiff::SignedDuration::from_mins(5)), bridge.now())
        .await
        .expect("paused");
    for client in [1, 2, 3, 4] {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        bridge.post(&format!("evt_{client}"), &body).await;
        bridge.app.drain().await.expect("the workers work");
    }
    let of = |client: u64| format!("(SELECT id FROM (SELECT id FROM message WHERE client_id = {client}) m)");
    bridge.db.own(&format!("UPDATE message SET locale = 'xx' WHERE id = {}", of(1))).await;
    bridge.db.own(&format!("UPDATE outbox SET recipient = '7' WHERE message_id = {}", of(2))).await;
    bridge.db.own(&format!("UPDATE message SET parameters = '{{' WHERE id = {}", of(3))).await;
    acts::resume_lane(&bridge.app.store, "main", bridge.now()).await;
    bridge.wait_s(2);
    bridge.settle().await;
    let mut all = bridge.messages().await;
    all.sort_by_key(|message| message.client_id);
    for (message, column) in all[..3].iter().zip(["message.locale", "outbox.recipient", "message.parameters"]) {
        assert_eq!((message.standing(), message.reason.as_deref()), ("failed", Some("subject_unreadable")));
        let detail = message.detail.as_deref().unwrap_or_default();
        assert!(detail.contains(column) && detail.contains(&message.id.to_string()), "{detail}");
    }
    assert_eq!(all[3].standing(), "delivered");
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_faults_total{result=\"message_unreadable\"} 3"), "{text}");
    bridge.finish().await;
}
