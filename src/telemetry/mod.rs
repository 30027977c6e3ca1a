//! Owns: how logs are written. Lines are readable alone and filterable by field; they never hold phones, names, texts,
//! provider ids or secrets. A log that cannot be written stops nothing: see [`lines`].

mod lines;

use std::fs::File;
use std::io::IsTerminal as _;
use std::os::fd::AsFd as _;
use std::sync::OnceLock;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

pub use self::lines::panic_was_asked_for;
use self::lines::{Lines, Writers};

/// Bytes of log that wait to be written at most.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long the end of the process waits for the last lines.
const FLUSH_MAX: Duration = Duration::from_secs(1);

static LINES: OnceLock<Lines> = OnceLock::new();

/// Starts logging to standard error.
///
/// # Errors
/// The level is not one, or logging was started before.
pub fn start(format: &str, level: &str) -> Result<(), String> {
    // The driver logs the server's errors as they are, and those quote values: we write our own.
    let filter = EnvFilter::try_new(format!("mysql_async=off,{level}")).map_err(|e| format!("`log.level`: {e}"))?;
    let stderr = std::io::stderr();
    let json = match format {
        "json" => true,
        "text" => false,
        "auto" => !stderr.is_terminal(),
        other => return Err(format!("`log.format` must be auto, text or json, not `{other}`")),
    };
    // A handle of its own: the shared one has a lock, and whoever waits in it for a reader would stop the others.
    let out = stderr.as_fd().try_clone_to_owned().map_err(|e| format!("standard error: {e}"))?;
    let lines = LINES.get_or_init(|| Lines::start(File::from(out), WAITING_BYTES_MAX));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Writers(lines.clone()))
        // Its own complaint about a line that was not written is written to standard error, and panics if that fails.
        .log_internal_errors(false);
    let started = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(stderr.is_terminal()).with_target(false).try_init()
    };
    started.map_err(|e| e.to_string())
}

/// Whether this process logs.
#[must_use]
pub fn is_started() -> bool {
    LINES.get().is_some()
}

/// Lines that could not be written since the process started: nobody read them, or the disk was full.
#[must_use]
pub fn lines_dropped() -> u64 {
    LINES.get().map_or(0, Lines::dropped)
}

/// Waits until all lines are written, a second at most.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(FLUSH_MAX);
    }
}
