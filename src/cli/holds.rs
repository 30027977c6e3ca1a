//! `hookbridge holds`

use jiff::SignedDuration;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::Desk;
use crate::config::Config;
use crate::domain::admin::Who;
use crate::ops::holds::{DiscardHold, Hold, ListHolds, PostponeHold, ReleaseHold};
use crate::ops::{act, read};
use crate::store::hold::HoldState;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// What waits for your word, and what was let go
    List {
        #[arg(long)]
        json: bool,
    },
    /// Send what is held, and hold no more of it for a while
    Go(ReleaseHold),
    /// Cancel what is held
    Drop(DiscardHold),
    /// Decide later: it stays held, and is asked again
    Later(PostponeHold),
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| answer(command, desk, who).await).await
}

async fn answer(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    let until = |minutes: u32| show::time(desk.now() + SignedDuration::from_mins(minutes.into()));
    match command {
        Command::List { json: true } => show::output(&read(desk, who, ListHolds {}).await?.items),
        Command::List { json: false } => list(read(desk, who, ListHolds {}).await?.items),
        Command::Go(release) => {
            let until = until(release.minutes);
            let sent = act(desk, who, release).await?.messages;
            println!("{sent} messages go; nothing of it is held before {until}");
        }
        Command::Drop(discard) => {
            let ended = act(desk, who, discard).await?.messages;
            println!("{ended} messages are cancelled");
        }
        Command::Later(postpone) => {
            let until = until(postpone.minutes);
            act(desk, who, postpone).await?;
            println!("it stays held, and is asked again at {until}");
        }
    }
    Ok(())
}

fn list(all: Vec<Hold>) {
    let mut table = show::table(&["hookpoint", "client", "state", "since", "until", "alerts", "usual at most"]);
    let waits = all.iter().any(|hold| hold.state.0 != HoldState::Go);
    for hold in all {
        table.add_row(vec![
            hold.hookpoint,
            hold.client_id.map_or("all".to_owned(), |id| id.to_string()),
            hold.state.to_string(),
            show::time(hold.since),
            hold.until.map(show::time).unwrap_or_default(),
            hold.alerts.to_string(),
            hold.allowed.to_string(),
        ]);
    }
    println!("{table}");
    if waits {
        println!("`hookbridge holds go|drop|later <hookpoint>` answers; add `--client N` for one client's.");
    }
}
