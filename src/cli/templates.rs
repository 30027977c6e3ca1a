//! `hookbridge templates`

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::show;
use crate::catalogue::Catalogue;
use crate::provider_texts::definitions;
use crate::render::Templates;
use crate::whatsapp::{check, creation_json};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The JSON that creates all texts at the provider: one object per text and language
    Export {
        /// Base of the client area, for the buttons
        #[arg(long, default_value = "https://example.com/")]
        system_url: String,
    },
    /// Check all texts against the provider's rules
    Check,
}

pub fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::built_in(&BTreeMap::new())?;
    let templates = Templates::built_in().map_err(|mistakes| anyhow::anyhow!(mistakes.join("\n")))?;
    match command {
        Command::Export { system_url } => {
            let all = definitions(&catalogue, &templates, system_url)?;
            show::json(&all.iter().map(creation_json).collect());
            Ok(ExitCode::SUCCESS)
        }
        Command::Check => {
            let mut bad = false;
            for definition in definitions(&catalogue, &templates, "https://example.com/")? {
                for problem in check(&definition) {
                    bad = true;
                    println!("{} ({}): {problem}", definition.name, definition.language);
                }
            }
            if !bad {
                println!("all texts keep the provider's rules");
            }
            Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
    }
}
