//! Owns: how logs are written. Lines are readable alone and filterable by field; they never hold phones, names, texts,
//! provider ids or secrets.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts logging to standard error.
///
/// # Errors
/// The level is not one, or logging was started before.
pub fn start(format: &str, level: &str) -> Result<(), String> {
    // The driver logs the server's errors as they are, and those quote values: we write our own.
    let filter = EnvFilter::try_new(format!("mysql_async=off,{level}")).map_err(|e| format!("`log.level`: {e}"))?;
    let json = match format {
        "json" => true,
        "text" => false,
        "auto" => !std::io::stderr().is_terminal(),
        other => return Err(format!("`log.format` must be auto, text or json, not `{other}`")),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
    };
    started.map_err(|e| e.to_string())
}
