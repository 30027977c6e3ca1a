//! Owns: group commit. One writer gathers the events that wait and stores them in one transaction: the more come at
//! once, the cheaper each becomes.

use tokio::sync::{mpsc, oneshot};

use super::inbox::{Inserted, NewEvent, insert};
use super::{Store, StoreError};

/// Events of one transaction at most.
const BATCH_MAX: usize = 500;
/// Transactions under way at once: while one waits for the disk, the next is gathered.
const WRITERS: usize = 2;

type Waiting = (NewEvent, oneshot::Sender<Result<Inserted, WriteError>>);

/// Hands events to the writers.
#[derive(Clone, Debug)]
pub struct InboxWriter(mpsc::Sender<Waiting>);

/// Why an event is not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    #[error("too many events wait for the database")]
    Full,
    #[error("the database did not take it: {0}")]
    Database(String),
}

impl InboxWriter {
    /// Starts the writers. They end when all handles are dropped.
    #[must_use]
    pub fn start(store: &Store, queue_max: usize) -> Self {
        let (sender, receiver) = mpsc::channel(queue_max);
        let receiver = std::sync::Arc::new(tokio::sync::Mutex::new(receiver));
        for _ in 0..WRITERS {
            tokio::spawn(write(store.clone(), receiver.clone()));
        }
        Self(sender)
    }

    /// Stores one event. Durable when this returns `New` or `Duplicate`.
    ///
    /// # Errors
    /// It is not stored.
    pub async fn insert(&self, event: NewEvent) -> Result<Inserted, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send((event, answer)).map_err(|_| WriteError::Full)?;
        answered.await.unwrap_or_else(|_| Err(WriteError::Database("the writer ended".to_owned())))
    }
}

async fn write(store: Store, receiver: std::sync::Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut waiting = Vec::new();
        // The lock is held while waiting, so that only one writer gathers at a time.
        if receiver.lock().await.recv_many(&mut waiting, BATCH_MAX).await == 0 {
            return;
        }
        let (events, answers): (Vec<NewEvent>, Vec<_>) = waiting.into_iter().unzip();
        match insert(&store, &events).await {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    let _ = answer.send(Ok(result));
                }
            }
            Err(error) => reject(answers, &error),
        }
    }
}

fn reject(answers: Vec<oneshot::Sender<Result<Inserted, WriteError>>>, error: &StoreError) {
    tracing::error!(events = answers.len(), %error, "events were not stored");
    for answer in answers {
        let _ = answer.send(Err(WriteError::Database(error.to_string())));
    }
}
