//! Owns: who is connected, and who goes when there is no room. Whoever lets us wait the longest, between two requests or
//! in the middle of one, makes room for a newcomer; whoever waits for us never does. So thousands of idle or slow
//! connections cost their owners their own places, and everybody else a moment.
//! Why no limit per address: behind the platform's web server all of them come from one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a connection may be idle before its place can be given away. An honest client sends a request with the
/// connection, and opens another one later.
const PATIENCE: Duration = Duration::from_millis(100);
/// In [`Seat::since_ms`]: we are working for this client.
const WORKING: u64 = u64::MAX;

/// All connections of a server.
#[derive(Debug)]
pub struct Crowd {
    max: usize,
    started: Instant,
    seats: Mutex<Seats>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    taken: HashMap<u64, Arc<Seat>>,
    serial: u64,
    evicted: u64,
}

/// The place of one connection. Dropping the [`Ticket`] frees it.
#[derive(Debug)]
pub struct Seat {
    /// Since when the client lets us wait, in ms since the server started.
    since_ms: AtomicU64,
    started: Instant,
    /// Notified when the connection must close.
    leave: Arc<Notify>,
}

/// Holds a seat for as long as its connection is open.
#[derive(Debug)]
pub struct Ticket {
    crowd: Arc<Crowd>,
    number: u64,
    pub seat: Arc<Seat>,
}

impl Seat {
    /// It is the client's turn: to send a request, or the rest of one.
    pub fn wait(&self) {
        self.since_ms.store(ms(self.started), Ordering::Relaxed);
    }

    /// It is ours.
    pub fn work(&self) {
        self.since_ms.store(WORKING, Ordering::Relaxed);
    }
}

impl Crowd {
    #[must_use]
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, started: Instant::now(), seats: Mutex::default(), left: Notify::new() })
    }

    /// A place for a new connection, which `leave` will cut if the place is needed. Waits only while we work for
    /// everybody who is connected, or nobody has been silent for [`PATIENCE`].
    pub async fn seat(self: &Arc<Self>, leave: Arc<Notify>) -> Ticket {
        loop {
            let left = self.left.notified();
            match self.admit(&leave) {
                Ok(ticket) => return ticket,
                Err(wait) => {
                    let _ = tokio::time::timeout(wait, left).await;
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, leave: &Arc<Notify>) -> Result<Ticket, Duration> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if seats.taken.len() >= self.max {
            self.evict(&mut seats)?;
        }
        seats.serial += 1;
        let number = seats.serial;
        let since_ms = AtomicU64::new(ms(self.started));
        let seat = Arc::new(Seat { since_ms, started: self.started, leave: leave.clone() });
        seats.taken.insert(number, seat.clone());
        Ok(Ticket { crowd: self.clone(), number, seat })
    }

    /// Frees the place of the client who has let us wait the longest, or says when to ask again.
    fn evict(&self, seats: &mut Seats) -> Result<(), Duration> {
        let since = |seat: &Seat| seat.since_ms.load(Ordering::Relaxed);
        let oldest = seats.taken.iter().map(|(number, seat)| (since(seat), *number)).min();
        let (since_ms, number) = oldest.filter(|(since_ms, _)| *since_ms != WORKING).ok_or(PATIENCE)?;
        let waited = Duration::from_millis(ms(self.started).saturating_sub(since_ms));
        if waited < PATIENCE {
            return Err(PATIENCE.saturating_sub(waited));
        }
        if let Some(seat) = seats.taken.remove(&number) {
            seat.leave.notify_one();
        }
        seats.evicted += 1;
        if seats.evicted.is_power_of_two() {
            let (evicted, max) = (seats.evicted, self.max);
            tracing::warn!(evicted, max, "all connections are taken: those that let us wait are closed for new ones");
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut seats = self.crowd.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.taken.remove(&self.number);
        drop(seats);
        self.crowd.left.notify_waiters();
    }
}

fn ms(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(WORKING - 1)
}
