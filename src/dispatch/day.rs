//! Owns: the provider's limit of different recipients within any 24 hours. The table beside it is the truth; this is its
//! copy in memory, loaded when the lane starts.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::domain::phone::E164;
use crate::store::contacted::WINDOW;

/// Who was written to within the window.
#[derive(Debug, Default)]
pub struct Day {
    /// 0 is unlimited.
    max: usize,
    /// The fence of the lease under which it was read.
    fence: u64,
    last: HashMap<E164, Timestamp>,
    by_time: BTreeSet<(Timestamp, E164)>,
}

impl Day {
    #[must_use]
    pub fn new(max: u32, fence: u64, recent: Vec<(E164, Timestamp)>) -> Self {
        let mut day = Self { max: max as usize, fence, ..Self::default() };
        if max > 0 {
            for (to, at) in recent {
                day.note(to, at);
            }
        }
        day
    }

    /// Whether it was read since this lease began.
    #[must_use]
    pub fn is_of(&self, fence: u64) -> bool {
        self.fence == fence
    }

    /// Takes a place for `to`.
    ///
    /// # Errors
    /// When the next place will be free.
    pub fn take(&mut self, to: &E164, now: Timestamp) -> Result<(), Timestamp> {
        if self.max == 0 {
            return Ok(());
        }
        while let Some((at, _)) = self.by_time.first().filter(|(at, _)| *at + WINDOW <= now) {
            let oldest = (*at, self.by_time.first().expect("just seen").1.clone());
            self.last.remove(&oldest.1);
            self.by_time.remove(&oldest);
        }
        if !self.last.contains_key(to) && self.last.len() >= self.max {
            let (oldest, _) = self.by_time.first().expect("a full day is not empty");
            return Err(*oldest + WINDOW);
        }
        self.note(to.clone(), now);
        Ok(())
    }

    /// Different recipients within the window.
    #[must_use]
    pub fn used(&self) -> usize {
        self.last.len()
    }

    fn note(&mut self, to: E164, at: Timestamp) {
        if let Some(before) = self.last.insert(to.clone(), at) {
            self.by_time.remove(&(before, to.clone()));
        }
        self.by_time.insert((at, to));
    }
}
