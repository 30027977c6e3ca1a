//! Messages and events: found by what people know of them, shown whole, and what operators do about them.

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::ids::MessageId;
use hookbridge::domain::reason::Reason;
use hookbridge::i18n;
use hookbridge::ops::messages::Verdict;
use hookbridge::sandbox::{Fault, Trouble};
use hookbridge::store::audit;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::acts;
use crate::support::bridge::{Answer, Bridge, answer};
use crate::support::lively::lively;
use crate::support::person::{PASSWORD, Person, token};

#[test]
fn every_reason_has_words() {
    for reason in Reason::ALL {
        assert!(i18n::keys().any(|key| key == format!("reason.{reason}")), "{reason} has no words");
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

/// A bridge on which alerts on three invoices failed for good at the provider.
async fn three_failed() -> (Bridge, Vec<MessageId>) {
    let bridge = Bridge::start().await;
    for n in 1..=3 {
        bridge
            .sandbox
            .fault(Fault::next(serde_json::from_value(json!({ "error": { "code": 131_008 } })).expect("a trouble")));
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoices()[n - 1] }));
        assert_eq!(bridge.post(&format!("evt_{n}"), &body).await.status, 202);
        bridge.settle().await;
    }
    let failed: Vec<MessageId> =
        bridge.messages().await.iter().filter(|one| one.standing() == "failed").map(|one| one.id).collect();
    assert_eq!(failed.len(), 3, "{:?}", bridge.messages().await);
    (bridge, failed)
}

fn invoices() -> [u32; 3] {
    [CAST.invoice_unpaid.id, CAST.invoice_english.id, CAST.invoice_portuguese.id]
}

async fn deeds(bridge: &Bridge) -> Vec<(String, String, Option<String>)> {
    let filter = audit::Filter { limit: 50, ..audit::Filter::default() };
    let all = audit::list(&bridge.app.store, &filter).await.expect("the log can be read");
    all.into_iter().rev().map(|one| (one.action, one.via.to_string(), one.detail)).collect()
}

#[tokio::test]
async fn many_are_sent_again_after_a_look_and_once_only() {
    let (bridge, failed) = three_failed().await;
    let before = bridge.phones().len();
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let list = "/admin/messages?state=failed&reason=refused";
    ana.get(list).await.hides("/admin/messages/retry");
    let all = format!("/admin/messages/retry?{}", "state=failed&reason=refused&before=&all=1");
    luz.get(list).await.shows(&all.replace('&', "&amp;"));
    assert_eq!(ana.get(&all).await.status, 403);
    // One opted out, one was paid meanwhile: they are named and left out.
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Paid' WHERE id = {}", invoices()[2])).await;
    let seen = luz.get(&all).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.shows("Se reenvían 2.");
    seen.shows("La factura ya está pagada.");
    seen.shows(&format!("/admin/messages/{}", failed[2]));
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before, "a look sends nothing");
    let ids = seen.field("ids");
    assert_eq!(ids.split(',').count(), 2);
    assert_eq!(ana.submit("/admin/me", "/admin/messages/retry", &[("ids", &ids)]).await.status, 403);
    luz.submit(&all, "/admin/messages/retry", &[("ids", &ids)]).await.shows("Quedaron en cola 2 mensajes nuevos.");
    let twice = luz.submit(list, "/admin/messages/retry", &[("ids", &ids)]).await;
    twice.shows("Quedaron en cola 0 mensajes nuevos.");
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before + 2);
    luz.get(&all).await.shows("No hay ninguno que se pueda reenviar.");
    let done = deeds(&bridge).await.into_iter().filter(|(action, ..)| action == "message.retry").collect::<Vec<_>>();
    assert_eq!(done.len(), 2, "{done:?}");
    assert_eq!(done[0].2.as_deref(), Some("2 queued; left out: none"));
    assert_eq!(done[1].2.as_deref(), Some("0 queued; left out: 2 resent_already"));
    bridge.finish().await;
}

#[tokio::test]
async fn those_that_may_have_arrived_need_a_tick_and_old_ones_stay() {
    let (bridge, failed) = three_failed().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: false }));
    bridge.post("evt_4", &bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_numbered.id }))).await;
    let unsure = MessageId(uuid(&bridge).await);
    let before = bridge.phones().len();
    acts::settle_message(&desk, &Who::at_the_command_line("test"), unsure, Verdict::GiveUp).await.expect("unknown");
    let path = format!("/admin/messages/retry?id={}&id={unsure}", failed[0]);
    let seen = luz.get(&path).await;
    seen.shows("Se reenvían 1.");
    seen.shows("Además, 1 pueden haber llegado");
    let ids = seen.field("ids");
    let done = luz.submit(&path, "/admin/messages/retry", &[("ids", &ids)]).await;
    done.shows("Quedaron en cola 1 mensajes nuevos.");
    done.shows("Puede haber llegado");
    let done = luz.submit(&path, "/admin/messages/retry", &[("ids", &ids), ("twice", "on")]).await;
    done.shows("Quedaron en cola 1 mensajes nuevos.");
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before + 2);
    bridge.wait_s(3 * 24 * 3_600);
    luz.log_in("operator of tests", PASSWORD).await;
    let seen = luz.get(&format!("/admin/messages/retry?id={}", failed[1])).await;
    seen.shows("No hay ninguno que se pueda reenviar.");
    assert_eq!(luz.get("/admin/messages/retry").await.status, 422, "nothing is ticked");
    assert_eq!(luz.get("/admin/messages/retry?all=1&state=queued").await.status, 422, "these have not ended");
    bridge.finish().await;
}

/// The message of unknown outcome.
async fn uuid(bridge: &Bridge) -> uuid::Uuid {
    bridge.app.drain().await.expect("the workers work");
    bridge.messages().await.iter().find(|one| one.standing() == "unknown").expect("one is unknown").id.0
}

async fn called(bridge: &Bridge, held: &str, path: &str, body: Option<Value>) -> Answer {
    let url = bridge.url(&format!("/api/v1{path}"));
    let request = match body {
        Some(body) => bridge.http.post(url).json(&body),
        None => bridge.http.get(url),
    };
    answer(request.bearer_auth(held)).await
}

#[tokio::test]
async fn the_api_finds_shows_retries_and_tells_why() {
    let (bridge, failed) = three_failed().await;
    let before = bridge.phones().len();
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let viewer = token(&desk, &who, "viewer", Role::Viewer).await;
    let operator = token(&desk, &who, "operator", Role::Operator).await;
    let (viewer, operator) = (viewer.expose_secret(), operator.expose_secret());
    // By keyset: two pages make the whole list.
    let first = called(&bridge, viewer, "/messages?state=failed&limit=2", None).await;
    assert_eq!(first.body["items"].as_array().map(Vec::len), Some(2), "{}", first.body);
    let next = first.body["next"].as_str().expect("there is more");
    let second = called(&bridge, viewer, &format!("/messages?state=failed&limit=2&before={next}"), None).await;
    assert_eq!(second.body["items"][0]["id"], json!(failed[0].to_string()));
    assert_eq!(second.body["next"], Value::Null);
    assert!(!first.body.to_string().contains(bridge.messages().await[1].to.as_str()), "numbers are masked");
    assert_eq!(called(&bridge, viewer, "/messages?phone=x", None).await.status, 422);
    // A message's way, and its event's.
    let shown = called(&bridge, viewer, &format!("/messages/{}", failed[0]), None).await;
    assert_eq!(shown.body["attempts"][0]["outcome"], json!("refused"), "{}", shown.body);
    let event = called(&bridge, viewer, "/events/evt_1", None).await;
    assert_eq!((&event.body["fields"], &event.body["state"]), (&Value::Null, &json!("processed")));
    let event = called(&bridge, operator, "/events/evt_1", None).await;
    assert_eq!(event.body["fields"]["invoiceid"], json!(invoices()[0]));
    let events = called(&bridge, viewer, "/events?hook=InvoiceCreated&state=processed", None).await;
    assert_eq!(events.body["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(called(&bridge, operator, "/events/evt_1/again", Some(json!({}))).await.status, 409);
    // Why.
    let client = shown.body["client_id"].as_u64().expect("a client");
    let why = called(&bridge, viewer, &format!("/why?client={client}"), None).await;
    let outcomes = why.body["events"][0]["outcomes"].as_array().expect("outcomes");
    assert!(outcomes.iter().any(|outcome| outcome["reason"] == "refused"), "{}", why.body);
    assert_eq!(called(&bridge, viewer, "/why?client=1&from=2026-02-01&to=2026-01-01", None).await.status, 422);
    // Deeds.
    let again = json!({ "search": { "state": "failed", "hookpoint": "invoice_created" }, "dry_run": true });
    assert_eq!(called(&bridge, viewer, "/messages/retry", Some(again.clone())).await.status, 403);
    let plan = called(&bridge, operator, "/messages/retry", Some(again)).await;
    assert_eq!((&plan.body["would_go"], &plan.body["resent"]), (&json!(3), &json!(0)), "{}", plan.body);
    let done = called(&bridge, operator, &format!("/messages/{}/resend", failed[0]), Some(json!({}))).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let new = done.body["message"].as_str().expect("an id").to_owned();
    let done = called(&bridge, operator, &format!("/messages/{new}/cancel"), Some(json!({}))).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(called(&bridge, operator, &format!("/messages/{new}/cancel"), Some(json!({}))).await.status, 409);
    let verdict = Some(json!({ "verdict": "arrived" }));
    assert_eq!(called(&bridge, operator, &format!("/messages/{new}/settle"), verdict).await.status, 409);
    let all = Some(json!({ "ids": failed.iter().map(ToString::to_string).collect::<Vec<_>>() }));
    let done = called(&bridge, operator, "/messages/retry", all).await;
    assert_eq!(done.body, json!({ "resent": 2, "left_out": { "resent_already": 1 }, "more": false }));
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), before + 2);
    let done: Vec<(String, String)> = deeds(&bridge).await.into_iter().map(|(action, via, _)| (action, via)).collect();
    for deed in ["message.resend", "message.cancel", "message.retry"] {
        assert!(done.contains(&(deed.to_owned(), "api".to_owned())), "{deed}: {done:?}");
    }
    bridge.finish().await;
}
