//! Owns: the last known state of a subject, so that the platform's repeats are known from real changes.
//! A repeat of the same state within the window is no transition; an event older than the state is late. Who has seen the
//! subject in another state needs no window: what was entered since is the same, what was entered before is not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction};

use super::StoreError;
use super::row::{Reader, at, cut};
use crate::domain::reason::Reason;

/// How far the clocks of platform and bridge may be apart: what a signature tolerates.
pub const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// Which thing of which machine.
pub(super) type Key = (String, String);

/// The states of a batch, locked until its transaction ends.
pub(super) struct States {
    rows: BTreeMap<Key, StateRow>,
    changed: BTreeSet<Key>,
    window: SignedDuration,
}

struct StateRow {
    state: String,
    epoch: u32,
    at: Timestamp,
}

impl States {
    /// Locks the rows of `keys`, making those that do not exist (so that two instances cannot both be the first).
    pub(super) async fn lock(
        tx: &mut Transaction<'_>,
        keys: &BTreeSet<Key>,
        window: SignedDuration,
    ) -> Result<Self, StoreError> {
        let mut rows = BTreeMap::new();
        if !keys.is_empty() {
            tx.exec_batch(
                "INSERT INTO transition (machine, subject, state, epoch, at) VALUES (?, ?, '', 0, '1970-01-01') \
                 ON DUPLICATE KEY UPDATE epoch = epoch",
                keys.iter().map(|(machine, subject)| (machine, subject)),
            )
            .await?;
        }
        for (machine, subject) in keys {
            let row: Option<Row> = tx
                .exec_first(
                    "SELECT state, epoch, at FROM transition WHERE machine = ? AND subject = ? FOR UPDATE",
                    (machine, subject),
                )
                .await?;
            let Some(row) = row else { continue };
            let reader = Reader::new("transition", &row, format!("{machine} {subject}"));
            let state = StateRow { state: reader.get("state")?, epoch: reader.get("epoch")?, at: reader.time("at")? };
            rows.insert((machine.clone(), subject.clone()), state);
        }
        Ok(Self { rows, changed: BTreeSet::new(), window })
    }

    /// Enters `to`, and gives the number of this transition, or why it is none.
    pub(super) fn enter(
        &mut self,
        key: &Key,
        to: &str,
        when: Timestamp,
        otherwise_at: Option<Timestamp>,
    ) -> Result<u32, Reason> {
        let to = cut(to, 64);
        let Some(row) = self.rows.get_mut(key) else { return Ok(0) };
        if row.epoch > 0 {
            let repeated = match otherwise_at {
                Some(seen) => seen.duration_since(row.at) <= CLOCKS_APART,
                None => when.duration_since(row.at).abs() < self.window,
            };
            if row.state == to && repeated {
                return Err(Reason::SameTransition);
            }
            if when < row.at {
                return Err(Reason::Superseded);
            }
        }
        *row = StateRow { state: to, epoch: row.epoch + 1, at: when };
        self.changed.insert(key.clone());
        Ok(row.epoch)
    }

    /// Writes what changed.
    pub(super) async fn save(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let rows = self.changed.iter().filter_map(|key| self.rows.get(key).map(|row| (key, row)));
        tx.exec_batch(
            "UPDATE transition SET state = ?, epoch = ?, at = ? WHERE machine = ? AND subject = ?",
            rows.map(|((machine, subject), row)| (&row.state, row.epoch, at(row.at), machine, subject)),
        )
        .await?;
        Ok(())
    }
}
