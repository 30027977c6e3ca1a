//! Owns: writing down ended attempts, many at once. An outcome that the database does not take stays here until it does:
//! forgetting it would mean not knowing whether the message was sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, mpsc};

use crate::domain::outcome::{Fault, Outcome};
use crate::metrics::Metrics;
use crate::road::{Step, mark_one};
use crate::sql::bisect;
use crate::store::settle::{Attempt, note_late, settle};
use crate::store::{Store, StoreError};
use crate::tasks::{Panicked, Task, caught};

/// Attempts written in one transaction at most.
const BATCH_MAX: usize = 256;
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// An attempt that ended, with its place among those in flight.
type Ended = (Attempt, OwnedSemaphorePermit);

/// Takes ended attempts.
#[derive(Clone, Debug)]
pub struct Completer(mpsc::UnboundedSender<Ended>);

/// The writer's loop. What waits stays in the queue when the loop is run anew.
#[derive(Clone, Debug)]
pub struct Settling {
    store: Store,
    metrics: Arc<Metrics>,
    bell: Arc<Notify>,
    ended: Arc<Mutex<mpsc::UnboundedReceiver<Ended>>>,
}

impl Settling {
    /// Writes until all handles are dropped.
    pub async fn run(&self) {
        let mut ended = self.ended.lock().await;
        let mut waiting = Vec::new();
        loop {
            mark_one(Step::Turning, &Task::Settler);
            if ended.recv_many(&mut waiting, BATCH_MAX).await == 0 {
                return;
            }
            let (attempts, places): (Vec<Attempt>, Vec<_>) = waiting.drain(..).unzip();
            write(&self.store, &self.metrics, &attempts).await;
            drop(places);
            self.bell.notify_waiters();
        }
    }
}

impl Completer {
    /// A handle, and the writer's loop, which notifies `bell` when it wrote something. The channel needs no bound of its own:
    /// each attempt carries its place among those in flight.
    #[must_use]
    pub fn new(store: Store, metrics: Arc<Metrics>, bell: Arc<Notify>) -> (Self, Settling) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), Settling { store, metrics, bell, ended: Arc::new(Mutex::new(receiver)) })
    }

    pub fn hand_in(&self, attempt: Attempt, place: OwnedSemaphorePermit) {
        let _ = self.0.send((attempt, place));
    }
}

/// Why outcomes are not written.
#[derive(Debug)]
enum Unwritten {
    Store(StoreError),
    /// Our own code fails on one of them.
    Panicked(Panicked),
}

impl Unwritten {
    /// One outcome is to blame. Somebody else settled it meanwhile (it was taken for lost), no row can hold it, or our code fails
    /// on it: the others must not suffer.
    fn is_of_one(&self) -> bool {
        match self {
            Self::Store(error) => error.is_of_a_row() || matches!(error, StoreError::Guard { .. }),
            Self::Panicked(_) => true,
        }
    }
}

async fn settled(store: &Store, attempts: &[Attempt]) -> Result<(), Unwritten> {
    let work = async {
        for attempt in attempts {
            mark_one(Step::Handling, &attempt.id);
        }
        settle(store, attempts).await
    };
    caught(work).await.map_err(Unwritten::Panicked)?.map_err(Unwritten::Store)
}

async fn write(store: &Store, metrics: &Metrics, attempts: &[Attempt]) {
    let mut left = attempts;
    while !left.is_empty() {
        let outcome = bisect(left.len(), Unwritten::is_of_one, |piece| settled(store, &left[piece])).await;
        for (place, unwritten) in outcome.refused {
            match unwritten {
                Unwritten::Store(error @ StoreError::Guard { .. }) => write_late(store, &left[place], &error).await,
                other => write_bare(store, metrics, &left[place], other).await,
            }
        }
        let Some((from, error)) = outcome.stopped else { return };
        left = &left[from..];
        tracing::error!(attempts = left.len(), ?error, "outcomes are not written yet");
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// It was sent again meanwhile, by policy: what came of this attempt is noted, the message is not ours.
async fn write_late(store: &Store, attempt: &Attempt, error: &StoreError) {
    tracing::error!(id = %attempt.id, %error, "an outcome came too late");
    while let Err(error) = note_late(store, attempt).await {
        if error.is_of_a_row() {
            return tracing::error!(id = %attempt.id, %error, "a late outcome cannot be noted");
        }
        tracing::error!(%error, "a late outcome is not written yet");
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// An outcome that cannot be written as it is is written without the provider's words, which are what is odd about it. If that
/// fails, too, the message stays as it was claimed and is found as lost when its time is over: a receipt or the policy of its
/// class decides then.
async fn write_bare(store: &Store, metrics: &Metrics, attempt: &Attempt, unwritten: Unwritten) {
    let outcome = match unwritten {
        Unwritten::Panicked(panicked) => {
            metrics.panicked(Task::Settler, &panicked);
            Outcome::Unknown(panicked.to_string())
        }
        Unwritten::Store(error) => {
            metrics.fault("outcome_unwritable");
            tracing::error!(id = %attempt.id, %error, "an outcome cannot be written as it is: its details are left out");
            bare(&attempt.outcome)
        }
    };
    let bare = [Attempt { outcome, ..attempt.clone() }];
    loop {
        match settled(store, &bare).await {
            Ok(()) => return,
            Err(Unwritten::Store(error)) if error.is_passing() && !matches!(error, StoreError::Guard { .. }) => {
                tracing::error!(%error, "an outcome is not written yet");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(Unwritten::Store(error)) => {
                return tracing::error!(id = %attempt.id, %error, "an outcome is not written");
            }
            Err(Unwritten::Panicked(panicked)) => return metrics.panicked(Task::Settler, &panicked),
        }
    }
}

/// An outcome without what the provider said of it.
fn bare(outcome: &Outcome) -> Outcome {
    let fault = |fault: &Fault| Fault { code: None, scope: fault.scope, detail: String::new() };
    match outcome {
        Outcome::Accepted { held, .. } => Outcome::Accepted { provider_id: String::new(), held: *held },
        Outcome::Refused(refused) => Outcome::Refused(fault(refused)),
        Outcome::Later { fault: later, after } => Outcome::Later { fault: fault(later), after: *after },
        Outcome::Unknown(_) => Outcome::Unknown(String::new()),
    }
}
