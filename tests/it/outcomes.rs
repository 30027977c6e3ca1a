//! Unknown outcomes: a receipt settles them, else the policy of their class, else a person. Never a blind second try.

use hookbridge::admin::AdminError;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Who;
use hookbridge::ops::messages::Verdict;
use hookbridge::sandbox::{Fault, Trouble};
use hookbridge::store::unknown;
use serde_json::json;

use crate::support::acts;
use crate::support::bridge::Bridge;

const NEVER_HEARD_OF: Trouble = Trouble::CloseAfterReading { accepted: false };

async fn invoice(bridge: &Bridge, id: &str) {
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
}

async fn password(bridge: &Bridge, id: &str) {
    let body = bridge.envelope("UserChangePassword", &json!({ "userid": CAST.user_of_spanish.id }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
}

async fn standing(bridge: &Bridge) -> (String, Option<String>) {
    let message = bridge.messages().await.remove(0);
    (message.standing().to_owned(), message.reason)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_of_unknown_outcome_waits_for_a_person_who_says_that_it_arrived() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(NEVER_HEARD_OF));
    invoice(&bridge, "evt_1").await;
    assert_eq!(standing(&bridge).await, ("unknown".into(), Some("outcome_unknown".into())));
    bridge.wait_s(301);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(standing(&bridge).await, ("unknown".into(), Some("outcome_held".into())));
    let id = bridge.messages().await[0].id;
    let who = Who::at_the_command_line("test");
    let desk = bridge.app.desk.clone().expect("a key is set");
    acts::settle_message(&desk, &who, id, Verdict::Arrived).await.expect("settled");
    let again = acts::settle_message(&desk, &who, id, Verdict::Arrived).await;
    assert!(matches!(again, Err(AdminError::Conflict(_))), "it was settled before");
    assert_eq!(standing(&bridge).await.0, "accepted");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_send_it_again_and_the_attempt_says_so() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(NEVER_HEARD_OF));
    invoice(&bridge, "evt_1").await;
    let id = bridge.messages().await[0].id;
    let why = hookbridge::domain::reason::Reason::SentAgainByOperator;
    assert_eq!(unknown::send_again(&bridge.app.store, &[id], why, bridge.now()).await.expect("queued"), 1);
    bridge.settle().await;
    let message = bridge.messages().await.remove(0);
    assert_eq!(message.standing(), "delivered");
    let causes: Vec<_> = message.attempts.iter().map(|a| (a.outcome.as_str(), a.cause.as_deref())).collect();
    assert_eq!(causes, [("unknown", None), ("accepted", Some("sent_again_by_operator"))]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_alert_of_unknown_outcome_is_sent_again_when_no_receipt_came() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(NEVER_HEARD_OF));
    password(&bridge, "evt_1").await;
    bridge.wait_s(299);
    bridge.app.drain().await.expect("the workers work");
    assert!(bridge.phones().is_empty(), "a receipt may still come");
    bridge.wait_s(2);
    bridge.settle().await;
    let message = bridge.messages().await.remove(0);
    assert_eq!(message.standing(), "delivered");
    assert_eq!(message.attempts[1].cause.as_deref(), Some("sent_again"));
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_alert_that_a_receipt_proves_is_not_sent_again() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: true }));
    password(&bridge, "evt_1").await;
    assert_eq!(standing(&bridge).await.0, "unknown");
    bridge.sandbox.drain_receipts().await;
    bridge.wait_s(3600);
    bridge.settle().await;
    assert_eq!(standing(&bridge).await.0, "delivered");
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_known_after_all_when_its_receipt_comes_late() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("DISPATCH__UNKNOWN_NOTICE", "give_up")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: true }));
    invoice(&bridge, "evt_1").await;
    bridge.wait_s(301);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(standing(&bridge).await, ("failed".into(), Some("outcome_unknown".into())));
    bridge.sandbox.drain_receipts().await;
    assert_eq!(standing(&bridge).await, ("delivered".into(), None));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_was_sending_is_unknown_at_once_and_never_sent_blindly() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: true }));
    invoice(&bridge, "evt_1").await;
    // As a killed process leaves it: claimed under an earlier fence.
    bridge.db.own("UPDATE outbox SET state = 'sending', fence = 99, locked_by = 'gone', locked_at = run_at").await;
    bridge.wait_s(2);
    bridge.app.drain().await.expect("the workers work");
    let message = bridge.messages().await.remove(0);
    assert_eq!(message.standing(), "unknown");
    assert_eq!(message.attempts.last().map(|a| a.outcome.as_str()), Some("unknown"), "the trail says so");
    bridge.sandbox.drain_receipts().await;
    assert_eq!(standing(&bridge).await.0, "delivered");
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_to_be_sent_again_and_could_not_ends_as_unknown_not_as_expired() {
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(NEVER_HEARD_OF));
    password(&bridge, "evt_1").await;
    let until = bridge.now() + jiff::SignedDuration::from_hours(72);
    let by = hookbridge::store::lane::PausedBy::Operator;
    let stop = hookbridge::store::lane::Pause { lane: "main".into(), until, by, detail: String::new() };
    hookbridge::store::lane::pause(&bridge.app.store, &stop, bridge.now()).await.expect("paused");
    bridge.wait_s(301);
    bridge.app.drain().await.expect("the workers work");
    assert_eq!(standing(&bridge).await, ("queued".into(), Some("sent_again".into())));
    bridge.wait_s(24 * 3600);
    bridge.app.keep_house().await.expect("housekeeping");
    assert_eq!(standing(&bridge).await, ("failed".into(), Some("outcome_unknown".into())));
    bridge.finish().await;
}
