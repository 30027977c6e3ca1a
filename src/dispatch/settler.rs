//! Owns: writing down ended attempts, many at once. An outcome that the database does not take stays here until it does:
//! forgetting it would mean not knowing whether the message was sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, mpsc};

use crate::domain::outcome::Outcome;
use crate::metrics::Metrics;
use crate::road::{Step, mark_one};
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
pub struct Settler(mpsc::UnboundedSender<Ended>);

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

impl Settler {
    /// A handle, and the writer's loop, which rings `bell` when it wrote something. The channel needs no bound of its own:
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

async fn write(store: &Store, metrics: &Metrics, attempts: &[Attempt]) {
    loop {
        let settled = async {
            for attempt in attempts {
                mark_one(Step::Handling, &attempt.id);
            }
            settle(store, attempts).await
        };
        let result = match caught(settled).await {
            Ok(result) => result,
            Err(panicked) if attempts.len() == 1 => return write_bare(store, metrics, &attempts[0], &panicked).await,
            // Our own code fails on one of them: the others must not suffer.
            Err(_) => {
                for attempt in attempts {
                    Box::pin(write(store, metrics, std::slice::from_ref(attempt))).await;
                }
                return;
            }
        };
        match result {
            Ok(()) => return,
            // Somebody else settled one of them (it was taken for lost): the others must not suffer.
            Err(StoreError::Guard { .. }) if attempts.len() > 1 => {
                for attempt in attempts {
                    Box::pin(write(store, metrics, std::slice::from_ref(attempt))).await;
                }
                return;
            }
            Err(error @ StoreError::Guard { .. }) => {
                // It was sent again meanwhile, by policy: what came of this attempt is noted, the message is not ours.
                tracing::error!(id = %attempts[0].id, %error, "an outcome came too late");
                match note_late(store, &attempts[0]).await {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::error!(%error, "a late outcome is not written yet");
                        tokio::time::sleep(RETRY_PAUSE).await;
                    }
                }
            }
            Err(error) => {
                tracing::error!(attempts = attempts.len(), %error, "outcomes are not written yet");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
}

/// An outcome that our own code fails on is written without the provider's words, which is what it may fail on. If that
/// fails, too, the message stays as it was claimed and is found as lost when its time is over: a receipt or the policy of its
/// class decides then.
async fn write_bare(store: &Store, metrics: &Metrics, attempt: &Attempt, panicked: &Panicked) {
    metrics.panicked(Task::Settler, panicked);
    let bare = [Attempt { outcome: Outcome::Unknown(panicked.to_string()), ..attempt.clone() }];
    loop {
        match caught(settle(store, &bare)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) if error.is_passing() && !matches!(error, StoreError::Guard { .. }) => {
                tracing::error!(%error, "an outcome is not written yet");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Ok(Err(error)) => return tracing::error!(id = %attempt.id, %error, "an outcome is not written"),
            Err(panicked) => return metrics.panicked(Task::Settler, &panicked),
        }
    }
}
