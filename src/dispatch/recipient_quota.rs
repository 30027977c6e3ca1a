//! Owns: the provider's limit of different recipients within any 24 hours. The table beside it is the truth; this is its
//! copy in memory, loaded when the lane starts. A place is reserved before the re-check, and counts for the day only once the
//! message was claimed: who is not written to takes no place from anybody.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::domain::phone::E164;
use crate::store::recipient_window::WINDOW;

/// Who was written to within the window.
#[derive(Debug, Default)]
pub struct RecipientQuota {
    /// 0 is unlimited.
    max: usize,
    /// The fence of the lease under which it was read.
    fence: u64,
    last: HashMap<E164, Timestamp>,
    by_time: BTreeSet<(Timestamp, E164)>,
    /// Messages to each recipient that have a place and are not claimed yet.
    reserved: HashMap<E164, u32>,
}

/// There is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Not before then.
    Until(Timestamp),
    /// All places that are left are reserved: whether one stays free is known in a moment.
    Undecided,
}

impl RecipientQuota {
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

    /// Reserves a place for a message to `to`; [`Self::confirm`] or [`Self::give_back`] follows.
    ///
    /// # Errors
    /// When the next place will be free, or that it is not known yet.
    pub fn reserve(&mut self, to: &E164, now: Timestamp) -> Result<(), Full> {
        if self.max == 0 {
            return Ok(());
        }
        while let Some((at, _)) = self.by_time.first().filter(|(at, _)| *at + WINDOW <= now) {
            let oldest = (*at, self.by_time.first().expect("just seen").1.clone());
            self.last.remove(&oldest.1);
            self.by_time.remove(&oldest);
        }
        if !self.last.contains_key(to) && !self.reserved.contains_key(to) {
            if self.last.len() >= self.max {
                let (oldest, _) = self.by_time.first().expect("a full day is not empty");
                return Err(Full::Until(*oldest + WINDOW));
            }
            if self.last.len() + self.reserved.len() >= self.max && self.last.len() + self.newly() >= self.max {
                return Err(Full::Undecided);
            }
        }
        *self.reserved.entry(to.clone()).or_default() += 1;
        Ok(())
    }

    /// The message was claimed at `now`: the place is used.
    pub fn confirm(&mut self, to: &E164, now: Timestamp) {
        if self.max > 0 {
            self.give_back(to);
            self.note(to.clone(), now);
        }
    }

    /// The message is not sent: the place is free again.
    pub fn give_back(&mut self, to: &E164) {
        if let Some(count) = self.reserved.get_mut(to) {
            *count -= 1;
            if *count == 0 {
                self.reserved.remove(to);
            }
        }
    }

    /// Recipients with a reserved place who were not written to within the window.
    fn newly(&self) -> usize {
        self.reserved.keys().filter(|to| !self.last.contains_key(*to)).count()
    }

    fn note(&mut self, to: E164, at: Timestamp) {
        if let Some(before) = self.last.insert(to.clone(), at) {
            self.by_time.remove(&(before, to.clone()));
        }
        self.by_time.insert((at, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(last: u32) -> E164 {
        E164::trusted(&format!("+54911555501{last:02}")).expect("a number")
    }

    #[test]
    fn a_place_that_was_given_back_goes_to_the_next_recipient() {
        let now = Timestamp::UNIX_EPOCH;
        let mut day = RecipientQuota::new(2, 1, Vec::new());
        assert_eq!((day.reserve(&phone(1), now), day.reserve(&phone(2), now)), (Ok(()), Ok(())));
        assert_eq!(day.reserve(&phone(3), now), Err(Full::Undecided), "one of the two may stay free");
        day.confirm(&phone(1), now);
        day.give_back(&phone(2));
        assert_eq!(day.reserve(&phone(3), now), Ok(()));
        day.confirm(&phone(3), now);
        assert_eq!(day.reserve(&phone(2), now), Err(Full::Until(now + WINDOW)));
        assert_eq!(day.reserve(&phone(1), now), Ok(()), "who was written to today has a place");
        assert_eq!(day.reserve(&phone(2), now + WINDOW), Ok(()));
    }

    #[test]
    fn two_messages_to_one_recipient_hold_one_place_until_both_are_given_back() {
        let now = Timestamp::UNIX_EPOCH;
        let mut day = RecipientQuota::new(1, 1, Vec::new());
        assert_eq!((day.reserve(&phone(1), now), day.reserve(&phone(1), now)), (Ok(()), Ok(())));
        day.give_back(&phone(1));
        assert_eq!(day.reserve(&phone(2), now), Err(Full::Undecided));
        day.give_back(&phone(1));
        assert_eq!(day.reserve(&phone(2), now), Ok(()));
    }
}
