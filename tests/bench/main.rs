//! Owns: `make bench`: ratios, measured side by side in one run, of the service against simpler ways to do the same. The
//! database is a private MariaDB that waits for the disk at every commit. `docs/BENCHMARKS.md` explains the figures.
#![allow(clippy::cast_precision_loss, reason = "figures of at most ten digits")]

mod against;
mod cost;
mod dates;
mod decisions;
mod doors;
mod history;
mod home;
mod ingest;
mod load;
mod memory;
mod page;
mod phones;
mod report;
mod road;
mod stub;

use std::path::PathBuf;

use clap::Parser as _;

use home::Home;
use report::Report;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub rounds: u32,
    pub round_ms: u64,
    pub hooks: u32,
    pub slow_calls: u32,
    pub events: u32,
    pub paced_s: u32,
    pub queued: u32,
    pub finished: u32,
    pub waiting: u32,
    pub questions: u32,
    pub messages: u32,
    pub visits: usize,
    pub clients: u32,
    pub invoices: u32,
}

const FULL: Scale = Scale {
    rounds: 3,
    round_ms: 3_000,
    hooks: 2_000,
    slow_calls: 25,
    events: 20_000,
    paced_s: 20,
    queued: 100_000,
    finished: 2_000_000,
    waiting: 200_000,
    questions: 2_000,
    messages: 1_000_000,
    visits: 20,
    clients: 100_000,
    invoices: 1_000_000,
};
const QUICK: Scale = Scale {
    rounds: 2,
    round_ms: 1_000,
    hooks: 200,
    slow_calls: 8,
    events: 2_000,
    paced_s: 5,
    queued: 5_000,
    finished: 50_000,
    waiting: 10_000,
    questions: 400,
    messages: 20_000,
    visits: 3,
    clients: 5_000,
    invoices: 50_000,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Ingest,
    Stub,
    Road,
    Memory,
    History,
    Decisions,
    Page,
    Phones,
    Dates,
    Against,
}

/// Measures the service against simpler ways to do the same
#[derive(Debug, clap::Parser)]
struct Args {
    /// Everything small, in under a minute; the figures are rough
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// The commit that the part `against` compares with
    #[arg(long, value_name = "COMMIT", default_value = against::BASELINE)]
    against: String,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

pub fn say(what: &str) {
    eprintln!("[bench] {what}");
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scale = if args.quick { QUICK } else { FULL };
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let mut report = Report::new(args.quick);
    say("starting a private MariaDB that waits for the disk, with sample clients");
    // The stub's part needs a bridge, and nobody in its database.
    let clients = if args.only == [Part::Stub] { 500 } else { scale.events.max(500) };
    let home = Home::build(clients).await?;
    if wanted(Part::Stub) {
        stub::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Ingest) {
        ingest::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Road) {
        road::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Decisions) {
        decisions::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Memory) {
        memory::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Page) {
        page::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Phones) {
        phones::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Dates) {
        dates::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::History) {
        history::measure(&home, scale, &mut report).await?;
    }
    if wanted(Part::Against) {
        against::measure(&home, &args.against, scale, &mut report).await?;
    }
    home.end();
    report.print();
    if let Some(file) = &args.json {
        std::fs::write(file, report.json())?;
        say(&format!("written: {}", file.display()));
    }
    Ok(())
}
