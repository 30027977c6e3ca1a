//! `hookbridge clients`

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;

use super::desk::{Failure, at_the_desk};
use super::show;
use crate::admin::Desk;
use crate::admin::clients::{erase, export};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::http::api::privacy::erased_json;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// All that our own database holds about a client and the client's contacts, as one JSON document
    Export {
        client: u64,
        /// Where to write it, for its owner's eyes only; without it, to the standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Erase what our own database holds about a client (docs/ADMIN.md says what stays); it cannot be undone
    Erase {
        client: u64,
        /// The client's id once more; without it, it is asked
        #[arg(long, value_name = "CLIENT")]
        confirm: Option<String>,
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    at_the_desk(config, async |desk, who| act(command, desk, who).await).await
}

async fn act(command: Command, desk: &Desk, who: &Who) -> Result<(), Failure> {
    match command {
        Command::Export { client, output } => {
            let document = export(desk, who, client).await?;
            match output {
                None => show::json(&document),
                Some(path) => write(&path, &document)?,
            }
        }
        Command::Erase { client, confirm, json } => {
            let typed = match confirm {
                Some(typed) => typed,
                None => ask(client)?,
            };
            let erased = erase(desk, who, client, &typed).await?;
            if json {
                show::json(&erased_json(&erased));
            } else {
                println!(
                    "{} messages are erased ({} were open and are cancelled), {} events, {} decisions",
                    erased.messages, erased.cancelled, erased.events, erased.decisions
                );
            }
        }
    }
    Ok(())
}

fn write(path: &std::path::Path, document: &serde_json::Value) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all(serde_json::to_string_pretty(document)?.as_bytes())?;
    println!("{} is written", path.display());
    Ok(())
}

fn ask(client: u64) -> anyhow::Result<String> {
    eprint!("This cannot be undone. Type {client} to erase what we hold about this client: ");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}
