//! Owns: what is usual, remembered for a while: the history behind it is read once per quarter of an hour, not per batch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::store::{Store, StoreError, hold};

/// How long it is remembered.
const KEPT: Duration = Duration::from_mins(15);
/// The last hours may be the mass itself: they are not what is usual.
const NOT_YET_PAST: SignedDuration = SignedDuration::from_hours(2);

type Busiest = Arc<BTreeMap<String, u32>>;

/// The busiest hour of each hookpoint.
#[derive(Debug)]
pub struct Usual {
    clock: Clock,
    read: Mutex<Option<(Duration, Busiest)>>,
}

impl Usual {
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, read: Mutex::default() }
    }

    /// Alerts of each hookpoint in its busiest hour of the last `history`.
    ///
    /// # Errors
    /// The database.
    pub async fn busiest_hours(
        &self,
        store: &Store,
        history: SignedDuration,
        now: Timestamp,
    ) -> Result<Busiest, StoreError> {
        let here = self.clock.monotonic();
        if let Some((at, busiest)) = &*self.read.lock().expect("no holder panics")
            && here >= *at
            && here.checked_sub(*at).unwrap() < KEPT
        {
            return Ok(busiest.clone());
        }
        hold::forget_counts(store, now - history - NOT_YET_PAST).await?;
        let busiest = Arc::new(hold::busiest_hours(store, now - history, now - NOT_YET_PAST).await?);
        *self.read.lock().expect("no holder panics") = Some((here, busiest.clone()));
        Ok(busiest)
    }
}
