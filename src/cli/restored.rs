//! `hookbridge restored`

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::Desk;
use crate::config::Config;
use crate::domain::admin::Who;
use crate::ops::restored::{DiscardRestored, ReleaseRestored, SayRestored, ShowRestored};
use crate::ops::{act, read};

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
    at_the_desk(config, async |desk, who| answer(command.unwrap_or(Command::Say), desk, who).await).await
}

async fn answer(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::Show { json } => {
            let state = read(desk, who, ShowRestored {}).await?;
            if json {
                show::output(&state);
                return Ok(());
            }
            match state.restored_at {
                None => println!("nothing says that the schema was restored"),
                Some(at) => println!("restored by {}: {}", show::time(at), state.sign.unwrap_or_default()),
            }
            println!("{} messages are held because of it", state.held);
        }
        Command::Say => {
            let held = act(desk, who, SayRestored {}).await?.messages;
            println!("{held} messages are held: look at them (`hookbridge messages list --state held`), then");
            println!("`hookbridge restored release` sends them, `hookbridge restored discard` cancels them");
        }
        Command::Release => println!("{} messages go", act(desk, who, ReleaseRestored {}).await?.messages),
        Command::Discard => {
            println!("{} messages are cancelled", act(desk, who, DiscardRestored {}).await?.messages);
        }
    }
    Ok(())
}
