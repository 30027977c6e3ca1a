//! Owns: keeping decisions without making the asker wait for the disk: a bounded queue, and one writer that stores what
//! waits in one statement and does not give up while the service runs. What cannot be kept is counted and named in the
//! log, never lost in silence; a process that is killed loses what it had not written yet, a few milliseconds' worth.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::decision::{Kept, keep};
use super::{Store, StoreError};
use crate::metrics::Metrics;
use crate::road::{Step, mark_one};
use crate::sql::bisect;
use crate::tasks::{Task, caught};

/// Decisions that wait for the database at most.
const QUEUE_MAX: usize = 2_048;
/// Decisions of one statement at most.
const BATCH_MAX: usize = 200;
/// First and longest pause while the database does not take them.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(15);

#[derive(Debug)]
enum Work {
    Keep(Box<Kept>),
    Flush(oneshot::Sender<()>),
}

/// Hands decisions to the writer.
#[derive(Clone, Debug)]
pub struct DecisionWriter {
    queue: mpsc::Sender<Work>,
    metrics: Arc<Metrics>,
}

impl DecisionWriter {
    /// A handle, and its writer to be run. The writer ends when the last handle is dropped and all is written.
    #[must_use]
    pub fn new(store: &Store, metrics: &Arc<Metrics>) -> (Self, Keeping) {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        let writing = Keeping { store: store.clone(), metrics: metrics.clone(), work: Arc::new(Mutex::new(work)) };
        (Self { queue, metrics: metrics.clone() }, writing)
    }

    /// Hands one over. Never waits.
    pub fn keep(&self, decision: Kept) {
        if let Err(error) = self.queue.try_send(Work::Keep(Box::new(decision)))
            && let Work::Keep(lost) = error.into_inner()
        {
            report_lost(&self.metrics, &[*lost]);
        }
    }

    /// Waits until all that was handed over before is written, for tests.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Work::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }
}

/// The writer's loop. What waits stays in the queue when the loop is run anew.
#[derive(Clone, Debug)]
pub struct Keeping {
    store: Store,
    metrics: Arc<Metrics>,
    work: Arc<Mutex<mpsc::Receiver<Work>>>,
}

impl Keeping {
    /// Keeps what comes until the last handle is dropped and all is written.
    pub async fn run(&self) {
        let mut queue = self.work.lock().await;
        write(&self.store, &self.metrics, &mut queue).await;
    }
}

async fn write(store: &Store, metrics: &Metrics, queue: &mut mpsc::Receiver<Work>) {
    let mut work = Vec::new();
    loop {
        mark_one(Step::Turning, &Task::DecisionWriter);
        if queue.recv_many(&mut work, BATCH_MAX).await == 0 {
            return;
        }
        let mut batch = Vec::new();
        let mut waiting = Vec::new();
        for one in work.drain(..) {
            match one {
                Work::Keep(decision) => batch.push(*decision),
                Work::Flush(done) => waiting.push(done),
            }
        }
        let mut pause = PAUSE_MIN;
        while let Some(error) = keep_each(store, metrics, &mut batch).await {
            metrics.fault("decision_waits");
            tracing::warn!(%error, decisions = batch.len(), "decisions wait for the database");
            // Nobody is left to bring more: the service stops, and waits for no database.
            if queue.is_closed() {
                report_lost(metrics, &batch);
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

/// Keeps each that the database takes, and leaves in `batch` those that it did not try, with the reason. One that it does
/// not take is lost alone.
async fn keep_each(store: &Store, metrics: &Metrics, batch: &mut Vec<Kept>) -> Option<StoreError> {
    let bisected = bisect(batch.len(), StoreError::is_of_a_row, |piece| put(store, metrics, &batch[piece])).await;
    for (at, error) in bisected.refused {
        tracing::error!(%error, "the database does not take a decision");
        report_lost(metrics, &batch[at..=at]);
    }
    let (from, error) = bisected.stopped?;
    batch.drain(..from);
    Some(error)
}

/// Stores a batch. One that our own code fails on is stored decision by decision; the one that it is due to is given up.
async fn put(store: &Store, metrics: &Metrics, batch: &[Kept]) -> Result<(), StoreError> {
    let store_these = async |these: &[Kept]| {
        for one in these {
            mark_one(Step::Handling, &one.id);
        }
        keep(store, these).await
    };
    match caught(store_these(batch)).await {
        Ok(result) => result,
        Err(panicked) if batch.len() == 1 => {
            metrics.panicked(Task::DecisionWriter, &panicked);
            report_lost(metrics, batch);
            Ok(())
        }
        Err(_) => {
            for one in batch {
                Box::pin(put(store, metrics, std::slice::from_ref(one))).await?;
            }
            Ok(())
        }
    }
}

fn report_lost(metrics: &Metrics, decisions: &[Kept]) {
    for one in decisions {
        metrics.fault("decision_lost");
        let subject = one.subject.map(|subject| subject.to_string()).unwrap_or_default();
        tracing::error!(id = %one.id, rule = %one.rule, verdict = %one.verdict, subject, "a decision was given and not kept");
    }
}
