//! Owns: several real `hookbridge serve` processes side by side, each behind a wire of its own to the one stand-in provider,
//! so that a test can tell who sent what when; and the platform's side: a source that repeats an event until somebody says
//! 202, as the stub's spool does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hookbridge::clock::Clock;
use hookbridge::demo::stage::{SOURCE, Secrets, provider, variables};
use hookbridge::sandbox::{Sandbox, SandboxConfig};
use hookbridge::signature::Key;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::poll::{BUSY, let_run};

/// Posts under way at once.
const POSTS: usize = 12;
/// An instance that does not answer is given up after this, and another is asked.
const POST_PATIENCE: Duration = Duration::from_millis(1_500);
/// A machine that is busy with other tests answers late.
const METRICS_PATIENCE: Duration = Duration::from_secs(30);
/// Tries of one event before the test fails: minutes.
const POST_TRIES: usize = 400;

/// What all instances share.
pub struct Fleet {
    pub sandbox: Sandbox,
    pub secrets: Secrets,
    /// One address in front of all instances.
    pub front: Arc<Front>,
    pub settings: Vec<(String, String)>,
    http: reqwest::Client,
}

impl Fleet {
    pub async fn new(settings: &[(&str, &str)], shape: impl FnOnce(&mut SandboxConfig)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let secrets = Secrets::new().expect("randomness");
        let mut config = SandboxConfig::new(Clock::system());
        shape(&mut config);
        let sandbox = provider(config, &secrets).await.expect("a stand-in");
        let front = Front::open().await;
        sandbox.set_callback_url(Some(format!("http://{}/v1/receipts/main", front.address)));
        let settings =
            settings.iter().map(|(key, value)| (format!("HOOKBRIDGE__{key}"), (*value).to_owned())).collect();
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(POST_PATIENCE).build();
        Self { sandbox, secrets, front, settings, http: http.expect("a client") }
    }

    /// Starts an instance and puts it behind the front.
    pub async fn start(&self, own_url: &str, reader_url: &str) -> Instance {
        let provider: SocketAddr = self.sandbox.url().trim_start_matches("http://").parse().expect("an address");
        let wire = Wire::open(provider).await;
        let variables = variables(own_url, reader_url, &format!("http://{}", wire.address), &self.secrets);
        let mut child = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
            .args(["serve", "--migrate"])
            .envs(variables)
            .env("HOOKBRIDGE__LOG__LEVEL", "info,hookbridge::road=trace")
            .env("HOOKBRIDGE__HOOKPOINTS__INVOICE_CREATED__SETTLE_S", "0")
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the service starts");
        let (steps, seen) = watch::channel(String::new());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (found, address) = tokio::sync::oneshot::channel();
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let kept = log.clone();
        tokio::spawn(async move {
            let mut found = Some(found);
            while let Ok(Some(line)) = lines.next_line().await {
                let json: Value = serde_json::from_str(&line).unwrap_or_default();
                if let Some(step) = json["step"].as_str() {
                    let _ = steps.send(step.to_owned());
                    continue;
                }
                if let Some(address) = json["address"].as_str().and_then(|address| address.parse().ok())
                    && let Some(found) = found.take()
                {
                    let _ = found.send(address);
                }
                kept.lock().expect("no holder panics").push(line);
            }
        });
        let address: Result<SocketAddr, _> = address.await;
        let Ok(address) = address else {
            panic!("the service did not start: {:#?}", log.lock().expect("no holder panics"))
        };
        self.front.add(address);
        Instance { child, address, wire, steps: seen }
    }

    /// Posts an event for each of `invoices`, again until it is stored.
    pub async fn fire(&self, invoices: &[u64]) {
        let key = Key::parse(&self.secrets.stub.clone().into()).expect("a good secret");
        let mut under_way = JoinSet::new();
        for invoice in invoices {
            while under_way.len() >= POSTS {
                under_way.join_next().await.expect("some").expect("it is stored");
            }
            let (http, key, url, id) = (self.http.clone(), key.clone(), self.front.url(), format!("evt_{invoice}"));
            let now = Clock::system().now().to_string();
            let body = json!({ "v": 1, "hook": "InvoiceCreated", "occurred_at": now, "request": id,
                "actor": { "kind": "system", "entrypoint": "cron" }, "fields": { "invoiceid": invoice } });
            let body = body.to_string();
            under_way.spawn(async move { store(&http, &key, &url, &id, &body).await });
        }
        while let Some(stored) = under_way.join_next().await {
            stored.expect("it is stored");
        }
    }

    /// Every message that the provider took: its own id, and when by his clock.
    pub fn taken(&self) -> Vec<(String, String, i64)> {
        let own = |message: &hookbridge::sandbox::Message| message.biz_opaque_callback_data.clone().unwrap_or_default();
        self.sandbox.messages().iter().map(|m| (own(m), m.wa_id.clone(), m.accepted_at_ms)).collect()
    }
}

async fn store(http: &reqwest::Client, key: &Key, url: &str, id: &str, body: &str) {
    for _ in 0..POST_TRIES {
        let timestamp = Clock::system().now().as_second().to_string();
        let request = http
            .post(format!("{url}/v1/events"))
            .header("content-type", "application/json")
            .header("hookbridge-source", SOURCE)
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp)
            .header("webhook-signature", key.sign(id, &timestamp, body.as_bytes()))
            .body(body.to_owned());
        match request.send().await.map(|response| response.status().as_u16()) {
            Ok(202) => return,
            Ok(status @ (401 | 409 | 413 | 415 | 422)) => panic!("{id} was answered {status}"),
            _ => let_run(50).await,
        }
    }
    panic!("nobody took {id}");
}

/// One running service.
pub struct Instance {
    child: Child,
    pub address: SocketAddr,
    pub wire: Arc<Wire>,
    steps: watch::Receiver<String>,
}

impl Instance {
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args([name, &self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Whether the system stopped it.
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it lives");
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    }

    /// Requests whose lease had ended when their answer came, as it counts them.
    pub async fn without_lease(&self, fleet: &Fleet) -> u64 {
        let text = self.metrics(fleet).await;
        let line = text.lines().find_map(|line| line.strip_prefix("hookbridge_sends_without_lease_total "));
        line.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    async fn metrics(&self, fleet: &Fleet) -> String {
        let answer = fleet.http.get(format!("http://{}/metrics", self.address)).timeout(METRICS_PATIENCE).send();
        answer.await.expect("it answers").text().await.expect("a text")
    }

    /// Waits until it comes to `step` of the road, at most `seconds`.
    pub async fn comes_to(&mut self, step: &str, seconds: u64) {
        let _ = self.steps.borrow_and_update();
        let waited = self.steps.wait_for(|seen| seen == step);
        let waited = tokio::time::timeout(Duration::from_secs(seconds * BUSY), waited).await;
        assert!(waited.is_ok_and(|seen| seen.is_ok()), "it did not come to `{step}` within {seconds} s");
    }

    /// Ends it without a word.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it ends");
    }

    /// Asks it to stop, and waits until it did.
    pub async fn stop(&mut self) {
        self.signal("-TERM");
        assert!(self.child.wait().await.expect("it ends").success());
    }

    /// Whether it did its part at the door and behind it.
    pub async fn stored_and_processed(&self, fleet: &Fleet) -> bool {
        let text = self.metrics(fleet).await;
        let some = |name: &str| text.lines().any(|line| line.starts_with(name) && !line.ends_with(" 0"));
        some("hookbridge_events_total{result=\"stored\"}")
            && some("hookbridge_events_processed_total{result=\"processed\"}")
    }
}

/// The way from one instance to the provider: notes when each request began to pass.
pub struct Wire {
    address: SocketAddr,
    requests: Mutex<Vec<Instant>>,
}

impl Wire {
    async fn open(to: SocketAddr) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let wire = Arc::new(Self { address: listener.local_addr().expect("its address"), requests: Mutex::default() });
        let noted = wire.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let noted = noted.clone();
                tokio::spawn(async move {
                    if let Ok(far) = TcpStream::connect(to).await {
                        carry(near, far, |bytes| noted.note(bytes)).await;
                    }
                });
            }
        });
        wire
    }

    fn note(&self, bytes: &[u8]) {
        if bytes.starts_with(b"POST ") {
            self.requests.lock().expect("no holder panics").push(Instant::now());
        }
    }

    /// Requests that passed since `then`.
    pub fn since(&self, then: Instant) -> usize {
        self.requests.lock().expect("no holder panics").iter().filter(|at| **at >= then).count()
    }

    /// When the last one passed.
    pub fn last(&self) -> Option<Instant> {
        self.requests.lock().expect("no holder panics").last().copied()
    }
}

/// One address for all instances: a new connection goes to the next one that takes it.
pub struct Front {
    pub address: SocketAddr,
    behind: Mutex<BTreeMap<SocketAddr, watch::Sender<()>>>,
    next: AtomicUsize,
}

impl Front {
    async fn open() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let front = Arc::new(Self { address, behind: Mutex::default(), next: AtomicUsize::new(0) });
        let inner = front.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let inner = inner.clone();
                tokio::spawn(async move {
                    if let Some((far, mut removed)) = inner.connect().await {
                        tokio::select! {
                            () = carry(near, far, |_| {}) => {}
                            _ = removed.changed() => {}
                        }
                    }
                });
            }
        });
        front
    }

    async fn connect(&self) -> Option<(TcpStream, watch::Receiver<()>)> {
        let behind: Vec<_> = {
            let behind = self.behind.lock().expect("no holder panics");
            behind.iter().map(|(address, removed)| (*address, removed.subscribe())).collect()
        };
        for _ in 0..behind.len() {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            let (address, removed) = &behind[turn % behind.len()];
            if let Ok(stream) = TcpStream::connect(address).await {
                return Some((stream, removed.clone()));
            }
        }
        None
    }

    fn add(&self, address: SocketAddr) {
        self.behind.lock().expect("no holder panics").insert(address, watch::channel(()).0);
    }

    /// Nothing goes to `address` any more, as when its check of health fails.
    pub fn remove(&self, address: SocketAddr) {
        self.behind.lock().expect("no holder panics").remove(&address);
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Carries bytes both ways until either side ends.
async fn carry(near: TcpStream, far: TcpStream, note: impl Fn(&[u8])) {
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
    let there = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = near_in.read(&mut buffer).await {
            note(&buffer[..read]);
            if far_out.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = far_out.shutdown().await;
    };
    let back = async {
        let _ = tokio::io::copy(&mut far_in, &mut near_out).await;
        let _ = near_out.shutdown().await;
    };
    tokio::join!(there, back);
}
