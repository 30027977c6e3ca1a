//! Owns: whether this instance may send for a portfolio right now. Taking over needs a silent owner; keeping needs a
//! database that answers; and between the two the owner's own time runs out before anybody else's does, by clocks that
//! never run back. Nothing is ever compared between two machines' clocks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::store::lease::{Holder, Seen, give_back, keep, look, take};
use crate::store::{Store, StoreError};

/// Part of the lease, in tenths, during which its owner may act. The rest is for clocks that tick differently.
const OWNED_TENTHS: u32 = 8;
/// The owner renews after this part of it, in tenths.
const RENEW_TENTHS: u32 = 3;

/// One portfolio's lease, as this instance sees it. Shared by the portfolio's lanes.
#[derive(Debug)]
pub struct Leadership {
    name: String,
    owner: String,
    length: Duration,
    clock: Clock,
    state: Mutex<State>,
    /// One question to the database at a time.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
enum State {
    /// Somebody else's, seen unchanged since (by our monotonic clock).
    Watched {
        seen: Option<Seen>,
        since: Option<Duration>,
    },
    Held {
        holder: Holder,
        renewed: Duration,
        first: bool,
    },
}

/// The right to send, good until its time is over. Cheap to copy into every attempt.
#[derive(Clone, Debug)]
pub struct LeaseGuard {
    pub holder: Holder,
    /// Whether there was no owner before this one: nobody's pace is to be heeded.
    pub first: bool,
    leadership: Arc<Leadership>,
}

impl LeaseGuard {
    /// Whether it is still good at this very moment.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.leadership.is_valid(self.holder.fence)
    }

    /// Notes that a claim proved the lease; `asked` is the time before the claim was sent.
    pub fn proven(&self, asked: Duration) {
        if let State::Held { holder, renewed, .. } = &mut *self.leadership.state()
            && holder.fence == self.holder.fence
        {
            *renewed = asked.max(*renewed);
        }
    }

    /// Gives it up at once: a claim found that it is lost.
    pub fn lost(&self) {
        let mut state = self.leadership.state();
        if matches!(&*state, State::Held { holder, .. } if holder.fence == self.holder.fence) {
            *state = State::Watched { seen: None, since: None };
        }
    }
}

impl Leadership {
    #[must_use]
    pub fn new(name: String, owner: String, length: Duration, clock: Clock) -> Arc<Self> {
        let state = Mutex::new(State::Watched { seen: None, since: None });
        Arc::new(Self { name, owner, length, clock, state, asking: tokio::sync::Mutex::default() })
    }

    /// The right to send, if it is ours or can be had now.
    ///
    /// # Errors
    /// The database.
    pub async fn keep(self: &Arc<Self>, store: &Store, now: Timestamp) -> Result<Option<LeaseGuard>, StoreError> {
        if let Some(permit) = self.fresh() {
            return Ok(Some(permit));
        }
        let _one = self.asking.lock().await;
        if let Some(permit) = self.fresh() {
            return Ok(Some(permit));
        }
        let state = self.state().clone();
        match state {
            State::Held { holder, first, .. } => self.renew(store, holder, first).await?,
            State::Watched { seen, since } => self.watch(store, seen, since, now).await?,
        }
        Ok(self.permit().filter(LeaseGuard::is_valid))
    }

    async fn renew(&self, store: &Store, holder: Holder, first: bool) -> Result<(), StoreError> {
        let asked = self.clock.monotonic();
        let kept = keep(store, &holder).await?;
        if !kept {
            tracing::error!(lease = %self.name, owner = %self.owner, "another instance took over the sending");
        }
        *self.state() = if kept {
            State::Held { holder, renewed: asked, first }
        } else {
            State::Watched { seen: None, since: None }
        };
        Ok(())
    }

    async fn watch(
        &self,
        store: &Store,
        before: Option<Seen>,
        since: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let asked = self.clock.monotonic();
        let seen = look(store, &self.name).await?;
        let looked = self.clock.monotonic();
        let since = since.filter(|_| seen == before).unwrap_or(looked);
        let silent = looked.saturating_sub(since) >= self.length;
        let free = seen.as_ref().is_none_or(|seen| seen.owner.is_none());
        *self.state() = State::Watched { seen: seen.clone(), since: Some(since) };
        // Taken by us, but the answer was lost: prove it by a beat, because the others' time has been running since.
        if let Some(ours) = seen.as_ref().filter(|seen| seen.owner.as_ref() == Some(&self.owner)) {
            let holder = Holder { name: self.name.clone(), owner: self.owner.clone(), fence: ours.fence };
            return self.renew(store, holder, false).await;
        }
        if !free && !silent {
            return Ok(());
        }
        if let Some(fence) = take(store, &self.name, &self.owner, seen.as_ref(), now).await? {
            tracing::info!(lease = %self.name, owner = %self.owner, fence, "this instance sends from now on");
            let holder = Holder { name: self.name.clone(), owner: self.owner.clone(), fence };
            *self.state() = State::Held { holder, renewed: asked, first: seen.is_none() };
        }
        Ok(())
    }

    /// Lets the next instance take over without waiting.
    pub async fn give_back(&self, store: &Store) {
        let before = std::mem::replace(&mut *self.state(), State::Watched { seen: None, since: None });
        if let State::Held { holder, .. } = before
            && let Err(error) = give_back(store, &holder).await
        {
            tracing::warn!(lease = %self.name, %error, "the lease was not given back: the next instance waits for it");
        }
    }

    fn is_valid(&self, fence: u64) -> bool {
        let owned = self.length * OWNED_TENTHS / 10;
        matches!(&*self.state(), State::Held { holder, renewed, .. }
            if holder.fence == fence && self.clock.monotonic() < *renewed + owned)
    }

    /// The permit, while it needs no renewal.
    fn fresh(self: &Arc<Self>) -> Option<LeaseGuard> {
        let due = self.length * RENEW_TENTHS / 10;
        let young = matches!(&*self.state(), State::Held { renewed, .. } if self.clock.monotonic() < *renewed + due);
        if young { self.permit() } else { None }
    }

    fn permit(self: &Arc<Self>) -> Option<LeaseGuard> {
        match &*self.state() {
            State::Held { holder, first, .. } => {
                Some(LeaseGuard { holder: holder.clone(), first: *first, leadership: self.clone() })
            }
            State::Watched { .. } => None,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }
}
