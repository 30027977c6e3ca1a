//! Owns: finding what no hook reported. Some hooks never fire (an invoice cancelled through the API, a service suspended by the
//! status box, a draft published), others are lost with a full disk. From time to time the sweep compares the platform's
//! rows with what it remembers, and puts an event in place of each missing hook into the inbox.
//!
//! One instance sweeps at a time; two at once would find the same events. The first walk over all rows only remembers.

mod anchors;
pub mod compare;
mod fill;
pub mod known;
pub mod words;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use self::compare::{Compared, Due, Moved, Rule, compare, settled};
use self::known::{Telling, unheard};
use super::worker::ProcessError;
use crate::billing::Billing;
use crate::billing::changes::{Page, Watched};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::hookpoint::{Subject, SubjectKind, Transition};
use crate::domain::ids::ClientId;
use crate::domain::mirror::{Kind, Mirrored};
use crate::metrics::{Metrics, Result1};
use crate::road::{Step, mark_one};
use crate::stop::Stop;
use crate::store::inbox::NewEvent;
use crate::store::mirror::{self, Change, Walk};
use crate::store::{Store, anchor, inbox, known_events};
use crate::tasks::{Panicked, Task, caught};

/// Rows read at once. From 1000 ids on MariaDB makes a table of them, on the disk where the rows have texts.
const PAGE_ROWS: usize = 500;
/// Ids below the newest that are read again: a transaction that began earlier may have ended later.
const OVERLAP_IDS: u64 = 500;
/// A turn that was not kept up is over after this; each page keeps it up.
const TURN: SignedDuration = SignedDuration::from_mins(5);
/// How often an instance asks whether a sweep is due.
const ASK: Duration = Duration::from_secs(20);
/// State changes that the bridge heard of lately and compares with the rows, at most.
const MOVED_MAX: usize = 2000;

/// How the sweep is to run.
#[derive(Clone, Debug)]
pub struct Settings {
    pub enabled: bool,
    pub every: SignedDuration,
    pub grace: SignedDuration,
    /// Rows of one kind looked at in one sweep, besides those that are new or may change soon.
    pub rows_max: usize,
    /// Events of one sweep; what is left over comes with the next.
    pub events_max: usize,
    pub age_max: SignedDuration,
    pub zone: jiff::tz::TimeZone,
}

/// Sweeps.
#[derive(Debug)]
pub struct Sweep {
    pub store: Store,
    pub billing: Billing,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub settings: Settings,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// Notified when an event was stored.
    pub inbox_bell: Arc<Notify>,
    /// Who sweeps: this instance.
    pub owner: String,
}

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Another instance sweeps, or it is not yet time.
    pub not_our_turn: bool,
    /// Rows looked at.
    pub rows: u64,
    /// Events put in place of hooks that were not heard.
    pub stored: u64,
    /// Changes whose hook was heard.
    pub heard: u64,
    /// Changes that may be old, taken silently.
    pub old: u64,
    /// Kinds whose first, silent walk ended or goes on.
    pub filling: Vec<&'static str>,
}

impl Sweep {
    /// Sweeps until `stop`.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Sweep);
            match self.round(&stop).await {
                Ok(swept) if swept.stored + swept.old > 0 => {
                    tracing::warn!(stored = swept.stored, heard = swept.heard, old = swept.old, "hooks were missing");
                }
                Ok(_) => {}
                Err(error) => {
                    self.metrics.fault("sweep");
                    tracing::warn!(%error, "the sweep is put off");
                }
            }
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(ASK) => {}
            }
        }
    }

    /// Sweeps once, if it is time and our turn.
    ///
    /// # Errors
    /// A database; what was not remembered is found again.
    pub async fn round(&self, stop: &Stop) -> Result<Swept, ProcessError> {
        let mut swept = Swept::default();
        if !self.settings.enabled || !self.keep_turn().await? {
            return Ok(Swept { not_our_turn: true, ..swept });
        }
        let now = self.clock.now();
        for kind in Kind::ALL {
            let handled = async {
                mark_one(Step::Handling, kind);
                self.kind(*kind, now, stop, &mut swept).await
            };
            self.unless_panicked(caught(handled).await)?;
        }
        self.unless_panicked(caught(self.told_otherwise(now, &mut swept)).await)?;
        mirror::end_turn(&self.store, &self.owner, now, now + self.settings.every).await?;
        for (result, n) in [("told", swept.stored), ("heard", swept.heard), ("old", swept.old)] {
            self.metrics.sweep_changes.get_or_create(&Result1 { result }).inc_by(n);
        }
        self.metrics.sweep_finished_seconds.set(now.as_second());
        Ok(swept)
    }

    /// What our own code fails on in one kind of rows is left for the next sweep; the other kinds are looked at.
    fn unless_panicked(&self, result: Result<Result<(), ProcessError>, Panicked>) -> Result<(), ProcessError> {
        result.unwrap_or_else(|panicked| {
            self.metrics.panicked(Task::Sweep, &panicked);
            Ok(())
        })
    }

    async fn keep_turn(&self) -> Result<bool, ProcessError> {
        Ok(mirror::take_turn(&self.store, &self.owner, TURN, self.clock.now()).await?)
    }

    async fn kind(&self, kind: Kind, now: Timestamp, stop: &Stop, swept: &mut Swept) -> Result<(), ProcessError> {
        let mut walk = mirror::walk(&self.store, kind).await?.unwrap_or_else(|| Walk::new(now));
        // A memory that was lost must not make everything new.
        if walk.newest_id > 0 && walk.filled_at.is_some() && mirror::is_empty(&self.store, kind).await? {
            walk = Walk::new(now);
        }
        if walk.filled_at.is_none() {
            swept.filling.push(kind.code());
            return self.fill(kind, walk, stop, swept).await;
        }
        self.waiting_rows(kind, &walk, now, stop, swept).await?;
        self.new_rows(kind, &mut walk, now, swept).await?;
        self.live_rows(kind, &mut walk, now, stop, swept).await?;
        self.all_rows(kind, &mut walk, now, stop, swept).await?;
        Ok(mirror::save_walk(&self.store, kind, &walk).await?)
    }

    /// Rows behind the newest that is known.
    async fn new_rows(
        &self,
        kind: Kind,
        walk: &mut Walk,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        let mut after = walk.newest_id.saturating_sub(OVERLAP_IDS);
        let mut newest = walk.newest_id;
        loop {
            let page = self.billing.watched_after(kind, after, PAGE_ROWS, now).await?;
            let Some(last) = page.last else { break };
            self.page(kind, walk, &page, &[], now, swept).await?;
            (after, newest) = (last, newest.max(last));
            if page.rows.len() + page.unreadable.len() < PAGE_ROWS || !self.keep_turn().await? {
                break;
            }
        }
        (walk.newest_id, walk.newest_at) = (newest, now);
        Ok(())
    }

    /// Rows whose change waits for its hook, before all others: however many rows there are, none waits longer than a round.
    async fn waiting_rows(
        &self,
        kind: Kind,
        walk: &Walk,
        now: Timestamp,
        stop: &Stop,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        let mut after = 0;
        while !stop.is_stopped() && self.keep_turn().await? {
            let known = mirror::waiting(&self.store, kind, after, PAGE_ROWS).await?;
            let Some(last) = known.last() else { break };
            let ids: Vec<u64> = known.iter().map(|one| one.seen.id).collect();
            let page = self.billing.watched_of(kind, &ids, now).await?;
            if page.last.is_none() && self.is_suddenly_empty(kind, now).await? {
                return Ok(());
            }
            self.page(kind, walk, &page, &known, now, swept).await?;
            after = last.seen.id;
        }
        Ok(())
    }

    /// All rows that are likely to change.
    async fn live_rows(
        &self,
        kind: Kind,
        walk: &mut Walk,
        now: Timestamp,
        stop: &Stop,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        while !stop.is_stopped() && self.keep_turn().await? {
            let known = mirror::live(&self.store, kind, walk.live_after, PAGE_ROWS).await?;
            let Some(last) = known.last() else {
                walk.live_after = 0;
                break;
            };
            let ids: Vec<u64> = known.iter().map(|one| one.seen.id).collect();
            let page = self.billing.watched_of(kind, &ids, now).await?;
            if page.last.is_none() && self.is_suddenly_empty(kind, now).await? {
                return Ok(());
            }
            self.page(kind, walk, &page, &known, now, swept).await?;
            walk.live_after = last.seen.id;
        }
        Ok(())
    }

    /// Whether the platform's table has no row at all, though many are remembered: that is no news of any of them.
    async fn is_suddenly_empty(&self, kind: Kind, now: Timestamp) -> Result<bool, ProcessError> {
        let empty = self.billing.watched_after(kind, 0, 1, now).await?.last.is_none();
        if !empty || mirror::is_empty(&self.store, kind).await? {
            return Ok(false);
        }
        self.metrics.fault("sweep");
        tracing::error!(kind = kind.code(), "the platform's table is empty: is `billing.url` the right database?");
        Ok(true)
    }

    /// All rows, round after round.
    async fn all_rows(
        &self,
        kind: Kind,
        walk: &mut Walk,
        now: Timestamp,
        stop: &Stop,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        let mut left = self.settings.rows_max;
        while left > 0 && !stop.is_stopped() && self.keep_turn().await? {
            let limit = PAGE_ROWS.min(left);
            let page = self.billing.watched_after(kind, walk.walk_after, limit, now).await?;
            if page.last.is_none() && walk.walk_after == 0 && self.is_suddenly_empty(kind, now).await? {
                return Ok(());
            }
            let is_last = page.rows.len() + page.unreadable.len() < limit;
            let until = if is_last { u64::MAX } else { page.last.unwrap_or(u64::MAX) };
            let known = mirror::of_range(&self.store, kind, walk.walk_after, until, 4 * PAGE_ROWS).await?;
            let until = if known.len() < 4 * PAGE_ROWS { until } else { known[known.len() - 1].seen.id };
            self.page(kind, walk, &page, &known, now, swept).await?;
            left -= limit;
            if until == u64::MAX {
                (walk.round_before, walk.round_at, walk.walk_after) = (walk.round_at, now, 0);
                break;
            }
            walk.walk_after = until;
        }
        Ok(())
    }

    /// Compares a page; what is remembered of it and not there is `expected` without it.
    async fn page(
        &self,
        kind: Kind,
        walk: &Walk,
        page: &Page,
        expected: &[Mirrored],
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        for (_, error) in &page.unreadable {
            tracing::warn!(%error, "the sweep passes over a row");
        }
        let there: HashSet<u64> =
            page.rows.iter().map(|row| row.seen.id).chain(page.unreadable.iter().map(|(id, _)| *id)).collect();
        let missing: Vec<Mirrored> = expected.iter().filter(|one| !there.contains(&one.seen.id)).cloned().collect();
        let ids: Vec<u64> = page.rows.iter().map(|row| row.seen.id).collect();
        let mirror: BTreeMap<u64, Mirrored> =
            mirror::of_ids(&self.store, kind, &ids).await?.into_iter().map(|one| (one.seen.id, one)).collect();
        let rule =
            Rule { now, grace: self.settings.grace, age_max: self.settings.age_max, zone: self.settings.zone.clone() };
        let compared = compare(kind, &page.rows, &missing, &mirror, walk, &rule);
        // One that is new was not there when the newest rows were last looked at; of others nobody knows.
        let since = |id: u64| if id > walk.newest_id { walk.newest_at } else { now };
        self.anchors(kind, &page.rows, &missing, since, now).await?;
        swept.rows += page.rows.len() as u64;
        swept.old += compared.old;
        self.tell(kind, compared, now, swept).await
    }

    /// Remembers the dates that steps are counted from.
    async fn anchors(
        &self,
        kind: Kind,
        rows: &[Watched],
        missing: &[Mirrored],
        since: impl Fn(u64) -> Timestamp,
        now: Timestamp,
    ) -> Result<(), ProcessError> {
        let ids: Vec<u64> = rows.iter().map(|row| row.seen.id).chain(missing.iter().map(|one| one.seen.id)).collect();
        let known = anchor::of_ids(&self.store, kind, &ids).await?;
        let changes = anchors::changes(rows, known, since);
        if changes.is_empty() {
            return Ok(());
        }
        Ok(anchor::change(&self.store, &changes, now).await?)
    }

    /// Events first, memory after: whoever dies in between tells the same events again, which are known.
    async fn tell(
        &self,
        kind: Kind,
        compared: Compared,
        now: Timestamp,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        let Compared { mut changes, mut due, moved, .. } = compared;
        due.truncate(self.settings.events_max.saturating_sub(usize::try_from(swept.stored).unwrap_or(usize::MAX)));
        self.tell_due(&due, now, swept).await?;
        changes.extend(due.iter().map(|one| settled(one, now)));
        self.tell_moved(&moved, now, swept).await?;
        changes.extend(moved.into_iter().map(|one| Change::Rename { seen: one.seen, at: now }));
        Ok(mirror::change(&self.store, kind, &changes).await?)
    }

    async fn tell_due(&self, due: &[Due], now: Timestamp, swept: &mut Swept) -> Result<(), ProcessError> {
        if due.is_empty() {
            return Ok(());
        }
        let catalogue = self.catalogue.load_full();
        let paid: Vec<u64> =
            due.iter().filter(|d| d.kind == Kind::Invoice && d.seen.state == "Paid").map(|d| d.seen.id).collect();
        let paid_by = self.billing.with_payment(&paid, now).await?;
        let tellings = due
            .iter()
            .flat_map(|one| words::of(one, paid_by.contains(&one.seen.id)).into_iter().map(move |said| (one, said)))
            .filter_map(|(one, said)| Telling::new(&catalogue, said, one, now))
            .collect();
        let (left, heard) = unheard(&self.store, &catalogue, tellings).await?;
        swept.heard += heard;
        self.put(left.into_iter().map(|telling| telling.event).collect(), swept).await
    }

    async fn tell_moved(&self, moved: &[Moved], now: Timestamp, swept: &mut Swept) -> Result<(), ProcessError> {
        let catalogue = self.catalogue.load_full();
        let mut events = Vec::new();
        for one in moved {
            let Some(said) = words::of_owner(one) else { continue };
            tracing::info!(kind = one.kind.code(), id = one.seen.id, "another owner");
            if catalogue.fired_by(said.hook).any(|(entry, _)| entry.hookpoint.enabled) {
                events.push(words::event(&said, one.since, one.since, now));
            }
        }
        self.put(events, swept).await
    }

    async fn put(&self, events: Vec<NewEvent>, swept: &mut Swept) -> Result<(), ProcessError> {
        if events.is_empty() {
            return Ok(());
        }
        // One that is there already was found before.
        let inserted = inbox::insert(&self.store, &events).await?;
        swept.stored += inserted.iter().filter(|one| **one == inbox::Inserted::New).count() as u64;
        self.inbox_bell.notify_waiters();
        Ok(())
    }

    /// Services that changed there and back between two sweeps, where only the first hook was heard: the client was alerted
    /// "suspended", and the row says otherwise.
    async fn told_otherwise(&self, now: Timestamp, swept: &mut Swept) -> Result<(), ProcessError> {
        let catalogue = self.catalogue.load_full();
        let machines: Vec<&str> = catalogue
            .entries()
            .filter(|entry| entry.hookpoint.subject == SubjectKind::Service)
            .filter_map(|entry| match &entry.hookpoint.transition {
                Transition::State { machine, .. } => Some(machine.as_str()),
                _ => None,
            })
            .collect();
        let (from, until) = (now - self.settings.age_max, now - self.settings.grace);
        let moved = known_events::moved(&self.store, &machines, from, until, MOVED_MAX).await?;
        let states: BTreeMap<u64, (&str, Timestamp)> = moved
            .iter()
            .filter(|(_, subject, ..)| subject.kind == SubjectKind::Service)
            .filter_map(|(_, subject, state, at)| Some((subject.id, (words::service_status(state)?, *at))))
            .collect();
        let ids: Vec<u64> = states.keys().copied().collect();
        let mut due = Vec::new();
        for ids in ids.chunks(PAGE_ROWS) {
            let remembered = mirror::of_ids(&self.store, Kind::Service, ids).await?;
            let remembered: HashMap<u64, Mirrored> = remembered.into_iter().map(|one| (one.seen.id, one)).collect();
            for row in self.billing.watched_of(Kind::Service, ids, now).await?.rows {
                due.extend(otherwise(&row, states[&row.seen.id], remembered.get(&row.seen.id)));
            }
        }
        // Only who was really alerted may hear that it is over.
        let clients: Vec<ClientId> = due.iter().filter_map(|one| one.seen.owner.map(ClientId)).collect();
        let subjects: Vec<Subject> =
            due.iter().map(|one| Subject { kind: SubjectKind::Service, id: one.seen.id }).collect();
        let alerted = known_events::alerted(&self.store, &clients, &subjects, from).await?;
        due.retain(|one| {
            alerted
                .iter()
                .any(|(subject, hookpoint)| subject.id == one.seen.id && says(&catalogue, hookpoint, &one.before))
        });
        due.truncate(self.settings.events_max.saturating_sub(usize::try_from(swept.stored).unwrap_or(usize::MAX)));
        self.tell_due(&due, now, swept).await
    }
}

/// A service in another state than the one heard of last, although the sweep never saw it leave.
fn otherwise(row: &Watched, (status, at): (&str, Timestamp), remembered: Option<&Mirrored>) -> Option<Due> {
    let settled =
        remembered.is_some_and(|known| known.pending.is_none() && known.seen.state == row.seen.state && known.at <= at);
    let now_is = words::service_state(&row.seen.state)?;
    (settled && words::service_state(status) != Some(now_is)).then(|| Due {
        kind: Kind::Service,
        before: status.to_owned(),
        seen: row.seen.clone(),
        invoice: 0,
        since: at,
        first_at: at,
    })
}

/// Whether `hookpoint` tells of a service that its status is `status`.
fn says(catalogue: &Catalogue, hookpoint: &crate::domain::hookpoint::HookpointId, status: &str) -> bool {
    let word = words::service_state(status).map(|state| format!("'{state}'"));
    catalogue.entry(hookpoint).is_some_and(|entry| match &entry.hookpoint.transition {
        Transition::State { to, .. } => Some(to) == word.as_ref(),
        _ => false,
    })
}
