//! Notices to administrators: by a strict mail server, a receiver of webhooks and the staff's phones; told once, again, over, in quiet
//! hours, by one instance; failures are named and counted, secrets are not.

mod away;
mod phones;

use hookbridge::admin::overview::need::Kind;
use hookbridge::admin::overview::now;
use hookbridge::config::load;
use hookbridge::domain::admin::{Role, Who};
use serde_json::json;
use standardwebhooks::Webhook;

use crate::hostile::ground::{authority, sign};
use crate::support::acts;
use crate::support::bridge::Bridge;
use crate::support::hook::Receiver;
use crate::support::mail::{MailServer, PASSWORD, USER};
use crate::support::person::Person;

pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

pub fn who() -> Who {
    Who::at_the_command_line("test")
}

/// A mail server with a certificate for `localhost`, and the file of the CA that signed it.
pub async fn mail_server(dir: &tempfile::TempDir, implicit: bool) -> (MailServer, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let at = |name: &str| dir.path().join(name);
    authority(&at("ca"));
    sign(&at("ca"), &at("server"));
    (MailServer::start(&at("server.pem"), implicit).await, at("ca.pem").display().to_string())
}

/// What makes a bridge tell by both.
pub fn settings(server: &MailServer, ca: &str, receiver: &Receiver) -> Vec<(String, String)> {
    [
        ("NOTIFY__LANGUAGE", "en"),
        ("NOTIFY__PAGE_URL", "https://hooks.nube.example/admin"),
        ("NOTIFY__EMAIL__TO", "ana@nube.example,luz@nube.example"),
        ("NOTIFY__EMAIL__FROM", USER),
        ("NOTIFY__EMAIL__HOST", "localhost"),
        ("NOTIFY__EMAIL__PORT", &server.port.to_string()),
        ("NOTIFY__EMAIL__CA_FILE", ca),
        ("NOTIFY__EMAIL__USER", USER),
        ("NOTIFY__EMAIL__PASSWORD", PASSWORD),
        ("NOTIFY__EMAIL__TIMEOUT_S", "5"),
        ("NOTIFY__WEBHOOK__URL", &receiver.url("/hook/a-secret-path")),
        ("NOTIFY__WEBHOOK__SECRET", SECRET),
        ("NOTIFY__DIGEST_DAY", ""),
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec()
}

pub async fn bridge_with(settings: &[(String, String)], more: &[(&str, &str)]) -> Bridge {
    let all: Vec<(&str, &str)> =
        settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(more.iter().copied()).collect();
    let bridge = Bridge::with(&all, |_| {}).await;
    fresh(&bridge).await;
    bridge
}

/// What runs by itself ran just now.
pub async fn fresh(bridge: &Bridge) {
    bridge.app.sweep().await.expect("a sweep");
    while bridge.app.count().await.expect("hours are counted") > 0 {}
    bridge.app.health.report().await;
}

pub async fn stop_number(bridge: &Bridge) {
    let desk = bridge.app.desk.clone().expect("a key is set");
    acts::pause(&desk, &who(), "main", 20_160).await.expect("it is paused");
}

pub async fn resume_number(bridge: &Bridge) {
    let desk = bridge.app.desk.clone().expect("a key is set");
    acts::resume(&desk, &who(), "main").await.expect("it is resumed");
}

/// Time passes, and what runs by itself runs.
pub async fn later(bridge: &Bridge, seconds: i64) -> u32 {
    bridge.wait_s(seconds);
    fresh(bridge).await;
    bridge.app.notify().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_need_is_told_once_by_one_instance_again_after_a_while_and_when_it_is_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let ((server, ca), receiver) = (mail_server(&dir, false).await, Receiver::start().await);
    let bridge = bridge_with(&settings(&server, &ca, &receiver), &[]).await;
    stop_number(&bridge).await;
    assert_eq!(bridge.app.notify().await, 0, "it may pass by itself");
    let other = bridge.another().await;
    bridge.wait_s(61);
    fresh(&bridge).await;
    let (here, there) = tokio::join!(bridge.app.notify(), other.notify());
    assert_eq!(here + there, 2, "one by each channel, by one instance");
    assert_eq!((later(&bridge, 30).await, other.notify().await), (0, 0));
    other.stop().await;
    let again = bridge.another().await;
    assert_eq!(again.notify().await, 0, "a restart repeats nothing");
    again.stop().await;
    let mails = server.mails();
    let to: Vec<&str> = mails.iter().map(|mail| mail.to[0].as_str()).collect();
    assert_eq!(to, ["ana@nube.example", "luz@nube.example"]);
    let mail = &mails[0];
    assert_eq!(mail.from, USER);
    assert!(mail.head.contains("Subject: [hookbridge] URGENT: 1 thing needs attention"), "{}", mail.head);
    assert!(
        mail.head.contains("Auto-Submitted: auto-generated") && mail.head.contains("Message-ID: <"),
        "{}",
        mail.head
    );
    assert!(mail.body.contains("a test"), "{}", mail.body);
    assert!(mail.body.contains("https://hooks.nube.example/admin/settings/numbers"), "{}", mail.body);
    let posted = receiver.posted();
    assert_eq!((posted.len(), posted[0].path.as_str()), (1, "/hook/a-secret-path"));
    let header = |name: &str| posted[0].headers[name].clone();
    let at: i64 = header("webhook-timestamp").parse().expect("a time");
    let theirs = Webhook::new(SECRET).expect("a secret").sign(&header("webhook-id"), at, &posted[0].bytes);
    assert_eq!(header("webhook-signature"), theirs.expect("a signature"));
    let body = &posted[0].body;
    assert_eq!((&body["type"], &body["data"]["new"][0]["code"]), (&json!("needs.changed"), &json!("stopped")));
    assert_eq!(body["data"]["new"][0]["key"], json!("stopped:main"));
    assert_eq!(later(&bridge, 24 * 3_600 - 100).await, 0);
    assert_eq!(later(&bridge, 100).await, 2, "it holds still");
    assert!(server.mails().last().expect("a mail").body.contains("Ongoing:"));
    resume_number(&bridge).await;
    assert_eq!(later(&bridge, 1).await, 0, "it may come back");
    assert_eq!(later(&bridge, 61).await, 2);
    let over = server.mails().pop().expect("a mail");
    assert!(over.head.contains("Subject: [hookbridge] 1 thing is resolved"), "{}", over.head);
    assert!(over.body.contains("Resolved:") && over.body.contains("a test"), "{}", over.body);
    assert_eq!(later(&bridge, 600).await, 0);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_fails_is_tried_again_named_by_the_others_and_shows_no_secret() {
    let dir = tempfile::tempdir().expect("a directory");
    let ((server, ca), receiver) = (mail_server(&dir, true).await, Receiver::start().await);
    let bridge = bridge_with(&settings(&server, &ca, &receiver), &[("NOTIFY__EMAIL__TLS", "tls")]).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    server.change_password("another");
    stop_number(&bridge).await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 1, "the webhook alone");
    let tries = server.connections();
    assert_eq!((later(&bridge, 30).await, server.connections()), (0, tries), "not before a minute");
    assert_eq!(later(&bridge, 31).await, 0);
    assert!(server.connections() > tries, "tried again");
    later(&bridge, 120).await;
    let state = now(&desk, &who()).await.expect("it can be read");
    let named = state.needs.iter().find(|need| need.kind == Kind::NoticesFail).expect("it is named");
    assert!(format!("{:?}", named.values).contains("535"), "{named:?}");
    assert_eq!(later(&bridge, 61).await, 1);
    let last = receiver.posted().pop().expect("a notice");
    assert_eq!(last.body["data"]["new"][0]["key"], json!("notices_fail:email"), "the webhook tells of the mail");
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = luz.get("/admin/settings/notices").await;
    page.shows("535");
    page.shows("ana@nube.example");
    let (_, show, _) = bridge.run(&["notify", "show"]).await;
    let (doctor_ok, doctor, _) = bridge.run(&["doctor"]).await;
    assert!(!doctor_ok && doctor.contains("email: "), "{doctor}");
    for shown in [&page.text, &show, &doctor, &last.body.to_string()] {
        for secret in [PASSWORD, SECRET, "a-secret-path"] {
            assert!(!shown.contains(secret), "{secret} is shown: {shown}");
        }
    }
    let metrics = bridge.http.get(bridge.url("/metrics")).send().await.expect("an answer").text().await.expect("text");
    assert!(metrics.contains("hookbridge_notices_total{channel=\"email\",result=\"failed\"}"), "{metrics}");
    assert!(metrics.contains("hookbridge_notices_total{channel=\"webhook\",result=\"sent\"} 2"), "{metrics}");
    server.change_password(PASSWORD);
    later(&bridge, 30 * 60).await;
    assert!(server.mails()[0].body.contains("a test"), "what holds is told when it can be");
    let state = now(&desk, &who()).await.expect("it can be read");
    assert!(state.needs.iter().all(|need| need.kind != Kind::NoticesFail), "{:?}", state.needs);
    resume_number(&bridge).await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_address_keeps_no_other_from_its_notice_and_a_busy_receiver_gets_its_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let ((server, ca), receiver) = (mail_server(&dir, false).await, Receiver::start().await);
    let bridge = bridge_with(&settings(&server, &ca, &receiver), &[]).await;
    server.does_not_know("ana@nube.example");
    receiver.answer("429 Too Many Requests", "Retry-After: 300\r\n", "slow down");
    stop_number(&bridge).await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 1, "the mail, to one of two");
    assert_eq!(server.mails().len(), 1);
    assert_eq!((later(&bridge, 299).await, receiver.posted().len()), (0, 1), "the receiver asked for five minutes");
    assert_eq!((later(&bridge, 2).await, receiver.posted().len()), (1, 2));
    let ids: Vec<String> = receiver.posted().iter().map(|one| one.headers["webhook-id"].clone()).collect();
    assert_eq!(ids[0], ids[1], "the same notice is tried again");
    let (_, show, _) = bridge.run(&["notify", "show"]).await;
    assert!(show.contains("ana@nube.example: ") && show.contains("550"), "{show}");
    resume_number(&bridge).await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_keep_what_is_not_urgent_and_the_digest_comes_once_a_week() {
    let dir = tempfile::tempdir().expect("a directory");
    let ((server, ca), receiver) = (mail_server(&dir, false).await, Receiver::start().await);
    let more = [
        ("NOTIFY__WEBHOOK__QUIET", "22:00-08:00"),
        ("NOTIFY__WEBHOOK__SHAPE", "slack"),
        ("NOTIFY__EMAIL__SEVERITY", "urgent"),
        ("NOTIFY__DIGEST_DAY", "monday"),
        ("BILLING__COMPANY_NAME", "Nube & Cía"),
    ];
    let bridge = bridge_with(&settings(&server, &ca, &receiver), &more).await;
    // 23:00 of the platform's clock, three hours before UTC.
    let night = bridge.now().to_zoned(jiff::tz::TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone"));
    let night = night.date().tomorrow().expect("a day").at(23, 0, 0, 0).to_zoned(night.time_zone().clone());
    bridge.clock.set(night.expect("a moment").timestamp());
    fresh(&bridge).await;
    bridge
        .db
        .own(
            "INSERT INTO version (kind, name, content, at, who, note, live) VALUES ('template', 'quote_available.en', \
        'name = \"quote_available\"\nbody = \"x\"\n', NOW(), 'luz', '', FALSE)",
        )
        .await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 0, "a draft wakes nobody, and is not urgent");
    stop_number(&bridge).await;
    bridge.app.notify().await;
    assert_eq!(later(&bridge, 61).await, 2, "a number that is stopped does");
    let text = receiver.posted()[0].body["text"].as_str().expect("a text").to_owned();
    assert!(text.starts_with("[hookbridge] Nube &amp; Cía: URGENT"), "{text}");
    assert!(!text.contains("quote_available"), "{text}");
    assert_eq!(later(&bridge, 9 * 3_600).await, 1, "in the morning the rest");
    assert!(receiver.posted()[1].body["text"].as_str().is_some_and(|text| text.contains("quote_available")));
    assert!(server.mails().iter().all(|mail| !mail.body.contains("quote_available")), "urgent needs only");
    resume_number(&bridge).await;
    let mut digests = 0;
    for _ in 0..8 {
        later(&bridge, 24 * 3_600).await;
        digests = server.mails().iter().filter(|mail| mail.head.contains("digest of the week")).count();
    }
    assert_eq!(digests, 2, "one, to each address");
    let digest = server.mails().into_iter().find(|mail| mail.body.contains("Delivered: 0 (0)"));
    assert!(digest.expect("a digest").body.contains("Needs attention now:"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_is_one_click_one_command_or_one_call_and_says_what_is_wrong() {
    let dir = tempfile::tempdir().expect("a directory");
    let ((server, ca), receiver) = (mail_server(&dir, false).await, Receiver::start().await);
    let bridge = bridge_with(&settings(&server, &ca, &receiver), &[("NOTIFY__WEBHOOK__SHAPE", "discord")]).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let at = "/admin/settings/notices";
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let done = luz.submit(at, "/admin/settings/notices/email/test", &[]).await;
    assert_eq!(done.location.as_deref(), Some("/admin/settings/notices?done=notice_sent"), "{}", done.text);
    assert!(server.mails()[0].body.contains("This is a test that operator of tests asked for."));
    let (ok, out, err) = bridge.run(&["notify", "test"]).await;
    assert!(ok && out.contains("email: sent") && out.contains("webhook: sent"), "{out}{err}");
    assert_eq!(receiver.posted()[0].body["allowed_mentions"], json!({ "parse": [] }));
    receiver.answer("404 Not Found", "", "{\"message\": \"Unknown Webhook\"}");
    let wrong = luz.submit(at, "/admin/settings/notices/webhook/test", &[]).await;
    assert_eq!(wrong.status, 422);
    wrong.shows("HTTP 404");
    wrong.shows("Unknown Webhook");
    let (ok, _, err) = bridge.run(&["notify", "test", "pigeon"]).await;
    assert!(!ok && err.contains("email, webhook, whatsapp"), "{err}");
    let (ok, _, err) = bridge.run(&["notify", "test", "whatsapp"]).await;
    assert!(!ok && err.contains("not set up"), "{err}");
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    viewer.get(at).await.hides("/test");
    let (_, doctor, _) = bridge.run(&["doctor"]).await;
    assert!(doctor.contains("email: localhost lets us in"), "{doctor}");
    bridge.finish().await;
}

#[test]
fn mistakes_in_the_settings_are_named_with_what_to_do() {
    let wrong = [
        ("NOTIFY__LANGUAGE", "fr", "es_AR, en or pt_BR"),
        ("NOTIFY__PAGE_URL", "hooks.example.com", "https://"),
        ("NOTIFY__DIGEST_DAY", "lunes", "monday"),
        ("NOTIFY__DIGEST_AT", "9h", "09:00"),
        ("NOTIFY__EMAIL__TO", "ana", "ana@example.com"),
        ("NOTIFY__EMAIL__SEVERITY", "some", "all or urgent"),
        ("NOTIFY__EMAIL__QUIET", "22-8", "22:00-08:00"),
        ("NOTIFY__EMAIL__TLS", "ssl", "starttls, tls or none"),
        ("NOTIFY__EMAIL__USER", "x", "go together"),
        ("NOTIFY__WEBHOOK__URL", "http://chat.example.com/x", "https://"),
        ("NOTIFY__WEBHOOK__SHAPE", "teams", "json, slack, mattermost or discord"),
        ("NOTIFY__WHATSAPP__TO", "011 15 2345 6789", "+5491123456789"),
        ("NOTIFY__WHATSAPP__SENDERS", "other", "[senders]"),
    ];
    let variables = wrong.map(|(key, value, _)| (format!("HOOKBRIDGE__{key}"), value.to_owned()));
    let text = load(None, variables).expect_err("mistakes").to_string();
    for (key, _, says) in wrong {
        let key = key.to_lowercase().replace("__", ".");
        assert!(text.lines().any(|line| line.contains(&key) && line.contains(says)), "{key}: {text}");
    }
    let none = [("HOOKBRIDGE__NOTIFY__EMAIL__TLS", "none"), ("HOOKBRIDGE__NOTIFY__EMAIL__TO", "a@b.example")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert!(load(None, none).expect_err("a mistake").to_string().contains("it would show the password"));
}
