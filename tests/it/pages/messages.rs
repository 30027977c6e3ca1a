//! Messages and events: found by what people know of them, shown whole, and what operators do about them.

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;
use hookbridge::domain::reason::Reason;
use hookbridge::http::admin::words;
use hookbridge::sandbox::{Fault, Trouble};
use serde_json::json;

use crate::support::bridge::Bridge;
use crate::support::lively::lively;
use crate::support::person::Person;

#[test]
fn every_reason_has_words() {
    for reason in Reason::ALL {
        assert!(words::keys().any(|key| key == format!("reason.{reason}")), "{reason} has no words");
    }
}

#[tokio::test]
async fn messages_and_events_are_found_and_shown_whole() {
    let bridge = lively().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let message = bridge.messages().await.pop().expect("something was sent");
    let link = format!("/admin/messages/{}", message.id);
    let searches = [
        String::new(),
        format!("client={}", message.client_id),
        format!("phone=%2B{}", message.to.as_str().trim_start_matches('+')),
        format!("state={}", message.standing()),
        format!("hookpoint={}", message.hookpoint),
        format!("client={}&state={}", message.client_id, message.standing()),
        "since=2020-01-01&until=2900-01-01".to_owned(),
    ];
    for search in &searches {
        let seen = ana.get(&format!("/admin/messages?{search}")).await;
        assert_eq!(seen.status, 200, "{search}: {}", seen.text);
        if search.contains("client=") {
            seen.shows(&link);
        }
        seen.shows("/admin/messages/");
        // What the viewer typed himself stands in the form again; nowhere else.
        let typed = format!("value=\"{}\"", message.to.as_str());
        assert!(!seen.text.replace(&typed, "").contains(message.to.as_str()), "{search}: {}", seen.text);
    }
    ana.get("/admin/messages?client=999999").await.shows("No hay nada que coincida.");
    let wrong = ana.get("/admin/messages?client=x").await;
    assert_eq!(wrong.status, 422);
    wrong.shows("Tiene que ser un número entero.");
    let seen = ana.get(&link).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.shows("Quedó en cola");
    seen.hides(message.to.as_str());
    assert_eq!(ana.get("/admin/messages/nothing").await.status, 404);
    let event = bridge.event(&message.event_id).await;
    let link = format!("/admin/events/{}", event.id);
    for search in [
        format!("hook={}", event.hook),
        format!("state={}", event.state),
        format!("hook={}&state={}", event.hook, event.state),
        format!("client={}", message.client_id),
        "reason=hookpoint_off".to_owned(),
        "state=received".to_owned(),
    ] {
        let seen = ana.get(&format!("/admin/events?{search}")).await;
        assert_eq!(seen.status, 200, "{search}: {}", seen.text);
        if search.starts_with("hook=") {
            seen.shows(&link);
        }
    }
    let seen = ana.get(&link).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.shows(&format!("/admin/messages/{}", message.id));
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}

#[tokio::test]
async fn an_operator_settles_and_sends_again_and_a_viewer_cannot() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: false }));
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
    let first = format!("/admin/messages/{}", bridge.messages().await[0].id);
    let settle = format!("{first}/settle");
    assert_eq!(ana.submit("/admin/me", &settle, &[("verdict", "give_up")]).await.status, 403);
    let seen = luz.submit(&first, &settle, &[("verdict", "give_up")]).await;
    assert_eq!(seen.location, Some(format!("{first}?done=message_settled")), "{}", seen.text);
    let resend = format!("{first}/resend");
    assert_eq!(luz.submit(&first, &resend, &[]).await.status, 409, "it may arrive twice, which was not confirmed");
    assert_eq!(luz.submit(&first, &format!("{first}/cancel"), &[]).await.status, 409, "it waits no more");
    let seen = luz.submit(&first, &resend, &[("twice", "on")]).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 1);
    let new = seen.location.expect("the new one");
    luz.get(&new).await.shows("Es el reenvío de otro mensaje");
    bridge.finish().await;
}
