//! `hookbridge lanes`

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use super::show;
use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::lane::{Pause, PausedBy, pause, paused, resume};
use crate::store::{Store, lease, outbox};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each number: its queue, who sends, and whether it is stopped
    List {
        #[arg(long)]
        json: bool,
    },
    /// Stop a number; its queue is kept
    Pause {
        lane: String,
        /// For how many minutes
        #[arg(long, default_value_t = 525_600)]
        minutes: u32,
    },
    /// Let a number send again
    Resume { lane: String },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let now = Clock::system().now();
    let known =
        |lane: &str| config.senders.contains_key(lane).then_some(()).with_context(|| format!("no sender `{lane}`"));
    match command {
        Command::List { json } => list(&store, config, now, json).await?,
        Command::Pause { lane, minutes } => {
            known(&lane)?;
            let until = now + SignedDuration::from_mins(minutes.into());
            let detail = "paused by an operator".to_owned();
            pause(&store, &Pause { lane: lane.clone(), until, by: PausedBy::Operator, detail }, now).await?;
            println!("`{lane}` is stopped until {}; its queue is kept", show::time(until));
        }
        Command::Resume { lane } => {
            known(&lane)?;
            resume(&store, &lane, now).await?;
            println!("`{lane}` may send again");
        }
    }
    store.database().clone().close().await;
    Ok(())
}

async fn list(store: &Store, config: &Config, now: Timestamp, json: bool) -> anyhow::Result<()> {
    let stops = paused(store, now).await?;
    let depth = outbox::depth(store).await?;
    let leases = lease::all(store).await?;
    let mut table = show::table(&["number", "state", "queued", "held", "sending", "unknown", "sent by", "why"]);
    let mut lines = Vec::new();
    for (lane, sender) in &config.senders {
        let count = |state: &str| depth.iter().find(|(l, s, ..)| l == lane && s == state).map_or(0, |(_, _, n, _)| *n);
        let stop = stops.iter().find(|stop| stop.lane == *lane);
        let owner = leases.iter().find(|(name, ..)| *name == sender.portfolio).and_then(|(_, owner, ..)| owner.clone());
        let state = stop.map_or("open".to_owned(), |stop| format!("stopped until {}", show::time(stop.until)));
        let why = stop.map(|stop| stop.detail.clone()).unwrap_or_default();
        lines.push(serde_json::json!({
            "number": lane, "stopped_until": stop.map(|stop| stop.until.to_string()), "why": why, "owner": owner,
            "queued": count("queued"), "held": count("held"), "sending": count("sending"), "unknown": count("unknown"),
        }));
        let counts = ["queued", "held", "sending", "unknown"].map(|state| count(state).to_string());
        let owner =
            owner.map_or("nobody".to_owned(), |owner| owner.rsplit_once('-').map_or(owner.clone(), |o| o.0.to_owned()));
        table.add_row([lane.clone(), state].into_iter().chain(counts).chain([owner, why]));
    }
    if json {
        show::json(&lines.into());
    } else {
        println!("{table}");
    }
    Ok(())
}
