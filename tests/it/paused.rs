//! A sender that stands still. It may be stopped anywhere between its claim and its request, for longer than its lease. Whatever
//! it does when it wakes: only what was stopped in the very moment between the last look at the lease and the write may leave,
//! it is counted, and nobody is written to twice because of it.

use std::sync::{Mutex, mpsc};

use hookbridge::app::App;
use hookbridge::demo::data::CAST;
use hookbridge::road::Step;
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::support::bridge::Bridge;
use crate::support::marks::{Marks, with_marks};

/// Longer than a lease, its owner's last second, and whatever lies between.
const PAUSE_S: i64 = 30;

/// Stops the thread that comes to `step` next, until the returned handle is used.
fn freeze(marks: &Marks, step: Step) -> (tokio::sync::mpsc::UnboundedReceiver<()>, mpsc::Sender<()>) {
    let ((there, reached), (go, wait)) = (unbounded_channel(), mpsc::channel());
    let wait = Mutex::new(wait);
    marks.act_at(step, "", 1, move |_| {
        let _ = there.send(());
        // The runtime's other work goes on elsewhere: only this thread stands still.
        tokio::task::block_in_place(|| wait.lock().expect("no holder panics").recv().is_ok());
    });
    (reached, go)
}

fn without_lease(app: &App) -> u64 {
    app.metrics.sends_without_lease.get()
}

/// An alert is stopped at `step` while `other` takes over, and `after_s` later goes on.
async fn stopped_at(marks: &Marks, bridge: &Bridge, other: &App, step: Step, after_s: i64) {
    let (mut reached, go) = freeze(marks, step);
    let sending = Box::pin(async { bridge.app.drain().await.expect("the workers work") });
    let meanwhile = Box::pin(async {
        reached.recv().await.expect("it comes there");
        other.step().await.expect("it watches the lease");
        for _ in 0..4 {
            bridge.wait_s(PAUSE_S);
            other.step().await.expect("it takes over");
        }
        let message = bridge.messages().await.remove(0);
        assert_eq!(message.standing(), "unknown", "the next owner knows nothing of it");
        bridge.wait_s(after_s);
        other.step().await.expect("it goes on");
        go.send(()).expect("it waits");
    });
    tokio::join!(sending, meanwhile);
}

#[test]
fn a_pause_before_the_last_look_sends_nothing_and_the_next_owner_sends_it_once() {
    with_marks(async |marks| {
        let bridge = Bridge::start().await;
        let other = bridge.another().await;
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
        assert_eq!(bridge.post("evt_1", &body).await.status, 202);
        stopped_at(&marks, &bridge, &other, Step::Sending, 0).await;
        assert!(bridge.phones().is_empty(), "it sent without the lease");
        assert_eq!(without_lease(&bridge.app), 0);
        other.drain().await.expect("the workers work");
        assert_eq!(bridge.phones().len(), 1);
        bridge.sandbox.drain_receipts().await;
        assert_eq!(bridge.messages().await[0].standing(), "delivered");
        other.stop().await;
        bridge.finish().await;
    });
}

#[test]
fn what_is_stopped_in_the_moment_after_the_last_look_leaves_is_counted_and_is_not_sent_again() {
    with_marks(async |marks| {
        for (hook, fields) in [
            ("InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id })),
            ("UserChangePassword", json!({ "userid": CAST.user_of_spanish.id })),
        ] {
            let bridge = Bridge::start().await;
            let other = bridge.another().await;
            assert_eq!(bridge.post("evt_1", &bridge.envelope(hook, &fields)).await.status, 202);
            stopped_at(&marks, &bridge, &other, Step::Leaving, 0).await;
            assert_eq!(bridge.phones().len(), 1, "no program can stop that one");
            assert_eq!(without_lease(&bridge.app), 1, "and it is counted");
            bridge.sandbox.drain_receipts().await;
            bridge.wait_s(3_600);
            other.drain().await.expect("the workers work");
            assert_eq!((bridge.phones().len(), bridge.messages().await[0].standing()), (1, "delivered"));
            other.stop().await;
            bridge.finish().await;
        }
    });
}

#[test]
fn only_a_class_that_is_sent_again_may_arrive_twice_and_only_if_the_sleeper_outlasts_the_wait_for_a_receipt() {
    with_marks(async |marks| {
        for (hook, fields, phones) in [
            ("InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id }), 1),
            ("UserChangePassword", json!({ "userid": CAST.user_of_spanish.id }), 2),
        ] {
            let bridge = Bridge::start().await;
            let other = bridge.another().await;
            assert_eq!(bridge.post("evt_1", &bridge.envelope(hook, &fields)).await.status, 202);
            stopped_at(&marks, &bridge, &other, Step::Leaving, 400).await;
            other.drain().await.expect("the workers work");
            assert_eq!(bridge.phones().len(), phones, "{hook}");
            assert_eq!(without_lease(&bridge.app), 1);
            bridge.sandbox.drain_receipts().await;
            assert_eq!(bridge.messages().await[0].standing(), "delivered");
            other.stop().await;
            bridge.app.stop().await;
            bridge.sandbox.stop().await;
        }
    });
}
