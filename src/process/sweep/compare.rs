//! Owns: comparing a page of the platform's rows with what is remembered of them. Pure.
//!
//! A change speaks only when it was seen twice, a grace apart: by then a hook that fired has come, or lies in the spool. What
//! may have happened longer ago than an alert may be old is taken silently.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::billing::changes::Watched;
use crate::domain::mirror::{ABSENT, Kind, Mirrored, Seen};
use crate::store::mirror::{Change, Walk};

/// What comparing needs to know besides the rows.
#[derive(Clone, Debug)]
pub struct Rule {
    pub now: Timestamp,
    /// How long a change waits for its hook.
    pub grace: SignedDuration,
    /// What may be older leads to no event.
    pub age_max: SignedDuration,
    /// The platform's.
    pub zone: TimeZone,
}

/// A change that is due for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub kind: Kind,
    pub before: String,
    /// As it is now; for a row that is deleted, as it was.
    pub seen: Seen,
    pub invoice: u64,
    /// When it was last known to be as before.
    pub since: Timestamp,
    /// When the change was first seen: makes the event's id.
    pub first_at: Timestamp,
}

/// A row that belongs to another client than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub kind: Kind,
    pub seen: Seen,
    pub from: u64,
    pub to: u64,
    /// When it was last known to be the former owner's.
    pub since: Timestamp,
}

/// What a page came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// To be remembered at once.
    pub changes: Vec<Change>,
    /// To be stored as an event, and remembered after that.
    pub due: Vec<Due>,
    /// To be stored as an event, and remembered after that.
    pub moved: Vec<Moved>,
    /// Changes that were taken silently because they may be old.
    pub old: u64,
}

/// Whether a row in this state is likely to change soon: such rows are looked at in every sweep.
#[must_use]
pub fn is_live(kind: Kind, state: &str) -> bool {
    match kind {
        Kind::Invoice => !matches!(state, "Paid" | "Cancelled" | "Refunded"),
        Kind::Service => matches!(state, "Pending" | "Active" | "Suspended"),
        Kind::Quote => matches!(state, "Draft" | "Delivered" | "On Hold"),
        // What is deleted leads to an event: a domain that is still somebody's.
        Kind::Domain => !matches!(state, "Cancelled" | "Expired" | "Fraud" | "Transferred Away"),
        Kind::Ticket => state != "Closed",
        Kind::Client | Kind::Payment => false,
    }
}

/// Takes a row as it is.
#[must_use]
pub fn take(kind: Kind, seen: &Seen, now: Timestamp) -> Change {
    Change::Take { seen: seen.clone(), live: is_live(kind, &seen.state), at: now }
}

/// Compares `rows` with what is remembered of them, and `missing`, which are remembered and no longer there.
#[must_use]
pub fn compare(
    kind: Kind,
    rows: &[Watched],
    missing: &[Mirrored],
    mirror: &BTreeMap<u64, Mirrored>,
    walk: &Walk,
    rule: &Rule,
) -> Compared {
    let mut out = Compared::default();
    for row in rows {
        match mirror.get(&row.seen.id) {
            None => appeared(kind, row, walk, rule, &mut out),
            Some(known) => known_row(kind, row, known, walk, rule, &mut out),
        }
    }
    for known in missing {
        vanished(kind, known, walk, rule, &mut out);
    }
    out
}

fn appeared(kind: Kind, row: &Watched, walk: &Walk, rule: &Rule, out: &mut Compared) {
    // A row that was committed after a newer one was not there when the last whole round passed.
    let since = if row.seen.id > walk.newest_id { walk.newest_at } else { walk.round_before };
    let born_long_ago = row.born(&rule.zone).is_some_and(|born| rule.now.duration_since(born) > rule.age_max);
    if born_long_ago || rule.now.duration_since(since) > rule.age_max {
        out.old += 1;
        out.changes.push(take(kind, &row.seen, rule.now));
    } else {
        out.changes.push(Change::Wait { seen: row.seen.clone(), since, at: rule.now });
    }
}

fn known_row(kind: Kind, row: &Watched, known: &Mirrored, walk: &Walk, rule: &Rule, out: &mut Compared) {
    let seen = &row.seen;
    // The whole round before found it as remembered, or else it would wait.
    let since = if known.pending.is_some() { known.at } else { known.at.max(walk.round_before) };
    if known.seen.owner != seen.owner || known.seen.name != seen.name {
        match (known.seen.owner, seen.owner) {
            (Some(from), Some(to)) if from != to && known.seen.state != ABSENT => {
                out.moved.push(Moved { kind, seen: seen.clone(), from, to, since });
            }
            _ => out.changes.push(Change::Rename { seen: seen.clone(), at: rule.now }),
        }
    }
    if known.seen.state == seen.state {
        if known.pending.is_some() {
            out.changes.push(Change::Back { seen: seen.clone(), live: is_live(kind, &seen.state) });
        }
        return;
    }
    match &known.pending {
        Some((state, first_at)) if *state == seen.state => {
            if rule.now.duration_since(*first_at) >= rule.grace {
                let due = Due {
                    kind,
                    before: known.seen.state.clone(),
                    seen: seen.clone(),
                    invoice: row.invoice,
                    since,
                    first_at: *first_at,
                };
                ripe(due, rule, out);
            }
        }
        _ => out.changes.push(Change::Wait { seen: seen.clone(), since, at: rule.now }),
    }
}

fn vanished(kind: Kind, known: &Mirrored, walk: &Walk, rule: &Rule, out: &mut Compared) {
    let id = known.seen.id;
    // Only a domain's end leads to an event; what led to none before needs no farewell.
    if kind != Kind::Domain || known.seen.state == ABSENT {
        out.changes.push(Change::Forget { id });
        return;
    }
    let deleted = Seen { state: ABSENT.to_owned(), ..known.seen.clone() };
    match &known.pending {
        Some((state, first_at)) if state == ABSENT => {
            if rule.now.duration_since(*first_at) >= rule.grace {
                let before = known.seen.state.clone();
                ripe(Due { kind, before, seen: deleted, invoice: 0, since: known.at, first_at: *first_at }, rule, out);
            }
        }
        _ => {
            let since = known.at.max(walk.round_before);
            out.changes.push(Change::Wait { seen: deleted, since, at: rule.now });
        }
    }
}

fn ripe(due: Due, rule: &Rule, out: &mut Compared) {
    if rule.now.duration_since(due.since) > rule.age_max {
        out.old += 1;
        out.changes.push(settled(&due, rule.now));
    } else {
        out.due.push(due);
    }
}

/// What is remembered of a change once its event is stored, or none is needed.
#[must_use]
pub fn settled(due: &Due, now: Timestamp) -> Change {
    if due.seen.state == ABSENT { Change::Forget { id: due.seen.id } } else { take(due.kind, &due.seen, now) }
}
