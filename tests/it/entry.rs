//! Getting into the administrators' page: password, second factor, sessions, and what keeps others out.

use hookbridge::domain::admin::Role;
use hookbridge::ops;
use hookbridge::ops::change;
use hookbridge::ops::people::DisableAdministrator;
use hookbridge::ops::tokens::{EndToken, ListTokens};
use hookbridge::store::audit;

use crate::support::bridge::Bridge;
use crate::support::person::{PASSWORD, Person, code, hire, token};

fn now_s(bridge: &Bridge) -> u64 {
    u64::try_from(bridge.now().as_second()).expect("after 1970")
}

#[tokio::test]
async fn nobody_sees_a_page_before_he_is_in_and_comes_back_to_where_he_wanted_to_go() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "Ana", Role::Viewer).await;
    let ana = Person::at(&bridge.url(""));
    let seen = ana.get("/admin/me?x=1").await;
    assert_eq!((seen.status, seen.location.as_deref()), (303, Some("/admin/login?next=%2Fadmin%2Fme%3Fx%3D1")));
    let part = ana.part("/admin/me").await;
    assert_eq!((part.status, part.headers["hx-redirect"].to_str().ok()), (401, Some("/admin/login")));
    let form = ana.get("/admin/login?next=%2Fadmin%2Fme%3Fx%3D1").await;
    assert_eq!(form.field("next"), "/admin/me?x=1");
    let seen = ana.post("/admin/login", &[("name", "ANA"), ("password", PASSWORD), ("next", "/admin/me?x=1")]).await;
    assert_eq!((seen.status, seen.location.as_deref()), (303, Some("/admin/me?x=1")));
    let cookie = seen.headers["set-cookie"].to_str().expect("a cookie").to_owned();
    for part in ["__Host-hookbridge=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    ana.get("/admin/me").await.shows("Mi cuenta");
    let out = ana.post("/admin/logout", &[]).await;
    assert_eq!(out.location.as_deref(), Some("/admin/login"));
    assert_eq!(ana.get("/admin/me").await.status, 303);
    for elsewhere in ["https://evil.example/admin", "//evil.example", "/adminx", "/admin/\\evil"] {
        let seen = ana.post("/admin/login", &[("name", "ana"), ("password", PASSWORD), ("next", elsewhere)]).await;
        assert_eq!(seen.location.as_deref(), Some("/admin"), "{elsewhere}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn the_second_factor_is_asked_works_once_and_is_needed_where_it_is_required() {
    let bridge = Bridge::with(&[("ADMIN__SECOND_FACTOR", "required")], |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    assert_eq!(ana.get("/admin/messages").await.location.as_deref(), Some("/admin/me/second-factor"));
    let page = ana.get("/admin/me/second-factor").await;
    let secret = page.text.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a secret");
    let (word, carried) = (page.field("_csrf"), page.field("carried"));
    let send = async |code: &str| {
        ana.post("/admin/me/second-factor", &[("_csrf", &word), ("carried", &carried), ("code", code)]).await
    };
    let wrong = send("000000").await;
    assert_eq!(wrong.status, 422);
    wrong.shows("El código no es el de ahora");
    let right = code(secret, now_s(&bridge));
    let done = send(&right).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.shows("Códigos de recuperación");
    ana.post("/admin/logout", &[]).await;
    let half = ana.log_in("administrator of tests", PASSWORD).await;
    assert_eq!(half.location.as_deref(), Some("/admin/code?next=%2Fadmin"));
    assert_eq!(ana.get("/admin/me").await.status, 303, "a password alone is not enough");
    let again = ana.post("/admin/code", &[("code", &right)]).await;
    assert_eq!(again.status, 401, "a code works once");
    bridge.wait_s(30);
    let next = code(secret, now_s(&bridge));
    assert_eq!(ana.post("/admin/code", &[("code", &next)]).await.location.as_deref(), Some("/admin"));
    assert_eq!(ana.get("/admin/me").await.status, 200);
    bridge.finish().await;
}

#[tokio::test]
async fn guessing_becomes_slow_for_the_account_and_for_the_address() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "ana", Role::Viewer).await;
    hire(&desk, "luz", Role::Viewer).await;
    let thief = Person::at(&bridge.url(""));
    for _ in 0..5 {
        assert_eq!(thief.log_in("ana", "wrong").await.status, 401);
    }
    assert_eq!(thief.log_in("ana", PASSWORD).await.status, 429, "now even the right one has to wait");
    assert_eq!(thief.log_in("luz", PASSWORD).await.status, 303, "others do not");
    bridge.wait_s(2);
    assert_eq!(thief.log_in("ana", PASSWORD).await.status, 303);
    for n in 0..15 {
        assert_eq!(thief.log_in(&format!("nobody {n}"), "wrong").await.status, 401);
    }
    assert_eq!(thief.log_in("luz", PASSWORD).await.status, 429, "too many from one address");
    bridge.finish().await;
}

#[tokio::test]
async fn a_form_of_another_site_or_session_changes_nothing() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let luz = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let foreign = luz.get("/admin/me").await.field("_csrf");
    for form in [&[("language", "en")][..], &[("language", "en"), ("_csrf", &foreign)]] {
        let seen = ana.post("/admin/me/language", form).await;
        assert_eq!(seen.status, 409);
        seen.shows("El formulario era de otra sesión");
    }
    ana.get("/admin/me").await.shows("Mi cuenta");
    let word = ana.get("/admin/me").await.field("_csrf");
    let evil = bridge
        .http
        .post(bridge.url("/admin/me/language"))
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("language=en&_csrf={word}"));
    assert_eq!(evil.send().await.expect("an answer").status(), 403);
    let done = ana.submit("/admin/me", "/admin/me/language", &[("language", "en")]).await;
    assert_eq!(done.location.as_deref(), Some("/admin/me?done=saved"));
    ana.get("/admin/me?done=saved").await.shows("Saved.");
    bridge.finish().await;
}

#[tokio::test]
async fn a_session_ends_by_idling_by_age_and_with_the_account() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    for _ in 0..24 {
        bridge.wait_s(29 * 60);
        assert_eq!(ana.get("/admin/me").await.status, 200, "it lives on while it is used");
    }
    bridge.wait_s(29 * 60);
    assert_eq!(ana.get("/admin/me").await.status, 303, "but not for ever");
    ana.log_in("viewer of tests", PASSWORD).await;
    bridge.wait_s(31 * 60);
    assert_eq!(ana.get("/admin/me").await.status, 303, "nor unused");
    ana.log_in("viewer of tests", PASSWORD).await;
    assert_eq!(ana.get("/admin/me").await.status, 200);
    let who = hookbridge::domain::admin::Who::at_the_command_line("test");
    change(&desk, &who, DisableAdministrator { name: "viewer of tests".to_owned() }).await.expect("it can be disabled");
    assert_eq!(ana.get("/admin/me").await.status, 303);
    assert_eq!(ana.log_in("viewer of tests", PASSWORD).await.status, 401);
    let log = audit::list(&desk.store, &audit::Filter { limit: 50, ..Default::default() }).await.expect("the log");
    let actions: Vec<&str> = log.iter().rev().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["admin.create", "login", "login", "login", "admin.disable"]);
    bridge.finish().await;
}

#[tokio::test]
async fn every_answer_forbids_what_a_page_does_not_need() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    for path in ["/admin/login", "/admin/me", "/admin/nowhere"] {
        let seen = ana.get(path).await;
        let header = |name: &str| seen.headers[name].to_str().expect("text").to_owned();
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{policy}");
        assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff".into(), "no-store".into()));
        assert!(!seen.text.contains("<script>") && !seen.text.contains(" onclick=") && !seen.text.contains(" style="));
    }
    assert_eq!(ana.get("/admin/nowhere").await.status, 404);
    let style = ana.get("/admin/me").await.text;
    let address =
        style.split("href=\"").find(|part| part.starts_with("/admin/assets/style.css")).expect("a style sheet");
    let sheet = ana.get(address.split('"').next().expect("an address")).await;
    assert_eq!((sheet.status, sheet.headers["content-type"].to_str().ok()), (200, Some("text/css; charset=utf-8")));
    assert!(sheet.headers["cache-control"].to_str().expect("text").contains("immutable"));
    bridge.finish().await;
}

#[tokio::test]
async fn names_are_shown_and_never_run() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let name = "<script>alert('x')</script>\"{{ 7 }}\u{202e}";
    hire(&desk, name, Role::Viewer).await;
    let mallory = Person::at(&bridge.url(""));
    assert_eq!(mallory.log_in(name, PASSWORD).await.status, 303);
    let seen = mallory.get("/admin/me").await;
    seen.shows("&lt;script&gt;alert('x')&lt;/script&gt;&quot;{{ 7 }}");
    seen.hides("<script>alert");
    bridge.finish().await;
}

#[tokio::test]
async fn without_a_key_there_is_no_page_and_an_own_address_holds_the_page_alone() {
    let bridge = Bridge::with(&[("ADMIN__KEY", "")], |_| {}).await;
    assert!(bridge.app.desk.is_none());
    assert_eq!(Person::at(&bridge.url("")).get("/admin/login").await.status, 404);
    bridge.finish().await;
    let bridge = Bridge::with(&[("ADMIN__LISTEN", "127.0.0.1:0")], |_| {}).await;
    let own = format!("http://{}", bridge.app.admin_address.expect("an address of its own"));
    assert_eq!(Person::at(&own).get("/admin/login").await.status, 200);
    assert_eq!(Person::at(&own).get("/healthz").await.status, 404);
    assert_eq!(Person::at(&bridge.url("")).get("/admin/login").await.status, 404);
    assert_eq!(Person::at(&bridge.url("")).get("/healthz").await.status, 200);
    bridge.finish().await;
}

#[tokio::test]
async fn the_api_wants_a_token_and_answers_problems() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = hookbridge::domain::admin::Who::at_the_command_line("test");
    let token = token(&desk, &who, "reports", Role::Viewer).await;
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let ask = async |path: &str, token: &str| {
        let request = bridge.http.get(bridge.url(path)).header("authorization", format!("Bearer {token}"));
        crate::support::bridge::answer(request).await
    };
    let me = ask("/api/v1/me", &token).await;
    assert_eq!((me.status, &me.body["name"], &me.body["role"]), (200, &"token:reports".into(), &"viewer".into()));
    for (path, token, status, code) in
        [("/api/v1/me", "hbk_wrong", 401, "bad-token"), ("/api/v1/nothing", token.as_str(), 404, "not-found")]
    {
        let answer = ask(path, token).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let all = ops::read(&desk, &who, ListTokens {}).await.expect("tokens").items;
    ops::change(&desk, &who, EndToken { id: all[0].id }).await.expect("it ends");
    assert_eq!(ask("/api/v1/me", &token).await.status, 401, "an ended token opens nothing");
    bridge.finish().await;
}
