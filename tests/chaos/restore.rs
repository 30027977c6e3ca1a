//! Owns: the last act of a run: our schema is put back from an older dump, as after a lost disk. What that dump holds as queued was
//! sent since: it must be held, and nothing of it may go twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::ground::{Ground, OWN};
use crate::instance::Instance;
use crate::progress::Progress;

/// Acts that are kept for it.
pub const ACTS: usize = 20;
/// What must come to an end does so within.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(200);
/// Many leases, turns and housekeeping rounds of the bridges: who sends blindly has sent by then.
const WATCHED: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Messages that the dump held as queued, and that were sent before it was put back.
    pub queued: u64,
    /// Of those, held for an operator.
    pub held: u64,
    /// Messages that the provider took while they should have been held.
    pub doubled: u64,
}

impl Restored {
    pub fn is_good(self) -> bool {
        self.queued > 0 && self.held == self.queued && self.doubled == 0
    }
}

/// Pauses, lets alerts queue, dumps, sends, kills, restores, starts, and watches.
pub async fn restore(ground: &Ground, progress: &Progress) -> anyhow::Result<Restored> {
    progress.note("the schema is put back from an older dump");
    let mut lives = JoinSet::new();
    let bridges = start(ground, &mut lives).await?;
    command(ground, &["lanes", "pause", "main", "--minutes", "60", "--why", "a test"]).await?;
    while ground.platform.fire_one().await? {}
    let mut root = ground.own.root(OWN).await?;
    // Copies whole rows; what a generated column holds comes by itself.
    root.query_drop("SET SESSION sql_mode = ''").await?;
    settled(&mut root, ground, "inbox").await?;
    let queued = count(&mut root, "outbox WHERE state = 'queued'").await?;
    for table in tables(&mut root).await? {
        root.query_drop(format!("CREATE TABLE dump_{table} LIKE {table}")).await?;
        root.query_drop(format!("INSERT INTO dump_{table} SELECT * FROM {table}")).await?;
    }
    // What the pause hides must be held for another reason.
    root.query_drop("UPDATE dump_lane SET paused_until = NULL").await?;
    command(ground, &["lanes", "resume", "main"]).await?;
    settled(&mut root, ground, "outbox").await?;
    let sent = ground.sandbox.stats().accepted;
    for bridge in &bridges {
        bridge.stop()?;
        bridge.kill();
    }
    while let Some(ended) = lives.join_next().await {
        ended??;
    }
    for table in tables(&mut root).await? {
        root.query_drop(format!("DROP TABLE {table}")).await?;
        root.query_drop(format!("CREATE TABLE {table} LIKE dump_{table}")).await?;
        root.query_drop(format!("INSERT INTO {table} SELECT * FROM dump_{table}")).await?;
        root.query_drop(format!("DROP TABLE dump_{table}")).await?;
    }
    let bridges = start(ground, &mut lives).await?;
    tokio::time::sleep(WATCHED).await;
    let held = count(&mut root, "outbox WHERE state = 'held' AND waiting_for = 'restored'").await?;
    let doubled = ground.sandbox.stats().accepted - sent;
    command(ground, &["restored", "discard"]).await?;
    root.disconnect().await?;
    for bridge in &bridges {
        bridge.stop()?;
    }
    while let Some(ended) = lives.join_next().await {
        ended??;
    }
    Ok(Restored { queued, held, doubled })
}

async fn start(ground: &Ground, lives: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<Vec<Arc<Instance>>> {
    let bridges = ground.again()?;
    for bridge in &bridges {
        lives.spawn(bridge.clone().run());
        ensure!(bridge.listens().await, "a bridge does not start: {}", std::fs::read_to_string(&bridge.log)?);
    }
    Ok(bridges)
}

/// Waits until `queue` is empty, and what lies in the spool is taken.
async fn settled(root: &mut Conn, ground: &Ground, queue: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    while count(root, queue).await? > 0 || ground.platform.spooled().0 > 0 {
        ensure!(started.elapsed() < PATIENCE, "`{queue}` does not run empty before the restore");
        tokio::time::sleep(LOOK).await;
        if ground.platform.spooled().0 > 0 {
            ground.platform.flush().await?;
        }
        ground.sandbox.drain_receipts().await;
    }
    Ok(())
}

async fn count(root: &mut Conn, of: &str) -> anyhow::Result<u64> {
    root.query_first(format!("SELECT COUNT(*) FROM {of}")).await?.context("a count")
}

async fn tables(root: &mut Conn) -> anyhow::Result<Vec<String>> {
    let all: Vec<String> = root.query("SHOW TABLES").await?;
    Ok(all.into_iter().filter(|name| !name.starts_with("dump_")).collect())
}

/// As an operator at the command line.
async fn command(ground: &Ground, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
        .args(arguments)
        .envs(ground.variables.clone())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
