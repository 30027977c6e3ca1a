//! Owns: watching the service's tasks. Each loop runs under [`Tasks::supervise`]: one that panics or ends is started again
//! after a pause, and at the third time within a minute the process is to end, so that the service manager starts it anew.
//! What goes wrong with a single item (an event, a message) is caught where the item is handled: [`caught()`].

mod caught;
mod failures;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use self::caught::{Panicked, caught, note_panics};
pub use self::failures::{Failures, Next};
use crate::domain::closed_list::closed_list;
use crate::metrics::{Metrics, TaskLabel};
use crate::stop::Stop;

/// A task that ends so often within [`FAILURES_WITHIN`] takes the process with it.
const FAILURES_MAX: usize = 3;
const FAILURES_WITHIN: Duration = Duration::from_mins(1);
/// The pause before the first restart; ten times as long before the next within a minute.
const PAUSE: Duration = Duration::from_millis(200);

closed_list! {
    /// The kinds of tasks, as metrics and `/readyz` name them.
    Task {
        /// Accepts connections and answers requests.
        Server = "server",
        /// Stores the events that came in.
        InboxWriter = "inbox_writer",
        /// Keeps the decisions that were given.
        DecisionWriter = "decision_writer",
        /// Processes events.
        Worker = "worker",
        /// Sends the messages of one number.
        Lane = "lane",
        /// Writes down how attempts of one number ended.
        Settler = "settler",
        /// Compares the platform's rows with what hooks reported.
        Sweep = "sweep",
        /// Looks which steps from a date have come.
        Schedule = "schedule",
        /// Prunes history.
        Retention = "retention",
        /// Counts history.
        Figures = "figures",
        /// Ends what expired.
        Housekeeping = "housekeeping",
        /// Takes over what administrators changed.
        Changes = "changes",
        /// Tells administrators what needs a person.
        Notices = "notices",
        /// Reports the state of this instance.
        Health = "health",
        /// Records what the provider reports. No loop: a request each.
        Receipts = "receipts",
        /// Answers questions to the rules. No loop: a request each.
        Decisions = "decisions",
    }
}

/// A task's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Running,
    /// It ended, and is started again in a moment.
    Restarting,
    /// It ended as asked.
    Stopped,
    /// It ended too often: the process is about to end.
    Failed,
}

/// How a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    pub task: Task,
    /// Which of its kind: a worker's number, a sending number's name; empty where there is only one.
    pub instance: String,
    pub state: State,
    /// How often it was started again since the process started.
    pub restarts: u64,
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.task.code())?;
        if self.instance.is_empty() { Ok(()) } else { write!(f, " {}", self.instance) }
    }
}

/// All supervised tasks of a service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metrics: Arc<Metrics>,
    all: Mutex<Vec<TaskStatus>>,
    failed: watch::Sender<Option<String>>,
}

impl Tasks {
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        note_panics();
        Self(Arc::new(Inner { metrics, all: Mutex::default(), failed: watch::channel(None).0 }))
    }

    /// How each task is, in the order in which they were started.
    #[must_use]
    pub fn status(&self) -> Vec<TaskStatus> {
        self.all().clone()
    }

    /// The tasks that do not run although they should.
    #[must_use]
    pub fn missing(&self) -> Vec<TaskStatus> {
        let missing = |one: &TaskStatus| matches!(one.state, State::Restarting | State::Failed);
        self.all().iter().filter(|one| missing(one)).cloned().collect()
    }

    /// The tasks that did not end.
    #[must_use]
    pub fn unfinished(&self) -> Vec<TaskStatus> {
        let unfinished = |one: &TaskStatus| !matches!(one.state, State::Stopped | State::Failed);
        self.all().iter().filter(|one| unfinished(one)).cloned().collect()
    }

    /// Waits until a task ended too often, and says which: the process must end.
    pub async fn failed(&self) -> String {
        let mut failed = self.0.failed.subscribe();
        match failed.wait_for(Option::is_some).await {
            Ok(name) => name.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Runs `work` with `it` as a task of `set`, and runs it again when it panics or ends before `stop` says so.
    pub fn supervise<T, F>(
        &self,
        set: &mut JoinSet<()>,
        (task, instance): (Task, &str),
        stop: &Stop,
        it: T,
        work: impl Fn(T, Stop) -> F + Send + 'static,
    ) where
        T: Clone + Send + 'static,
        F: Future<Output = ()> + Send,
    {
        let one = Supervised { tasks: self.clone(), place: self.enter(task, instance), task, ends: VecDeque::new() };
        let (stop, given) = (stop.clone(), stop.clone());
        set.spawn(async move { one.run(stop, move || work(it.clone(), given.clone())).await });
    }

    /// Runs `work`, which cannot be made anew, as a task of `set`: when it panics or ends too early, the process must end.
    pub fn watch(
        &self,
        set: &mut JoinSet<()>,
        (task, instance): (Task, &str),
        stop: &Stop,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let (tasks, place, stop) = (self.clone(), self.enter(task, instance), stop.clone());
        set.spawn(async move {
            if !tasks.ended_well(task, caught(work).await, &stop) {
                return tasks.fail(place);
            }
            tasks.set(place, State::Stopped);
        });
    }

    fn enter(&self, task: Task, instance: &str) -> usize {
        // Seen in the metrics from the start, as zeros.
        let _ = self.0.metrics.task_restarts.get_or_create(&TaskLabel { task: task.code() });
        let _ = self.0.metrics.panics.get_or_create(&TaskLabel { task: task.code() });
        let mut all = self.all();
        all.push(TaskStatus { task, instance: instance.to_owned(), state: State::Running, restarts: 0 });
        all.len() - 1
    }

    /// Whether a task's end was asked for.
    fn ended_well(&self, task: Task, end: Result<(), Panicked>, stop: &Stop) -> bool {
        match end {
            Ok(()) => stop.is_stopped(),
            Err(panicked) => {
                self.0.metrics.panicked(task, &panicked);
                false
            }
        }
    }

    fn set(&self, place: usize, state: State) -> TaskStatus {
        let mut all = self.all();
        all[place].state = state;
        if state == State::Restarting {
            all[place].restarts += 1;
        }
        all[place].clone()
    }

    fn fail(&self, place: usize) {
        let one = self.set(place, State::Failed);
        tracing::error!(task = %one, "a task ended and is not started again: the process must end");
        self.0.failed.send_replace(Some(one.to_string()));
    }

    fn all(&self) -> MutexGuard<'_, Vec<TaskStatus>> {
        self.0.all.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// One task that is started again.
struct Supervised {
    tasks: Tasks,
    place: usize,
    task: Task,
    /// When it ended lately.
    ends: VecDeque<Instant>,
}

impl Supervised {
    async fn run<F>(mut self, mut stop: Stop, work: impl Fn() -> F)
    where
        F: Future<Output = ()>,
    {
        loop {
            let end = caught(work()).await;
            if self.tasks.ended_well(self.task, end, &stop) {
                break;
            }
            let now = Instant::now();
            self.ends.push_back(now);
            while self.ends.front().is_some_and(|end| now.duration_since(*end) > FAILURES_WITHIN) {
                self.ends.pop_front();
            }
            if self.ends.len() >= FAILURES_MAX {
                return self.tasks.fail(self.place);
            }
            let one = self.tasks.set(self.place, State::Restarting);
            let pause = PAUSE * 10_u32.pow(u32::try_from(self.ends.len() - 1).unwrap_or(0));
            tracing::error!(task = %one, restarts = one.restarts, ?pause, "a task ended: it is started again");
            self.tasks.0.metrics.task_restarts.get_or_create(&TaskLabel { task: self.task.code() }).inc();
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(pause) => {}
            }
            if stop.is_stopped() {
                break;
            }
            self.tasks.set(self.place, State::Running);
        }
        self.tasks.set(self.place, State::Stopped);
    }
}
