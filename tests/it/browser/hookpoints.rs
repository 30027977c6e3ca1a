//! Hookpoints, switched and made on the page, and what comes of it on the phones.

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use super::ana;
use crate::support::bridge::Bridge;
use crate::support::browser::Browser;
use crate::support::turn::turn;

const INVOICE: &str = "/admin/hookpoints/invoice_created";
const TICKET: &str = "/admin/hookpoints/ticket_new";

fn invoice(id: u32) -> Value {
    json!({ "hook": "InvoiceCreated", "vars": { "invoiceid": id } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_switched_off_on_the_page_alerts_nobody_until_it_is_on_again() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    let browser = ana(&bridge, 1280).await;
    browser.go(INVOICE).await;
    browser.press("Desactivar").await;
    browser.sees("El aviso quedó desactivado").await;
    bridge.fire(&[invoice(CAST.invoice_english.id)]).await;
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 0);
    browser.go("/admin/events?hook=InvoiceCreated").await;
    browser.press("Ver el evento").await;
    browser.sees("El aviso está desactivado").await;
    browser.go(INVOICE).await;
    browser.press("Activar").await;
    browser.sees("El aviso quedó activado").await;
    bridge.fire(&[invoice(CAST.invoice_portuguese.id)]).await;
    bridge.settle().await;
    assert!(bridge.phones().iter().any(|one| one.content.text.contains("geramos a fatura")), "{:?}", bridge.phones());
    browser.go(INVOICE).await;
    browser.sees("Ana").await;
    browser.close().await;
    bridge.finish().await;
}

/// A ticket of a client as the platform tells it.
fn ticket(client: u32, priority: &str) -> Value {
    json!({ "hook": "TicketOpen", "actor": "client", "vars": {
        "ticketid": 77, "ticketmask": "ABC-123456", "userid": client, "deptid": 1, "deptname": "Soporte",
        "subject": "No anda el correo", "message": "my-password-is-in-here", "priority": priority } })
}

/// The form of a new hookpoint on tickets, with the mistakes that people make.
async fn make(browser: &Browser) {
    browser.go("/admin/hookpoints").await;
    browser.press("Aviso nuevo").await;
    browser.fill("q", "ticketopen").await;
    browser.follow("/admin/hookpoints/new?hook=TicketOpen").await;
    browser.fill("name", "ticket_new").await;
    for (locale, title) in [("es_AR", "Consulta urgente"), ("en", "Urgent ticket"), ("pt_BR", "Chamado urgente")] {
        browser.fill(&format!("title_{locale}"), title).await;
    }
    browser.choose("class", "status").await;
    browser.choose("subject", "client").await;
    browser.choose("audience", "support").await;
    browser.fill("on0_fields", "ticketmask subject priority").await;
    browser.fill("when0_if", "fields.urgency == 'High'").await;
    browser.sees("Acá no existe «fields.urgency»").await;
    browser.press("Guardar").await;
    browser.sees("No se guardó: revisá lo marcado").await;
    browser.fill("when0_if", "fields.priority == ").await;
    browser.sees("No se entiende").await;
    browser.fill("when0_if", "fields.priority == 'High'").await;
    browser.sees("se entiende").await;
    browser.press("Guardar").await;
    browser.sees("El aviso se creó, desactivado").await;
}

/// Its text in one language, and the template at the provider.
async fn write(browser: &Browser, locale: &str, body: &str) {
    browser.go(TICKET).await;
    browser.follow(&format!("/admin/templates/ticket_new/{locale}")).await;
    browser.fill("body", body).await;
    browser.sees("Con datos de ejemplo").await;
    browser.press("Guardar").await;
    browser.sees("Guardado: los próximos avisos").await;
    browser.agree("Crearla en el proveedor").await;
    browser.sees("aprobada").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hookpoint_made_on_the_page_reaches_the_platform_by_its_manifest_and_the_phones() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    let browser = ana(&bridge, 1280).await;
    make(&browser).await;
    browser.press("Activar").await;
    browser.sees("Para activarlo hace falta un texto en cada idioma").await;
    write(&browser, "es_AR", "Hola {{ recipient.name }}, recibimos tu consulta urgente y ya la estamos mirando.").await;
    write(&browser, "en", "Hello {{ recipient.name }}, we got your urgent ticket and are looking at it.").await;
    write(&browser, "pt_BR", "Olá {{ recipient.name }}, recebemos seu chamado urgente e já estamos vendo.").await;
    browser.go(TICKET).await;
    let stub = bridge.stub();
    let before = stub.fire(&[ticket(CAST.client_english, "High")]).await;
    assert_eq!(before.expect("the stub fires")[0]["registered"], false);
    browser.press("Activar").await;
    browser.sees("El aviso quedó activado").await;
    // What it gets is in force from the next process on.
    stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the manifest is fetched");
    let shots = [ticket(CAST.client_english, "High"), ticket(CAST.client_portuguese, "Low")];
    let fired = stub.fire(&shots).await.expect("the stub fires");
    assert_eq!(fired[0]["registered"], true);
    bridge.settle().await;
    // The client and her contact who may read tickets; nobody for the one that is not urgent.
    let phones = bridge.phones();
    let text = "we got your urgent ticket";
    assert!(phones.len() == 2 && phones.iter().all(|one| one.content.text.contains(text)), "{phones:?}");
    browser.go("/admin/events?hook=TicketOpen&state=processed").await;
    browser.press("Ver el evento").await;
    browser.sees("No anda el correo").await;
    assert!(!browser.text().await.contains("my-password"), "what was not listed left the platform");
    browser.go("/admin/events?hook=TicketOpen&state=skipped").await;
    browser.press("Ver el evento").await;
    browser.sees("ticket_new").await;
    browser.go(TICKET).await;
    browser.press("Probar con eventos recientes").await;
    browser.sees("Habría avisado por 1 eventos (2 mensajes) y por 1 no").await;
    browser.close().await;
    bridge.finish().await;
}
