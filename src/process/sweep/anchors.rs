//! Owns: what becomes of the dates that steps are counted from, when a page of the platform's rows was read. Pure.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::billing::changes::Watched;
use crate::domain::schedule::Anchor;
use crate::store::anchor::{Anchored, Change};

/// What differs between `rows` and what is remembered of them and of those that are deleted. `since`: the moment up to which the
/// steps of a row are over that was not known before.
pub(super) fn changes(rows: &[Watched], known: Vec<Anchored>, since: impl Fn(u64) -> Timestamp) -> Vec<Change> {
    let mut known: HashMap<(u64, Anchor), Anchored> =
        known.into_iter().map(|one| ((one.id, one.anchor), one)).collect();
    let mut changes = Vec::new();
    for row in rows {
        let (id, owner) = (row.seen.id, row.seen.owner);
        for (anchor, day) in &row.anchors {
            let before = known.remove(&(id, *anchor));
            if before.is_none_or(|before| before.day != *day || before.owner != owner) {
                changes.push(Change::Set { anchor: *anchor, id, owner, day: *day, since: since(id) });
            }
        }
    }
    changes.extend(known.into_values().map(|one| Change::Forget { anchor: one.anchor, id: one.id }));
    changes
}
