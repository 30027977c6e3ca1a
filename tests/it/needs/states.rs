//! States of the bridge that are no reason of an event or message: each is named.

use hookbridge::admin::overview::need::{Kind, Need};
use hookbridge::admin::overview::now;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;
use hookbridge::road::Step;
use serde_json::{Value, json};

use super::{Bridge, desk, fresh, needs, well, who};
use crate::hostile::ground::Ground;
use crate::support::marks::with_marks;
use crate::support::person::Person;

async fn one(bridge: &Bridge, kind: Kind) -> Need {
    let all = needs(bridge).await;
    let found = all.iter().find(|need| need.kind == kind).cloned();
    found.unwrap_or_else(|| panic!("no {kind}: {all:#?}"))
}

async fn none(bridge: &Bridge) {
    let all = needs(bridge).await;
    assert_eq!(all, []);
}

/// Another report of this instance.
async fn report(bridge: &Bridge) {
    bridge.wait_s(2);
    bridge.app.health.report().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_is_read_only_is_named_on_a_page_that_still_comes() {
    let ground = Ground::hold().await;
    let bridge = Bridge::on(ground.databases().await, &[], |_| {}).await;
    fresh(&bridge).await;
    let luz = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    luz.get("/admin").await.hides("no acepta escrituras");
    ground.admin("SET GLOBAL read_only = 1").await;
    let page = luz.get("/admin").await;
    let (ok, out, err) = bridge.run(&["status"]).await;
    ground.admin("SET GLOBAL read_only = 0").await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.shows("no acepta escrituras");
    assert!(!ok && out.contains("takes no writes"), "{out}{err}");
    luz.get("/admin").await.hides("no acepta escrituras");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_defaults_that_had_to_be_corrected_are_named_until_somebody_took_note() {
    let ground = Ground::hold().await;
    let bridge = Bridge::on(ground.databases().await, &[], |_| {}).await;
    fresh(&bridge).await;
    ground.admin("SET GLOBAL autocommit = 0").await;
    let app = bridge.another().await;
    app.health.report().await;
    ground.admin("SET GLOBAL autocommit = 1").await;
    let state = now(&desk(&bridge), &who()).await.expect("it can be read");
    let corrected = state.needs.iter().find(|need| need.kind == Kind::Corrected).expect("it is named");
    assert_eq!((corrected.n, corrected.since.is_some()), (1, true));
    assert!(format!("{:?}", corrected.values).contains("autocommit=OFF"), "{corrected:?}");
    let luz = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Operator).await;
    let done = luz.submit("/admin", "/admin/overview/seen/corrected", &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let page = luz.get("/admin").await;
    page.hides("/admin/overview/seen/corrected");
    page.shows("autocommit=OFF");
    app.stop().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_still_is_named_by_the_bound_of_readiness() {
    let bridge = well().await;
    none(&bridge).await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.wait_s(601);
    fresh(&bridge).await;
    let old = one(&bridge, Kind::InboxOld).await;
    assert!(old.n == 1 && old.since.is_some() && old.is_urgent(), "{old:?}");
    bridge.app.step().await.expect("a step");
    bridge.settle().await;
    none(&bridge).await;
    // A number that the configuration lost.
    bridge.db.crowd(1, bridge.now()).await;
    bridge.db.own("UPDATE outbox SET lane = 'former'").await;
    let gone = one(&bridge, Kind::NumberGone).await;
    assert!(gone.n == 1 && gone.is_urgent(), "{gone:?}");
    bridge.db.own("UPDATE outbox SET lane = 'main'").await;
    bridge.wait_s(700);
    fresh(&bridge).await;
    assert_eq!(one(&bridge, Kind::OutboxOld).await.n, 1);
    bridge.db.own("DELETE FROM outbox").await;
    bridge.wait_s(3 * 3_600);
    let late: Vec<Kind> = needs(&bridge).await.iter().map(|need| need.kind).collect();
    assert_eq!(late, [Kind::NotCounted, Kind::SweepLate]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_saved_and_is_not_in_force_is_named() {
    let bridge = well().await;
    for (kind, name, content, live) in [
        ("hookpoint", "client_registered", "[client_registered]\nwhen = 7\n", "TRUE"),
        ("template", "invoice_created.en", "name = 7", "TRUE"),
        ("template", "quote_available.en", "name = \"quote_available\"\nbody = \"x\"\n", "FALSE"),
    ] {
        bridge
            .db
            .own(&format!(
                "INSERT INTO version (kind, name, content, at, who, note, live) VALUES ('{kind}', '{name}', '{content}', \
                 NOW(), 'luz', '', {live})"
            ))
            .await;
    }
    bridge.db.own("UPDATE revision SET number = number + 1").await;
    bridge.app.refresh().await.expect("what was saved is read");
    let left_out = one(&bridge, Kind::LeftOut).await;
    assert!(left_out.n == 2 && left_out.since.is_some() && left_out.is_urgent(), "{left_out:?}");
    let drafts = one(&bridge, Kind::Drafts).await;
    assert!(drafts.n == 1 && drafts.since.is_some() && !drafts.is_urgent(), "{drafts:?}");
    let (ok, out, _) = bridge.run(&["status"]).await;
    assert!(!ok && out.contains("invoice_created.en") && out.contains("client_registered"), "{out}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_the_provider_stops_is_named_until_it_is_approved_again() {
    let bridge = well().await;
    for (event, named) in
        [("PENDING", false), ("PAUSED", true), ("APPROVED", false), ("REJECTED", true), ("FLAGGED", true)]
    {
        let value = json!({ "event": event, "message_template_id": 1, "message_template_name": "invoice_created",
            "message_template_language": "en", "reason": "NONE" });
        webhook(&bridge, "message_template_status_update", value).await;
        let all = needs(&bridge).await;
        assert_eq!(all.iter().any(|need| need.kind == Kind::TextsHeld && need.n == 1), named, "{event}: {all:#?}");
    }
    // A text of somebody else's with the same account is none of ours.
    let value = json!({ "event": "PAUSED", "message_template_id": 2, "message_template_name": "campaign",
        "message_template_language": "en", "reason": "NONE" });
    webhook(&bridge, "message_template_status_update", value).await;
    assert_eq!(one(&bridge, Kind::TextsHeld).await.n, 1);
    // The provider's list is the newer word, should a webhook be lost.
    let luz = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    luz.get("/admin/templates").await;
    none(&bridge).await;
    bridge.finish().await;
}

async fn webhook(bridge: &Bridge, field: &str, value: Value) {
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": field,
        "value": value }] }] })
    .to_string();
    let signature = hookbridge::signature::sign_hub(body.as_bytes(), &bridge.secrets.app_secret.clone().into());
    let request = bridge.http.post(bridge.url("/v1/receipts/main")).header("content-type", "application/json");
    let answered = super::answer(request.header("x-hub-signature-256", signature).body(body)).await;
    assert_eq!(answered.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_deliveries_are_named_and_noise_of_strangers_is_not() {
    let bridge = well().await;
    let stranger = bridge.http.post(bridge.url("/v1/events")).header("content-type", "application/json").body("{}");
    assert_eq!(super::answer(stranger.header("hookbridge-source", "nobody")).await.status, 401);
    report(&bridge).await;
    none(&bridge).await;
    assert_eq!(bridge.post("evt_1", &json!({ "v": 1 })).await.status, 422);
    let forged = |request: reqwest::RequestBuilder| request.header("webhook-signature", "v1,AAAA");
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": 1 })).to_string();
    let refused = bridge.post_raw("evt_2", body.into_bytes(), forged).await;
    report(&bridge).await;
    let expected = if refused.status == 401 { 2 } else { 1 };
    let refused = one(&bridge, Kind::Refused).await;
    assert_eq!((refused.n, refused.since.is_some()), (expected, true));
    bridge.settle().await;
    bridge.finish().await;
}

#[test]
fn a_bug_that_was_caught_is_named_and_outlives_its_process() {
    with_marks(async |marks| {
        let bridge = well().await;
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
        assert_eq!(bridge.post("evt_bad", &body).await.status, 202);
        let app = bridge.another().await;
        marks.panic_at(Step::Handling, "evt_bad", 1);
        app.drain().await.expect("the workers work");
        app.health.report().await;
        app.stop().await;
        let caught = one(&bridge, Kind::Caught).await;
        assert!(caught.n >= 1 && caught.since.is_some(), "{caught:?}");
        for _ in 0..3 {
            bridge.wait_s(3_600);
            bridge.settle().await;
        }
        bridge.finish().await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_instance_reports_of_itself_is_named() {
    let bridge = well().await;
    // A task that is being started again is missing for moments; the log is the whole process's. So: as an instance writes it.
    let at = bridge.now().to_string();
    let health = json!({ "problems": [{ "finding": "task_missing", "detail": "lane main" }],
        "log_lines_dropped": { "n": 7, "since": at, "last": at } });
    bridge
        .db
        .own(&format!(
            "INSERT INTO instance (name, started_at, seen_at, health) SELECT 'other-1-x', started_at, seen_at, '{health}' \
             FROM instance LIMIT 1"
        ))
        .await;
    let missing = one(&bridge, Kind::TaskMissing).await;
    assert!(missing.n == 1 && missing.is_urgent(), "{missing:?}");
    let dropped = one(&bridge, Kind::LogDropped).await;
    assert_eq!((dropped.n, dropped.since.is_some()), (7, true));
    let (ok, out, _) = bridge.run(&["status"]).await;
    assert!(!ok && out.contains("lane main") && out.contains("7 lines of the log were dropped"), "{out}");
    bridge.finish().await;
}
