//! What a change on the page does to the alerts that follow.

use hookbridge::demo::data::{CAST, PLATFORM_ZONE};
use hookbridge::domain::admin::Role;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{AT, EDIT, ana, change, deeds, desk};
use crate::support::bridge::Bridge;
use crate::support::person::{PASSWORD, Person};

async fn invoice(bridge: &Bridge, id: &str, invoice: u32) {
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    // Holds are read once a second.
    bridge.wait_s(2);
    bridge.settle().await;
}

/// The next time that the platform's clock shows `hour`:`minute`.
fn next(bridge: &Bridge, hour: i8, minute: i8) -> Timestamp {
    let zone = TimeZone::get(PLATFORM_ZONE).expect("a zone");
    let here = bridge.now().to_zoned(zone);
    let time = Time::new(hour, minute, 0, 0).expect("a time");
    let today = here.date().to_datetime(time).to_zoned(here.time_zone().clone()).expect("a moment");
    let at = if today > here {
        today
    } else {
        today.tomorrow().expect("a day").with().time(time).build().expect("a moment")
    };
    at.timestamp()
}

fn wait_until(bridge: &Bridge, at: Timestamp) {
    bridge.wait_s(at.duration_since(bridge.now()).as_secs() + 1);
}

#[tokio::test]
async fn quiet_hours_hold_an_alert_until_they_end_by_the_platforms_clock() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    wait_until(&bridge, next(&bridge, 20, 0));
    assert_eq!(ana.log_in("Ana", PASSWORD).await.status, 303);
    let seen = change(&ana, EDIT, &[("quiet_from", "21:30"), ("quiet_to", "08:15")]).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    invoice(&bridge, "evt_before", CAST.invoice_english.id).await;
    let before = bridge.phones().len();
    assert!(before > 0, "it is not quiet yet");
    wait_until(&bridge, next(&bridge, 21, 30));
    invoice(&bridge, "evt_quiet", CAST.invoice_portuguese.id).await;
    let held = bridge.messages().await.pop().expect("a message");
    assert_eq!((bridge.phones().len(), held.reason.as_deref()), (before, Some("quiet_hours")));
    assert_eq!(ana.log_in("Ana", PASSWORD).await.status, 303, "the session ended in the meantime");
    ana.get("/admin/messages?reason=quiet_hours").await.shows(&format!("/admin/messages/{}", held.id));
    let end = next(&bridge, 8, 15);
    bridge.wait_s(end.duration_since(bridge.now()).as_secs() - 1);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before, "a second too early");
    wait_until(&bridge, end);
    bridge.settle().await;
    let sent = bridge.phones();
    assert!(sent.len() > before && sent[before..].iter().all(|one| one.content.text.contains("fatura")), "{sent:?}");
    bridge.finish().await;
}

#[tokio::test]
async fn ceilings_hold_what_goes_beyond_until_somebody_answers() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    // Only the client himself, so that one invoice is one message.
    let seen = change(&ana, EDIT, &[("audience", "owner"), ("users", ""), ("client_day_max", "1")]).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    let [first, second] = CAST.invoices_same_second;
    assert_eq!(first.client, second.client);
    invoice(&bridge, "evt_1", first.id).await;
    assert_eq!(bridge.phones().len(), 1);
    invoice(&bridge, "evt_2", second.id).await;
    invoice(&bridge, "evt_3", CAST.invoice_english.id).await;
    let all = bridge.messages().await;
    assert_eq!(bridge.phones().len(), 2, "another client's is none of it: {all:#?}");
    ana.get("/admin/holds").await.shows(&format!("Cliente {}: 2 avisos en 24 horas; el tope es 1.", first.client));
    let go = "/admin/holds/invoice_created/go";
    let client = first.client.to_string();
    assert_eq!(ana.submit("/admin/holds", go, &[("client", &client), ("minutes", "60")]).await.status, 303);
    bridge.wait_s(2);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 3);
    // At once, for all together.
    let seen = change(&ana, EDIT, &[("client_day_max", ""), ("mass_max", "1")]).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    for (id, one) in [("evt_4", CAST.invoice_unpaid), ("evt_5", CAST.invoice_partly_paid)] {
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": one.id }));
        assert_eq!(bridge.post(id, &body).await.status, 202);
    }
    bridge.wait_s(2);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 3);
    ana.get("/admin/holds").await.shows("lo habitual es hasta 1.");
    assert_eq!(ana.submit("/admin/holds", "/admin/holds/invoice_created/drop", &[]).await.status, 303);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 3);
    bridge.finish().await;
}

#[tokio::test]
async fn a_trial_says_what_would_have_come_of_recent_events_and_does_nothing() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    let none = ana.submit(EDIT, &format!("{AT}/try"), &[]).await;
    none.shows("Antes de probarlo, corregí esto");
    let form = ana.get(EDIT).await.form(EDIT);
    let tried = async |changes: &[(&str, &str)]| {
        let kept = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = kept.filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let all: Vec<(&str, &str)> = kept.chain(changes.iter().copied()).collect();
        ana.post(&format!("{AT}/try"), &all).await
    };
    tried(&[]).await.shows("no llegó ningún evento de estos hooks");
    invoice(&bridge, "evt_1", CAST.invoice_english.id).await;
    let nobody = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": 999_999 }));
    assert_eq!(bridge.post("evt_2", &nobody).await.status, 202);
    invoice(&bridge, "evt_3", CAST.invoice_draft.id).await;
    bridge.wait_s(31);
    bridge.settle().await;
    let sent = bridge.phones().len();
    let seen = tried(&[]).await;
    seen.shows("Habría avisado por 1 eventos");
    seen.shows("y por 2 no");
    seen.shows("(invoice_draft)");
    seen.shows("(subject_missing)");
    let seen = tried(&[("when0_if", "invoice.status == 'Nothing'"), ("when0_else", "condition_false")]).await;
    seen.shows("Habría avisado por 0 eventos (0 mensajes) y por 3 no");
    let viewer = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    viewer.get("/admin/hookpoints/invoice_created/try").await.shows("Habría avisado por 1 eventos");
    bridge.settle().await;
    assert_eq!((bridge.phones().len(), deeds(&bridge).await), (sent, Vec::new()));
    bridge.finish().await;
}
