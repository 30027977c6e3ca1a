//! What `doctor` finds in the platform's rows, and what clients are sent all the same.

use hookbridge::demo::data::CAST;
use serde_json::json;

use super::created;
use crate::support::bridge::Bridge;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_are_encoded_twice_are_mended_for_clients_and_named_by_doctor() {
    let bridge = Bridge::start().await;
    let it = CAST.invoice_english;
    let (_, out, _) = bridge.run(&["doctor"]).await;
    assert!(out.contains("no text is encoded twice"), "{out}");
    // Kept raw, and encoded for HTML on top of it.
    for (stored, id) in [("MarÃ\u{AD}a JosÃ©", it.client), ("Jos&Atilde;&copy;", CAST.client_spanish)] {
        bridge.platform(&format!("UPDATE tblclients SET firstname = '{stored}' WHERE id = {id}")).await;
    }
    bridge
        .platform(&format!("UPDATE tblquotes SET subject = 'MigraciÃ³n' WHERE id = {}", CAST.quote_delivered.id))
        .await;
    created(&bridge, it.id).await;
    created(&bridge, CAST.invoice_unpaid.id).await;
    bridge.settle().await;
    let texts: Vec<String> = bridge.messages().await.into_iter().map(|one| one.text).collect();
    for name in ["María José", "José"] {
        assert!(texts.iter().any(|text| text.contains(name)), "{name}: {texts:?}");
    }
    let (_, out, _) = bridge.run(&["doctor", "--json"]).await;
    let row = |table: &str, id: u32| format!("{table} of row {id}");
    for place in [
        row("tblclients.firstname", it.client),
        row("tblclients.firstname", CAST.client_spanish),
        row("tblquotes.subject", CAST.quote_delivered.id),
    ] {
        assert!(out.contains(&place), "{place}: {out}");
    }
    assert!(out.contains("3 texts") && !out.contains("JosÃ©"), "places, never texts: {out}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_sees_that_the_web_and_the_cron_write_in_different_zones() {
    let bridge = Bridge::start().await;
    let it = CAST.invoice_english;
    let pay = async |n: u32, kind: &str, hours: i32| {
        let id = 700 + n;
        let booked = bridge.now().to_zoned(jiff::tz::Offset::constant(-3).to_time_zone()).datetime();
        let booked = booked.checked_add(jiff::Span::new().hours(hours)).expect("a time");
        bridge
            .platform(&format!(
                "INSERT INTO tblaccounts (id, userid, currency, gateway, date, description, amountin, transid, invoiceid) VALUES \
                 ({id}, {}, 0, 'stripe', '{}', '', 1, 't{id}', {})",
                it.client,
                booked.strftime("%Y-%m-%d %H:%M:%S"),
                it.id
            ))
            .await;
        let mut body = bridge.envelope("AddInvoicePayment", &json!({ "invoiceid": it.id }));
        body["actor"] = json!({ "kind": kind });
        body["gone"] = json!({ "payment_id": id });
        bridge.post(&format!("evt_{id}"), &body).await;
        bridge.settle().await;
        bridge.wait_s(60);
    };
    for n in 0..3 {
        pay(n, "client", 0).await;
        pay(10 + n, "cron", 0).await;
    }
    let says = async || bridge.run(&["doctor"]).await.1.replace('\n', " ");
    assert!(says().await.contains("payments are booked in the zone"), "{}", says().await);
    for n in 0..5 {
        pay(20 + n, "cron", 3).await;
    }
    let (_, out, _) = bridge.run(&["doctor", "--json"]).await;
    assert!(out.contains("the cron +180 min") && out.contains("the web +0 min"), "{out}");
    assert!(out.contains("date_default_timezone_set()"), "{out}");
    bridge.finish().await;
}
