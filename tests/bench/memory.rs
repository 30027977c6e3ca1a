//! Owns: what a long queue costs in memory: `hookbridge serve` as a process of its own, idle and with a stopped number
//! behind which messages pile up.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hookbridge::store::lane::{Pause, PausedBy, pause};
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::Scale;
use crate::home::{Home, OWN};
use crate::report::{Report, Target};

/// Until a process that does nothing holds what it will hold.
const SETTLE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_mins(5);

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[("LOG__LEVEL", "error")]).await?;
    let now = home.clock.now();
    let until = now + SignedDuration::from_hours(24);
    let stop = Pause { lane: "main".to_owned(), until, by: PausedBy::Operator, detail: "benchmark".to_owned() };
    pause(&store, &stop, now).await?;
    let mut serve = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
        .arg("serve")
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("hookbridge does not start")?;
    let pid = serve.id().context("hookbridge ended")?;
    tokio::time::sleep(SETTLE).await;
    let idle = resident(pid)?;
    // One alert per request, so that a few clients make as many messages as wanted.
    let clients = home.ids("SELECT id FROM tblclients WHERE id > 40 AND phonenumber <> '' ORDER BY id").await?;
    let fields: Vec<Value> =
        clients.iter().cycle().take(scale.queued as usize).map(|id| json!({ "userid": id })).collect();
    home.preload(&store, "ClientChangePassword", &fields).await?;
    let mut root = home.root(OWN).await?;
    let started = Instant::now();
    let mut most = idle;
    while root.query_first::<bool, _>("SELECT EXISTS(SELECT 1 FROM inbox)").await? == Some(true) {
        ensure!(started.elapsed() < PATIENCE, "the inbox is not empty after {PATIENCE:?}");
        most = most.max(resident(pid)?);
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(SETTLE).await;
    let full = resident(pid)?;
    let queued: Option<u64> = root.query_first("SELECT COUNT(*) FROM outbox WHERE state = 'queued'").await?;
    root.disconnect().await?;
    let from = format!(
        "{idle:.1} MiB idle, {full:.1} MiB with {} queued, {most:.1} MiB at most while they were processed",
        queued.unwrap_or_default()
    );
    report.add("memory of the queue", full - idle, "MiB", Target::AtMost(64.0), from);
    serve.kill().await?;
    store.database().clone().close().await;
    Ok(())
}

/// `VmRSS` in MiB.
pub fn resident(id: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}
