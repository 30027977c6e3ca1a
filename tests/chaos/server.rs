//! Owns: one private MariaDB that can be stopped, killed, started again and filled up, and the proxy before it. Every commit
//! reaches its disk: what it forgets when it is killed would be our fault otherwise.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hookbridge::demo::mariadb::{Options, PrivateMariaDb};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};
use tokio::sync::Mutex;

use crate::proxy::{Valve, database};
use crate::signal;

/// A start that fails (the disk is still full, say) is tried again.
const START_TRIES: u32 = 20;
const START_PAUSE: Duration = Duration::from_millis(250);

/// A database server, its proxy, its disk.
#[derive(Debug)]
pub struct Server {
    /// Where everything of it lies; a file system of its own if `small`.
    disk: PathBuf,
    small: bool,
    /// The proxy's socket.
    socket: PathBuf,
    pub valve: Arc<Valve>,
    running: Mutex<Option<PrivateMariaDb>>,
    url: String,
}

impl Server {
    pub async fn start(disk: PathBuf, small: bool) -> anyhow::Result<Self> {
        let running = PrivateMariaDb::start(disk.join("db"), options()).await?;
        let socket = disk.with_extension("s");
        let valve = database(&socket, running.socket().to_owned())?;
        let url = running.admin_url();
        Ok(Self { disk, small, socket, valve, running: Mutex::new(Some(running)), url })
    }

    /// The address by which the bridge comes in: through the proxy.
    pub async fn url_for(&self, user: &str, db: &str) -> anyhow::Result<String> {
        let running = self.running.lock().await;
        let running = running.as_ref().context("the server runs")?;
        let (own, proxy) = (running.socket().to_string_lossy(), self.socket.to_string_lossy());
        Ok(running.url_for(user, db).replace(own.as_ref(), proxy.as_ref()))
    }

    /// The address of a database past the proxy, for the one who may do everything.
    pub fn straight(&self, db: &str) -> anyhow::Result<String> {
        let (head, tail) = self.url.split_once("/?").context("a socket's address")?;
        Ok(format!("{head}/{db}?{tail}"))
    }

    /// A connection past the proxy, as the one who may do everything.
    pub async fn root(&self, db: &str) -> anyhow::Result<Conn> {
        Ok(Conn::new(Opts::from_url(&self.straight(db)?)?).await?)
    }

    /// Down for `time`: stopped in order, or killed.
    pub async fn restart(&self, killed: bool, time: Duration) -> anyhow::Result<()> {
        let mut running = self.running.lock().await;
        if let Some(server) = running.take() {
            if killed {
                // It may have ended by itself: MariaDB 10.11 aborts when a rollback meets a full disk.
                let pid = fs::read_to_string(server.dir().join("pid")).unwrap_or_default();
                let _ = signal::send("KILL", &pid);
            }
            // Stopping waits for the process.
            tokio::task::spawn_blocking(move || server.stop()).await?;
        }
        tokio::time::sleep(time).await;
        *running = Some(self.up().await?);
        Ok(())
    }

    /// Starts it again if it ended by itself (some versions do, with a full disk). Whether it had.
    pub async fn revive(&self) -> anyhow::Result<bool> {
        if self.root("").await.is_ok() {
            return Ok(false);
        }
        self.restart(true, Duration::ZERO).await.map(|()| true)
    }

    async fn up(&self) -> anyhow::Result<PrivateMariaDb> {
        for _ in 1..START_TRIES {
            match PrivateMariaDb::start(self.disk.join("db"), options()).await {
                Ok(server) => return Ok(server),
                Err(_) => tokio::time::sleep(START_PAUSE).await,
            }
        }
        PrivateMariaDb::start(self.disk.join("db"), options()).await
    }

    /// Ends the connections of `user` from the server's side. How many.
    pub async fn kill_connections(&self, user: &str) -> anyhow::Result<u64> {
        let mut root = self.root("").await?;
        let sql = "SELECT id FROM information_schema.processlist WHERE user = ?";
        let ids: Vec<u64> = root.exec(sql, (user,)).await?;
        let mut killed = 0;
        for id in ids {
            // One that ended meanwhile is no error here.
            killed += u64::from(root.query_drop(format!("KILL CONNECTION {id}")).await.is_ok());
        }
        root.disconnect().await?;
        Ok(killed)
    }

    /// Nothing more can be written to the disk for `time`. Whether that can be done here.
    pub async fn fill_disk(&self, time: Duration) -> anyhow::Result<bool> {
        if !self.small {
            return Ok(false);
        }
        let ballast = self.disk.join("ballast");
        fill(&ballast)?;
        tokio::time::sleep(time).await;
        fs::remove_file(&ballast)?;
        Ok(true)
    }

    pub async fn stop(&self) {
        if let Some(server) = self.running.lock().await.take() {
            let _ = tokio::task::spawn_blocking(move || server.stop()).await;
        }
    }
}

fn options() -> Options {
    Options { durable: true, keep: true, buffer_pool_mib: 64, ..Options::default() }
}

/// Writes until the file system takes no more.
fn fill(path: &Path) -> anyhow::Result<()> {
    let mut file = File::create(path)?;
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![0; size];
        while file.write_all(&block).is_ok() {}
    }
    Ok(())
}
