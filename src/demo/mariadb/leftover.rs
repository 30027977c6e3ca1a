//! Owns: finding and ending what a killed run left behind. A pid is only believed when that process runs on our datadir.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::MARKER;

/// The server's pid file.
pub(super) const PID: &str = "pid";
/// Holds the pid of the process that started the server.
pub(super) const OWNER: &str = "owner";

const END_MS_MAX: u64 = 10_000;
const END_POLL_MS: u64 = 20;

/// Ends the servers of runs that ended and removes their directories: those in `parent` whose name starts with
/// `prefix`, that are ours, and whose owner is no longer alive. Call it before a start in a directory of one's own.
///
/// # Errors
/// When `parent` cannot be read. A leftover that resists is left alone.
pub fn sweep(parent: &Path, prefix: &str) -> anyhow::Result<()> {
    for entry in fs::read_dir(parent).with_context(|| format!("cannot read {}", parent.display()))?.flatten() {
        let dir = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(prefix) && dir.join(MARKER).is_file();
        if ours && !owner_alive(&dir) && end_server(&dir).is_ok() {
            // Another run may be sweeping the same directory; whoever comes second finds nothing.
            let _ = fs::remove_dir_all(&dir);
        }
    }
    Ok(())
}

/// Ends the server that runs on `dir`, if there is one.
pub(super) fn end_server(dir: &Path) -> anyhow::Result<()> {
    let Some(pid) = read_pid(&dir.join(PID)) else { return Ok(()) };
    for signal in ["TERM", "KILL"] {
        if !runs_on(pid, dir) {
            break;
        }
        Command::new("/bin/sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, &pid.to_string()]).output()?;
        let deadline = Instant::now() + Duration::from_millis(END_MS_MAX);
        while runs_on(pid, dir) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(END_POLL_MS));
        }
    }
    ensure!(!runs_on(pid, dir), "process {pid} of an earlier run holds {} and cannot be ended", dir.display());
    Ok(())
}

/// How the server gets its data directory; also how we recognise it again.
pub(super) fn datadir_argument(dir: &Path) -> String {
    format!("--datadir={}", dir.join("data").display())
}

fn owner_alive(dir: &Path) -> bool {
    read_pid(&dir.join(OWNER)).is_some_and(|pid| Path::new("/proc").join(pid.to_string()).exists())
}

pub(super) fn runs_on(pid: u32, dir: &Path) -> bool {
    let ours = datadir_argument(dir);
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.split(|&byte| byte == 0).any(|argument| argument == ours.as_bytes()))
}

pub(super) fn read_pid(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
