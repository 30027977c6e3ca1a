//! `hookbridge lanes`

use anyhow::Context as _;
use jiff::SignedDuration;

use super::show;
use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::lane::{Pause, PausedBy, pause, paused, resume};
use crate::store::outbox;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each number: its queue, and whether it is stopped
    List,
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
        Command::List => {
            let stops = paused(&store, now).await?;
            let depth = outbox::depth(&store).await?;
            let mut table = show::table(&["number", "state", "queued", "sending", "unknown", "why"]);
            for lane in config.senders.keys() {
                let count = |state: &str| {
                    depth.iter().find(|(l, s, ..)| l == lane && s == state).map_or(0, |(_, _, n, _)| *n).to_string()
                };
                let stop = stops.iter().find(|stop| stop.lane == *lane);
                let state = stop.map_or("open".to_owned(), |stop| format!("stopped until {}", show::time(stop.until)));
                let why = stop.map(|stop| stop.detail.clone()).unwrap_or_default();
                table.add_row(vec![lane.clone(), state, count("queued"), count("sending"), count("unknown"), why]);
            }
            println!("{table}");
        }
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
