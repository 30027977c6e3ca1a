//! Owns: the settings. Defaults (a commented file that is its own documentation) → the user's file → the environment →
//! [`section::Config`] → [`validate`], which reports every mistake at once.
//! Must not know: what the settings are used for.

pub mod layers;
pub mod notify;
mod ranges;
pub mod rules;
pub mod section;
pub mod validate;

use std::path::Path;

pub use section::Config;

/// All defaults, commented. Also what `hookbridge config --defaults` prints.
pub const DEFAULTS: &str = include_str!("default.toml");

/// What is wrong with a configuration, one sentence per mistake.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.mistakes.join("\n"))]
pub struct ConfigError {
    pub mistakes: Vec<String>,
}

impl ConfigError {
    fn one(mistake: impl Into<String>) -> Self {
        Self { mistakes: vec![mistake.into()] }
    }
}

/// Reads defaults, `file` and the variables of `environment`, and validates the result.
///
/// # Errors
/// All mistakes found: unreadable file, unknown keys, wrong types, values out of range, missing or placeholder secrets.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let table = layers::merged(file, environment)?;
    let config = section::read(table)?;
    validate::validate(&config)?;
    Ok(config)
}
