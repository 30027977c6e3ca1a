//! Webhooks: their signature, the check of the address, and what is read out of them.

use hookbridge::domain::ids::{MessageId, ProviderUserId};
use hookbridge::domain::phone::E164;
use hookbridge::domain::receipt::{Receipt, ReceiptStatus, Reply, ReplyKind};
use hookbridge::signature::{sign_hub, verify_hub};
use hookbridge::whatsapp::{Challenge, Notice, Webhook, parse};
use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../vectors/receipts.json")).expect("the vectors");
    file["vectors"].as_array().expect("a list").clone()
}

fn read(body: &Value) -> Webhook {
    parse(body.to_string().as_bytes()).expect("a webhook")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn receipt(wire: &Value, number: Option<&str>) -> Receipt {
    Receipt {
        provider_id: text(&wire["provider_id"]).expect("an id"),
        status: ReceiptStatus::parse(wire["status"].as_str().expect("a status")).expect("a known status"),
        at: at(&wire["at"]),
        message_id: wire["message_id"].as_str().and_then(MessageId::parse),
        code: wire["code"].as_i64(),
        detail: text(&wire["detail"]),
        category: text(&wire["category"]),
        number: text(&wire["number"]).or(number.map(str::to_owned)),
    }
}

fn reply(wire: &Value, number: Option<&str>) -> Reply {
    Reply {
        from: text(&wire["from"]),
        provider_id: text(&wire["provider_id"]).expect("an id"),
        at: at(&wire["at"]),
        text: text(&wire["text"]).expect("a text"),
        user_id: wire["user_id"].as_str().and_then(ProviderUserId::parse),
        answers: text(&wire["answers"]),
        kind: ReplyKind::parse(wire["kind"].as_str().expect("a kind")).expect("a known kind"),
        shown: text(&wire["shown"]),
        number: text(&wire["number"]).or(number.map(str::to_owned)),
    }
}

fn at(value: &Value) -> Timestamp {
    Timestamp::from_second(value.as_i64().expect("seconds")).expect("a time")
}

#[test]
fn every_vector_reads_as_written() {
    for vector in vectors() {
        let name = vector["name"].as_str().expect("a name");
        let expect = &vector["expect"];
        let list = |key: &str| expect[key].as_array().expect("a list").clone();
        let webhook = read(&vector["body"]);
        let ids: Vec<_> = list("phone_number_ids").iter().filter_map(text).collect();
        assert_eq!(webhook.phone_number_ids, ids, "{name}");
        // Where there are several, each item says which is its own.
        let number = ids.first().filter(|_| ids.len() == 1).map(String::as_str);
        let receipts: Vec<_> = list("receipts").iter().map(|one| receipt(one, number)).collect();
        assert_eq!(webhook.receipts, receipts, "{name}");
        let replies: Vec<_> = list("replies").iter().map(|one| reply(one, number)).collect();
        assert_eq!(webhook.replies, replies, "{name}");
        // Only where the vector has them.
        let pairs = expect["users"].as_array().cloned().unwrap_or_default();
        let users = webhook.users.iter().map(|one| json!([one.phone.digits(), one.user_id.as_str()]));
        assert_eq!(users.collect::<Vec<_>>(), pairs, "{name}");
        let changes = expect["user_id_changes"].as_array().cloned().unwrap_or_default();
        let moved = webhook.user_id_changes.iter();
        let moved = moved.map(|one| json!([one.previous.as_str(), one.new.as_str(), one.with_number]));
        assert_eq!(moved.collect::<Vec<_>>(), changes, "{name}");
        let kinds = webhook.notices.iter().map(|notice| format!("{notice:?}"));
        let kinds: Vec<_> = kinds.map(|text| text.split(' ').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(kinds, list("notices").iter().filter_map(text).collect::<Vec<_>>(), "{name}");
        assert_eq!(Some(webhook.ignored as u64), expect["ignored"].as_u64(), "{name}");
    }
}

fn notices(name: &str) -> Vec<Notice> {
    let all = vectors();
    let vector = all.iter().find(|vector| vector["name"] == name).expect("a vector");
    read(&vector["body"]).notices
}

#[test]
fn notices_about_templates_have_languages_with_an_underscore() {
    let (name, language) = ("order_confirmation".to_owned(), "en_US".to_owned());
    let status = |event: &str, reason: Option<&str>| Notice::TemplateStatus {
        name: name.clone(),
        language: language.clone(),
        event: event.to_owned(),
        reason: reason.map(str::to_owned),
    };
    let expected = [
        status("APPROVED", None),
        status("PAUSED", Some("Quality is low.")),
        Notice::TemplateCategory {
            name: name.clone(),
            language: language.clone(),
            previous: Some("UTILITY".to_owned()),
            new: "MARKETING".to_owned(),
        },
        Notice::TemplateQuality {
            name: name.clone(),
            language: language.clone(),
            previous: Some("GREEN".to_owned()),
            new: "RED".to_owned(),
        },
    ];
    assert_eq!(notices("templates"), expected);
}

#[test]
fn notices_about_the_account_its_limits_and_its_users_are_whole() {
    let account = notices("account and limits");
    let Notice::Account { kind, severity, detail } = &account[0] else { panic!("{account:?}") };
    assert_eq!(kind, "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED");
    assert_eq!((severity.as_deref(), detail.as_deref()), (Some("WARNING"), Some("Limits cannot be increased yet.")));
    let Notice::Account { kind, detail, .. } = &account[1] else { panic!("{account:?}") };
    assert_eq!((kind.as_str(), detail.as_deref()), ("DISABLED_UPDATE", Some("SCHEDULE_FOR_DISABLE")));
    assert_eq!(account[2], Notice::Capability { recipients_per_day: Some("TIER_2K".to_owned()) });
    assert_eq!(account[3], Notice::Capability { recipients_per_day: Some("1000".to_owned()) });
    let flagged = Notice::NumberQuality {
        number: Some("15550783881".to_owned()),
        event: "FLAGGED".to_owned(),
        limit: Some("TIER_10K".to_owned()),
    };
    assert_eq!(account[4], flagged);

    let users = notices("a user resumes and stops marketing, with and without a number");
    let preference = |from: Option<&str>, stopped, at| Notice::MarketingPreference {
        from: from.and_then(E164::from_digits),
        stopped,
        at: Timestamp::from_second(at).expect("a time"),
    };
    assert_eq!(users, [preference(Some("16505551234"), false, 1_731_705_721), preference(None, true, 1_731_705_722)]);

    assert!(!format!("{users:?}").contains("16505551234"), "notices are logged: {users:?}");

    let error = Notice::Error {
        phone_number_id: Some("106540352242922".to_owned()),
        code: 130_429,
        detail: "Cloud API message throughput has been reached.".to_owned(),
    };
    assert_eq!(notices("an error without a message"), [error]);
}

#[test]
fn a_thousand_statuses_in_one_post_are_all_read() {
    let statuses: Vec<Value> = (0..1000)
        .map(|n| json!({"id": format!("wamid.{n}"), "status": "delivered", "timestamp": "1750030073"}))
        .collect();
    let halves = statuses
        .chunks(500)
        .map(|half| json!({"field": "messages", "value": {"metadata": {"phone_number_id": "1"}, "statuses": half}}));
    let body = json!({"object": "whatsapp_business_account", "entry": [{"changes": halves.collect::<Vec<_>>()}]});
    let webhook = read(&body);
    assert_eq!((webhook.receipts.len(), webhook.ignored), (1000, 0));
    assert_eq!(webhook.receipts[999].provider_id, "wamid.999");
    assert_eq!(webhook.phone_number_ids, ["1"]);
}

#[test]
fn a_long_reply_is_cut() {
    let message = json!({"id": "wamid.1", "timestamp": 1, "type": "text", "text": {"body": "ñ".repeat(9000)}});
    let value = json!({"messages": [message]});
    let body =
        json!({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]});
    assert_eq!(read(&body).replies[0].text.chars().count(), 4096);
}

#[test]
fn only_what_is_no_json_object_is_an_error_and_it_shows_nothing() {
    for body in ["", "null", "[]", "\"5491123456789\"", "{", "{\"entry\":[5491123456789", "\u{feff}{}"] {
        let error = parse(body.as_bytes()).expect_err(body);
        assert!(!error.to_string().contains("5491123456789"), "{error}");
    }
    assert!(parse(&[b'{', b'"', 0xff, b'"', b':', b'1', b'}']).is_err());
    assert!(parse("[".repeat(100_000).as_bytes()).is_err(), "deep nesting is an error, not a crash");
    let deep = format!(r#"{{"object":"whatsapp_business_account","entry":{}}}"#, "[".repeat(100_000));
    assert!(parse(deep.as_bytes()).is_err());
}

#[test]
fn signatures_of_raw_bytes_match_the_vectors() {
    let escaped = br#"{"entry":[{"id":"1","changes":[{"value":{"text":{"body":"BAJA \u00f1"}},"field":"messages"}]}],"object":"whatsapp_business_account"}"#;
    let plain = String::from_utf8_lossy(escaped).replace("\\u00f1", "ñ");
    let cases: [(&str, &[u8], &str); 4] = [
        ("secret", b"test", "0329a06b62cd16b33eb6792be8c60b158d89a2ee3a876fce9a881ebb488c0914"),
        (
            "my_app_secret",
            br#"{"object":"whatsapp_business_account","entry":[]}"#,
            "1e948187320e1d8a8ab09e20b7172f8fe97e79394c0980b59b485e00288e389d",
        ),
        ("my_app_secret", escaped, "a221b64b5c107d0003f863b7604fbf3f2896b84190a5246c79642768249b03e9"),
        ("my_app_secret", plain.as_bytes(), "3bcf7eeabb56d3bfdd385e2f779d48eaa5bdb881872c71cf241ba1008967bb0b"),
    ];
    for (key, body, hex) in cases {
        let key = SecretString::from(key);
        let header = format!("sha256={hex}");
        assert!(verify_hub(&header, body, &key), "{hex}");
        assert_eq!(sign_hub(body, &key), header);
        assert!(!verify_hub(&header, &[body, b" "].concat(), &key), "another body");
        assert!(!verify_hub(&header, body, &SecretString::from("other")), "another key");
        for bad in [hex, "", "sha256=", "sha1=00", &header[..header.len() - 2], &format!("{header}00"), "sha256=ñ"] {
            assert!(!verify_hub(bad, body, &key), "{bad}");
        }
    }
    assert!(parse(escaped).is_ok() && parse(plain.as_bytes()).is_ok());
}

fn challenge(mode: &str, token: &str, text: &str) -> Challenge {
    let query = json!({"hub.mode": mode, "hub.verify_token": token, "hub.challenge": text, "hub.new": "x"});
    serde_json::from_value(query).expect("a query")
}

#[test]
fn the_check_of_the_address_gives_back_the_bare_challenge() {
    let expected = SecretString::from("canary-verify-token");
    let right = challenge("subscribe", "canary-verify-token", "1158201444");
    assert!(!format!("{right:?}").contains("canary"), "{right:?}");
    assert_eq!(right.answer(&expected).as_deref(), Some("1158201444"));
    let wrong = [
        challenge("unsubscribe", "canary-verify-token", "1"),
        challenge("subscribe", "canary-verify-tokem", "1"),
        challenge("subscribe", "", "1"),
        challenge("subscribe", "canary-verify-token", ""),
        challenge("subscribe", "canary-verify-token", &"1".repeat(257)),
        serde_json::from_value(json!({})).expect("a query"),
    ];
    for one in wrong {
        assert_eq!(one.answer(&expected), None);
    }
    assert_eq!(challenge("subscribe", "", "1").answer(&SecretString::from("")), None, "no token configured");
}

/// JSON made of the members that webhooks have, in all wrong places.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "object",
        "whatsapp_business_account",
        "entry",
        "changes",
        "field",
        "value",
        "messages",
        "statuses",
        "errors",
        "metadata",
        "phone_number_id",
        "id",
        "status",
        "timestamp",
        "type",
        "text",
        "body",
        "sent",
        "failed",
        "code",
        "user_preferences",
        "account_alerts",
        "message_template_status_update",
        "pricing",
        "category",
        "1750030073",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let members = prop::collection::btree_map(words.clone().prop_map(str::to_owned), inner.clone(), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&body);
    }

    #[test]
    fn any_object_is_a_webhook(json in any_json()) {
        for field in ["messages", "user_preferences", "account_alerts", "business_capability_update", "message_template_status_update"] {
            let change = json!({"field": field, "value": json});
            let body = json!({"object": "whatsapp_business_account", "entry": [json, {"changes": [change, json]}]});
            prop_assert!(parse(body.to_string().as_bytes()).is_ok());
        }
        prop_assert_eq!(parse(json.to_string().as_bytes()).is_ok(), json.is_object());
    }

    #[test]
    fn a_damaged_webhook_is_read_without_a_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let all = vectors();
        let mut body = which.get(&all)["body"].to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let _ = parse(&body);
        let _ = parse(&body[..at]);
    }
}
