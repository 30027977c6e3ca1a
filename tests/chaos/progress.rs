//! Owns: the live line of a run. On a terminal it is one line that changes; in a log, one line every few seconds.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use hookbridge::road::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ground::Ground;
use crate::instance::Death;

const LOG_EVERY: Duration = Duration::from_secs(15);

pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    said: Mutex<Option<Instant>>,
}

impl Progress {
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template("[chaos] {elapsed:>4}  {msg}").expect("a good template"));
        Self { bar, started: Instant::now(), said: Mutex::new(None) }
    }

    /// A line that stays.
    pub fn note(&self, what: &str) {
        if self.bar.is_hidden() {
            eprintln!("[chaos] {what}");
        } else {
            self.bar.println(format!("[chaos] {what}"));
        }
    }

    /// The live line.
    pub fn say(&self, what: &str, ground: &Ground) {
        let deaths: Vec<Death> = ground.bridges.iter().flat_map(|bridge| bridge.deaths()).collect();
        let struck = Step::ALL.iter().filter(|step| deaths.contains(&Death::At(**step))).count();
        let (spool, _) = ground.platform.spooled();
        let line = format!(
            "{what}: {} of {} acts fired, {} kills at {struck} of {} steps, {} accepted, {spool} in the spool",
            ground.platform.begun(),
            ground.acts.len(),
            deaths.iter().filter(|death| !matches!(death, Death::Itself(_))).count(),
            Step::ALL.len(),
            ground.sandbox.stats().accepted,
        );
        if !self.bar.is_hidden() {
            return self.bar.set_message(line);
        }
        let mut said = self.said.lock().expect("no holder panics");
        if said.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            *said = Some(Instant::now());
            eprintln!("[chaos] {:>4} s  {line}", self.started.elapsed().as_secs());
        }
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }

    pub fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
