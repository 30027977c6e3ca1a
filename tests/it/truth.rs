//! What a message says is true when it arrives: amounts, dates and names as they are when it is sent, and nothing of what is
//! no news: bundles, refunds, credits.

mod over;
mod pages;
mod refused;
mod releases;
mod rows;
mod settled;
mod statuses;

use hookbridge::demo::data::CAST;
use hookbridge::store::trail::MessageTrail;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;

fn line(hook: &str, vars: &Value) -> Value {
    json!({ "hook": hook, "actor": "cron", "vars": vars, "new_request": true })
}

async fn created(bridge: &Bridge, invoice: u32) {
    bridge.fire(&[line("InvoiceCreated", &json!({ "invoiceid": invoice }))]).await;
}

/// The client's own message about `subject`.
async fn to_client(bridge: &Bridge, subject: &str) -> MessageTrail {
    let all = bridge.messages().await;
    let mine = |m: &&MessageTrail| m.subject == subject && m.contact_id.is_none() && m.user_id.is_none();
    all.iter().find(mine).unwrap_or_else(|| panic!("no message about {subject}: {all:#?}")).clone()
}

async fn paused() -> Bridge {
    let bridge = Bridge::start().await;
    let (ok, out, err) = bridge.run(&["lanes", "pause", "main", "--minutes", "10", "--why", "a test"]).await;
    assert!(ok, "{out}{err}");
    bridge
}

async fn resumed(bridge: &Bridge) {
    let (ok, out, err) = bridge.run(&["lanes", "resume", "main"]).await;
    assert!(ok, "{out}{err}");
    bridge.wait_s(2);
    bridge.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amount_and_a_date_that_changed_while_it_waited_are_written_anew() {
    let bridge = paused().await;
    let it = CAST.invoice_english;
    created(&bridge, it.id).await;
    bridge.settle().await;
    let subject = format!("invoice:{}", it.id);
    let before = to_client(&bridge, &subject).await;
    assert!(before.text.contains("1,234.56"), "{}", before.text);
    // A late fee, and another month to pay.
    bridge
        .platform(&format!("UPDATE tblinvoices SET total = 1300.10, duedate = '2031-01-09' WHERE id = {}", it.id))
        .await;
    resumed(&bridge).await;
    let after = to_client(&bridge, &subject).await;
    assert_eq!((after.id, after.standing()), (before.id, "delivered"));
    assert!(after.text.contains("1,300.10") && after.text.contains("9 Jan 2031"), "{}", after.text);
    assert!(!after.text.contains("1,234.56"), "{}", after.text);
    assert!(format!("{:?}", bridge.phones()).contains("1,300.10"));
    // Fired again, it is the same alert.
    created(&bridge, it.id).await;
    bridge.settle().await;
    assert!(bridge.reasons().await.contains(&"already_queued".to_owned()));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_that_another_hook_adds_just_after_is_in_the_amount() {
    let bridge = Bridge::with(
        &[("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("HOOKPOINTS__INVOICE_CREATED__SETTLE_S", "3")],
        |_| {},
    )
    .await;
    let it = CAST.invoice_english;
    created(&bridge, it.id).await;
    bridge.settle().await;
    let subject = format!("invoice:{}", it.id);
    assert_eq!(to_client(&bridge, &subject).await.reason.as_deref(), Some("settling"));
    assert!(bridge.phones().is_empty());
    bridge.platform(&format!("UPDATE tblinvoices SET total = total + 2 WHERE id = {}", it.id)).await;
    bridge.wait_s(4);
    bridge.settle().await;
    assert!(to_client(&bridge, &subject).await.text.contains("1,236.56"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_or_of_no_amount_by_then_is_not_sent() {
    let bridge = paused().await;
    let [gone, settled] = CAST.invoices_same_second;
    created(&bridge, gone.id).await;
    created(&bridge, settled.id).await;
    bridge.settle().await;
    bridge.platform(&format!("DELETE FROM tblinvoices WHERE id = {}", gone.id)).await;
    bridge
        .platform(&format!(
            "INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, transid, invoiceid) \
             SELECT userid, 0, 'paypal', NOW(), '', total, 'x1', id FROM tblinvoices WHERE id = {}",
            settled.id
        ))
        .await;
    resumed(&bridge).await;
    for (invoice, reason) in [(gone, "subject_missing"), (settled, "invoice_paid")] {
        let ended = to_client(&bridge, &format!("invoice:{}", invoice.id)).await;
        assert_eq!((ended.standing(), ended.reason.as_deref()), ("cancelled", Some(reason)));
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_service_and_a_renamed_client_are_called_as_they_are() {
    let bridge = paused().await;
    let it = CAST.service_english;
    bridge.platform(&format!("UPDATE tblhosting SET domainstatus = 'Suspended' WHERE id = {}", it.id)).await;
    let vars = json!({ "params": { "serviceid": it.id, "userid": it.client } });
    bridge.fire(&[line("AfterModuleSuspend", &vars)]).await;
    bridge.settle().await;
    bridge.platform(&format!("UPDATE tblhosting SET domain = 'renamed-demo.example' WHERE id = {}", it.id)).await;
    bridge.platform(&format!("UPDATE tblclients SET firstname = 'Grace' WHERE id = {}", it.client)).await;
    resumed(&bridge).await;
    let after = to_client(&bridge, &format!("service:{}", it.id)).await;
    assert!(after.text.contains("renamed-demo.example") && after.text.contains("Grace"), "{}", after.text);
    assert_eq!(after.standing(), "delivered");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contact_that_lost_its_right_while_its_alert_waited_gets_nothing() {
    let bridge = paused().await;
    let it = CAST.contact_invoices_only;
    created(&bridge, CAST.invoice_numbered.id).await;
    bridge.settle().await;
    bridge.platform(&format!("UPDATE tblcontacts SET invoiceemails = 0 WHERE id = {}", it.id)).await;
    resumed(&bridge).await;
    let all = bridge.messages().await;
    let to_contact = all.iter().find(|m| m.contact_id == Some(u64::from(it.id))).expect("a message to the contact");
    assert_eq!((to_contact.standing(), to_contact.reason.as_deref()), ("cancelled", Some("recipient_gone")));
    assert!(all.iter().any(|m| m.contact_id.is_none() && m.standing() == "delivered"), "{all:#?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mass_payment_is_no_new_invoice_and_one_receipt() {
    let bridge = Bridge::start().await;
    let bundle = CAST.invoice_mass_payment;
    created(&bridge, bundle.id).await;
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["invoice_bundle"]);
    // The platform marks the bundle and what it pays; each has a row of money, as installations differ.
    bridge
        .platform(&format!(
            "INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, transid, invoiceid) \
             SELECT userid, 0, 'mercadopago', NOW(), '', total, CONCAT('mp', id), id FROM tblinvoices WHERE id IN \
             (1, 2, {})",
            bundle.id
        ))
        .await;
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Paid' WHERE id IN (1, 2, {})", bundle.id)).await;
    let paid = |id: u32| line("InvoicePaid", &json!({ "invoiceid": id }));
    bridge.fire(&[paid(1), paid(2), paid(bundle.id)]).await;
    bridge.settle().await;
    let subjects: Vec<String> = bridge.messages().await.into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, [format!("invoice:{}", bundle.id)]);
    assert_eq!(bridge.reasons().await, ["invoice_bundle", "paid_in_bundle", "paid_in_bundle"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_is_no_payment_and_a_credit_is_no_invoice() {
    let bridge = Bridge::start().await;
    // A refund that a module books as a payment with a minus, on an invoice whose payment is of long ago.
    let paid = CAST.invoice_paid;
    bridge
        .platform(&format!(
            "INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, transid, invoiceid) \
             VALUES ({}, 0, 'mercadopago', NOW(), '', -500, 'r1', {})",
            paid.client, paid.id
        ))
        .await;
    bridge.fire(&[line("AddInvoicePayment", &json!({ "invoiceid": paid.id }))]).await;
    // One whose status says so.
    bridge.fire(&[line("AddInvoicePayment", &json!({ "invoiceid": 14 }))]).await;
    let credit = CAST.invoice_english;
    bridge.platform(&format!("UPDATE tblinvoices SET total = -20 WHERE id = {}", credit.id)).await;
    created(&bridge, credit.id).await;
    bridge.settle().await;
    bridge.wait_s(60);
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["amount_negative", "invoice_refunded", "payment_refunded"]);
    assert!(bridge.messages().await.is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_that_is_final_only_after_payment_is_the_one_in_the_receipt() {
    let settle = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("HOOKPOINTS__PAYMENT_RECEIVED__SETTLE_S", "3")];
    let bridge = Bridge::with(&settle, |_| {}).await;
    let it = CAST.invoice_english;
    bridge
        .platform(&format!(
            "INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, transid, invoiceid) \
             SELECT userid, 0, 'stripe', NOW(), '', total, 's1', id FROM tblinvoices WHERE id = {}",
            it.id
        ))
        .await;
    bridge.fire(&[line("AddInvoicePayment", &json!({ "invoiceid": it.id }))]).await;
    bridge.settle().await;
    bridge
        .platform(&format!("UPDATE tblinvoices SET status = 'Paid', invoicenum = 'B-0099' WHERE id = {}", it.id))
        .await;
    bridge.fire(&[line("InvoicePaid", &json!({ "invoiceid": it.id }))]).await;
    bridge.settle().await;
    bridge.wait_s(4);
    bridge.settle().await;
    let receipt = to_client(&bridge, &format!("invoice:{}", it.id)).await;
    assert!(receipt.text.contains("B-0099") && receipt.text.contains("paid in full"), "{}", receipt.text);
    assert_eq!(bridge.messages().await.iter().filter(|m| m.contact_id.is_none()).count(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_billing_contact_gets_invoices_beside_or_instead_of_the_owner_as_configured() {
    for (setting, contact_too, owner_too) in [("owner", false, true), ("billing", true, false), ("both", true, true)] {
        let pair = ("SENDERS__MAIN__PAIR_INTERVAL_S", "0");
        let bridge = Bridge::with(&[pair, ("BILLING__CONTACT", setting)], |_| {}).await;
        let it = CAST.contact_none;
        bridge.platform(&format!("UPDATE tblclients SET billingcid = {} WHERE id = {}", it.id, it.client)).await;
        bridge.platform(&format!("UPDATE tblcontacts SET phonenumber = '+54.91155550999' WHERE id = {}", it.id)).await;
        let sql = format!("UPDATE tblinvoices SET userid = {}, status = 'Unpaid' WHERE id = 10", it.client);
        bridge.platform(&sql).await;
        created(&bridge, 10).await;
        bridge.settle().await;
        let all = bridge.messages().await;
        let told = |contact: Option<u64>| all.iter().any(|m| m.contact_id == contact && m.standing() == "delivered");
        assert_eq!((told(Some(it.id.into())), told(None)), (contact_too, owner_too), "{setting}: {all:#?}");
        assert_eq!(bridge.reasons().await.contains(&"billing_contact".to_owned()), !owner_too, "{setting}");
        bridge.finish().await;
    }
}
