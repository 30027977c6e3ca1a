//! `hookbridge holds`

use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::json;

use super::show;
use crate::app::open_store;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::ClientId;
use crate::store::hold::{Hold, HoldState, Scope, all, discard, go, later};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// What waits for your word, and what was let go
    List {
        #[arg(long)]
        json: bool,
    },
    /// Send what is held, and hold no more of it for a while
    Go {
        #[command(flatten)]
        which: Which,
        /// For how many minutes nothing of it is held again
        #[arg(long, default_value_t = 60)]
        minutes: u32,
    },
    /// Cancel what is held
    Drop {
        #[command(flatten)]
        which: Which,
    },
    /// Decide later: it stays held, and is asked again
    Later {
        #[command(flatten)]
        which: Which,
        #[arg(long, default_value_t = 60)]
        minutes: u32,
    },
}

#[derive(Debug, clap::Args)]
pub struct Which {
    hookpoint: String,
    /// Only the hold of this client
    #[arg(long)]
    client: Option<u64>,
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let now = Clock::system().now();
    let holds = all(&store).await?;
    let until = |minutes: u32| now + SignedDuration::from_mins(minutes.into());
    match command {
        Command::List { json: true } => show::json(&holds.iter().map(hold_json).collect()),
        Command::List { json: false } => {
            let mut table = show::table(&["hookpoint", "client", "state", "since", "until", "alerts", "usual at most"]);
            for hold in &holds {
                table.add_row(vec![
                    hold.hookpoint.to_string(),
                    hold.client_id.map_or("all".to_owned(), |id| id.0.to_string()),
                    hold.state.to_string(),
                    show::time(hold.since),
                    hold.until.map(show::time).unwrap_or_default(),
                    hold.counted.to_string(),
                    hold.allowed.to_string(),
                ]);
            }
            println!("{table}");
            if holds.iter().any(|hold| hold.state != HoldState::Go) {
                println!("`hookbridge holds go|drop|later <hookpoint>` answers; add `--client N` for one client's.");
            }
        }
        Command::Go { which, minutes } => {
            let scope = scope(&which, &holds)?;
            let sent = go(&store, &scope, until(minutes), now).await?;
            println!("{sent} messages go; nothing of it is held before {}", show::time(until(minutes)));
        }
        Command::Drop { which } => {
            let ended = discard(&store, &scope(&which, &holds)?, now).await?;
            println!("{ended} messages are cancelled");
        }
        Command::Later { which, minutes } => {
            later(&store, &scope(&which, &holds)?, until(minutes)).await?;
            println!("it stays held, and is asked again at {}", show::time(until(minutes)));
        }
    }
    store.database().clone().close().await;
    Ok(())
}

fn scope(which: &Which, holds: &[Hold]) -> anyhow::Result<Scope> {
    let hookpoint =
        HookpointId::parse(&which.hookpoint).with_context(|| format!("`{}` is no hookpoint", which.hookpoint))?;
    let client_id = which.client.map(ClientId);
    let known = holds.iter().any(|hold| hold.hookpoint == hookpoint && hold.client_id == client_id);
    known.then_some(Scope { hookpoint, client_id }).context("there is no such hold; see `hookbridge holds list`")
}

fn hold_json(hold: &Hold) -> serde_json::Value {
    json!({
        "hookpoint": hold.hookpoint.as_str(), "client_id": hold.client_id.map(|id| id.0), "state": hold.state.code(),
        "since": hold.since.to_string(), "until": hold.until.map(|until| until.to_string()),
        "alerts": hold.counted, "allowed": hold.allowed,
    })
}
