//! A service or domain that goes to another client: both hear of it, each in his language, once.

use hookbridge::demo::data::{CAST, Owned};
use hookbridge::domain::decision::{Rule, Verdict};
use hookbridge::store::decision::{Filter, list};
use hookbridge::store::trail::MessageTrail;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

/// Moves the service and tells of it as the sweep does.
async fn moved(bridge: &Bridge, id: &str, service: Owned, to: u32) {
    bridge.platform(&format!("UPDATE tblhosting SET userid = {to} WHERE id = {}", service.id)).await;
    told(bridge, id, service, to).await;
}

async fn told(bridge: &Bridge, id: &str, service: Owned, to: u32) {
    let fields = json!({ "serviceid": service.id, "userid": to, "from": service.client, "to": to });
    let mut event = bridge.envelope("ServiceOwnerChanged", &fields);
    event["request"] = json!(id);
    assert_eq!(bridge.post(id, &event).await.status, 202);
}

fn of(messages: &[MessageTrail], client: u32) -> Vec<&MessageTrail> {
    messages.iter().filter(|m| m.client_id == u64::from(client)).collect()
}

fn merge(from: u32, to: u32) -> Value {
    json!({ "hook": "AfterClientMerge", "actor": "admin", "vars": { "toUserID": to, "fromUserID": from } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_owners_hear_of_a_move_each_in_his_own_words_and_language() {
    let bridge = Bridge::start().await;
    let service = CAST.service_portuguese;
    moved(&bridge, "one", service, CAST.client_english).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    let [before, after] = [of(&messages, service.client), of(&messages, CAST.client_english)];
    assert_eq!((before.len(), after.len()), (1, 1), "{messages:#?}");
    assert!(before[0].text.contains("já não está em seu nome"), "{}", before[0].text);
    assert!(after[0].text.contains("now yours"), "{}", after[0].text);
    assert!(messages.iter().all(|m| m.hookpoint == "service_owner_changed" && m.contact_id.is_none()));
    assert!(messages.iter().all(|m| m.class == "security"));
    // What the rule would have said is kept, once, though nobody asked it: no ticket asked for this.
    let filter = Filter { rule: Some(Rule::Ownership), limit: 10, ..Filter::default() };
    let kept = list(&bridge.app.store, &filter).await.expect("decisions can be read");
    let [one] = kept.as_slice() else { panic!("one decision: {kept:#?}") };
    assert_eq!((one.hook.as_str(), one.asked_by.as_str(), one.what_if), ("ServiceOwnerChanged", "observed", true));
    assert_eq!((one.verdict, one.client_id), (Verdict::Deny, Some(service.client.into())));
    let answer: Value = serde_json::from_str(&one.answer).expect("JSON");
    let asked = answer["reasons"].as_array().and_then(|all| all.iter().find(|r| r["code"] == "asked_by_owner"));
    assert_eq!(asked.map(|reason| &reason["passed"]), Some(&json!(false)), "{answer:#}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_goes_and_comes_back_is_told_each_time() {
    let bridge = Bridge::start().await;
    let service = CAST.service_portuguese;
    moved(&bridge, "there", service, CAST.client_english).await;
    bridge.settle().await;
    let back = Owned { client: CAST.client_english, ..service };
    moved(&bridge, "back", back, service.client).await;
    bridge.settle().await;
    assert_eq!(of(&bridge.messages().await, service.client).len(), 2);
    assert_eq!(of(&bridge.messages().await, CAST.client_english).len(), 2);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_moved_on_meanwhile_is_not_told_with_the_wrong_owner() {
    let bridge = Bridge::start().await;
    let service = CAST.service_portuguese;
    bridge.platform(&format!("UPDATE tblhosting SET userid = {} WHERE id = {}", CAST.client_spanish, service.id)).await;
    told(&bridge, "late", service, CAST.client_english).await;
    bridge.settle().await;
    assert!(bridge.messages().await.is_empty());
    assert_eq!(bridge.reasons().await, ["owner_mismatch"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_former_owner_whose_account_is_gone_does_not_keep_the_present_one_from_hearing() {
    let bridge = Bridge::start().await;
    let service = CAST.service_portuguese;
    bridge.platform(&format!("DELETE FROM tblclients WHERE id = {}", service.client)).await;
    moved(&bridge, "one", service, CAST.client_english).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    assert_eq!((messages.len(), of(&messages, CAST.client_english).len()), (1, 1), "{messages:#?}");
    assert_eq!(bridge.reasons().await, ["former_owner_gone"]);
    bridge.finish().await;
}

/// Services of one client, made for a test.
async fn many(bridge: &Bridge, client: u32, n: u32) -> Vec<Owned> {
    for id in 9_000..9_000 + n {
        bridge
            .platform(&format!(
                "INSERT INTO tblhosting (id, userid, orderid, packageid, server, regdate, domain, billingcycle, domainstatus) \
                 VALUES ({id}, {client}, 0, 1, 0, '2026-01-01', 'd{id}.example', 'Monthly', 'Active')"
            ))
            .await;
    }
    (9_000..9_000 + n).map(|id| Owned { id, client }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_services_that_move_at_once_are_one_message_to_each_side() {
    let bridge = Bridge::start().await;
    let (from, to) = (CAST.client_portuguese, CAST.client_english);
    for service in many(&bridge, from, 30).await {
        moved(&bridge, &format!("s{}", service.id), service, to).await;
    }
    bridge.settle().await;
    let messages = bridge.messages().await;
    assert_eq!((of(&messages, from).len(), of(&messages, to).len(), messages.len()), (1, 1, 2), "{messages:#?}");
    assert!(of(&messages, to)[0].text.contains("30 services and domains"), "{}", of(&messages, to)[0].text);
    assert_eq!(bridge.reasons().await, ["told_together"; 29]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_is_told_once_and_what_it_moved_is_not_told_again() {
    let bridge = Bridge::start().await;
    let (from, to) = (CAST.client_portuguese, CAST.client_english);
    let services = many(&bridge, from, 3).await;
    bridge.fire(&[merge(from, to), merge(from, to)]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    assert_eq!((of(&messages, from).len(), of(&messages, to).len(), messages.len()), (1, 1, 2), "{messages:#?}");
    assert!(of(&messages, to)[0].text.contains("another account was merged into yours"));
    assert!(of(&messages, from)[0].text.contains("sua conta foi unificada com outra"));
    for service in services {
        moved(&bridge, &format!("s{}", service.id), service, to).await;
    }
    // What comes from somebody else has nothing to do with the merge.
    moved(&bridge, "other", CAST.service_suspended, to).await;
    bridge.settle().await;
    let reasons = bridge.reasons().await;
    assert_eq!(reasons.iter().filter(|reason| *reason == "told_with_merge").count(), 6, "{reasons:?}");
    assert_eq!(of(&bridge.messages().await, to).len(), 2);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_notices_a_move_that_no_hook_told_of_and_both_hear_of_it_once() {
    let bridge = Bridge::start().await;
    let sweep = async || {
        bridge.wait_s(600);
        bridge.app.sweep().await.expect("the sweep runs");
        bridge.settle().await;
    };
    sweep().await;
    let service = CAST.service_portuguese;
    let domain = CAST.domain;
    bridge
        .platform(&format!(
            "UPDATE tblhosting SET userid = {to} WHERE id = {}; UPDATE tbldomains SET userid = {to} WHERE id = {}",
            service.id,
            domain.id,
            to = CAST.client_english,
        ))
        .await;
    for _ in 0..4 {
        sweep().await;
    }
    let messages = bridge.messages().await;
    let moves: Vec<_> = messages.iter().filter(|m| m.hookpoint == "service_owner_changed").collect();
    assert_eq!(moves.len(), messages.len(), "{messages:#?}");
    assert_eq!(of(&messages, CAST.client_english).len(), 2, "one of the service, one of the domain: {messages:#?}");
    assert_eq!((of(&messages, service.client).len(), of(&messages, domain.client).len()), (1, 1), "{messages:#?}");
    bridge.finish().await;
}
