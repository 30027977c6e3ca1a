//! Getting into the bridge's page from the platform's addon page: real PHP makes the form, and the bridge takes it once.

use std::process::Stdio;

use base64::Engine as _;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::ops::change;
use hookbridge::ops::people::DisableAdministrator;
use hookbridge::signature::Key;
use hookbridge::store::audit;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::bridge::Bridge;
use crate::support::browser::Browser;
use crate::support::person::{PASSWORD, Person, Seen, code, hire};
use crate::support::turn::turn;

/// As a browser says where the platform's form is.
const PLATFORM: &str = "https://billing.example";

fn secret() -> String {
    format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode([7_u8; 32]))
}

async fn bridge(more: &[(&str, &str)]) -> Bridge {
    let secret = secret();
    let own = [("ADMIN__SSO_SECRET", secret.as_str()), ("ADMIN__SSO_ORIGIN", PLATFORM)];
    Bridge::with(&[&own[..], more].concat(), |_| {}).await
}

/// The platform's addon page, run by real PHP.
struct Addon<'a> {
    bridge: &'a Bridge,
    role_id: u64,
    name: &'a str,
    settings: Value,
}

impl<'a> Addon<'a> {
    fn of(bridge: &'a Bridge, name: &'a str, role: Role) -> Self {
        Self { bridge, role_id: 1, name, settings: json!({ format!("{role}_roles"): "1, 9" }) }
    }

    fn command(&self) -> Command {
        let dir = self.bridge.dir.path();
        let rows = json!({ "tbladmins": [{ "id": 3, "username": self.name, "roleid": self.role_id }] });
        std::fs::write(dir.join("rows.json"), rows.to_string()).expect("a file");
        let config = format!(
            "<?php return ['url' => 'http://127.0.0.1:1', 'source' => 'billing', 'secret' => '{}', 'spool_dir' => '{}', \
             'page_url' => '{}', 'sso_secret' => '{}'];",
            self.bridge.secrets.stub,
            dir.join("spool").display(),
            self.bridge.url(""),
            secret(),
        );
        std::fs::write(dir.join("addon-config.php"), config).expect("a file");
        let mut command = Command::new("php");
        command
            .env("HOOKBRIDGE_STUB_CONFIG", dir.join("addon-config.php"))
            .env("HB_CAPSULE_JSON", dir.join("rows.json"))
            .env("HB_ADDON_ADMIN", "3")
            .env("HB_ADDON_SETTINGS", self.settings.to_string())
            .env("HB_ADDON_GET", json!({ "open": "1" }).to_string())
            .kill_on_drop(true);
        command
    }

    /// The fields of the form that it prints.
    async fn form(&self) -> Vec<(String, String)> {
        let output = self.command().arg("tests/php/addon.php").output().await.expect("php runs");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(text.contains(&format!("action=\"{}\"", self.bridge.url("/admin/sso"))), "{text}");
        let page = Seen { status: 200, text, location: None, headers: reqwest::header::HeaderMap::new() };
        ["id", "timestamp", "body", "signature"]
            .map(|name| (name.to_owned(), html_escape::decode_html_entities(&page.field(name)).into_owned()))
            .to_vec()
    }

    /// Its page, served.
    async fn serve(&self, port: u16) -> Child {
        let mut server = self
            .command()
            .args(["-S", &format!("127.0.0.1:{port}"), "tests/php/addon.php"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("php serves");
        let mut lines = BufReader::new(server.stderr.take().expect("its log")).lines();
        while let Some(line) = lines.next_line().await.expect("its log can be read") {
            if line.contains("started") {
                break;
            }
        }
        // Its log is read on, or it would wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        server
    }
}

/// A browser hands that form over, from a page at `origin`.
async fn hand_over(person: &Person, form: &[(String, String)], origin: Option<&str>) -> Seen {
    let mut headers =
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    headers.extend(origin.map(|origin| ("origin", origin)));
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    person.post_from("/admin/sso", &headers, &form).await
}

/// A form as whoever has `secret` signs it.
fn signed(bridge: &Bridge, secret: &str, id: &str, body: &Value) -> Vec<(String, String)> {
    let (timestamp, body) = (bridge.now().as_second().to_string(), body.to_string());
    let signature = Key::parse(&secret.to_owned().into()).expect("a key").sign(id, &timestamp, body.as_bytes());
    [("id", id.to_owned()), ("timestamp", timestamp), ("body", body), ("signature", signature)]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
}

async fn log(bridge: &Bridge) -> Vec<(String, String, String, String)> {
    let all =
        audit::list(&bridge.app.store, &audit::Filter { limit: 50, ..Default::default() }).await.expect("the log");
    let line = |one: audit::Entry| (one.actor, one.action, one.target, one.detail.unwrap_or_default());
    all.into_iter().rev().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_of_the_platforms_page_opens_the_bridge_once() {
    let bridge = bridge(&[]).await;
    let form = Addon::of(&bridge, "ana", Role::Operator).form().await;
    let ana = Person::at(&bridge.url(""));
    let seen = hand_over(&ana, &form, Some(PLATFORM)).await;
    assert_eq!((seen.status, seen.headers["refresh"].to_str().ok()), (200, Some("0;url=/admin")), "{}", seen.text);
    assert_eq!(seen.headers["cache-control"], "no-store");
    assert!(seen.headers["set-cookie"].to_str().expect("text").contains("; SameSite=Strict"));
    let page = ana.get("/admin/me").await;
    page.shows("ana");
    page.shows("Operación");
    assert_eq!(ana.get("/admin/settings/people").await.status, 403, "an operator, not more");
    let again = hand_over(&Person::at(&bridge.url("")), &form, Some(PLATFORM)).await;
    assert_eq!(again.status, 401);
    again.shows("ya se usó");
    assert!(again.headers.get("set-cookie").is_none());
    assert_eq!(ana.log_in("ana", PASSWORD).await.status, 401, "there is no password");
    let as_told = |actor: &str, action: &str, detail: &str| {
        (actor.to_owned(), action.to_owned(), "ana".to_owned(), detail.to_owned())
    };
    assert_eq!(
        log(&bridge).await,
        [
            as_told("platform", "admin.create", "operator"),
            as_told("ana", "sso", "operator, administrator 3 of the platform"),
            as_told("ana", "login", ""),
        ]
    );
    // What was used is forgotten when nobody could use it any more.
    let used = async || {
        let mut own = crate::support::database::connect(&bridge.db.bridge_url()).await;
        let n: Option<u64> = mysql_async::prelude::Queryable::query_first(&mut own, "SELECT COUNT(*) FROM sso_used")
            .await
            .expect("a count");
        n
    };
    bridge.app.prune().await.expect("the database works");
    assert_eq!(used().await, Some(1));
    bridge.db.own("UPDATE sso_used SET until_at = until_at - INTERVAL 25 HOUR").await;
    bridge.app.prune().await.expect("the database works");
    assert_eq!(used().await, Some(0));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_old_changed_foreign_or_signed_by_somebody_else_opens_nothing() {
    let bridge = bridge(&[]).await;
    let person = Person::at(&bridge.url(""));
    let good = json!({ "aud": "hookbridge-admin", "admin_id": 3, "name": "ana", "role": "operator" });
    let id = "sso_0123456789abcdef";
    let refused = async |form: &[(String, String)], origin: Option<&str>, status: u16, says: &str| {
        let seen = hand_over(&person, form, origin).await;
        assert_eq!(seen.status, status, "{says}: {}", seen.text);
        seen.shows(says);
        assert!(seen.headers.get("set-cookie").is_none(), "{says}");
    };
    let form = Addon::of(&bridge, "ana", Role::Operator).form().await;
    let changed = |name: &str, value: &str| {
        let mut form = form.clone();
        form.iter_mut().find(|(one, _)| one == name).expect("a field").1 = value.to_owned();
        form
    };
    let body = &form.iter().find(|(name, _)| name == "body").expect("a body").1;
    for other in [
        changed("body", &body.replace("operator", "administrator")),
        changed("body", &body.replace("\"admin_id\":3", "\"admin_id\":1")),
        changed("id", "sso_another_id_of_the_same_length"),
        changed("signature", "v1,AAAA"),
        changed("signature", ""),
        changed("timestamp", "now"),
    ] {
        refused(&other, Some(PLATFORM), 401, "La firma del enlace").await;
    }
    let other_secret = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode([8_u8; 32]));
    refused(&signed(&bridge, &other_secret, id, &good), Some(PLATFORM), 401, "La firma del enlace").await;
    refused(&signed(&bridge, &bridge.secrets.stub, id, &good), Some(PLATFORM), 401, "La firma del enlace").await;
    // A page of somebody else, who would have others work under his own name; and a browser that does not say.
    for origin in [Some("https://evil.example"), Some("null"), Some("https://billing.example.evil"), None] {
        refused(&form, origin, 403, "admin.sso_origin").await;
    }
    let framed = [("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate"), ("origin", PLATFORM)];
    let pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(person.post_from("/admin/sso", &framed, &pairs).await.status, 403);
    for (member, value) in [
        ("aud", json!("elsewhere")),
        ("role", json!("root")),
        ("admin_id", json!(0)),
        ("name", json!(" ")),
        ("more", json!(1)),
    ] {
        let mut body = good.clone();
        body[member] = value;
        let id = format!("{id}-{member}");
        refused(&signed(&bridge, &secret(), &id, &body), Some(PLATFORM), 422, "de versiones que no van juntas").await;
    }
    // PHP's clock is the machine's, and ours stands still: PHP may have started a while after our clock was set.
    let signed_at: i64 =
        form.iter().find(|(name, _)| name == "timestamp").expect("its time").1.parse().expect("seconds");
    let at = |off: i64| bridge.wait_s(signed_at + off - bridge.now().as_second());
    at(61);
    refused(&form, Some(PLATFORM), 401, "los relojes de los dos servidores no coinciden").await;
    at(-61);
    refused(&form, Some(PLATFORM), 401, "los relojes de los dos servidores no coinciden").await;
    at(0);
    assert_eq!(hand_over(&person, &form, Some(PLATFORM)).await.status, 200, "the same link, in time and untouched");
    assert_eq!(person.get("/admin/sso").await.status, 303, "nothing is taken from an address");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_role_is_the_links_each_time_and_never_above_what_the_bridge_allows() {
    let bridge = bridge(&[]).await;
    let role = async || {
        let desk = bridge.app.desk.clone().expect("a key is set");
        hookbridge::admin::people::named(&desk, "ana").await.expect("she is there").role
    };
    for (said, got) in
        [(Role::Viewer, Role::Viewer), (Role::Administrator, Role::Operator), (Role::Viewer, Role::Viewer)]
    {
        let form = Addon::of(&bridge, "ana", said).form().await;
        let ana = Person::at(&bridge.url(""));
        assert_eq!(hand_over(&ana, &form, Some(PLATFORM)).await.status, 200);
        assert_eq!(role().await, got, "{said}");
        assert_eq!(ana.get("/admin/me").await.status, 200);
    }
    let actions: Vec<String> = log(&bridge).await.into_iter().map(|(_, action, ..)| action).collect();
    assert_eq!(actions.iter().filter(|action| *action == "admin.role").count(), 2, "{actions:?}");
    bridge.finish().await;
    let bridge = self::bridge(&[("ADMIN__SSO_ROLE_MAX", "administrator")]).await;
    let form = Addon::of(&bridge, "ana", Role::Administrator).form().await;
    let ana = Person::at(&bridge.url(""));
    assert_eq!(hand_over(&ana, &form, Some(PLATFORM)).await.status, 200);
    ana.get("/admin/settings/people").await.shows("ana");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_stays_out_and_a_namesake_keeps_his_own() {
    let bridge = bridge(&[]).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "Ana", Role::Administrator).await;
    let form = Addon::of(&bridge, "ana", Role::Viewer).form().await;
    let ana = Person::at(&bridge.url(""));
    assert_eq!(hand_over(&ana, &form, Some(PLATFORM)).await.status, 200);
    let page = ana.get("/admin/me").await;
    page.shows("ana #3");
    page.shows("Consulta");
    let alike = signed(
        &bridge,
        &secret(),
        "sso_0123456789look",
        &json!({
            "aud": "hookbridge-admin", "admin_id": 4, "name": "\u{430}na", "role": "viewer",
        }),
    );
    let luz = Person::at(&bridge.url(""));
    assert_eq!(hand_over(&luz, &alike, Some(PLATFORM)).await.status, 200);
    luz.get("/admin/me").await.shows("\u{430}na #4");
    let boss = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let account = hookbridge::admin::people::named(&desk, "ana #3").await.expect("she is there");
    boss.get(&format!("/admin/settings/people/{}", account.id)).await.shows("Ingresa desde la plataforma (id 3)");
    let who = Who::at_the_command_line("test");
    change(&desk, &who, DisableAdministrator { name: "ana #3".to_owned() }).await.expect("it can be disabled");
    let form = Addon::of(&bridge, "ana", Role::Operator).form().await;
    let seen = hand_over(&ana, &form, Some(PLATFORM)).await;
    assert_eq!(seen.status, 403);
    seen.shows("Tu cuenta está desactivada");
    assert_eq!(ana.get("/admin/me").await.status, 303);
    let account = hookbridge::admin::people::named(&desk, "ana #3").await.expect("she is there");
    assert_eq!(account.role, Role::Viewer, "nothing of a disabled account changes");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_with_script_is_a_name_and_a_second_factor_is_asked_here_too() {
    let bridge = bridge(&[]).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let name = "<script>alert('x')</script>\"{{ 7*7 }}";
    let form = Addon::of(&bridge, name, Role::Viewer).form().await;
    let ana = Person::at(&bridge.url(""));
    assert_eq!(hand_over(&ana, &form, Some(PLATFORM)).await.status, 200);
    let page = ana.get("/admin/me").await;
    page.shows("&lt;script&gt;alert('x')&lt;/script&gt;&quot;{{ 7*7 }}");
    page.hides("<script>alert");
    let enrol = ana.get("/admin/me/second-factor").await;
    let secret =
        enrol.text.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).expect("a secret");
    let now = || u64::try_from(bridge.now().as_second()).expect("after 1970");
    let (word, carried) = (enrol.field("_csrf"), enrol.field("carried"));
    let form = [("_csrf", word.as_str()), ("carried", &carried), ("code", &code(secret, now()))];
    assert_eq!(ana.post("/admin/me/second-factor", &form).await.status, 200);
    bridge.wait_s(30);
    let account = hookbridge::store::account::all(&desk.store).await.expect("people")[0].clone();
    let body = json!({ "aud": "hookbridge-admin", "admin_id": account.platform_id, "name": "ana", "role": "viewer" });
    let other = Person::at(&bridge.url(""));
    let seen = hand_over(&other, &signed(&bridge, &self::secret(), "sso_second_factor_1", &body), Some(PLATFORM)).await;
    assert_eq!(seen.headers["refresh"], "0;url=/admin/code?next=%2Fadmin");
    assert_eq!(other.get("/admin/me").await.status, 303, "the link alone is not enough");
    let next = code(secret, now());
    assert_eq!(other.post("/admin/code", &[("code", &next)]).await.location.as_deref(), Some("/admin"));
    bridge.finish().await;
}

#[tokio::test]
async fn without_its_secret_no_link_is_taken_and_mistakes_of_the_configuration_say_what_to_do() {
    let bridge = Bridge::start().await;
    let body = json!({ "aud": "hookbridge-admin", "admin_id": 3, "name": "ana", "role": "viewer" });
    let form = signed(&bridge, &secret(), "sso_0123456789abcdef", &body);
    let seen = hand_over(&Person::at(&bridge.url("")), &form, Some(PLATFORM)).await;
    assert_eq!(seen.status, 404);
    seen.shows("falta «admin.sso_secret»");
    let mistakes = |more: &[(&str, &str)]| {
        let all = more.iter().map(|(key, value)| (format!("HOOKBRIDGE__{key}"), (*value).to_owned()));
        hookbridge::config::load(None, all).expect_err("it is not complete").to_string()
    };
    let (secret, stub) = (secret(), bridge.secrets.stub.clone());
    let said = mistakes(&[("ADMIN__SSO_SECRET", &secret)]);
    assert!(said.contains("`admin.sso_origin` must be where") && !said.contains(&secret), "{said}");
    let said = mistakes(&[("ADMIN__SSO_SECRET", &secret), ("BILLING__ADMIN_URL", "https://billing.example/admin/")]);
    assert!(!said.contains("sso_origin"), "{said}");
    let said = mistakes(&[("ADMIN__SSO_SECRET", &secret), ("ADMIN__SSO_ORIGIN", "billing.example")]);
    assert!(said.contains("`admin.sso_origin` must be where"), "{said}");
    let said = mistakes(&[("ADMIN__SSO_SECRET", &secret), ("ADMIN__SSO_ROLE_MAX", "root")]);
    assert!(said.contains("`admin.sso_role_max` must be viewer"), "{said}");
    let said = mistakes(&[("ADMIN__SSO_SECRET", &stub), ("SOURCES__BILLING__SECRETS", &stub)]);
    assert!(said.contains("is used for something else, too"), "{said}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_comes_from_the_platforms_site_to_the_bridge_by_one_click() {
    let _turn = turn().await;
    // For a browser, the platform at `localhost` is another site than the bridge at `127.0.0.1`.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let platform = format!("http://localhost:{port}");
    let bridge = self::bridge(&[("ADMIN__SSO_ORIGIN", &platform)]).await;
    let _server = Addon::of(&bridge, "ana", Role::Operator).serve(port).await;
    for width in [1280, 390] {
        let browser = Browser::open(&bridge.url(""), width).await;
        browser.page.goto(&format!("{platform}/addonmodules.php?module=hookbridge")).await.expect("the page loads");
        browser.sees("Entrás como ana").await;
        let link = browser.page.find(fantoccini::Locator::LinkText("Abrir hookbridge")).await.expect("the button");
        let to = link.attr("href").await.expect("an address").expect("an address");
        browser.page.goto(&format!("{platform}/{to}")).await.expect("the form hands itself over");
        // The strict cookie counts on the page after it, and on every other.
        browser.sees("Resumen").await;
        assert_eq!((browser.at().await.as_str(), browser.overflow().await), ("/admin", 0));
        browser.go("/admin/me").await;
        browser.sees("Operación").await;
        browser.close().await;
    }
    bridge.finish().await;
}
