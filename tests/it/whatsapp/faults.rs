//! Each way in which a network or something before the provider fails, with a real socket.

use std::io::{Read as _, Write as _};
use std::sync::mpsc;
use std::time::Duration;

use hookbridge::domain::outcome::{Fault, Outcome, Scope};
use hookbridge::whatsapp::{Gate, interpret};
use proptest::prelude::*;
use serde_json::json;
use tokio::net::TcpListener;

use super::provider::{Act, PHONE, Provider, TOKEN, accepted, api, hello, settings};

type NamedAct = (&'static str, fn() -> Act);

/// Sends once and checks that it was one request at most: nobody below the dispatcher tries again.
async fn once(provider: &Provider) -> Outcome {
    let outcome = provider.gateway().send(&hello(), Gate::open()).await.expect("the gate is open");
    assert!(provider.requests().len() <= 1, "{} requests", provider.requests().len());
    assert!(provider.connections() <= 1, "{} connections", provider.connections());
    outcome
}

fn later(scope: Scope, after_s: u64) -> impl Fn(&Outcome) -> bool {
    move |outcome| match outcome {
        Outcome::Later { fault: Fault { code: None, scope: found, .. }, after } => {
            *found == scope && *after == Some(Duration::from_secs(after_s))
        }
        _ => false,
    }
}

#[tokio::test]
async fn a_connection_that_never_stood_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let refused = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let outcome = api(settings(&refused)).send(&hello(), Gate::open()).await.expect("the gate is open");
    assert!(later(Scope::Number, 5)(&outcome), "{outcome:?}");

    let cut = Provider::always(|| Act::Reset).await;
    let outcome = api(settings(&format!("https://{}", cut.address)))
        .send(&hello(), Gate::open())
        .await
        .expect("the gate is open");
    assert!(later(Scope::Number, 5)(&outcome), "a failed TLS handshake: {outcome:?}");

    // It waits for the end of an HTTP request, which a TLS greeting is not.
    let mute = Provider::always(|| Act::Silence).await;
    let mut hasty = settings(&format!("https://{}", mute.address));
    hasty.connect_timeout = Duration::from_millis(200);
    let outcome = api(hasty).send(&hello(), Gate::open()).await.expect("the gate is open");
    assert!(later(Scope::Number, 5)(&outcome), "a TLS handshake that does not end: {outcome:?}");
}

#[tokio::test]
async fn whatever_breaks_after_the_connection_stood_is_unknown() {
    let cut_off = || {
        let body = accepted("wamid.A");
        Act::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", body.len(), &body[..body.len() - 9]))
    };
    let acts: [NamedAct; 5] = [
        ("closed after it was read", || Act::Close),
        ("half an answer", cut_off),
        ("half a status line", || Act::Raw("HTTP/1.1 2".to_owned())),
        ("an endless header", || Act::Raw(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1_000_000)))),
        ("not HTTP", || Act::Raw("SSH-2.0-OpenSSH_9.2\r\n\r\n".to_owned())),
    ];
    for (name, act) in acts {
        let outcome = once(&Provider::always(act).await).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{name}: {outcome:?}");
    }
}

/// It depends on the moment whether the message was handed to the connection before the reset came; never was it taken.
#[tokio::test]
async fn a_reset_before_the_request_was_read_is_unknown_or_sent_nothing() {
    let provider = Provider::always(|| Act::Reset).await;
    let outcome = provider.gateway().send(&hello(), Gate::open()).await.expect("the gate is open");
    assert!(matches!(outcome, Outcome::Unknown(_)) || later(Scope::Number, 5)(&outcome), "{outcome:?}");
    assert!(provider.requests().is_empty() && provider.connections() <= 3);
}

#[tokio::test]
async fn no_answer_in_time_is_unknown() {
    let half = || Act::Answer(200, "transfer-encoding: chunked\r\nx-", String::new());
    let acts: [fn() -> Act; 2] = [|| Act::Silence, half];
    for act in acts {
        let provider = Provider::always(act).await;
        let mut hasty = provider.settings();
        hasty.connect_timeout = Duration::from_millis(350);
        hasty.timeout = Duration::from_millis(400);
        let outcome = api(hasty).send(&hello(), Gate::open()).await.expect("the gate is open");
        assert!(matches!(&outcome, Outcome::Unknown(detail) if detail.contains("timed out")), "{outcome:?}");
        assert_eq!(provider.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_without_the_providers_words_goes_by_its_status() {
    let html = "<html><body>Bad gateway</body></html>";
    let unknown = |outcome: &Outcome| matches!(outcome, Outcome::Unknown(_));
    for body in [html, "", "{}", "[]", r#"{"error":"text"}"#, r#"{"error":{"message":"no code"}}"#, "\u{0}"] {
        for status in [200, 201, 202, 408, 499, 500, 502, 503, 504] {
            let provider = Provider::start(move |_| Act::Answer(status, "", body.to_owned())).await;
            let outcome = once(&provider).await;
            assert!(unknown(&outcome), "{status} {body}: {outcome:?}");
        }
    }
    for status in [301, 302, 307, 400, 401, 403, 404, 407, 413] {
        let elsewhere = "location: http://127.0.0.1:9/\r\n";
        let outcome = once(&Provider::start(move |_| Act::Answer(status, elsewhere, html.to_owned())).await).await;
        assert!(later(Scope::Number, 60)(&outcome), "{status}: {outcome:?}");
    }
    let outcome = once(&Provider::start(move |_| Act::Answer(429, "", html.to_owned())).await).await;
    assert!(later(Scope::Rate, 10)(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn a_200_without_an_id_is_unknown() {
    let bodies = [
        json!({"messages": []}),
        json!({"messages": [{}]}),
        json!({"messages": [{"id": ""}]}),
        json!({"messages": [{"id": 7}]}),
        json!({"messages": "x"}),
        json!({"messages": [["wamid.A"]]}),
        json!([[["wamid.A"]]]),
        json!({"contacts": [{"input": PHONE}]}),
    ];
    for body in bodies {
        let text = body.to_string();
        let outcome = once(&Provider::start(move |_| Act::Answer(200, "", text.clone())).await).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{body}: {outcome:?}");
    }
}

#[test]
fn an_id_that_comes_with_an_error_or_a_bad_status_is_unknown() {
    let both = br#"{"messages":[{"id":"wamid.A"}],"error":{"code":131000}}"#;
    for (status, body) in [
        (200, both.as_slice()),
        (400, both),
        (400, accepted("wamid.A").as_bytes()),
        (500, accepted("wamid.A").as_bytes()),
    ] {
        assert!(matches!(interpret(status, None, body), Outcome::Unknown(_)), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let long = || Act::Answer(200, "", format!("{}{}", accepted("wamid.A"), " ".repeat(64 * 1024)));
    let outcome = once(&Provider::always(long).await).await;
    assert!(matches!(&outcome, Outcome::Unknown(detail) if detail.contains("65536 bytes")), "{outcome:?}");
    let endless = || {
        let chunks = format!("8000\r\n{}\r\n", "x".repeat(0x8000)).repeat(64);
        Act::Raw(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"))
    };
    let outcome = once(&Provider::always(endless).await).await;
    assert!(matches!(&outcome, Outcome::Unknown(detail) if detail.contains("65536 bytes")), "{outcome:?}");
}

#[tokio::test]
async fn retry_after_is_honoured_in_seconds_and_as_a_date_up_to_a_day() {
    let throttled = r#"{"error":{"code":130429,"message":"Rate limit hit"}}"#;
    let date = "date: Mon, 23 Nov 2026 10:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 10:02:00 GMT\r\n";
    let cases = [
        ("retry-after: 90\r\n", 90),
        ("Retry-After:  7 \r\n", 7),
        (date, 120),
        ("retry-after: Mon, 23 Nov 2026 10:02:00 GMT\r\n", 5),
        ("date: Mon, 23 Nov 2026 10:00:00 GMT\r\nretry-after: Sun, 22 Nov 2026 10:02:00 GMT\r\n", 5),
        ("retry-after: 1\r\n", 5),
        ("retry-after: -3\r\n", 5),
        ("retry-after: soon\r\n", 5),
        ("retry-after: 99999999999999\r\n", 86_400),
        ("", 5),
    ];
    for (headers, after_s) in cases {
        let outcome = once(&Provider::start(move |_| Act::Answer(429, headers, throttled.to_owned())).await).await;
        let Outcome::Later { after, .. } = &outcome else { panic!("{headers}: {outcome:?}") };
        assert_eq!(*after, Some(Duration::from_secs(after_s)), "{headers}");
    }
    let html = once(&Provider::always(|| Act::Answer(429, "retry-after: 90\r\n", String::new())).await).await;
    assert!(later(Scope::Rate, 90)(&html), "{html:?}");
}

#[tokio::test]
async fn neither_token_nor_number_get_into_an_outcome() {
    let echo =
        format!("{TOKEN} {PHONE} 54 9 11 2345-6789 wamid.HBgNNTQ5MTEyMzQ1Njc4ORUCABEYEjkx+/AA= https://a/?t={TOKEN}");
    let errors = [json!(echo), json!({"details": echo}), json!(null)].map(|data| {
        [100, 131_026, 190, 4, 777_777]
            .map(|code| json!({"error": {"code": code, "message": echo, "error_data": data}}).to_string())
    });
    let bodies = errors.into_iter().flatten().chain([echo.clone(), format!("<html>{echo}</html>")]);
    for body in bodies {
        for status in [200, 400, 500] {
            let body = body.clone();
            let outcome = once(&Provider::start(move |_| Act::Answer(status, "", body.clone())).await).await;
            let shown = format!("{outcome:?} {outcome:#?}");
            for secret in [TOKEN, "canary", "5491123456789", "123456789", "2345-6789", "HBgN", "5RUCAB"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }
    let short = "s3cret";
    let mut odd = settings("http://127.0.0.1:9");
    odd.token = secrecy::SecretString::from(short);
    let body = json!({"error": {"code": 190, "message": format!("bad token {short}")}}).to_string();
    let provider = Provider::start(move |_| Act::Answer(401, "", body.clone())).await;
    odd.base_url = format!("http://{}", provider.address);
    let shown = format!("{:?}", api(odd).send(&hello(), Gate::open()).await.expect("the gate is open"));
    assert!(shown.contains("bad token …"), "{shown}");
}

proptest! {
    #[test]
    fn any_answer_has_an_outcome(status in 100..600_u16, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let outcome = interpret(status, None, &body);
        prop_assert_ne!(outcome.code(), "accepted");
    }

    #[test]
    fn any_code_with_any_words_has_an_outcome_without_digits_of_a_number(code in any::<i64>(), words in ".{0,200}") {
        let body = json!({"error": {"code": code, "message": format!("{words} +5491123456789 {words}")}}).to_string();
        let outcome = interpret(400, None, body.as_bytes());
        let shown = format!("{outcome:?}");
        prop_assert!(!shown.contains("5491123456789"));
    }
}

/// A provider on a thread of its own: answers one request, closes its connection when it is asked to, answers another one.
/// Both ends of the asking; how many whole requests it got is the thread's result.
fn closing_provider() -> (String, mpsc::Sender<()>, mpsc::Receiver<()>, std::thread::JoinHandle<usize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let ((close, asked), (done, closed)) = (mpsc::channel(), mpsc::channel());
    let provider = std::thread::spawn(move || {
        let mut whole = 0;
        for turn in 0..2 {
            let (mut stream, _) = listener.accept().expect("a connection");
            whole += usize::from(answer_one(&mut stream));
            if turn == 0 {
                asked.recv().expect("the test goes on");
                drop(stream);
                done.send(()).expect("the test goes on");
            }
        }
        whole
    });
    (address, close, closed, provider)
}

/// Reads a request to its announced end and answers it. `false`: it broke off before.
fn answer_one(stream: &mut std::net::TcpStream) -> bool {
    let (mut bytes, mut more) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if let (Some(end), Some(length)) = (text.find("\r\n\r\n"), length)
            && bytes.len() >= end + 4 + length
        {
            let body = accepted("wamid.A");
            let answer = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            return stream.write_all(answer.as_bytes()).is_ok();
        }
        match stream.read(&mut more) {
            Ok(0) | Err(_) => return false,
            Ok(n) => bytes.extend_from_slice(&more[..n]),
        }
    }
}

/// On one thread, so that the client cannot notice the end of the connection before it is given the next message.
#[tokio::test]
async fn a_kept_connection_that_ended_before_the_message_was_handed_to_it_sent_nothing_and_another_is_taken() {
    let (address, close, closed, provider) = closing_provider();
    let api = api(settings(&address));
    let first = api.send(&hello(), Gate::open()).await.expect("the gate is open");
    assert!(matches!(first, Outcome::Accepted { .. }), "{first:?}");
    // The client puts the connection back.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    close.send(()).expect("the provider listens");
    closed.recv().expect("it closed the connection");
    let second = api.send(&hello(), Gate::open()).await.expect("the gate is open");
    assert!(matches!(second, Outcome::Accepted { .. }), "{second:?}");
    assert_eq!(provider.join().expect("no panic"), 2, "each message was sent once");
}
