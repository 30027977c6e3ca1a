//! Numbers in the hands of people: those that were given up, the field of the client's own, and how a text is read.

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, answer};
use crate::support::person::Person;

const OLD: &str = "5491155550104";

/// The provider says that a number changed.
pub async fn changed(bridge: &Bridge, message: Value) {
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
        "value": { "messaging_product": "whatsapp", "messages": [message] } }] }] })
    .to_string();
    let signature = hookbridge::signature::sign_hub(body.as_bytes(), &bridge.secrets.app_secret.clone().into());
    let request = bridge.http.post(bridge.url("/v1/receipts/main")).header("content-type", "application/json");
    assert_eq!(answer(request.header("x-hub-signature-256", signature).body(body)).await.status, 200);
}

pub fn system(bridge: &Bridge, kind: &str, from: &str, new: (&str, &str)) -> Value {
    json!({ "from": from, "id": "wamid.change", "timestamp": bridge.now().as_second().to_string(), "type": "system",
        "system": { "type": kind, new.0: new.1, "body": "User A changed from one number to another" } })
}

async fn invoice(bridge: &Bridge, id: &str, invoice: u32) {
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
}

async fn codes(bridge: &Bridge) -> Vec<String> {
    let found = bridge.run_json(&["phones", "moved"]).await;
    let items = found["items"].as_array().expect("a list");
    items.iter().map(|one| format!("{} {} {}", one["from"], one["to"], one["noted"])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_its_user_gave_up_gets_nothing_until_it_belongs_to_a_client_again() {
    let bridge = Bridge::start().await;
    invoice(&bridge, "evt_1", CAST.invoice_english.id).await;
    let old = bridge.phones()[0].wa_id.clone();
    // What waits for it is cancelled, too.
    let new = "5491144440104";
    changed(&bridge, system(&bridge, "user_changed_number", &old, ("wa_id", new))).await;
    bridge
        .platform(&format!("UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {}", CAST.invoice_english.id))
        .await;
    let body = bridge.envelope("InvoiceCancelled", &json!({ "invoiceid": CAST.invoice_english.id }));
    bridge.post("evt_2", &body).await;
    bridge.settle().await;
    assert_eq!(bridge.messages().await.len(), 1, "nothing more is sent to the old number");
    assert!(bridge.reasons().await.contains(&"number_changed".to_owned()), "{:?}", bridge.reasons().await);
    assert_eq!(codes(&bridge).await, [format!("\"+{old}\" \"+{new}\" false")]);

    let desk = bridge.app.desk.clone().expect("a key is set");
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    operator.get("/admin").await.shows("/admin/phones/moved");
    let page = operator.get("/admin/phones/moved").await;
    page.shows(&format!("+{old}"));
    page.shows(&format!("+{new}"));
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    viewer.get("/admin/phones/moved").await.hides(&old);
    let plus = format!("+{old}");
    operator.submit("/admin/phones/moved", "/admin/phones/moved", &[("phone", &plus), ("do", "note")]).await;
    assert_eq!(codes(&bridge).await, [format!("\"+{old}\" \"+{new}\" true")]);
    operator.get("/admin").await.hides("/admin/phones/moved");
    assert!(bridge.run(&["phones", "unmark", &plus, "--why", "ticket 55"]).await.0);
    assert!(codes(&bridge).await.is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_goes_with_the_user_to_the_new_number_and_back() {
    let bridge = Bridge::start().await;
    let (old, new) = ("+5491155550104", "+5491144440104");
    assert!(bridge.run(&["consent", "set", old, "out", "--why", "by telephone"]).await.0);
    let may = async |phone: &str| {
        bridge.run_json(&["consent", "show", phone]).await["items"][0]["may_be_written_to"].as_bool()
    };
    bridge.wait_s(5);
    // The older shape of the report.
    changed(&bridge, system(&bridge, "customer_changed_number", OLD, ("new_wa_id", &new[1..]))).await;
    assert_eq!(may(new).await, Some(false), "the wish goes with its user");
    assert_eq!(codes(&bridge).await.len(), 1);
    // Reported twice, and then the user comes back to the old number.
    changed(&bridge, system(&bridge, "customer_changed_number", OLD, ("new_wa_id", &new[1..]))).await;
    bridge.wait_s(5);
    changed(&bridge, system(&bridge, "user_changed_number", &new[1..], ("wa_id", OLD))).await;
    assert_eq!(codes(&bridge).await, [format!("\"{new}\" \"{old}\" false")], "the old number is its user's again");
    // What is no such report is passed over.
    changed(&bridge, system(&bridge, "user_changed_number", "AR.1349", ("wa_id", OLD))).await;
    changed(&bridge, system(&bridge, "user_identity_changed", OLD, ("wa_id", OLD))).await;
    assert_eq!(codes(&bridge).await.len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_own_field_is_read_before_the_phone_column() {
    let bridge = Bridge::with(&[("ALERTS__PHONE_FIELD", "WhatsApp")], |_| {}).await;
    let client = CAST.client_english;
    let tell = async |id: &str| {
        bridge.platform(&format!("DELETE FROM tblcustomfieldsvalues WHERE fieldid = 1 AND relid = {client}")).await;
        if !id.is_empty() {
            bridge
                .platform(&format!(
                    "INSERT INTO tblcustomfieldsvalues (fieldid, relid, value, created_at, updated_at) VALUES \
                     (1, {client}, '{id}', NOW(), NOW())"
                ))
                .await;
        }
        let found = bridge.run_json(&["consent", "show", "--client", &client.to_string()]).await;
        let own = &found["items"][0];
        own["phone"].as_str().or(own["reason"].as_str()).unwrap_or_default().to_owned()
    };
    let column = tell("").await;
    assert!(column.starts_with('+'), "{column}");
    assert_eq!(tell("+54 9 11 4444-0199").await, "+5491144440199");
    assert_eq!(tell("   ").await, column, "an empty field: the column");
    assert_eq!(tell("ver perfil").await, column, "no number in it: the column");
    assert_eq!(tell("No tengo").await, "phone_not_mobile", "who says that he has none gets nothing");
    assert_eq!(tell("&#43;54 9 11 4444-0199").await, "+5491144440199");
    invoice(&bridge, "evt_1", CAST.invoice_english.id).await;
    let to: Vec<String> = bridge.phones().into_iter().map(|one| one.wa_id).collect();
    assert!(to.contains(&"5491144440199".to_owned()), "{to:?}");
    let doctor = bridge.run(&["doctor"]).await.1;
    assert!(doctor.contains("WhatsApp"), "{doctor}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_text_is_read_is_told_on_the_page_by_the_api_and_at_the_command_line() {
    let bridge = Bridge::start().await;
    let said = bridge.run_json(&["phones", "read", "0055 51 99123-4567", "--country", "br"]).await;
    assert_eq!(
        (&said["to"], &said["certain"], &said["assumed"]),
        (&json!("+5551991234567"), &json!(false), &json!("ambiguous"))
    );
    let readings = said["numbers"][0]["readings"].as_array().expect("a list");
    assert_eq!((&readings[0]["how"], &readings[1]["number"]), (&json!("zero_zero"), &json!("+51991234567")));
    let (_, text, _) = bridge.run(&["phones", "read", "0800 555 1234", "--country", "AR"]).await;
    assert!(text.contains("Nothing is sent (phone_not_mobile)") && text.contains("hotline"), "{text}");
    let desk = bridge.app.desk.clone().expect("a key is set");
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    viewer.get("/admin/phones").await.shows("/admin/phones/read");
    let page = viewer
        .submit("/admin/phones/read", "/admin/phones/read", &[("text", "+54.11 2345-6789"), ("country", "AR")])
        .await;
    page.shows("+5491123456789");
    page.shows("se agregó el 9 de celular");
    let page = viewer.submit("/admin/phones/read", "/admin/phones/read", &[("text", "x"), ("country", "ARG")]).await;
    page.shows("Van dos letras");
    bridge.finish().await;
}
