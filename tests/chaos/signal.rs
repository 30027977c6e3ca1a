//! Owns: signals to a process that we started, by its number.

use std::process::Command;

use anyhow::ensure;

/// Sends `signal` (`KILL`, `STOP`, `CONT`, `TERM`) to `pid`.
pub fn send(signal: &str, pid: &str) -> anyhow::Result<()> {
    let status = Command::new("/bin/sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, pid.trim()]).status()?;
    ensure!(status.success(), "process {} took no {signal}", pid.trim());
    Ok(())
}
