//! Operation and record are one: where the record cannot be written, nothing is done; and of two people at once, the second sees
//! what the first did.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookbridge::admin::login::{self, Entered, Visitor};
use hookbridge::admin::sso::{AUDIENCE, Link, SsoError, with_link};
use hookbridge::admin::templates::{Key, Saving, provider, save, trial};
use hookbridge::admin::{AdminError, Desk, clients, consent, exceptions, people, phones};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::decision::Rule;
use hookbridge::domain::hookpoint::{HookpointId, Subject, SubjectKind};
use hookbridge::domain::locale::Locale;
use hookbridge::ops::messages::Verdict;
use hookbridge::ops::people::{
    CreateAdministrator, DisableAdministrator, DropFactor, SetPassword, SetRole, UnlockAdministrator,
};
use hookbridge::ops::{Code, change};
use hookbridge::sandbox::{Fault, Trouble};
use hookbridge::signature;
use hookbridge::store::account::{self, Account};
use hookbridge::store::audit;
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::acts;
use crate::support::bridge::Bridge;
use crate::support::database::connect;
use crate::support::person::{PASSWORD, hire};

fn who() -> Who {
    Who::at_the_command_line("test")
}

fn desk(bridge: &Bridge) -> std::sync::Arc<Desk> {
    bridge.app.desk.clone().expect("a key is set")
}

async fn account(desk: &Desk, name: &str) -> Account {
    account::named(&desk.store, name).await.expect("it can be read").expect("it is there")
}

/// Everything that an operation may change, as rows.
async fn rows(bridge: &Bridge) -> Vec<String> {
    let mut own = connect(&bridge.db.bridge_url()).await;
    let mut all = Vec::new();
    for sql in [
        "SELECT CONCAT_WS('|', 'admin', id, role, COALESCE(password_hash, ''), disabled_at IS NULL) FROM admin ORDER BY id",
        "SELECT CONCAT_WS('|', 'consent', recipient, opted_out) FROM consent ORDER BY 1",
        "SELECT CONCAT_WS('|', 'message', HEX(id), state, COALESCE(reason, '')) FROM message ORDER BY id",
        "SELECT CONCAT_WS('|', 'outbox', HEX(message_id), state) FROM outbox ORDER BY message_id",
        "SELECT CONCAT_WS('|', 'event', id, state) FROM event ORDER BY id",
        "SELECT CONCAT_WS('|', 'inbox', event_id) FROM inbox ORDER BY 1",
        "SELECT CONCAT_WS('|', 'hold', hookpoint, state) FROM hold ORDER BY 1",
        "SELECT CONCAT_WS('|', 'version', kind, name, id) FROM version ORDER BY 1",
        "SELECT CONCAT_WS('|', 'exception', rule, subject) FROM decision_override ORDER BY 1",
        "SELECT CONCAT_WS('|', 'session', HEX(token), stage) FROM admin_session ORDER BY 1",
        "SELECT CONCAT_WS('|', 'restored', COALESCE(restored_at, ''), COALESCE(sign, '')) FROM restore_watch",
        "SELECT CONCAT('revision|', number) FROM revision",
    ] {
        let some: Vec<String> = own.query(sql).await.expect("rows");
        all.extend(some);
    }
    own.disconnect().await.expect("an idle connection closes");
    all
}

fn an_exception(bridge: &Bridge) -> exceptions::Wish {
    exceptions::Wish {
        rule: Some(Rule::Termination),
        subject: Some(Subject { kind: SubjectKind::Service, id: CAST.service_english.id.into() }),
        why: "a test".to_owned(),
        until: Some(bridge.now() + SignedDuration::from_hours(1)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_put_on_record_is_not_done() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("HOOKPOINTS__CLIENT_REGISTERED__MASS_MAX", "1")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let desk = desk(&bridge);
    hire(&desk, "ana", Role::Operator).await;
    // A failed event, a message of unknown outcome, one that failed, and held ones.
    let post = async |id: &str, hook: &str, fields: serde_json::Value| {
        assert_eq!(bridge.post(id, &bridge.envelope(hook, &fields)).await.status, 202);
    };
    post("evt_failed", "InvoiceCreated", json!({})).await;
    bridge.sandbox.fault(Fault::next(Trouble::CloseAfterReading { accepted: false }));
    post("evt_unknown", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_english.id })).await;
    bridge.app.drain().await.expect("the workers work");
    // The sender looks for holds once a second.
    bridge.wait_s(2);
    for client in [1, 2, 3] {
        post(&format!("evt_{client}"), "ClientAdd", json!({ "client_id": client })).await;
    }
    bridge.app.drain().await.expect("the workers work");
    let all = bridge.messages().await;
    let unknown = all.iter().find(|one| one.standing() == "unknown").expect("one of unknown outcome").id;
    let held = all.iter().find(|one| one.standing() == "held").expect("a held one").id;
    let key = Key { alert: HookpointId::parse("invoice_created").expect("an id"), locale: Locale::En };
    let source = hookbridge::admin::templates::one(&desk, &key).await.expect("a text").1.source.expect("in force");
    let body = source.body.replace("Notice from", "A notice from");
    let source = hookbridge::render::template::Source { body, ..source };
    let wish = an_exception(&bridge);
    let before = rows(&bridge).await;
    bridge.db.own("RENAME TABLE audit TO audit_gone").await;
    let who = who();
    let name = || "ana".to_owned();
    let password = || "another horse battery".into();
    let luz = CreateAdministrator { name: "luz".to_owned(), role: Code(Role::Viewer), password: Some(password()) };
    let set = SetPassword { name: name(), password: password(), kept: Vec::new() };
    let failed: Vec<(&str, bool)> = vec![
        ("create", change(&desk, &who, luz).await.is_err()),
        ("role", change(&desk, &who, SetRole { name: name(), role: Code(Role::Viewer) }).await.is_err()),
        ("disable", change(&desk, &who, DisableAdministrator { name: name() }).await.is_err()),
        ("password", change(&desk, &who, set).await.is_err()),
        ("factor", change(&desk, &who, DropFactor { name: name() }).await.is_err()),
        ("unlock", change(&desk, &who, UnlockAdministrator { name: name() }).await.is_err()),
        ("consent", consent::set(&desk, &who, "+5491155551234", true, "asked").await.is_err()),
        ("cancel", acts::cancel_message(&desk, &who, held).await.is_err()),
        ("settle", acts::settle_message(&desk, &who, unknown, Verdict::GiveUp).await.is_err()),
        ("settle", acts::settle_message(&desk, &who, unknown, Verdict::Again).await.is_err()),
        ("settle", acts::settle_message(&desk, &who, unknown, Verdict::Arrived).await.is_err()),
        ("again", acts::process_again(&desk, &who, "evt_failed").await.is_err()),
        ("go", acts::release_hold(&desk, &who, "client_registered").await.is_err()),
        ("later", acts::postpone_hold(&desk, &who, "client_registered").await.is_err()),
        ("drop", acts::discard_hold(&desk, &who, "client_registered").await.is_err()),
        ("text", save(&desk, &who, &key, &source, Saving { based_on: 0, note: "" }).await.is_err()),
        ("exception", exceptions::make(&desk.store, &desk.billing, &who, &wish, bridge.now()).await.is_err()),
    ];
    bridge.db.own("RENAME TABLE audit_gone TO audit").await;
    let done: Vec<&str> = failed.iter().filter(|(_, failed)| !failed).map(|(name, _)| *name).collect();
    assert!(done.is_empty(), "done without a record: {done:?}");
    assert_eq!(rows(&bridge).await, before);
    // With it, they are done.
    acts::settle_message(&desk, &who, unknown, Verdict::Arrived).await.expect("it is settled");
    acts::cancel_message(&desk, &who, held).await.expect("it is cancelled");
    let dropped = acts::discard_hold(&desk, &who, "client_registered").await.expect("they are dropped");
    assert!(dropped > 0);
    change(&desk, &who, DisableAdministrator { name: name() }).await.expect("it is disabled");
    bridge.settle().await;
    bridge.finish().await;
}

fn visitor() -> Visitor {
    Visitor { address: "192.0.2.7".to_owned(), agent: "a browser".to_owned(), device: None }
}

const PLATFORM: &str = "https://billing.example";

/// A link of the platform for an administrator whom nobody knows here, or for one with another role than he has.
async fn by_link(bridge: &Bridge, secret: &str, id: &str, role: Role) -> Result<Entered, SsoError> {
    let desk = desk(bridge);
    let body = json!({ "aud": AUDIENCE, "admin_id": 3, "name": "sol", "role": role.code() }).to_string();
    let timestamp = bridge.now().as_second().to_string();
    let key = signature::Key::parse(&secret.to_owned().into()).expect("a key");
    let signature = key.sign(id, &timestamp, body.as_bytes());
    let link = Link { id, timestamp: &timestamp, signature: &signature, body: &body, origin: Some(PLATFORM) };
    with_link(&desk, &link, &visitor()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_and_nothing_is_let_go_erased_or_handed_out_without_a_record() {
    let secret = format!("whsec_{}", STANDARD.encode([7_u8; 32]));
    let settings = [("ADMIN__SSO_SECRET", secret.as_str()), ("ADMIN__SSO_ORIGIN", PLATFORM)];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let (desk, who) = (desk(&bridge), who());
    hire(&desk, "ana", Role::Operator).await;
    let password = PASSWORD.into();
    login::with_password(&desk, "ana", &password, &visitor()).await.expect("she gets in");
    by_link(&bridge, &secret, "link_of_the_first_day", Role::Viewer).await.expect("a viewer gets in");
    let ana = account(&desk, "ana").await;
    // Two alerts wait; a text is new to the provider.
    acts::pause(&desk, &who, "main", 60).await.expect("it is paused");
    bridge.wait_s(2);
    for client in [CAST.client_spanish, CAST.client_english] {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
        assert_eq!(bridge.post(&format!("evt_{client}"), &body).await.status, 202);
    }
    bridge.app.drain().await.expect("the workers work");
    let key = Key { alert: HookpointId::parse("invoice_created").expect("an id"), locale: Locale::En };
    let source = hookbridge::admin::templates::one(&desk, &key).await.expect("a text").1.source.expect("in force");
    let renamed = hookbridge::render::template::Source { name: "invoice_created_2".to_owned(), ..source };
    save(&desk, &who, &key, &renamed, Saving { based_on: 0, note: "" }).await.expect("it is saved");
    let client = CAST.client_spanish;
    let before = rows(&bridge).await;
    bridge.db.own("RENAME TABLE audit TO audit_gone").await;
    let failed = [
        ("restored", acts::say_restored(&desk, &who).await.is_err()),
        ("erase", clients::erase(&desk, &who, client.into(), &client.to_string()).await.is_err()),
        ("export", clients::export(&desk, &who, client.into()).await.is_err()),
        ("phones", phones::export(&desk, &who, None).await.is_err()),
        ("login", login::with_password(&desk, "ana", &password, &visitor()).await.is_err()),
        ("link", by_link(&bridge, &secret, "link_of_another_role", Role::Operator).await.is_err()),
        ("sessions", people::end_sessions(&desk, &who, &ana, b"").await.is_err()),
        ("test", trial::send(&desk, &who, &key, "+5491155551234").await.is_err()),
        ("provider", provider::submit(&desk, &who, &key).await.is_err()),
    ];
    bridge.db.own("RENAME TABLE audit_gone TO audit").await;
    let done: Vec<&str> = failed.iter().filter(|(_, failed)| !failed).map(|(name, _)| *name).collect();
    assert!(done.is_empty(), "done without a record: {done:?}");
    assert_eq!(rows(&bridge).await, before);
    provider::forget(&desk);
    let known = provider::at_provider(&desk).await;
    assert!(known.1.known("invoice_created_2", Locale::En).is_none(), "the provider was not asked");
    // What an older dump holds.
    assert_eq!(acts::say_restored(&desk, &who).await.expect("it is held"), 2);
    let before = rows(&bridge).await;
    bridge.db.own("RENAME TABLE audit TO audit_gone").await;
    assert!(acts::release_restored(&desk, &who).await.is_err() && acts::discard_restored(&desk, &who).await.is_err());
    bridge.db.own("RENAME TABLE audit_gone TO audit").await;
    assert_eq!(rows(&bridge).await, before);
    assert_eq!(acts::discard_restored(&desk, &who).await.expect("they are dropped"), 2);
    // At the provider: a line before, and one with what came of it.
    provider::submit(&desk, &who, &key).await.expect("it is made");
    clients::erase(&desk, &who, client.into(), &client.to_string()).await.expect("he is erased");
    let lines = audit::list(&desk.store, &audit::Filter { limit: 5, ..Default::default() }).await.expect("the log");
    let lines: Vec<(String, String)> =
        lines.into_iter().rev().map(|line| (line.action, line.detail.unwrap_or_default())).collect();
    let lines: Vec<(&str, &str)> = lines.iter().map(|(action, detail)| (action.as_str(), detail.as_str())).collect();
    assert_eq!(lines[0], ("restored.discard", "2 messages"));
    assert_eq!(lines[1], ("template.provider", "asks to create invoice_created_2"));
    assert!(lines[2].0 == "template.provider" && lines[2].1.starts_with("created invoice_created_2: "), "{lines:?}");
    assert_eq!(lines[3], ("client.erase", "begins"));
    assert!(lines[4].0 == "client.erase" && lines[4].1.starts_with("1 messages"), "{lines:?}");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_people_at_once_the_second_sees_what_the_first_did() {
    let bridge = Bridge::start().await;
    let (desk, who) = (desk(&bridge), who());
    // Two who save the same text: the second gets the conflict.
    let key = Key { alert: HookpointId::parse("invoice_created").expect("an id"), locale: Locale::En };
    let source = hookbridge::admin::templates::one(&desk, &key).await.expect("a text").1.source.expect("in force");
    let other = |opening: &str| hookbridge::render::template::Source {
        body: source.body.replace("Notice from", opening),
        ..source.clone()
    };
    let (first, second) = (other("A notice from"), other("News from"));
    let saving = Saving { based_on: 0, note: "" };
    let (one, two) = tokio::join!(save(&desk, &who, &key, &first, saving), save(&desk, &who, &key, &second, saving));
    assert!(one.is_ok() != two.is_ok(), "one of them: {one:?} {two:?}");
    let refused = one.err().or(two.err());
    assert!(matches!(refused, Some(AdminError::Conflict(_))), "{refused:?}");
    // Two administrators who take each other's power away: one is left.
    for name in ["ana", "bea"] {
        hire(&desk, name, Role::Administrator).await;
    }
    let disable = DisableAdministrator { name: "ana".to_owned() };
    let demote = SetRole { name: "bea".to_owned(), role: Code(Role::Viewer) };
    let (one, two) = tokio::join!(change(&desk, &who, disable), change(&desk, &who, demote));
    assert!(one.is_ok() != two.is_ok(), "one of them: {one:?} {two:?}");
    // Two who make the same exception.
    let wish = an_exception(&bridge);
    let make = || exceptions::make(&desk.store, &desk.billing, &who, &wish, bridge.now());
    let (one, two) = tokio::join!(make(), make());
    assert!(one.is_ok() != two.is_ok(), "one of them: {one:?} {two:?}");
    bridge.finish().await;
}
