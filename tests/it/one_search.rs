//! The one search: by whatever somebody has at hand, on page, command line and API; bounded, masked, and never silent about what it did
//! not look at. And names on pages.

use std::time::Instant;

use hookbridge::admin::Desk;
use hookbridge::admin::find::{Kind, Unseen, find};
use hookbridge::admin::names::names;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::hookpoint::{Subject, SubjectKind};
use mysql_async::prelude::Queryable as _;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, answer};
use crate::support::person::{Person, token};

fn who() -> Who {
    Who::at_the_command_line("test")
}

/// Kinds and ids that were found.
async fn ids(desk: &Desk, text: &str) -> Vec<(Kind, String)> {
    let found = find(desk, &who(), text, None).await.expect("a search");
    assert_eq!(found.unseen, [], "{text}");
    let mut all: Vec<_> = found.groups.into_iter().flat_map(|(_, hits)| hits).map(|hit| (hit.kind, hit.id)).collect();
    all.sort();
    all
}

/// A client of the cast with what people know of it.
async fn client(bridge: &Bridge) -> (u64, String, String, String, String) {
    let sql = "SELECT id, firstname, lastname, email, phonenumber FROM tblclients WHERE firstname LIKE 'Luc%' ORDER BY id LIMIT 1";
    bridge.db.platform().await.query_first(sql).await.expect("a read").expect("a client")
}

#[tokio::test]
async fn people_and_rows_are_found_by_what_somebody_has_at_hand() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let (id, first, last, email, phone) = client(&bridge).await;
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let local = format!("15 {}-{}", &digits[digits.len() - 8..digits.len() - 4], &digits[digits.len() - 4..]);
    let mut slip = last.clone();
    slip.pop();
    for text in [format!("{first} {last}"), last.to_uppercase(), format!("{first} {slip}"), email.clone(), phone, local]
    {
        let found = ids(&desk, &text).await;
        assert!(found.contains(&(Kind::Client, id.to_string())), "{text}: {found:?}");
    }
    let invoice = u64::from(CAST.invoice_unpaid.id);
    bridge.platform(&format!("UPDATE tblinvoices SET invoicenum = 'FC-0001-00000112' WHERE id = {invoice}")).await;
    let of = |kind, id: u64| (kind, id.to_string());
    for text in ["FC-0001-00000112", "factura FC-0001-00000112", "00000112", "fc-0001-00000112", &invoice.to_string()] {
        assert!(ids(&desk, text).await.contains(&of(Kind::Invoice, invoice)), "{text}");
    }
    assert_eq!(ids(&desk, &format!("factura {invoice}")).await, [of(Kind::Invoice, invoice)], "its kind alone");
    let mut platform = bridge.db.platform().await;
    let (domain, name): (u64, String) =
        platform.query_first("SELECT id, domain FROM tbldomains LIMIT 1").await.expect("a read").expect("a domain");
    assert!(ids(&desk, &name).await.contains(&of(Kind::Domain, domain)), "{name}");
    assert!(ids(&desk, &name[..name.len() - 2]).await.contains(&of(Kind::Domain, domain)), "its beginning");
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice }));
    assert_eq!(bridge.post("evt_find", &body).await.status, 202);
    bridge.settle().await;
    assert_eq!(ids(&desk, "evt_find").await, [(Kind::Event, "evt_find".to_owned())]);
    let message = bridge.messages().await.pop().expect("a message");
    assert_eq!(ids(&desk, &message.id.to_string()).await, [(Kind::Message, message.id.to_string())]);
    assert!(ids(&desk, message.to.as_str()).await.contains(&(Kind::Message, message.id.to_string())), "by its phone");
    assert_eq!(ids(&desk, "zzzz qqqq").await, []);
    for odd in ["%", "_", "'", "\\", "\u{0}", "😀", "a\u{301}", &"x".repeat(500), "((", "-- ;"] {
        let _ = find(&desk, &who(), odd, None).await.expect("anything may be typed");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn page_command_line_and_api_say_the_same_and_say_what_was_not_looked_at() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let (id, first, last, ..) = client(&bridge).await;
    let name = format!("{first} {last}");
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    for page in ["/admin", "/admin/messages", "/admin/settings", "/admin/find"] {
        luz.get(page).await.shows("aria-keyshortcuts=\"/\"");
    }
    let page = luz.get(&format!("/admin/find?q={}", last.to_lowercase())).await;
    page.shows(&format!("href=\"/admin/messages?client={id}\""));
    page.shows(&name);
    for language in ["en", "pt_BR"] {
        luz.get(&format!("/admin/find?q={id}&lang={language}")).await.hides("find.");
    }
    let found = bridge.run_json(&["find", &first, &last]).await;
    assert_eq!(found["groups"][0]["hits"][0]["id"], json!(id.to_string()));
    let key = token(&desk, &who(), "search", Role::Viewer).await;
    let api =
        |query: &str| bridge.http.get(bridge.url(&format!("/api/v1/search{query}"))).bearer_auth(key.expose_secret());
    assert_eq!(answer(api(&format!("?q={first}%20{last}"))).await.body, found);
    assert_eq!(answer(api("")).await.status, 422);
    let (ok, out, _) = bridge.run(&["find", "zzzz"]).await;
    assert!(!ok && out.contains("nothing found"), "{out}");
    // Without the platform's database what is ours is found, and the rest is said.
    let mut config = (*desk.config).clone();
    config.billing.url = "mysql://nobody@127.0.0.1:1/none".to_owned().into();
    let away = Desk { billing: hookbridge::app::open_billing(&config).expect("a pool"), ..(*desk).clone() };
    let found = find(&away, &who(), "evt_none", None).await.expect("it answers");
    assert_eq!(found.unseen, [Unseen::Platform]);
    bridge.finish().await;
}

#[tokio::test]
async fn names_stand_on_pages_with_a_link_and_are_hidden_where_they_must_be() {
    let settings =
        [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("BILLING__ADMIN_URL", "https://billing.nube.example/admin/")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let invoice = CAST.invoice_unpaid;
    bridge.platform(&format!("UPDATE tblinvoices SET invoicenum = 'FC-0001-00000112' WHERE id = {}", invoice.id)).await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": invoice.id }));
    assert_eq!(bridge.post("evt_names", &body).await.status, 202);
    bridge.settle().await;
    let client = bridge.messages().await.pop().expect("a message").client_id;
    let subject = |kind, id| Subject { kind, id };
    let called = names(&desk, &who(), [subject(SubjectKind::Client, client)].into()).await;
    let name = called.client(client).expect("a name").to_owned();
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let id = bridge.messages().await.pop().expect("a message").id;
    for path in ["/admin/messages".to_owned(), format!("/admin/messages/{id}"), "/admin/events/evt_names".to_owned()] {
        let page = luz.get(&path).await;
        page.shows(&format!("<bdi>{name}</bdi> · #{client}"));
        page.shows("FC-0001-00000112");
        page.shows(&format!("https://billing.nube.example/admin/clientssummary.php?userid={client}"));
        page.shows(&format!("https://billing.nube.example/admin/invoices.php?action=edit&amp;id={}", invoice.id));
    }
    // Nothing of it is in our tables.
    let mut own = crate::support::database::connect(&bridge.db.bridge_url()).await;
    let subjects: Vec<String> =
        own.query("SELECT CONCAT(subject, COALESCE(detail, '')) FROM message").await.expect("rows");
    assert!(subjects.iter().all(|text| !text.contains("FC-0001")), "{subjects:?}");
    own.disconnect().await.expect("an idle connection closes");
    let initials: String = name
        .split_whitespace()
        .map(|word| format!("{}.", word.chars().next().expect("a letter")))
        .collect::<Vec<_>>()
        .join(" ");
    for (key, value) in [("PRIVACY__SHOW_NAMES", "false"), ("PRIVACY__NAMES_FROM", "operator")] {
        let mut variables = bridge.environment();
        variables.push((format!("HOOKBRIDGE__{key}"), value.to_owned()));
        let config = hookbridge::config::load(None, variables).expect("settings");
        let hidden = Desk { config: std::sync::Arc::new(config), ..(*desk).clone() };
        let viewer = Who { role: Role::Viewer, ..who() };
        let called = names(
            &hidden,
            &viewer,
            [subject(SubjectKind::Client, client), subject(SubjectKind::Invoice, invoice.id.into())].into(),
        )
        .await;
        assert_eq!(called.client(client), Some(initials.as_str()));
        assert_eq!(
            called.of(subject(SubjectKind::Invoice, invoice.id.into())),
            Some("FC-0001-00000112"),
            "a number is no name"
        );
        let found = find(&hidden, &viewer, &name, None).await.expect("a search");
        let shown = format!("{:?}", found.groups);
        assert!(!shown.contains(&name) && !shown.contains('@') && shown.contains(&initials), "{shown}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_page_comes_without_names_when_the_platform_does_not_answer() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let mut config = (*desk.config).clone();
    config.billing.url = "mysql://nobody@127.0.0.1:1/none".to_owned().into();
    let away = Desk { billing: hookbridge::app::open_billing(&config).expect("a pool"), ..(*desk).clone() };
    let started = Instant::now();
    let called = names(&away, &who(), [Subject { kind: SubjectKind::Client, id: 1 }].into()).await;
    assert_eq!(called.client(1), None);
    assert!(started.elapsed().as_secs() < 2, "it waits for nobody");
    bridge.finish().await;
}

/// What the API says of it has the shape that it promises.
#[tokio::test]
async fn an_empty_search_finds_nothing_and_helps() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    assert_eq!(find(&desk, &who(), "  ", None).await.expect("a search").hits(), 0);
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    luz.get("/admin/find").await.shows("La tecla / lleva al buscador");
    let found: Value = bridge.run_json(&["find", "1"]).await;
    assert!(found["groups"].as_array().is_some_and(|groups| !groups.is_empty()), "{found}");
    bridge.finish().await;
}
