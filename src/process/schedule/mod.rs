//! Owns: the bridge's own clock over the dates of the platform's rows. When a step's moment comes, an event takes the same road
//! as a hook: facts, conditions, recipients, and the look right before sending.
//!
//! The dates are those that the sweep read ([`super::sweep`]). One instance looks at a time; two at once would make the same
//! events. Events first, memory after: whoever dies in between makes the same events again, which are known.

pub mod steps;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use self::steps::Step;
use super::worker::ProcessError;
use crate::billing::Billing;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::domain::schedule::Zones;
use crate::metrics::{Metrics, Result1};
use crate::road::{Step as RoadStep, mark_one};
use crate::stop::Stop;
use crate::store::Store;
use crate::store::anchor::{self, Anchored, Looked, Turn};
use crate::store::inbox::{self, NewEvent};
use crate::tasks::Task;

/// Rows looked at together.
const PAGE_ROWS: usize = 500;
/// Pages of one round, of rows whose step has come, and again of the walk after a change. The rest comes with the next round.
const PAGES_MAX: usize = 20;
/// A turn that was not given back is over after this.
const TURN: SignedDuration = SignedDuration::from_mins(5);
/// How often an instance looks.
const ASK: Duration = Duration::from_secs(20);

/// Looks at dates.
#[derive(Debug)]
pub struct Scheduler {
    pub store: Store,
    pub billing: Billing,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub zones: Zones,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    /// Notified when an event was stored.
    pub inbox_bell: Arc<Notify>,
    /// Who looks: this instance.
    pub owner: String,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Another instance looks.
    pub not_our_turn: bool,
    /// Rows looked at.
    pub rows: usize,
    /// Events made.
    pub stored: usize,
    /// Events that were there already.
    pub known: usize,
    /// Rows still to be looked at, after a change of the steps or more than one round takes.
    pub goes_on: bool,
}

impl Scheduler {
    /// Looks until `stop`.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(RoadStep::Turning, &Task::Schedule);
            match self.round(&stop).await {
                Ok(round) if round.goes_on => continue,
                Ok(_) => {}
                Err(error) => {
                    self.metrics.fault("schedule");
                    tracing::warn!(%error, "looking at dates is put off");
                }
            }
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(ASK) => {}
            }
        }
    }

    /// Looks once, if it is our turn.
    ///
    /// # Errors
    /// A database; what was not remembered is found again.
    pub async fn round(&self, stop: &Stop) -> Result<Round, ProcessError> {
        let now = self.clock.now();
        let Some(mut turn) = anchor::take_turn(&self.store, &self.owner, now + TURN, now).await? else {
            return Ok(Round { not_our_turn: true, ..Round::default() });
        };
        let catalogue = self.catalogue.load_full();
        let since = anchor::since(&self.store, &steps::on(&catalogue), now).await?;
        let platform = self.billing.platform(now).await?;
        let steps = steps::of(&catalogue, &platform, &since);
        let mut round = Round::default();
        self.walk(&steps, &mut turn, now, stop, &mut round).await?;
        self.due(&steps, now, stop, &mut round).await?;
        turn.round_at = now;
        anchor::end_turn(&self.store, &self.owner, &turn).await?;
        for (result, n) in [("told", round.stored), ("known", round.known)] {
            self.metrics.schedule_steps.get_or_create(&Result1 { result }).inc_by(n as u64);
        }
        self.metrics.schedule_finished_seconds.set(now.as_second());
        Ok(round)
    }

    /// After a change of the steps: all rows, little by little. Until a row is reached its next look is the one it had.
    async fn walk(
        &self,
        steps: &[Step],
        turn: &mut Turn,
        now: Timestamp,
        stop: &Stop,
        round: &mut Round,
    ) -> Result<(), ProcessError> {
        let print = steps::print(steps, &self.zones);
        if turn.print != print {
            (turn.print, turn.after) = (print, Some((String::new(), 0)));
        }
        for _ in 0..PAGES_MAX {
            let Some(after) = turn.after.clone().filter(|_| !stop.is_stopped()) else { return Ok(()) };
            let rows = anchor::behind(&self.store, &after, PAGE_ROWS).await?;
            let last = rows.last().map(|row| (row.anchor.code().to_owned(), row.id));
            turn.after = last.filter(|_| rows.len() == PAGE_ROWS);
            self.page(steps, rows, now, round).await?;
        }
        round.goes_on |= turn.after.is_some();
        Ok(())
    }

    /// Rows whose next step has come.
    async fn due(&self, steps: &[Step], now: Timestamp, stop: &Stop, round: &mut Round) -> Result<(), ProcessError> {
        for _ in 0..PAGES_MAX {
            let rows = anchor::due(&self.store, now, PAGE_ROWS).await?;
            let is_last = rows.len() < PAGE_ROWS;
            self.page(steps, rows, now, round).await?;
            if is_last || stop.is_stopped() {
                return Ok(());
            }
        }
        round.goes_on = true;
        Ok(())
    }

    async fn page(
        &self,
        steps: &[Step],
        rows: Vec<Anchored>,
        now: Timestamp,
        round: &mut Round,
    ) -> Result<(), ProcessError> {
        let owners: BTreeSet<u64> = rows.iter().filter_map(|row| row.owner).collect();
        let countries = self.billing.countries(&owners).await?;
        let mut events: Vec<NewEvent> = Vec::new();
        let mut looked = Vec::with_capacity(rows.len());
        for row in rows {
            let country = row.owner.and_then(|owner| countries.get(&owner)).map_or("", String::as_str);
            let (come, next) = steps::look(&row, steps, self.zones.of(country), now);
            events.extend(come.iter().map(|one| steps::event(&row, one, now)));
            looked.push(Looked { row, next });
        }
        round.rows += looked.len();
        if !events.is_empty() {
            let inserted = inbox::insert(&self.store, &events).await?;
            let new = inserted.iter().filter(|one| **one == inbox::Inserted::New).count();
            round.stored += new;
            round.known += inserted.len() - new;
            self.inbox_bell.notify_waiters();
        }
        Ok(anchor::looked(&self.store, &looked, now).await?)
    }
}
