//! A cancellation request: confirmed with the day that the company's rule gives it, and what is still to be paid.

use hookbridge::domain::decision::Rule;
use hookbridge::store::decision::{Filter, list};
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

/// Of client 1; its wish is made by each test.
const SERVICE: u32 = 2;

fn request(kind: &str) -> Value {
    json!({ "hook": "CancellationRequest", "actor": "client", "new_request": true,
        "vars": { "userid": 1, "relid": SERVICE, "reason": "typed by the client", "type": kind } })
}

async fn wish(bridge: &Bridge, kind: &str) {
    bridge
        .platform(&format!(
            "INSERT INTO tblcancelrequests (date, relid, reason, type) VALUES (NOW(), {SERVICE}, '', '{kind}')"
        ))
        .await;
}

async fn start(more: &[(&str, &str)]) -> Bridge {
    let bridge = Bridge::with(&[&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], more].concat(), |_| {}).await;
    bridge
        .platform(&format!(
            "DELETE FROM tblcancelrequests WHERE relid = {SERVICE}; \
             UPDATE tblhosting SET nextduedate = '2031-05-20', domainstatus = 'Active' WHERE id = {SERVICE} AND userid = 1; \
             INSERT INTO tblinvoices (id, userid, invoicenum, status, date, duedate, total) \
             VALUES (9001, 1, 'R-77', 'Unpaid', '2031-05-01', '2031-05-20', 18000); \
             INSERT INTO tblinvoiceitems (invoiceid, userid, type, relid, description, amount) \
             VALUES (9001, 1, 'Hosting', {SERVICE}, 'x', 18000)"
        ))
        .await;
    bridge
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_confirmed_with_its_kind_its_day_and_what_is_due_and_once_per_wish() {
    let bridge = start(&[]).await;
    wish(&bridge, "End of Billing Period").await;
    bridge.fire(&[request("End of Billing Period"), request("End of Billing Period")]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    let own: Vec<_> = messages.iter().filter(|m| m.contact_id.is_none()).collect();
    assert_eq!(own.len(), 1, "{messages:#?}");
    let text = &own[0].text;
    for words in ["al final del período ya pagado", "20/05/2031", "R-77 por $", "18.000,00"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let filter = Filter { rule: Some(Rule::Cancellation), limit: 10, ..Filter::default() };
    let kept = list(&bridge.app.store, &filter).await.expect("decisions can be read");
    assert!(kept.iter().any(|one| one.hook == "CancellationRequest" && one.answer.contains("2031-05-20")), "{kept:#?}");
    // Another wish is another message.
    wish(&bridge, "Immediate").await;
    bridge.fire(&[request("Immediate")]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    let text = &messages.iter().rfind(|m| m.contact_id.is_none()).expect("a second").text;
    assert!(text.contains("de inmediato") && !text.contains("20/05/2031"), "{text}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_platform_has_not_written_down_is_waited_for_and_not_confirmed_without_it() {
    let bridge = start(&[]).await;
    bridge.fire(&[request("Immediate")]).await;
    bridge.app.drain().await.expect("the workers work");
    assert!(bridge.messages().await.is_empty());
    wish(&bridge, "Immediate").await;
    // Real PHP stamps the event with the machine's time, which runs ahead of a clock that stands.
    bridge.wait_s(120);
    bridge.settle().await;
    assert!(bridge.messages().await.iter().any(|m| m.hookpoint == "cancellation_requested"));
    bridge.platform(&format!("DELETE FROM tblcancelrequests WHERE relid = {SERVICE}")).await;
    bridge.fire(&[request("Immediate")]).await;
    bridge.settle().await;
    bridge.wait_s(120);
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["cancellation_missing"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rule_refuses_is_not_confirmed() {
    let bridge = start(&[("RULES__CANCELLATION__RENEWAL_INVOICED", "deny")]).await;
    wish(&bridge, "Immediate").await;
    bridge.fire(&[request("Immediate")]).await;
    bridge.settle().await;
    assert!(bridge.messages().await.is_empty());
    assert_eq!(bridge.reasons().await, ["cancellation_refused"]);
    bridge.finish().await;
}
