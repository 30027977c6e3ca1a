//! `hookbridge lanes`

use serde_json::{Value, json};

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::{Desk, numbers};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::http::api::settings::number_json;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each number: its pace, its queue, who sends, and whether it is stopped
    List {
        #[arg(long)]
        json: bool,
    },
    /// Stop a number; its queue is kept
    Pause {
        lane: String,
        /// For how many minutes
        #[arg(long, default_value_t = numbers::PAUSE_MAX_MIN)]
        minutes: u32,
        /// For whoever reads it later
        #[arg(long, default_value = "paused at the command line")]
        why: String,
        #[arg(long)]
        json: bool,
    },
    /// Let a number send again
    Resume { lane: String },
    /// Send slower than is configured, from now on; without a number, as configured
    Pace { lane: String, per_second: Option<u32> },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::List { json } => list(desk, json).await?,
        Command::Pause { lane, minutes, why, json } => {
            let until = numbers::pause(desk, who, &lane, minutes, &why).await?;
            if json {
                show::json(&json!({ "paused_until": until.to_string() }));
            } else {
                println!("`{lane}` is stopped until {}; its queue is kept", show::time(until));
            }
        }
        Command::Resume { lane } => {
            numbers::resume(desk, who, &lane).await?;
            println!("`{lane}` may send again");
        }
        Command::Pace { lane, per_second } => {
            numbers::set_pace(desk, who, &lane, per_second).await?;
            let pace =
                per_second.map_or_else(|| "as configured".to_owned(), |pace| format!("{pace} per second at most"));
            println!("`{lane}` sends {pace}; running instances take it over within 2 seconds");
        }
    }
    Ok(())
}

async fn list(desk: &Desk, as_json: bool) -> Result<(), Failure> {
    let all = numbers::all(desk).await?;
    if as_json {
        show::json(&Value::from(all.iter().map(number_json).collect::<Vec<_>>()));
        return Ok(());
    }
    let head = ["number", "state", "per s", "people in 24 h", "queued", "held", "sending", "unknown", "sent by", "why"];
    let mut table = show::table(&head);
    for one in &all {
        let state =
            one.pause.as_ref().map_or("open".to_owned(), |stop| format!("stopped until {}", show::time(stop.until)));
        let people = if one.day_max == 0 { one.day.to_string() } else { format!("{} of {}", one.day, one.day_max) };
        let owner =
            one.owner.as_deref().map_or("nobody", |owner| owner.rsplit_once('-').map_or(owner, |(host, _)| host));
        let counts = [one.queued, one.held, one.sending, one.unknown].map(|n| n.to_string());
        let pace = format!("{} of {}", one.pace, one.pace_max);
        let why = one.pause.as_ref().map(|stop| stop.detail.clone()).unwrap_or_default();
        table.add_row([one.name.clone(), state, pace, people].into_iter().chain(counts).chain([owner.to_owned(), why]));
    }
    println!("{table}");
    Ok(())
}
