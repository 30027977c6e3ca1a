//! Owns: one batch of events on its way to the disk: stored, looked at for what was finished long ago, and each asker
//! answered, in time.

use std::collections::VecDeque;
use std::pin::pin;

use mysql_async::Conn;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::inbox::{Inserted, NewEvent, Written, look, write_batch};
use super::pool::bounded;
use super::{Store, StoreError};
use crate::sql::bisect;

/// Tries to store a batch: on the connection that is open, and again after a lost deadlock.
const TRIES: u32 = 4;

/// Why an event is not stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WriteError {
    #[error("too many events wait for the database")]
    Full,
    /// It may be stored nevertheless; sent again, it is found as a duplicate.
    #[error("the database did not take it in time")]
    Late,
    #[error("the database did not take it: {0}")]
    Database(String),
}

/// The event goes back with what became of it: memory is given back most cheaply by the thread that took it.
type Stored = (Inserted, NewEvent);

/// Who waits for an event to be stored.
#[derive(Debug)]
pub(super) struct PendingInsert {
    pub answer: oneshot::Sender<Result<Stored, WriteError>>,
    /// The deadline of the answer. The batch keeps it: one timer for a batch is cheaper than one for each event.
    pub until: Instant,
}

impl PendingInsert {
    /// Nothing happens if the request has ended.
    pub fn answer(self, with: Result<Stored, WriteError>) {
        let _ = self.answer.send(with);
    }
}

/// Until `moment`; for ever without one.
pub(super) async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Stores a batch and answers. Notifies `bell` when some of it is stored.
pub(super) async fn store(
    mut connection: DedicatedConn,
    batch: Vec<(NewEvent, PendingInsert)>,
    bell: &Notify,
) -> DedicatedConn {
    let (events, mut askers): (Vec<NewEvent>, VecDeque<PendingInsert>) = batch.into_iter().unzip();
    let results = {
        let mut work = pin!(write_each(&mut connection, &events));
        loop {
            tokio::select! {
                biased;
                results = &mut work => break results,
                // It goes on: it may be stored nevertheless.
                () = reached(askers.front().map(|asker| asker.until)) => {
                    if let Some(asker) = askers.pop_front() {
                        asker.answer(Err(WriteError::Late));
                    }
                }
            }
        }
    };
    if results.iter().any(Result::is_ok) {
        bell.notify_waiters();
    }
    let late = events.len() - askers.len();
    for (asker, (result, event)) in askers.into_iter().zip(results.into_iter().zip(events).skip(late)) {
        asker.answer(result.map(|inserted| (inserted, event)));
    }
    connection
}

/// What became of each event. One that the database does not take costs only itself.
async fn write_each(connection: &mut DedicatedConn, events: &[NewEvent]) -> Vec<Result<Inserted, WriteError>> {
    let connection = tokio::sync::Mutex::new(connection);
    let bisected = bisect(events.len(), StoreError::is_of_a_row, |piece| {
        let (connection, events) = (&connection, &events[piece]);
        async move { write_and_look(&mut **connection.lock().await, events).await }
    })
    .await;
    let unknown = || Err(WriteError::Database("it was not tried".to_owned()));
    let mut results: Vec<Result<Inserted, WriteError>> = events.iter().map(|_| unknown()).collect();
    for (piece, inserted) in bisected.done {
        for (at, one) in piece.zip(inserted) {
            results[at] = Ok(one);
        }
    }
    for (at, error) in bisected.refused {
        tracing::error!(id = %events[at].id.as_str(), %error, "the database does not take this event");
        results[at] = Err(WriteError::Database(error.to_string()));
    }
    if let Some((from, error)) = bisected.stopped {
        tracing::error!(events = events.len() - from, %error, "events were not stored");
        results[from..].fill(Err(WriteError::Database(error.to_string())));
    }
    results
}

async fn write_and_look(connection: &mut DedicatedConn, events: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    let written = connection.run(&Write(events)).await?;
    connection.run(&Look(events, &written)).await
}

/// What is done on a connection, again if need be.
trait Work {
    type Done;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Self::Done, StoreError>> + Send;
}

struct Write<'a>(&'a [NewEvent]);

impl Work for Write<'_> {
    type Done = Written;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Written, StoreError>> + Send {
        write_batch(connection, self.0)
    }
}

struct Look<'a>(&'a [NewEvent], &'a Written);

impl Work for Look<'_> {
    type Done = Vec<Inserted>;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Vec<Inserted>, StoreError>> + Send {
        look(connection, self.0, self.1)
    }
}

/// A connection of one's own, with its statements prepared.
pub(super) struct DedicatedConn {
    store: Store,
    connection: Option<Conn>,
}

impl DedicatedConn {
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), connection: None }
    }

    /// A connection on which something failed is not used again, unless a row was to blame. On one that was open before,
    /// nothing is known yet about the database, so the work is tried on a new one.
    async fn run<W: Work>(&mut self, work: &W) -> Result<W::Done, StoreError> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            let (mut connection, fresh) = match self.connection.take() {
                Some(connection) => (connection, false),
                None => (self.store.connection().await?, true),
            };
            match bounded(work.on(&mut connection)).await {
                Ok(done) => {
                    self.connection = Some(connection);
                    return Ok(done);
                }
                Err(error) if error.is_of_a_row() => {
                    self.connection = Some(connection);
                    return Err(error);
                }
                Err(error) if tries > 0 && (!fresh || error.is_passing_conflict()) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
