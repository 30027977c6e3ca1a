//! A message that failed, followed from the first page to its reason, and sent again.

use hookbridge::demo::data::CAST;
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use serde_json::json;

use super::ana;
use crate::support::bridge::Bridge;
use crate::support::turn::turn;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_leads_to_its_message_its_reason_its_way_and_out_of_it() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    bridge.sandbox.fault(Fault::next(Trouble::Error {
        code: 131_026,
        http_status: None,
        subcode: None,
        error_data: ErrorData::Object,
        transient: None,
    }));
    bridge.fire(&[json!({ "hook": "InvoiceCreated", "vars": { "invoiceid": CAST.invoice_english.id } })]).await;
    bridge.settle().await;
    assert_eq!((bridge.phones().len(), bridge.messages().await[0].standing()), (0, "failed"));
    while bridge.app.count().await.expect("hours are counted") > 0 {}
    let reason = bridge.messages().await[0].reason.clone().expect("a reason");
    let browser = ana(&bridge, 390).await;
    browser.go("/admin").await;
    browser.follow(&format!("/admin/messages?state=failed&reason={reason}")).await;
    browser.press("Ver el mensaje").await;
    for line in ["falló", "131026", "La plataforma disparó InvoiceCreated", "Llegó firmado desde"] {
        browser.sees(line).await;
    }
    browser.agree("Reenviar").await;
    browser.sees("Quedó en cola como un mensaje nuevo").await;
    bridge.settle().await;
    let here = browser.at().await;
    browser.go(here.split('?').next().expect("a path")).await;
    browser.sees("entregado").await;
    browser.press("Es el reenvío de otro mensaje").await;
    browser.sees("falló").await;
    browser.close().await;
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}
