//! "Why did this client get nothing?"

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;
use hookbridge::domain::phone::E164;
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use serde_json::{Value, json};

use crate::support::bridge::Bridge;
use crate::support::lively::{lively, reader};
use crate::support::person::{PASSWORD, Person};

fn day(client: u32) -> String {
    format!("/admin/why?client={client}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_day_says_what_he_got_and_why_he_got_nothing() {
    let bridge = lively().await;
    let ana = reader(&bridge, Role::Viewer, "es_AR").await;
    let page = ana.get(&day(CAST.client_english)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.shows("/admin/messages/");
    page.shows("/admin/events/");
    page.shows("service_activated");
    page.shows("El cambio lo hizo el personal, no el cliente.");
    let page = ana.get(&day(CAST.client_without_phone)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.shows("sin aviso");
    let page = ana.get(&day(1)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.hides("<script>alert");
    assert_eq!(ana.get("/admin/why?client=x").await.status, 422);
    bridge.finish().await;
}

async fn tell(bridge: &Bridge, id: &str, hook: &str, fields: &Value) {
    let answer = bridge.post(id, &bridge.envelope(hook, fields)).await;
    assert_eq!(answer.status, 202);
    bridge.settle().await;
}

/// What the page says of a client's event: the cells of its row.
async fn row(person: &Person, client: u32, event: &str) -> String {
    let page = person.get(&day(client)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let rows = page.text.split("<tr>").filter(|row| row.contains(&format!("/admin/events/{event}\"")));
    let row: String = rows.map(|row| row.split("</tr>").next().unwrap_or_default()).collect();
    assert!(!row.is_empty(), "{event} is not on the page of client {client}: {}", page.text);
    row
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_way_of_getting_nothing_is_a_line_with_its_reason() {
    let bridge = Bridge::start().await;
    let ana = reader(&bridge, Role::Viewer, "es_AR").await;
    let out = E164::trusted("+5491155550101").expect("a number");
    let invoice = |id: u32| json!({ "invoiceid": id });
    let cases: [(&str, &str, Value, u32, &[&str]); 9] = [
        ("evt_ok", "InvoiceCreated", invoice(CAST.invoice_english.id), CAST.client_english, &["entregado"]),
        (
            "evt_repeat",
            "InvoiceCreated",
            invoice(CAST.invoice_english.id),
            CAST.client_english,
            &["Ya hay un mensaje por este hecho"],
        ),
        ("evt_paid", "InvoiceCreated", invoice(CAST.invoice_paid.id), 1, &["La factura ya está pagada"]),
        ("evt_void", "InvoiceCreated", invoice(CAST.invoice_cancelled.id), 1, &["La factura fue anulada"]),
        (
            "evt_phone",
            "InvoiceCreated",
            invoice(CAST.invoice_of_client_without_phone.id),
            CAST.client_without_phone,
            &["No tiene ningún teléfono guardado"],
        ),
        (
            "evt_junk",
            "ClientAdd",
            json!({ "client_id": CAST.client_junk_phone }),
            CAST.client_junk_phone,
            &["no es un número que sirva"],
        ),
        (
            "evt_closed",
            "InvoiceCreated",
            invoice(CAST.invoice_of_closed_client.id),
            CAST.client_closed,
            &["La cuenta del cliente está cerrada"],
        ),
        ("evt_out", "InvoiceCreated", invoice(CAST.invoice_unpaid.id), 1, &["Pidió no recibir mensajes"]),
        (
            "evt_failed",
            "InvoiceCreated",
            invoice(CAST.invoice_portuguese.id),
            CAST.client_portuguese,
            &["falló", "El proveedor lo rechazó"],
        ),
    ];
    bridge.noted(&out, true, "BAJA").await;
    for (event, hook, fields, client, says) in cases {
        if event == "evt_failed" {
            bridge.sandbox.fault(
                Fault::next(Trouble::Error {
                    code: 131_026,
                    http_status: None,
                    subcode: None,
                    error_data: ErrorData::Object,
                    transient: None,
                })
                .times(2),
            );
        }
        tell(&bridge, event, hook, &fields).await;
        // Where a condition waits for the platform's rows, it has waited.
        bridge.wait_s(31);
        bridge.settle().await;
        let row = row(&ana, client, event).await;
        for words in says {
            assert!(row.contains(words), "{event} does not say «{words}»: {row}");
        }
    }
    // What is not processed yet is there, too.
    let body = bridge.envelope("InvoiceCreated", &invoice(CAST.invoice_numbered.id));
    assert_eq!(bridge.post("evt_waits", &body).await.status, 202);
    let waits = row(&ana, CAST.invoice_numbered.client, "evt_waits").await;
    assert!(waits.contains("Todavía no se procesó"), "{waits}");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_hook_told_of_is_there_with_what_becomes_of_it() {
    let bridge = Bridge::start().await;
    let ana = Person::logged_in(&bridge.app.desk.clone().expect("a key is set"), &bridge.url(""), Role::Viewer).await;
    let client = CAST.client_english;
    let today = bridge.now().to_zoned(jiff::tz::TimeZone::get(hookbridge::demo::data::PLATFORM_ZONE).expect("a zone"));
    // A row without a time of its own is born with its day.
    let now = today.strftime("%Y-%m-%d %H:%M:%S");
    bridge
        .platform(&format!(
            "INSERT INTO tblinvoices (id, userid, invoicenum, status, date, duedate, total, created_at) \
             VALUES (9001, {client}, '', 'Unpaid', '{now}', '{now}', 100, '{now}'), \
             (9002, {client}, '', 'Draft', '{now}', '{now}', 100, '{now}')"
        ))
        .await;
    let from = today.date();
    let days = format!("/admin/why?client={client}&from={from}&to={}", from.tomorrow().expect("a day"));
    let page = ana.get(&days).await;
    page.shows("Lo que la plataforma hizo y ningún hook contó");
    page.shows("factura 9001");
    page.shows("La revisión periódica lo encuentra en unos minutos.");
    page.shows("Es un borrador");
    for (hours, words) in [(6, "la revisión periódica tampoco lo contó"), (72, "demasiado viejo para avisarlo")] {
        bridge.wait_s(hours * 3600);
        assert_eq!(ana.log_in("viewer of tests", PASSWORD).await.status, 303);
        ana.get(&days).await.shows(words);
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hook_told_of_is_not_said_to_be_untold() {
    let bridge = Bridge::start().await;
    let ana = reader(&bridge, Role::Viewer, "es_AR").await;
    let client = CAST.client_english;
    bridge
        .platform(&format!(
            "INSERT INTO tblinvoices (id, userid, invoicenum, status, date, duedate, total, created_at) \
             VALUES (9001, {client}, '', 'Unpaid', NOW(), NOW(), 100, NOW())"
        ))
        .await;
    ana.get(&day(client)).await.shows("factura 9001");
    tell(&bridge, "evt_1", "InvoiceCreated", &json!({ "invoiceid": 9001 })).await;
    ana.get(&day(client)).await.hides("La revisión periódica lo encuentra");
    bridge.finish().await;
}
