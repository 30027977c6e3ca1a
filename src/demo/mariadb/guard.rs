//! Owns: the server's process, and that it ends when we do.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

/// After a polite request to stop, how long until the guard kills the server.
const GRACE_S: u32 = 10;
/// How long we wait for the guard itself.
const STOP_MS_MAX: u64 = 20_000;
const STOP_POLL_MS: u64 = 10;

/// `$1`: seconds of grace, `$2`: directory to remove at the end or nothing; then the server and its arguments.
/// Standard input is the pipe that we hold open: `read` returns when we let go of it, or when we end.
const SCRIPT: &str = r#"
grace=$1 remove=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
( read -r _ <&3
  kill -TERM "$server"
  while [ "$grace" -gt 0 ] && kill -0 "$server"; do sleep 1; grace=$((grace - 1)); done
  kill -KILL "$server" ) 2>/dev/null &
watch=$!
exec 3<&- </dev/null
wait "$server"; code=$?
kill "$watch" 2>/dev/null
[ -z "$remove" ] || rm -rf -- "$remove"
exit "$code"
"#;

/// What is run.
pub(super) struct Call<'a> {
    pub(super) server: &'a Path,
    pub(super) arguments: &'a [String],
    pub(super) environment: &'a [(String, String)],
}

#[derive(Debug)]
pub(super) struct Guard(Child);

impl Guard {
    /// Starts `server` under the guard, in a process group of its own: a Ctrl-C in the terminal is for us, and we stop
    /// the server when our own work has ended.
    pub(super) fn spawn(call: &Call<'_>, remove: Option<&Path>, log: &File) -> anyhow::Result<Self> {
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "hookbridge-mariadb", &GRACE_S.to_string()])
            .arg(remove.unwrap_or(Path::new("")))
            .arg(call.server)
            .args(call.arguments)
            .envs(call.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log.try_clone()?)
            .process_group(0)
            .spawn()
            .context("cannot run /bin/sh")?;
        Ok(Self(child))
    }

    /// The exit status, if the server has ended.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Ends the guard's shells as a crash of the machine's supervisor would, and leaves the server running.
    #[cfg(test)]
    pub(super) fn kill_without_a_word(&mut self) {
        let own = self.0.id();
        let shells = Command::new("/bin/sh").args(["-c", "pgrep -g \"$1\" -x sh", "sh", &own.to_string()]).output();
        for shell in String::from_utf8_lossy(&shells.expect("pgrep runs").stdout).lines() {
            Command::new("/bin/sh").args(["-c", "kill -KILL \"$1\"", "sh", shell]).output().expect("kill runs");
        }
        self.0.wait().expect("the guard was ours");
    }

    fn stop(&mut self) {
        drop(self.0.stdin.take());
        let deadline = Instant::now() + Duration::from_millis(STOP_MS_MAX);
        while matches!(self.0.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                // The server is left to the next start, which finds it by its pid file.
                let _ = self.0.kill();
                let _ = self.0.wait();
                return;
            }
            thread::sleep(Duration::from_millis(STOP_POLL_MS));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop();
    }
}
