//! `hookbridge audit`

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, IsTerminal as _, Write};

use serde_json::json;

use crate::admin::reach::{Counts, Seen, Standing, Walk};
use crate::app::{open_billing, open_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::reason::Reason;

/// A line of progress every so many clients, where it is not a terminal that shows each page.
const PROGRESS_EVERY: u64 = 10_000;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Clients who cannot be alerted, and why; accounts that are closed are left out
    Phones {
        /// For spreadsheets
        #[arg(long, conflicts_with = "json")]
        csv: bool,
        /// For programs
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Table,
    Csv,
    Json,
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let Command::Phones { csv, json } = command;
    let shape = if json {
        Shape::Json
    } else if csv {
        Shape::Csv
    } else {
        Shape::Table
    };
    match phones(config, shape, &mut BufWriter::new(std::io::stdout().lock())).await {
        // `| head` is done reading; so are we.
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => {
            Ok(())
        }
        other => other,
    }
}

async fn phones(config: &Config, shape: Shape, out: &mut impl Write) -> anyhow::Result<()> {
    let (store, billing) = (open_store(config)?, open_billing(config)?);
    let mut walk = Walk::start(&billing, &store, config, 0, Clock::system().now()).await?;
    let mut shown = 0_u64;
    begin(shape, out)?;
    while let Some(page) = walk.next().await? {
        for seen in &page {
            if let Standing::Not { reason, why } = &seen.standing {
                show(shape, seen, *reason, why, shown == 0, out)?;
                shown += 1;
            }
        }
        progress(walk.counts.read);
    }
    finish(shape, &walk.counts, out)?;
    store.database().clone().close().await;
    billing.database().clone().close().await;
    Ok(())
}

fn begin(shape: Shape, out: &mut impl Write) -> std::io::Result<()> {
    match shape {
        Shape::Table => writeln!(out, "{:>10}  {:7}  {:18}  why", "client", "country", "reason"),
        Shape::Csv => writeln!(out, "client,country,reason,why"),
        Shape::Json => write!(out, "{{\"clients\":["),
    }
}

/// No number and no name: a pipe is soon a file, and the id finds both.
fn show(
    shape: Shape,
    seen: &Seen,
    reason: Reason,
    why: &str,
    first: bool,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let Seen { client, country, .. } = seen;
    match shape {
        Shape::Table => writeln!(out, "{client:>10}  {country:7}  {:18}  {why}", reason.code()),
        Shape::Csv => writeln!(out, "{client},{country},{reason},\"{}\"", why.replace('"', "\"\"")),
        Shape::Json => {
            let row = json!({ "client": client, "country": country, "reason": reason.code(), "why": why });
            write!(out, "{}\n {row}", if first { "" } else { "," })
        }
    }
}

fn finish(shape: Shape, counts: &Counts, out: &mut impl Write) -> std::io::Result<()> {
    let unreachable: u64 = counts.unreachable.values().sum();
    if shape == Shape::Json {
        let by_reason: BTreeMap<_, _> = counts.unreachable.iter().map(|(reason, n)| (reason.code(), n)).collect();
        let counts = json!({
            "read": counts.read, "closed": counts.closed, "reachable": counts.reachable, "assumed": counts.assumed,
            "unreachable": unreachable, "by_reason": by_reason,
        });
        writeln!(out, "\n],\"counts\":{counts}}}")?;
        return out.flush();
    }
    out.flush()?;
    // A spreadsheet gets rows only; people get the sums either way.
    let mut lines = vec![format!(
        "{} clients: {} can be alerted ({} with a guess about the number), {unreachable} cannot, {} are closed",
        counts.read, counts.reachable, counts.assumed, counts.closed
    )];
    lines.extend(counts.unreachable.iter().map(|(reason, n)| format!("{n:>10}  {reason}")));
    let text = lines.join("\n");
    if shape == Shape::Csv {
        eprintln!("{text}");
        return Ok(());
    }
    writeln!(out, "\n{text}")?;
    out.flush()
}

fn progress(read: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{read} clients read ");
    } else if read.is_multiple_of(PROGRESS_EVERY) {
        eprintln!("{read} clients read");
    }
}
