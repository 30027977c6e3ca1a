//! `hookbridge audit`

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, IsTerminal as _, Write};

use serde_json::json;

use crate::admin::phones::{Problem, UNDELIVERABLE, undeliverable};
use crate::admin::reach::{Counts, Standing, Walk};
use crate::app::{open_billing, open_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::phone::Guess;

/// A line of progress every so many clients, where it is not a terminal that shows each page.
const PROGRESS_EVERY: u64 = 10_000;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Clients who cannot be alerted, and why; whom the last alert did not reach; and whose number was read with an assumption.
    /// Accounts that are closed are left out
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
    let now = Clock::system().now();
    let mut walk = Walk::start(&billing, &store, config, 0, now).await?;
    let (mut shown, mut later) = (0_u64, Later::default());
    begin(shape, out)?;
    while let Some(page) = walk.next().await? {
        let failed = undeliverable(&store, &page, now).await?;
        for seen in &page {
            match &seen.standing {
                Standing::Not { reason, why } => {
                    show(shape, seen.client, &seen.country, reason.code(), why, shown == 0, out)?;
                    shown += 1;
                }
                Standing::Reachable { phone, .. } if failed.contains(phone) => {
                    later.undeliverable.push((seen.client, seen.country.clone()));
                }
                Standing::Reachable { assumed: Some(guess), .. } => {
                    later.assumed.push((seen.client, seen.country.clone(), *guess));
                }
                _ => {}
            }
        }
        progress(walk.counts.read);
    }
    later.show(shape, out)?;
    finish(shape, &walk.counts, &later, out)?;
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

/// What is listed behind those who cannot be alerted.
#[derive(Default)]
struct Later {
    undeliverable: Vec<(u64, String)>,
    assumed: Vec<(u64, String, Guess)>,
}

impl Later {
    /// Rows behind the others; programs get lists of their own.
    fn show(&self, shape: Shape, out: &mut impl Write) -> std::io::Result<()> {
        let failed = Problem::Undeliverable.code();
        if shape == Shape::Json {
            let failed: Vec<_> = self
                .undeliverable
                .iter()
                .map(|(client, country)| {
                    json!({
                        "client": client, "country": country, "reason": failed, "why": UNDELIVERABLE,
                    })
                })
                .collect();
            let assumed: Vec<_> = self
                .assumed
                .iter()
                .map(|(client, country, guess)| {
                    json!({
                        "client": client, "country": country, "assumed": guess.code(), "why": guess.text(),
                    })
                })
                .collect();
            return write!(out, "\n],\"undeliverable\":{},\"assumed\":{}", json!(failed), json!(assumed));
        }
        for (client, country) in &self.undeliverable {
            show(shape, *client, country, failed, UNDELIVERABLE, false, out)?;
        }
        for (client, country, guess) in &self.assumed {
            show(shape, *client, country, Problem::Assumed.code(), guess.text(), false, out)?;
        }
        Ok(())
    }
}

/// No number and no name: a pipe is soon a file, and the id finds both.
fn show(
    shape: Shape,
    client: u64,
    country: &str,
    reason: &str,
    why: &str,
    first: bool,
    out: &mut impl Write,
) -> std::io::Result<()> {
    match shape {
        Shape::Table => writeln!(out, "{client:>10}  {country:7}  {reason:18}  {why}"),
        Shape::Csv => writeln!(out, "{client},{country},{reason},\"{}\"", why.replace('"', "\"\"")),
        Shape::Json => {
            let row = json!({ "client": client, "country": country, "reason": reason, "why": why });
            write!(out, "{}\n {row}", if first { "" } else { "," })
        }
    }
}

fn finish(shape: Shape, counts: &Counts, later: &Later, out: &mut impl Write) -> std::io::Result<()> {
    let unreachable: u64 = counts.unreachable.values().sum();
    if shape == Shape::Json {
        let by_reason: BTreeMap<_, _> = counts.unreachable.iter().map(|(reason, n)| (reason.code(), n)).collect();
        let counts = json!({
            "read": counts.read, "closed": counts.closed, "reachable": counts.reachable, "assumed": counts.assumed,
            "undeliverable": later.undeliverable.len(), "unreachable": unreachable, "by_reason": by_reason,
        });
        writeln!(out, ",\"counts\":{counts}}}")?;
        return out.flush();
    }
    out.flush()?;
    // A spreadsheet gets rows only; people get the sums either way.
    let mut lines = vec![format!(
        "{} clients: {} can be alerted ({} with an assumption about the number; the last alert did not reach {}), {unreachable} \
         cannot, {} are closed",
        counts.read,
        counts.reachable,
        counts.assumed,
        later.undeliverable.len(),
        counts.closed
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
