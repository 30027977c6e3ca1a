//! The command as a person runs it: serve, doctor, events, and what it says and does not say.

use std::process::Stdio;

use hookbridge::clock::Clock;
use hookbridge::demo::data::{CAST, Size};
use hookbridge::demo::stage::{SOURCE, Secrets, provider, variables};
use hookbridge::sandbox::{Sandbox, SandboxConfig};
use hookbridge::signature::Key;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::support::bridge::answer;
use crate::support::database::TestDb;

pub struct Ground {
    pub db: TestDb,
    sandbox: Sandbox,
    secrets: Secrets,
}

impl Ground {
    pub async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
        let secrets = Secrets::new().expect("randomness");
        let sandbox = provider(SandboxConfig::new(Clock::system()), &secrets).await.expect("a stand-in");
        Self { db, sandbox, secrets }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookbridge"));
        let variables = variables(&self.db.bridge_url(), &self.db.reader_url(), &self.sandbox.url(), &self.secrets);
        command.args(arguments).envs(variables).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    pub async fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.command(arguments).output().await.expect("the command runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    /// Starts the service and waits until it says where it listens.
    async fn serve(&self) -> (Child, Lines<BufReader<ChildStderr>>, String, Vec<String>) {
        let mut child =
            self.command(&["serve", "--migrate"]).stderr(Stdio::piped()).spawn().expect("the service starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let mut seen = Vec::new();
        loop {
            let line = lines.next_line().await.expect("a log").unwrap_or_else(|| panic!("it ended: {seen:#?}"));
            let json: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON line: {line}"));
            seen.push(line);
            if let Some(address) = json["address"].as_str() {
                return (child, lines, format!("http://{address}"), seen);
            }
        }
    }
}

async fn signal(child: &Child, name: &str) {
    let pid = child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args([name, &pid]).status().await.expect("kill runs");
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_takes_an_event_reloads_stops_and_never_logs_who_it_was_about() {
    let ground = Ground::new().await;
    let (ok, said) = ground.run(&["serve"]).await;
    assert!(!ok && said.contains("run `hookbridge migrate`"), "{said}");
    let (mut child, mut lines, url, mut log) = ground.serve().await;
    ground.sandbox.set_callback_url(Some(format!("{url}/v1/receipts/main")));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(answer(http.get(format!("{url}{path}"))).await.status, 200, "{path}");
    }
    let now = Clock::system().now();
    let key = Key::parse(&ground.secrets.stub.clone().into()).expect("a secret");
    let body = json!({ "v": 1, "hook": "InvoiceCreated", "occurred_at": now.to_string(),
        "fields": { "invoiceid": CAST.invoice_unpaid.id } })
    .to_string();
    let at = now.as_second().to_string();
    let post = |body: String, signature: String| {
        http.post(format!("{url}/v1/events"))
            .header("content-type", "application/json")
            .header("hookbridge-source", SOURCE)
            .header("webhook-id", "evt_1")
            .header("webhook-timestamp", &at)
            .header("webhook-signature", signature)
            .body(body)
    };
    let signature = key.sign("evt_1", &at, body.as_bytes());
    assert_eq!(answer(post(body.clone(), signature)).await.status, 202);
    assert_eq!(answer(post(body, "v1,bm8=".to_owned())).await.status, 401);
    signal(&child, "-HUP").await;
    let mut reloaded = false;
    while !reloaded {
        let line = lines.next_line().await.expect("a log").expect("it still runs");
        reloaded = line.contains("reloaded");
        log.push(line);
    }
    signal(&child, "-TERM").await;
    while let Some(line) = lines.next_line().await.expect("a log") {
        log.push(line);
    }
    assert!(child.wait().await.expect("it ends").success());
    let log = log.join("\n");
    assert!(log.contains("\"stopped\""), "{log}");
    for personal in ["1155550101", "Luc", "Fern", "wamid", &ground.secrets.stub[6..], &ground.secrets.token] {
        assert!(!log.contains(personal), "the log holds `{personal}`: {log}");
    }
    let (ok, trail) = ground.run(&["events", "show", "evt_1"]).await;
    assert!(ok, "{trail}");
    for step in ["received from `billing`", "facts", "rule"] {
        assert!(trail.contains(step), "{step} is missing: {trail}");
    }
    assert!(!trail.contains("1155550101"), "{trail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_finds_a_good_set_up_good_and_says_what_is_wrong_with_a_bad_one() {
    let ground = Ground::new().await;
    let (ok, said) = ground.run(&["doctor", "--json"]).await;
    assert!(!ok && said.contains("hookbridge migrate"), "{said}");
    assert!(ground.run(&["migrate"]).await.0);
    let (ok, said) = ground.run(&["doctor", "--json"]).await;
    assert!(ok, "{said}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let state = |check: &str| {
        let all = report["checks"].as_array().expect("checks");
        all.iter()
            .find(|one| one["check"] == check)
            .map_or("missing", |one| one["state"].as_str().unwrap_or("?"))
            .to_owned()
    };
    for check in
        ["config", "hookpoints", "templates", "database", "schema", "billing", "read-only", "secrets", "provider"]
    {
        assert_eq!(state(check), "ok", "{check}: {said}");
    }
    assert!(!said.contains(&ground.secrets.token) && !said.contains(&ground.secrets.stub));
    // An account that may write is found out, and the service refuses to start with it.
    let writer = ("HOOKBRIDGE__BILLING__URL", ground.db.billing_admin_url());
    let output = ground.command(&["doctor"]).env(writer.0, &writer.1).output().await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("take away"), "{said}");
    let output = ground.command(&["serve"]).env(writer.0, &writer.1).output().await.expect("it runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("may do more than read"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_secret_is_usable_and_the_settings_in_force_show_no_secret() {
    let ground = Ground::new().await;
    let (ok, secret) = ground.run(&["config", "--new-secret"]).await;
    assert!(ok && Key::parse(&secret.trim().to_owned().into()).is_ok());
    let (ok, shown) = ground.run(&["config"]).await;
    assert!(ok && shown.contains("(set)"), "{shown}");
    for secret in [&ground.secrets.stub, &ground.secrets.token, &ground.secrets.app_secret] {
        assert!(!shown.contains(secret.as_str()));
    }
    let (ok, defaults) = ground.run(&["config", "--defaults"]).await;
    assert!(ok && defaults == hookbridge::config::DEFAULTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_shows_what_is_kept_how_long_and_prunes_when_told() {
    let ground = Ground::new().await;
    assert!(ground.run(&["migrate"]).await.0);
    let (ok, said) = ground.run(&["retention"]).await;
    assert!(ok && said.contains("400 days") && said.contains("transition"), "{said}");
    let (ok, said) = ground.run(&["retention", "--run", "--json"]).await;
    assert!(ok, "{said}");
    let kinds: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(kinds["kinds"][0]["kind"], "event");
    assert_eq!(kinds["kinds"][0]["pruned_now"], 0);
    let mut short = ground.command(&["retention"]);
    let output = short.env("HOOKBRIDGE__RETENTION__EVENT_DAYS", "1").output().await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("`retention.event_days` must be at least 3"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_of_phones_names_who_cannot_be_alerted_and_why_and_shows_no_number() {
    let ground = Ground::new().await;
    assert!(ground.run(&["migrate"]).await.0);
    let mut own = crate::support::database::connect(&ground.db.bridge_url()).await;
    own.query_drop(
        "INSERT INTO consent (recipient, opted_out, evidence, at) VALUES ('+5491155550101', 1, 'BAJA', NOW(3))",
    )
    .await
    .expect("a word of client 1");
    let output = ground.command(&["audit", "phones", "--json"]).output().await.expect("it runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON alone on stdout");
    let reason = |client: u32| {
        let rows = found["clients"].as_array().expect("a list");
        rows.iter().find(|row| row["client"] == client).map(|row| row["reason"].as_str().unwrap_or_default().to_owned())
    };
    for (client, expected) in [
        (CAST.client_without_phone, Some("phone_missing")),
        (CAST.client_junk_phone, Some("phone_invalid")),
        (CAST.client_spanish, Some("opted_out")),
        (CAST.client_sharing_phone, Some("opted_out")),
        (CAST.client_closed, None),
        (CAST.client_english, None),
        (CAST.client_raw_phone, None),
    ] {
        assert_eq!(reason(client).as_deref(), expected, "client {client}: {found:#}");
    }
    let n = |key: &str| found["counts"][key].as_u64().expect("a count");
    assert_eq!(n("read"), n("closed") + n("reachable") + n("unreachable"));
    assert_eq!(n("unreachable"), found["clients"].as_array().expect("a list").len() as u64);
    assert!(n("closed") > 0 && n("reachable") > 10, "{found:#}");

    let (ok, table) = ground.run(&["audit", "phones"]).await;
    assert!(ok && table.contains("no phone number is stored") && table.contains("can be alerted"), "{table}");
    let output = ground.command(&["audit", "phones", "--csv"]).output().await.expect("it runs");
    let csv = String::from_utf8_lossy(&output.stdout).into_owned();
    // Whoever is alerted at a number that was read with an assumption is listed as well.
    let assumed = found["assumed"].as_array().expect("a list");
    assert_eq!((assumed.len() as u64, n("undeliverable")), (n("assumed"), 0));
    assert!(assumed.iter().any(|one| one["assumed"] == "ar_nine"), "{found:#}");
    assert_eq!(csv.lines().count() as u64, 1 + n("unreachable") + n("assumed"), "{csv}");
    assert!(csv.lines().all(|line| line.split(',').count() >= 4));
    for text in [&table, &csv, &found.to_string()] {
        assert!(!text.contains("5555") && !text.contains("no tiene"), "a number or what stands for one: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweep_shows_what_it_remembers_and_forgets_when_told() {
    let ground = Ground::new().await;
    assert!(ground.run(&["migrate"]).await.0);
    let (ok, said) = ground.run(&["sweep"]).await;
    assert!(ok && said.contains("looks around silently") && said.contains("invoice"), "{said}");
    let (ok, said) = ground.run(&["sweep", "--forget", "--json"]).await;
    assert!(ok, "{said}");
    let kinds: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&kinds["kinds"][0]["kind"], &kinds["kinds"][0]["rows"]), (&json!("client"), &json!(0)));
    let (ok, said) = ground.run(&["events", "show", "sweep-0"]).await;
    assert!(!ok && said.contains("there is no such event"), "{said}");
}
