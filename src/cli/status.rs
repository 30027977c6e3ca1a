//! `hookbridge status`: is all well, at a glance.

use std::process::ExitCode;

use super::{show, who};
use crate::admin::overview::need::says;
use crate::admin::overview::need::{Kind, Need, Value};
use crate::admin::overview::{Bar, History, Number, Overview, Queue, Standing, history, now, take_note};
use crate::app::desk_at_the_command_line;
use crate::config::Config;
use crate::http::api::overview::overview;

/// Reasons that are listed.
const REASONS_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// For programs
    #[arg(long)]
    json: bool,
    /// Take note of a need that tells of the past, e.g. `events_failed`: it is not shown again until there is more
    #[arg(long, value_name = "NEED")]
    seen: Vec<String>,
}

/// Fails if something needs a person, so that a script can ask.
pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let desk = desk_at_the_command_line(config).await?;
    for code in &args.seen {
        take_note(&desk, &who(), code).await?;
    }
    let (state, past) = (now(&desk, &who()).await?, history(&desk, &who()).await?);
    desk.store.database().clone().close().await;
    desk.billing.database().clone().close().await;
    if args.json {
        show::json(&overview(&state, &past));
    } else {
        print(&state, &past);
    }
    Ok(if state.needs.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(state: &Overview, past: &History) {
    if state.needs.is_empty() {
        println!("All is well.");
    }
    for need in &state.needs {
        let since = need.since.map_or_else(String::new, |at| format!(" Since {}.", show::time(at)));
        println!("{} {}{since}", show::state(if need.is_urgent() { "failed" } else { "warn" }), says(need));
        let seen = if need.kind.is_past() {
            format!(", or `hookbridge status --seen {}`", need.code())
        } else {
            String::new()
        };
        println!("     {}: {}{seen}", need.code(), mend(need));
    }
    println!("\nEvents to process: {}", depth(state.inbox));
    let mut table = show::table(&["number", "state", "pace per s", "people in 24 h", "queued", "held", "unknown"]);
    for number in &state.numbers {
        table.add_row(line(number));
    }
    println!("{table}\n");
    for one in &state.instances {
        let ready = if one.report.is_ready() { "ready" } else { "not ready" };
        println!("Instance {}: {ready}, since {}", one.name, show::time(one.started_at));
    }
    let head: Vec<&str> = ["alerts"].into_iter().chain(Standing::ALL.iter().map(|one| one.code())).collect();
    let mut table = show::table(&head);
    for (name, bars) in [("last 24 hours", &past.day), ("last 30 days", &past.month)] {
        table.add_row([name.to_owned()].into_iter().chain(sums(bars).map(|n| n.to_string())));
    }
    println!("{table}");
    for (name, all) in [("failed", &past.failures), ("no alert", &past.skips)] {
        for why in all.iter().take(REASONS_MAX) {
            println!("{name}: {} {} in 24 h, {} in 30 days", why.reason, why.day, why.month);
        }
    }
}

/// The command that shows more of it, or mends it.
fn mend(need: &Need) -> String {
    let command = match need.kind {
        Kind::Stopped | Kind::NearLimit | Kind::NumberGone => "lanes list",
        Kind::Held => "holds list",
        Kind::Restored => "restored show",
        Kind::Unknown => "messages list --state unknown",
        Kind::InboxOld => "events list --state received",
        Kind::OutboxOld | Kind::Waiting => "messages list --state queued",
        Kind::EventsFailed => "events list --state failed",
        Kind::Failing => "messages list --state failed",
        Kind::Lost => {
            return need.values.iter().find_map(most).unwrap_or_else(|| "`hookbridge messages list`".to_owned());
        }
        Kind::TextsHeld | Kind::Drafts | Kind::LeftOut => "templates list",
        Kind::Missed => "decisions missed",
        Kind::Refused
        | Kind::StubSilent
        | Kind::StubFault
        | Kind::StubSkewed
        | Kind::StubWaits
        | Kind::StubLost
        | Kind::StubAside
        | Kind::StubHooks
        | Kind::StubOld => "sources list",
        Kind::Replies => "replies list",
        Kind::NumberChanged => "phones moved",
        Kind::Silent => "events list",
        Kind::SweepLate => "sweep",
        Kind::NoticesFail => "notify show",
        Kind::ReadOnly | Kind::Corrected => "doctor",
        Kind::TaskMissing | Kind::NotCounted | Kind::Caught | Kind::LogDropped => {
            return "the service's log".to_owned();
        }
    };
    format!("`hookbridge {command}`")
}

fn most((_, value): &(&'static str, Value)) -> Option<String> {
    let Value::Reasons(all) = value else { return None };
    Some(format!("`hookbridge messages list --reason {}`", all.first()?.0))
}

fn line(number: &Number) -> Vec<String> {
    let stopped = number.stopped.as_ref().map(|stop| format!("stopped until {}", show::time(stop.until)));
    let max = if number.recipients_max == 0 { String::new() } else { format!(" of {}", number.recipients_max) };
    vec![
        number.name.clone(),
        stopped.unwrap_or_else(|| "sends".to_owned()),
        format!("{:.1} of {}", number.pace, number.pace_max),
        format!("{}{max}", number.recipients),
        depth(number.queued),
        depth(number.held),
        depth(number.unknown),
    ]
}

fn depth(queue: Queue) -> String {
    match queue.oldest.filter(|_| queue.depth > 0) {
        Some(oldest) => format!("{}, oldest {}", queue.depth, show::time(oldest)),
        None => queue.depth.to_string(),
    }
}

fn sums(bars: &[Bar]) -> [u64; 5] {
    let mut sums = [0; 5];
    for bar in bars {
        for (sum, n) in sums.iter_mut().zip(bar.counts) {
            *sum += n;
        }
    }
    sums
}
