//! Owns: a whole bridge for one test: both databases, the stand-in provider, the service on a free port, a manual clock.
//! Its verbs are the user's: fire hooks, settle, look at the phones.

use std::collections::BTreeMap;

use hookbridge::app::{App, Workers};
use hookbridge::clock::Clock;
use hookbridge::config::load;
use hookbridge::demo::data::{self, Size};
use hookbridge::demo::stage::{SOURCE, Secrets, provider, variables};
use hookbridge::demo::stub::{Stub, StubSettings};
use hookbridge::domain::consent::{How, Said, Scope};
use hookbridge::domain::ids::EventId;
use hookbridge::domain::phone::E164;
use hookbridge::sandbox::{Message, Sandbox, SandboxConfig};
use hookbridge::signature::Key;
use hookbridge::store::consent::{self, Statement};
use hookbridge::store::migrate;
use hookbridge::store::trail::{self, EventTrail, MessageFilter, MessageTrail};
use jiff::Timestamp;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::database::TestDb;

/// A bridge under test.
pub struct Bridge {
    pub app: App,
    pub sandbox: Sandbox,
    pub clock: Clock,
    pub db: TestDb,
    pub secrets: Secrets,
    pub http: reqwest::Client,
    pub dir: TempDir,
    environment: Vec<(String, String)>,
}

/// An answer of the bridge.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: BTreeMap<String, String>,
}

impl Bridge {
    /// With the cast of the sample data and the default settings, but no pause between two messages to one person.
    pub async fn start() -> Self {
        Self::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], |_| {}).await
    }

    /// With other settings, and another provider.
    pub async fn with(settings: &[(&str, &str)], shape: impl FnOnce(&mut SandboxConfig)) -> Self {
        Self::on(TestDb::new().await, settings, shape).await
    }

    /// The same on databases that are there, without a row.
    pub async fn on(db: TestDb, settings: &[(&str, &str)], shape: impl FnOnce(&mut SandboxConfig)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Real PHP signs with the machine's time, so the hand starts there.
        let clock = Clock::manual(Clock::system().now());
        data::load(&db.billing_admin_url(), Size::CAST, clock.now(), db.release)
            .await
            .expect("the sample data fits the tables");
        let secrets = Secrets::new().expect("randomness");
        let mut stand_in = SandboxConfig::new(clock.clone());
        stand_in.receipts.manual = true;
        stand_in.rates.throughput_per_s = None;
        shape(&mut stand_in);
        let sandbox = provider(stand_in, &secrets).await.expect("a stand-in starts");
        let mut environment = variables(&db.bridge_url(), &db.reader_url(), &sandbox.url(), &secrets);
        environment.extend(
            [
                // A machine that is busy with other tests answers late.
                ("SERVER__INGEST_WAIT_MS", "10000"),
                ("DATABASE__ACQUIRE_TIMEOUT_MS", "20000"),
                ("BILLING__ACQUIRE_TIMEOUT_MS", "20000"),
                ("RULES__UPGRADE__DEADLINE_MS", "5000"),
                ("RULES__OWNERSHIP__DEADLINE_MS", "5000"),
                ("RULES__CANCELLATION__DEADLINE_MS", "5000"),
                ("RULES__TERMINATION__DEADLINE_MS", "5000"),
                ("RULES__IDENTITY__DEADLINE_MS", "5000"),
                // What waits for the platform to settle is a test of its own.
                ("HOOKPOINTS__INVOICE_CREATED__SETTLE_S", "0"),
                ("HOOKPOINTS__PAYMENT_RECEIVED__SETTLE_S", "0"),
                ("SENDERS__MAIN__RATE_PER_S", "10000"),
                ("SENDERS__MAIN__TIMEOUT_MS", "1500"),
                ("SENDERS__MAIN__CONNECT_TIMEOUT_MS", "1000"),
            ]
            .map(own),
        );
        environment.extend(numbers_beside_main(settings, &environment));
        environment.extend(settings.iter().map(|pair| own(*pair)));
        let config = load(None, environment.clone()).expect("the settings are complete");
        let store = hookbridge::app::open_store(&config).expect("a pool");
        migrate::run(&store, clock.now()).await.expect("the schema comes up");
        store.database().clone().close().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let app = App::start(config, clock.clone(), listener, Workers::ByHand).await.expect("the bridge starts");
        sandbox.set_callback_url(Some(format!("http://{}/v1/receipts/main", app.address)));
        // The service closes a connection whose body it did not want to read; the next request must not be on its way there.
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
        let dir = tempfile::tempdir().expect("a directory");
        Self { app, sandbox, clock, db, secrets, http, dir, environment }
    }

    /// Another instance, on the same schema.
    pub async fn another(&self) -> App {
        let config = load(None, self.environment.clone()).expect("the settings are complete");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        App::start(config, self.clock.clone(), listener, Workers::ByHand).await.expect("the second instance starts")
    }

    /// The settings as variables, for another instance.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app.address)
    }

    /// The stub, installed for this bridge.
    pub fn stub(&self) -> Stub {
        let url = self.url("");
        let settings = StubSettings {
            url: &url,
            source: SOURCE,
            secret: &self.secrets.stub,
            connect_timeout_ms: 2_000,
            total_timeout_ms: 4_000,
        };
        let stub = Stub::install(self.dir.path(), &settings).expect("the stub can be installed").of(self.db.release);
        stub.rows(&hookbridge::demo::script::rows(self.db.release)).expect("rows can be written");
        stub
    }

    /// Fires hooks through the real stub by real PHP.
    pub async fn fire(&self, lines: &[Value]) {
        self.stub().fire(lines).await.expect("the stub fires");
    }

    /// A body as the stub makes it, now.
    pub fn envelope(&self, hook: &str, fields: &Value) -> Value {
        json!({
            "v": 1, "hook": hook, "occurred_at": self.clock.now().to_string(), "request": "r1",
            "actor": { "kind": "client" }, "fields": fields,
        })
    }

    /// Sends an event as the stub would, with a good signature.
    pub async fn post(&self, id: &str, body: &Value) -> Answer {
        self.post_raw(id, body.to_string().into_bytes(), |request| request).await
    }

    /// The same with raw bytes, and a last word on the request.
    pub async fn post_raw(
        &self,
        id: &str,
        body: Vec<u8>,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.signed("/v1/events", id, body, change).await
    }

    /// A signed request to any address.
    pub async fn signed(
        &self,
        path: &str,
        id: &str,
        body: Vec<u8>,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.signed_at(&self.url(path), id, body, change).await
    }

    /// The same at another instance.
    pub async fn signed_at(
        &self,
        url: &str,
        id: &str,
        body: Vec<u8>,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let key = Key::parse(&self.secrets.stub.clone().into()).expect("a good secret");
        let timestamp = self.clock.now().as_second().to_string();
        let request = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("hookbridge-source", SOURCE)
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", key.sign(id, &timestamp, &body))
            .body(body);
        answer(change(request)).await
    }

    /// Runs our command on this bridge's databases: whether it succeeded, what it printed, what it complained.
    pub async fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        self.run_with(&[], arguments).await
    }

    /// The same with other settings.
    pub async fn run_with(&self, settings: &[(&str, &str)], arguments: &[&str]) -> (bool, String, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hookbridge"));
        command.args(arguments).envs(self.environment.iter().map(|(key, value)| (key, value)));
        command.envs(settings.iter().map(|pair| own(*pair)));
        let output = command.env("USER", "luz").env_remove("SUDO_USER").stdin(std::process::Stdio::null());
        let output = output.kill_on_drop(true).output().await.expect("the command runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// The same, where it must succeed and print JSON.
    pub async fn run_json(&self, arguments: &[&str]) -> Value {
        let (ok, out, err) = self.run(&[arguments, &["--json"]].concat()).await;
        assert!(ok, "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
    }

    /// Everything that can happen happens: events processed, messages sent, receipts delivered.
    pub async fn settle(&self) {
        self.app.drain().await.expect("the workers work");
        self.sandbox.drain_receipts().await;
    }

    pub async fn event(&self, id: &str) -> EventTrail {
        let id = EventId::parse(id).expect("an id");
        trail::event(&self.app.store, &id).await.expect("the trail can be read").expect("the event is there")
    }

    /// All messages, oldest first.
    pub async fn messages(&self) -> Vec<MessageTrail> {
        let filter = MessageFilter { limit: 1000, ..MessageFilter::default() };
        let mut all = trail::messages(&self.app.store, &filter).await.expect("messages can be read");
        all.reverse();
        all
    }

    /// All reasons of all events, sorted.
    pub async fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for (id, ..) in trail::events(&self.app.store, None, None, 1000).await.expect("events can be read") {
            reasons.extend(self.event(&id).await.skips.into_iter().map(|skip| skip.reason));
        }
        reasons.sort();
        reasons
    }

    /// What the phones show.
    pub fn phones(&self) -> Vec<Message> {
        self.sandbox.messages()
    }

    /// Runs a statement as the platform.
    pub async fn platform(&self, sql: &str) {
        self.db.platform().await.query_drop(sql).await.expect("the platform's statement");
    }

    /// Notes in the ledger what somebody said of a number.
    pub async fn noted(&self, phone: &E164, opted_out: bool, evidence: &str) {
        let said = Said { scope: Scope::All, opted_out, at: self.now() };
        let one = Statement { said, how: How::Reply, evidence };
        consent::record(&self.app.store, &[phone.as_str()], one).await.expect("the ledger takes it");
    }

    /// Moves the clock.
    pub fn wait_s(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1000);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends the test: nothing may be left behind in a queue.
    pub async fn finish(self) {
        let mut own = super::database::connect(&self.db.bridge_url()).await;
        for queue in ["inbox", "outbox"] {
            let left: Option<u64> =
                own.query_first(format!("SELECT COUNT(*) FROM {queue}")).await.expect("the queue can be read");
            assert_eq!(left, Some(0), "{queue} holds rows at the end of the test");
        }
        own.disconnect().await.expect("an idle connection closes");
        assert_eq!(self.sandbox.stats().opaque_doubles, 0, "a message reached the provider twice");
        let tasks = self.app.tasks.clone();
        self.app.stop().await;
        assert!(tasks.unfinished().is_empty(), "tasks that did not end: {:?}", tasks.unfinished());
        self.sandbox.stop().await;
    }
}

/// Other numbers are of the same account, where the settings do not say otherwise.
fn numbers_beside_main(settings: &[(&str, &str)], main: &[(String, String)]) -> Vec<(String, String)> {
    let name = |key: &str| Some(key.strip_prefix("SENDERS__")?.strip_suffix("__PHONE_NUMBER_ID")?.to_owned());
    let names = settings.iter().filter_map(|(key, _)| name(key)).filter(|name| name != "MAIN");
    let of = |name: String| {
        let main = main.iter().filter(|(key, _)| key.contains("SENDERS__MAIN__"));
        main.map(move |(key, value)| (key.replace("MAIN", &name), value.clone())).collect::<Vec<_>>()
    };
    names.flat_map(of).collect()
}

fn own((key, value): (&str, &str)) -> (String, String) {
    (format!("HOOKBRIDGE__{key}"), value.to_owned())
}

/// Sends a request and reads the answer.
pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the bridge answers");
    let status = response.status().as_u16();
    let text = |v: &reqwest::header::HeaderValue| v.to_str().unwrap_or_default().to_owned();
    let headers = response.headers().iter().map(|(k, v)| (k.to_string(), text(v))).collect();
    let body = response.text().await.expect("a body");
    Answer { status, body: serde_json::from_str(&body).unwrap_or(Value::String(body)), headers }
}
