//! Owns: group commit. One writer gathers the events that wait and stores them by one statement: the more come at once,
//! the cheaper each becomes.

use std::sync::Arc;

use mysql_async::Conn;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::inbox::{Inserted, NewEvent, batch_of, insert_batch};
use super::pool::bounded;
use super::{Store, StoreError};

/// Statements under way at once: while one waits for the disk, the next is gathered.
const WRITERS: usize = 2;
/// Tries to store a batch: on the connection that is open, and again after a lost deadlock.
const TRIES: u32 = 4;

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
        let receiver = Arc::new(Mutex::new(receiver));
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

async fn write(store: Store, receiver: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
    let mut connection = None;
    while let Some(batch) = gather(&receiver).await {
        let (events, answers): (Vec<NewEvent>, Vec<_>) = batch.into_iter().unzip();
        match store_batch(&store, &mut connection, &events).await {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    let _ = answer.send(Ok(result));
                }
            }
            Err(error) => reject(answers, &error),
        }
    }
}

/// Waits for an event, and takes as many of those that wait as one statement inserts.
async fn gather(receiver: &Mutex<mpsc::Receiver<Waiting>>) -> Option<Vec<Waiting>> {
    // The lock is held while waiting, so that only one writer gathers at a time.
    let mut receiver = receiver.lock().await;
    let mut batch = vec![receiver.recv().await?];
    let more = batch_of(1 + receiver.len()) - 1;
    if more > 0 {
        receiver.recv_many(&mut batch, more).await;
    }
    Some(batch)
}

/// Stores on the writer's own connection, which has its statements prepared. Whatever fails on a connection, it is not used
/// again; on one that was open before, nothing is known yet about the database, so the batch is tried on a new one.
async fn store_batch(store: &Store, kept: &mut Option<Conn>, events: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let (mut connection, fresh) = match kept.take() {
            Some(connection) => (connection, false),
            None => (store.connection().await?, true),
        };
        match bounded(insert_batch(&mut connection, events)).await {
            Ok(results) => {
                *kept = Some(connection);
                return Ok(results);
            }
            Err(error) if tries > 0 && (!fresh || error.is_passing_conflict()) => {}
            Err(error) => return Err(error),
        }
    }
}

fn reject(answers: Vec<oneshot::Sender<Result<Inserted, WriteError>>>, error: &StoreError) {
    tracing::error!(events = answers.len(), %error, "events were not stored");
    for answer in answers {
        let _ = answer.send(Err(WriteError::Database(error.to_string())));
    }
}
