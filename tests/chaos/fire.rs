//! Owns: the platform's side: several PHP processes at once, each with the real stub, one spool between them, a ledger of
//! their own. Some are killed in the middle of a hook, as a web server does with a slow page.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hookbridge::demo::stage::SOURCE;
use hookbridge::demo::stub::{Stub, StubSettings};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::acts::Act;
use crate::dice::Dice;
use crate::ledger::Entry;

/// Acts of one PHP process.
const ACTS_PER_PROCESS: u64 = 40;
/// Of a hundred processes, how many are killed in the middle of a hook.
const KILLED_PERCENT: u64 = 20;
/// A hook that takes longer than this hangs; the stub's own budget is far below.
const HOOK_MAX: Duration = Duration::from_secs(20);

/// The platform.
#[derive(Debug)]
pub struct Platform {
    dir: PathBuf,
    stub: Stub,
    acts: Arc<Vec<Act>>,
    next: AtomicUsize,
    pub processes: AtomicU64,
    pub killed: AtomicU64,
    pub hooks: AtomicU64,
    /// The longest that a hook held up its page, in microseconds.
    pub slowest_us: AtomicU64,
    /// What must not happen: the stub printed, returned or complained.
    pub noises: Mutex<Vec<String>>,
}

impl Platform {
    pub fn install(dir: &Path, url: &str, secret: &str, acts: Arc<Vec<Act>>, capsule: &Value) -> anyhow::Result<Self> {
        let settings = StubSettings { url, source: SOURCE, secret, connect_timeout_ms: 150, total_timeout_ms: 400 };
        let stub = Stub::install(dir, &settings)?;
        stub.rows(capsule)?;
        // The shortest rest, so that the road sees as much traffic as can be.
        let spool = stub.spool();
        let config = format!(
            "<?php\nreturn ['url' => '{url}', 'source' => '{SOURCE}', 'secret' => '{secret}', 'spool_dir' => '{}', \
             'circuit_open_s' => 1];\n",
            spool.display()
        );
        std::fs::write(dir.join("config.php"), config)?;
        std::fs::create_dir_all(dir.join("ledger"))?;
        Ok(Self {
            dir: dir.to_owned(),
            stub,
            acts,
            next: AtomicUsize::new(0),
            processes: AtomicU64::new(0),
            killed: AtomicU64::new(0),
            hooks: AtomicU64::new(0),
            slowest_us: AtomicU64::new(0),
            noises: Mutex::new(Vec::new()),
        })
    }

    pub fn ledgers(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    /// Acts begun so far.
    pub fn begun(&self) -> usize {
        self.next.load(Ordering::Relaxed)
    }

    /// Events that wait in the spool, and events that the bridge refused for good.
    pub fn spooled(&self) -> (usize, usize) {
        (self.stub.waiting(), self.stub.set_aside())
    }

    /// The next act, if there is one below `limit`.
    fn take(&self, limit: usize) -> Option<&Act> {
        let limit = limit.min(self.acts.len());
        let next = |next| (next < limit).then_some(next + 1);
        let taken = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        taken.ok().map(|index| &self.acts[index])
    }

    /// Fires one act in a process of its own. Whether there was one left.
    pub async fn fire_one(&self) -> anyhow::Result<bool> {
        let Some(act) = self.take(usize::MAX) else { return Ok(false) };
        let mut php = self.start()?;
        self.fire(&mut php, act).await?;
        self.flush_with(&mut php).await?;
        Ok(true)
    }

    /// Fires acts, `pause` apart, until `limit` are fired.
    pub async fn work(&self, mut dice: Dice, pause: Duration, limit: usize) -> anyhow::Result<()> {
        while self.begun() < limit {
            let mut php = self.start()?;
            let acts = dice.between(ACTS_PER_PROCESS / 4, ACTS_PER_PROCESS);
            let dies_at = dice.percent(KILLED_PERCENT).then(|| dice.next() % acts);
            for number in 0..acts {
                let Some(act) = self.take(limit) else { break };
                tokio::time::sleep(pause.mul_f64(0.5 + dice.between(0, 100) as f64 / 100.0)).await;
                if dies_at == Some(number) {
                    let within = Duration::from_micros(dice.between(0, 6_000));
                    self.fire_and_kill(&mut php, act, within).await?;
                    break;
                }
                self.fire(&mut php, act).await?;
            }
            if dies_at.is_none() {
                self.flush_with(&mut php).await?;
            }
        }
        Ok(())
    }

    /// One run of the platform's cron: a part of the spool is sent.
    pub async fn flush(&self) -> anyhow::Result<()> {
        let mut php = self.start()?;
        self.flush_with(&mut php).await
    }

    async fn flush_with(&self, php: &mut Php) -> anyhow::Result<()> {
        php.say(&json!({ "hook": "AfterCronJob", "vars": [], "actor": "cron", "new_request": true })).await?;
        self.hear(php, false).await
    }

    async fn fire(&self, php: &mut Php, act: &Act) -> anyhow::Result<()> {
        for line in noted(act) {
            php.say(&line).await?;
            self.hear(php, true).await?;
        }
        Ok(())
    }

    async fn fire_and_kill(&self, php: &mut Php, act: &Act, within: Duration) -> anyhow::Result<()> {
        for line in noted(act) {
            php.say(&line).await?;
        }
        tokio::time::sleep(within).await;
        self.killed.fetch_add(1, Ordering::Relaxed);
        Ok(php.child.kill().await?)
    }

    /// One line of PHP's about a hook.
    async fn hear(&self, php: &mut Php, counted: bool) -> anyhow::Result<()> {
        let line = tokio::time::timeout(HOOK_MAX, php.lines.next_line()).await.context("a hook hangs")??;
        let shot: Value = serde_json::from_str(&line.context("php ended by itself")?)?;
        if shot["printed"] != "" || shot["errors"] != json!([]) || shot["returned"] != json!([]) {
            self.noises.lock().expect("no holder panics").push(shot.to_string());
        }
        if counted {
            self.hooks.fetch_add(1, Ordering::Relaxed);
            self.slowest_us.fetch_max(shot["elapsed_us"].as_u64().unwrap_or_default(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn start(&self) -> anyhow::Result<Php> {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let mut child = Command::new("php")
            .arg(self.dir.join("runtime/fire.php"))
            .env("HB_STUB_DIR", self.dir.join("hooks"))
            .env("HB_STUB_CONFIG", self.dir.join("config.php"))
            .env("HB_CAPSULE_JSON", self.dir.join("rows.json"))
            .env("HB_ACTIVITY_LOG", self.dir.join("activity.log"))
            .env("HB_LEDGER", self.ledgers().join(format!("{number}.jsonl")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("php does not start (package php-cli)")?;
        let stdin = child.stdin.take().context("php's input")?;
        let lines = BufReader::new(child.stdout.take().context("php's output")?).lines();
        ensure!(child.id().is_some(), "php ended at once");
        Ok(Php { child, stdin, lines })
    }
}

struct Php {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Php {
    async fn say(&mut self, line: &Value) -> anyhow::Result<()> {
        Ok(self.stdin.write_all(format!("{line}\n").as_bytes()).await?)
    }
}

/// The lines of an act, with what the ledger is to hold before each hook and after it.
fn noted(act: &Act) -> Vec<Value> {
    let mut lines = act.lines.clone();
    for (index, line) in lines.iter_mut().enumerate() {
        line["before"] = json!(Entry::of(act, index));
        line["after"] = json!({ "act": act.number, "hook": index });
    }
    lines
}
