//! Owns: whether this instance does its work: its tasks run, its schema takes writes, and nothing that is due stands still. Each
//! instance reports itself every few seconds in table `instance`, so that any of them, and the command line, can show all.
//! Must not know: HTTP.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::domain::closed_list::closed_list;
use crate::domain::time::earlier;
use crate::metrics::Metrics;
use crate::road::{Step, mark_one};
use crate::stop::Stop;
use crate::store::{Store, StoreError, instance};
use crate::tasks::{Task, Tasks};
use crate::telemetry;

/// How often an instance reports itself.
const EVERY: Duration = Duration::from_secs(5);
/// A report that is younger answers the next question, too: whoever asks often costs the database nothing.
const FRESH: Duration = Duration::from_secs(1);
/// A database that takes longer does not answer: whoever asks every few seconds must not wait as long as work may.
const PATIENCE: Duration = Duration::from_millis(1_800);
/// An instance that did not report for so long does not run.
const SEEN: SignedDuration = SignedDuration::from_secs(60);
/// What instances that ended counted is looked at for so long.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 7);

closed_list! {
    /// What keeps an instance from its work.
    Finding {
        /// A task does not run.
        TaskMissing = "task_missing",
        /// The bridge's own schema takes no writes: it is read-only, full, or away.
        NotWritable = "not_writable",
        /// The oldest due event waits too long, and none is finished.
        EventsLate = "events_late",
        /// The oldest due message of a number waits too long, and none is sent.
        MessagesLate = "messages_late",
    }
}

/// A finding, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub finding: Finding,
    /// A task, a number, a time; no data.
    pub detail: String,
}

/// What an instance counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub n: u64,
    /// When the first and the last of them were seen.
    pub since: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
}

impl Counted {
    /// The same with what is counted by now.
    fn at(self, n: u64, changed: bool, now: Timestamp) -> Self {
        if !changed {
            return Self { n, ..self };
        }
        Self { n, since: self.since.or(Some(now)), last_at: Some(now) }
    }

    fn json(self) -> Value {
        json!({ "n": self.n, "since": self.since.map(|at| at.to_string()), "last": self.last_at.map(|at| at.to_string()) })
    }

    fn read(json: &Value) -> Self {
        let moment = |name: &str| json[name].as_str().and_then(|at| at.parse().ok());
        Self { n: json["n"].as_u64().unwrap_or(0), since: moment("since"), last_at: moment("last") }
    }
}

/// How an instance is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Empty: ready.
    pub problems: Vec<Problem>,
    /// Tasks that were started again.
    pub restarts: Counted,
    /// Panics that were caught.
    pub panics: Counted,
    /// Log lines that could not be written.
    pub log_lines_dropped: Counted,
    /// Events of known sources that were refused.
    pub refused: Counted,
    /// Defaults of the database server that were corrected in this instance's sessions.
    pub corrected: Counted,
    /// Which: `name=value`.
    pub settings: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.problems.is_empty()
    }

    /// What was counted, by name.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 5] {
        [
            ("restarts", self.restarts.n),
            ("panics", self.panics.n),
            ("log_lines_dropped", self.log_lines_dropped.n),
            ("refused", self.refused.n),
            ("corrected", self.corrected.n),
        ]
    }

    #[must_use]
    pub fn has(&self, finding: Finding) -> bool {
        self.problems.iter().any(|one| one.finding == finding)
    }

    fn json(&self) -> Value {
        let problems: Vec<Value> =
            self.problems.iter().map(|one| json!({ "finding": one.finding.code(), "detail": one.detail })).collect();
        json!({ "problems": problems, "restarts": self.restarts.json(), "panics": self.panics.json(),
            "log_lines_dropped": self.log_lines_dropped.json(), "refused": self.refused.json(),
            "corrected": self.corrected.json(), "settings": self.settings })
    }

    /// Reads what [`Report::json`] wrote; an instance of another version may have written something else.
    fn read(text: &str) -> Self {
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let counted = |name: &str| Counted::read(&json[name]);
        let settings = json["settings"].as_array().into_iter().flatten();
        let problems = json["problems"].as_array().into_iter().flatten().filter_map(|one| {
            let finding = Finding::parse(one["finding"].as_str()?)?;
            Some(Problem { finding, detail: one["detail"].as_str().unwrap_or_default().to_owned() })
        });
        Self {
            problems: problems.collect(),
            restarts: counted("restarts"),
            panics: counted("panics"),
            log_lines_dropped: counted("log_lines_dropped"),
            refused: counted("refused"),
            corrected: counted("corrected"),
            settings: settings.filter_map(|one| Some(one.as_str()?.to_owned())).collect(),
        }
    }
}

/// An instance, with its last report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub name: String,
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
    pub report: Report,
}

/// All instances that run, by name.
///
/// # Errors
/// The database.
pub async fn running(store: &Store, now: Timestamp) -> Result<Vec<Running>, StoreError> {
    since(store, earlier(now, SEEN)).await
}

/// The same with those that ended within a week and left something to say.
///
/// # Errors
/// The database.
pub async fn remembered(store: &Store, now: Timestamp) -> Result<Vec<Running>, StoreError> {
    since(store, earlier(now, REMEMBERED)).await
}

async fn since(store: &Store, since: Timestamp) -> Result<Vec<Running>, StoreError> {
    let all = instance::since(store, since).await?;
    let read = |one: instance::Instance| Running {
        report: Report::read(&one.health),
        name: one.name,
        started_at: one.started_at,
        seen_at: one.seen_at,
    };
    Ok(all.into_iter().map(read).collect())
}

impl Running {
    /// Whether it runs, or only left something to say.
    #[must_use]
    pub fn runs(&self, now: Timestamp) -> bool {
        self.seen_at >= earlier(now, SEEN)
    }
}

/// Looks at this instance.
pub struct Health {
    store: Store,
    clock: Clock,
    tasks: Tasks,
    metrics: Arc<Metrics>,
    /// This instance, among the others.
    name: String,
    started_at: Timestamp,
    /// What is due may wait so long while nothing moves.
    late_max: SignedDuration,
    /// The last report, and when by the monotonic clock.
    last: Mutex<Option<(Duration, Arc<Report>)>>,
    looking: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Health {
    #[must_use]
    pub fn new(
        store: Store,
        clock: Clock,
        tasks: Tasks,
        metrics: Arc<Metrics>,
        name: String,
        late_max: SignedDuration,
    ) -> Self {
        let started_at = clock.now();
        Self {
            store,
            clock,
            tasks,
            metrics,
            name,
            started_at,
            late_max,
            last: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        }
    }

    /// This instance's name, among the others.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reports until `stop`.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Health);
            self.report().await;
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// How this instance is: looked at now, or a moment ago.
    pub async fn report(&self) -> Arc<Report> {
        let _one = self.looking.lock().await;
        let now = self.clock.monotonic();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What is in memory is asked each time; the database is not.
        let missing = !self.tasks.missing().is_empty();
        if let Some((at, report)) = last
            && now.saturating_sub(at) < FRESH
            && now >= at
            && report.has(Finding::TaskMissing) == missing
        {
            return report;
        }
        let report = Arc::new(self.look().await);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, report.clone()));
        report
    }

    async fn look(&self) -> Report {
        let mut report = self.counted();
        let problem = match tokio::time::timeout(PATIENCE, self.look_at_queues(&report)).await {
            Ok(Ok(mut problems)) => {
                report.problems.append(&mut problems);
                return report;
            }
            Ok(Err(error)) => error.kind(),
            Err(_) => "it does not answer in time",
        };
        report.problems.push(Problem { finding: Finding::NotWritable, detail: problem.to_owned() });
        report
    }

    /// What is known without the database.
    fn counted(&self) -> Report {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let before = last.map(|(_, report)| report).unwrap_or_default();
        let missing = self.tasks.missing().into_iter();
        let now = self.clock.now();
        let count = |one: Counted, n: u64| one.at(n, n > one.n, now);
        let settings = self.store.database().corrected();
        let changed = settings != before.settings && !settings.is_empty();
        Report {
            problems: missing.map(|one| Problem { finding: Finding::TaskMissing, detail: one.to_string() }).collect(),
            restarts: count(before.restarts, self.tasks.status().iter().map(|one| one.restarts).sum()),
            panics: count(before.panics, self.metrics.panics_caught()),
            log_lines_dropped: count(before.log_lines_dropped, telemetry::lines_dropped()),
            refused: count(before.refused, self.metrics.events_refused()),
            corrected: before.corrected.at(settings.len() as u64, changed, now),
            settings,
        }
    }

    /// The tiny write first: without it nothing else counts.
    async fn look_at_queues(&self, report: &Report) -> Result<Vec<Problem>, StoreError> {
        let now = self.clock.now();
        instance::report(&self.store, &self.name, &report.json().to_string(), self.started_at, now).await?;
        let moving = earlier(now, self.late_max);
        let since = |at: Timestamp| format!("{} s", now.duration_since(at).as_secs());
        let mut found = Vec::new();
        if let Some(at) = instance::event_due_since(&self.store, moving, now).await? {
            found.push(Problem { finding: Finding::EventsLate, detail: since(at) });
        }
        for (lane, at) in instance::messages_due_since(&self.store, moving, now).await? {
            found.push(Problem { finding: Finding::MessagesLate, detail: format!("{lane}: {}", since(at)) });
        }
        if !found.is_empty() {
            let whole = Report { problems: report.problems.iter().chain(&found).cloned().collect(), ..report.clone() };
            instance::report(&self.store, &self.name, &whole.json().to_string(), self.started_at, now).await?;
        }
        Ok(found)
    }

    /// This instance ends as asked.
    pub async fn end(&self) {
        let report = self.counted();
        let counts = [report.restarts, report.panics, report.log_lines_dropped, report.refused];
        let silent = counts.iter().all(|one| one.n == 0);
        let before = earlier(self.clock.now(), REMEMBERED);
        if let Err(error) = instance::forget(&self.store, silent.then_some(self.name.as_str()), before).await {
            tracing::warn!(%error, "this instance's row is left behind");
        }
    }
}
