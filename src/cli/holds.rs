//! `hookbridge holds`

use anyhow::Context as _;
use jiff::SignedDuration;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::Desk;
use crate::admin::holds::{self, Word};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::ClientId;
use crate::http::api::settings::hold_json;
use crate::store::hold::{Hold, HoldState, Scope};

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
        #[arg(long, default_value_t = holds::MINUTES)]
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
        #[arg(long, default_value_t = holds::MINUTES)]
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
    at_the_desk(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    let until = |minutes: u32| show::time(desk.now() + SignedDuration::from_mins(minutes.into()));
    match command {
        Command::List { json: true } => show::json(&holds::all(desk).await?.iter().map(hold_json).collect()),
        Command::List { json: false } => list(&holds::all(desk).await?),
        Command::Go { which, minutes } => {
            let sent = holds::answer(desk, who, &scope(&which)?, Word::Go(minutes)).await?;
            println!("{sent} messages go; nothing of it is held before {}", until(minutes));
        }
        Command::Drop { which } => {
            let ended = holds::answer(desk, who, &scope(&which)?, Word::Drop).await?;
            println!("{ended} messages are cancelled");
        }
        Command::Later { which, minutes } => {
            holds::answer(desk, who, &scope(&which)?, Word::Later(minutes)).await?;
            println!("it stays held, and is asked again at {}", until(minutes));
        }
    }
    Ok(())
}

fn list(all: &[Hold]) {
    let mut table = show::table(&["hookpoint", "client", "state", "since", "until", "alerts", "usual at most"]);
    for hold in all {
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
    if all.iter().any(|hold| hold.state != HoldState::Go) {
        println!("`hookbridge holds go|drop|later <hookpoint>` answers; add `--client N` for one client's.");
    }
}

fn scope(which: &Which) -> anyhow::Result<Scope> {
    let hookpoint =
        HookpointId::parse(&which.hookpoint).with_context(|| format!("`{}` is no hookpoint", which.hookpoint))?;
    Ok(Scope { hookpoint, client_id: which.client.map(ClientId) })
}
