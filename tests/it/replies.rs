//! What clients answer: heard by number, by user id and by the message that they answer; confirmed once; shown to people.

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;
use hookbridge::sandbox::{Message, Reply, ReplyButton};
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::pages::privacy::{get, key, post};
use crate::support::bridge::{Bridge, answer};
use crate::support::database::connect;
use crate::support::person::Person;

const USER: &str = "US.13491208655302741918";

async fn invoice(bridge: &Bridge, id: &str) -> String {
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.settle().await;
    bridge.phones()[0].wa_id.clone()
}

/// A client writes, a second after whatever was before, and everything that follows happens.
async fn say(bridge: &Bridge, reply: Reply) {
    bridge.wait_s(1);
    bridge.sandbox.reply(&reply).expect("a reply");
    bridge.sandbox.drain_receipts().await;
    bridge.settle().await;
}

fn text(from: &str, text: &str) -> Reply {
    Reply { from: from.to_owned(), text: Some(text.to_owned()), ..Reply::default() }
}

fn confirmations(bridge: &Bridge) -> Vec<Message> {
    bridge.phones().into_iter().filter(|one| one.template.is_none()).collect()
}

async fn replies(bridge: &Bridge) -> Vec<Value> {
    let seen = bridge.run_json(&["replies"]).await;
    seen["items"].as_array().expect("a list").clone()
}

/// A notice and a security alert to the English client: which of them arrived.
async fn what_arrives(bridge: &Bridge, round: u32) -> Vec<String> {
    let before = bridge.phones().len();
    let it = CAST.service_english;
    let state = if round.is_multiple_of(2) { "Active" } else { "Suspended" };
    let hook = if round.is_multiple_of(2) { "AfterModuleUnsuspend" } else { "AfterModuleSuspend" };
    bridge.platform(&format!("UPDATE tblhosting SET domainstatus = '{state}' WHERE id = {}", it.id)).await;
    let fields = json!({ "params": { "serviceid": it.id, "userid": it.client } });
    bridge.post(&format!("evt_status_{round}"), &bridge.envelope(hook, &fields)).await;
    let mut envelope = bridge.envelope("ClientEdit", &json!({ "userid": it.client }));
    envelope["request"] = json!(format!("r{round}"));
    envelope["changed"] = json!(["address1"]);
    bridge.post(&format!("evt_security_{round}"), &envelope).await;
    bridge.settle().await;
    bridge.wait_s(8 * 3600);
    let mut names: Vec<String> = bridge.phones()[before..].iter().filter_map(|one| one.template.clone()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baja_ends_everything_is_confirmed_once_and_a_button_keeps_security() {
    let bridge = Bridge::start().await;
    let phone = invoice(&bridge, "evt_1").await;
    say(&bridge, text(&phone, "Stop. Thanks")).await;
    let confirmed = confirmations(&bridge);
    assert_eq!(confirmed.len(), 1, "{:#?} {:?}", bridge.messages().await, replies(&bridge).await);
    assert!(confirmed[0].content.text.contains("no more alerts"), "{:?}", confirmed[0].content.text);
    let button = confirmed[0].content.buttons[0].clone();
    assert_eq!(button.text, "Security only");
    assert_eq!(what_arrives(&bridge, 1).await, Vec::<String>::new(), "security as well");
    say(&bridge, text(&phone, "BAJA")).await;
    say(&bridge, text(&phone, "stop")).await;
    assert_eq!(confirmations(&bridge).len(), 1, "never a second time");
    let pressed = ReplyButton { payload: button.payload.expect("a payload"), text: button.text };
    say(&bridge, Reply { from: phone.clone(), button: Some(pressed), ..Reply::default() }).await;
    assert!(confirmations(&bridge)[1].content.text.contains("security alerts only"));
    assert_eq!(what_arrives(&bridge, 2).await, ["details_edited"]);
    say(&bridge, text(&phone, "start")).await;
    assert!(confirmations(&bridge)[2].content.text.contains("you will get our alerts"));
    assert_eq!(what_arrives(&bridge, 3).await, ["details_edited", "service_suspended"]);
    let outcomes: Vec<Value> = replies(&bridge).await.iter().map(|one| one["unconfirmed"].clone()).collect();
    let again = json!("already_confirmed");
    assert_eq!(outcomes, [json!(null), json!(null), again.clone(), again, json!(null)], "newest first");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_a_number_is_heard_by_his_id() {
    let bridge = Bridge::start().await;
    // The receipts of the alert name number and id; what he writes later names the id alone.
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    bridge.post("evt_0", &body).await;
    bridge.app.drain().await.expect("the workers work");
    let phone = bridge.phones()[0].wa_id.clone();
    bridge.sandbox.set_user(&phone, USER, Some("emily")).expect("a user");
    bridge.sandbox.drain_receipts().await;
    let it = CAST.service_english;
    let fields = json!({ "params": { "serviceid": it.id, "userid": it.client } });
    bridge.platform(&format!("UPDATE tblhosting SET domainstatus = 'Suspended' WHERE id = {}", it.id)).await;
    bridge.post("evt_1", &bridge.envelope("AfterModuleSuspend", &fields)).await;
    bridge.settle().await;
    say(&bridge, text(&phone, "BAJA")).await;
    let kept = replies(&bridge).await.remove(0);
    assert_eq!((&kept["user_id"], &kept["matched"]), (&json!(USER), &json!(true)), "{kept}");
    assert_eq!(confirmations(&bridge).len(), 1, "it goes to the number that is known");
    assert_eq!(what_arrives(&bridge, 2).await, Vec::<String>::new());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_nobody_knows_is_heard_by_the_message_that_it_answers_and_follows_its_change() {
    let bridge = Bridge::start().await;
    let phone = invoice(&bridge, "evt_1").await;
    let alert = bridge.phones()[0].id.clone();
    // Known from now on, but no receipt tells of it.
    bridge.sandbox.set_user(&phone, USER, Some("emily")).expect("a user");
    say(&bridge, Reply { answers: Some(alert), ..text(&phone, "baja") }).await;
    assert_eq!(what_arrives(&bridge, 1).await, Vec::<String>::new());
    bridge.sandbox.set_user(&phone, "US.2", Some("emily")).expect("a new id");
    bridge.sandbox.drain_receipts().await;
    let mut own = connect(&bridge.db.bridge_url()).await;
    let moved: Vec<String> = own.query("SELECT recipient FROM consent WHERE how = 'moved'").await.expect("readable");
    let pairs: Vec<String> = own.query("SELECT DISTINCT user_id FROM user_phone").await.expect("readable");
    assert_eq!((moved, pairs), (vec!["US.2".to_owned()], vec!["US.2".to_owned()]));
    own.disconnect().await.expect("an idle connection closes");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_that_matches_nobody_is_counted_and_shown() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    bridge.sandbox.set_user("5491155559999", "AR.9", Some("nobody")).expect("a user");
    say(&bridge, text("5491155559999", "BAJA")).await;
    let kept = replies(&bridge).await.remove(0);
    assert_eq!((&kept["matched"], &kept["unconfirmed"]), (&json!(false), &json!("reply_unmatched")), "{kept}");
    let metrics = bridge.app.metrics.text();
    assert!(metrics.contains("hookbridge_faults_total{result=\"opt_out_unmatched\"} 1"), "{metrics}");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let overview = ana.get("/admin").await;
    overview.shows("Hay 1 respuestas que alguien tiene que leer");
    ana.get("/admin/replies?which=unseen").await.shows("A este número o usuario nunca le escribimos");
    let done = ana.submit("/admin/replies", &format!("/admin/replies/{}/seen", kept["id"]), &[]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    ana.get("/admin").await.hides("respuestas que alguien tiene que leer");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_the_window_is_obeyed_and_not_answered() {
    let bridge = Bridge::start().await;
    let phone = invoice(&bridge, "evt_1").await;
    bridge.wait_s(1);
    bridge.sandbox.reply(&text(&phone, "BAJA")).expect("a reply");
    bridge.wait_s(24 * 3600);
    bridge.sandbox.drain_receipts().await;
    bridge.settle().await;
    assert_eq!(confirmations(&bridge).len(), 0);
    assert_eq!(replies(&bridge).await[0]["unconfirmed"], json!("window_closed"));
    assert_eq!(what_arrives(&bridge, 1).await, Vec::<String>::new());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_are_shown_by_role_and_doubtful_ones_ask_to_be_read() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let phone = invoice(&bridge, "evt_1").await;
    say(&bridge, text(&phone, "please stop the <b>suspension</b>")).await;
    say(&bridge, text(&phone, "thank you!")).await;
    let all = replies(&bridge).await;
    let meanings: Vec<&Value> = all.iter().map(|one| &one["meaning"]).collect();
    assert_eq!(meanings, [&json!("other"), &json!("near")]);
    assert_eq!(all[0]["hookpoint"], json!("invoice_created"), "to which alert: {}", all[0]);
    let (viewer, operator) = (key(&bridge, Role::Viewer).await, key(&bridge, Role::Operator).await);
    let masked = get(&bridge, &viewer, "/replies").await.body["items"][0].clone();
    assert_eq!(
        (&masked["text"], masked["phone"].as_str().is_some_and(|phone| phone.contains('•'))),
        (&Value::Null, true)
    );
    let near = get(&bridge, &operator, "/replies?meaning=near&unseen=true").await.body["items"].clone();
    assert_eq!(near.as_array().map(Vec::len), Some(1), "{near}");
    assert_eq!(near[0]["text"], json!("please stop the <b>suspension</b>"));
    assert_eq!(get(&bridge, &operator, "/replies?meaning=x").await.status, 422);
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = luz.get("/admin/replies").await;
    page.shows("please stop the &lt;b&gt;suspension");
    page.shows("Dudoso: hay que leerlo");
    luz.get("/admin").await.shows("Hay 1 respuestas que alguien tiene que leer");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    ana.get("/admin/replies").await.hides("suspension");
    let path = format!("/replies/{}/all-seen", all[0]["id"]);
    assert_eq!(post(&bridge, &viewer, &path, &json!({})).await.status, 403);
    assert_eq!(post(&bridge, &operator, &path, &json!({})).await.body["read"], json!(2));
    assert_eq!(post(&bridge, &operator, "/replies/99999/seen", &json!({})).await.status, 404);
    let (ok, out, err) = bridge.run(&["replies", "--unseen"]).await;
    assert!(ok && !out.contains("thank you"), "{out}{err}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preference_about_one_person_says_nothing_of_the_number() {
    use hookbridge::domain::consent::{How, Said, Scope};
    use hookbridge::store::consent::{Statement, record};
    let bridge = Bridge::start().await;
    invoice(&bridge, "evt_1").await;
    bridge.wait_s(1);
    let said = Said { scope: Scope::Status, opted_out: true, at: bridge.now() };
    let key = format!("client:{}", CAST.client_english);
    let one = Statement { said, how: How::ClientArea, evidence: "preferences" };
    record(&bridge.app.store, &[key], one).await.expect("it is noted");
    bridge.wait_s(1);
    assert_eq!(what_arrives(&bridge, 1).await, ["details_edited"], "the kind that was switched off does not come");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_several_app_secrets_verifies_a_webhook() {
    let new = "0123456789abcdef0123456789abcdef";
    let old = "fedcba9876543210fedcba9876543210";
    let both = format!("{new}, {old}");
    let bridge = Bridge::with(&[("SENDERS__MAIN__APP_SECRET", &both)], |_| {}).await;
    let body = json!({ "object": "whatsapp_business_account", "entry": [] }).to_string();
    for (secret, status) in [(new, 200), (old, 200), ("another", 401), (both.as_str(), 401)] {
        let signature = hookbridge::signature::sign_hub(body.as_bytes(), &secret.to_owned().into());
        let request = bridge.http.post(bridge.url("/v1/receipts/main")).header("content-type", "application/json");
        let request = request.header("x-hub-signature-256", signature).body(body.clone());
        assert_eq!(answer(request).await.status, status, "{secret}");
    }
    let metrics = bridge.app.metrics.text();
    assert!(metrics.contains("hookbridge_webhooks_total{lane=\"main\",secret=\"2\"} 1"), "{metrics}");
    let (_, out, _) = bridge.run(&["doctor"]).await;
    assert!(out.contains("2 app secrets") && !out.contains(old), "{out}");
    bridge.finish().await;
}
