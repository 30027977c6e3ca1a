//! `hookbridge config`

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{DEFAULTS, layers, load};

/// Keys that hold secrets: shown only as set or not.
const SECRETS: [&str; 7] = ["url", "key", "sso_secret", "secrets", "token", "app_secret", "verify_token"];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print every setting with its default, commented
    #[arg(long)]
    defaults: bool,
    /// Only say whether the settings are complete and consistent; a running service takes them over with a reload
    #[arg(long, conflicts_with_all = ["defaults", "new_secret"])]
    check: bool,
    /// Make a secret for a source (`whsec_…`)
    #[arg(long, conflicts_with = "defaults")]
    new_secret: bool,
}

pub fn run(args: &Args, file: Option<&Path>) -> anyhow::Result<()> {
    if args.defaults {
        print!("{DEFAULTS}");
    } else if args.new_secret {
        println!("{}", new_secret()?);
    } else if args.check {
        load(file, std::env::vars())?;
        println!("complete and consistent");
    } else {
        let mut table = layers::merged(file, std::env::vars())?;
        hide(&mut table);
        print!("{}", toml::to_string_pretty(&table)?);
        load(file, std::env::vars())?;
    }
    Ok(())
}

pub(super) fn new_secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
    Ok(format!("whsec_{}", STANDARD.encode(bytes)))
}

fn hide(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        match value {
            toml::Value::Table(inner) => hide(inner),
            toml::Value::String(text) if SECRETS.contains(&key.as_str()) && !text.is_empty() => {
                "(set)".clone_into(text);
            }
            toml::Value::Array(list) if SECRETS.contains(&key.as_str()) => {
                *value = toml::Value::String(format!("({} set)", list.len()));
            }
            _ => {}
        }
    }
}
