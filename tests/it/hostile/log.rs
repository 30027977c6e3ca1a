//! A log that cannot be written: a full disk, a closed pipe, a reader that stalls. It must stop nothing; and no stranger may fill it.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Instant;

use hookbridge::clock::Clock;
use hookbridge::demo::data::Size;
use hookbridge::demo::stage::{SOURCE, Secrets, variables};
use hookbridge::signature::Key;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::database::TestDb;
use crate::support::poll::until;

/// A bridge in a process of its own, whose log goes where the test wants.
struct Service {
    child: Child,
    url: String,
    secrets: Secrets,
    http: reqwest::Client,
    _db: TestDb,
}

/// What others than people post to, each signed.
const SIGNED: [&str; 6] =
    ["/v1/receipts/main", "/v1/events", "/v1/batches", "/v1/decisions/upgrade", "/v1/heartbeat", "/v1/preferences"];

impl Service {
    async fn start(log: Stdio) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
        let secrets = Secrets::new().expect("randomness");
        // Nothing of its log can be read, so its port is chosen for it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it").port();
        let child = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
            .args(["serve", "--migrate"])
            .envs(variables(&db.bridge_url(), &db.reader_url(), "http://127.0.0.1:9", &secrets))
            .env("HOOKBRIDGE__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("HOOKBRIDGE__SERVER__INGEST_WAIT_MS", "10000")
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the service starts");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let service = Self { child, url: format!("http://127.0.0.1:{port}"), secrets, http, _db: db };
        until("it listens", 60, async || service.http.get(service.at("/healthz")).send().await.is_ok()).await;
        service
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Posts a signed event that nobody listens for.
    async fn event(&self, id: &str) -> u16 {
        let key = Key::parse(&self.secrets.stub.clone().into()).expect("a good secret");
        let now = Clock::system().now();
        let body = json!({ "v": 1, "hook": "NobodyListens", "occurred_at": now.to_string(), "fields": {} }).to_string();
        let timestamp = now.as_second().to_string();
        let request = self.http.post(self.at("/v1/events")).header("content-type", "application/json");
        let request = request.header("hookbridge-source", SOURCE).header("webhook-id", id);
        let request = request.header("webhook-timestamp", &timestamp);
        let signature = key.sign(id, &timestamp, body.as_bytes());
        request.header("webhook-signature", signature).body(body).send().await.expect("an answer").status().as_u16()
    }

    /// Makes requests that are refused, at each address where a stranger may knock.
    async fn knock(&self, times: usize) {
        for _ in 0..times {
            for path in SIGNED.iter().chain(&["/admin/login", "/admin/sso"]) {
                let request = self.http.post(self.at(path)).header("content-type", "application/json").body("{}");
                let status = request.send().await.expect("an answer").status().as_u16();
                assert!((400..500).contains(&status), "{path}: {status}");
            }
            let token = self.http.get(self.at("/api/v1/overview")).bearer_auth("hbt_guessed");
            let status = token.send().await.expect("an answer").status().as_u16();
            assert!((400..500).contains(&status), "the API: {status}");
        }
    }

    async fn processed(&self) -> bool {
        let text = self.metrics().await;
        text.lines().any(|line| line.starts_with("hookbridge_inbox_depth 0"))
            && text.contains("hookbridge_events_processed_total")
    }

    async fn metrics(&self) -> String {
        self.http.get(self.at("/metrics")).send().await.expect("an answer").text().await.expect("a text")
    }

    async fn dropped(&self) -> u64 {
        let text = self.metrics().await;
        let line = text.lines().find_map(|line| line.strip_prefix("hookbridge_log_lines_dropped_total "));
        line.and_then(|n| n.parse().ok()).expect("the metric")
    }

    /// It does its work, and ends when asked.
    async fn works_and_ends(mut self) {
        assert_eq!(self.event("evt_1").await, 202);
        until("the event is processed", 30, async || self.processed().await).await;
        assert_eq!(self.http.get(self.at("/readyz")).send().await.expect("an answer").status().as_u16(), 200);
        let pid = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill runs").success());
        let ended = tokio::time::timeout(std::time::Duration::from_secs(30), self.child.wait()).await;
        assert!(ended.expect("it ends in time").expect("it ends").success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_nothing_and_what_was_not_written_is_counted() {
    let full = File::options().write(true).open("/dev/full").expect("the system has it");
    let service = Service::start(full.into()).await;
    service.knock(20).await;
    until("dropped lines are counted", 10, async || service.dropped().await > 0).await;
    service.works_and_ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_pipe_stops_nothing() {
    let mut service = Service::start(Stdio::piped()).await;
    drop(service.child.stderr.take());
    service.knock(20).await;
    until("dropped lines are counted", 10, async || service.dropped().await > 0).await;
    service.works_and_ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_stalls_stops_nothing() {
    let service = Service::start(full_pipe()).await;
    service.knock(100).await;
    service.works_and_ends().await;
}

/// The writing end of a pipe that is full, and whose reader does not read.
fn full_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    std::mem::forget(reader);
    // It writes until nothing fits any more, and is ended then.
    let filled =
        std::process::Command::new("timeout").args(["1", "yes"]).stdout(writer.try_clone().expect("it")).status();
    assert_eq!(filled.expect("it runs").code(), Some(124));
    OwnedFd::from(writer).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_requests_cost_the_log_a_bounded_number_of_bytes_wherever_they_knock() {
    const TIMES: usize = 200;
    /// Addresses with a line of their own, and the longest of these lines in bytes.
    const ENDPOINTS: u64 = 9;
    const LINE_MAX: u64 = 500;
    let mut service = Service::start(Stdio::piped()).await;
    let mut log = BufReader::new(service.child.stderr.take().expect("its log"));
    let reading = tokio::spawn(async move {
        let mut all = String::new();
        log.read_to_string(&mut all).await.expect("text");
        all
    });
    let started = Instant::now();
    service.knock(TIMES).await;
    let seconds = started.elapsed().as_secs() + 2;
    service.works_and_ends().await;
    let log = reading.await.expect("it ends");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("refused")).collect();
    let bytes = lines.iter().map(|line| line.len() as u64).sum::<u64>();
    assert!(bytes <= seconds * ENDPOINTS * LINE_MAX, "{bytes} bytes in {seconds} s: {lines:#?}");
    for said in ["a webhook", "a question", "a heartbeat", "preferences"] {
        let of_it = lines.iter().filter(|line| line.contains(said)).count() as u64;
        assert!((1..=seconds).contains(&of_it), "{said}: {of_it} lines in {seconds} s");
    }
}
