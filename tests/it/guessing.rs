//! How slowly somebody may guess what opens an account: every spelling, address, session and way counts; and nobody is kept out by it.

use hookbridge::admin::people;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::ops::people::{CreateAdministrator, DisableAdministrator, DropFactor, EnableAdministrator, SetRole};
use hookbridge::ops::{Code, change};
use hookbridge::store::audit;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::bridge::{Bridge, answer};
use crate::support::person::{PASSWORD, Person, Seen, code, hire, token};

fn now_s(bridge: &Bridge) -> u64 {
    u64::try_from(bridge.now().as_second()).expect("after 1970")
}

/// A log-in as web servers before us pass it on: `lines` of `X-Forwarded-For`.
async fn from(person: &Person, lines: &[&str], name: &str, password: &str) -> Seen {
    let mut headers = vec![("sec-fetch-site", "same-origin")];
    headers.extend(lines.iter().map(|line| ("x-forwarded-for", *line)));
    person.post_from("/admin/login", &headers, &[("name", name), ("password", password)]).await
}

/// Somebody with a second factor, logged in; and its secret, and the recovery codes.
async fn enrolled(bridge: &Bridge, name: &str, role: Role) -> (Person, String, Vec<String>) {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let person = Person::named(&desk, &bridge.url(""), name, role).await;
    let page = person.get("/admin/me/second-factor").await;
    let secret = shown_secret(&page);
    let form = [("_csrf", page.field("_csrf")), ("carried", page.field("carried"))];
    let right = code(&secret, now_s(bridge));
    let form: Vec<(&str, &str)> =
        form.iter().map(|(k, v)| (*k, v.as_str())).chain([("code", right.as_str())]).collect();
    let done = person.post("/admin/me/second-factor", &form).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let codes = shown_codes(&done);
    (person, secret, codes)
}

fn shown_secret(page: &Seen) -> String {
    page.text.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a secret").to_owned()
}

fn shown_codes(page: &Seen) -> Vec<String> {
    page.text.split("class=\"secret\">").skip(1).filter_map(|rest| Some(rest.split('<').next()?.to_owned())).collect()
}

#[tokio::test]
async fn one_account_has_one_counter_however_its_name_is_written() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "ana", Role::Viewer).await;
    let thief = Person::at(&bridge.url(""));
    for name in ["ana", "ANA", " Ana ", "a\u{200b}na", "\u{ff41}na"] {
        assert_eq!(thief.log_in(name, "wrong").await.status, 401, "{name:?}");
    }
    for name in ["an\u{ad}a", "aNA", "ana"] {
        assert_eq!(thief.log_in(name, PASSWORD).await.status, 429, "{name:?}");
    }
    assert_eq!(thief.log_in("aná", PASSWORD).await.status, 401, "that is somebody else, who does not exist");
    bridge.finish().await;
}

#[tokio::test]
async fn an_address_is_what_the_last_server_says_and_of_ipv6_the_first_half() {
    let bridge = Bridge::start().await;
    let thief = Person::at(&bridge.url(""));
    let mut seen = Vec::new();
    for n in 0..25 {
        let lie = format!("198.51.100.{n}");
        seen.push(from(&thief, &[&lie, "192.0.2.1"], &format!("nobody {n}"), "wrong").await.status);
    }
    assert_eq!(seen, [vec![401; 20], vec![429; 5]].concat(), "20 are free, whatever else the lines say");
    let mut seen = Vec::new();
    for n in 0..25 {
        let host = format!("2001:db8:1:2::{n:x}");
        seen.push(from(&thief, &[&host], &format!("no one {n}"), "wrong").await.status);
    }
    assert_eq!(seen, [vec![401; 20], vec![429; 5]].concat());
    assert_eq!(from(&thief, &["2001:db8:1:3::1"], "no one", "wrong").await.status, 401, "the neighbour's network");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tries_at_once_are_many_tries() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "ana", Role::Viewer).await;
    let url = bridge.url("");
    let all = (0..60).map(|_| async { Person::at(&url).log_in("ana", "wrong").await.status });
    let mut statuses = futures_util::future::join_all(all).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![401; 5], vec![429; 55]].concat(), "neither more tries, nor a lost deadlock");
    bridge.finish().await;
}

#[tokio::test]
async fn strangers_keep_nobody_out_for_longer_than_a_minute_and_known_browsers_not_at_all() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::named(&desk, &bridge.url(""), "ana", Role::Viewer).await;
    ana.post("/admin/logout", &[]).await;
    let thief = Person::at(&bridge.url(""));
    let guess = async |n: usize| from(&thief, &[&format!("192.0.2.{n}")], "ana", "wrong").await.status;
    let mut refused = 0;
    for n in 0..60 {
        if guess(n).await == 429 {
            refused += 1;
            bridge.wait_s(61);
        }
    }
    assert!(refused > 10, "guesses from everywhere become slow: {refused}");
    while guess(100).await != 429 {}
    let elsewhere = Person::at(&bridge.url(""));
    assert_eq!(from(&elsewhere, &["198.51.100.1"], "ana", PASSWORD).await.status, 429, "a browser that nobody knows");
    assert_eq!(from(&ana, &["198.51.100.1"], "ana", PASSWORD).await.status, 303, "her own gets in at once");
    while guess(101).await != 429 {}
    bridge.wait_s(60);
    assert_eq!(from(&elsewhere, &["198.51.100.1"], "ana", PASSWORD).await.status, 303);
    // Her browser's mark is worth nothing for anybody else, and does not make guessing free.
    hire(&desk, "luz", Role::Viewer).await;
    for name in ["ana", "luz"] {
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(from(&ana, &["198.51.100.2"], name, "wrong").await.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429], "{name}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn an_administrator_unlocks_an_account() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "ana", Role::Viewer).await;
    let ana = Person::at(&bridge.url(""));
    let locked = async || {
        for _ in 0..5 {
            ana.log_in("ana", "wrong").await;
        }
        assert_eq!(ana.log_in("ana", PASSWORD).await.status, 429);
    };
    locked().await;
    let (ok, said, _) = bridge.run(&["admin", "unlock", "ana"]).await;
    assert!(ok && said.contains("need not wait"), "{said}");
    assert_eq!(ana.log_in("ana", PASSWORD).await.status, 303);
    ana.post("/admin/logout", &[]).await;
    locked().await;
    let boss = Person::named(&desk, &bridge.url(""), "boss", Role::Administrator).await;
    let account = people::named(&desk, "ana").await.expect("she is there");
    let page = format!("/admin/settings/people/{}", account.id);
    assert_eq!(boss.submit(&page, &format!("{page}/unlock"), &[]).await.status, 303);
    assert_eq!(ana.log_in("ana", PASSWORD).await.status, 303);
    let filter = audit::Filter { limit: 50, action: Some("admin.unlock".to_owned()), ..Default::default() };
    assert_eq!(audit::list(&desk.store, &filter).await.expect("the log").len(), 2);
    bridge.finish().await;
}

#[tokio::test]
async fn whoever_holds_a_session_guesses_no_faster_than_a_stranger() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::named(&desk, &bridge.url(""), "ana", Role::Viewer).await;
    let mut seen = Vec::new();
    for _ in 0..7 {
        let form = [("present", "wrong"), ("password", "another long one"), ("again", "another long one")];
        seen.push(ana.submit("/admin/me", "/admin/me/password", &form).await.status);
    }
    assert_eq!(seen, [422, 422, 422, 422, 422, 429, 429]);
    bridge.wait_s(3600);
    let (luz, ..) = enrolled(&bridge, "luz", Role::Viewer).await;
    for (to, field) in [("second-factor/drop", "code"), ("recovery-codes", "proof")] {
        let mut seen = Vec::new();
        for n in 0..7 {
            let guess = format!("{n:06}");
            seen.push(luz.submit("/admin/me", &format!("/admin/me/{to}"), &[(field, &guess)]).await);
        }
        let statuses: Vec<u16> = seen.iter().map(|seen| seen.status).collect();
        let free = if field == "code" { 5 } else { 0 };
        assert_eq!(statuses, [vec![422; free], vec![429; 7 - free]].concat(), "{to}: one counter for all");
        seen[6].shows("Demasiados intentos");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn a_second_factor_is_replaced_by_the_old_one_or_the_password_alone() {
    let bridge = Bridge::start().await;
    let (ana, old, _) = enrolled(&bridge, "ana", Role::Viewer).await;
    bridge.wait_s(60);
    let page = ana.get("/admin/me/second-factor").await;
    let (new, csrf, carried) = (shown_secret(&page), page.field("_csrf"), page.field("carried"));
    let send = async |code: &str, proof: &str| {
        let form = [("_csrf", csrf.as_str()), ("carried", &carried), ("code", code), ("proof", proof)];
        ana.post("/admin/me/second-factor", &form).await
    };
    let right = code(&new, now_s(&bridge));
    for proof in ["", "000000", "wrong"] {
        let refused = send(&right, proof).await;
        assert_eq!((refused.status, shown_secret(&refused)), (422, new.clone()), "{proof}");
    }
    let mistyped = send("000000", PASSWORD).await;
    assert_eq!((mistyped.status, shown_secret(&mistyped)), (422, new.clone()), "the secret in the app is still good");
    mistyped.shows("El código no es el de ahora");
    assert_eq!(send(&right, &code(&old, now_s(&bridge))).await.status, 200);
    bridge.wait_s(60);
    ana.post("/admin/logout", &[]).await;
    ana.log_in("ana", PASSWORD).await;
    assert_eq!(ana.post("/admin/code", &[("code", &code(&old, now_s(&bridge)))]).await.status, 401);
    assert_eq!(ana.post("/admin/code", &[("code", &code(&new, now_s(&bridge)))]).await.status, 303);
    bridge.finish().await;
}

#[tokio::test]
async fn ten_recovery_codes_open_the_account_once_each() {
    let bridge = Bridge::start().await;
    let (ana, _, codes) = enrolled(&bridge, "ana", Role::Viewer).await;
    assert_eq!(codes.len(), 10);
    ana.post("/admin/logout", &[]).await;
    let enter = async |code: &str| {
        ana.log_in("ana", PASSWORD).await;
        let seen = ana.post("/admin/code", &[("code", code)]).await.status;
        if seen == 303 {
            ana.get("/admin/me").await.shows("Códigos de recuperación sin usar");
            ana.post("/admin/logout", &[]).await;
        }
        seen
    };
    for code in &codes[..2] {
        assert_eq!(enter(&code.to_uppercase().replace('-', " ")).await, 303);
        assert_eq!(enter(code).await, 401, "each once");
    }
    let (ok, said, _) = bridge.run(&["admin", "recovery-codes", "ana"]).await;
    assert!(ok, "{said}");
    let newer: Vec<&str> = said.lines().collect();
    assert_eq!(newer.len(), 10);
    assert_eq!(enter(&codes[3]).await, 401, "the earlier ones are worth nothing");
    assert_eq!(enter(newer[0]).await, 303);
    let mut own = crate::support::database::connect(&bridge.db.bridge_url()).await;
    let kept: Vec<Vec<u8>> =
        mysql_async::prelude::Queryable::query(&mut own, "SELECT code FROM admin_recovery").await.expect("rows");
    assert_eq!(kept.len(), 10);
    assert!(kept.iter().all(|hash| hash.len() == 32 && !hash.is_ascii()));
    let desk = bridge.app.desk.clone().expect("a key is set");
    change(&desk, &Who::at_the_command_line("test"), DropFactor { name: "ana".to_owned() })
        .await
        .expect("it can be dropped");
    let (ok, _, said) = bridge.run(&["admin", "recovery-codes", "ana"]).await;
    assert!(!ok && said.contains("second factor"), "{said}");
    bridge.finish().await;
}

#[tokio::test]
async fn a_token_is_worth_no_more_than_the_person_behind_it() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "boss", Role::Administrator).await;
    hire(&desk, "ana", Role::Administrator).await;
    let account = people::named(&desk, "ana").await.expect("she is there");
    let ana = Who { account: Some(account.id), ..Who::at_the_command_line("ana") };
    let made = token(&desk, &ana, "reports", Role::Administrator).await;
    let ask = async |method: reqwest::Method, path: &str, token: &str, body: serde_json::Value| {
        let request = bridge.http.request(method, bridge.url(path)).bearer_auth(token);
        answer(if body.is_null() { request } else { request.json(&body) }).await
    };
    let me = async |token: &str| ask(reqwest::Method::GET, "/api/v1/me", token, json!(null)).await;
    // A token that the token made.
    let body = json!({ "name": "child", "role": "administrator" });
    let child = ask(reqwest::Method::POST, "/api/v1/tokens", made.expose_secret(), body).await.body["token"].clone();
    let child = child.as_str().expect("a token").to_owned();
    let free = token(&desk, &Who::at_the_command_line("root"), "cron", Role::Viewer).await;
    let tokens = [made.expose_secret(), child.as_str()];
    let shell = Who::at_the_command_line("test");
    change(&desk, &shell, SetRole { name: "ana".to_owned(), role: Code(Role::Viewer) }).await.expect("another role");
    for token in tokens {
        assert_eq!(me(token).await.body["role"], "viewer", "no more than she may");
    }
    change(&desk, &shell, DisableAdministrator { name: "ana".to_owned() }).await.expect("it can be disabled");
    for token in tokens {
        assert_eq!(me(token).await.status, 401);
    }
    change(&desk, &shell, EnableAdministrator { name: "ana".to_owned() }).await.expect("it can be enabled");
    for token in tokens {
        assert_eq!(me(token).await.status, 401, "what ended stays so");
    }
    assert_eq!(me(free.expose_secret()).await.status, 200, "others are not touched");
    bridge.finish().await;
}

#[tokio::test]
async fn nobody_gets_a_name_that_looks_like_another_one() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "ana", Role::Viewer).await;
    let shell = Who::at_the_command_line("test");
    for name in ["ANA", "\u{430}na", "a\u{200b}na", "\u{200b}"] {
        let (name, role) = (name.to_owned(), Code(Role::Viewer));
        let made =
            change(&desk, &shell, CreateAdministrator { name: name.clone(), role, password: Some(PASSWORD.into()) })
                .await;
        assert!(made.is_err(), "{name:?}");
    }
    // An account of an older version has no key; it is found, and gets one.
    bridge.db.own("UPDATE admin SET name_key = NULL").await;
    assert_eq!(people::named(&desk, "Ana").await.expect("she is there").name, "ana");
    assert!(people::named(&desk, "aná").await.is_err());
    bridge.finish().await;
}
