//! Owns: what every measurement stands on: one private, durable MariaDB on disk with the platform's sample data, and
//! bridges on fresh schemas of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use hookbridge::app::{App, Workers, open_store};
use hookbridge::clock::Clock;
use hookbridge::config::load;
use hookbridge::demo::accounts::{self, BRIDGE, READER};
use hookbridge::demo::data::{self, Size};
use hookbridge::demo::mariadb::{Extra, Options, PrivateMariaDb};
use hookbridge::demo::schema::{self, Release};
use hookbridge::demo::stage::{SOURCE, Secrets, variables};
use hookbridge::domain::ids::EventId;
use hookbridge::signature::{Key, sha256};
use hookbridge::store::inbox::{NewEvent, insert};
use hookbridge::store::{Store, migrate};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// What the slower disk adds to each sync, in microseconds.
const SYNC_DELAY_US: u32 = 2_000;
pub const BILLING: &str = "billing";
/// Our own schema, made anew for every bridge.
pub const OWN: &str = "hookbridge";
/// Events of one transaction when the inbox is filled.
const PRELOAD: usize = 500;

/// Settings without our own limits: what is measured is the work, not the pace.
pub const UNLIMITED: &[(&str, &str)] = &[
    ("SOURCES__BILLING__EVENTS_PER_S", "1000000"),
    ("SOURCES__BILLING__EVENTS_BURST", "1000000"),
    // Every answer counts, however late: the machine is full.
    ("SERVER__INGEST_WAIT_MS", "10000"),
    // A wait of choice, as long however fast the road is.
    ("HOOKPOINTS__INVOICE_CREATED__SETTLE_S", "0"),
    ("SENDERS__MAIN__RATE_PER_S", "10000"),
    ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
    ("SENDERS__MAIN__RECIPIENTS_PER_DAY", "0"),
    ("SENDERS__MAIN__IN_FLIGHT_MAX", "256"),
    // So many alerts at once would wait for an operator.
    ("ALERTS__MASS_MIN", "100000000"),
    ("ALERTS__CLIENT_DAY_MAX", "0"),
];

pub struct Home {
    pub server: PrivateMariaDb,
    pub clock: Clock,
    pub secrets: Secrets,
    /// Deleted with this.
    _dir: TempDir,
}

impl Home {
    pub async fn build(clients: u32) -> anyhow::Result<Self> {
        Self::on(clients, None).await
    }

    /// The same with few clients, on a disk that takes longer to sync.
    pub async fn on_slow_disk() -> anyhow::Result<Self> {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("slow_disk.so");
        let status = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", &format!("-DSYNC_DELAY_US={SYNC_DELAY_US}"), "-o"])
            .args([&library, &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/slow_disk.c")])
            .status()
            .context("cc does not start")?;
        ensure!(status.success(), "cc failed");
        Self::on(50, Some(library)).await
    }

    async fn on(clients: u32, preload: Option<PathBuf>) -> anyhow::Result<Self> {
        let clock = Clock::system();
        // On the disk that cargo builds on: /tmp may be memory, where fsync costs nothing.
        let dir = tempfile::Builder::new().prefix("b-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let options = Options { durable: true, ..Options::default() };
        let mut extra = Extra::default();
        extra.environment.extend(preload.map(|library| ("LD_PRELOAD".to_owned(), library.display().to_string())));
        let server = PrivateMariaDb::start_with(dir.path().join("db"), options, &extra).await?;
        let home = Self { server, clock, secrets: Secrets::new()?, _dir: dir };
        let mut root = home.root("").await?;
        accounts::create(&mut root).await?;
        schema::create_billing(&mut root, BILLING, Release::default()).await?;
        data::load(&home.server.url_for("root", BILLING), Size { clients }, home.clock.now(), Release::default())
            .await?;
        // The crowd as it would be right after a night's invoicing: everybody owes, and most can be written to.
        root.query_drop(format!(
            "UPDATE {BILLING}.tblinvoices SET status = 'Unpaid', credit = 0, total = subtotal + tax + tax2 \
             WHERE status <> 'Unpaid'; UPDATE {BILLING}.tblaccounts SET amountin = amountin / 2; \
             UPDATE {BILLING}.tblclients SET status = 'Active'"
        ))
        .await?;
        home.own_schema(&mut root).await?;
        accounts::grant(&mut root, BILLING, OWN).await?;
        root.disconnect().await?;
        Ok(home)
    }

    pub async fn root(&self, db: &str) -> anyhow::Result<Conn> {
        Ok(Conn::new(Opts::from_url(&self.server.url_for("root", db))?).await?)
    }

    pub async fn own_schema(&self, root: &mut Conn) -> anyhow::Result<()> {
        Ok(root
            .query_drop(format!(
                "DROP DATABASE IF EXISTS {OWN}; \
                 CREATE DATABASE {OWN} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
            ))
            .await?)
    }

    /// The variables of a bridge, and a store on a fresh schema for it.
    pub async fn fresh(
        &self,
        provider: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<(Vec<(String, String)>, Store)> {
        let mut root = self.root("").await?;
        self.own_schema(&mut root).await?;
        root.disconnect().await?;
        let (own, reader) = (self.server.url_for(BRIDGE, OWN), self.server.url_for(READER, BILLING));
        let mut variables = variables(&own, &reader, provider, &self.secrets);
        let more = UNLIMITED.iter().chain(settings);
        variables.extend(more.map(|(key, value)| (format!("HOOKBRIDGE__{key}"), (*value).to_owned())));
        let store = open_store(&load(None, variables.clone())?)?;
        migrate::run(&store, self.clock.now()).await?;
        Ok((variables, store))
    }

    /// A bridge in this process, on what [`Home::fresh`] made.
    pub async fn bridge(&self, variables: Vec<(String, String)>, workers: Workers) -> anyhow::Result<App> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        App::start(load(None, variables)?, self.clock.clone(), listener, workers).await
    }

    pub fn key(&self) -> anyhow::Result<Key> {
        Ok(Key::parse(&self.secrets.stub.clone().into())?)
    }

    /// A body as the stub makes it.
    pub fn envelope(&self, hook: &str, request: &str, fields: &Value) -> String {
        json!({
            "v": 1, "hook": hook, "occurred_at": self.clock.now().to_string(), "request": request,
            "actor": { "kind": "system", "entrypoint": "cron" }, "fields": fields,
        })
        .to_string()
    }

    /// Puts events into the inbox as the door does.
    pub async fn preload(&self, store: &Store, hook: &str, all: &[Value]) -> anyhow::Result<()> {
        let now = self.clock.now();
        let events = all.iter().enumerate().map(|(number, fields)| -> anyhow::Result<NewEvent> {
            let body = self.envelope(hook, &format!("r{number}"), fields);
            Ok(NewEvent {
                id: EventId::parse(&format!("bench-{number}")).ok_or_else(|| anyhow::anyhow!("an id"))?,
                source: SOURCE.to_owned(),
                hook: hook.to_owned(),
                occurred_at: now,
                received_at: now,
                key_index: 0,
                body_sha256: sha256(body.as_bytes()),
                body,
                urgent: false,
            })
        });
        let events = events.collect::<anyhow::Result<Vec<_>>>()?;
        for part in events.chunks(PRELOAD) {
            insert(store, part).await?;
        }
        Ok(())
    }

    pub async fn ids(&self, sql: &str) -> anyhow::Result<Vec<u64>> {
        let mut root = self.root(BILLING).await?;
        let ids = root.query(sql).await?;
        root.disconnect().await?;
        Ok(ids)
    }

    pub fn end(self) {
        self.server.stop();
    }
}
