//! More than the bridge can take: it says so early, stays up, and loses nothing that it accepted.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hookbridge::clock::Clock;
use hookbridge::demo::data::{CAST, Size};
use hookbridge::demo::stage::{SOURCE, Secrets, variables};
use hookbridge::http::server::descriptors_max;
use hookbridge::signature::Key;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::support::bridge::{Bridge, answer};
use crate::support::database::{TestDb, connect};
use crate::support::poll::let_run;

/// Longest that an honest client may have to wait while others misbehave. The tests' machine is busy with other tests.
const IN_TIME: Duration = Duration::from_secs(40);

/// What the flooded bridge is set to bear, and ten times as much.
const CONNECTIONS: usize = 24;
const FLOOD: usize = 10 * CONNECTIONS;
const EVENTS: usize = 3_000;
const SETTINGS: [(&str, &str); 5] = [
    ("SERVER__CONNECTIONS_MAX", "24"),
    ("SERVER__INGEST_QUEUE_MAX", "8"),
    ("SOURCES__BILLING__EVENTS_PER_S", "400"),
    ("SOURCES__BILLING__EVENTS_BURST", "400"),
    ("LOG__LEVEL", "warn"),
];
/// What the service may hold more at the height of the flood than at its beginning, in KiB.
const GROWTH_KIB_MAX: u64 = 48 * 1024;

/// Posts signed events on raw connections, so that a connection that is closed is an outcome and not an error.
#[derive(Clone)]
struct Sender {
    address: String,
    key: Key,
    /// The same on every try, as the spool keeps it: an event may be stored although its sender heard nothing of it.
    body: String,
}

impl Sender {
    fn request(&self, id: &str) -> String {
        let (at, body) = (Clock::system().now().as_second().to_string(), &self.body);
        let signature = self.key.sign(id, &at, body.as_bytes());
        format!(
            "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nhookbridge-source: {SOURCE}\r\n\
             webhook-id: {id}\r\nwebhook-timestamp: {at}\r\nwebhook-signature: {signature}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// The status, or nothing where the connection was closed.
    async fn post(&self, kept: &mut Option<TcpStream>, id: &str) -> Option<u16> {
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => TcpStream::connect(&self.address).await.ok()?,
        };
        stream.write_all(self.request(id).as_bytes()).await.ok()?;
        let status = status(&mut stream).await?;
        *kept = Some(stream);
        Some(status)
    }
}

/// Reads one answer.
async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        if body.len() >= length.trim().parse::<usize>().ok()? {
            return head.split(' ').nth(1)?.parse().ok();
        }
    }
}

/// `hookbridge serve` as a process of its own, so that its memory can be told from ours.
async fn serve(db: &TestDb, secrets: &Secrets) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
        .args(["serve", "--migrate"])
        .envs(variables(&db.bridge_url(), &db.reader_url(), "http://127.0.0.1:9", secrets))
        .envs(SETTINGS.map(|(key, value)| (format!("HOOKBRIDGE__{key}"), value)))
        .env("HOOKBRIDGE__LOG__LEVEL", "warn,hookbridge::cli=info")
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the service starts");
    let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    let address = loop {
        let line = lines.next_line().await.expect("a log").expect("it runs");
        let json: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(address) = json["address"].as_str() {
            break address.to_owned();
        }
    };
    // The rest is read away, or the service would wait for us.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address)
}

fn resident_kib(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().expect("it runs"))).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("KiB")
}

async fn healthy(address: &str) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ok()?;
        status(&mut stream).await
    };
    tokio::time::timeout(IN_TIME, ask).await == Ok(Some(200))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_ten_times_the_capacity_is_refused_early_and_nothing_accepted_is_lost() {
    let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
    let secrets = Secrets::new().expect("randomness");
    let (child, address) = serve(&db, &secrets).await;
    let key = Key::parse(&secrets.stub.clone().into()).expect("a secret");
    let now = Clock::system().now().to_string();
    let body = json!({ "v": 1, "hook": "NobodyListens", "occurred_at": now, "fields": {} }).to_string();
    let sender = Sender { address: address.clone(), key, body };
    let before = resident_kib(&child);

    let mut flood = JoinSet::new();
    for first in 0..FLOOD {
        let sender = sender.clone();
        flood.spawn(async move {
            let (mut kept, mut outcomes) = (None, Vec::new());
            for number in (first..EVENTS).step_by(FLOOD) {
                let id = format!("evt_{number}");
                let post = sender.post(&mut kept, &id);
                // As the stub, nobody waits for ever.
                outcomes.push((number, tokio::time::timeout(IN_TIME, post).await.unwrap_or(None)));
            }
            outcomes
        });
    }
    let (mut outcomes, mut highest, mut probes) = (Vec::new(), before, 0);
    while !flood.is_empty() {
        assert!(healthy(&address).await, "the health endpoint answers in the middle of the flood");
        probes += 1;
        highest = highest.max(resident_kib(&child));
        while let Some(ended) = flood.try_join_next() {
            outcomes.extend(ended.expect("no panic"));
        }
    }
    assert!(probes > 0);
    assert!(highest - before < GROWTH_KIB_MAX, "{before} KiB before, {highest} KiB at most");
    let statuses: Vec<u16> = outcomes.iter().filter_map(|(_, status)| *status).collect();
    assert!(statuses.iter().all(|status| [202, 429, 503].contains(status)), "{statuses:?}");
    let accepted: Vec<usize> = outcomes.iter().filter(|(_, status)| *status == Some(202)).map(|(n, _)| *n).collect();
    let refused: Vec<usize> = outcomes.iter().filter(|(_, status)| *status != Some(202)).map(|(n, _)| *n).collect();
    assert!(!accepted.is_empty() && refused.len() > EVENTS / 10, "{} of {EVENTS} refused", refused.len());

    let stored = stored(&db).await;
    let lost: Vec<&usize> = accepted.iter().filter(|number| !stored.contains(&format!("evt_{number}"))).collect();
    assert!(lost.is_empty(), "answered 202 and not stored: {lost:?}");

    // What the spool does later: one by one, and not sooner than asked for.
    let mut again = JoinSet::new();
    for part in 0..8 {
        let (sender, mine) = (sender.clone(), refused.iter().copied().skip(part).step_by(8).collect::<Vec<_>>());
        again.spawn(async move {
            let mut kept = None;
            for number in mine {
                loop {
                    match sender.post(&mut kept, &format!("evt_{number}")).await {
                        Some(202) => break,
                        Some(429 | 503) | None => let_run(20).await,
                        Some(other) => panic!("evt_{number} is answered {other}"),
                    }
                }
            }
        });
    }
    while let Some(ended) = again.join_next().await {
        ended.expect("every one is accepted");
    }
    assert_eq!(self::stored(&db).await.len(), EVENTS, "each once");
}

/// Ids of all events, finished or not.
async fn stored(db: &TestDb) -> std::collections::BTreeSet<String> {
    let mut own = connect(&db.bridge_url()).await;
    let ids: Vec<String> =
        own.query("SELECT id FROM event UNION ALL SELECT event_id FROM inbox").await.expect("the events");
    let count = ids.len();
    let ids: std::collections::BTreeSet<String> = ids.into_iter().collect();
    assert_eq!(ids.len(), count, "an event is in one table only");
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_idle_and_slow_clients_do_no_harm_to_an_honest_one() {
    // As many as this process may open, and three times as many as the bridge bears.
    let many = descriptors_max().unwrap_or(1_024).saturating_sub(600).min(9_000) / 4;
    let bears = (many / 3).to_string();
    let settings = [("SERVER__CONNECTIONS_MAX", bears.as_str()), ("SERVER__HEADER_TIMEOUT_MS", "60000")];
    let bridge = Bridge::with(&[&settings[..], &[("SERVER__BODY_TIMEOUT_MS", "60000")]].concat(), |_| {}).await;
    let body = bridge.envelope("NobodyListens", &json!({}));
    let head = "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n";
    let big = format!("GET / HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", "x".repeat(40_000));
    let mut crowd = Vec::new();
    for (kind, open) in (0..many).map(|n| (n % 4, TcpStream::connect(bridge.app.address))) {
        let mut stream = open.await.expect("a connection");
        let _ = match kind {
            // Says nothing at all; half a head; half a body; a head that is far too large.
            0 => Ok(()),
            1 => stream.write_all(&head.as_bytes()[..40]).await,
            2 => stream.write_all(format!("{head}\r\n{{\"v\":").as_bytes()).await,
            _ => stream.write_all(big.as_bytes()).await,
        };
        crowd.push(stream);
    }
    for n in 0..5 {
        let started = Instant::now();
        // A new connection each, as each PHP process opens one.
        let (id, body) = (format!("evt_{n}"), body.to_string().into_bytes());
        assert_eq!(bridge.post_raw(&id, body, |r| r.header("connection", "close")).await.status, 202);
        assert!(started.elapsed() < IN_TIME, "{n} took {:?} behind {} others", started.elapsed(), crowd.len());
    }
    assert_eq!(answer(bridge.http.get(bridge.url("/healthz"))).await.status, 200);
    drop(crowd);
    bridge.settle().await;
    assert_eq!(bridge.reasons().await.len(), 5);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_the_database_does_not_take_in_time_goes_to_the_spool_and_arrives_later() {
    let settings = [("SERVER__INGEST_WAIT_MS", "200"), ("SENDERS__MAIN__PAIR_INTERVAL_S", "0")];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let stub = bridge.stub();
    let mut blocker = connect(&bridge.db.bridge_url()).await;
    blocker.query_drop("LOCK TABLES inbox WRITE").await.expect("a lock");
    let stuck = Arc::new(AtomicBool::new(true));
    let health = {
        let (stuck, url, http) = (stuck.clone(), bridge.url("/healthz"), bridge.http.clone());
        tokio::spawn(async move {
            while stuck.load(Ordering::Relaxed) {
                assert_eq!(answer(http.get(&url)).await.status, 200);
            }
        })
    };
    let fields =
        json!({ "invoiceid": CAST.invoice_unpaid.id, "source": "autogen", "user": "system", "status": "Unpaid" });
    stub.fire(&[json!({ "hook": "InvoiceCreated", "vars": fields })]).await.expect("the stub fires");
    assert_eq!(stub.waiting(), 1, "the event waits in the spool");
    let body = bridge.envelope("NobodyListens", &json!({}));
    let refused = bridge.post("evt_x", &body).await;
    assert_eq!((refused.status, &refused.body["code"]), (503, &json!("not-stored")));
    assert_eq!(refused.headers["retry-after"], "5");
    stuck.store(false, Ordering::Relaxed);
    health.await.expect("the health endpoint answered all the while");
    blocker.query_drop("UNLOCK TABLES").await.expect("unlocked");
    assert_eq!(bridge.post("evt_x", &body).await.status, 202, "whether or not it was stored in the end");
    stub.fire(&[json!({ "hook": "AfterCronJob", "vars": {} })]).await.expect("the stub fires");
    assert_eq!(stub.waiting(), 0, "the spool is empty");
    bridge.settle().await;
    assert_eq!(
        bridge.phones().iter().filter(|m| m.template.as_deref() == Some("invoice_created")).count(),
        bridge.phones().len()
    );
    assert!(!bridge.phones().is_empty());
    bridge.finish().await;
}
