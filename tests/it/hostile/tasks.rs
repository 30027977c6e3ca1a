//! Bugs of our own: a panic harms what it happened in, and nothing else; a task that ends is started again, or the process
//! ends. Each panic is made to happen at a mark of the road.

use hookbridge::app::{App, Workers};
use hookbridge::config::load;
use hookbridge::demo::data::CAST;

use hookbridge::domain::ids::MessageId;
use hookbridge::road::Step;
use hookbridge::store::lane::{Pause, PausedBy, pause};
use hookbridge::tasks::{State, Task};
use jiff::SignedDuration;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::bridge::Bridge;
use crate::support::marks::with_marks;
use crate::support::poll::until;

async fn invoices(bridge: &Bridge) {
    for (id, invoice) in
        [("evt_good_1", CAST.invoice_english), ("evt_bad", CAST.invoice_unpaid), ("evt_good_2", CAST.invoice_seven)]
    {
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice.id }));
        assert_eq!(bridge.post(id, &body).await.status, 202);
    }
}

async fn stop_for_a_minute(bridge: &Bridge) {
    let until = bridge.now() + SignedDuration::from_secs(60);
    let stop = Pause { lane: "main".to_owned(), until, by: PausedBy::Operator, detail: String::new() };
    pause(&bridge.app.store, &stop, bridge.now()).await.expect("a pause");
    // The sender reads once a second what is stopped.
    bridge.wait_s(2);
}

/// The alerts of what was posted are queued; the minute is over. Returns one of them.
async fn due(bridge: &Bridge) -> MessageId {
    bridge.app.drain().await.expect("the workers work");
    bridge.wait_s(61);
    bridge.messages().await.iter().find(|one| one.standing() == "queued").expect("a queued message").id
}

/// The alerts of all three wait for their number, and may go now. Returns one of them.
async fn queued(bridge: &Bridge) -> MessageId {
    stop_for_a_minute(bridge).await;
    invoices(bridge).await;
    due(bridge).await
}

fn count(bridge: &Bridge, line: &str) -> bool {
    bridge.app.metrics.text().lines().any(|one| one == line)
}

#[test]
fn an_event_that_our_code_fails_on_is_set_aside_with_a_reason_and_the_others_go_on() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        invoices(&bridge).await;
        // With the others, and then three times alone.
        marks.panic_at(Step::Handling, "evt_bad", 4);
        for _ in 0..4 {
            bridge.settle().await;
            bridge.wait_s(60);
        }
        assert_eq!(marks.left(), 0);
        let bad = bridge.event("evt_bad").await;
        assert_eq!((bad.state.as_str(), bad.skips[0].reason.as_str()), ("failed", "internal_fault"));
        assert!(bad.skips[0].detail.as_deref().is_some_and(|detail| detail.contains("marks.rs")), "{:?}", bad.skips);
        for id in ["evt_good_1", "evt_good_2"] {
            assert_eq!(bridge.event(id).await.state, "processed");
        }
        assert_eq!(bridge.phones().len(), 2);
        assert!(count(&bridge, "hookbridge_panics_total{task=\"worker\"} 3"), "{}", bridge.app.metrics.text());
        bridge.finish().await;
    });
}

#[test]
fn a_fault_that_passes_costs_the_event_nothing_but_a_wait() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        invoices(&bridge).await;
        marks.panic_at(Step::Handling, "evt_bad", 3);
        bridge.settle().await;
        let others = bridge.phones().len();
        for _ in 0..2 {
            bridge.wait_s(600);
            bridge.settle().await;
        }
        assert_eq!(bridge.event("evt_bad").await.state, "processed");
        assert!(bridge.phones().len() > others, "its alert went out at last");
        bridge.finish().await;
    });
}

#[test]
fn a_message_that_our_code_fails_on_is_set_aside_and_delays_no_other() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        let bad = queued(&bridge).await;
        marks.panic_at(Step::Handling, &bad.to_string(), 4);
        for _ in 0..4 {
            bridge.settle().await;
            bridge.wait_s(60);
        }
        let messages = bridge.messages().await;
        let of =
            |message: &hookbridge::store::trail::MessageTrail| (message.standing().to_owned(), message.reason.clone());
        assert_eq!(
            of(messages.iter().find(|one| one.id == bad).expect("it")),
            ("failed".into(), Some("internal_fault".into()))
        );
        assert!(messages.iter().filter(|one| one.id != bad).all(|one| one.standing() == "delivered"), "{messages:#?}");
        bridge.finish().await;
    });
}

#[test]
fn a_fault_before_the_request_left_is_tried_again_and_one_after_it_never_blindly() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        marks.panic_at(Step::Sending, "", 1);
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
        bridge.post("evt_1", &body).await;
        bridge.settle().await;
        assert_eq!(bridge.messages().await[0].standing(), "queued");
        bridge.wait_s(60);
        marks.panic_at(Step::Answered, "", 1);
        bridge.app.drain().await.expect("the workers work");
        assert_eq!(bridge.messages().await[0].standing(), "unknown");
        assert_eq!(bridge.phones().len(), 1, "the provider took it");
        bridge.sandbox.drain_receipts().await;
        let message = bridge.messages().await.remove(0);
        assert_eq!(message.standing(), "delivered");
        let outcomes: Vec<&str> = message.attempts.iter().map(|one| one.outcome.as_str()).collect();
        assert_eq!(outcomes, ["later", "unknown"]);
        bridge.finish().await;
    });
}

#[test]
fn an_outcome_that_our_code_fails_on_is_written_without_the_providers_words_and_the_others_whole() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        stop_for_a_minute(&bridge).await;
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
        bridge.post("evt_alone", &body).await;
        let alone = due(&bridge).await;
        // The first mark is that of a due message, the next that of its outcome.
        marks.act_at(Step::Handling, &alone.to_string(), 1, |_| {});
        marks.panic_at(Step::Handling, &alone.to_string(), 1);
        bridge.settle().await;
        assert_eq!(marks.left(), 0, "it came to its outcome");
        let message = bridge.messages().await.remove(0);
        assert_eq!((message.standing(), message.attempts[0].outcome.as_str()), ("delivered", "unknown"));

        stop_for_a_minute(&bridge).await;
        for (id, invoice) in [("evt_bad", CAST.invoice_unpaid), ("evt_good", CAST.invoice_seven)] {
            let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice.id }));
            bridge.post(id, &body).await;
        }
        let bad = due(&bridge).await;
        marks.act_at(Step::Handling, &bad.to_string(), 1, |_| {});
        marks.panic_at(Step::Handling, &bad.to_string(), 1);
        bridge.settle().await;
        assert_eq!(marks.left(), 0, "it came to its outcome");
        let messages = bridge.messages().await;
        assert!(messages.iter().all(|one| one.standing() == "delivered"), "{messages:#?}");
        let others = messages.iter().filter(|one| ![alone, bad].contains(&one.id));
        assert!(others.flat_map(|one| &one.attempts).all(|one| one.outcome == "accepted"), "{messages:#?}");
        bridge.finish().await;
    });
}

#[test]
fn a_receipt_that_our_code_fails_on_is_left_out_and_the_others_are_kept() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        invoices(&bridge).await;
        bridge.app.drain().await.expect("the workers work");
        let bad = bridge.messages().await[0].id;
        marks.panic_at(Step::Handling, &bad.to_string(), u32::MAX);
        bridge.sandbox.drain_receipts().await;
        let messages = bridge.messages().await;
        for message in &messages {
            assert_eq!(message.standing(), if message.id == bad { "accepted" } else { "delivered" });
        }
        assert!(bridge.app.metrics.text().contains("hookbridge_receipts_total{result=\"internal_fault\"}"));
        bridge.finish().await;
    });
}

#[test]
fn a_question_that_our_code_fails_on_has_no_answer_and_the_next_has_one() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        let fields = json!({ "service_id": CAST.service_active.id, "type": "Immediate" });
        marks.panic_at(Step::Handling, "cancellation", 1);
        assert_eq!(bridge.ask("cancellation", &fields).await.body["code"], "no-facts");
        assert_eq!(bridge.ask("cancellation", &fields).await.status, 200);
        assert!(count(&bridge, "hookbridge_panics_total{task=\"decisions\"} 1"), "{}", bridge.app.metrics.text());
        bridge.finish().await;
    });
}

#[test]
fn a_request_that_our_code_fails_on_is_answered_and_the_connection_lives() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        let body = bridge.envelope("NobodyListens", &json!({}));
        marks.panic_at(Step::Verified, "", 1);
        let answer = bridge.post("evt_1", &body).await;
        assert_eq!((answer.status, &answer.body["code"]), (500, &json!("internal-fault")));
        assert_eq!(bridge.post("evt_1", &body).await.status, 202);
        bridge.settle().await;
        bridge.finish().await;
    });
}

/// Another instance on the schema of `bridge`, with all that works by itself.
async fn running(bridge: &Bridge) -> App {
    let config = load(None, bridge.environment()).expect("the settings are complete");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    App::start(config, bridge.clock.clone(), listener, Workers::Running).await.expect("it starts")
}

const LOOPS: [Task; 9] = [
    Task::DecisionWriter,
    Task::InboxWriter,
    Task::Settler,
    Task::Worker,
    Task::Lane,
    Task::Retention,
    Task::Sweep,
    Task::Changes,
    Task::Housekeeping,
];

#[test]
fn each_task_that_ends_is_started_again_and_works() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        for task in LOOPS {
            marks.panic_at(Step::Turning, task.code(), 1);
        }
        let app = running(&bridge).await;
        until("each was started again", 30, async || {
            let all = app.tasks.status();
            LOOPS.iter().all(|task| {
                let mut of_it = all.iter().filter(|one| one.task == *task);
                of_it.any(|one| one.restarts > 0 && one.state == State::Running)
            })
        })
        .await;
        assert!(app.tasks.missing().is_empty(), "{:?}", app.tasks.missing());
        // What went wrong is over: an event comes through all of them.
        invoices(&bridge).await;
        until("all is sent", 30, async || {
            let messages = bridge.messages().await;
            messages.len() >= 3 && messages.iter().all(|one| one.standing() == "accepted")
        })
        .await;
        app.stop().await;
        bridge.settle().await;
        bridge.finish().await;
    });
}

#[test]
fn a_task_that_ends_for_the_third_time_in_a_minute_takes_the_process_with_it() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        marks.panic_at(Step::Turning, Task::Housekeeping.code(), 3);
        let app = running(&bridge).await;
        assert_eq!(app.tasks.failed().await, "housekeeping");
        assert_eq!(app.tasks.missing().len(), 1);
        app.stop().await;
        bridge.finish().await;
    });
}
