//! A text, changed on the page: wrongly, then rightly, and back.

use hookbridge::demo::data::CAST;
use serde_json::json;

use super::ana;
use crate::support::bridge::Bridge;
use crate::support::turn::turn;

const PAGE: &str = "/admin/templates/invoice_created/en";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_with_a_mistake_is_refused_and_the_mended_one_is_seen_told_and_rolled_back() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    let browser = ana(&bridge, 1280).await;
    browser.go("/admin/templates").await;
    browser.follow(PAGE).await;
    // Who reads it, counted while the page is open.
    browser.sees("lo pueden recibir").await;
    let wrong = "Hello {{ recipient.name }}, invoice {{ invoice.sum }} is here, thank you for being with us.";
    browser.fill("body", wrong).await;
    browser.sees("Este aviso no ofrece el dato «invoice.sum»").await;
    browser.press("Guardar").await;
    browser.sees("No se guardó: lo marcado no sirve").await;
    assert_eq!(browser.at().await, PAGE);
    let right = "Hello {{ recipient.name }}, your new invoice {{ invoice.number }} of {{ invoice.total }} is due on \
                 {{ invoice.due }} at {{ company.name }}, thanks for being with us.";
    browser.fill("body", right).await;
    browser.sees("thanks for being with us.").await;
    browser.sees("your new invoice 2026-1234").await;
    browser.choose("record_of", "record").await;
    browser.fill("record", &CAST.invoice_english.id.to_string()).await;
    browser
        .sees(&format!("Con datos reales: factura {}, cliente {}.", CAST.invoice_english.id, CAST.client_english))
        .await;
    browser.fill("note", "friendlier").await;
    browser.press("Guardar").await;
    browser.sees("Guardado: los próximos avisos").await;
    browser.sees("friendlier").await;
    browser.press("Qué cambió").await;
    browser.sees("+ body = \"Hello {{ recipient.name }}, your new invoice").await;
    // The provider has the old words: what it said is what people read until it takes the new ones.
    browser.sees("En el proveedor dice otra cosa").await;
    browser.agree("Cambiarla en el proveedor").await;
    browser.sees("Dice lo mismo que acá").await;
    bridge.fire(&[json!({ "hook": "InvoiceCreated", "vars": { "invoiceid": CAST.invoice_english.id } })]).await;
    bridge.settle().await;
    let phones = bridge.phones();
    assert!(phones.len() == 1 && phones[0].content.text.contains("thanks for being with us."), "{phones:?}");
    browser.agree("Volver al texto de fábrica").await;
    browser.sees("texto de fábrica").await;
    browser.press("Qué cambió").await;
    browser.sees("- body = \"Hello {{ recipient.name }}, your new invoice").await;
    browser.close().await;
    bridge.finish().await;
}
