//! Signatures: vectors that Rust and PHP both read, and two other implementations.

use std::io::Write as _;
use std::process::{Command, Stdio};

use hookbridge::domain::ids::EventId;
use hookbridge::envelope;
use hookbridge::signature::{Headers, Key, SignatureError, verify};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn key(secret: &str) -> Option<Key> {
    Key::parse(&secret.to_owned().into()).ok()
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../vectors/signatures.json")).expect("the vectors are JSON")
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_default()
}

#[test]
fn the_shared_vectors_are_judged_as_php_judges_them() {
    let vectors = vectors();
    assert!(vectors.len() >= 20);
    for vector in &vectors {
        let timestamp = vector["timestamp"].as_str().map_or_else(|| vector["timestamp"].to_string(), str::to_owned);
        let now = Timestamp::from_second(timestamp.parse().unwrap_or(0)).expect("a time");
        let headers = Headers { id: text(vector, "id"), timestamp: &timestamp, signature: text(vector, "signature") };
        let valid = key(text(vector, "secret"))
            .is_some_and(|key| verify(headers, text(vector, "body").as_bytes(), &[key], now).is_ok());
        assert_eq!(Value::Bool(valid), vector["valid"], "{}", vector["name"]);
    }
}

#[test]
fn the_reference_library_of_python_signs_and_verifies_the_same() {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/.work/venv/bin/python");
    let program = "import json,sys,datetime\n\
        from standardwebhooks.webhooks import Webhook\n\
        d=json.load(sys.stdin)\n\
        w=Webhook(d['secret'])\n\
        t=datetime.datetime.fromtimestamp(int(d['timestamp']),tz=datetime.timezone.utc)\n\
        print(w.sign(d['id'],t,d['body']))\n\
        w.verify(d['body'],{'webhook-id':d['id'],'webhook-timestamp':d['timestamp'],'webhook-signature':d['signature']})\n\
        print('verified')\n";
    let now = hookbridge::clock::Clock::system().now().as_second().to_string();
    let body = "{\"hook\":\"ClientAdd\",\"name\":\"Ñandú \\u00f1\"}";
    let key = key(SECRET).expect("a secret");
    let signature = key.sign("evt_1", &now, body.as_bytes());
    let input =
        serde_json::json!({ "secret": SECRET, "id": "evt_1", "timestamp": now, "body": body, "signature": signature });
    let mut child = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`make test` makes .work/venv: run it, or scripts/setup.sh test");
    child.stdin.take().expect("its input").write_all(input.to_string().as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.lines().collect::<Vec<_>>(), [signature.as_str(), "verified"]);
}

#[test]
fn re_encoded_json_does_not_verify() {
    let key = key(SECRET).expect("a secret");
    let raw = "{\"a\":\"\\u00f1\",\"b\":\"\\/\"}";
    let again = serde_json::from_str::<Value>(raw).expect("JSON").to_string();
    let signature = key.sign("evt_1", "1649367553", raw.as_bytes());
    let headers = Headers { id: "evt_1", timestamp: "1649367553", signature: &signature };
    let now = Timestamp::from_second(1_649_367_553).expect("a time");
    assert!(verify(headers, raw.as_bytes(), std::slice::from_ref(&key), now).is_ok());
    assert_eq!(verify(headers, again.as_bytes(), &[key], now).err(), Some(SignatureError::Mismatch));
}

#[test]
fn two_keys_are_valid_while_one_is_rotated_and_old_requests_are_stale() {
    let (old, new) = (key(SECRET).expect("a"), key("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").expect("b"));
    let signature = old.sign("e", "1000000", b"{}");
    let headers = Headers { id: "e", timestamp: "1000000", signature: &signature };
    let at = |s| Timestamp::from_second(s).expect("a time");
    let keys = [new, old];
    assert_eq!(verify(headers, b"{}", &keys, at(1_000_300)).expect("just in time").key_index(), 1);
    assert_eq!(verify(headers, b"{}", &keys, at(1_000_301)).err(), Some(SignatureError::Stale(-301)));
    assert_eq!(verify(headers, b"{}", &keys, at(999_699)).err(), Some(SignatureError::Stale(301)));
}

/// A body with something of everything.
const WHOLE: &str = r#"{"v":1,"hook":"InvoiceCreated","occurred_at":"2026-11-23T10:00:00Z","request":"r1","actor":{"kind":"admin","entrypoint":"a","masquerading":false},"fields":{"a":1,"b":-2.5,"c":"x","d":{"e":{"f":null}},"g":[1,{"h":2}],"\u00f1":true},"changed":["a","b"],"gone":{"name":"n"},"otherwise_at":null}"#;

proptest! {
    #[test]
    fn ours_and_the_reference_library_agree(id in "[a-z0-9_]{1,40}", body in "\\PC{0,300}") {
        let now = hookbridge::clock::Clock::system().now();
        let at = now.as_second().to_string();
        let key = key(SECRET).expect("a secret");
        let reference = standardwebhooks::Webhook::new(SECRET).expect("a secret");
        let theirs = reference.sign(&id, now.as_second(), body.as_bytes()).expect("a signature");
        prop_assert_eq!(&theirs, &key.sign(&id, &at, body.as_bytes()));
        let headers = Headers { id: &id, timestamp: &at, signature: &theirs };
        prop_assert!(verify(headers, body.as_bytes(), &[key], now).is_ok());
    }

    #[test]
    fn no_bytes_make_the_envelope_panic_or_pass_for_an_event(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let id = EventId::parse("e").expect("an id");
        prop_assert!(envelope::parse(&id, "billing", &body).is_err());
    }

    #[test]
    fn any_json_in_the_fields_is_read_without_panic(fields in "\\{(\"[a-z]{1,3}\":(1|null|true|\"x\"|\\[1\\]|\\{\"k\":\\{\"k\":2\\}\\})(,\"[a-z]{4,5}\":1\\.5)?)?\\}") {
        let id = EventId::parse("e").expect("an id");
        let body = format!("{{\"v\":1,\"hook\":\"X\",\"occurred_at\":\"2026-11-23T10:00:00Z\",\"fields\":{fields}}}");
        prop_assert!(envelope::parse(&id, "billing", body.as_bytes()).is_ok(), "{}", body);
    }

    /// The door only checks; what it let in must be read later.
    #[test]
    fn what_the_door_lets_in_is_what_is_read_later(edits in proptest::collection::vec((any::<proptest::sample::Index>(), "[\\\\\"uud8{}:,\\[\\]0-9xñ]{0,2}"), 0..4)) {
        let mut body: Vec<String> = WHOLE.chars().map(String::from).collect();
        for (place, text) in edits {
            *place.get_mut(&mut body) = text;
        }
        let body = body.concat();
        let id = EventId::parse("e").expect("an id");
        let read = envelope::parse(&id, "billing", body.as_bytes()).map(|event| (event.hook, event.occurred_at));
        let checked = envelope::check(body.as_bytes()).map(|head| (head.hook, head.occurred_at));
        prop_assert_eq!(&checked, &read, "{}", body);
    }
}
