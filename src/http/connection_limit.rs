//! Owns: the limit of open connections. When it is reached, the connection that has been idle or incomplete for longest is
//! closed for the new one; a connection whose request we are answering never is. So thousands of idle or slow connections
//! cost only their own slots, and everybody else a moment.
//! Why no limit per address: behind the platform's web server all of them come from one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a connection may be idle before its place can be given away. An honest client sends a request with the
/// connection, and opens another one later.
const PATIENCE: Duration = Duration::from_millis(100);
/// In [`Slot::since_ms`]: we are working for this client.
const WORKING: u64 = u64::MAX;

/// All connections of a server.
#[derive(Debug)]
pub struct ConnectionLimit {
    max: usize,
    started: Instant,
    slots: Mutex<Slots>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    taken: HashMap<u64, Arc<Slot>>,
    serial: u64,
    evicted: u64,
}

/// The place of one connection. Dropping the [`SlotGuard`] frees it.
#[derive(Debug)]
pub struct Slot {
    /// Since when the client lets us wait, in ms since the server started.
    since_ms: AtomicU64,
    started: Instant,
    /// Notified when the connection must close.
    leave: Arc<Notify>,
}

/// Holds a slot for as long as its connection is open.
#[derive(Debug)]
pub struct SlotGuard {
    connections: Arc<ConnectionLimit>,
    number: u64,
    pub slot: Arc<Slot>,
}

impl Slot {
    /// It is the client's turn: to send a request, or the rest of one.
    pub fn wait(&self) {
        self.since_ms.store(ms(self.started), Ordering::Relaxed);
    }

    /// It is ours.
    pub fn work(&self) {
        self.since_ms.store(WORKING, Ordering::Relaxed);
    }
}

impl ConnectionLimit {
    #[must_use]
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, started: Instant::now(), slots: Mutex::default(), left: Notify::new() })
    }

    /// A place for a new connection, which `leave` will cut if the place is needed. Waits only while we work for
    /// everybody who is connected, or nobody has been silent for [`PATIENCE`].
    pub async fn slot(self: &Arc<Self>, leave: Arc<Notify>) -> SlotGuard {
        loop {
            let left = self.left.notified();
            match self.admit(&leave) {
                Ok(guard) => return guard,
                Err(wait) => {
                    let _ = tokio::time::timeout(wait, left).await;
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, leave: &Arc<Notify>) -> Result<SlotGuard, Duration> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.taken.len() >= self.max {
            self.evict(&mut slots)?;
        }
        slots.serial += 1;
        let number = slots.serial;
        let since_ms = AtomicU64::new(ms(self.started));
        let slot = Arc::new(Slot { since_ms, started: self.started, leave: leave.clone() });
        slots.taken.insert(number, slot.clone());
        Ok(SlotGuard { connections: self.clone(), number, slot })
    }

    /// Frees the place of the client who has let us wait the longest, or says when to ask again.
    fn evict(&self, slots: &mut Slots) -> Result<(), Duration> {
        let since = |slot: &Slot| slot.since_ms.load(Ordering::Relaxed);
        let oldest = slots.taken.iter().map(|(number, slot)| (since(slot), *number)).min();
        let (since_ms, number) = oldest.filter(|(since_ms, _)| *since_ms != WORKING).ok_or(PATIENCE)?;
        let waited = Duration::from_millis(ms(self.started).saturating_sub(since_ms));
        if waited < PATIENCE {
            return Err(PATIENCE.saturating_sub(waited));
        }
        if let Some(slot) = slots.taken.remove(&number) {
            slot.leave.notify_one();
        }
        slots.evicted += 1;
        if slots.evicted.is_power_of_two() {
            let (evicted, max) = (slots.evicted, self.max);
            tracing::warn!(evicted, max, "all connections are taken: those that let us wait are closed for new ones");
        }
        Ok(())
    }
}

impl Drop for SlotGuard {
    fn drop(&mut self) {
        let mut slots = self.connections.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.taken.remove(&self.number);
        drop(slots);
        self.connections.left.notify_waiters();
    }
}

fn ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(WORKING - 1)
}
