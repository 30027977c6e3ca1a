//! `hookbridge sources`

use comfy_table::Cell;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::desk::{Failure, with_the_key};
use super::show;
use crate::admin::overview::need::stub_says;
use crate::admin::{Desk, sources};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::http::api::settings::source_json;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each source: how its stubs are, and its secrets, but never the secrets themselves
    List {
        #[arg(long)]
        json: bool,
    },
    /// Make a new secret; it is printed once. Those that were made before stay valid for a while
    Rotate {
        source: String,
        /// For how many days the ones before stay valid
        #[arg(long, default_value_t = sources::OLD_DAYS)]
        days: u32,
        #[arg(long)]
        json: bool,
    },
    /// Forget a stub whose host or user is no more
    Forget {
        source: String,
        host: String,
        /// The user that PHP ran as
        owner: String,
    },
    /// End a secret now
    End {
        /// Its number, see `list`
        id: u64,
    },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    with_the_key(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::List { json } => list(desk, json).await?,
        Command::Rotate { source, days, json } => {
            let secret = sources::rotate(desk, who, &source, days).await?;
            if json {
                show::json(&json!({ "secret": secret.expose_secret() }));
            } else {
                // The secret alone is on the standard output, so that it can go into a file.
                println!("{}", secret.expose_secret());
                eprintln!(
                    "It is shown this once: put it into the stub's config.php. The ones before end in {days} days."
                );
            }
        }
        Command::Forget { source, host, owner } => {
            sources::forget(desk, who, &source, &host, &owner).await?;
            println!("{source} ({host}, {owner}) is forgotten");
        }
        Command::End { id } => {
            sources::end(desk, who, id).await?;
            println!("secret {id} is over");
        }
    }
    Ok(())
}

async fn list(desk: &Desk, as_json: bool) -> Result<(), Failure> {
    let (all, now) = (sources::all(desk).await?, desk.now());
    if as_json {
        show::json(&Value::from(all.iter().map(|one| source_json(one, now)).collect::<Vec<_>>()));
        return Ok(());
    }
    let mut table = show::table(&["source", "secret", "made", "by", "valid until", "state"]);
    for source in &all {
        if source.configured > 0 {
            let what = format!("{} configured", source.configured);
            let head = [source.name.clone(), what, String::new(), String::new(), String::new()];
            table.add_row(head.into_iter().map(Cell::from).chain([Cell::new("ok")]));
        }
        for secret in &source.made {
            let until = secret.until.map(show::time).unwrap_or_default();
            let (name, made) = (source.name.clone(), show::time(secret.made_at));
            let head = [name, secret.id.to_string(), made, secret.made_by.clone(), until];
            let state = Cell::new(if secret.is_valid(now) { "ok" } else { "over" });
            table.add_row(head.into_iter().map(Cell::from).chain([state]));
        }
    }
    println!("{table}");
    stubs(&all);
    Ok(())
}

fn stubs(all: &[sources::Standing]) {
    let mut table =
        show::table(&["stub", "version", "platform", "PHP", "last heartbeat", "waiting", "set aside", "state"]);
    for line in all.iter().flat_map(|source| &source.stubs) {
        let (last, said) = (&line.last, &line.last.said);
        let php = format!("{} {}", said.php, said.sapi);
        let cells = [last.who(), said.stub.clone(), said.platform.clone(), php, show::time(last.received_at)];
        let numbers = [said.waiting.to_string(), said.aside.to_string()];
        let says: Vec<String> = line.troubles.iter().map(|trouble| stub_says(*trouble, last)).collect();
        let state = if says.is_empty() { "ok".to_owned() } else { says.join("\n") };
        table.add_row(cells.into_iter().chain(numbers).chain([state]));
    }
    for source in all.iter().filter(|source| source.stubs.is_empty()) {
        let nothing = ["", "", "", "never", "", "", "no heartbeat yet"].map(str::to_owned);
        table.add_row(std::iter::once(source.name.clone()).chain(nothing));
    }
    println!("{table}");
}
