//! What strangers and viewers type: texts that would take a core, links in the place of a name; and what every answer carries.

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use mysql_async::prelude::Queryable as _;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::bridge::{Answer, Bridge, answer};
use crate::support::person::token;

async fn viewer(bridge: &Bridge) -> String {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let made = token(&desk, &who, "reports", Role::Viewer).await;
    made.expose_secret().to_owned()
}

async fn preview(bridge: &Bridge, token: &str, body: &str) -> Answer {
    let source = json!({ "text": { "name": "invoice_created", "body": body } });
    let url = bridge.url("/api/v1/templates/invoice_created/en/preview");
    answer(bridge.http.post(url).bearer_auth(token).json(&source)).await
}

#[tokio::test]
async fn a_viewers_texts_take_no_core_and_stop_nothing() {
    let bridge = Bridge::start().await;
    let token = viewer(&bridge).await;
    let grown = format!("'aaaaaaaaaa'{}", "|replace('a', 'aaaaaaaaaa')".repeat(30));
    let evil = [
        "7 in [1] * 100000000".to_owned(),
        "[1] * 100000000 == [1] * 100000001".to_owned(),
        "'x' * 100000000".to_owned(),
        "range(100000)|string".to_owned(),
        "[1]|batch(1000000000, 'x')".to_owned(),
        grown,
    ];
    let started = std::time::Instant::now();
    let (at, key) = (&bridge, &token);
    let all = evil.iter().flat_map(|text| [text, text]).map(|text| async move {
        let seen = preview(at, key, &format!("Hi {{{{ {text} }}}} .")).await;
        assert!(seen.body["shown"].is_null() && seen.status == 200, "{text}: {}", seen.body);
        assert_eq!(seen.body["findings"][0]["blocks"], json!(true), "{text}: {}", seen.body);
    });
    let (_, healthy) =
        tokio::join!(futures_util::future::join_all(all), answer(bridge.http.get(bridge.url("/healthz"))),);
    assert_eq!(healthy.status, 200);
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    let good =
        preview(&bridge, &token, "Hi {{ recipient.name|upper }}, your invoice {{ invoice.number }} is here.").await;
    assert!(good.body["shown"]["body"].as_str().is_some_and(|text| text.contains("ANA")), "{}", good.body);
    bridge.finish().await;
}

#[tokio::test]
async fn our_number_carries_no_strangers_link() {
    let bridge = Bridge::start().await;
    let client = CAST.client_spanish;
    let mut platform = bridge.db.platform().await;
    let sql = "UPDATE tblclients SET firstname = 'Ganaste 1 premio: http://evil.example/x', companyname = 'evil.com' WHERE id = ?";
    platform.exec_drop(sql, (client,)).await.expect("the client has another name");
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.settle().await;
    let texts: Vec<String> = bridge.messages().await.into_iter().map(|message| message.text).collect();
    assert!(!texts.is_empty(), "the welcome goes out");
    for text in texts {
        assert!(!text.contains("evil") && text.contains("cliente"), "{text}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn every_answer_says_nosniff_and_over_tls_to_never_come_without() {
    let bridge = Bridge::start().await;
    let token = viewer(&bridge).await;
    let paths = [
        "/healthz",
        "/readyz",
        "/metrics",
        "/admin/login",
        "/admin/assets/style.css",
        "/api/v1/me",
        "/nothing",
        "/v1/events",
    ];
    for path in paths {
        let ask = |proto: Option<&'static str>| {
            let request = bridge.http.get(bridge.url(path)).bearer_auth(&token);
            proto.map_or_else(
                || request.try_clone().expect("no body"),
                |one| request.try_clone().expect("no body").header("x-forwarded-proto", one),
            )
        };
        let plain = ask(None).send().await.expect("an answer");
        assert_eq!(plain.headers()["x-content-type-options"], "nosniff", "{path}");
        assert!(plain.headers().get("strict-transport-security").is_none(), "{path}");
        let tls = ask(Some("https")).send().await.expect("an answer");
        assert_eq!(tls.headers()["strict-transport-security"], "max-age=31536000", "{path}");
        let lie = ask(Some("https, http")).send().await.expect("an answer");
        assert!(lie.headers().get("strict-transport-security").is_none(), "{path}: the last one counts");
    }
    bridge.finish().await;
    let bridge = Bridge::with(&[("SERVER__BEHIND_TLS", "true")], |_| {}).await;
    let seen = bridge.http.get(bridge.url("/healthz")).send().await.expect("an answer");
    assert_eq!(seen.headers()["strict-transport-security"], "max-age=31536000");
    bridge.finish().await;
}
