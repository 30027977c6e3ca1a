//! Logins with rights in somebody's account: told by the number of an account of their own, or out of reach.

use hookbridge::demo::data::CAST;
use hookbridge::store::trail::MessageTrail;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

/// An English client's invoice, and the login that owns the Portuguese client's account.
const INVOICE: hookbridge::demo::data::Owned = CAST.invoice_english;
const LOGIN: u32 = 41 - CAST.client_portuguese;

async fn start(more: &[(&str, &str)]) -> Bridge {
    let bridge = Bridge::with(&[&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], more].concat(), |_| {}).await;
    bridge.platform(&format!("DELETE FROM tblcontacts WHERE userid = {}", INVOICE.client)).await;
    bridge
}

/// Lets `login` into the client's account, with these rights.
async fn invite(bridge: &Bridge, login: u32, rights: &str) {
    bridge
        .platform(&format!(
            "INSERT INTO tblusers_clients (auth_user_id, client_id, owner, permissions) VALUES ({login}, {}, 0, '{rights}')",
            INVOICE.client
        ))
        .await;
}

/// The messages about a new invoice of the client.
async fn invoiced(bridge: &Bridge) -> Vec<MessageTrail> {
    let event = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": INVOICE.id }));
    assert_eq!(bridge.post("evt_invoice", &event).await.status, 202);
    bridge.settle().await;
    bridge.messages().await
}

fn users(messages: &[MessageTrail]) -> Vec<Option<u64>> {
    messages.iter().map(|m| m.user_id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_with_the_right_is_told_by_its_own_accounts_number_and_in_its_own_language() {
    let bridge = start(&[]).await;
    invite(&bridge, LOGIN, "profile,invoices").await;
    let mut messages = invoiced(&bridge).await;
    messages.sort_by_key(|m| m.user_id);
    assert_eq!(users(&messages), [None, Some(LOGIN.into())], "{messages:#?}");
    let [client, guest] = messages.as_slice() else { panic!("two: {messages:#?}") };
    assert_eq!((client.client_id, guest.client_id), (INVOICE.client.into(), INVOICE.client.into()));
    assert!(client.text.contains("hello Emily"), "{}", client.text);
    assert!(guest.text.contains("olá João"), "{}", guest.text);
    assert!(guest.text.contains("1,234.56"), "the account's own money: {}", guest.text);
    assert_eq!((guest.locale.as_str(), guest.standing()), ("pt_BR", "delivered"));
    assert_ne!(client.to, guest.to);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_or_by_the_companys_wish_or_for_the_owner_alone_no_login_is_told() {
    for (rights, settings) in [
        ("profile,products,emails", &[][..]),
        ("", &[]),
        ("invoices_of_somebody", &[]),
        ("invoices", &[("HOOKPOINTS__INVOICE_CREATED__USERS", "none")]),
        ("invoices", &[("HOOKPOINTS__INVOICE_CREATED__USERS", "orders")]),
    ] {
        let bridge = start(settings).await;
        invite(&bridge, LOGIN, rights).await;
        assert_eq!(users(&invoiced(&bridge).await), [None], "{rights} {settings:?}");
        bridge.finish().await;
    }
    let bridge = start(&[]).await;
    invite(&bridge, LOGIN, "profile,contacts,products,domains,invoices,quotes,tickets,affiliates,emails,orders").await;
    let mut event = bridge.envelope("ClientEdit", &json!({ "userid": INVOICE.client }));
    event["changed"] = json!(["phonenumber"]);
    assert_eq!(bridge.post("evt_edit", &event).await.status, 202);
    bridge.settle().await;
    assert_eq!(users(&bridge.messages().await), [None], "what concerns the owner's security is his alone");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_is_told_once_and_who_has_no_phone_anywhere_is_named_in_the_trail() {
    let bridge = start(&[]).await;
    invite(&bridge, LOGIN, "invoices").await;
    invite(&bridge, CAST.user_guest, "[\"invoices\"]").await;
    // The login's own account bears the client's number.
    bridge
        .platform(&format!(
            "UPDATE tblclients a JOIN tblclients b ON b.id = {} SET a.phonenumber = b.phonenumber, a.country = b.country \
             WHERE a.id = {}",
            INVOICE.client, CAST.client_portuguese
        ))
        .await;
    assert_eq!(users(&invoiced(&bridge).await), [None]);
    let event = bridge.event("evt_invoice").await;
    let why: Vec<_> = event.skips.iter().map(|skip| (skip.reason.as_str(), skip.detail.as_deref())).collect();
    assert_eq!(why, [("same_phone", Some(&*format!("login {LOGIN}")))]);
    let steps: Value = serde_json::from_str(&event.steps).expect("JSON");
    let step = steps.as_array().and_then(|all| all.iter().find(|one| one["step"] == "logins without a phone"));
    assert_eq!(step.map(|one| &one["detail"]["logins"]), Some(&json!([CAST.user_guest])), "{steps:#}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_account_lends_no_number_and_a_platform_without_logins_alerts_as_before() {
    let bridge = start(&[]).await;
    invite(&bridge, LOGIN, "invoices").await;
    bridge.platform(&format!("UPDATE tblclients SET status = 'Closed' WHERE id = {}", CAST.client_portuguese)).await;
    assert_eq!(users(&invoiced(&bridge).await), [None]);
    bridge.finish().await;
    let bridge = start(&[]).await;
    bridge.platform("DROP TABLE tblusers, tblusers_clients").await;
    assert_eq!(users(&invoiced(&bridge).await), [None]);
    bridge.finish().await;
}
