//! `hookbridge audit`

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, IsTerminal as _, Write};

use serde_json::json;

use crate::app::{open_billing, open_store, phone_policy};
use crate::billing::phones::StoredPhone;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::phone::{Certainty, E164, PhonePolicy, normalize, warm_up};
use crate::domain::reason::Reason;
use crate::domain::record::ClientStatus;
use crate::sql::Inconsistent;
use crate::store::{Store, consent};

/// Clients read at once: memory stays the same however many there are.
const PAGE: usize = 1_000;
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

/// A client who cannot be alerted. No number and no name: a pipe is soon a file, and the id finds both.
struct Finding {
    client: u64,
    country: String,
    reason: Reason,
    why: String,
}

#[derive(Default)]
struct Counts {
    read: u64,
    closed: u64,
    reachable: u64,
    /// Reachable ones whose number was read with a guess.
    assumed: u64,
    unreachable: BTreeMap<Reason, u64>,
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
    warm_up();
    let default_country = billing.platform(Clock::system().now()).await?.default_country.clone();
    let policy = phone_policy(config);
    let mut counts = Counts::default();
    let mut shown = 0_u64;
    begin(shape, out)?;
    let mut after = 0;
    loop {
        let page = billing.phones(after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for finding in look(page, &default_country, policy, &store, &mut counts).await? {
            show(shape, &finding, shown == 0, out)?;
            shown += 1;
        }
        progress(counts.read);
    }
    finish(shape, &counts, out)?;
    store.database().clone().close().await;
    billing.database().clone().close().await;
    Ok(())
}

/// One page: who of it cannot be alerted.
async fn look(
    page: Vec<(u64, Result<StoredPhone, Inconsistent>)>,
    default_country: &str,
    policy: PhonePolicy,
    store: &Store,
    counts: &mut Counts,
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut numbers: Vec<(u64, String, E164, bool)> = Vec::new();
    for (client, row) in page {
        counts.read += 1;
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let (country, reason) = (String::new(), Reason::SubjectUnreadable);
                findings.push(Finding { client, country, reason, why: error.to_string() });
                continue;
            }
        };
        if row.status == ClientStatus::Closed {
            counts.closed += 1;
            continue;
        }
        let country = plain_country(&row.country);
        match normalize(&row.phone, &row.country, default_country, &policy) {
            Ok(phone) => {
                numbers.push((client, country, phone.e164, matches!(phone.certainty, Certainty::Assumed(_))));
            }
            Err(error) => findings.push(Finding { client, country, reason: error.reason(), why: error.to_string() }),
        }
    }
    let everybody: Vec<E164> = numbers.iter().map(|(.., number, _)| number.clone()).collect();
    let out = consent::opted_out(store, &everybody).await?;
    for (client, country, number, assumed) in numbers {
        if out.contains(&number) {
            let why = "this number asked for no more alerts".to_owned();
            findings.push(Finding { client, country, reason: Reason::OptedOut, why });
        } else {
            counts.reachable += 1;
            counts.assumed += u64::from(assumed);
        }
    }
    findings.sort_by_key(|finding| finding.client);
    for finding in &findings {
        *counts.unreachable.entry(finding.reason).or_default() += 1;
    }
    Ok(findings)
}

/// Two letters or nothing: what else stands there is somebody's text.
fn plain_country(text: &str) -> String {
    let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if fits { text.to_ascii_uppercase() } else { String::new() }
}

fn begin(shape: Shape, out: &mut impl Write) -> std::io::Result<()> {
    match shape {
        Shape::Table => writeln!(out, "{:>10}  {:7}  {:18}  why", "client", "country", "reason"),
        Shape::Csv => writeln!(out, "client,country,reason,why"),
        Shape::Json => write!(out, "{{\"clients\":["),
    }
}

fn show(shape: Shape, finding: &Finding, first: bool, out: &mut impl Write) -> std::io::Result<()> {
    let Finding { client, country, reason, why } = finding;
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
