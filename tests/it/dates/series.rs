//! Each built-in series from its first step to its last, by a clock that a hand moves, to the stand-in phone.

use hookbridge::admin::ahead;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use serde_json::json;

use super::{
    BY_DATE, CLIENT, at, domain, invoice, item, learn, look, look_at, own, pairs, quote, service, ten, told, with,
};
use crate::support::lively::reader;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_reminded_of_and_then_overdue_each_day_once_at_ten() {
    let bridge = with(&["INVOICE_REMINDER", "INVOICE_OVERDUE"], &[]).await;
    invoice(&bridge, 9001, CLIENT, "2027-03-10").await;
    learn(&bridge).await;
    for days in -8..=17 {
        let moment = ten("2027-03-10", days);
        let before = told(&bridge).await.len();
        look_at(&bridge, moment - jiff::SignedDuration::from_secs(1)).await;
        assert_eq!(told(&bridge).await.len(), before, "one second early");
        look_at(&bridge, moment).await;
        look_at(&bridge, moment + jiff::SignedDuration::from_secs(60)).await;
    }
    let expected = [
        ("invoice_reminder", "2027-03-03"),
        ("invoice_reminder", "2027-03-07"),
        ("invoice_reminder", "2027-03-09"),
        ("invoice_reminder", "2027-03-10"),
        ("invoice_overdue", "2027-03-11"),
        ("invoice_overdue", "2027-03-13"),
        ("invoice_overdue", "2027-03-17"),
        ("invoice_overdue", "2027-03-25"),
    ];
    assert_eq!(told(&bridge).await, pairs(&expected));
    let texts: Vec<String> = own(&bridge).await.into_iter().map(|m| m.text).collect();
    assert!(
        texts[0].contains("te recordamos la factura 9001") && texts[0].contains("que vence el 10/03/2027"),
        "{texts:?}"
    );
    assert!(texts[3].contains("que vence hoy"), "{texts:?}");
    assert!(texts[4].contains("que venció el 10/03/2027, sigue impaga"), "{texts:?}");
    assert_eq!(bridge.phones().len(), 16, "the phones show each of them, the contact's as well");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overdue_invoice_names_the_day_of_the_suspension_as_long_as_it_lies_ahead() {
    let bridge = with(&["INVOICE_OVERDUE", "SUSPENSION_AHEAD"], &[]).await;
    service(&bridge, 9001, CLIENT, "2027-03-10").await;
    invoice(&bridge, 9002, CLIENT, "2027-03-10").await;
    item(&bridge, 9002, 9001, CLIENT).await;
    learn(&bridge).await;
    for days in 0..=8 {
        look_at(&bridge, ten("2027-03-10", days)).await;
    }
    // The sample platform suspends five days after the date due.
    let expected = [
        ("invoice_overdue", "2027-03-11"),
        ("invoice_overdue", "2027-03-13"),
        ("suspension_ahead", "2027-03-13"),
        ("invoice_overdue", "2027-03-17"),
    ];
    let mut seen = told(&bridge).await;
    seen.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    assert_eq!(seen, pairs(&expected));
    for message in bridge.messages().await {
        let says = message.text.contains("se suspende el 15/03/2027");
        let ahead = message.created_at < ten("2027-03-15", 0);
        assert_eq!(says, ahead, "{}", message.text);
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_domains_and_quotes_have_their_steps() {
    let bridge = with(&BY_DATE[2..8], &[("HOOKPOINTS__TERMINATION_AHEAD__ENABLED", "true")]).await;
    bridge.platform("REPLACE INTO tblconfiguration (setting, value) VALUES ('AutoTermination', 'on'), ('AutoTerminationDays', '30')").await;
    bridge.platform("UPDATE tblhosting SET amount = 0").await;
    service(&bridge, 9001, CAST.client_english, "2027-04-01").await;
    invoice(&bridge, 9002, CAST.client_english, "2027-04-01").await;
    item(&bridge, 9002, 9001, CAST.client_english).await;
    domain(&bridge, 9001, CLIENT, "2027-05-10").await;
    quote(&bridge, 9001, CAST.client_portuguese, "2027-03-01", "2027-03-10").await;
    learn(&bridge).await;
    let near =
        |days: &i64| [2, 6, 9, 23, 33, 39, 53, 54, 59, 62, 68].iter().any(|one| (one - days).abs() < 2) || *days > 68;
    for days in (0..=74).filter(near) {
        let moment = ten("2027-03-02", days);
        // Ten there is eight in Chicago, and the hour of each client counts: look in the evening as well.
        look_at(&bridge, moment).await;
        look_at(&bridge, moment + jiff::SignedDuration::from_hours(6)).await;
        if days == 70 {
            bridge.platform("UPDATE tbldomains SET status = 'Expired' WHERE id = 9001").await;
        }
        if days == 72 {
            bridge.platform("UPDATE tbldomains SET status = 'Redemption' WHERE id = 9001").await;
            learn(&bridge).await;
        }
        learn(&bridge).await;
    }
    let mut expected = pairs(&[
        ("domain_expiring", "2027-03-11"),
        ("domain_expiring", "2027-04-10"),
        ("domain_expiring", "2027-04-25"),
        ("domain_expiring", "2027-05-03"),
        ("domain_expiring", "2027-05-09"),
        ("domain_expired", "2027-05-12"),
        ("domain_redemption", "2027-05-13"),
        ("quote_follow_up", "2027-03-04"),
        ("quote_follow_up", "2027-03-08"),
        ("service_renewal", "2027-03-25"),
        ("suspension_ahead", "2027-04-04"),
        ("termination_ahead", "2027-04-24"),
        ("termination_ahead", "2027-04-30"),
    ]);
    let mut seen = told(&bridge).await;
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_has_its_own_hour_and_nights_are_quiet_there() {
    let bridge = with(&["INVOICE_REMINDER"], &[("SCHEDULE__ZONES__BR", "Asia/Tokyo")]).await;
    invoice(&bridge, 9001, CLIENT, "2027-03-28").await;
    invoice(&bridge, 9002, CAST.client_english, "2027-03-28").await;
    invoice(&bridge, 9003, CAST.client_portuguese, "2027-03-28").await;
    bridge.platform(&format!("UPDATE tblclients SET country = 'ES' WHERE id = {CLIENT}")).await;
    learn(&bridge).await;
    let mut seen = Vec::new();
    // Every quarter of an hour of the day before, and of the day on which Spain's clock leaps.
    let mut moment = at("2027-03-26", "20:00", "UTC");
    while moment < at("2027-03-29", "00:00", "UTC") {
        look_at(&bridge, moment).await;
        for message in own(&bridge).await.into_iter().skip(seen.len()) {
            seen.push((message.subject, moment.to_string()));
        }
        moment += jiff::SignedDuration::from_mins(15);
    }
    let expected = [
        ("invoice:9003", "2027-03-27T01:00:00Z"),
        ("invoice:9001", "2027-03-27T09:00:00Z"),
        ("invoice:9002", "2027-03-27T15:00:00Z"),
        ("invoice:9003", "2027-03-28T01:00:00Z"),
        ("invoice:9001", "2027-03-28T08:00:00Z"),
        ("invoice:9002", "2027-03-28T15:00:00Z"),
    ];
    assert_eq!(seen, pairs(&expected));

    // The bridge was away until eleven at night: the message waits for the morning of its client.
    invoice(&bridge, 9004, CLIENT, "2027-04-04").await;
    learn(&bridge).await;
    look_at(&bridge, at("2027-04-03", "23:00", "Europe/Madrid")).await;
    let waits = bridge.messages().await.into_iter().find(|m| m.subject == "invoice:9004").expect("it was made");
    assert_eq!(waits.state, "queued");
    bridge.clock.set(at("2027-04-04", "08:00", "Europe/Madrid"));
    bridge.settle().await;
    assert!(bridge.messages().await.iter().any(|m| m.subject == "invoice:9004" && m.state == "sent"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_own_reminder_of_the_day_and_the_step_are_one_alert() {
    let bridge = with(&["INVOICE_REMINDER", "INVOICE_OVERDUE"], &[]).await;
    invoice(&bridge, 9001, CLIENT, "2027-03-10").await;
    learn(&bridge).await;
    let fire = async |id: &str, hook: &str, fields: serde_json::Value| {
        let body = bridge.envelope(hook, &fields);
        assert_eq!(bridge.post(id, &body).await.status, 202);
        bridge.settle().await;
    };
    // Its daily run is at nine: the reminder's hook, its mail, and then the step.
    bridge.clock.set(ten("2027-03-10", -7) - jiff::SignedDuration::from_hours(1));
    fire("evt_1", "InvoicePaymentReminder", json!({ "invoiceid": 9001, "type": "reminder" })).await;
    fire("evt_2", "EmailPreSend", json!({ "relid": 9001, "messagename": "Invoice Payment Reminder" })).await;
    look_at(&bridge, ten("2027-03-10", -7)).await;
    assert_eq!(told(&bridge).await, pairs(&[("invoice_reminder", "2027-03-03")]));
    // The other way round, and on a day that is no step of ours.
    look_at(&bridge, ten("2027-03-10", 3)).await;
    fire("evt_3", "InvoicePaymentReminder", json!({ "invoiceid": 9001, "type": "secondoverdue" })).await;
    fire("evt_4", "EmailPreSend", json!({ "relid": 9001, "messagename": "Second Invoice Overdue Notice" })).await;
    bridge.clock.set(ten("2027-03-10", 5));
    fire("evt_5", "InvoicePaymentReminder", json!({ "invoiceid": 9001, "type": "third" })).await;
    look(&bridge).await;
    let seen: Vec<_> = told(&bridge).await.into_iter().skip(1).collect();
    assert_eq!(seen, pairs(&[("invoice_overdue", "2027-03-13"), ("invoice_overdue", "2027-03-15")]));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_own_reminder_comes_through_the_real_stub() {
    let bridge = super::asleep(&["INVOICE_REMINDER"], &[]).await;
    // Real PHP signs with the machine's time.
    bridge.clock.set(hookbridge::clock::Clock::system().now());
    let zone = jiff::tz::TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
    let today = bridge.now().to_zoned(zone).date();
    let due = today.checked_add(jiff::Span::new().days(7)).expect("a day").to_string();
    invoice(&bridge, 9001, CLIENT, &due).await;
    let hook = json!({ "hook": "InvoicePaymentReminder", "vars": { "invoiceid": 9001, "type": "reminder" } });
    // The cron fetches what is to be listened to.
    let stub = bridge.stub();
    stub.fire(&[json!({ "hook": "AfterCronJob" })]).await.expect("the manifest is fetched");
    stub.fire(&[hook]).await.expect("the stub fires");
    bridge.settle().await;
    let messages = own(&bridge).await;
    assert_eq!(messages.len(), 1, "{messages:#?} {:?}", bridge.reasons().await);
    assert_eq!((messages[0].hookpoint.as_str(), messages[0].subject.as_str()), ("invoice_reminder", "invoice:9001"));
    // Where this test runs at night it waits for the morning.
    bridge.wait_s(12 * 3600);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_go_out_is_shown_before_anything_is_switched_on() {
    let bridge = with(&[], &[]).await;
    invoice(&bridge, 9001, CLIENT, "2027-03-10").await;
    invoice(&bridge, 9002, CAST.client_without_phone, "2027-03-10").await;
    invoice(&bridge, 9003, CLIENT, "2027-03-10").await;
    bridge.platform("DELETE FROM tblcontacts").await;
    learn(&bridge).await;
    bridge.platform("UPDATE tblinvoices SET status = 'Paid' WHERE id = 9003").await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("ana");
    let all = ahead::steps(&desk, &who, Some("invoice_reminder")).await.expect("the steps");
    let lines: Vec<_> = all.steps.iter().map(|s| (s.on.to_string(), s.days, s.rows, s.enabled)).collect();
    let days = [("2027-03-03", -7), ("2027-03-07", -3), ("2027-03-09", -1), ("2027-03-10", 0)];
    assert_eq!(lines, days.map(|(on, days)| (on.to_owned(), days, 3, false)));
    let day = "2027-03-07".parse().expect("a day");
    let (rows, more) = ahead::rows(&desk, &who, "invoice_reminder", day).await.expect("rows");
    let outcomes: Vec<_> =
        rows.iter().map(|row| row.outcome.map_err(hookbridge::domain::reason::Reason::code)).collect();
    assert_eq!((outcomes, more), (vec![Ok(1), Err("phone_missing"), Err("invoice_paid")], false));
    assert!(rows.iter().all(|row| row.at == ten("2027-03-07", 0)));

    let ana = reader(&bridge, Role::Viewer, "es_AR").await;
    ana.get("/admin/hookpoints").await.shows("/admin/hookpoints/ahead");
    let page = ana.get("/admin/hookpoints/ahead").await;
    page.shows("Recordatorio de factura por vencer");
    page.shows("3 días antes (vencimiento de la factura)");
    page.shows("/admin/hookpoints/ahead/invoice_reminder?day=2027-03-07");
    let page = ana.get("/admin/hookpoints/ahead/invoice_reminder?day=2027-03-07").await;
    page.shows("Se avisa a 1");
    page.shows("No tiene ningún teléfono guardado.");
    assert_eq!(ana.get("/admin/hookpoints/ahead/invoice_reminder?day=x").await.status, 422);
    assert_eq!(ana.get("/admin/hookpoints/ahead/nothing?day=2027-03-07").await.status, 404);
    bridge.finish().await;
}
