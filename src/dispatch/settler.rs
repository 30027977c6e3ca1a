//! Owns: writing down ended attempts, many at once. An outcome that the database does not take stays here until it does:
//! forgetting it would mean not knowing whether the message was sent.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use crate::store::settle::{Attempt, note_late, settle};
use crate::store::{Store, StoreError};

/// Attempts written in one transaction at most.
const BATCH_MAX: usize = 256;
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Takes ended attempts.
#[derive(Clone, Debug)]
pub struct Settler(mpsc::UnboundedSender<(Attempt, tokio::sync::OwnedSemaphorePermit)>);

impl Settler {
    /// Starts the writer. The channel needs no bound of its own: each attempt carries its place among those in flight.
    #[must_use]
    pub fn start(store: Store, bell: Arc<Notify>) -> Self {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while receiver.recv_many(&mut waiting, BATCH_MAX).await > 0 {
                let (attempts, places): (Vec<Attempt>, Vec<_>) = waiting.drain(..).unzip();
                write(&store, &attempts).await;
                drop(places);
                bell.notify_waiters();
            }
        });
        Self(sender)
    }

    pub fn hand_in(&self, attempt: Attempt, place: tokio::sync::OwnedSemaphorePermit) {
        let _ = self.0.send((attempt, place));
    }
}

async fn write(store: &Store, attempts: &[Attempt]) {
    loop {
        match settle(store, attempts).await {
            Ok(()) => return,
            // Somebody else settled one of them (it was taken for lost): the others must not suffer.
            Err(StoreError::Guard { .. }) if attempts.len() > 1 => {
                for attempt in attempts {
                    Box::pin(write(store, std::slice::from_ref(attempt))).await;
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
