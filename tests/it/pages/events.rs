//! The page on events: search, and what came of one.

use hookbridge::admin::templates::{Key, Saving, back, save};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::hookpoint::HookpointId;
use hookbridge::domain::locale::Locale;
use hookbridge::render::template::{ButtonSource, Source};
use serde_json::json;

use crate::support::bridge::Bridge;
use crate::support::person::Person;

/// An English client's invoice, and a login of hers that reads Portuguese.
const INVOICE: u32 = CAST.invoice_english.id;
const LOGIN: u32 = 41 - CAST.client_portuguese;
/// Fits the sample, whose id has four digits; the real one's two divide by nothing.
const BROKEN: &str = "Olá {{ recipient.name }}, a fatura {{ invoice.number }} de {{ invoice.total }} foi cancelada e volta para você em breve em \
                      {{ 4 // (invoice.id|length - 2) }} dias.";

/// With the values that the provider's template takes: it is in force at once.
fn broken(body: &str) -> Source {
    let button = ButtonSource {
        text: "Ver".to_owned(),
        path: "viewinvoice.php?id=".to_owned(),
        value: Some("invoice.id".to_owned()),
    };
    Source { name: "invoice_cancelled".to_owned(), body: body.to_owned(), button: Some(button), ..Source::default() }
}

async fn cancelled(bridge: &Bridge, id: &str) {
    let body = bridge.envelope("InvoiceCancelled", &json!({ "invoiceid": INVOICE }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.settle().await;
}

fn texts(bridge: &Bridge) -> Vec<String> {
    bridge.phones().into_iter().map(|one| one.content.text.chars().take(40).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_which_one_text_failed_is_processed_again_for_who_got_nothing_alone() {
    let bridge = Bridge::start().await;
    let client = CAST.invoice_english.client;
    bridge
        .platform(&format!(
            "DELETE FROM tblcontacts WHERE userid = {client}; UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {INVOICE}; \
             INSERT INTO tblusers_clients (auth_user_id, client_id, owner, permissions) VALUES ({LOGIN}, {client}, 0, 'invoices')"
        ))
        .await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let (who, alert) = (Who::at_the_command_line("test"), HookpointId::parse("invoice_cancelled").expect("a name"));
    let key = Key { alert, locale: Locale::PtBr };
    let broken = broken(BROKEN);
    let version =
        save(&desk, &who, &key, &broken, Saving { based_on: 0, note: "" }).await.expect("samples fit it").version;
    cancelled(&bridge, "evt_1").await;
    assert_eq!((texts(&bridge).len(), bridge.event("evt_1").await.state.as_str()), (1, "failed"));
    let first = texts(&bridge);
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = luz.get("/admin/events/evt_1").await;
    page.shows("El texto no se pudo armar");
    page.shows("/admin/messages/");
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let again = "/admin/events/evt_1/again";
    assert_eq!(viewer.submit("/admin/me", again, &[]).await.status, 403);
    // Not mended yet: who got hers gets nothing twice, and it has failed again.
    for _ in 0..2 {
        assert_eq!(luz.submit("/admin/events/evt_1", again, &[]).await.status, 303);
        bridge.settle().await;
        assert_eq!((texts(&bridge), bridge.event("evt_1").await.state.as_str()), (first.clone(), "failed"));
    }
    back(&desk, &who, &key, None, Saving { based_on: version, note: "" }).await.expect("the built-in text");
    assert_eq!(luz.submit("/admin/events/evt_1", again, &[]).await.status, 303);
    bridge.settle().await;
    let told = texts(&bridge);
    assert!(told.len() == 2 && told[1].starts_with("Aviso de Nube Austral: olá João"), "{told:?}");
    assert_eq!(bridge.event("evt_1").await.state, "processed");
    assert_eq!(luz.submit("/admin/events/evt_1", again, &[]).await.status, 409, "it did not fail");
    // The transition is the same one as before: its repeat is known.
    cancelled(&bridge, "evt_2").await;
    assert_eq!((texts(&bridge).len(), bridge.event("evt_2").await.state.as_str()), (2, "skipped"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_later_is_not_undone_by_processing_an_older_event_again() {
    let bridge = Bridge::start().await;
    let client = CAST.invoice_english.client;
    bridge.platform(&format!("DELETE FROM tblcontacts WHERE userid = {client}; UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {INVOICE}")).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let (who, alert) = (Who::at_the_command_line("test"), HookpointId::parse("invoice_cancelled").expect("a name"));
    let key = Key { alert, locale: Locale::En };
    let body = BROKEN.replace("Olá", "Hello");
    let broken = broken(&body);
    let version =
        save(&desk, &who, &key, &broken, Saving { based_on: 0, note: "" }).await.expect("samples fit it").version;
    cancelled(&bridge, "evt_1").await;
    assert_eq!(bridge.event("evt_1").await.state, "failed");
    back(&desk, &who, &key, None, Saving { based_on: version, note: "" }).await.expect("the built-in text");
    // The same again, much later: another transition, which is told.
    bridge.wait_s(7 * 3600);
    cancelled(&bridge, "evt_2").await;
    let told = texts(&bridge).len();
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    assert_eq!(luz.submit("/admin/events/evt_1", "/admin/events/evt_1/again", &[]).await.status, 303);
    bridge.settle().await;
    assert_eq!((told, texts(&bridge).len()), (1, 1));
    let reasons: Vec<String> = bridge.event("evt_1").await.skips.into_iter().map(|skip| skip.reason).collect();
    assert_eq!(reasons, ["superseded"]);
    bridge.finish().await;
}
