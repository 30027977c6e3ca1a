//! Owns: `make chaos`: the real stub in real PHP processes fires at a real `hookbridge serve` that is killed at every step
//! of its road, while its databases, its disk, its clock, its network and the provider fail as the seed has it. At the
//! end everything drains, and the firing side's ledger is held against what the provider took. `cargo test` runs a
//! short one. `docs/CHAOS.md` explains the tables.
#![allow(clippy::cast_precision_loss, reason = "figures of at most ten digits")]

mod acts;
mod books;
mod check;
mod control;
mod dice;
mod drain;
mod failures;
mod faults;
mod fire;
mod ground;
mod instance;
mod kills;
mod ledger;
mod people;
mod progress;
mod proxy;
mod report;
mod restore;
mod server;
mod signal;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use tokio::task::JoinSet;

use dice::Dice;
use drain::drain;
use faults::Faults;
use ground::{Ground, OWN};
use instance::Death;
use people::Client;
use progress::Progress;
use report::Report;

/// Set in a process that may mount file systems of its own.
pub const INSIDE: &str = "HOOKBRIDGE_CHAOS_INSIDE";
/// PHP processes at once.
const WORKERS: u32 = 3;
/// Acts that are saved for steps at which nobody died by chance.
const SAVED: usize = 60;
/// The run of `cargo test`.
const SHORT: (u32, u64) = (450, 45);

/// Kills the bridge at every step of its road, breaks everything around it, and counts what was lost
#[derive(Debug, clap::Parser)]
struct Args {
    /// Repeats the faults of that run
    #[arg(long)]
    seed: Option<u64>,
    /// Things that happen in the platform, one to three hooks each
    #[arg(long)]
    acts: Option<u32>,
    /// Seconds over which they happen
    #[arg(long)]
    seconds: Option<u64>,
    /// Bridges at once
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
    instances: u8,
    /// A long run: 12,000 acts in 12 minutes
    #[arg(long)]
    long: bool,
    /// Write the result to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep logs, ledgers and spool in this folder
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let Some(args) = wanted() else { return Ok(ExitCode::SUCCESS) };
    enter();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seed = args.seed.unwrap_or_else(|| getrandom::u64().unwrap_or(1) % 1_000_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(&args, seed))
}

/// The arguments, unless `cargo test` names other tests or only asks what there is.
fn wanted() -> Option<Args> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    if given.iter().any(|one| one == "--list") {
        println!("chaos: test");
        return None;
    }
    // What cargo passes on is meant for its own harness: names that select tests, and switches.
    let own = given.iter().any(|one| {
        matches!(
            one.split('=').next(),
            Some("--seed" | "--acts" | "--seconds" | "--long" | "--json" | "--help" | "--instances")
        )
    });
    if own {
        return Some(Args::parse());
    }
    let mut names = given.iter().filter(|one| !one.starts_with('-')).peekable();
    let selected = names.peek().is_none() || names.any(|name| "chaos".contains(name.as_str()));
    // The same faults each time; `make chaos` draws a seed.
    selected.then(|| Args::parse_from(["chaos", "--seed", "1"]))
}

/// Starts this program again where it may mount a small file system that nobody else sees; stays where that is forbidden.
fn enter() {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let flags: &[&str] = if root { &["--mount"] } else { &["--mount", "--map-root-user"] };
    let allowed = Command::new("unshare").args(flags).args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    if allowed.is_ok_and(|output| output.status.success())
        && let Ok(me) = std::env::current_exe()
    {
        // Only comes back if it fails.
        let _ = Command::new("unshare").args(flags).arg(me).args(std::env::args_os().skip(1)).env(INSIDE, "1").exec();
    }
    eprintln!("[chaos] no file system may be mounted here: the disk will not be made full");
}

async fn run(args: &Args, seed: u64) -> anyhow::Result<ExitCode> {
    let (count, seconds) = if args.long { (12_000, 720) } else { SHORT };
    let (count, seconds) = (args.acts.unwrap_or(count), args.seconds.unwrap_or(seconds));
    let progress = Progress::new();
    progress.note(&format!("seed {seed}: {count} acts in {seconds} s, {} bridge(s)", args.instances));
    let dir = tempfile::Builder::new().prefix("hb-chaos-").tempdir()?;
    let clients: Vec<Client> = (0..(count / 4).max(50)).map(Client::new).collect();
    let acts = acts::write(seed, count, &clients);
    progress.note("starting two private MariaDB, sample data, the stand-in provider");
    let ground = Arc::new(Ground::build(dir.path(), &clients, acts, args.instances.into()).await?);
    let mut bridges = JoinSet::new();
    for bridge in &ground.bridges {
        bridges.spawn(bridge.clone().run());
        anyhow::ensure!(bridge.listens().await, "a bridge does not start: {}", std::fs::read_to_string(&bridge.log)?);
    }

    let faults = Faults::begin(seed, &ground);
    let pause = Duration::from_secs(seconds).mul_f64(f64::from(WORKERS) / f64::from(count));
    let all = count as usize;
    let all = all.saturating_sub(restore::ACTS);
    let mut workers = work(&ground, seed, pause, all.saturating_sub(SAVED));
    fired(&ground, &mut workers, &progress).await?;
    let faults = faults.end(&ground).await?;
    kills::where_nobody_died_yet(&ground, &progress).await?;
    fired(&ground, &mut work(&ground, seed, Duration::ZERO, all), &progress).await?;
    let left = drain(&ground, &progress).await?;
    for bridge in &ground.bridges {
        bridge.stop()?;
    }
    while let Some(ended) = bridges.join_next().await {
        ended??;
    }

    let mut root = ground.own.root(OWN).await?;
    let (events, kept) = (books::events(&mut root).await?, books::kept(&mut root).await?);
    root.disconnect().await?;
    let taken = books::taken(&ground.sandbox.messages());
    let ledger = ledger::read(&ground.platform.ledgers())?;
    // The books are closed: what comes now has an account of its own.
    let restored = restore::restore(&ground, &progress).await?;
    let verdict = check::check(&ground.acts, &ledger, &events, &kept, &taken);
    let report = report(seed, &ground, &faults, (left, restored), verdict, &progress);
    progress.end();
    report.print();
    let good = report.is_good();
    if let Some(file) = &args.json {
        std::fs::write(file, report.json())?;
    }
    ground.own.stop().await;
    ground.billing.stop().await;
    keep(args, dir.path(), good);
    println!("\nseed {seed}, {} s: {}", report.seconds, if good { "nothing lost, nothing twice" } else { "FAILED" });
    if !good {
        println!(
            "again: make chaos ARGS=\"--seed {seed} --acts {count} --seconds {seconds} --instances {}\"",
            args.instances
        );
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// PHP processes that fire until `limit` acts are fired.
fn work(ground: &Ground, seed: u64, pause: Duration, limit: usize) -> JoinSet<anyhow::Result<()>> {
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let (platform, dice) = (ground.platform.clone(), Dice::new(seed, &format!("platform {number}")));
        workers.spawn(async move { platform.work(dice, pause, limit).await });
    }
    workers
}

/// Waits until the workers have fired their part.
async fn fired(ground: &Ground, workers: &mut JoinSet<anyhow::Result<()>>, progress: &Progress) -> anyhow::Result<()> {
    while !workers.is_empty() {
        progress.say("faults", ground);
        tokio::time::sleep(Duration::from_millis(250)).await;
        while let Some(ended) = workers.try_join_next() {
            ended??;
        }
    }
    Ok(())
}

fn report(
    seed: u64,
    ground: &Ground,
    faults: &faults::Counts,
    (left, restored): (drain::Left, restore::Restored),
    verdict: check::Verdict,
    progress: &Progress,
) -> Report {
    use std::sync::atomic::Ordering::Relaxed;
    let platform = &ground.platform;
    for (name, valve) in
        [("front", &ground.front), ("database", &ground.own.valve), ("database", &ground.billing.valve)]
    {
        let (answers, cuts) = if name == "front" {
            ("answers to stub and provider vanished", "connections of stub and provider cut")
        } else {
            ("answers to COMMIT vanished", "connections to a database cut")
        };
        faults.add(answers, valve.swallowed.load(Relaxed));
        faults.add(cuts, valve.cuts.load(Relaxed));
    }
    let deaths: Vec<Death> = ground.bridges.iter().flat_map(|bridge| bridge.deaths()).collect();
    let itself = deaths.iter().filter(|death| matches!(death, Death::Itself(_))).count();
    faults.add("bridge ended by itself (no database, or a task that failed three times)", itself as u64);
    Report {
        seed,
        seconds: progress.seconds(),
        instances: ground.bridges.len(),
        faults: faults.all(),
        deaths,
        left,
        restored,
        verdict,
        panics: report::panics(ground),
        noises: platform.noises.lock().expect("no holder panics").clone(),
        php: (platform.processes.load(Relaxed), platform.killed.load(Relaxed)),
        slowest_us: platform.slowest_us.load(Relaxed),
        rejected: platform.spooled().1,
        receipts_given_up: ground.sandbox.stats().receipts_given_up,
        most_per_second: ground.sandbox.stats().most_per_second.values().copied().max().unwrap_or_default(),
    }
}

/// What a person needs to find out why: kept if asked for, or if the run failed.
fn keep(args: &Args, dir: &Path, good: bool) {
    let Some(to) =
        args.keep.clone().or_else(|| (!good).then(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("chaos")))
    else {
        return;
    };
    let copied = Command::new("/bin/sh")
        .args(["-c", "mkdir -p \"$2\" && cp -r \"$1\"/*.log \"$1\"/platform/ledger \"$1\"/platform/spool \"$1\"/platform/activity.log \"$2\""])
        .args(["sh".as_ref(), dir.as_os_str(), to.as_os_str()])
        .output();
    if copied.is_ok() {
        println!("logs, ledgers and spool: {}", to.display());
    }
}
