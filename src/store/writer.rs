//! Owns: group commit. One task gathers the events that wait and stores them by one statement: the more come at once, the
//! cheaper each becomes, up to a number of rows and of bytes that the server takes at once. While a batch is on its way to the disk, the next one may go after it on a second connection, if it
//! is large enough to be worth a commit. Requests past their deadline fail fast with `Late`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Store;
use super::batch::{DedicatedConn, PendingInsert, WriteError, reached, store};
use super::inbox::{Inserted, NewEvent, batch_of};
use crate::domain::ids::EventId;
use crate::road::{Step, mark_one};
use crate::tasks::Task;

/// Batches on their way at once. With more, each is smaller, and costs the database more.
const BATCHES: usize = 2;
/// While one is on its way, so many events are worth a commit of their own.
const WORTH: usize = 48;
/// So long a commit may take. Longer, and the batch does not wait for the disk but for somebody's lock: the next ones go past it.
const COMMIT_MAX: Duration = Duration::from_millis(50);

/// Bytes of a row beside its body, at most.
const ROW_BYTES: usize = 512;

type Waiting = (NewEvent, PendingInsert);

/// Hands events to the writer.
#[derive(Clone, Debug)]
pub struct InboxWriter {
    queue: mpsc::Sender<Waiting>,
    /// Notified when [`WORTH`] wait: the writer is not woken for each of them.
    worth: Arc<Notify>,
    wait_max: Duration,
}

impl InboxWriter {
    /// A handle, and the writer's loop, which notifies `bell` when it stored something. It ends when all handles are dropped.
    #[must_use]
    pub fn new(store: &Store, queue_max: usize, wait_max: Duration, bell: Arc<Notify>) -> (Self, InboxWriting) {
        let (queue, receiver) = mpsc::channel(queue_max);
        let idle = (0..BATCHES).map(|_| DedicatedConn::new(store)).collect();
        let worth = Arc::new(Notify::new());
        let writer = Writer {
            receiver,
            waiting: Vec::new(),
            worth: worth.clone(),
            idle,
            busy: JoinSet::new(),
            went: Instant::now(),
            wait_max,
            store: store.clone(),
            bell,
        };
        (Self { queue, worth, wait_max }, InboxWriting(Arc::new(Mutex::new(writer))))
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
    pub async fn insert(&self, event: NewEvent) -> Result<(EventId, Inserted), WriteError> {
        let (answer, answered) = oneshot::channel();
        let asker = PendingInsert { answer, until: Instant::now() + self.wait_max };
        self.queue.try_send((event, asker)).map_err(|_| WriteError::Full)?;
        if self.queue.max_capacity() - self.queue.capacity() >= WORTH {
            self.worth.notify_one();
        }
        let ended = |_| WriteError::Database("the writer ended".to_owned());
        let (inserted, event) = answered.await.map_err(ended)??;
        Ok((event.id, inserted))
    }
}

/// The writer's loop. What waits stays with it when the loop is run anew.
#[derive(Clone)]
pub struct InboxWriting(Arc<Mutex<Writer>>);

impl fmt::Debug for InboxWriting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InboxWriting")
    }
}

impl InboxWriting {
    /// Stores what comes until all handles are dropped.
    pub async fn run(&self) {
        self.0.lock().await.run().await;
    }
}

struct Writer {
    receiver: mpsc::Receiver<Waiting>,
    /// Taken out of the queue, and not on its way yet.
    waiting: Vec<Waiting>,
    worth: Arc<Notify>,
    idle: Vec<DedicatedConn>,
    busy: JoinSet<DedicatedConn>,
    /// When the last batch went.
    went: Instant,
    wait_max: Duration,
    store: Store,
    bell: Arc<Notify>,
}

impl Writer {
    async fn run(&mut self) {
        loop {
            mark_one(Step::Turning, &Task::InboxWriter);
            let there = self.waiting.len() + self.receiver.len();
            let patience = self.went + COMMIT_MAX.min(self.wait_max);
            let patient = !self.busy.is_empty() && Instant::now() < patience;
            if there >= if patient { WORTH } else { 1 }
                && let Some(connection) = self.idle.pop()
            {
                let (batch, bell) = (self.gather(batch_of(there)).await, self.bell.clone());
                self.busy.spawn(async move { store(connection, batch, &bell).await });
                self.went = Instant::now();
                continue;
            }
            let late = self.waiting.first().map(|(_, asker)| asker.until);
            let look_again = if patient { late.into_iter().chain([patience]).min() } else { late };
            tokio::select! {
                biased;
                Some(done) = self.busy.join_next() => {
                    self.idle.push(done.unwrap_or_else(|_| DedicatedConn::new(&self.store)));
                }
                () = self.worth.notified(), if patient && !self.idle.is_empty() => {}
                () = reached(look_again) => self.give_up(),
                // The oldest is taken out, so that it is known how long it can wait.
                one = self.receiver.recv(), if !patient && late.is_none() => match one {
                    Some(one) => self.waiting.push(one),
                    // All handles are dropped, and with them whoever waited.
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
        // A request that was given up is not stored: the stub sends it again, and the time is better spent on those who still wait.
        self.waiting.retain(|(_, asker)| !asker.answer.is_closed());
        let later = self.waiting.split_off(batch_of(self.fitting()).min(self.waiting.len()));
        std::mem::replace(&mut self.waiting, later)
    }

    /// How many of those that wait fit into half of the longest statement that the server takes.
    fn fitting(&self) -> usize {
        let limit = usize::try_from(self.store.database().packet_bytes() / 2).unwrap_or(usize::MAX);
        let bytes = self.waiting.iter().scan(0_usize, |bytes, (event, _)| {
            *bytes += event.body.len() + ROW_BYTES;
            Some(*bytes)
        });
        bytes.take_while(|bytes| *bytes <= limit).count().max(1)
    }

    /// Answers those whose time is over, who are the first in the queue.
    fn give_up(&mut self) {
        let now = Instant::now();
        loop {
            let late = self.waiting.iter().take_while(|(_, asker)| asker.until <= now).count();
            for (_, asker) in self.waiting.drain(..late) {
                asker.answer(Err(WriteError::Late));
            }
            if !self.waiting.is_empty() {
                return;
            }
            let Ok(next) = self.receiver.try_recv() else { return };
            self.waiting.push(next);
        }
    }
}
