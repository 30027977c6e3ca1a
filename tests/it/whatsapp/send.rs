//! What goes over the wire, what comes back when all is well, and how a client is built.

use std::time::Duration;

use hookbridge::domain::message::Parameters;
use hookbridge::domain::outcome::Outcome;
use hookbridge::whatsapp::{BuildError, CloudApi, CloudApiSettings, Gate, Gateway};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::provider::{
    Act, PHONE, PHONE_NUMBER_ID, Provider, TOKEN, accepted, api, hello, install_tls, message, positional, settings,
};

fn answer_ok() -> Act {
    Act::Answer(200, "", accepted("wamid.A"))
}

async fn sent(parameters: Parameters, button: Option<&str>) -> Value {
    let provider = Provider::always(answer_ok).await;
    provider.gateway().send(&message(parameters, button), Gate::open()).await;
    serde_json::from_str(&provider.requests()[0].body).expect("JSON")
}

#[tokio::test]
async fn a_template_goes_out_with_positional_values_and_a_button() {
    let body = sent(positional(&["Ana", "$ 12.500,00"]), Some("1234")).await;
    let expected = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": PHONE,
        "type": "template",
        "biz_opaque_callback_data": "0192f0c18a7e7c3ab1d24f6e8a9b0c1d",
        "template": {"name": "invoice_created", "language": {"code": "es_AR"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "$ 12.500,00"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "1234"}]},
        ]},
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn named_values_carry_their_names() {
    let named = Parameters::Named(vec![("nombre".to_owned(), "Ana ñ".to_owned())]);
    let body = sent(named, None).await;
    let expected =
        json!([{"type": "body", "parameters": [{"type": "text", "parameter_name": "nombre", "text": "Ana ñ"}]}]);
    assert_eq!(body["template"]["components"], expected);
}

#[tokio::test]
async fn a_template_without_variables_has_no_components() {
    for parameters in [positional(&[]), Parameters::Named(Vec::new())] {
        assert_eq!(sent(parameters, None).await["template"].get("components"), None);
    }
}

#[tokio::test]
async fn the_request_names_version_number_and_token() {
    let provider = Provider::always(answer_ok).await;
    let gateway = provider.gateway();
    assert_eq!(gateway.lane(), "main");
    gateway.send(&hello(), Gate::open()).await;
    let head = &provider.requests()[0].head;
    assert!(head.starts_with(&format!("POST /v23.0/{PHONE_NUMBER_ID}/messages HTTP/1.1\r\n")), "{head}");
    let lower = head.to_lowercase();
    assert!(lower.contains(&format!("authorization: bearer {}", TOKEN.to_lowercase())), "{head}");
    assert!(lower.contains("content-type: application/json"), "{head}");
}

#[tokio::test]
async fn accepted_and_held_are_told_apart() {
    let cases = [
        (json!("accepted"), false),
        (json!("held_for_quality_assessment"), true),
        (json!("paused"), true),
        (json!("new"), false),
    ];
    for (status, held) in cases.into_iter().chain([(Value::Null, false), (json!(7), false)]) {
        let body = json!({"messages": [{"id": "wamid.A", "message_status": status}]}).to_string();
        let provider = Provider::start(move |_| Act::Answer(200, "", body.clone())).await;
        let expected = Outcome::Accepted { provider_id: "wamid.A".to_owned(), held };
        assert_eq!(provider.gateway().send(&hello(), Gate::open()).await.expect("the gate is open"), expected);
    }
    let provider = Provider::always(|| Act::Answer(200, "", r#"{"messages":[{"id":"wamid.B"}]}"#.to_owned())).await;
    let expected = Outcome::Accepted { provider_id: "wamid.B".to_owned(), held: false };
    assert_eq!(
        provider.gateway().send(&hello(), Gate::open()).await.expect("the gate is open"),
        expected,
        "without contacts and status"
    );
}

#[tokio::test]
async fn one_after_another_shares_a_connection_and_many_at_once_all_arrive() {
    let provider = Provider::always(answer_ok).await;
    let gateway = provider.gateway();
    for _ in 0..5 {
        assert_eq!(gateway.send(&hello(), Gate::open()).await.expect("the gate is open").code(), "accepted");
    }
    assert_eq!(provider.connections(), 1);
    let all = (0..100).map(|_| async { gateway.send(&hello(), Gate::open()).await.expect("the gate is open").code() });
    let codes = futures_util::future::join_all(all).await;
    assert!(codes.iter().all(|code| *code == "accepted"), "{codes:?}");
    assert_eq!(provider.requests().len(), 105);
}

#[test]
fn a_wrong_setting_is_named() {
    install_tls();
    let good = || settings("https://graph.facebook.com");
    let with = |change: fn(&mut CloudApiSettings)| {
        let mut settings = good();
        change(&mut settings);
        CloudApi::new(settings).map(|_| ())
    };
    for base_url in [
        "https://graph.facebook.com/",
        "https://[::1]:8443/x",
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:1",
    ] {
        assert_eq!(CloudApi::new(settings(base_url)).map(|_| ()), Ok(()), "{base_url}");
    }
    for base_url in [
        "",
        "graph.facebook.com",
        "ftp://a",
        "http://graph.facebook.com",
        "https://u:p@a",
        "https://a/?x=1",
        "https://a/#x",
        "http://localhost.evil.example",
    ] {
        assert_eq!(CloudApi::new(settings(base_url)).map(|_| ()), Err(BuildError::BaseUrl), "{base_url}");
    }
    assert_eq!(with(|s| s.version = "23".to_owned()), Err(BuildError::Version));
    assert_eq!(with(|s| s.version = "v23.0/../x".to_owned()), Err(BuildError::Version));
    assert_eq!(with(|s| s.phone_number_id = "+54911".to_owned()), Err(BuildError::Id("phone_number_id")));
    assert_eq!(with(|s| s.token = SecretString::from("")), Err(BuildError::Token));
    assert_eq!(with(|s| s.token = SecretString::from("a\nb")), Err(BuildError::Token));
    assert_eq!(with(|s| s.proxy = Some(SecretString::from("::"))), Err(BuildError::Proxy));
    assert_eq!(with(|s| s.connect_timeout = s.timeout), Err(BuildError::Timeout));
    assert_eq!(with(|s| s.connect_timeout = Duration::ZERO), Err(BuildError::Timeout));
}

#[tokio::test]
async fn an_explicit_proxy_is_used() {
    let proxy = Provider::always(answer_ok).await;
    let mut behind = settings("http://127.0.0.1:9");
    behind.proxy = Some(SecretString::from(format!("http://{}", proxy.address)));
    assert_eq!(api(behind).send(&hello(), Gate::open()).await.expect("the gate is open").code(), "accepted");
    assert!(proxy.requests()[0].head.starts_with("POST http://127.0.0.1:9/v23.0/"));
}

#[test]
fn neither_settings_nor_client_show_the_token() {
    let mut with_proxy = settings("https://graph.facebook.com");
    with_proxy.proxy = Some(SecretString::from("http://user:canary@127.0.0.1:9"));
    let shown = format!("{with_proxy:?}");
    let gateway = Gateway::CloudApi(api(with_proxy));
    for text in [shown, format!("{gateway:?}"), format!("{gateway:#?}")] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_gate_that_closed_while_the_connection_was_made_lets_nothing_out() {
    let provider = Provider::always(answer_ok).await;
    let gateway = provider.gateway();
    assert_eq!(gateway.send(&hello(), Gate::new(|| false)).await, None);
    assert!(provider.requests().is_empty(), "not a byte of a request");
    // The next one goes, on a connection of its own.
    assert!(gateway.send(&hello(), Gate::open()).await.is_some());
    assert_eq!(provider.requests().len(), 1);
}
