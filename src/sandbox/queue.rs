//! Owns: the updates that wait to be posted, by due time, and which of them share a POST.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::webhook::{Event, Update};

/// Updates by due time; those due together keep the order in which they were put.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Queued>>,
    serial: u64,
}

#[derive(Debug)]
struct Queued {
    due_ms: i64,
    serial: u64,
    update: Update,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due_ms, self.serial).cmp(&(other.due_ms, other.serial))
    }
}

impl Queue {
    pub fn put(&mut self, update: Update, due_ms: i64) {
        self.serial += 1;
        self.heap.push(Reverse(Queued { due_ms, serial: self.serial, update }));
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.heap.peek().map(|Reverse(next)| next.due_ms)
    }

    /// At most `max` of the next updates that may share a POST, due by `now_ms` (`None`: whenever they are due).
    pub fn take_batch(&mut self, now_ms: Option<i64>, max: usize) -> Vec<Update> {
        let mut batch: Vec<Update> = Vec::new();
        while let Some(Reverse(next)) = self.heap.peek() {
            let due = now_ms.is_none_or(|now| next.due_ms <= now);
            let fits = batch.len() < max && batch.first().is_none_or(|first| share_a_post(first, &next.update));
            if !due || !fits {
                break;
            }
            batch.extend(self.heap.pop().map(|Reverse(next)| next.update));
        }
        batch
    }
}

/// Statuses of one number go together, as `statuses[]` of one `value`; anything else goes alone.
fn share_a_post(first: &Update, next: &Update) -> bool {
    first.phone == next.phone
        && first.wrong_signature == next.wrong_signature
        && matches!((&first.event, &next.event), (Event::Status(_), Event::Status(_)))
}
