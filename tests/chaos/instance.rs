//! Owns: one `hookbridge serve`, started again whenever it ends (as a service manager does), and the account of its deaths.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hookbridge::road::Step;
use tokio::process::Command;
use tokio::sync::watch;

use crate::control::{Control, Signal, Trap};
use crate::signal;

/// Between an end and the next start.
const PAUSE: Duration = Duration::from_millis(60);
/// A start that takes longer than this hangs.
const START_MAX: Duration = Duration::from_secs(30);

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Killed right at the mark that was armed.
    At(Step),
    /// Killed at any moment; the last mark before it.
    After(Option<Step>),
    /// It ended by itself, with this code.
    Itself(Option<i32>),
}

/// A bridge under test.
#[derive(Debug)]
pub struct Instance {
    pub name: &'static str,
    pub address: SocketAddr,
    pub control: Control,
    pub log: PathBuf,
    variables: Vec<(String, String)>,
    pid: watch::Sender<Option<u32>>,
    deaths: Mutex<Vec<Death>>,
    lives: AtomicU64,
    stopped: AtomicBool,
}

impl Instance {
    pub fn new(
        name: &'static str,
        dir: &Path,
        shim: &Path,
        address: SocketAddr,
        mut variables: Vec<(String, String)>,
    ) -> anyhow::Result<Arc<Self>> {
        let control = Control::create(dir.join(format!("{name}.control")))?;
        variables.extend(control.variables(shim).map(|(key, value)| (key.to_owned(), value)));
        variables.push(("HOOKBRIDGE__SERVER__LISTEN".to_owned(), address.to_string()));
        Ok(Arc::new(Self {
            name,
            address,
            control,
            log: dir.join(format!("{name}.log")),
            variables,
            pid: watch::Sender::new(None),
            deaths: Mutex::new(Vec::new()),
            lives: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        }))
    }

    /// Keeps it running until [`Instance::stop`].
    pub async fn run(self: Arc<Self>) -> anyhow::Result<()> {
        while !self.stopped.load(Ordering::Relaxed) {
            let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
            let mut child = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
                .arg("serve")
                .envs(self.variables.clone())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .kill_on_drop(true)
                .spawn()
                .context("hookbridge does not start")?;
            self.lives.fetch_add(1, Ordering::Relaxed);
            self.pid.send_replace(child.id());
            let status = child.wait().await?;
            self.pid.send_replace(None);
            let snapped = [Trap::Door, Trap::Sending].map(|trap| self.control.take_snapped(trap));
            let struck = snapped.into_iter().flatten().next();
            if !(self.stopped.load(Ordering::Relaxed) && status.success()) {
                let death = match (status.signal(), struck) {
                    (Some(9), Some(step)) => Death::At(step),
                    (Some(9), None) => Death::After(self.control.last()),
                    _ => Death::Itself(status.code()),
                };
                self.deaths.lock().expect("no holder panics").push(death);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Kills it at the `nth` mark of `step` from now on, or, if there is none within `patience`, at once.
    pub async fn kill_at(&self, step: Step, nth: u32, patience: Duration) {
        let life = self.life();
        self.control.arm(Trap::Door, step, nth, Signal::Kill);
        // These come once in a life: the next one's.
        let once = matches!(step, Step::Starting | Step::Listening);
        if once {
            self.kill();
        }
        let ended = self.next_life(life + u64::from(once));
        if tokio::time::timeout(patience, ended).await.is_err() {
            self.control.disarm(Trap::Door);
            let life = self.life();
            self.kill();
            self.next_life(life).await;
        }
    }

    /// Kills it now, whatever it does, and waits for its next life.
    pub async fn kill_and_wait(&self) {
        let life = self.life();
        self.kill();
        self.next_life(life).await;
    }

    /// Kills it now.
    pub fn kill(&self) {
        if let Some(pid) = self.pid() {
            // It may be dead already, and not yet waited for.
            let _ = signal::send("KILL", &pid.to_string());
        }
    }

    /// Lets it go on after `time`: it was stopped in mid-step, as a machine out of memory or a debugger does.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.go_on();
    }

    /// Ends a stop.
    pub fn go_on(&self) {
        if let Some(pid) = self.pid() {
            let _ = signal::send("CONT", &pid.to_string());
        }
    }

    fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// How often it was killed right at this step.
    pub fn struck(&self, step: Step) -> u64 {
        self.deaths.lock().expect("no holder panics").iter().filter(|death| **death == Death::At(step)).count() as u64
    }

    /// How many lives it has begun.
    pub fn life(&self) -> u64 {
        self.lives.load(Ordering::Relaxed)
    }

    /// Waits until it has begun more lives than `after`, and lives.
    pub async fn next_life(&self, after: u64) {
        let mut pid = self.pid.subscribe();
        while self.life() <= after || pid.borrow().is_none() {
            let _ = pid.changed().await;
        }
    }

    /// Waits until it listens; `false` if it does not come up.
    pub async fn listens(&self) -> bool {
        let started = Instant::now();
        while started.elapsed() < START_MAX {
            if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    pub fn deaths(&self) -> Vec<Death> {
        self.deaths.lock().expect("no holder panics").clone()
    }

    /// Ends it in order.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.stopped.store(true, Ordering::Relaxed);
        match *self.pid.borrow() {
            Some(pid) => signal::send("TERM", &pid.to_string()),
            None => Ok(()),
        }
    }
}
