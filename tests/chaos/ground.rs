//! Owns: everything that a run stands on: two database servers behind proxies, the sample data, the stand-in provider, the
//! bridges behind their front, the platform with its stub.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Context as _;
use hookbridge::app::open_store;
use hookbridge::clock::Clock;
use hookbridge::config::load;
use hookbridge::demo::accounts::{self, BRIDGE, READER};
use hookbridge::demo::data::{self, Size};
use hookbridge::demo::schema::{self, Release};
use hookbridge::demo::stage::{Secrets, provider, variables};
use hookbridge::sandbox::{Rates, Sandbox, SandboxConfig};
use hookbridge::store::migrate;
use mysql_async::prelude::Queryable as _;
use tokio::net::TcpListener;

use crate::acts::{Act, Acts};
use crate::control::build_shim;
use crate::fire::Platform;
use crate::instance::Instance;
use crate::people::{self, Client};
use crate::proxy::{Valve, front};
use crate::server::Server;

pub const BILLING: &str = "billing";
pub const OWN: &str = "hookbridge";
/// The file system of our schema, in MiB: MariaDB's own files and room for the run.
const DISK_MIB: u32 = 1024;
/// Messages per second that the bridge may send, and that the provider takes.
pub const RATE_PER_S: u32 = 80;
/// Tries of a receipt before the provider gives up: a run has more faults than a week of production.
const RECEIPT_TRIES: u32 = 40;

/// Short waits, so that a run of minutes sees what production sees in days. The limits are the provider's real ones, but
/// for the gap between two messages to one person.
const SETTINGS: &[(&str, &str)] = &[
    ("SOURCES__BILLING__EVENTS_PER_S", "100000"),
    ("SOURCES__BILLING__EVENTS_BURST", "100000"),
    ("SENDERS__MAIN__PAIR_INTERVAL_S", "1"),
    ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "0"),
    ("SENDERS__MAIN__TIMEOUT_MS", "1500"),
    ("SENDERS__MAIN__CONNECT_TIMEOUT_MS", "1000"),
    ("ALERTS__MASS_MIN", "1000000"),
    ("ALERTS__CLIENT_DAY_MAX", "0"),
    ("PROCESS__BATCH", "20"),
    ("PROCESS__LEASE_MS", "2000"),
    ("PROCESS__POLL_MS", "200"),
    ("DISPATCH__SENDING_TIMEOUT_MS", "3000"),
    ("DISPATCH__BACKOFF_MS", "300"),
    ("DISPATCH__BACKOFF_MAX_MS", "2000"),
    ("DISPATCH__LEASE_MS", "1000"),
    ("DISPATCH__UNKNOWN_WAIT_S", "5"),
    ("DISPATCH__TEMPLATE_HOLD_S", "2"),
    ("DISPATCH__NUMBER_HOLD_S", "2"),
];

pub struct Ground {
    pub own: Server,
    pub billing: Server,
    pub sandbox: Sandbox,
    pub front: Arc<Valve>,
    pub bridges: Vec<Arc<Instance>>,
    pub platform: Arc<Platform>,
    pub acts: Arc<Vec<Act>>,
    /// Settings of every bridge and command.
    pub variables: Vec<(String, String)>,
    dir: PathBuf,
    shim: PathBuf,
}

impl Ground {
    pub async fn build(dir: &Path, clients: &[Client], acts: Acts, instances: usize) -> anyhow::Result<Self> {
        let small = small_disk(&dir.join("own"))?;
        let (own, billing) =
            tokio::try_join!(Server::start(dir.join("own"), small), Server::start(dir.join("billing"), false))?;
        fill_billing(&billing, clients, &acts.statements).await?;
        let mut root = own.root("").await?;
        accounts::create(&mut root).await?;
        root.query_drop(format!("CREATE DATABASE {OWN} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")).await?;
        root.query_drop(format!("GRANT ALL PRIVILEGES ON {OWN}.* TO '{BRIDGE}'@'localhost'")).await?;
        root.disconnect().await?;

        let secrets = Secrets::new()?;
        let sandbox = provider(stand_in(), &secrets).await?;
        let (own_url, reader_url) = (own.url_for(BRIDGE, OWN).await?, billing.url_for(READER, BILLING).await?);
        let mut variables = variables(&own_url, &reader_url, &sandbox.url(), &secrets);
        let rate = RATE_PER_S.to_string();
        let settings = SETTINGS.iter().copied().chain([("SENDERS__MAIN__RATE_PER_S", rate.as_str())]);
        variables.extend(settings.map(|(key, value)| (format!("HOOKBRIDGE__{key}"), value.to_owned())));
        let store = open_store(&load(None, variables.clone())?)?;
        migrate::run(&store, Clock::system().now()).await?;
        store.database().clone().close().await;

        let shim = build_shim(dir)?;
        let mut bridges = Vec::new();
        for name in ["a", "b", "c"].into_iter().take(instances) {
            let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
            bridges.push(Instance::new(name, dir, &shim, address, variables.clone())?);
        }
        let (address, front) = front(bridges.iter().map(|bridge| bridge.address).collect()).await?;
        sandbox.set_callback_url(Some(format!("http://{address}/v1/receipts/main")));
        let all = Arc::new(acts.all);
        let url = format!("http://{address}");
        let platform = Platform::install(&dir.join("platform"), &url, &secrets.stub, all.clone(), &acts.capsule)?;
        Ok(Self {
            own,
            billing,
            sandbox,
            front,
            bridges,
            platform: Arc::new(platform),
            acts: all,
            variables,
            dir: dir.to_owned(),
            shim,
        })
    }

    /// The bridges once more, at the same addresses, with the true clock: the first ones have ended.
    pub fn again(&self) -> anyhow::Result<Vec<Arc<Instance>>> {
        let one = |bridge: &Arc<Instance>| {
            Instance::new(bridge.name, &self.dir, &self.shim, bridge.address, self.variables.clone())
        };
        self.bridges.iter().map(one).collect()
    }
}

fn stand_in() -> SandboxConfig {
    let mut config = SandboxConfig::new(Clock::system());
    config.rates = Rates {
        throughput_per_s: Some(RATE_PER_S),
        pair_gap_ms: Some(1_000),
        recipients_per_24h: None,
        ..Rates::default()
    };
    config.receipts.attempts_max = RECEIPT_TRIES;
    config.receipts.batch_max = 20;
    config.messages_kept_max = 1_000_000;
    config
}

async fn fill_billing(billing: &Server, clients: &[Client], more: &[String]) -> anyhow::Result<()> {
    let mut root = billing.root("").await?;
    accounts::create(&mut root).await?;
    schema::create_billing(&mut root, BILLING, Release::default()).await?;
    root.disconnect().await?;
    // What lies beneath: settings, currencies, products. Straight, without the proxy.
    data::load(&billing.straight(BILLING)?, Size::CAST, Clock::system().now(), Release::default()).await?;
    let mut root = billing.root(BILLING).await?;
    root.query_drop("SET SESSION sql_mode = '', time_zone = '-03:00'").await?;
    for statement in people::statements(clients).iter().chain(more) {
        root.query_drop(statement.as_str()).await.with_context(|| statement.chars().take(90).collect::<String>())?;
    }
    accounts::grant(&mut root, BILLING, OWN).await?;
    Ok(root.disconnect().await?)
}

/// A file system of its own for our schema, if this process may mount one (see `main.rs`): then a full disk is a real one.
fn small_disk(at: &PathBuf) -> anyhow::Result<bool> {
    std::fs::create_dir_all(at)?;
    if std::env::var_os(crate::INSIDE).is_none() {
        return Ok(false);
    }
    let size = format!("size={DISK_MIB}m,mode=0700");
    Ok(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status().is_ok_and(|s| s.success()))
}
