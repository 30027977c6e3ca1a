//! What must hold for any bytes at the doors where strangers knock. Shared by the fuzz targets, which look for bytes that
//! break it, and by the tests, which replay what was found.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use hookbridge::catalogue::context::of_event;
use hookbridge::domain::event::HookEvent;
use hookbridge::domain::hookpoint::SubjectKind;
use hookbridge::domain::ids::EventId;
use hookbridge::envelope;
use hookbridge::expression::Expression;
use hookbridge::render::sample;
use hookbridge::signature::{Headers, Key, verify, verify_hub};
use hookbridge::whatsapp;
use jiff::Timestamp;
use secrecy::SecretString;

/// Longest time any of these may take. Far above what they need, far below what would hold up a worker.
const TIME_MAX: Duration = Duration::from_secs(2);

static KEY: LazyLock<Key> =
    LazyLock::new(|| Key::parse(&SecretString::from("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")).expect("a good secret"));

/// Any body is an event or an error, and an event is within the limits of the contract.
pub fn envelope(data: &[u8]) {
    let id = EventId::parse("evt_fuzz").expect("an id");
    let Ok(event) = envelope::parse(&id, "fuzz", data) else { return };
    assert!((1..=64).contains(&event.hook.len()), "the hook's name");
    assert!(event.hook.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "the hook's name");
    assert!(event.fields.len() <= 200 && event.gone.len() <= 200, "the number of fields");
    for field in event.fields.values().chain(event.gone.values()) {
        assert!(field.as_id() != Some(0), "a row's id is never 0");
    }
    // What is read at the door is read again by the worker: the same bytes are the same event.
    assert!(envelope::parse(&id, "fuzz", data).is_ok_and(|again| again.fields == event.fields));
}

/// Headers and body of a request, one per line: nothing is accepted that was not signed, and a good signature is found
/// among the first eight.
pub fn signature(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let (id, timestamp, offered) = (next(), next(), next());
    let (Ok(id), Ok(timestamp), Ok(offered)) =
        (std::str::from_utf8(id), std::str::from_utf8(timestamp), std::str::from_utf8(offered))
    else {
        return;
    };
    let body = next();
    let now = Timestamp::from_second(1_800_000_000).expect("a time");
    let keys = std::slice::from_ref(&*KEY);
    let good = KEY.sign(id, timestamp, body);
    let accepted = |signature: &str| verify(Headers { id, timestamp, signature }, body, keys, now).is_ok();
    let first_eight = || offered.split(' ').filter(|one| one.starts_with("v1,")).take(8);
    let there = first_eight().any(|one| one == good);
    if !there {
        assert!(!accepted(offered), "accepted without a signature of ours");
    }
    if let Ok(sent) = timestamp.parse::<i64>() {
        let stale = sent.saturating_sub(now.as_second()).saturating_abs() > 300;
        assert_eq!(accepted(&good), !stale, "a good signature counts within five minutes");
        let room = first_eight().count() < 8;
        let both = format!("{offered} {good}");
        assert_eq!(accepted(&both), !stale && (room || there), "the first eight count");
    }
    assert!(!verify_hub(offered, body, &SecretString::from("not the provider's secret, nobody knows it")));
}

/// Any webhook is read or refused, in bounded time, and what is read is within its columns.
pub fn receipts(data: &[u8]) {
    let start = Instant::now();
    if let Ok(webhook) = whatsapp::parse(data) {
        for receipt in &webhook.receipts {
            assert!(!receipt.provider_id.is_empty(), "a receipt names a message");
        }
        for reply in &webhook.replies {
            assert!(reply.text.chars().count() <= 4_096, "a reply is cut");
        }
    }
    assert!(start.elapsed() < TIME_MAX, "it took {:?}", start.elapsed());
}

/// An administrator's condition is compiled or refused; it ends, it cannot print what it was not given, and it gives the
/// same answer twice.
pub fn expressions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > 2_000 {
        return;
    }
    let start = Instant::now();
    if let Ok(expression) = Expression::compile(text) {
        for kind in [SubjectKind::Invoice, SubjectKind::Service, SubjectKind::Quote, SubjectKind::Domain] {
            let context = of_event(&EVENT, &sample::facts(kind));
            let (first, second) = (expression.holds(&context), expression.holds(&context));
            assert_eq!(first, second, "two answers to one question");
            let _ = expression.text(&context);
        }
    }
    assert!(start.elapsed() < TIME_MAX, "it took {:?}", start.elapsed());
}

static EVENT: LazyLock<HookEvent> = LazyLock::new(|| {
    let body = br#"{"v":1,"hook":"InvoiceCreated","occurred_at":"2026-11-23T12:34:56Z","request":"r1",
        "actor":{"kind":"client"},"fields":{"invoiceid":7,"params":{"serviceid":7,"addonId":0}},"changed":["email"]}"#;
    envelope::parse(&EventId::parse("evt_fuzz").expect("an id"), "fuzz", body).expect("an envelope")
});
