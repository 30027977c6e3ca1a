//! `hookbridge hookpoints`

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::show;
use crate::catalogue::{Catalogue, manifest};
use crate::config::rules::RulesConfig;
use crate::domain::locale::Locale;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// All hookpoints
    List {
        #[arg(long)]
        json: bool,
    },
    /// The stub's manifest: which hooks it registers, which fields may leave PHP, where it asks the rules
    Manifest,
}

pub fn run(command: &Command, file: Option<&Path>) -> anyhow::Result<()> {
    // With a configuration file, as the service sees them; without one, as they are built in.
    let config = file.map(|file| super::read(Some(file))).transpose()?;
    let (changes, rules) =
        config.map_or_else(|| (BTreeMap::new(), RulesConfig::built_in()), |c| (c.hookpoints, c.rules));
    let catalogue = Catalogue::built_in(&changes)?;
    match *command {
        Command::Manifest => print!("{}", manifest::of(&catalogue, &rules).0),
        Command::List { json } => {
            let all = catalogue.entries().map(|entry| &entry.hookpoint);
            if json {
                let rows: Vec<_> = all
                    .map(|h| {
                        json!({
                            "id": h.id.as_str(), "title": h.title[&Locale::EsAr], "introduced": h.introduced,
                            "enabled": h.enabled, "class": h.class.code(), "audience": h.audience.code(),
                            "hooks": h.triggers.iter().map(|t| &t.hook).collect::<Vec<_>>(),
                        })
                    })
                    .collect();
                show::json(&json!(rows));
            } else {
                let mut table = show::table(&["hookpoint", "since", "class", "audience", "hooks", "title"]);
                for h in all {
                    let hooks: Vec<&str> = h.triggers.iter().map(|t| t.hook.as_str()).collect();
                    table.add_row(vec![
                        h.id.to_string(),
                        h.introduced.clone(),
                        h.class.to_string(),
                        h.audience.to_string(),
                        hooks.join(", "),
                        h.title[&Locale::EsAr].clone(),
                    ]);
                }
                println!("{table}");
            }
        }
    }
    Ok(())
}
