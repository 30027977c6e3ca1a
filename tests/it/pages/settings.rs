//! The page on settings: numbers, sources, people, audit, data.

use hookbridge::admin::Desk;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::signature::Key;
use hookbridge::store::{audit, lane};
use mysql_async::prelude::Queryable as _;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::acts;
use crate::support::bridge::{Answer, Bridge, answer};
use crate::support::database::connect;
use crate::support::person::{PASSWORD, Person, hire};

/// What the log says, oldest first.
async fn log(desk: &Desk) -> Vec<String> {
    let filter = audit::Filter { limit: 200, ..audit::Filter::default() };
    let all = audit::list(&desk.store, &filter).await.expect("the log can be read");
    all.into_iter().rev().map(|one| format!("{} {}", one.action, one.target)).collect()
}

async fn token(desk: &Desk, role: Role) -> String {
    let who = Who::at_the_command_line("test");
    let made = crate::support::person::token(desk, &who, role.code(), role).await;
    made.expose_secret().to_owned()
}

/// A deed by the API.
async fn api(bridge: &Bridge, token: &str, path: &str, body: &serde_json::Value) -> Answer {
    let request = bridge.http.post(bridge.url(&format!("/api/v1{path}"))).bearer_auth(token).json(body);
    answer(request).await
}

async fn read(bridge: &Bridge, token: &str, path: &str) -> Answer {
    answer(bridge.http.get(bridge.url(&format!("/api/v1{path}"))).bearer_auth(token)).await
}

/// Every text of every table of ours.
async fn tables(bridge: &Bridge) -> String {
    let mut own = connect(&bridge.db.bridge_url()).await;
    let names: Vec<String> = own.query("SHOW TABLES").await.expect("tables");
    let mut all = String::new();
    for name in names {
        let rows: Vec<mysql_async::Row> = own.query(format!("SELECT * FROM `{name}`")).await.expect("rows");
        for row in rows {
            for value in row.unwrap() {
                if let mysql_async::Value::Bytes(bytes) = value {
                    all.push_str(&String::from_utf8_lossy(&bytes));
                    all.push('\n');
                }
            }
        }
    }
    own.disconnect().await.expect("an idle connection closes");
    all
}

#[tokio::test]
async fn a_number_is_paused_with_a_reason_resumed_and_slowed_down_while_it_runs() {
    let bridge =
        Bridge::with(&[("SENDERS__MAIN__RATE_PER_S", "20"), ("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let at = "/admin/settings/numbers";
    operator.get(at).await.shows("20 por segundo, de 20 configurados");
    let wrong = operator.submit(at, "/admin/settings/numbers/main/pause", &[("minutes", "60"), ("why", " ")]).await;
    assert_eq!(wrong.status, 422);
    wrong.shows("Falta completarlo.");
    let done = operator
        .submit(at, "/admin/settings/numbers/main/pause", &[("minutes", "60"), ("why", "<b>mantenimiento</b>")])
        .await;
    assert_eq!(done.location.as_deref(), Some("/admin/settings/numbers?done=paused"));
    let page = operator.get(at).await;
    page.shows("en pausa");
    page.shows("operator of tests: &lt;b&gt;mantenimiento&lt;/b&gt;");
    assert_eq!(lane::paused(&desk.store, bridge.now()).await.expect("pauses").len(), 1);
    operator.submit(at, "/admin/settings/numbers/main/resume", &[]).await;
    assert!(lane::paused(&desk.store, bridge.now()).await.expect("pauses").is_empty());
    let refused = operator.submit(at, "/admin/settings/numbers/main/pace", &[("per_second", "2")]).await;
    assert_eq!(refused.status, 403, "the pace is an administrator's");
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let page = viewer.get(at).await;
    page.hides("/pause");
    assert_eq!(
        viewer
            .submit("/admin/me", "/admin/settings/numbers/main/pause", &[("minutes", "60"), ("why", "x")])
            .await
            .status,
        403
    );
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    for bad in ["0", "21", "many"] {
        let wrong = ana.submit(at, "/admin/settings/numbers/main/pace", &[("per_second", bad)]).await;
        assert_eq!(wrong.status, 422, "{bad}");
    }
    ana.submit(at, "/admin/settings/numbers/main/pace", &[("per_second", "2")]).await;
    ana.get(at).await.shows("2 por segundo, de 20 configurados");
    let tail: Vec<String> = log(&desk).await.into_iter().filter(|line| line.starts_with("number.")).collect();
    assert_eq!(tail, ["number.pause lane:main", "number.resume lane:main", "number.pace lane:main"]);
    bridge.finish().await;
}

#[tokio::test]
async fn a_lower_pace_holds_without_a_restart_and_goes_back() {
    let bridge =
        Bridge::with(&[("SENDERS__MAIN__RATE_PER_S", "50"), ("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let invoice = json!({ "invoiceid": CAST.invoice_unpaid.id });
    bridge.post("evt_pace", &bridge.envelope("InvoiceCreated", &invoice)).await;
    bridge.settle().await;
    bridge.wait_s(1);
    bridge.settle().await;
    let before = bridge.phones().len();
    assert!(before > 0, "there is something to make more of");
    acts::set_pace(&desk, &who, "main", Some(1)).await.expect("it is within the configured pace");
    bridge.db.crowd(60, bridge.now()).await;
    // Each turn takes what the pace allows at that moment, so time moves in steps shorter than the configured pace's.
    let pass = async |ms: i64| {
        for _ in 0..ms / 20 {
            bridge.clock.advance_ms(20);
            bridge.app.drain().await.expect("it drains");
        }
        bridge.phones().len() - before
    };
    let slow = pass(3_000).await;
    assert!((2..=4).contains(&slow), "{slow} in three seconds at one per second");
    acts::set_pace(&desk, &who, "main", None).await.expect("back to the configuration");
    let fast = pass(2_000).await;
    assert!(fast - slow > 40, "{} in two seconds at fifty per second", fast - slow);
    assert_eq!(pass(2_000).await, 60, "and then all");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_secret_is_rotated_without_a_gap_and_shown_once() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let at = "/admin/settings/sources";
    let source = desk.config.sources.keys().next().expect("a source").clone();
    let to = format!("/admin/settings/sources/{source}/rotate");
    let rotate = async |days: &str| {
        let page = ana.submit(at, &to, &[("days", days)]).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let secret =
            page.text.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a secret");
        page.shows(&format!("'secret' =&gt; '{secret}',"));
        secret.to_owned()
    };
    let sent = async |secret: &str, id: &str| {
        let key = Key::parse(&secret.to_owned().into()).expect("a good secret");
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": 1 })).to_string().into_bytes();
        let timestamp = bridge.now().as_second().to_string();
        let request = bridge
            .http
            .post(bridge.url("/v1/events"))
            .header("content-type", "application/json")
            .header("hookbridge-source", &source)
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", key.sign(id, &timestamp, &body))
            .body(body);
        answer(request).await.status
    };
    let configured = bridge.secrets.stub.clone();
    assert_eq!(ana.submit(at, &to, &[("days", "91")]).await.status, 422);
    let first = rotate("7").await;
    let second = rotate("7").await;
    assert_eq!(
        (sent(&configured, "evt_a").await, sent(&first, "evt_b").await, sent(&second, "evt_c").await),
        (202, 202, 202)
    );
    let other = bridge.another().await;
    bridge.wait_s(7 * 24 * 3600 + 1);
    bridge.app.refresh().await.expect("it looks again");
    assert_eq!((sent(&first, "evt_d").await, sent(&second, "evt_e").await), (401, 202), "the first one's time is over");
    let page = ana.log_in("administrator of tests", PASSWORD).await;
    assert_eq!(page.status, 303);
    let page = ana.get(at).await;
    let end =
        page.text.split("/admin/settings/secrets/").nth(1).and_then(|rest| rest.split('/').next()).expect("a form");
    let done = ana.submit(at, &format!("/admin/settings/secrets/{end}/end"), &[]).await;
    assert_eq!(done.location.as_deref(), Some("/admin/settings/sources?done=secret_ended"));
    assert_eq!((sent(&second, "evt_f").await, sent(&configured, "evt_g").await), (401, 202), "those of the file stay");
    other.stop().await;
    let token = token(&desk, Role::Administrator).await;
    let shown = [
        ana.get(at).await.text,
        ana.get("/admin/settings/log").await.text,
        read(&bridge, &token, "/sources").await.body.to_string(),
        read(&bridge, &token, "/log").await.body.to_string(),
        tables(&bridge).await,
    ];
    for secret in [&first, &second] {
        let bare = secret.trim_start_matches("whsec_");
        assert!(shown.iter().all(|text| !text.contains(bare)), "a secret is to be read somewhere");
    }
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test]
async fn only_an_administrator_makes_a_secret_and_no_browser_keeps_it() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let source = desk.config.sources.keys().next().expect("a source").clone();
    let (at, to) = ("/admin/settings/sources", format!("/admin/settings/sources/{source}/rotate"));
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    for role in [Role::Viewer, Role::Operator] {
        let person = Person::logged_in(&desk, &bridge.url(""), role).await;
        assert_eq!(person.submit("/admin/me", &to, &[("days", "7")]).await.status, 403, "{role}");
        assert_eq!(person.submit("/admin/me", "/admin/settings/secrets/1/end", &[]).await.status, 403, "{role}");
        person.get(at).await.hides("/rotate");
    }
    assert_eq!(ana.post(&to, &[("_csrf", "guessed"), ("days", "7")]).await.status, 409);
    assert_eq!(ana.submit(at, "/admin/settings/sources/nothing/rotate", &[("days", "7")]).await.status, 404);
    assert_eq!(ana.submit(at, "/admin/settings/secrets/99/end", &[]).await.status, 404);
    assert!(log(&desk).await.iter().all(|line| !line.starts_with("source.")), "{:?}", log(&desk).await);
    let made = ana.submit(at, &to, &[("days", "0")]).await;
    assert_eq!(made.headers.get("cache-control").and_then(|value| value.to_str().ok()), Some("no-store"));
    made.shows("class=\"secret\"");
    // Asked for again by the same address, there is nothing.
    assert_ne!(ana.get(&to).await.status, 200);
    ana.get(at).await.hides("whsec_");
    let lines: Vec<String> = log(&desk).await.into_iter().filter(|line| line.starts_with("source.")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    bridge.finish().await;
}

#[tokio::test]
async fn people_are_added_changed_and_let_in_no_more_but_never_the_last_administrator() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let at = "/admin/settings/people";
    let weak = ana.submit(at, at, &[("name", "luz"), ("role", "viewer"), ("password", "short")]).await;
    assert_eq!(weak.status, 422);
    weak.shows("Es demasiado corta.");
    let made = ana.submit(at, at, &[("name", "luz"), ("role", "viewer"), ("password", PASSWORD)]).await;
    let person = made.location.clone().expect("her page").replace("?done=person_made", "");
    assert_eq!(ana.submit(at, at, &[("name", "LUZ"), ("role", "viewer"), ("password", PASSWORD)]).await.status, 422);
    let luz = Person::at(&bridge.url(""));
    assert_eq!(luz.log_in("luz", PASSWORD).await.status, 303);
    assert_eq!(luz.get(at).await.status, 403, "a viewer does not see it");
    ana.submit(&person, &format!("{person}/role"), &[("role", "operator")]).await;
    luz.get("/admin/me").await.shows("Operación");
    ana.submit(&person, &format!("{person}/password"), &[("password", "another good sentence")]).await;
    assert_eq!(luz.get("/admin/me").await.status, 303, "her sessions ended");
    assert_eq!(luz.log_in("luz", "another good sentence").await.status, 303);
    ana.submit(&person, &format!("{person}/disable"), &[]).await;
    assert_eq!(luz.get("/admin/me").await.status, 303);
    ana.get(&person).await.shows("desactivada");
    ana.submit(&person, &format!("{person}/enable"), &[]).await;
    assert_eq!(luz.log_in("luz", "another good sentence").await.status, 303);
    let list = ana.get(at).await.text;
    let own =
        list.split("administrator of tests</a>").next().and_then(|head| head.rsplit("href=\"").next()).expect("a link");
    let own = own.trim_end_matches("\">");
    let refused = ana.submit(own, &format!("{own}/disable"), &[]).await;
    assert_eq!(refused.status, 422);
    refused.shows("Es la última persona que puede administrar");
    assert_eq!(ana.get(&format!("{at}/999999")).await.status, 404);
    let deeds: Vec<String> = log(&desk).await.into_iter().filter(|line| line.ends_with(" luz")).collect();
    assert_eq!(deeds[0], "admin.create luz");
    for deed in ["admin.role luz", "admin.password luz", "admin.disable luz", "admin.enable luz"] {
        assert!(deeds.contains(&deed.to_owned()), "{deeds:?}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_token_is_shown_once_opens_the_api_with_its_role_and_ends() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let at = "/admin/settings/tokens";
    assert_eq!(ana.submit(at, at, &[("name", ""), ("role", "viewer")]).await.status, 422);
    assert_eq!(ana.submit(at, at, &[("name", "x"), ("role", "viewer"), ("days", "0")]).await.status, 422);
    let page = ana.submit(at, at, &[("name", "<i>informes</i>"), ("role", "viewer"), ("days", "2")]).await;
    let token = page
        .text
        .split("class=\"secret\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a token")
        .to_owned();
    page.shows("&lt;i&gt;informes&lt;/i&gt;");
    assert_eq!(read(&bridge, &token, "/numbers").await.status, 200);
    assert_eq!(read(&bridge, &token, "/tokens").await.status, 403);
    assert_eq!(api(&bridge, &token, "/numbers/main/pause", &json!({ "minutes": 5, "why": "x" })).await.status, 403);
    let list = ana.get(at).await;
    list.hides(&token);
    list.shows("&lt;i&gt;informes&lt;/i&gt;");
    let end =
        list.text.split("/admin/settings/tokens/").nth(1).and_then(|rest| rest.split('/').next()).expect("a form");
    ana.submit(at, &format!("{at}/{end}/end"), &[]).await;
    assert_eq!(read(&bridge, &token, "/numbers").await.status, 401);
    assert!(!tables(&bridge).await.contains(&token));
    bridge.finish().await;
}

#[tokio::test]
async fn the_log_is_searched_paged_and_taken_along_safely() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("=cmd|' /C calc'!A0");
    for n in 0..60 {
        desk.note(&who, "test.deed", &format!("target {n}"), Some("say \"hi\", <b>you</b>")).await.expect("a line");
    }
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let first = operator.get("/admin/settings/log?action=test.deed").await;
    first.shows("target 59");
    first.hides("target 9<");
    first.shows("&lt;b&gt;you&lt;/b&gt;");
    let next = first
        .text
        .split("/admin/settings/log?")
        .find(|part| part.contains("before="))
        .and_then(|part| part.split('"').next())
        .expect("a link");
    let second = operator.get(&format!("/admin/settings/log?{}", next.replace("&amp;", "&"))).await;
    second.shows("target 9<");
    second.hides("target 59<");
    operator.get("/admin/settings/log?target=target+7").await.hides("target 8<");
    let csv = operator.get("/admin/settings/log/export?format=csv&action=test.deed").await;
    assert_eq!(csv.text.lines().count(), 61);
    csv.shows("\"say \"\"hi\"\", <b>you</b>\"");
    let lines = operator.get("/admin/settings/log/export?format=jsonl&target=target+7").await;
    let line: serde_json::Value = serde_json::from_str(lines.text.trim()).expect("JSON");
    assert_eq!((&line["action"], &line["target"]), (&json!("test.deed"), &json!("target 7")));
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    assert_eq!(viewer.get("/admin/settings/log/export").await.status, 403);
    let token = token(&desk, Role::Viewer).await;
    let page = read(&bridge, &token, "/log?action=test.deed&limit=20").await;
    assert_eq!(page.body["items"].as_array().map(Vec::len), Some(20));
    let next = page.body["next"].as_str().expect("there is more").to_owned();
    let page = read(&bridge, &token, &format!("/log?action=test.deed&limit=50&before={next}")).await;
    assert_eq!((page.body["items"].as_array().map(Vec::len), page.body["next"].is_null()), (Some(40), true));
    bridge.finish().await;
}

#[tokio::test]
async fn held_alerts_go_or_are_dropped_by_an_operators_word() {
    let bridge = Bridge::with(&[("HOOKPOINTS__INVOICE_CREATED__MASS_MAX", "1")], |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let mut own = connect(&bridge.db.bridge_url()).await;
    own.query_drop("INSERT INTO hold (hookpoint, client_id, state, since, counted, allowed) VALUES ('invoice_created', 0, 'asked', '2026-01-01', 9, 1), ('invoice_created', 7, 'asked', '2026-01-01', 40, 20)")
        .await
        .expect("holds");
    own.disconnect().await.expect("an idle connection closes");
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    viewer.get("/admin/holds").await.hides("data-ask");
    assert_eq!(viewer.submit("/admin/me", "/admin/holds/invoice_created/drop", &[]).await.status, 403);
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = operator.get("/admin/holds").await;
    page.shows("Cliente 7: 40 avisos en 24 horas; el tope es 20.");
    page.shows("9 avisos; lo habitual es hasta 1.");
    let wrong = operator.submit("/admin/holds", "/admin/holds/invoice_created/later", &[("minutes", "0")]).await;
    assert_eq!(wrong.status, 422);
    let later = operator.submit("/admin/holds", "/admin/holds/invoice_created/later", &[("minutes", "30")]).await;
    assert_eq!(later.location.as_deref(), Some("/admin/holds?done=hold_later"));
    operator.submit("/admin/holds", "/admin/holds/invoice_created/drop", &[("client", "7")]).await;
    let token = token(&desk, Role::Operator).await;
    let left = read(&bridge, &token, "/holds").await;
    assert_eq!(left.body["items"].as_array().map(Vec::len), Some(1), "{:?}", left.body);
    assert_eq!(left.body["items"][0]["state"], "later");
    let went = api(&bridge, &token, "/holds/invoice_created/go", &json!({ "minutes": 10 })).await;
    assert_eq!((went.status, &went.body["messages"]), (200, &json!(0)));
    assert_eq!(api(&bridge, &token, "/holds/nothing/go", &json!({})).await.status, 404);
    let word = acts::discard_hold(&desk, &Who::at_the_command_line("t"), "invoice_created").await;
    assert_eq!(word.expect("it is dropped"), 0);
    let deeds: Vec<String> = log(&desk).await.into_iter().filter(|line| line.starts_with("hold.")).collect();
    assert_eq!(deeds.len(), 4, "{deeds:?}");
    bridge.finish().await;
}

#[tokio::test]
async fn every_settings_page_shows_in_three_languages_without_a_raw_key() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "sin clave", Role::Viewer).await;
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    for locale in ["es_AR", "en", "pt_BR"] {
        ana.submit("/admin/me", "/admin/me/language", &[("language", locale)]).await;
        for path in ["", "/numbers", "/sources", "/people", "/people/1", "/tokens", "/log"] {
            let page = ana.get(&format!("/admin/settings{path}")).await;
            assert_eq!(page.status, 200, "{path}");
            for section in
                ["settings.", "numbers.", "sources.", "people_page.", "tokens.", "log.via", "holds.", "form."]
            {
                assert!(!page.text.contains(&format!(">{section}")), "{path} shows a key of {section}");
            }
        }
    }
    bridge.finish().await;
}
