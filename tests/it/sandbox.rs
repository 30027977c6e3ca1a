//! The stand-in provider, rule by rule, over real sockets: what it refuses, what it answers, what it posts back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hookbridge::clock::Clock;
use hookbridge::http::body::read_body;
use hookbridge::http::server::{self, Limits};
use hookbridge::sandbox::{
    Fault, PhoneNumber, Reply, ReplyButton, Sandbox, SandboxConfig, Status, TemplateStatus, Trouble,
};
use hookbridge::signature::verify_hub;
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use warp::http::HeaderMap;
use warp::{Filter, Reply as _};

const ANA: &str = "+5491123456789";
const NUMBER: &str = "106540352242922";
const WABA: &str = "102290129340398";
const TOKEN: &str = "sandbox-access-token";
/// Longer than any answer takes; only a fault lets a request wait for it.
const PATIENCE: Duration = Duration::from_millis(300);

struct Bench {
    sandbox: Sandbox,
    clock: Clock,
    client: Client,
}

/// A stand-in whose clock stands still and whose receipts wait for the test.
async fn bench(change: impl FnOnce(&mut SandboxConfig)) -> Bench {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
    let mut config = SandboxConfig::new(clock.clone());
    config.receipts.manual = true;
    config.seed = 7;
    change(&mut config);
    let sandbox = Sandbox::start(config).await.unwrap();
    sandbox.add_template(&named()).unwrap();
    sandbox.add_template(&positional("aviso")).unwrap();
    let client = Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap();
    Bench { sandbox, clock, client }
}

async fn usual() -> Bench {
    bench(|_| ()).await
}

fn named() -> Value {
    json!({"name": "factura_vencida", "language": "es_AR", "category": "UTILITY", "parameter_format": "named",
        "components": [
            {"type": "BODY", "text": "Hola {{nombre}}, la factura {{numero}} venció ayer. Podés verla en tu área de cliente.",
             "example": {"body_text_named_params": [{"param_name": "nombre", "example": "Ana"},
                {"param_name": "numero", "example": "1234"}]}},
            {"type": "FOOTER", "text": "Respondé BAJA para no recibir más avisos"},
            {"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Ver factura", "url": "https://example.com/viewinvoice.php?id={{1}}", "example": ["1"]},
                {"type": "QUICK_REPLY", "text": "No recibir más"}]}]})
}

fn positional(name: &str) -> Value {
    json!({"name": name, "language": "es_AR", "category": "UTILITY", "components": [
        {"type": "BODY", "text": "El servicio {{1}} está activo desde hoy.", "example": {"body_text": [["web"]]}}]})
}

fn factura(to: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "template", "biz_opaque_callback_data": "alert:8c1f",
        "template": {"name": "factura_vencida", "language": {"code": "es_AR"}, "components": [
            {"type": "body", "parameters": [
                {"type": "text", "parameter_name": "numero", "text": "1234"},
                {"type": "text", "parameter_name": "nombre", "text": "Ñandú & <b>"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "1234"}]}]}})
}

fn aviso(to: &str, value: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "template",
        "template": {"name": "aviso", "language": {"code": "es_AR"}, "components": [
            {"type": "body", "parameters": [{"type": "text", "text": value}]}]}})
}

fn text(to: &str, body: &str) -> Value {
    json!({"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}})
}

impl Bench {
    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.sandbox.url())
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let answer = self.client.post(self.url(path)).bearer_auth(TOKEN).json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.client.get(self.url(path)).bearer_auth(TOKEN).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn send(&self, body: &Value) -> (StatusCode, Value) {
        self.post(&format!("v26.0/{NUMBER}/messages"), body).await
    }

    async fn accepted(&self, body: &Value) -> String {
        let (status, answer) = self.send(body).await;
        assert_eq!(status, 200, "{answer}");
        answer["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn nothing_was_taken(&self) {
        assert!(self.sandbox.messages().is_empty());
    }

    /// The send call is refused with 400 and `code`, and nothing is kept.
    async fn refused(&self, body: &Value, code: u32) {
        let before = self.sandbox.stats().accepted;
        let (status, answer) = self.send(body).await;
        assert_eq!((status.as_u16(), &answer["error"]["code"]), (400, &json!(code)), "{body} → {answer}");
        assert_eq!(self.sandbox.stats().accepted, before);
    }

    /// Sends with a fault that leaves no readable answer.
    async fn send_unanswered(&self) {
        let call = self.client.post(self.url(&format!("v26.0/{NUMBER}/messages"))).bearer_auth(TOKEN);
        let answer = call.json(&aviso(ANA, "web")).timeout(PATIENCE).send().await;
        assert!(answer.is_err(), "{answer:?}");
    }
}

fn create(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = positional("otro");
    change(&mut body);
    body
}

/// A callback that keeps what it gets and answers what it is told.
struct Callback {
    url: String,
    posts: Arc<Mutex<Vec<Post>>>,
    answers: Arc<Mutex<Vec<u16>>>,
    server: JoinHandle<()>,
}

struct Post {
    genuine: bool,
    raw: Vec<u8>,
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Callback {
    async fn start() -> Self {
        let (posts, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::<u16>::new())));
        let (kept, told) = (posts.clone(), answers.clone());
        let take = warp::post().and(warp::header::headers_cloned()).and(warp::body::stream()).then(
            move |headers: HeaderMap, body| {
                let (kept, told) = (kept.clone(), told.clone());
                async move {
                    let raw = read_body(body, None, 3 << 20, Duration::from_secs(5)).await.unwrap().to_vec();
                    let signature = headers["x-hub-signature-256"].to_str().unwrap();
                    let genuine = verify_hub(signature, &raw, &"sandbox-app-secret".to_owned().into());
                    kept.lock().unwrap().push(Post { genuine, raw });
                    let status = told.lock().unwrap().pop().unwrap_or(200);
                    warp::reply::with_status("", StatusCode::from_u16(status).unwrap()).into_response()
                }
            },
        );
        let shake = warp::get().and(warp::query::raw()).map(|query: String| {
            let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or("");
            let known = value("hub.mode=") == "subscribe" && value("hub.verify_token=") == "sandbox-verify-token";
            let challenge = if known { value("hub.challenge=") } else { "" };
            challenge.to_owned().into_response()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/receipts", listener.local_addr().unwrap());
        let routes = take.or(shake).unify().boxed();
        let server = tokio::spawn(server::serve(listener, routes, Limits::default(), std::future::pending()));
        Self { url, posts, answers, server }
    }

    /// All `value`s of all POSTs.
    fn values(&self) -> Vec<Value> {
        let posts = self.posts.lock().unwrap();
        let bodies = posts.iter().map(|post| serde_json::from_slice::<Value>(&post.raw).unwrap());
        bodies.map(|body| body["entry"][0]["changes"][0]["value"].clone()).collect()
    }

    fn statuses(&self) -> Vec<Value> {
        self.values().iter().flat_map(|value| value["statuses"].as_array().cloned().unwrap_or_default()).collect()
    }

    fn words(&self) -> Vec<String> {
        self.statuses().iter().map(|status| status["status"].as_str().unwrap().to_owned()).collect()
    }
}

async fn with_callback(change: impl FnOnce(&mut SandboxConfig)) -> (Bench, Callback) {
    let callback = Callback::start().await;
    let bench = bench(change).await;
    bench.sandbox.set_callback_url(Some(callback.url.clone()));
    (bench, callback)
}

// Sending

#[tokio::test]
async fn a_template_is_accepted_and_shows_what_the_client_reads() {
    let bench = usual().await;
    let (status, answer) = bench.send(&factura(ANA)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["contacts"], json!([{"input": ANA, "wa_id": "5491123456789"}]));
    assert_eq!(answer["messages"][0]["message_status"], "accepted");
    let messages = bench.sandbox.messages();
    let content = &messages[0].content;
    assert_eq!(content.text, "Hola Ñandú & <b>, la factura 1234 venció ayer. Podés verla en tu área de cliente.");
    assert_eq!(content.buttons[0].url.as_deref(), Some("https://example.com/viewinvoice.php?id=1234"));
    assert_eq!(content.buttons[1].payload.as_deref(), Some("No recibir más"));
    assert_eq!(messages[0].biz_opaque_callback_data.as_deref(), Some("alert:8c1f"));
    assert_eq!(messages[0].status(), Status::Accepted);
}

#[tokio::test]
async fn any_version_or_none_leads_to_the_same_call() {
    let bench = usual().await;
    for version in ["v23.0/", "v26.0/", ""] {
        let (status, _) = bench.post(&format!("{version}{NUMBER}/messages"), &aviso(ANA, "web")).await;
        assert_eq!(status, 200);
    }
    assert_eq!(bench.sandbox.stats().accepted, 3);
}

#[tokio::test]
async fn every_answer_carries_the_providers_headers() {
    let bench = usual().await;
    let call = bench.client.post(bench.url(&format!("v26.0/{NUMBER}/messages"))).bearer_auth(TOKEN);
    let answer = call.json(&aviso("1", "web")).send().await.unwrap();
    for name in ["x-fb-request-id", "x-fb-trace-id", "x-fb-rev", "x-fb-debug", "facebook-api-version"] {
        assert!(answer.headers().contains_key(name), "{name}");
    }
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(challenge, r#"OAuth "Facebook Platform" "invalid_request" "(#100) Invalid parameter""#);
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_answered_401_with_190() {
    let bench = usual().await;
    let call = || bench.client.post(bench.url(&format!("v26.0/{NUMBER}/messages"))).json(&aviso(ANA, "web"));
    for call in [call(), call().bearer_auth("x"), call().header("authorization", TOKEN)] {
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 190);
    }
    bench.nothing_was_taken();
}

#[tokio::test]
async fn an_unknown_sending_number_is_refused() {
    let bench = usual().await;
    let (status, answer) = bench.post("v26.0/999/messages", &aviso(ANA, "web")).await;
    assert_eq!((status.as_u16(), &answer["error"]["error_subcode"]), (400, &json!(33)));
}

#[tokio::test]
async fn a_recipient_without_plus_and_country_code_is_refused() {
    let bench = usual().await;
    for to in ["5491123456789", "1123456789", "+54", "", "+54 9 11 2345 678x"] {
        bench.refused(&aviso(to, "web"), 100).await;
    }
    bench.nothing_was_taken();
}

#[tokio::test]
async fn the_account_may_differ_from_the_number_that_was_sent_to() {
    let bench = usual().await;
    for (to, wa_id) in [
        ("+541123456789", "5491123456789"),
        ("+54 11 15 2345-6789", "5491123456789"),
        ("+525512345678", "5215512345678"),
        ("+5551987654321", "555187654321"),
    ] {
        let (_, answer) = bench.send(&aviso(to, "web")).await;
        assert_eq!(answer["contacts"], json!([{"input": to, "wa_id": wa_id}]));
    }
}

#[tokio::test]
async fn a_member_that_is_unknown_missing_or_misplaced_is_refused() {
    let bench = usual().await;
    let changed = |pointer: &str, name: &str, value: Value| {
        let mut body = factura(ANA);
        body.pointer_mut(pointer).unwrap()[name] = value;
        body
    };
    for (pointer, name) in [
        ("", "biz_opaque_callbak_data"),
        ("/template", "lang"),
        ("/template/language", "x"),
        ("/template/components/0", "x"),
    ] {
        bench.refused(&changed(pointer, name, json!("x")), 100).await;
    }
    bench.refused(&changed("", "messaging_product", json!("sms")), 100).await;
    bench.refused(&changed("", "text", json!({"body": "x"})), 100).await;
    bench.refused(&changed("", "biz_opaque_callback_data", json!("x".repeat(513))), 100).await;
    for member in ["to", "template"] {
        let mut body = factura(ANA);
        body.as_object_mut().unwrap().remove(member);
        bench.refused(&body, 131_008).await;
    }
    let mut body = factura(ANA);
    body.as_object_mut().unwrap().remove("messaging_product");
    bench.refused(&body, 100).await;
    bench.refused(&json!([]), 100).await;
    let image = json!({"messaging_product": "whatsapp", "to": ANA, "type": "image", "image": {"id": "1"}});
    bench.refused(&image, 131_051).await;
    bench.nothing_was_taken();
}

#[tokio::test]
async fn a_template_must_exist_in_exactly_that_language() {
    let bench = usual().await;
    for (name, language) in [("factura_vencida", "es"), ("factura_vencida", "es-AR"), ("otra", "es_AR")] {
        let mut body = factura(ANA);
        body["template"]["name"] = json!(name);
        body["template"]["language"]["code"] = json!(language);
        bench.refused(&body, 132_001).await;
    }
}

#[tokio::test]
async fn only_an_approved_template_is_sent() {
    let bench = usual().await;
    for (status, code) in [
        (TemplateStatus::Paused, 132_015),
        (TemplateStatus::Disabled, 132_016),
        (TemplateStatus::Pending, 132_001),
        (TemplateStatus::Rejected, 132_001),
    ] {
        assert!(bench.sandbox.set_template_status("aviso", "es_AR", status));
        bench.refused(&aviso(ANA, "web"), code).await;
    }
}

#[tokio::test]
async fn the_number_of_parameters_must_match() {
    let bench = usual().await;
    let mut body = factura(ANA);
    body["template"]["components"][0]["parameters"].as_array_mut().unwrap().pop();
    bench.refused(&body, 132_000).await;
    let mut body = factura(ANA);
    body["template"]["components"].as_array_mut().unwrap().clear();
    bench.refused(&body, 132_000).await;
}

#[tokio::test]
async fn named_and_positional_parameters_are_not_mixed_up() {
    let bench = usual().await;
    let mut body = factura(ANA);
    body["template"]["components"][0]["parameters"][0].as_object_mut().unwrap().remove("parameter_name");
    bench.refused(&body, 132_012).await;
    let mut body = factura(ANA);
    body["template"]["components"][0]["parameters"][0]["parameter_name"] = json!("nombre");
    bench.refused(&body, 132_012).await;
    let mut body = aviso(ANA, "web");
    body["template"]["components"][0]["parameters"][0]["parameter_name"] = json!("servicio");
    bench.refused(&body, 132_012).await;
}

#[tokio::test]
async fn a_value_with_a_line_break_a_tab_or_five_blanks_is_refused() {
    let bench = usual().await;
    for value in ["a\nb", "a\tb", "a\rb", "a     b"] {
        bench.refused(&aviso(ANA, value), 132_018).await;
    }
    bench.accepted(&aviso(ANA, "a    b")).await;
}

#[tokio::test]
async fn an_empty_value_is_refused() {
    let bench = usual().await;
    bench.refused(&aviso(ANA, ""), 100).await;
    bench.refused(&aviso(ANA, " "), 100).await;
}

#[tokio::test]
async fn a_filled_body_over_1024_characters_is_refused() {
    let bench = usual().await;
    let around = "El servicio  está activo desde hoy.".chars().count();
    bench.accepted(&aviso(ANA, &"ñ".repeat(1_024 - around))).await;
    bench.refused(&aviso(ANA, &"ñ".repeat(1_025 - around)), 132_005).await;
}

#[tokio::test]
async fn a_button_with_a_variable_needs_its_value_and_its_kind() {
    let bench = usual().await;
    let mut body = factura(ANA);
    body["template"]["components"].as_array_mut().unwrap().pop();
    bench.refused(&body, 131_008).await;
    let mut body = factura(ANA);
    body["template"]["components"][1]["sub_type"] = json!("quick_reply");
    bench.refused(&body, 132_018).await;
    let mut body = factura(ANA);
    body["template"]["components"][1]["index"] = json!("2");
    bench.refused(&body, 132_018).await;
    let mut body = factura(ANA);
    body["template"]["components"][1]["index"] = json!(0);
    bench.accepted(&body).await;
}

#[tokio::test]
async fn free_text_needs_an_open_window_of_24_hours() {
    let bench = usual().await;
    bench.refused(&text(ANA, "hola"), 131_047).await;
    bench.accepted(&aviso(ANA, "web")).await;
    bench.refused(&text(ANA, "a template does not open the window"), 131_047).await;
    let reply = Reply { from: ANA.into(), text: Some("BAJA".into()), ..Reply::default() };
    bench.sandbox.reply(&reply).unwrap();
    let (status, answer) = bench.send(&text(ANA, "hola")).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["messages"][0]["message_status"], Value::Null, "only templates carry it");
    bench.refused(&text("+5491100000000", "another client"), 131_047).await;
    bench.clock.advance_ms(24 * 3_600_000);
    bench.refused(&text(ANA, "hola"), 131_047).await;
}

#[tokio::test]
async fn a_closed_window_can_also_fail_after_the_answer() {
    let (bench, callback) = with_callback(|config| config.closed_window_fails_late = true).await;
    bench.accepted(&text(ANA, "hola")).await;
    bench.sandbox.drain_receipts().await;
    assert_eq!(callback.statuses()[0]["errors"][0]["code"], 131_047);
}

#[tokio::test]
async fn a_text_over_4096_characters_or_empty_is_refused() {
    let bench = usual().await;
    let reply = Reply { from: ANA.into(), text: Some("hola".into()), ..Reply::default() };
    bench.sandbox.reply(&reply).unwrap();
    bench.accepted(&text(ANA, &"ñ".repeat(4_096))).await;
    bench.refused(&text(ANA, &"ñ".repeat(4_097)), 100).await;
    bench.refused(&text(ANA, ""), 100).await;
}

#[tokio::test]
async fn the_sender_cannot_be_the_recipient() {
    let bench = bench(|config| config.phone_numbers = vec![PhoneNumber::new(NUMBER, "+54 9 11 2345-6789")]).await;
    bench.refused(&aviso(ANA, "web"), 131_021).await;
}

// Limits

#[tokio::test]
async fn one_recipient_gets_45_at_once_and_then_one_per_6_seconds() {
    let bench = bench(|config| config.rates.throughput_per_s = None).await;
    for _ in 0..45 {
        bench.accepted(&aviso(ANA, "web")).await;
    }
    bench.refused(&aviso(ANA, "web"), 131_056).await;
    bench.accepted(&aviso("+5491100000000", "web")).await;
    bench.clock.advance_ms(45 * 6_000 - 1);
    bench.refused(&aviso(ANA, "web"), 131_056).await;
    bench.clock.advance_ms(1);
    bench.accepted(&aviso(ANA, "web")).await;
    assert_eq!(bench.sandbox.stats().refused[&131_056], 2);
}

#[tokio::test]
async fn a_number_sends_80_messages_within_a_second_and_no_more() {
    let bench = usual().await;
    for number in 0..80 {
        bench.accepted(&aviso(&format!("+549110000{number:04}"), "web")).await;
    }
    bench.refused(&aviso(ANA, "web"), 130_429).await;
    bench.clock.advance_ms(1_000);
    bench.accepted(&aviso(ANA, "web")).await;
    assert_eq!(bench.sandbox.stats().most_per_second[NUMBER], 80);
}

#[tokio::test]
async fn a_throttled_call_can_be_answered_429() {
    let bench = bench(|config| {
        config.rates.throughput_per_s = Some(0);
        config.rates.throttle_http_status = 429;
    })
    .await;
    let (status, answer) = bench.send(&aviso(ANA, "web")).await;
    assert_eq!(status, 429);
    assert_eq!(answer["error"]["code"], 130_429);
    assert_eq!(answer["error"]["error_subcode"], 2_494_055);
    assert!(answer["error"]["error_data"]["details"].is_string());
}

#[tokio::test]
async fn distinct_recipients_are_limited_within_24_hours() {
    let bench = bench(|config| config.rates.recipients_per_24h = Some(1)).await;
    bench.accepted(&aviso(ANA, "web")).await;
    bench.accepted(&aviso(ANA, "web")).await;
    bench.refused(&aviso("+5491100000000", "web"), 131_048).await;
    let reply = Reply { from: "+5491100000000".into(), text: Some("hola".into()), ..Reply::default() };
    bench.sandbox.reply(&reply).unwrap();
    bench.accepted(&aviso("+5491100000000", "an open window does not count")).await;
    bench.clock.advance_ms(24 * 3_600_000);
    bench.accepted(&aviso("+5491199999999", "web")).await;
}

// Templates and numbers

#[tokio::test]
async fn a_template_is_created_listed_page_by_page_and_not_twice() {
    let bench = usual().await;
    let path = format!("v26.0/{WABA}/message_templates");
    let (status, answer) = bench.post(&path, &positional("nueva")).await;
    assert_eq!((status.as_u16(), &answer["status"]), (200, &json!("APPROVED")), "{answer}");
    let (status, answer) = bench.post(&path, &positional("nueva")).await;
    assert_eq!((status.as_u16(), &answer["error"]["error_subcode"]), (400, &json!(2_388_024)));
    assert!(answer["error"]["error_user_title"].is_string());

    let (_, page) = bench.get(&format!("{path}?limit=2&fields=name,parameter_format")).await;
    assert_eq!(page["data"][0]["name"], "factura_vencida");
    assert_eq!(page["data"][0]["parameter_format"], "NAMED");
    assert_eq!(page["data"][0]["components"], Value::Null, "only the fields that were asked for");
    let next = page["paging"]["next"].as_str().unwrap();
    let rest: Value = bench.client.get(next).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(rest["data"][0]["name"], "nueva");
    assert_eq!(rest["paging"]["next"], Value::Null, "the last page");

    let (_, found) = bench.get(&format!("{path}?name=aviso&status=approved&language=es_AR&category=UTILITY")).await;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    let (_, none) = bench.get(&format!("{path}?language=es")).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn a_template_that_waits_for_review_is_not_sent_until_approved() {
    let bench = bench(|config| config.templates_wait_for_review = true).await;
    let (_, answer) = bench.post(&format!("v26.0/{WABA}/message_templates"), &positional("nueva")).await;
    assert_eq!(answer["status"], "PENDING");
    let mut body = aviso(ANA, "web");
    body["template"]["name"] = json!("nueva");
    bench.refused(&body, 132_001).await;
    assert!(bench.sandbox.set_template_status("nueva", "es_AR", TemplateStatus::Approved));
    bench.accepted(&body).await;
}

#[tokio::test]
async fn a_template_that_breaks_a_rule_is_refused_with_its_subcode() {
    let bench = usual().await;
    let path = format!("v26.0/{WABA}/message_templates");
    let body_text = |text: &str| {
        let text = text.to_owned();
        create(move |create| create["components"][0]["text"] = json!(text))
    };
    let extra = |component: Value| create(|create| create["components"].as_array_mut().unwrap().push(component));
    let long_button = json!({"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "x".repeat(26)}]});
    for (create, subcode) in [
        (body_text("{{1}} es el servicio que hoy está activo"), Some(2_388_299)),
        (body_text("El servicio que hoy está activo es {{1}}"), Some(2_388_299)),
        (body_text("Servicio {{1}} activo"), Some(2_388_293)),
        (body_text("El servicio {{2}} está activo desde hoy."), Some(2_388_072)),
        (body_text(&format!("El {{{{1}}}} servicio {}", "x".repeat(1_024))), Some(2_388_040)),
        (create(|create| create["components"][0]["example"] = json!({})), Some(2_388_072)),
        (extra(json!({"type": "HEADER", "format": "TEXT", "text": "Dos\nlíneas"})), Some(2_388_047)),
        (extra(json!({"type": "HEADER", "format": "TEXT", "text": "x".repeat(61)})), Some(2_388_040)),
        (extra(json!({"type": "FOOTER", "text": "Hola {{1}}"})), Some(2_388_073)),
        (extra(long_button), Some(2_388_040)),
        (create(|create| create["name"] = json!("Con Mayúsculas")), None),
        (create(|create| create["language"] = json!("es-AR")), None),
        (create(|create| create["category"] = json!("OTHER")), None),
        (create(|create| create["colour"] = json!("red")), None),
        (create(|create| create["components"] = json!([])), None),
    ] {
        let (status, answer) = bench.post(&path, &create).await;
        let error = &answer["error"];
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(100)), "{create} → {answer}");
        assert_eq!(error["error_subcode"].as_u64(), subcode, "{create} → {answer}");
    }
}

#[tokio::test]
async fn a_number_shows_the_fields_that_were_asked_for() {
    let bench = bench(|config| config.rates.recipients_per_24h = Some(2_000)).await;
    let fields = "whatsapp_business_manager_messaging_limit,quality_rating,display_phone_number,verified_name";
    let (_, node) = bench.get(&format!("v26.0/{NUMBER}?fields={fields}")).await;
    assert_eq!(node["whatsapp_business_manager_messaging_limit"], "TIER_2K");
    assert_eq!(node["quality_rating"], "GREEN");
    assert_eq!(node["display_phone_number"], "+54 11 5550 7838");
    assert_eq!(node["id"], NUMBER);
    let (status, _) = bench.get(&format!("v26.0/{NUMBER}?fields=shoe_size")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_account_can_be_subscribed() {
    let bench = usual().await;
    let (_, answer) = bench.post(&format!("v26.0/{WABA}/subscribed_apps"), &json!({})).await;
    assert_eq!(answer, json!({"success": true}));
    assert!(bench.sandbox.stats().subscribed);
}

// Receipts

#[tokio::test]
async fn receipts_are_signed_batched_and_carry_our_own_id() {
    let (bench, callback) = with_callback(|_| ()).await;
    let first = bench.accepted(&factura(ANA)).await;
    bench.accepted(&factura("+5491100000000")).await;
    assert_eq!(bench.sandbox.drain_receipts().await, 4);
    let posts = callback.posts.lock().unwrap();
    assert_eq!(posts.len(), 1, "four updates of one number go into one POST");
    assert!(posts[0].genuine);
    drop(posts);
    let statuses = callback.statuses();
    assert_eq!(statuses[0]["id"], json!(first));
    assert_eq!(statuses[0]["status"], "sent");
    assert_eq!(statuses[0]["timestamp"], "1790000000");
    assert_eq!(statuses[0]["recipient_id"], "5491123456789");
    assert_eq!(statuses[0]["biz_opaque_callback_data"], "alert:8c1f");
    assert_eq!(statuses[0]["pricing"]["category"], "utility");
    assert_eq!(callback.values()[0]["metadata"]["phone_number_id"], NUMBER);
    assert_eq!(bench.sandbox.messages()[0].status(), Status::Delivered);
}

#[tokio::test]
async fn a_batch_holds_no_more_than_its_maximum() {
    let (bench, callback) = with_callback(|config| config.receipts.batch_max = 3).await;
    bench.accepted(&factura(ANA)).await;
    bench.accepted(&factura(ANA)).await;
    bench.sandbox.drain_receipts().await;
    let sizes: Vec<usize> = callback.values().iter().map(|value| value["statuses"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [3, 1]);
}

#[tokio::test]
async fn receipts_wait_until_they_are_due() {
    let (bench, callback) = with_callback(|config| {
        config.receipts.delivered_after_ms = 2_000;
        config.receipts.read_after_ms = Some(9_000);
    })
    .await;
    bench.accepted(&factura(ANA)).await;
    assert_eq!(bench.sandbox.deliver_due_receipts().await, 1);
    bench.clock.advance_ms(2_000);
    assert_eq!(bench.sandbox.deliver_due_receipts().await, 1);
    bench.clock.advance_ms(7_000);
    assert_eq!(bench.sandbox.deliver_due_receipts().await, 1);
    assert_eq!(callback.words(), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn receipts_that_are_not_taken_with_200_come_again_and_are_given_up_in_the_end() {
    let (bench, callback) = with_callback(|config| config.receipts.attempts_max = 3).await;
    bench.accepted(&factura(ANA)).await;
    *callback.answers.lock().unwrap() = vec![200, 202, 500];
    assert_eq!(bench.sandbox.drain_receipts().await, 2);
    assert_eq!(callback.posts.lock().unwrap().len(), 3);
    bench.accepted(&factura(ANA)).await;
    *callback.answers.lock().unwrap() = vec![500; 9];
    assert_eq!(bench.sandbox.drain_receipts().await, 0);
    assert_eq!(callback.posts.lock().unwrap().len(), 6);
    assert_eq!(bench.sandbox.stats().receipts_given_up, 2);
}

#[tokio::test]
async fn without_manual_mode_receipts_come_by_themselves() {
    let callback = Callback::start().await;
    let bench = bench(|config| config.receipts.manual = false).await;
    bench.sandbox.set_callback_url(Some(callback.url.clone()));
    bench.accepted(&factura(ANA)).await;
    let both = async {
        while bench.sandbox.stats().receipts_posted < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), both).await.unwrap();
    assert_eq!(callback.words().len(), 2);
}

#[tokio::test]
async fn receipts_can_be_absent_doubled_reordered_late_or_falsely_signed() {
    let (bench, callback) = with_callback(|_| ()).await;
    for (trouble, words, genuine) in [
        (Trouble::ReceiptsNever, &[][..], true),
        (Trouble::ReceiptsDoubled, &["sent", "sent", "delivered", "delivered"], true),
        (Trouble::ReceiptsReordered, &["delivered", "sent"], true),
        (Trouble::ReceiptsLate { ms: 5_000 }, &["sent", "delivered"], true),
        (Trouble::ReceiptsWrongSignature, &["sent", "delivered"], false),
    ] {
        bench.sandbox.fault(Fault::next(trouble.clone()));
        bench.accepted(&factura(ANA)).await;
        if let Trouble::ReceiptsLate { .. } = trouble {
            assert_eq!(bench.sandbox.deliver_due_receipts().await, 0);
        }
        bench.sandbox.drain_receipts().await;
        assert_eq!(callback.words(), words, "{trouble:?}");
        assert!(callback.posts.lock().unwrap().drain(..).all(|post| post.genuine == genuine), "{trouble:?}");
    }
}

#[tokio::test]
async fn a_message_can_fail_after_it_was_accepted() {
    let (bench, callback) = with_callback(|_| ()).await;
    bench.sandbox.fault(Fault::next(Trouble::ReceiptFailed { code: 131_026 }));
    bench.accepted(&factura(ANA)).await;
    bench.sandbox.drain_receipts().await;
    let status = &callback.statuses()[0];
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_026)));
    assert_eq!(status["biz_opaque_callback_data"], "alert:8c1f");
    assert_eq!(bench.sandbox.messages()[0].status(), Status::Failed);
}

#[tokio::test]
async fn receipts_can_overtake_the_answer() {
    let (bench, callback) = with_callback(|_| ()).await;
    bench.sandbox.fault(Fault::next(Trouble::ReceiptsBeforeAnswer));
    bench.sandbox.fault(Fault::next(Trouble::HangAfterAccept));
    bench.send_unanswered().await;
    assert_eq!(callback.words(), ["sent", "delivered"]);
}

#[tokio::test]
async fn a_held_message_is_released_or_dropped() {
    let (bench, callback) = with_callback(|_| ()).await;
    for (released, words) in [(true, &["sent", "delivered"][..]), (false, &["failed"])] {
        bench.sandbox.fault(Fault::next(Trouble::Held { released }));
        let (_, answer) = bench.send(&factura(ANA)).await;
        assert_eq!(answer["messages"][0]["message_status"], "held_for_quality_assessment");
        bench.sandbox.drain_receipts().await;
        assert_eq!(callback.words(), words);
        callback.posts.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn the_callback_must_know_the_token_of_the_handshake() {
    let (bench, _callback) = with_callback(|_| ()).await;
    assert!(bench.sandbox.verify_callback().await);
    let (other, _other_callback) = with_callback(|config| config.verify_token = "other".to_owned().into()).await;
    assert!(!other.sandbox.verify_callback().await);
}

#[tokio::test]
async fn a_clients_words_and_buttons_become_webhooks_with_escaped_letters() {
    let (bench, callback) = with_callback(|_| ()).await;
    let template = bench.accepted(&factura(ANA)).await;
    let words =
        Reply { from: ANA.into(), text: Some("Sí, ñandú".into()), name: Some("Ana".into()), ..Reply::default() };
    bench.sandbox.reply(&words).unwrap();
    let button = ReplyButton { payload: "BAJA".into(), text: "No recibir más".into() };
    bench.sandbox.reply(&Reply { from: "5491123456789".into(), button: Some(button), ..Reply::default() }).unwrap();
    bench.sandbox.drain_receipts().await;
    let values: Vec<Value> = callback.values().into_iter().filter(|value| value["messages"].is_array()).collect();
    assert_eq!(values[0]["messages"][0]["text"]["body"], "Sí, ñandú");
    assert_eq!(values[0]["contacts"], json!([{"profile": {"name": "Ana"}, "wa_id": "5491123456789"}]));
    let pressed = &values[1]["messages"][0];
    assert_eq!(pressed["button"], json!({"payload": "BAJA", "text": "No recibir más"}));
    assert_eq!(pressed["context"]["id"], json!(template));
    let posts = callback.posts.lock().unwrap();
    assert!(posts.iter().all(|post| post.genuine && post.raw.is_ascii()));
    assert!(posts.iter().any(|post| String::from_utf8_lossy(&post.raw).contains(r"S\u00ed, \u00f1and\u00fa")));
}

#[tokio::test]
async fn a_templates_new_status_is_told_with_a_number_and_a_hyphen() {
    let (bench, callback) = with_callback(|_| ()).await;
    assert!(bench.sandbox.set_template_status("aviso", "es_AR", TemplateStatus::Paused));
    assert!(!bench.sandbox.set_template_status("aviso", "es", TemplateStatus::Paused));
    bench.sandbox.drain_receipts().await;
    let value = &callback.values()[0];
    assert_eq!((&value["event"], &value["message_template_language"]), (&json!("PAUSED"), &json!("es-AR")));
    assert!(value["message_template_id"].is_u64());
}

// Faults

#[tokio::test]
async fn an_error_strikes_only_the_recipient_or_template_it_was_ordered_for() {
    let bench = usual().await;
    let error = |code| Trouble::Error {
        code,
        http_status: Some(429),
        subcode: None,
        error_data: hookbridge::sandbox::ErrorData::Text,
        transient: Some(true),
    };
    bench.sandbox.fault(Fault::next(error(131_056)).to("+5491100000000").times(2));
    bench.sandbox.fault(Fault::next(error(132_015)).template("factura_vencida"));
    bench.accepted(&aviso(ANA, "web")).await;
    for _ in 0..2 {
        let (status, answer) = bench.send(&aviso("+5491100000000", "web")).await;
        assert_eq!((status.as_u16(), &answer["error"]["code"]), (429, &json!(131_056)));
        assert!(answer["error"]["error_data"].is_string());
        assert_eq!(answer["error"]["is_transient"], true);
    }
    bench.accepted(&aviso("+5491100000000", "web")).await;
    let (_, answer) = bench.send(&factura(ANA)).await;
    assert_eq!(answer["error"]["code"], 132_015);
    assert_eq!(bench.sandbox.stats().refused[&131_056], 2);
}

#[tokio::test]
async fn the_sender_cannot_tell_a_lost_answer_from_a_lost_message() {
    let bench = usual().await;
    let mut accepted = 0;
    for (trouble, taken) in [
        (Trouble::HangAfterAccept, 1),
        (Trouble::CloseAfterReading { accepted: true }, 1),
        (Trouble::CloseAfterReading { accepted: false }, 0),
        (Trouble::CloseBeforeReading, 0),
        (Trouble::AnswerLate { ms: 60_000 }, 1),
    ] {
        bench.sandbox.fault(Fault::next(trouble));
        bench.send_unanswered().await;
        accepted += taken;
        assert_eq!(bench.sandbox.stats().accepted, accepted);
    }
    bench.accepted(&aviso(ANA, "web")).await;
}

#[tokio::test]
async fn an_answer_can_be_no_json() {
    let bench = usual().await;
    let call = || bench.client.post(bench.url(&format!("v26.0/{NUMBER}/messages"))).bearer_auth(TOKEN);
    for (trouble, status) in
        [(Trouble::BadGateway { accepted: true }, 502), (Trouble::Garbage { accepted: false }, 200)]
    {
        bench.sandbox.fault(Fault::next(trouble));
        let answer = call().json(&aviso(ANA, "web")).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(answer.json::<Value>().await.is_err());
    }
    assert_eq!(bench.sandbox.stats().accepted, 1);
}

#[tokio::test]
async fn an_answer_can_lack_members() {
    let bench = usual().await;
    for (trouble, pointer) in [
        (Trouble::WithoutContacts, "/contacts"),
        (Trouble::WithoutWaId, "/contacts/0/wa_id"),
        (Trouble::WithoutMessageStatus, "/messages/0/message_status"),
    ] {
        let (_, whole) = bench.send(&aviso(ANA, "web")).await;
        assert!(whole.pointer(pointer).is_some());
        bench.sandbox.fault(Fault::next(trouble));
        let (status, lacking) = bench.send(&aviso(ANA, "web")).await;
        assert_eq!((status.as_u16(), lacking.pointer(pointer)), (200, None));
    }
}

#[tokio::test]
async fn a_connect_request_does_not_hurt() {
    let bench = usual().await;
    let mut stream = TcpStream::connect(bench.sandbox.addr).await.unwrap();
    stream.write_all(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    bench.accepted(&aviso(ANA, "web")).await;
}

// Control

#[tokio::test]
async fn everything_can_be_steered_and_read_over_http() {
    let (bench, callback) = with_callback(|_| ()).await;
    let fault = json!({"fault": {"error": {"code": 131_056, "http_status": 429}}, "times": 1, "to": "5491123456789"});
    let (status, _) = bench.post("_sandbox/faults", &json!([fault, {"fault": "receipts_never"}])).await;
    assert_eq!(status, 200);
    assert_eq!(bench.send(&factura(ANA)).await.0, 429);
    bench.accepted(&factura(ANA)).await;
    bench.accepted(&factura(ANA)).await;
    let (status, _) = bench.post("_sandbox/faults", &json!({"fault": "receipts_never", "tmes": 1})).await;
    assert_eq!(status, 400, "a misspelt order is no order");
    let (_, posted) = bench.post("_sandbox/drain", &json!({})).await;
    assert_eq!(posted["posted"], 2);
    let (_, messages) = bench.get("_sandbox/messages").await;
    let message = &messages[1];
    assert_eq!((&message["to"], &message["template"]), (&json!(ANA), &json!("factura_vencida")));
    assert_eq!(message["params"][0], json!({"part": "body", "name": "numero", "value": "1234"}));
    assert!(message["text"].as_str().unwrap().starts_with("Hola Ñandú"));
    assert_eq!(message["statuses"][2]["status"], "delivered");
    let (_, counts) = bench.get("_sandbox/stats").await;
    assert_eq!((&counts["accepted"], &counts["refused"]), (&json!(2), &json!({"131056": 1})));
    assert_eq!((&counts["opaque_doubles"], &counts["opaque_doubled"]), (&json!(1), &json!(["alert:8c1f"])));
    let (status, _) = bench.post("_sandbox/reply", &json!({"from": ANA, "text": "BAJA"})).await;
    assert_eq!(status, 200);
    bench.accepted(&text(ANA, "listo")).await;
    let paused = json!({"name": "aviso", "language": "es_AR", "status": "PAUSED"});
    assert_eq!(bench.post("_sandbox/template_status", &paused).await.0, 200);
    assert_eq!(bench.post("_sandbox/reset", &json!({})).await.0, 200);
    bench.nothing_was_taken();
    bench.refused(&text(ANA, "the reset closed the window"), 131_047).await;
    bench.refused(&aviso(ANA, "templates stay as they were"), 132_015).await;
    assert_eq!(callback.words(), ["sent", "delivered"]);
    assert_eq!(bench.get("_sandbox/nothing").await.0, 404);
}

#[tokio::test]
async fn old_messages_make_room_for_new_ones() {
    let bench = bench(|config| config.messages_kept_max = 2).await;
    for value in ["a", "b", "c"] {
        bench.accepted(&aviso(ANA, value)).await;
    }
    bench.sandbox.drain_receipts().await;
    let kept = bench.sandbox.messages();
    assert_eq!(kept.iter().map(|one| one.content.params[0].value.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    assert!(kept.iter().all(|one| one.status() == Status::Delivered));
    assert_eq!(bench.sandbox.stats().accepted, 3);
}

#[tokio::test]
async fn the_page_shows_the_chats_and_escapes_what_came_from_outside() {
    let bench = usual().await;
    let get = async |path: &str| bench.client.get(bench.url(path)).send().await.unwrap().text().await.unwrap();
    assert!(get("").await.contains("Todavía no hay mensajes"));
    bench.accepted(&factura(ANA)).await;
    let name = Some("<script>alert(1)</script>".to_owned());
    bench.sandbox.reply(&Reply { from: ANA.into(), text: Some("BAJA".into()), name, ..Reply::default() }).unwrap();
    for path in ["", "?chat=5491123456789", "?chat=%C3%B1", "?chat=%22%3E%3Cscript%3E"] {
        let page = get(path).await;
        assert!(page.contains("Hola Ñandú &amp; &lt;b&gt;, la factura 1234"), "{path}");
        assert!(page.contains("No recibir más") && page.contains("+54 9 11 2345-6789"), "{path}");
        assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{path}");
    }
}
