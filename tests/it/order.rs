//! Order: per recipient as the hooks fired, security before all; what waits for a fault of its own delays nobody.

use std::collections::BTreeMap;

use hookbridge::demo::data::{CAST, Owned};
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

fn told(bridge: &Bridge) -> Vec<String> {
    bridge.phones().into_iter().filter_map(|message| message.template).collect()
}

async fn post(bridge: &Bridge, id: &str, hook: &str, fields: &Value) {
    let body = bridge.envelope(hook, fields);
    assert_eq!(bridge.post(id, &body).await.status, 202);
}

async fn service(bridge: &Bridge, id: &str, hook: &str, it: Owned) {
    post(bridge, id, hook, &json!({ "params": { "serviceid": it.id, "userid": it.client } })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_is_told_in_the_order_of_the_events_though_a_later_class_is_more_urgent() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "6")], |_| {}).await;
    let [first, _] = CAST.invoices_same_second;
    bridge.platform(&format!("UPDATE tblhosting SET userid = {} WHERE id = 7", first.client)).await;
    bridge.platform("UPDATE tblhosting SET domainstatus = 'Suspended' WHERE id = 7").await;
    post(&bridge, "evt_1", "InvoiceCreated", &json!({ "invoiceid": first.id })).await;
    bridge.wait_s(1);
    service(&bridge, "evt_2", "AfterModuleSuspend", Owned { id: 7, client: first.client }).await;
    for _ in 0..3 {
        bridge.settle().await;
        bridge.wait_s(7);
    }
    // Some of his contacts may see only one of the two.
    let mut per_phone: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in bridge.phones() {
        per_phone.entry(message.to).or_default().extend(message.template);
    }
    let both: Vec<_> = per_phone.values().filter(|seen| seen.len() == 2).collect();
    assert!(!both.is_empty(), "{per_phone:?}");
    assert!(both.iter().all(|seen| *seen == &["invoice_created", "service_suspended"]), "{both:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_pause_between_them_the_order_is_kept_as_well() {
    let bridge = Bridge::start().await;
    for n in 0..6 {
        let hook = if n % 2 == 0 { "AfterModuleSuspend" } else { "AfterModuleUnsuspend" };
        let status = if n % 2 == 0 { "Suspended" } else { "Active" };
        bridge.platform(&format!("UPDATE tblhosting SET domainstatus = '{status}' WHERE id = 7")).await;
        service(&bridge, &format!("evt_{n}"), hook, CAST.service_seven).await;
        bridge.app.drain().await.expect("the workers work");
        bridge.wait_s(1);
    }
    bridge.settle().await;
    let expected: Vec<&str> = ["service_suspended", "service_reactivated"].into_iter().cycle().take(6).collect();
    assert_eq!(told(&bridge), expected);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_tried_again_later_does_not_hold_up_the_same_persons_next_one() {
    let bridge = Bridge::start().await;
    let [first, second] = CAST.invoices_same_second;
    let error_data = ErrorData::default();
    bridge.sandbox.fault(Fault::next(Trouble::Error {
        code: 131_000,
        http_status: Some(500),
        subcode: None,
        error_data,
        transient: None,
    }));
    post(&bridge, "evt_1", "InvoiceCreated", &json!({ "invoiceid": first.id })).await;
    bridge.app.drain().await.expect("the workers work");
    bridge.wait_s(1);
    post(&bridge, "evt_2", "InvoiceCreated", &json!({ "invoiceid": second.id })).await;
    bridge.app.drain().await.expect("the workers work");
    let standing: Vec<String> = bridge.messages().await.iter().map(|m| m.standing().to_owned()).collect();
    assert_eq!(standing, ["queued", "accepted"], "the second went, the first waits for itself");
    bridge.wait_s(3600);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_and_reactivated_before_anybody_was_told_says_nothing() {
    let bridge = Bridge::start().await;
    let it = CAST.service_seven;
    bridge.platform(&format!("UPDATE tblhosting SET domainstatus = 'Active' WHERE id = {}", it.id)).await;
    service(&bridge, "evt_1", "AfterModuleSuspend", it).await;
    bridge.app.drain().await.expect("the workers work");
    bridge.wait_s(20);
    service(&bridge, "evt_2", "AfterModuleUnsuspend", it).await;
    bridge.app.drain().await.expect("the workers work");
    assert!(bridge.phones().is_empty(), "the platform may still write that it is suspended");
    bridge.wait_s(61);
    bridge.settle().await;
    let ended: Vec<_> = bridge.messages().await.into_iter().map(|m| (m.hookpoint, m.reason)).collect();
    let expected = [("service_suspended", "service_changed"), ("service_reactivated", "collapsed")];
    assert_eq!(ended, expected.map(|(hookpoint, reason)| (hookpoint.to_owned(), Some(reason.to_owned()))));
    assert!(bridge.phones().is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_suspended_before_we_were_there_is_announced_as_reactivated() {
    let bridge = Bridge::start().await;
    bridge.platform("UPDATE tblhosting SET domainstatus = 'Active' WHERE id = 7").await;
    service(&bridge, "evt_1", "AfterModuleUnsuspend", CAST.service_seven).await;
    bridge.settle().await;
    assert_eq!(told(&bridge), ["service_reactivated"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_client_gets_nothing_though_he_was_open_when_it_was_queued() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "6")], |_| {}).await;
    post(&bridge, "evt_1", "ClientAdd", &json!({ "client_id": CAST.client_english })).await;
    post(&bridge, "evt_2", "InvoicePaid", &json!({ "invoiceid": CAST.invoice_paid.id })).await;
    bridge.settle().await;
    let before = bridge.phones().len();
    post(&bridge, "evt_3", "ClientAdd", &json!({ "client_id": CAST.client_portuguese })).await;
    // The number is stopped while it waits; meanwhile the account is closed.
    let until = bridge.now() + jiff::SignedDuration::from_mins(5);
    let by = hookbridge::store::lane::PausedBy::Operator;
    let stop = hookbridge::store::lane::Pause { lane: "main".into(), until, by, detail: String::new() };
    hookbridge::store::lane::pause(&bridge.app.store, &stop, bridge.now()).await.expect("paused");
    bridge.wait_s(2);
    bridge.app.drain().await.expect("the workers work");
    bridge.platform(&format!("UPDATE tblclients SET status = 'Closed' WHERE id = {}", CAST.client_portuguese)).await;
    bridge.wait_s(301);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before);
    let last = bridge.messages().await.pop().expect("a message");
    assert_eq!((last.standing(), last.reason.as_deref()), ("cancelled", Some("client_closed")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_alert_behind_twenty_thousand_invoices_goes_within_two_seconds_of_the_default_pace() {
    let settings = [("SENDERS__MAIN__RATE_PER_S", "80"), ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "0")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    post(&bridge, "evt_1", "InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id })).await;
    bridge.wait_s(1);
    bridge.app.drain().await.expect("the workers work");
    bridge.db.crowd(20_000, bridge.now()).await;
    post(&bridge, "evt_2", "UserChangePassword", &json!({ "userid": CAST.user_of_spanish.id })).await;
    let start = bridge.now();
    while !told(&bridge).contains(&"password_changed".to_owned()) {
        bridge.app.step().await.expect("the workers work");
        bridge.clock.advance_ms(10);
        assert!(bridge.now().duration_since(start).as_secs() < 2, "it is stuck behind the others");
    }
    bridge.db.own("DELETE FROM outbox").await;
    bridge.finish().await;
}
