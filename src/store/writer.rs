//! Owns: group commit. One task gathers the events that wait and stores them by one statement: the more come at once, the
//! cheaper each becomes. While a batch is on its way to the disk, the next one may go after it on a second connection, if it
//! is large enough to be worth a commit. Who would be answered too late is answered at once that his event is not stored.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::Conn;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::inbox::{Inserted, Known, NewEvent, batch_of, look, write_batch};
use super::pool::bounded;
use super::{Store, StoreError};

/// Tries to store a batch: on the connection that is open, and again after a lost deadlock.
const TRIES: u32 = 4;
/// What became of an event, which goes back with it: memory is given back most cheaply by the thread that took it.
type Answered = (Result<Inserted, WriteError>, NewEvent);
/// Batches on their way at once. With more, each is smaller, and costs the database more.
const BATCHES: usize = 2;
/// While one is on its way, so many events are worth a commit of their own.
const WORTH: usize = 48;
type Answer = oneshot::Sender<Answered>;
type Waiting = (NewEvent, Answer);

/// Hands events to the writer.
#[derive(Clone, Debug)]
pub struct InboxWriter {
    queue: mpsc::Sender<Waiting>,
    /// Rung when [`WORTH`] wait: nobody is woken for each of them.
    worth: Arc<Notify>,
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
        let idle = (0..BATCHES).map(|_| Kept::new(store)).collect();
        let worth = Arc::new(Notify::new());
        let writer = Writer {
            receiver,
            waiting: Vec::new(),
            worth: worth.clone(),
            idle,
            busy: JoinSet::new(),
            store: store.clone(),
        };
        tokio::spawn(writer.run());
        Self { queue, worth, wait_max }
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
        if self.queue.max_capacity() - self.queue.capacity() >= WORTH {
            self.worth.notify_one();
        }
        match tokio::time::timeout(self.wait_max, answered).await {
            Ok(Ok((result, _event))) => result,
            Ok(Err(_)) => Err(WriteError::Database("the writer ended".to_owned())),
            Err(_) => Err(WriteError::Late),
        }
    }
}

struct Writer {
    receiver: mpsc::Receiver<Waiting>,
    /// Taken out of the queue, and not on its way yet.
    waiting: Vec<Waiting>,
    worth: Arc<Notify>,
    idle: Vec<Kept>,
    busy: JoinSet<Kept>,
    store: Store,
}

impl Writer {
    async fn run(mut self) {
        loop {
            let there = self.waiting.len() + self.receiver.len();
            let enough = if self.busy.is_empty() { 1 } else { WORTH };
            if there >= enough
                && let Some(connection) = self.idle.pop()
            {
                let batch = self.gather(batch_of(there)).await;
                self.busy.spawn(store(connection, batch));
                continue;
            }
            tokio::select! {
                biased;
                Some(done) = self.busy.join_next() => {
                    self.idle.push(done.unwrap_or_else(|_| Kept::new(&self.store)));
                }
                () = self.worth.notified(), if !self.busy.is_empty() && !self.idle.is_empty() => {}
                one = self.receiver.recv(), if self.busy.is_empty() => match one {
                    Some(one) => self.waiting.push(one),
                    // All handles are gone, and with them whoever waited.
                    None => return,
                },
            }
        }
    }

    /// As many of those that wait as one statement inserts, at most `most`.
    async fn gather(&mut self, most: usize) -> Vec<Waiting> {
        let more = most.saturating_sub(self.waiting.len());
        if more > 0 {
            self.receiver.recv_many(&mut self.waiting, more).await;
        }
        // Who gave up is not stored: he sends it again, and the time is better spent on those who still wait.
        self.waiting.retain(|(_, answer)| !answer.is_closed());
        let later = self.waiting.split_off(batch_of(self.waiting.len()).min(self.waiting.len()));
        std::mem::replace(&mut self.waiting, later)
    }
}

/// Stores a batch, looks whether it held what was finished long ago, and answers.
async fn store(mut connection: Kept, batch: Vec<Waiting>) -> Kept {
    let (events, answers): (Vec<NewEvent>, Vec<Answer>) = batch.into_iter().unzip();
    match write_and_look(&mut connection, &events).await {
        Ok(results) => {
            for ((answer, event), result) in answers.into_iter().zip(events).zip(results) {
                let _ = answer.send((Ok(result), event));
            }
        }
        Err(error) => reject(answers, events, &error),
    }
    connection
}

async fn write_and_look(connection: &mut Kept, events: &[NewEvent]) -> Result<Vec<Inserted>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let known = connection.run(&Write(events)).await?;
    connection.run(&Look(events, known.as_ref())).await
}

/// What is done on a connection, again if need be.
trait Work {
    type Done;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Self::Done, StoreError>> + Send;
}

struct Write<'a>(&'a [NewEvent]);

impl Work for Write<'_> {
    type Done = Option<Known>;

    fn on(&self, connection: &mut Conn) -> impl Future<Output = Result<Option<Known>, StoreError>> + Send {
        write_batch(connection, self.0)
    }
}

struct Look<'a>(&'a [NewEvent], Option<&'a Known>);

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

fn reject(answers: Vec<Answer>, events: Vec<NewEvent>, error: &StoreError) {
    tracing::error!(events = answers.len(), %error, "events were not stored");
    for (answer, event) in answers.into_iter().zip(events) {
        let _ = answer.send((Err(WriteError::Database(error.to_string())), event));
    }
}
