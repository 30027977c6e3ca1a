//! Owns: the small file by which a running `hookbridge serve` is steered from outside: its clock, and at which step of
//! the road it gets a signal. `shim.c` maps the same file inside the process and documents the places.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use hookbridge::road::Step;

const NAME: usize = 24;
const LAST: u64 = 8;
const TRAPS: u64 = 64;
const TRAP: u64 = 64;
const LOG: u64 = 32;
const BYTES: u64 = TRAPS + 3 * TRAP;

/// Compiles the shim into `dir`. A C compiler is there, since Rust cannot link without one.
pub fn build_shim(dir: &Path) -> anyhow::Result<PathBuf> {
    let (source, shim) = (dir.join("shim.c"), dir.join("shim.so"));
    std::fs::write(&source, include_str!("shim.c"))?;
    let output = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&shim, &source])
        .arg("-ldl")
        .output()
        .context("cc does not start (package gcc)")?;
    ensure!(output.status.success(), "the shim does not compile: {}", String::from_utf8_lossy(&output.stderr));
    Ok(shim)
}

/// What the process gets at an armed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Kill = 9,
    Stop = 19,
    /// No signal: the thread that gets there panics.
    Panic = 130,
}

/// What becomes of the lines of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    Written = 0,
    /// The disk is full.
    Full = 1,
    /// Whoever reads them does not.
    Stalled = 2,
}

/// Several traps at once, so that whoever waits for one step does not disturb whoever waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    Door = 0,
    Sending = 1,
    Own = 2,
}

/// The file of one instance.
#[derive(Debug)]
pub struct Control {
    file: File,
    path: PathBuf,
}

impl Control {
    pub fn create(path: PathBuf) -> anyhow::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        file.set_len(BYTES)?;
        Ok(Self { file, path })
    }

    /// Variables for the process: the shim, the file, and the marks switched on.
    pub fn variables(&self, shim: &Path) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", shim.display().to_string()),
            ("HOOKBRIDGE_CHAOS_CONTROL", self.path.display().to_string()),
            ("HOOKBRIDGE__LOG__FORMAT", "json".to_owned()),
            ("HOOKBRIDGE__LOG__LEVEL", format!("info,{}=trace", hookbridge::road::TARGET)),
        ]
    }

    /// Sets the clock ahead (or back) of the machine's.
    pub fn set_clock(&self, ahead_ms: i64) {
        self.put(0, ahead_ms.saturating_mul(1_000_000));
    }

    /// What becomes of the log from now on.
    pub fn set_log(&self, log: Log) {
        self.put(LOG, log as i64);
    }

    /// Sets a trap: the `nth` mark of `step` from now on brings `signal`.
    pub fn arm(&self, trap: Trap, step: Step, nth: u32, signal: Signal) {
        let at = TRAPS + trap as u64 * TRAP;
        self.put(at, 0);
        self.write(&name(step.code()), at + 8);
        self.put(at + 32, signal as i64);
        self.put(at + 40, 0);
        self.put(at, nth.max(1).into());
    }

    pub fn disarm(&self, trap: Trap) {
        self.put(TRAPS + trap as u64 * TRAP, 0);
    }

    /// The step at which a trap snapped, told once.
    pub fn take_snapped(&self, trap: Trap) -> Option<Step> {
        let at = TRAPS + trap as u64 * TRAP;
        let mut snapped = [0; 8];
        self.file.read_exact_at(&mut snapped, at + 40).expect("our own file");
        self.put(at + 40, 0);
        (i64::from_ne_bytes(snapped) != 0).then(|| self.step_at(at + 8)).flatten()
    }

    /// The last mark of any kind.
    pub fn last(&self) -> Option<Step> {
        self.step_at(LAST)
    }

    fn step_at(&self, at: u64) -> Option<Step> {
        let mut bytes = [0; NAME];
        self.file.read_exact_at(&mut bytes, at).expect("our own file");
        Step::parse(std::str::from_utf8(&bytes).ok()?.trim_end_matches('\0'))
    }

    fn put(&self, at: u64, value: i64) {
        self.write(&value.to_ne_bytes(), at);
    }

    fn write(&self, bytes: &[u8], at: u64) {
        self.file.write_all_at(bytes, at).expect("our own file");
    }
}

fn name(code: &str) -> [u8; NAME] {
    let mut bytes = [0; NAME];
    bytes[..code.len()].copy_from_slice(code.as_bytes());
    bytes
}
