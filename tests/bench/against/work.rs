//! Owns: what both programs are asked to do, and what is read off while they do it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hookbridge::demo::accounts::{BRIDGE, READER};
use hookbridge::demo::stage::{SOURCE, provider_without_texts, variables};
use hookbridge::sandbox::{Rates, ReceiptPlan, Sandbox, SandboxConfig};
use hookbridge::signature::sha256;
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Params, Value};
use serde_json::json;
use tokio::net::TcpStream;

use super::program::{Program, Running};
use crate::Scale;
use crate::cost::processor_us;
use crate::home::{BILLING, Home, OWN, UNLIMITED};
use crate::load::{Post, exchange, round};

const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_mins(3);
/// So old are the events that wait: whatever a version waits for before it handles one is over.
const OLD: SignedDuration = SignedDuration::from_mins(2);
/// Rows of one INSERT when the inbox is filled.
const PRELOAD: usize = 500;
/// Until a process that does nothing holds what it will hold.
const SETTLE: Duration = Duration::from_secs(3);
/// Asked first and not counted.
const WARM_UP: usize = 50;

#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Events that wait → accepted by the provider, from the start of the process.
    Road { receipts: bool },
    /// `POST /v1/events`, each answered 202.
    Ingest { connections: usize },
    /// One question after the other over one connection.
    Decisions { rule: &'static str },
    /// Memory of a process that has nothing to do.
    Idle,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Road { receipts: false } => f.write_str("whole road"),
            Self::Road { receipts: true } => f.write_str("whole road, receipts meanwhile"),
            Self::Ingest { connections: 1 } => f.write_str("ingest, 1 connection"),
            Self::Ingest { connections } => write!(f, "ingest, {connections} connections"),
            Self::Decisions { rule } => write!(f, "decision {rule}"),
            Self::Idle => f.write_str("idle"),
        }
    }
}

/// One figure of one round.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub less_is_better: bool,
    /// Whether it has a target.
    pub compared: bool,
}

const fn figure(name: &'static str, value: f64, unit: &'static str) -> Figure {
    Figure { name, value, unit, less_is_better: false, compared: true }
}

impl Figure {
    const fn less(mut self) -> Self {
        self.less_is_better = true;
        self
    }

    const fn shown(mut self) -> Self {
        self.compared = false;
        self
    }
}

pub fn line(figures: &[Figure]) -> String {
    figures.iter().map(|one| format!("{} {:.2} {}", one.name, one.value, one.unit)).collect::<Vec<_>>().join(", ")
}

/// The median of each figure.
pub fn medians(rounds: &[Vec<Figure>]) -> Vec<Figure> {
    let Some(first) = rounds.first().cloned() else { return Vec::new() };
    let middle = |index: usize| {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[index].value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    first.into_iter().enumerate().map(|(index, one)| Figure { value: middle(index), ..one }).collect()
}

/// A program on a schema of its own, with a provider that knows its texts.
struct Ground {
    sandbox: Sandbox,
    variables: Vec<(String, String)>,
    root: Conn,
}

impl Work {
    pub async fn run(self, home: &Home, program: &Program, scale: Scale) -> anyhow::Result<Vec<Figure>> {
        let ground = ground(home, program, self).await?;
        match self {
            Self::Road { receipts } => road(home, program, ground, scale, receipts).await,
            Self::Ingest { connections } => ingest(home, program, ground, scale, connections).await,
            Self::Decisions { rule } => decisions(home, program, ground, scale, rule).await,
            Self::Idle => idle(program, ground).await,
        }
    }
}

async fn ground(home: &Home, program: &Program, work: Work) -> anyhow::Result<Ground> {
    let mut config = SandboxConfig::new(home.clock.clone());
    config.rates = Rates::unlimited();
    if !matches!(work, Work::Road { receipts: true }) {
        config.receipts = ReceiptPlan::manual();
    }
    let sandbox = provider_without_texts(config, &home.secrets).await?;
    program.templates(&sandbox)?;
    let mut root = home.root("").await?;
    home.own_schema(&mut root).await?;
    root.query_drop(format!("USE {OWN}")).await?;
    let (own, reader) = (home.server.url_for(BRIDGE, OWN), home.server.url_for(READER, BILLING));
    let mut all = variables(&own, &reader, &sandbox.url(), &home.secrets);
    // An older version does not know the wait, and the events are older than it.
    let known = UNLIMITED.iter().filter(|(key, _)| !key.ends_with("SETTLE_S"));
    all.extend(known.map(|(key, value)| (format!("HOOKBRIDGE__{key}"), (*value).to_owned())));
    program.migrate(&all)?;
    Ok(Ground { sandbox, variables: all, root })
}

async fn preload(home: &Home, root: &mut Conn, count: u32) -> anyhow::Result<()> {
    let sql = format!("SELECT id FROM tblinvoices WHERE total > 0 ORDER BY id DESC LIMIT {count}");
    let moment = home.clock.now() - OLD;
    let stored = moment.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string();
    let ids = home.ids(&sql).await?;
    for (part, ids) in ids.chunks(PRELOAD).enumerate() {
        let mut values: Vec<Value> = Vec::with_capacity(ids.len() * 8);
        for (number, id) in ids.iter().enumerate() {
            let body = json!({
                "v": 1, "hook": "InvoiceCreated", "occurred_at": moment.to_string(), "request": format!("r{part}-{number}"),
                "actor": { "kind": "system", "entrypoint": "cron" },
                "fields": { "invoiceid": id, "source": "autogen", "user": "system", "status": "Unpaid" },
            })
            .to_string();
            let hash = sha256(body.as_bytes());
            values.extend([format!("bench-{part}-{number}").into(), SOURCE.into(), "InvoiceCreated".into()]);
            values.extend([stored.as_str().into(), stored.as_str().into(), hash.as_slice().into()]);
            values.extend([body.into(), stored.as_str().into()]);
        }
        let rows = vec!["(?, ?, ?, ?, ?, 0, ?, ?, ?)"; ids.len()].join(", ");
        let columns = "event_id, source, hook, occurred_at, received_at, key_index, body_sha256, body, run_at";
        root.exec_drop(format!("INSERT INTO inbox ({columns}) VALUES {rows}"), Params::Positional(values)).await?;
    }
    Ok(())
}

/// Processor time and statements of MariaDB, processor time of the bridge.
async fn spent(home: &Home, root: &mut Conn, running: Option<&Running>) -> anyhow::Result<[u64; 3]> {
    let row: Option<(String, u64)> = root.query_first("SHOW GLOBAL STATUS LIKE 'Questions'").await?;
    let server = processor_us(&home.server.pid().context("the server's process")?.to_string())?;
    let own = running.map_or(Ok(0), |running| processor_us(&running.pid()?.to_string()))?;
    Ok([server, row.context("the server's counters")?.1, own])
}

async fn road(
    home: &Home,
    program: &Program,
    mut ground: Ground,
    scale: Scale,
    receipts: bool,
) -> anyhow::Result<Vec<Figure>> {
    preload(home, &mut ground.root, scale.events).await?;
    let before = spent(home, &mut ground.root, None).await?;
    let started = Instant::now();
    let running = program.serve(&ground.variables)?;
    if receipts {
        ground.sandbox.set_callback_url(Some(format!("http://{}/v1/receipts/main", running.address)));
    }
    let (mut accepted, mut last) = (0, started);
    for look in 1_u32.. {
        tokio::time::sleep(LOOK).await;
        let now = ground.sandbox.stats().accepted;
        if now > accepted {
            (accepted, last) = (now, Instant::now());
        }
        if look.is_multiple_of(40) {
            let sql = "SELECT EXISTS(SELECT 1 FROM inbox) OR EXISTS(SELECT 1 FROM outbox)";
            if ground.root.query_first::<bool, _>(sql).await? == Some(false) {
                break;
            }
        }
        ensure!(started.elapsed() < PATIENCE, "the road is not empty after {PATIENCE:?}");
    }
    let after = spent(home, &mut ground.root, Some(&running)).await?;
    let stats = ground.sandbox.stats();
    ensure!(stats.opaque_doubles == 0 && accepted > 0, "a message reached the provider twice, or none did");
    ground.end(running).await?;
    let each = |index: usize| (after[index] - before[index]) as f64 / accepted as f64;
    Ok(vec![
        figure("alerts", accepted as f64 / last.duration_since(started).as_secs_f64(), "/s"),
        figure("MariaDB's processor", each(0), "us/alert").less().shown(),
        figure("statements", each(1), "/alert").less().shown(),
        figure("bridge's processor", each(2), "us/alert").less().shown(),
    ])
}

async fn ingest(
    home: &Home,
    program: &Program,
    mut ground: Ground,
    scale: Scale,
    connections: usize,
) -> anyhow::Result<Vec<Figure>> {
    // What is stored is not due while the round lasts: the work is the endpoint's, not that of the road behind it.
    let later =
        "CREATE TRIGGER later BEFORE INSERT ON inbox FOR EACH ROW SET NEW.run_at = NEW.run_at + INTERVAL 20 MINUTE";
    ground.root.query_drop(later).await?;
    let running = program.serve(&ground.variables)?;
    running.answers().await?;
    let fields = json!({ "invoiceid": 4711, "source": "autogen", "user": "system", "status": "Unpaid" });
    let post = Post {
        key: home.key()?,
        body: Arc::new(home.envelope("InvoiceCreated", "r1", &fields)),
        clock: home.clock.clone(),
        serial: Arc::new(AtomicU64::new(0)),
    };
    let count = round(running.address, connections, Duration::from_millis(scale.round_ms), &post).await?;
    let stored: Option<u64> = ground.root.query_first("SELECT COUNT(*) FROM inbox").await?;
    ensure!(stored >= Some(count.answers), "answered 202 and not stored");
    ground.end(running).await?;
    Ok(vec![figure("events", count.per_second(), "/s")])
}

async fn decisions(
    home: &Home,
    program: &Program,
    ground: Ground,
    scale: Scale,
    rule: &str,
) -> anyhow::Result<Vec<Figure>> {
    let running = program.serve(&ground.variables)?;
    running.answers().await?;
    let services = home.ids("SELECT id FROM tblhosting WHERE domainstatus = 'Active' ORDER BY id LIMIT 500").await?;
    let (path, serial) = (format!("/v1/decisions/{rule}"), Arc::new(AtomicU64::new(0)));
    let mut stream = TcpStream::connect(running.address).await?;
    stream.set_nodelay(true)?;
    let (mut times, mut buffer) = (Vec::new(), Vec::with_capacity(8_192));
    for index in 0..scale.questions as usize + WARM_UP {
        let service = services[index * 7 % services.len()];
        let fields = match rule {
            "upgrade" => json!({ "service_id": service, "to_product_id": 2, "platform_price": "25.00" }),
            _ => json!({ "service_id": service, "type": "Immediate" }),
        };
        let body = Arc::new(home.envelope("OrderProductUpgradeOverride", "r1", &fields));
        let post = Post { key: home.key()?, body, clock: home.clock.clone(), serial: serial.clone() };
        let started = Instant::now();
        exchange(&mut stream, &mut buffer, &post, &path, 200).await?;
        if index >= WARM_UP {
            times.push(started.elapsed());
        }
    }
    ground.end(running).await?;
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1_000.0;
    Ok(vec![figure("p50", at(50), "ms").less(), figure("p99", at(99), "ms").less().shown()])
}

async fn idle(program: &Program, ground: Ground) -> anyhow::Result<Vec<Figure>> {
    let running = program.serve(&ground.variables)?;
    running.answers().await?;
    tokio::time::sleep(SETTLE).await;
    let memory = crate::memory::resident(running.pid()?)?;
    ground.end(running).await?;
    Ok(vec![figure("memory", memory, "MiB").less().shown()])
}

impl Ground {
    async fn end(self, running: Running) -> anyhow::Result<()> {
        running.end().await?;
        self.sandbox.stop().await;
        self.root.disconnect().await?;
        Ok(())
    }
}
