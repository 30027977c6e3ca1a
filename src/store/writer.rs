//! Owns: group commit. One writer gathers the events that wait and stores them by one statement: the more come at once,
//! the cheaper each becomes. While the next batch is on its way to the disk, a second task looks whether the last one
//! held what was finished long ago, and answers. Who would be answered too late is answered at once that his event is not
//! stored.
//! Why one writer: a second would commit half as much each time, and the disk takes as long for half.

use std::time::Duration;

use mysql_async::Conn;
use tokio::sync::{mpsc, oneshot};

use super::inbox::{Inserted, Known, NewEvent, batch_of, look, write_batch};
use super::pool::bounded;
use super::{Store, StoreError};

/// Tries to store a batch: on the connection that is open, and again after a lost deadlock.
const TRIES: u32 = 4;
type Answer = oneshot::Sender<Result<Inserted, WriteError>>;
type Waiting = (NewEvent, Answer);

/// Hands events to the writer.
#[derive(Clone, Debug)]
pub struct InboxWriter {
    queue: mpsc::Sender<Waiting>,
    wait_max: Duration,
}

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

impl InboxWriter {
    /// Starts the writer. It ends when all handles are dropped.
    #[must_use]
    pub fn start(store: &Store, queue_max: usize, wait_max: Duration) -> Self {
        let (queue, receiver) = mpsc::channel(queue_max);
        let (written, to_look) = mpsc::channel(1);
        tokio::spawn(Looker { written: to_look, connection: Kept::new(store) }.run());
        tokio::spawn(Writer { receiver, written, connection: Kept::new(store) }.run());
        Self { queue, wait_max }
    }

    /// Whether an event would be refused now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.queue.capacity() == 0
    }

    /// Stores one event. Durable when this returns `New` or `Duplicate`.
    ///
    /// # Errors
    /// It is not stored, or not known to be.
    pub async fn insert(&self, event: NewEvent) -> Result<Inserted, WriteError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send((event, answer)).map_err(|_| WriteError::Full)?;
        match tokio::time::timeout(self.wait_max, answered).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(WriteError::Database("the writer ended".to_owned()))),
            Err(_) => Err(WriteError::Late),
        }
    }
}

/// Events on disk, those of them that had been there before, and who waits for an answer.
struct Written {
    events: Vec<NewEvent>,
    known: Known,
    answers: Vec<Answer>,
}

struct Writer {
    receiver: mpsc::Receiver<Waiting>,
    written: mpsc::Sender<Written>,
    connection: Kept,
}

impl Writer {
    async fn run(mut self) {
        while let Some(mut waiting) = self.gather().await {
            // Who gave up is not stored: he sends it again, and the time is better spent on those who still wait.
            waiting.retain(|(_, answer)| !answer.is_closed());
            while !waiting.is_empty() {
                let later = waiting.split_off(batch_of(waiting.len()));
                self.store(waiting).await;
                waiting = later;
            }
        }
    }

    /// Waits for an event, and takes as many of those that wait as one statement inserts.
    async fn gather(&mut self) -> Option<Vec<Waiting>> {
        let first = self.receiver.recv().await?;
        let mut batch = vec![first];
        let more = batch_of(1 + self.receiver.len()) - 1;
        if more > 0 {
            self.receiver.recv_many(&mut batch, more).await;
        }
        Some(batch)
    }

    async fn store(&mut self, batch: Vec<Waiting>) {
        let (events, answers): (Vec<NewEvent>, Vec<Answer>) = batch.into_iter().unzip();
        match self.connection.run(&Write(&events)).await {
            // The other task ends after this one, so somebody is there to take it.
            Ok(known) => drop(self.written.send(Written { events, known, answers }).await),
            Err(error) => reject(answers, &error),
        }
    }
}

struct Looker {
    written: mpsc::Receiver<Written>,
    connection: Kept,
}

impl Looker {
    async fn run(mut self) {
        while let Some(Written { events, known, answers }) = self.written.recv().await {
            match self.connection.run(&Look(&events, &known)).await {
                Ok(results) => {
                    for (answer, result) in answers.into_iter().zip(results) {
                        let _ = answer.send(Ok(result));
                    }
                }
                Err(error) => reject(answers, &error),
            }
        }
    }
}

/// What is done on a connection, again if need be.
trait Work {
    type Done;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Self::Done, StoreError>> + Send;
}

struct Write<'a>(&'a [NewEvent]);

impl Work for Write<'_> {
    type Done = Known;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Known, StoreError>> + Send {
        write_batch(connection, self.0)
    }
}

struct Look<'a>(&'a [NewEvent], &'a Known);

impl Work for Look<'_> {
    type Done = Vec<Inserted>;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Vec<Inserted>, StoreError>> + Send {
        look(connection, self.0, self.1)
    }
}

/// A connection of one's own, with its statements prepared.
struct Kept {
    store: Store,
    connection: Option<Conn>,
}

impl Kept {
    fn new(store: &Store) -> Self {
        Self { store: store.clone(), connection: None }
    }

    /// Whatever fails on a connection, it is not used again; on one that was open before, nothing is known yet about the
    /// database, so the work is tried on a new one.
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
                Err(error) if tries > 0 && (!fresh || error.is_passing_conflict()) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn reject(answers: Vec<oneshot::Sender<Result<Inserted, WriteError>>>, error: &StoreError) {
    tracing::error!(events = answers.len(), %error, "events were not stored");
    for answer in answers {
        let _ = answer.send(Err(WriteError::Database(error.to_string())));
    }
}
