//! Erasing a client goes through every table: what may name him is loaded first, and nothing of it is left but what must stay.

use std::collections::BTreeSet;

use hookbridge::admin::clients;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Who;
use hookbridge::domain::phone::E164;
use hookbridge::sandbox::Reply;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use super::privacy::traces;
use crate::numbers::{changed, system};
use crate::preferences::ask;
use crate::support::bridge::Bridge;
use crate::support::database::connect;

/// Tables that may hold a number, a user id, a name or what somebody wrote.
const PERSONAL: [&str; 12] = [
    "attempt",
    "consent",
    "contacted",
    "decision",
    "decision_override",
    "event",
    "message",
    "moved_number",
    "receipt",
    "reply",
    "skip",
    "user_phone",
];
/// Tables that hold ids of the platform, times, counts, or what is ours: docs/ADMIN.md says what stays in them.
const IMPERSONAL: [&str; 39] = [
    "admin",
    "admin_recovery",
    "admin_session",
    "anchor",
    "api_token",
    "audit",
    "dedupe",
    "figure",
    "figure_hour",
    "heartbeat",
    "hold",
    "inbox",
    "instance",
    "lane",
    "lane_news",
    "lane_setting",
    "lease",
    "login_failure",
    "mirror",
    "need_seen",
    "notice",
    "notice_channel",
    "notice_turn",
    "outbox",
    "restore_watch",
    "retention",
    "retention_turn",
    "revision",
    "schedule",
    "schedule_turn",
    "schema_migration",
    "source_secret",
    "sso_used",
    "sweep_turn",
    "sweep_walk",
    "text_news",
    "transition",
    "version",
    "volume",
];
const USER: &str = "US.13491208655302741918";
const NEW: &str = "5491144440199";

async fn names(bridge: &Bridge, sql: &str) -> BTreeSet<String> {
    let mut own = connect(&bridge.db.bridge_url()).await;
    let found: Vec<String> = own.query(sql).await.expect("names");
    own.disconnect().await.expect("an idle connection closes");
    found.into_iter().collect()
}

/// Everything that can be known of a client, by the ways by which it comes.
async fn load(bridge: &Bridge) -> (E164, String) {
    let it = CAST.invoice_english;
    let fields = json!({ "invoiceid": it.id, "user": "Emily" });
    bridge.post("evt_1", &bridge.envelope("InvoiceCreated", &fields)).await;
    bridge.app.drain().await.expect("the workers work");
    let (phone, alert) = (bridge.phones()[0].wa_id.clone(), bridge.phones()[0].id.clone());
    bridge.sandbox.set_user(&phone, USER, Some("emily")).expect("a user");
    bridge.settle().await;
    let number = E164::from_digits(&phone).expect("a number");
    let wamid = bridge.messages().await[0].provider_id.clone().expect("it was sent");
    for text in ["soy Emily, gracias", "BAJA"] {
        bridge.wait_s(1);
        let reply = Reply {
            from: phone.clone(),
            text: Some(text.to_owned()),
            answers: Some(alert.clone()),
            ..Reply::default()
        };
        bridge.sandbox.reply(&reply).expect("sent");
        bridge.sandbox.drain_receipts().await;
        bridge.settle().await;
    }
    bridge.noted(&number, true, "ana: Emily rang").await;
    bridge.wait_s(1);
    let seen =
        ask(bridge, json!({ "client_id": it.client, "changes": format!("client:{}/status=0", it.client) })).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let client = it.client;
    for sql in [
        format!(
            "INSERT INTO decision (id, rule, version, verdict, subject, client_id, asked_at, source, hook, asked_by, what_if, question, \
             facts, answer) VALUES (UNHEX(REPLACE(UUID(), '-', '')), 'upgrade', 1, 'deny', 'service:777', {client}, NOW(3), 'billing', \
             'ask', 'client', 0, '{{\"phone\":\"+{phone}\"}}', '{{\"name\":\"Emily\"}}', '{{\"message\":\"Emily\"}}')"
        ),
        "INSERT INTO decision_override (rule, subject, who, why, made_at, until_at) VALUES ('upgrade', 'service:777', 'ana', 'Emily asked', \
         NOW(3), NOW(3) + INTERVAL 9 DAY)"
            .to_owned(),
        format!(
            "INSERT INTO skip (event_id, hookpoint, client_id, reason, detail, at) VALUES ('evt_1', 'invoice_created', {client}, \
             'phone_invalid', 'Emily +{phone}', NOW(3))"
        ),
        format!("UPDATE attempt SET detail = 'to {phone}'"),
        // What came before anybody knew whose id it is.
        format!(
            "INSERT INTO reply (provider_id, lane, at, received_at, user_id, kind, body, meaning, matched) VALUES ('wamid.first', 'main', \
             NOW(3), NOW(3), '{USER}', 'text', 'Emily here', 'other', FALSE)"
        ),
    ] {
        bridge.db.own(&sql).await;
    }
    changed(bridge, system(bridge, "user_changed_number", &phone, ("wa_id", NEW))).await;
    (number, wamid)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_every_table_nothing_personal_is_left() {
    let bridge = Bridge::start().await;
    let tables =
        names(&bridge, "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()").await;
    let known: BTreeSet<String> = PERSONAL.iter().chain(&IMPERSONAL).map(|name| (*name).to_owned()).collect();
    assert_eq!(tables, known, "a new table: does it hold what may name a client, and is that erased and exported?");
    let (number, wamid) = load(&bridge).await;
    let needles = [number.digits(), NEW, USER, "Emily", wamid.as_str()];
    let mut found = BTreeSet::new();
    for needle in needles {
        let places = traces(&bridge, needle).await;
        found.extend(places.iter().filter_map(|place| place.split_once('.')).map(|(table, _)| table.to_owned()));
    }
    let missing: Vec<&str> = PERSONAL.into_iter().filter(|table| !found.contains(*table)).collect();
    assert!(missing.is_empty(), "not loaded: {missing:?}; found in {found:?}");

    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let client = u64::from(CAST.invoice_english.client);
    let document = clients::export(&desk, &who, client).await.expect("the export").to_string();
    for needle in needles {
        assert!(document.contains(needle), "the export lacks {needle}");
    }
    clients::erase(&desk, &who, client, &client.to_string()).await.expect("it is erased");
    // The refusal, and that a number which the platform still has was given up.
    assert_eq!(traces(&bridge, number.digits()).await, ["consent.recipient", "moved_number.recipient"]);
    assert_eq!(traces(&bridge, NEW).await, ["consent.recipient"], "the refusal went with him");
    for needle in [USER, "Emily", &wamid, "wamid.first", "client area"] {
        assert_eq!(traces(&bridge, needle).await, Vec::<String>::new(), "{needle}");
    }
    let moved = names(&bridge, "SELECT IFNULL(moved_to, 'nowhere') FROM moved_number").await;
    assert_eq!(moved.into_iter().collect::<Vec<_>>(), ["nowhere"]);
    bridge.finish().await;
}
