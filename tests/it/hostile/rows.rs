//! One odd row of the platform harms only whom it concerns.

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

/// Statements that need another mode of the server: rows as old versions and imports leave them.
async fn odd(bridge: &Bridge, sql: &str) {
    bridge.platform(&format!("SET sql_mode = 'ALLOW_INVALID_DATES'; {sql}")).await;
}

async fn fire(bridge: &Bridge, id: &str, hook: &str, fields: Value) {
    assert_eq!(bridge.post(id, &bridge.envelope(hook, &fields)).await.status, 202);
}

async fn settle(bridge: &Bridge) {
    bridge.settle().await;
}

/// The state of an event, and why somebody got nothing: reason and detail.
async fn came_of(bridge: &Bridge, id: &str) -> (String, Vec<(String, String)>) {
    let event = bridge.event(id).await;
    let skips = event.skips.into_iter().map(|skip| (skip.reason, skip.detail.unwrap_or_default()));
    (event.state, skips.collect())
}

const ODD_CURRENCY: &str = "INSERT INTO tblcurrencies (id, code, prefix, suffix, format, rate, `default`) \
     VALUES (9, 'XXX', '', ' XXX', 0, 1, 0)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_currency_of_unknown_format_fails_only_texts_that_name_its_amounts() {
    let bridge = Bridge::start().await;
    odd(&bridge, ODD_CURRENCY).await;
    let it = CAST.invoice_english;
    bridge.platform(&format!("UPDATE tblclients SET currency = 9 WHERE id = {}", it.client)).await;
    fire(&bridge, "evt_other", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_portuguese.id })).await;
    fire(&bridge, "evt_amount", "InvoiceCreated", json!({ "invoiceid": it.id })).await;
    fire(&bridge, "evt_plain", "ClientAdd", json!({ "client_id": it.client })).await;
    settle(&bridge).await;
    assert_eq!(came_of(&bridge, "evt_other").await.0, "processed");
    assert_eq!(came_of(&bridge, "evt_plain").await, ("processed".to_owned(), Vec::new()), "its text names no amount");
    let (state, skips) = came_of(&bridge, "evt_amount").await;
    assert_eq!(state, "failed");
    assert!(skips.iter().all(|(reason, _)| reason == "subject_unreadable"), "{skips:?}");
    assert!(skips[0].1.contains("tblcurrencies.format of row 9"), "{skips:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_currency_that_was_just_made_is_known_and_one_that_is_gone_is_named() {
    let bridge = Bridge::start().await;
    fire(&bridge, "evt_warm", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_portuguese.id })).await;
    settle(&bridge).await;
    // Within the time that the platform's currencies are remembered.
    let it = CAST.invoice_english;
    odd(&bridge, &ODD_CURRENCY.replace("0, 1, 0)", "1, 1, 0)")).await;
    bridge.platform(&format!("UPDATE tblclients SET currency = 9 WHERE id = {}", it.client)).await;
    fire(&bridge, "evt_new", "InvoiceCreated", json!({ "invoiceid": it.id })).await;
    settle(&bridge).await;
    assert_eq!(came_of(&bridge, "evt_new").await.0, "processed");
    assert!(bridge.messages().await.iter().any(|m| m.text.contains(" XXX")));
    bridge.platform(&format!("UPDATE tblclients SET currency = 0 WHERE id = {}", it.client)).await;
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {}", it.id)).await;
    fire(&bridge, "evt_gone", "InvoiceCancelled", json!({ "invoiceid": it.id })).await;
    let suspended = CAST.service_english;
    let params = json!({ "params": { "serviceid": suspended.id, "userid": suspended.client } });
    bridge.platform(&format!("UPDATE tblhosting SET domainstatus = 'Suspended' WHERE id = {}", suspended.id)).await;
    fire(&bridge, "evt_plain", "AfterModuleSuspend", params).await;
    settle(&bridge).await;
    assert_eq!(came_of(&bridge, "evt_plain").await.0, "processed");
    let (state, skips) = came_of(&bridge, "evt_gone").await;
    if state == "failed" {
        assert!(skips[0].1.contains(&format!("tblclients.currency of row {}", it.client)), "{skips:?}");
    } else {
        assert_eq!(state, "processed", "its text names no amount: {skips:?}");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_impossible_date_in_a_payment_fails_its_own_event_and_delays_no_other() {
    let bridge = Bridge::start().await;
    let it = CAST.payment;
    odd(&bridge, &format!("UPDATE tblaccounts SET date = '2026-02-30 10:00:00' WHERE id = {}", it.id)).await;
    let paid = CAST.invoice_paid;
    fire(&bridge, "evt_odd", "InvoicePaid", json!({ "invoiceid": paid.id })).await;
    for (n, client) in [1, 2, 3, 4].into_iter().enumerate() {
        fire(&bridge, &format!("evt_{n}"), "ClientAdd", json!({ "client_id": client })).await;
    }
    settle(&bridge).await;
    let (state, skips) = came_of(&bridge, "evt_odd").await;
    assert_eq!((state.as_str(), skips[0].0.as_str()), ("failed", "subject_unreadable"));
    assert!(skips[0].1.contains(&format!("tblaccounts.date of row {}", it.id)), "{skips:?}");
    for n in 0..4 {
        assert_eq!(came_of(&bridge, &format!("evt_{n}")).await.0, "processed");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_that_cannot_be_read_is_named_and_the_client_is_told() {
    let bridge = Bridge::start().await;
    let contact = CAST.contact_all;
    // Bytes that are no text, as an import in another character set leaves them.
    bridge
        .platform(&format!(
            "ALTER TABLE tblcontacts MODIFY firstname VARBINARY(255) NOT NULL; \
             UPDATE tblcontacts SET firstname = X'FF41' WHERE id = {}",
            contact.id
        ))
        .await;
    fire(&bridge, "evt_client", "ClientAdd", json!({ "client_id": contact.client })).await;
    let service = CAST.service_active;
    fire(&bridge, "evt_other", "ClientAdd", json!({ "client_id": CAST.client_english })).await;
    let invoice = 9_100;
    bridge
        .platform(&format!(
            "INSERT INTO tblinvoices (id, userid, status, date, duedate, total) VALUES \
             ({invoice}, {}, 'Unpaid', CURDATE(), CURDATE() + INTERVAL 9 DAY, 10)",
            contact.client
        ))
        .await;
    fire(&bridge, "evt_contact", "InvoiceCreated", json!({ "invoiceid": invoice })).await;
    settle(&bridge).await;
    assert_eq!(came_of(&bridge, "evt_other").await.0, "processed");
    let (state, skips) = came_of(&bridge, "evt_contact").await;
    assert_eq!(state, "failed", "{service:?}: somebody should look");
    let odd: Vec<_> = skips.iter().filter(|(reason, _)| reason == "subject_unreadable").collect();
    assert!(odd.len() == 1 && odd[0].1.contains(&format!("tblcontacts.firstname of row {}", contact.id)), "{skips:?}");
    let told = bridge.messages().await.into_iter().filter(|m| m.client_id == u64::from(contact.client));
    assert!(told.filter(|m| m.hookpoint == "invoice_created").any(|m| m.contact_id.is_none()), "the client is told");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_and_outages_spend_no_attempts() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("PROCESS__ATTEMPTS_MAX", "3")], |_| {}).await;
    bridge.platform("RENAME TABLE tblclients TO tblclients_away").await;
    fire(&bridge, "evt_1", "ClientAdd", json!({ "client_id": 1 })).await;
    for _ in 0..6 {
        assert!(bridge.app.drain().await.is_err(), "the facts cannot be had");
        bridge.wait_s(40);
    }
    bridge.platform("RENAME TABLE tblclients_away TO tblclients").await;
    bridge.settle().await;
    assert_eq!(came_of(&bridge, "evt_1").await.0, "processed");
    bridge.finish().await;
}
