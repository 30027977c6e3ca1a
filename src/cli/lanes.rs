//! `hookbridge lanes`

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::Desk;
use crate::config::Config;
use crate::domain::admin::Who;
use crate::ops::numbers::{ListNumbers, PauseNumber, ResumeNumber, SetPace};
use crate::ops::{change, read};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each number: its pace, its queue, who sends, and whether it is stopped
    List {
        #[arg(long)]
        json: bool,
    },
    /// Pause a number; its queue is kept
    Pause {
        #[command(flatten)]
        pause: PauseNumber,
        #[arg(long)]
        json: bool,
    },
    /// Resume sending from a number
    Resume(ResumeNumber),
    /// Send slower than is configured, from now on; without a number, as configured
    Pace(SetPace),
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::List { json } => list(desk, who, json).await?,
        Command::Pause { pause, json } => {
            let name = pause.name.clone();
            let paused = change(desk, who, pause).await?;
            if json {
                show::output(&paused);
            } else {
                println!("`{name}` is stopped until {}; its queue is kept", show::time(paused.paused_until));
            }
        }
        Command::Resume(resume) => {
            let name = resume.name.clone();
            change(desk, who, resume).await?;
            println!("`{name}` may send again");
        }
        Command::Pace(pace) => {
            let name = pace.name.clone();
            let pace = change(desk, who, pace).await?.per_second;
            let pace = pace.map_or_else(|| "as configured".to_owned(), |pace| format!("{pace} per second at most"));
            println!("`{name}` sends {pace}; running instances take it over within 2 seconds");
        }
    }
    Ok(())
}

async fn list(desk: &Desk, who: &Who, as_json: bool) -> Result<(), Failure> {
    let all = read(desk, who, ListNumbers {}).await?.items;
    if as_json {
        show::output(&all);
        return Ok(());
    }
    let head = ["number", "state", "per s", "people in 24 h", "queued", "held", "sending", "unknown", "sent by", "why"];
    let mut table = show::table(&head);
    for one in all {
        let state = one.paused_until.map_or("open".to_owned(), |until| format!("stopped until {}", show::time(until)));
        let (day, most) = (one.recipients_day, one.recipients_day_max);
        let people = if most == 0 { day.to_string() } else { format!("{day} of {most}") };
        let owner =
            one.owner.as_deref().map_or("nobody", |owner| owner.rsplit_once('-').map_or(owner, |(host, _)| host));
        let counts = [one.queued, one.held, one.sending, one.unknown].map(|n| n.to_string());
        let pace = format!("{} of {}", one.per_second, one.per_second_max);
        let last = [owner.to_owned(), one.why.unwrap_or_default()];
        table.add_row([one.name, state, pace, people].into_iter().chain(counts).chain(last));
    }
    println!("{table}");
    Ok(())
}
