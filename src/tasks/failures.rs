//! Owns: how often our own code failed on an item that waits in a queue, and what becomes of it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;

/// Our own code failed so often on an item: it is set aside.
const FAILURES_MAX: u32 = 3;
/// How long it waits after the first time; twice as long after the second.
const WAIT: SignedDuration = SignedDuration::from_secs(10);
/// Items remembered at most. Beyond them all are forgotten, and begin anew.
const ITEMS_MAX: usize = 10_000;

/// What becomes of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again after so long: the cause may be over by then.
    Wait(SignedDuration),
    /// It ends here, with a reason.
    SetAside,
}

/// Failures of this process, by item.
#[derive(Debug)]
pub struct Failures<K>(Mutex<HashMap<K, u32>>);

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Failures<K> {
    /// Notes one more failure of `item`.
    pub fn note(&self, item: K) -> Next {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ITEMS_MAX {
            all.clear();
        }
        let failures = all.remove(&item).unwrap_or(0) + 1;
        if failures >= FAILURES_MAX {
            return Next::SetAside;
        }
        all.insert(item, failures);
        Next::Wait(WAIT * i32::try_from(failures).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_failure_of_an_item_is_its_last() {
        let failures = Failures::default();
        assert_eq!(failures.note("a"), Next::Wait(SignedDuration::from_secs(10)));
        assert_eq!(failures.note("b"), Next::Wait(SignedDuration::from_secs(10)));
        assert_eq!(failures.note("a"), Next::Wait(SignedDuration::from_secs(20)));
        assert_eq!(failures.note("a"), Next::SetAside);
    }
}
