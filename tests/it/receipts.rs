//! What the provider reports, and what clients write back.

use hookbridge::demo::data::CAST;
use hookbridge::domain::receipt::{Receipt, ReceiptStatus};
use hookbridge::sandbox::{Fault, Reply, Status, Trouble};
use hookbridge::store::{lane, receipt};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::bridge::{Bridge, answer};

async fn one_invoice(bridge: &Bridge, id: &str) {
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_is_not_delivered_until_a_receipt_says_so() {
    let bridge = Bridge::start().await;
    one_invoice(&bridge, "evt_1").await;
    assert_eq!(bridge.messages().await[0].standing(), "accepted");
    bridge.sandbox.drain_receipts().await;
    assert_eq!(bridge.messages().await[0].standing(), "delivered");
    assert_eq!(bridge.phones()[0].status(), Status::Delivered);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_is_told_before_the_answer_is_noted_keeps_its_reason() {
    let bridge = Bridge::start().await;
    let store = &bridge.app.store;
    lane::pause(
        store,
        &lane::Pause {
            lane: "main".to_owned(),
            until: bridge.now() + SignedDuration::from_secs(60),
            by: lane::PausedBy::Operator,
            detail: String::new(),
        },
        bridge.now(),
    )
    .await
    .expect("a pause");
    bridge.sandbox.fault(Fault::next(Trouble::ReceiptsNever));
    one_invoice(&bridge, "evt_1").await;
    let message = bridge.messages().await.remove(0);
    assert_eq!(message.standing(), "queued");
    let told = Receipt {
        provider_id: "wamid.early".to_owned(),
        status: ReceiptStatus::Failed,
        at: bridge.now(),
        message_id: Some(message.id),
        code: Some(131_049),
        detail: Some("not delivered to keep the ecosystem healthy".to_owned()),
        category: None,
        number: None,
    };
    receipt::record(store, "main", &[&told], bridge.now()).await.expect("it is recorded");
    bridge.wait_s(61);
    bridge.app.drain().await.expect("the workers work");
    let message = bridge.messages().await.remove(0);
    assert_eq!((message.standing(), message.reason.as_deref()), ("failed", Some("refused")));
    assert!(message.detail.is_some_and(|detail| detail.contains("ecosystem")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_doubled_late_and_out_of_order_only_raise_a_message() {
    let bridge = Bridge::start().await;
    one_invoice(&bridge, "evt_1").await;
    let message = bridge.messages().await.remove(0);
    let phone = bridge.phones().remove(0);
    let post = |status: &str, opaque: bool| {
        let mut one = json!({ "id": phone.id, "status": status, "timestamp": bridge.now().as_second().to_string() });
        if opaque {
            one["biz_opaque_callback_data"] = json!(message.id.to_string());
        }
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
            "field": "messages", "value": { "messaging_product": "whatsapp", "statuses": [one.clone(), one] } }] }] })
        .to_string();
        let signature = hookbridge::signature::sign_hub(body.as_bytes(), &bridge.secrets.app_secret.clone().into());
        answer(
            bridge
                .http
                .post(bridge.url("/v1/receipts/main"))
                .header("content-type", "application/json")
                .header("x-hub-signature-256", signature)
                .body(body),
        )
    };
    for (status, opaque, standing) in [
        ("failed", true, "failed"),
        ("delivered", false, "delivered"),
        ("sent", true, "delivered"),
        ("read", false, "read"),
        ("delivered", true, "read"),
        ("failed", false, "read"),
    ] {
        assert_eq!(post(status, opaque).await.status, 200);
        assert_eq!(bridge.messages().await[0].standing(), standing, "after {status}");
    }
    assert_eq!(bridge.messages().await[0].receipts.len(), 4, "each status is kept once");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_with_a_wrong_or_missing_signature_changes_nothing() {
    let bridge = Bridge::start().await;
    one_invoice(&bridge, "evt_1").await;
    let id = bridge.phones()[0].id.clone();
    let body = json!({ "entry": [{ "changes": [{ "field": "messages", "value": { "statuses": [
        { "id": id, "status": "read", "timestamp": "1750030073" }] } }] }] })
    .to_string();
    for signature in [None, Some("sha256=00"), Some("nonsense")] {
        let mut request = bridge
            .http
            .post(bridge.url("/v1/receipts/main"))
            .header("content-type", "application/json")
            .body(body.clone());
        if let Some(signature) = signature {
            request = request.header("x-hub-signature-256", signature);
        }
        assert_eq!(answer(request).await.status, 401);
    }
    assert_eq!(bridge.messages().await[0].standing(), "accepted");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_whole_word_of_the_configuration_opts_a_client_out() {
    let bridge = Bridge::start().await;
    one_invoice(&bridge, "evt_1").await;
    let phone = bridge.phones()[0].wa_id.clone();
    for text in ["cancelar", "END", "quit", "no quiero darme de baja, gracias", "stop the suspension please"] {
        bridge
            .sandbox
            .reply(&Reply { from: phone.clone(), text: Some(text.to_owned()), ..Reply::default() })
            .expect("a reply");
        bridge.sandbox.drain_receipts().await;
    }
    let body = bridge.envelope("InvoiceCancelled", &json!({ "invoiceid": CAST.invoice_english.id }));
    bridge
        .platform(&format!("UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {}", CAST.invoice_english.id))
        .await;
    bridge.post("evt_2", &body).await;
    bridge.settle().await;
    assert_eq!(bridge.messages().await.len(), 2, "nobody opted out yet");
    bridge
        .sandbox
        .reply(&Reply { from: phone, text: Some(" ¡Stop! ".to_owned()), ..Reply::default() })
        .expect("a reply");
    bridge.sandbox.drain_receipts().await;
    let it = CAST.service_english;
    let body = bridge.envelope("AfterModuleSuspend", &json!({ "params": { "serviceid": it.id, "userid": it.client } }));
    bridge.post("evt_3", &body).await;
    bridge.settle().await;
    let hookpoints: Vec<String> = bridge.messages().await.into_iter().map(|one| one.hookpoint).collect();
    assert_eq!(hookpoints, ["invoice_created", "invoice_cancelled", "reply_confirmation"]);
    assert_eq!(bridge.reasons().await, ["opted_out"]);
    bridge.finish().await;
}
