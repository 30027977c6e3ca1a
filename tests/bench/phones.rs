//! Owns: how long `hookbridge audit phones` takes over a large company's clients, as a process of its own, beside a plain
//! read of the same columns.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hookbridge::demo::accounts::{self, READER};
use hookbridge::demo::data::{self, Size};
use hookbridge::demo::schema::{self, Release};
use mysql_async::Row;
use mysql_async::prelude::Queryable as _;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::home::{Home, OWN};
use crate::report::{Report, Target};
use crate::{Scale, say};

/// A billing schema of their own.
const MANY: &str = "many";
const ROUNDS: u32 = 3;
const LOOK: Duration = Duration::from_millis(20);

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    say(&format!("making {} clients", scale.clients));
    let (mut variables, store) = home.fresh("http://127.0.0.1:9", &[("LOG__LEVEL", "error")]).await?;
    let mut root = home.root("").await?;
    root.query_drop(format!("DROP DATABASE IF EXISTS {MANY}")).await?;
    schema::create_billing(&mut root, MANY, Release::default()).await?;
    let owner = home.server.url_for("root", MANY);
    data::load(&owner, Size { clients: scale.clients }, home.clock.now(), Release::default()).await?;
    accounts::grant(&mut root, MANY, OWN).await?;
    variables.retain(|(key, _)| key != "HOOKBRIDGE__BILLING__URL");
    variables.push(("HOOKBRIDGE__BILLING__URL".to_owned(), home.server.url_for(READER, MANY)));
    let plain = format!("SELECT id, country, phonenumber, status, language FROM {MANY}.tblclients ORDER BY id");
    let (mut ours, mut read, mut most, mut clients) = (Duration::ZERO, Duration::ZERO, 0.0_f64, 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let rows: Vec<Row> = root.query(&plain).await?;
        read += started.elapsed();
        let audit = audit(&variables).await?;
        ensure!(audit.read == rows.len() as u64, "{} clients were read of {}", audit.read, rows.len());
        ours += audit.took;
        most = most.max(audit.memory);
        clients = audit.read;
    }
    root.disconnect().await?;
    let (ours, read) = (ours.as_secs_f64() / f64::from(ROUNDS), read.as_secs_f64() / f64::from(ROUNDS));
    let from = format!("{clients} clients in {ours:.2} s, {most:.0} MiB at most; a plain read {read:.2} s");
    report.add("audit of phones / a plain read", ours / read, "x", Target::None, from);
    store.database().clone().close().await;
    Ok(())
}

struct Audit {
    read: u64,
    took: Duration,
    /// `VmHWM` in MiB.
    memory: f64,
}

async fn audit(variables: &[(String, String)]) -> anyhow::Result<Audit> {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
        .args(["audit", "phones", "--json"])
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("hookbridge does not start")?;
    let id = child.id().context("hookbridge ended")?;
    let mut out = child.stdout.take().context("its output")?;
    let reader = tokio::spawn(async move {
        let mut text = String::new();
        out.read_to_string(&mut text).await.map(|_| text)
    });
    let mut memory = 0.0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        memory = peak(id).unwrap_or(memory);
        tokio::time::sleep(LOOK).await;
    };
    let took = started.elapsed();
    ensure!(status.success(), "the audit failed");
    let said: serde_json::Value = serde_json::from_str(&reader.await??)?;
    let read = said["counts"]["read"].as_u64().context("its counts")?;
    Ok(Audit { read, took, memory })
}

fn peak(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}
