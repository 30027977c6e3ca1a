//! `hookbridge restored`

use serde_json::json;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::{Desk, restored};
use crate::config::Config;
use crate::domain::admin::Who;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Whether it was noticed, by what, and how much waits
    Show {
        #[arg(long)]
        json: bool,
    },
    /// The schema was restored from an older dump: hold all that is queued
    Say,
    /// Send what is held because of it
    Release,
    /// Cancel what is held because of it
    Discard,
}

pub async fn run(command: Option<Command>, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(command.unwrap_or(Command::Say), desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::Show { json } => {
            let state = restored::state(desk).await?;
            let at = state.watch.restored_at;
            if json {
                let at = at.map(|at| at.to_string());
                show::json(&json!({ "restored_at": at, "sign": state.watch.sign, "held": state.waiting }));
                return Ok(());
            }
            match at {
                None => println!("nothing says that the schema was restored"),
                Some(at) => println!("restored by {}: {}", show::time(at), state.watch.sign.unwrap_or_default()),
            }
            println!("{} messages are held because of it", state.waiting);
        }
        Command::Say => {
            let held = restored::say(desk, who).await?;
            println!("{held} messages are held: look at them (`hookbridge messages list --state held`), then");
            println!("`hookbridge restored release` sends them, `hookbridge restored discard` cancels them");
        }
        Command::Release => println!("{} messages go", restored::release(desk, who).await?),
        Command::Discard => println!("{} messages are cancelled", restored::discard(desk, who).await?),
    }
    Ok(())
}
