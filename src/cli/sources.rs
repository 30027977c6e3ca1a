//! `hookbridge sources`

use comfy_table::Cell;
use secrecy::ExposeSecret as _;

use super::desk::{Failure, with_the_key};
use super::show;
use crate::admin::Desk;
use crate::config::Config;
use crate::domain::admin::Who;
use crate::ops::sources::{EndSecret, ForgetStub, ListSources, RotateSecret, Source};
use crate::ops::{change, read};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each source: how its stubs are, and its secrets, but never the secrets themselves
    List {
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret; it is printed once. Those that were made before stay valid for a while
    Rotate {
        #[command(flatten)]
        rotate: RotateSecret,
        #[arg(long)]
        json: bool,
    },
    /// Forget a stub whose host or user does not exist any more
    Forget(ForgetStub),
    /// End a secret now
    End(EndSecret),
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    with_the_key(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::List { json } => list(desk, who, json).await?,
        Command::Rotate { rotate, json } => {
            let days = rotate.days;
            let new = change(desk, who, rotate).await?;
            if json {
                show::output(&new);
            } else {
                // The secret alone is on the standard output, so that it can go into a file.
                println!("{}", new.secret.expose_secret());
                eprintln!(
                    "It is shown this once: put it into the stub's config.php. The ones before end in {days} days."
                );
            }
        }
        Command::Forget(forget) => {
            let says = format!("{} ({}, {}) is forgotten", forget.source, forget.host, forget.owner);
            change(desk, who, forget).await?;
            println!("{says}");
        }
        Command::End(end) => {
            let id = end.id;
            change(desk, who, end).await?;
            println!("secret {id} is over");
        }
    }
    Ok(())
}

async fn list(desk: &Desk, who: &Who, as_json: bool) -> Result<(), Failure> {
    let all = read(desk, who, ListSources {}).await?.items;
    if as_json {
        show::output(&all);
        return Ok(());
    }
    let mut table = show::table(&["source", "secret", "made", "by", "valid until", "state"]);
    for source in &all {
        if source.configured_secrets > 0 {
            let what = format!("{} configured", source.configured_secrets);
            let head = [source.name.clone(), what, String::new(), String::new(), String::new()];
            table.add_row(head.into_iter().map(Cell::from).chain([Cell::new("ok")]));
        }
        for secret in &source.secrets {
            let until = secret.until.map(show::time).unwrap_or_default();
            let (name, made) = (source.name.clone(), show::time(secret.made_at));
            let head = [name, secret.id.to_string(), made, secret.made_by.clone(), until];
            let state = Cell::new(if secret.valid { "ok" } else { "over" });
            table.add_row(head.into_iter().map(Cell::from).chain([state]));
        }
    }
    println!("{table}");
    stubs(&all);
    Ok(())
}

fn stubs(all: &[Source]) {
    let mut table =
        show::table(&["stub", "version", "platform", "PHP", "last heartbeat", "waiting", "set aside", "state"]);
    for (source, stub) in all.iter().flat_map(|source| source.stubs.iter().map(move |stub| (source, stub))) {
        let php = format!("{} {}", stub.php, stub.sapi);
        let name = format!("{} ({}, {})", source.name, stub.host, stub.owner);
        let cells = [name, stub.stub.clone(), stub.platform.clone(), php, show::time(stub.received_at)];
        let numbers = [stub.waiting.to_string(), stub.set_aside.to_string()];
        let says: Vec<&str> = stub.troubles.iter().map(|trouble| trouble.says.as_str()).collect();
        let state = if says.is_empty() { "ok".to_owned() } else { says.join("\n") };
        table.add_row(cells.into_iter().chain(numbers).chain([state]));
    }
    for source in all.iter().filter(|source| source.stubs.is_empty()) {
        let nothing = ["", "", "", "never", "", "", "no heartbeat yet"].map(str::to_owned);
        table.add_row(std::iter::once(source.name.clone()).chain(nothing));
    }
    println!("{table}");
}
