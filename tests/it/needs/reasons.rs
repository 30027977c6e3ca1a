//! The bridge is brought into each reason that is not by design.

use hookbridge::admin::overview;
use hookbridge::demo::data::CAST;
use hookbridge::domain::reason::Reason;
use hookbridge::ops::messages::Verdict;
use hookbridge::sandbox::{ErrorData, Fault, Reply, TemplateStatus, Trouble};
use serde_json::{Value, json};

use super::{Bridge, answer, desk, fresh, needs, told, well, who, with};
use crate::support::acts;

/// What the tests below bring the bridge into, test by test.
pub const DRIVEN: [&[Reason]; 8] = [&EVENTS, &GIVEN_UP, &PACE, &TEXTS, &HELD, &UNKNOWN, &ENDED, &NOTED];

const EVENTS: [Reason; 5] = [
    Reason::FieldMissing,
    Reason::SubjectUnreadable,
    Reason::ConditionFailed,
    Reason::TemplateMissing,
    Reason::RenderFailed,
];
const GIVEN_UP: [Reason; 2] = [Reason::RetryLater, Reason::AttemptsExhausted];
const PACE: [Reason; 3] = [Reason::PacedNumber, Reason::PacedDay, Reason::LanePaused];
const TEXTS: [Reason; 1] = [Reason::TemplateHeld];
const HELD: [Reason; 3] = [Reason::MassSend, Reason::ClientCeiling, Reason::Restored];
const UNKNOWN: [Reason; 3] = [Reason::OutcomeUnknown, Reason::OutcomeHeld, Reason::SentAgainByOperator];
const ENDED: [Reason; 2] = [Reason::Expired, Reason::Refused];
const NOTED: [Reason; 3] = [Reason::DecisionMissed, Reason::NumberChanged, Reason::ReplyUnmatched];

fn refusal(code: u32, http_status: u16) -> Trouble {
    let error_data = ErrorData::default();
    Trouble::Error { code, http_status: Some(http_status), subcode: None, error_data, transient: None }
}

async fn post(bridge: &Bridge, id: &str, hook: &str, fields: Value) {
    let sent = bridge.post(id, &bridge.envelope(hook, &fields)).await;
    assert_eq!(sent.status, 202, "{}", sent.body);
}

async fn registered(bridge: &Bridge, client: u32) {
    post(bridge, &format!("evt_{client}"), "ClientAdd", json!({ "client_id": client })).await;
    bridge.app.drain().await.expect("the workers work");
}

/// As somebody saved it with an older version: no check of this one was asked.
async fn saved(bridge: &Bridge, kind: &str, name: &str, content: &str) {
    let content = content.replace('\\', "\\\\").replace('\'', "\\'");
    bridge
        .db
        .own(&format!(
            "INSERT INTO version (kind, name, content, at, who, note, live) VALUES ('{kind}', '{name}', '{content}', NOW(), \
             'luz', '', TRUE)"
        ))
        .await;
    bridge.db.own("UPDATE revision SET number = number + 1").await;
    bridge.app.refresh().await.expect("what was saved is read");
}

async fn shown(bridge: &Bridge, arguments: &[&str]) -> String {
    let (ok, out, err) = bridge.run(arguments).await;
    assert!(ok, "{err}");
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_cannot_be_processed_are_named_until_somebody_took_note() {
    let bridge = well().await;
    assert_eq!(needs(&bridge).await, []);
    post(&bridge, "evt_field", "InvoiceCreated", json!({ "source": "autogen" })).await;
    let odd = CAST.invoice_portuguese;
    bridge
        .platform(&format!(
            "SET sql_mode = 'ALLOW_INVALID_DATES'; UPDATE tblinvoices SET duedate = '2031-02-31' WHERE id = {}",
            odd.id
        ))
        .await;
    post(&bridge, "evt_row", "InvoiceCreated", json!({ "invoiceid": odd.id })).await;
    bridge.settle().await;
    // A text that names what there is not, and a condition that cannot be evaluated.
    let text = shown(&bridge, &["templates", "show", "invoice_created", "en"]).await;
    saved(&bridge, "template", "invoice_created.en", &text.replace("invoice.number", "invoice.no_such_value")).await;
    post(&bridge, "evt_text", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id })).await;
    bridge.settle().await;
    let registered = shown(&bridge, &["hookpoints", "show", "client_registered"]).await;
    let own = registered.replace("[client_registered]", "[greeting]");
    saved(&bridge, "hookpoint", "greeting", &own).await;
    let condition = "when = [{ if = \"event.hook + 1 > 2\", else = \"condition_false\" }]\n";
    let failing = registered.replacen('\n', &format!("\n{condition}"), 1);
    saved(&bridge, "hookpoint", "client_registered", &failing).await;
    post(&bridge, "evt_condition", "ClientAdd", json!({ "client_id": CAST.client_english })).await;
    bridge.settle().await;
    fresh(&bridge).await;
    told(&bridge, &EVENTS).await;
    let failed = needs(&bridge).await;
    let failed = failed.iter().find(|need| need.code() == "events_failed").expect("failed events");
    assert_eq!((failed.n, failed.since.is_some()), (4, true));
    // The command line says the same, and fails.
    let (ok, out, _) = bridge.run(&["status"]).await;
    assert!(!ok && out.contains("4 events could not be processed") && out.contains("--seen events_failed"), "{out}");
    let (_, out, _) = bridge.run(&["status", "--json"]).await;
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(said["needs"][0]["code"], "events_failed", "{said}");
    // Somebody took note: it is there again with the next one.
    let (_, out, err) = bridge.run(&["status", "--seen", "events_failed"]).await;
    assert!(!out.contains("could not be processed"), "{out}{err}");
    // The command's clock is the machine's, which went on.
    bridge.wait_s(300);
    fresh(&bridge).await;
    assert!(needs(&bridge).await.iter().all(|need| need.code() != "events_failed"));
    post(&bridge, "evt_again", "InvoiceCreated", json!({ "source": "autogen" })).await;
    bridge.settle().await;
    let failed = needs(&bridge).await;
    assert_eq!(failed.iter().find(|need| need.code() == "events_failed").map(|need| need.n), Some(1));
    assert!(overview::take_note(&desk(&bridge), &who(), "stopped").await.is_err(), "a state is mended, not noted");
    let (_, log, _) = bridge.run(&["admin", "log", "--action", "need.seen"]).await;
    assert!(log.contains("events_failed"), "{log}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_tried_for_long_and_one_that_is_given_up_are_named() {
    let bridge = with(&[("DISPATCH__ATTEMPTS_MAX", "3"), ("DISPATCH__BACKOFF_MS", "7000000")]).await;
    bridge.sandbox.fault(Fault::next(refusal(131_000, 400)).times(10));
    registered(&bridge, 1).await;
    bridge.wait_s(3_700);
    fresh(&bridge).await;
    let waits = needs(&bridge).await;
    assert!(waits.iter().any(|need| need.code() == "waiting" && need.n == 1), "{waits:#?}");
    told(&bridge, &GIVEN_UP[..1]).await;
    for _ in 0..4 {
        bridge.wait_s(8 * 3_600);
        bridge.app.drain().await.expect("the workers work");
    }
    fresh(&bridge).await;
    told(&bridge, &GIVEN_UP[1..]).await;
    bridge.sandbox.forget_faults();
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_must_wait_is_named_and_so_is_one_that_is_stopped() {
    let bridge = with(&[("SENDERS__MAIN__RECIPIENTS_PER_DAY", "2")]).await;
    let waits_for = async |client: u32, reason: Reason| {
        registered(&bridge, client).await;
        bridge.wait_s(3_700);
        fresh(&bridge).await;
        told(&bridge, &[reason]).await;
    };
    bridge.sandbox.fault(Fault::next(refusal(130_429, 429)));
    waits_for(1, PACE[0]).await;
    bridge.settle().await;
    registered(&bridge, 2).await;
    waits_for(3, PACE[1]).await;
    assert!(needs(&bridge).await.iter().any(|need| need.code() == "near_limit"));
    bridge.wait_s(24 * 3_600);
    bridge.settle().await;
    bridge.sandbox.fault(Fault::next(refusal(190, 401)));
    registered(&bridge, 4).await;
    fresh(&bridge).await;
    told(&bridge, &PACE[2..]).await;
    let stopped = needs(&bridge).await;
    assert!(stopped[0].code() == "stopped" && stopped[0].is_urgent(), "{stopped:#?}");
    bridge.wait_s(3_600);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_the_provider_does_not_send_is_named_before_and_while_a_message_waits() {
    let bridge = well().await;
    assert!(bridge.sandbox.set_template_status("client_registered", "en", TemplateStatus::Paused));
    registered(&bridge, CAST.client_english).await;
    told(&bridge, &TEXTS).await;
    let held = needs(&bridge).await;
    assert!(held[0].code() == "texts_held" && held[0].is_urgent() && held[0].since.is_some(), "{held:#?}");
    bridge.db.own("DELETE FROM outbox").await;
    bridge.db.own("UPDATE message SET state = 'sent' WHERE state = 'open'").await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_decision_is_named() {
    let few = [("HOOKPOINTS__CLIENT_REGISTERED__MASS_MAX", "3"), ("ALERTS__CLIENT_DAY_MAX", "1")];
    let bridge = with(&few).await;
    for client in [1, 2, 3, 4] {
        post(&bridge, &format!("evt_{client}"), "ClientAdd", json!({ "client_id": client })).await;
    }
    let [first, second] = CAST.invoices_same_second;
    for one in [first, second] {
        post(&bridge, &format!("evt_i{}", one.id), "InvoiceCreated", json!({ "invoiceid": one.id })).await;
    }
    bridge.app.drain().await.expect("the workers work");
    told(&bridge, &HELD[..2]).await;
    acts::say_restored(&desk(&bridge), &who()).await.expect("it is said");
    told(&bridge, &HELD[2..]).await;
    acts::discard_restored(&desk(&bridge), &who()).await.expect("they are dropped");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_unknown_outcome_are_named_until_they_end_and_then_as_lost() {
    let bridge = well().await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: false }));
    registered(&bridge, 1).await;
    told(&bridge, &UNKNOWN[..1]).await;
    bridge.wait_s(301);
    bridge.app.drain().await.expect("the workers work");
    fresh(&bridge).await;
    told(&bridge, &UNKNOWN[1..2]).await;
    acts::pause(&desk(&bridge), &who(), "main", 60 * 24).await.expect("it can be paused");
    let id = bridge.messages().await[0].id;
    acts::settle_message(&desk(&bridge), &who(), id, Verdict::Again).await.expect("it goes again");
    bridge.wait_s(3_700);
    fresh(&bridge).await;
    told(&bridge, &UNKNOWN[2..]).await;
    bridge.wait_s(30 * 3_600);
    bridge.app.keep_house().await.expect("housekeeping");
    fresh(&bridge).await;
    told(&bridge, &UNKNOWN[..1]).await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_expired_and_many_that_were_refused_are_named() {
    let bridge = with(&[("ALERTS__MASS_MIN", "1000")]).await;
    bridge.sandbox.fault(Fault::next(refusal(131_026, 400)).times(100));
    for client in 1..=40 {
        registered(&bridge, client).await;
    }
    bridge.wait_s(60);
    fresh(&bridge).await;
    told(&bridge, &ENDED[1..]).await;
    bridge.sandbox.forget_faults();
    acts::pause(&desk(&bridge), &who(), "main", 600).await.expect("it can be paused");
    post(&bridge, "evt_late", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id })).await;
    bridge.app.drain().await.expect("the workers work");
    bridge.wait_s(5 * 24 * 3_600);
    bridge.app.keep_house().await.expect("housekeeping");
    fresh(&bridge).await;
    let present = super::present(&bridge).await;
    assert!(present.contains(&("message", Reason::Expired)), "{present:?}");
    let lost = needs(&bridge).await;
    assert!(lost.iter().any(|need| need.code() == "lost" && need.since.is_some()), "{lost:#?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missed_answers_given_up_numbers_and_doubtful_replies_are_named() {
    let bridge = well().await;
    let missed =
        json!({ "rule": "upgrade", "hook": "ShoppingCartValidateUpgrade", "cause": "deadline", "on_failure": "open" });
    post(&bridge, "evt_missed", "HookbridgeDecisionMissed", missed).await;
    registered(&bridge, CAST.client_english).await;
    bridge.settle().await;
    fresh(&bridge).await;
    told(&bridge, &NOTED[..1]).await;
    bridge.sandbox.set_user("5491155559999", "AR.9", Some("nobody")).expect("a user");
    let reply = Reply { from: "5491155559999".to_owned(), text: Some("BAJA".to_owned()), ..Reply::default() };
    bridge.wait_s(1);
    bridge.sandbox.reply(&reply).expect("a reply");
    bridge.sandbox.drain_receipts().await;
    told(&bridge, &NOTED[2..]).await;
    let old = bridge.phones()[0].wa_id.clone();
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{ "field": "messages",
        "value": { "messaging_product": "whatsapp", "messages": [{ "from": old, "id": "wamid.change", "type": "system",
        "timestamp": bridge.now().as_second().to_string(),
        "system": { "type": "user_changed_number", "wa_id": "5491144440104", "body": "changed" } }] } }] }] })
    .to_string();
    let signature = hookbridge::signature::sign_hub(body.as_bytes(), &bridge.secrets.app_secret.clone().into());
    let request = bridge.http.post(bridge.url("/v1/receipts/main")).header("content-type", "application/json");
    let answered = answer(request.header("x-hub-signature-256", signature).body(body)).await;
    assert_eq!(answered.status, 200);
    post(&bridge, "evt_moved", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id })).await;
    bridge.settle().await;
    told(&bridge, &NOTED[1..2]).await;
    bridge.finish().await;
}
