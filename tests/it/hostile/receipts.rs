//! Odd ids, odd codes and other numbers' traffic in the provider's answers and webhooks.

use hookbridge::demo::data::CAST;
use hookbridge::domain::ids::MessageId;
use hookbridge::sandbox::{ErrorData, Fault, Trouble};
use hookbridge::store::figure::news;
use hookbridge::store::lane::paused;
use hookbridge::store::receipt::forget_unknown;
use hookbridge::store::trail::MessageTrail;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::support::bridge::{Answer, Bridge, answer};
use crate::support::database::connect;

async fn registered(bridge: &Bridge, client: u32) -> MessageId {
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
    assert_eq!(bridge.post(&format!("evt_{client}"), &body).await.status, 202);
    bridge.app.drain().await.expect("the workers work");
    let all = bridge.messages().await;
    all.iter().find(|m| m.client_id == u64::from(client)).expect("a message").id
}

/// Posts a webhook of one change, signed with `secret`, to the address of `sender`.
async fn webhook(bridge: &Bridge, (sender, secret): (&str, &str), field: &str, value: Value) -> Answer {
    let changes = json!([{ "field": field, "value": value }]);
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": changes }] });
    let body = body.to_string();
    let signature = hookbridge::signature::sign_hub(body.as_bytes(), &secret.to_owned().into());
    let request = bridge.http.post(bridge.url(&format!("/v1/receipts/{sender}")));
    let request = request.header("content-type", "application/json").header("x-hub-signature-256", signature);
    answer(request.body(body)).await
}

fn status(bridge: &Bridge, id: &str, status: &str, code: Option<i64>, message: Option<MessageId>) -> Value {
    let mut one = json!({ "id": id, "status": status, "timestamp": bridge.now().as_second().to_string() });
    if let Some(code) = code {
        one["errors"] = json!([{ "code": code, "title": "trouble" }]);
    }
    if let Some(message) = message {
        one["biz_opaque_callback_data"] = json!(message.to_string());
    }
    one
}

fn number_of(bridge: &Bridge) -> String {
    bridge.phones().first().expect("a message was sent").phone_number_id.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_ids_and_codes_of_answers_are_stored_and_delay_no_other_outcome() {
    let bridge = Bridge::start().await;
    let long = "wamid.".to_owned() + &"x".repeat(5_000);
    let huge = Trouble::Error {
        code: 4_000_000_000,
        http_status: Some(400),
        subcode: None,
        error_data: ErrorData::default(),
        transient: None,
    };
    for trouble in [
        Trouble::AnswersId { id: long.clone() },
        Trouble::AnswersId { id: long + "y" },
        Trouble::AnswersId { id: "wamid.ñandú😀".to_owned() },
        huge,
    ] {
        bridge.sandbox.fault(Fault::next(trouble));
    }
    for client in 1..=4 {
        registered(&bridge, client).await;
    }
    registered(&bridge, CAST.client_raw_phone).await;
    let all = bridge.messages().await;
    let standing: Vec<&str> = all.iter().map(MessageTrail::standing).collect();
    assert_eq!(standing, ["accepted", "accepted", "accepted", "queued", "accepted"]);
    assert_eq!(all[3].attempts[0].code, Some(i32::MAX.into()), "clamped");
    // Their receipts find them, by our id or by the provider's.
    bridge.sandbox.drain_receipts().await;
    assert_eq!(bridge.messages().await[0].standing(), "delivered");
    bridge.wait_s(3600);
    bridge.settle().await;
    assert!(bridge.messages().await.iter().all(|m| m.standing() == "delivered"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_no_row_can_hold_harms_only_its_own_message() {
    let bridge = Bridge::start().await;
    // A rule that this schema does not have: some outcome is not taken, for good.
    bridge.db.own("ALTER TABLE message ADD CONSTRAINT odd CHECK (provider_id <> 'wamid.odd')").await;
    bridge.db.own("ALTER TABLE attempt ADD CONSTRAINT never CHECK (outcome <> 'refused')").await;
    bridge.sandbox.fault(Fault::next(Trouble::AnswersId { id: "wamid.odd".to_owned() }));
    let refused = Trouble::Error {
        code: 131_026,
        http_status: Some(400),
        subcode: None,
        error_data: ErrorData::default(),
        transient: None,
    };
    bridge.sandbox.fault(Fault::next(refused));
    for client in 1..=4 {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        bridge.post(&format!("evt_{client}"), &body).await;
    }
    bridge.app.drain().await.expect("the workers work");
    let mut standing: Vec<String> = bridge.messages().await.iter().map(|m| m.standing().to_owned()).collect();
    standing.sort();
    assert_eq!(standing, ["accepted", "accepted", "accepted", "sending"], "one without its id, one not at all");
    bridge.wait_s(61);
    bridge.app.drain().await.expect("the workers work");
    assert!(bridge.messages().await.iter().any(|m| m.standing() == "unknown"), "its class's policy decides");
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_faults_total{result=\"outcome_unwritable\"} 2"), "{text}");
    bridge.wait_s(48 * 3600);
    bridge.app.keep_house().await.expect("housekeeping");
    bridge.sandbox.drain_receipts().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_with_odd_receipts_keeps_all_its_good_ones() {
    let bridge = Bridge::start().await;
    let id = registered(&bridge, 1).await;
    let own = bridge.phones()[0].id.clone();
    // A rule of another schema stands for whatever no row can hold.
    bridge.db.own("ALTER TABLE receipt ADD CONSTRAINT odd CHECK (provider_id <> 'wamid.odd')").await;
    let statuses = json!([
        status(&bridge, "wamid.ñandú", "delivered", None, None),
        status(&bridge, &"x".repeat(400), "failed", Some(99_999_999_999), None),
        status(&bridge, "wamid.odd", "read", None, None),
        status(&bridge, &own, "read", None, Some(id)),
    ]);
    let secret = bridge.secrets.app_secret.clone();
    let reply = webhook(&bridge, ("main", &secret), "messages", json!({ "statuses": statuses })).await;
    assert_eq!(reply.status, 200);
    assert_eq!(bridge.messages().await[0].standing(), "read");
    let mut own = connect(&bridge.db.bridge_url()).await;
    let kept: Vec<Option<i64>> = own.query("SELECT code FROM receipt ORDER BY code").await.expect("receipts");
    assert_eq!(kept, [None, None, Some(i32::MAX.into())]);
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_faults_total{result=\"receipt_unstorable\"} 1"), "{text}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_traffic_of_another_number_changes_nothing() {
    let bridge = Bridge::start().await;
    let id = registered(&bridge, 1).await;
    bridge.sandbox.drain_receipts().await;
    let phone = bridge.phones()[0].clone();
    let secret = bridge.secrets.app_secret.clone();
    let main = ("main", secret.as_str());
    let other = json!({ "display_phone_number": "15550001111", "phone_number_id": "999000999" });
    let failed = status(&bridge, "wamid.other", "failed", Some(131_042), None);
    let read = status(&bridge, &phone.id, "read", None, Some(id));
    let timestamp = bridge.now().as_second().to_string();
    let stop = json!({ "id": "wamid.in", "from": phone.wa_id, "timestamp": timestamp, "type": "text", "text": { "body": "stop" } });
    let value = json!({ "metadata": other, "statuses": [failed, read], "messages": [stop] });
    assert_eq!(webhook(&bridge, main, "messages", value).await.status, 200);
    let quality = json!({ "display_phone_number": "15550001111", "event": "DOWNGRADE", "current_limit": "TIER_50" });
    assert_eq!(webhook(&bridge, main, "phone_number_quality_update", quality).await.status, 200);
    assert_eq!(bridge.messages().await[0].standing(), "delivered");
    assert!(paused(&bridge.app.store, bridge.now()).await.expect("readable").is_empty());
    assert!(news(&bridge.app.store).await.expect("readable").is_empty());
    let mut own = connect(&bridge.db.bridge_url()).await;
    let (receipts, outs): (u64, u64) = own
        .query_first(
            "SELECT (SELECT COUNT(*) FROM receipt WHERE provider_id = 'wamid.other'), (SELECT COUNT(*) FROM consent)",
        )
        .await
        .expect("counts")
        .expect("a row");
    assert_eq!((receipts, outs), (0, 0));
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_receipts_total{result=\"foreign_number\"} 4"), "{text}");
    bridge.finish().await;
}

const SECOND: [(&str, &str); 6] = [
    ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
    ("SENDERS__SECOND__PHONE_NUMBER_ID", "777000777"),
    ("SENDERS__SECOND__WABA_ID", "1"),
    ("SENDERS__SECOND__TOKEN", "second-token-that-is-long-enough"),
    ("SENDERS__SECOND__VERIFY_TOKEN", "second-verify-token-long-enough"),
    ("SENDERS__SECOND__PORTFOLIO", "second"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_senders_secret_does_not_touch_anothers_messages_or_lane() {
    let mut settings = SECOND.to_vec();
    settings.push(("SENDERS__SECOND__APP_SECRET", "0123456789abcdef0123456789abcdee"));
    let bridge = Bridge::with(&settings, |_| {}).await;
    let id = registered(&bridge, 1).await;
    let (number, sent) = (number_of(&bridge), bridge.phones()[0].id.clone());
    let second = ("second", "0123456789abcdef0123456789abcdee");
    let failed = || json!([status(&bridge, &sent, "failed", Some(131_042), Some(id))]);
    for value in [
        json!({ "statuses": failed() }),
        json!({ "metadata": { "phone_number_id": number }, "statuses": failed() }),
        json!({ "metadata": { "phone_number_id": "777000777" }, "statuses": failed() }),
    ] {
        assert_eq!(webhook(&bridge, second, "messages", value).await.status, 200);
    }
    assert_eq!(bridge.messages().await[0].standing(), "accepted");
    let lanes: Vec<String> =
        paused(&bridge.app.store, bridge.now()).await.expect("readable").into_iter().map(|p| p.lane).collect();
    assert_eq!(lanes, ["second"], "each speaks for its own number only");
    // Nor may it claim an id before the number that it belongs to.
    bridge.sandbox.drain_receipts().await;
    let message = bridge.messages().await.remove(0);
    assert_eq!((message.standing(), message.receipts.len()), ("delivered", 2));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_number_that_the_webhook_names_is_stopped_once() {
    let secret = hookbridge::demo::stage::Secrets::new().expect("randomness").app_secret;
    let mut settings = SECOND.to_vec();
    settings.extend([("SENDERS__SECOND__APP_SECRET", secret.as_str()), ("SENDERS__MAIN__APP_SECRET", secret.as_str())]);
    let bridge = Bridge::with(&settings, |_| {}).await;
    let statuses = json!([status(&bridge, "wamid.s", "failed", Some(131_042), None)]);
    let value = json!({ "metadata": { "phone_number_id": "777000777" }, "statuses": statuses });
    let lanes = async || -> Vec<String> {
        paused(&bridge.app.store, bridge.now()).await.expect("readable").into_iter().map(|p| p.lane).collect()
    };
    // Two numbers of one app share an address: the other one is meant.
    assert_eq!(webhook(&bridge, ("main", &secret), "messages", value.clone()).await.status, 200);
    assert_eq!(lanes().await, ["second"]);
    bridge.wait_s(200);
    assert_eq!(webhook(&bridge, ("main", &secret), "messages", value.clone()).await.status, 200);
    bridge.wait_s(101);
    assert!(lanes().await.is_empty(), "the same receipt again prolongs nothing");
    bridge.wait_s(3 * 24 * 3600);
    assert_eq!(webhook(&bridge, ("main", &secret), "messages", value).await.status, 200);
    assert!(lanes().await.is_empty(), "nor does it stop the number days later");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_delivered_after_a_failure_has_no_reason_left() {
    let bridge = Bridge::start().await;
    let id = registered(&bridge, 1).await;
    let sent = bridge.phones()[0].id.clone();
    let secret = bridge.secrets.app_secret.clone();
    for (word, code, reason) in [("failed", Some(131_026), Some("refused")), ("delivered", None, None)] {
        let statuses = json!([status(&bridge, &sent, word, code, Some(id))]);
        webhook(&bridge, ("main", &secret), "messages", json!({ "statuses": statuses })).await;
        let message = bridge.messages().await.remove(0);
        assert_eq!((message.standing(), message.reason.as_deref()), (word, reason));
        assert_eq!(message.detail.is_some(), reason.is_some());
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_of_messages_that_nobody_knows_are_bounded_in_rows() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("RETENTION__UNKNOWN_RECEIPTS_MAX", "50")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let id = registered(&bridge, 1).await;
    bridge.sandbox.drain_receipts().await;
    let secret = bridge.secrets.app_secret.clone();
    for round in 0..3 {
        let ids = (0..500).map(|n| format!("wamid.unknown.{round}.{n}"));
        let statuses: Vec<Value> = ids.map(|id| status(&bridge, &id, "read", None, None)).collect();
        let reply = webhook(&bridge, ("main", &secret), "messages", json!({ "statuses": statuses })).await;
        assert_eq!(reply.status, 200);
        bridge.wait_s(1);
    }
    let mut own = connect(&bridge.db.bridge_url()).await;
    let unknown = "SELECT COUNT(*) FROM receipt WHERE message_id IS NULL";
    let count: Option<u64> = own.query_first(unknown).await.expect("a count");
    assert!(count <= Some(1_050), "{count:?}");
    forget_unknown(&bridge.app.store, 50).await.expect("deleted");
    let newest = "SELECT COUNT(*) FROM receipt WHERE message_id IS NULL AND provider_id LIKE 'wamid.unknown.2.%'";
    let (count, newest): (Option<u64>, Option<u64>) =
        (own.query_first(unknown).await.expect("a count"), own.query_first(newest).await.expect("a count"));
    assert_eq!((count, newest), (Some(50), Some(50)), "the newest stay");
    assert_eq!(bridge.messages().await.iter().find(|m| m.id == id).expect("it").receipts.len(), 2);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_receipt_of_a_webhook_belongs_to_its_own_message() {
    let bridge = Bridge::start().await;
    let mut sent = Vec::new();
    for client in 1..=4 {
        sent.push(registered(&bridge, client).await);
    }
    let secret = bridge.secrets.app_secret.clone();
    let phones = bridge.phones();
    let mut statuses = Vec::new();
    for phone in &phones {
        let id = phone.biz_opaque_callback_data.as_deref().and_then(MessageId::parse);
        statuses.push(status(&bridge, &phone.id, "delivered", None, id));
        statuses.push(status(&bridge, &phone.id, "read", None, None));
    }
    let reply = webhook(&bridge, ("main", &secret), "messages", json!({ "statuses": statuses })).await;
    assert_eq!(reply.status, 200);
    for message in bridge.messages().await {
        assert_eq!((message.standing(), message.receipts.len()), ("read", 2), "{}", message.id);
    }
    bridge.finish().await;
}
