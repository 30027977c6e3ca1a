//! Owns: what is counted. Names are `hookbridge_<noun>_<unit>`; labels come from closed lists only. `docs/OPERATIONS.md`
//! explains each; a test compares.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::tasks::{Panicked, Task};
use crate::telemetry;

/// What nearly all received events are.
const STORED: &str = "stored";

/// What refused events of known sources are counted as.
const REFUSED: [&str; 5] = ["bad-signature", "stale-timestamp", "bad-envelope", "bad-batch", "id-reused"];

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Result1 {
    pub result: &'static str,
}

/// Two labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ClassResult {
    pub class: &'static str,
    pub result: &'static str,
}

/// A rule and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RuleResult {
    pub rule: &'static str,
    pub result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LaneLabel {
    pub lane: String,
}

/// A sending number, and which of its app secrets; 1 is the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LaneSecret {
    pub lane: String,
    pub secret: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LaneState {
    pub lane: String,
    pub state: String,
}

/// A kind of history.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabel {
    pub kind: &'static str,
}

/// One of the platform's hooks: those that enabled hookpoints name, and those that were heard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HookLabel {
    pub hook: String,
}

/// A source of events.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabel {
    pub source: String,
}

/// A source of events, and what is wrong with a stub of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceTrouble {
    pub source: String,
    pub trouble: &'static str,
}

/// A need of the first page.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NeedLabel {
    pub need: &'static str,
}

/// A way to administrators, and how a notice by it went.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChannelResult {
    pub channel: &'static str,
    pub result: &'static str,
}

/// A kind of task.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TaskLabel {
    pub task: &'static str,
}

/// All metrics of one service.
pub struct Metrics {
    registry: Registry,
    pub events: Family<Result1, Counter>,
    /// Of [`Metrics::events`], at hand: to look for it takes a lock, at each event.
    stored: Counter,
    pub processed: Family<Result1, Counter>,
    pub skips: Family<Result1, Counter>,
    pub attempts: Family<ClassResult, Counter>,
    pub receipts: Family<Result1, Counter>,
    webhooks: Family<LaneSecret, Counter>,
    pub decisions: Family<RuleResult, Counter>,
    pub faults: Family<Result1, Counter>,
    pub sweep_changes: Family<Result1, Counter>,
    pub sweep_finished_seconds: Gauge,
    pub schedule_steps: Family<Result1, Counter>,
    pub schedule_finished_seconds: Gauge,
    pub ingest_seconds: Histogram,
    pub decision_seconds: Histogram,
    pub send_seconds: Histogram,
    pub inbox_depth: Gauge,
    pub inbox_oldest_seconds: Gauge<f64, AtomicU64>,
    pub outbox_depth: Family<LaneState, Gauge>,
    pub outbox_oldest_seconds: Family<LaneLabel, Gauge<f64, AtomicU64>>,
    pub lane_paused: Family<LaneLabel, Gauge>,
    pub hook_silent: Family<HookLabel, Gauge>,
    pub holds_asking: Gauge,
    pub stub_heartbeat_seconds: Family<SourceLabel, Gauge<f64, AtomicU64>>,
    pub stub_troubles: Family<SourceTrouble, Gauge>,
    pub needs: Family<NeedLabel, Gauge>,
    pub notices: Family<ChannelResult, Counter>,
    pub retention_rows: Family<KindLabel, Counter>,
    pub retention_oldest_seconds: Family<KindLabel, Gauge<f64, AtomicU64>>,
    pub task_restarts: Family<TaskLabel, Counter>,
    pub panics: Family<TaskLabel, Counter>,
    pub sends_without_lease: Counter,
    log_lines_dropped: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let events = Family::<Result1, Counter>::default();
        let stored = events.get_or_create(&Result1 { result: STORED }).clone();
        let mut metrics = Self {
            registry: Registry::default(),
            stored,
            events,
            processed: Family::default(),
            skips: Family::default(),
            attempts: Family::default(),
            receipts: Family::default(),
            webhooks: Family::default(),
            decisions: Family::default(),
            faults: Family::default(),
            sweep_changes: Family::default(),
            sweep_finished_seconds: Gauge::default(),
            schedule_steps: Family::default(),
            schedule_finished_seconds: Gauge::default(),
            ingest_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            decision_seconds: Histogram::new(exponential_buckets(0.0005, 2.0, 14)),
            send_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            inbox_depth: Gauge::default(),
            inbox_oldest_seconds: Gauge::default(),
            outbox_depth: Family::default(),
            outbox_oldest_seconds: Family::default(),
            lane_paused: Family::default(),
            hook_silent: Family::default(),
            holds_asking: Gauge::default(),
            stub_heartbeat_seconds: Family::default(),
            stub_troubles: Family::default(),
            needs: Family::default(),
            notices: Family::default(),
            retention_rows: Family::default(),
            retention_oldest_seconds: Family::default(),
            task_restarts: Family::default(),
            panics: Family::default(),
            sends_without_lease: Counter::default(),
            log_lines_dropped: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let mut registry = Registry::with_prefix("hookbridge");
        registry.register("events", "Events received, by answer", self.events.clone());
        registry.register("events_processed", "Events processed, by what came of them", self.processed.clone());
        registry.register("skips", "Events and recipients that got nothing, by reason", self.skips.clone());
        registry.register("attempts", "Attempts to send, by class and outcome", self.attempts.clone());
        registry.register("receipts", "Statuses reported by the provider", self.receipts.clone());
        registry.register("webhooks", "Webhooks, by the app secret that verified them", self.webhooks.clone());
        registry.register("decisions", "Questions to the company's rules, by rule and answer", self.decisions.clone());
        registry.register("faults", "Faults that an operator should look at, by kind", self.faults.clone());
        registry.register(
            "sweep_changes",
            "Changes of the platform's rows that the sweep found, by what it made of them",
            self.sweep_changes.clone(),
        );
        registry.register(
            "sweep_finished_seconds",
            "When this instance last finished a sweep, Unix time",
            self.sweep_finished_seconds.clone(),
        );
        registry.register(
            "schedule_steps",
            "Steps from dates whose moment came, by what became of them",
            self.schedule_steps.clone(),
        );
        registry.register(
            "schedule_finished_seconds",
            "When this instance last looked which steps had come, Unix time",
            self.schedule_finished_seconds.clone(),
        );
        registry.register("ingest_seconds", "From request to durable answer", self.ingest_seconds.clone());
        registry.register("decision_seconds", "From question to answer", self.decision_seconds.clone());
        registry.register("send_seconds", "Duration of an attempt", self.send_seconds.clone());
        registry.register("inbox_depth", "Events that wait to be processed", self.inbox_depth.clone());
        registry.register("inbox_oldest_seconds", "Age of the oldest of them", self.inbox_oldest_seconds.clone());
        registry.register("outbox_depth", "Messages that wait, by number and state", self.outbox_depth.clone());
        registry.register(
            "outbox_oldest_seconds",
            "How long the longest due message is overdue",
            self.outbox_oldest_seconds.clone(),
        );
        registry.register("lane_paused", "1 while a sending number is stopped", self.lane_paused.clone());
        registry.register(
            "hook_silent",
            "1 while nothing comes from a hook for longer than is usual",
            self.hook_silent.clone(),
        );
        registry.register("holds_asking", "Holds that wait for an operator's word", self.holds_asking.clone());
        registry.register(
            "stub_heartbeat_seconds",
            "Age of the newest heartbeat, by source",
            self.stub_heartbeat_seconds.clone(),
        );
        registry.register("stub_troubles", "Stubs of a source with which this is wrong", self.stub_troubles.clone());
        registry.register("needs", "What needs a person, as the first page says, by its name", self.needs.clone());
        registry.register("notices", "Notices to administrators, by channel and how they went", self.notices.clone());
        registry.register("retention_rows", "Rows of history pruned, by kind", self.retention_rows.clone());
        registry.register(
            "retention_oldest_seconds",
            "Age of the oldest row of history, by kind",
            self.retention_oldest_seconds.clone(),
        );
        registry.register("task_restarts", "Tasks that ended and were started again", self.task_restarts.clone());
        registry.register(
            "sends_without_lease",
            "Requests whose last look was good and whose lease had ended when the answer came",
            self.sends_without_lease.clone(),
        );
        registry.register("panics", "Panics that were caught, by the task they happened in", self.panics.clone());
        registry.register(
            "log_lines_dropped",
            "Log lines of this process that could not be written",
            self.log_lines_dropped.clone(),
        );
        self.registry = registry;
    }

    /// All of it in OpenMetrics text.
    #[must_use]
    pub fn text(&self) -> String {
        // The log belongs to the process, and counts there.
        self.log_lines_dropped.inner().store(telemetry::lines_dropped(), Ordering::Relaxed);
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub fn event(&self, result: &'static str) {
        if result == STORED {
            self.stored.inc();
        } else {
            self.events.get_or_create(&Result1 { result }).inc();
        }
    }

    pub fn decision(&self, rule: &'static str, result: &'static str) {
        self.decisions.get_or_create(&RuleResult { rule, result }).inc();
    }

    /// Counts a panic that was caught in `task`, and logs where it was.
    pub fn panicked(&self, task: Task, panicked: &Panicked) {
        self.panics.get_or_create(&TaskLabel { task: task.code() }).inc();
        self.fault("panic");
        tracing::error!(%task, place = panicked.place, "a bug: this code panicked, and was caught");
    }

    /// Panics that were caught, in all tasks.
    #[must_use]
    pub fn panics_caught(&self) -> u64 {
        Task::ALL.iter().map(|task| self.panics.get_or_create(&TaskLabel { task: task.code() }).get()).sum()
    }

    /// Events of known sources that were refused, and that only a change on one side can bring in: the stub keeps them, or sets
    /// them aside.
    #[must_use]
    pub fn events_refused(&self) -> u64 {
        let of = |code: &&'static str| self.events.get_or_create(&Result1 { result: code }).get();
        REFUSED.iter().map(of).sum()
    }

    /// A webhook that the sender's n-th app secret verified.
    pub fn signed(&self, lane: &str, secret: usize) {
        let secret = u32::try_from(secret).unwrap_or(u32::MAX);
        self.webhooks.get_or_create(&LaneSecret { lane: lane.to_owned(), secret }).inc();
    }

    pub fn fault(&self, result: &'static str) {
        self.faults.get_or_create(&Result1 { result }).inc();
    }
}
