//! Owns: what alerts by date would go out in the days to come, of hookpoints that are on and of those that are off.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::{AdminError, Desk};
use crate::billing::Want;
use crate::catalogue::{Entry, Verdict};
use crate::domain::admin::{Role, Who};
use crate::domain::event::{HookEvent, SCHEDULE};
use crate::domain::hookpoint::{HookpointId, Subject, Trigger};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Facts};
use crate::domain::schedule::{Anchor, Schedule, moment};
use crate::envelope;
use crate::process::plan::reason_of;
use crate::process::schedule::steps::{self, Come, Step};
use crate::rules::recipients::{Circle, Policy, recipients};
use crate::store::anchor::{self, Anchored};

/// Days that are looked ahead, today included.
pub const DAYS: i32 = 14;
/// Rows of one step that are shown.
pub const ROWS_MAX: usize = 50;

/// What would go out.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// In the order of days.
    pub steps: Vec<StepAhead>,
    /// Whether the rows' dates are read at all: the sweep does it.
    pub sweep_runs: bool,
}

/// One step of a hookpoint, on the day that it comes.
#[derive(Clone, Debug)]
pub struct StepAhead {
    pub hookpoint: HookpointId,
    pub enabled: bool,
    pub on: Date,
    pub of: Anchor,
    /// Days from the date, as the hookpoint names them.
    pub days: i16,
    /// Rows whose step it is; what is decided on the day may be less.
    pub rows: u64,
}

/// One row of a step, and what would become of it now.
#[derive(Clone, Debug)]
pub struct RowAhead {
    pub subject: Subject,
    pub client: Option<u64>,
    pub of: Anchor,
    pub days: i16,
    pub at: Timestamp,
    /// How many people would get it, or why nobody.
    pub outcome: Result<usize, Reason>,
}

/// The steps of the next days, of the hookpoint `only` or of all.
///
/// # Errors
/// The role; a database.
pub async fn steps(desk: &Desk, who: &Who, only: Option<&str>) -> Result<Ahead, AdminError> {
    desk.require(who, Role::Viewer)?;
    let now = desk.now();
    let today = now.to_zoned(desk.zone()).date();
    let last = later(today, DAYS - 1)?;
    let platform = desk.billing.platform(now).await?;
    let catalogue = desk.catalogue.load_full();
    let mut counted: BTreeMap<Anchor, BTreeMap<Date, u64>> = BTreeMap::new();
    let mut all = Vec::new();
    for (entry, schedule) in schedules(catalogue.entries(), only) {
        let Some(plus) = steps::offset(schedule, &platform) else { continue };
        for days in &schedule.days {
            let offset = plus + i32::from(*days);
            if let std::collections::btree_map::Entry::Vacant(e) = counted.entry(schedule.of) {
                // All that any step of this date may need, in one range of an index.
                let (from, until) = (later(today, -800)?, later(last, 800)?);
                let rows = anchor::per_day(&desk.store, schedule.of, from, until).await?;
                e.insert(rows.into_iter().collect());
            }
            let rows = &counted[&schedule.of];
            for ahead in 0..DAYS {
                let on = later(today, ahead)?;
                let day = later(on, -offset)?;
                // What has come already today is no forecast.
                let is_over = moment(day, offset, schedule.at, &desk.zone()).is_none_or(|at| at <= now);
                let rows = rows.get(&day).copied().unwrap_or(0);
                if rows > 0 && !is_over {
                    let hookpoint = &entry.hookpoint;
                    let (hookpoint, enabled) = (hookpoint.id.clone(), hookpoint.enabled);
                    all.push(StepAhead { hookpoint, enabled, on, of: schedule.of, days: *days, rows });
                }
            }
        }
    }
    all.sort_by(|a, b| (a.on, &a.hookpoint, a.days).cmp(&(b.on, &b.hookpoint, b.days)));
    Ok(Ahead { steps: all, sweep_runs: desk.config.sweep.enabled })
}

/// The rows of `hookpoint`'s steps on the day `on`, and what would become of each if it were that day; whether there are more.
///
/// # Errors
/// The role, no such hookpoint, a database.
pub async fn rows(desk: &Desk, who: &Who, hookpoint: &str, on: Date) -> Result<(Vec<RowAhead>, bool), AdminError> {
    desk.require(who, Role::Viewer)?;
    let now = desk.now();
    let id = HookpointId::parse(hookpoint).ok_or(AdminError::NotFound("hookpoint"))?;
    let catalogue = desk.catalogue.load_full();
    let entry = catalogue.entry(&id).ok_or(AdminError::NotFound("hookpoint"))?;
    let platform = desk.billing.platform(now).await?;
    let people = Policy::of(&desk.config).at(&platform);
    let zones = desk.config.zones();
    let (mut all, mut more) = (Vec::new(), false);
    for (_, schedule) in schedules(std::iter::once(entry), None) {
        let Some(plus) = steps::offset(schedule, &platform) else { continue };
        for days in &schedule.days {
            let offset = plus + i32::from(*days);
            let found = anchor::on_day(&desk.store, schedule.of, later(on, -offset)?, 0, ROWS_MAX + 1).await?;
            more |= found.len() > ROWS_MAX;
            let found = &found[..found.len().min(ROWS_MAX)];
            let owners = found.iter().filter_map(|row| row.owner).collect();
            let countries = desk.billing.countries(&owners).await?;
            let step = Step {
                hookpoint: id.to_string(),
                anchor: schedule.of,
                days: *days,
                offset,
                at: schedule.at,
                since: Timestamp::UNIX_EPOCH,
            };
            let wants: Vec<Want> = found.iter().map(|row| Want::of(subject(row))).collect();
            let facts = desk.billing.gather(&wants, now).await?;
            for (row, facts) in found.iter().zip(facts) {
                let country = row.owner.and_then(|owner| countries.get(&owner)).map_or("", String::as_str);
                let Some(at) = moment(row.day, offset, schedule.at, zones.of(country)) else { continue };
                let outcome = match facts {
                    Ok(all) => all.iter().map(|facts| told(entry, row, &step, at, facts, &people)).sum(),
                    Err(missing) => Err(reason_of(&missing)),
                };
                all.push(RowAhead {
                    subject: subject(row),
                    client: row.owner,
                    of: row.anchor,
                    days: *days,
                    at,
                    outcome,
                });
            }
        }
    }
    Ok((all, more))
}

/// How many would get it, as things are now.
fn told(
    entry: &Entry,
    row: &Anchored,
    step: &Step,
    at: Timestamp,
    facts: &Facts,
    people: &Policy,
) -> Result<usize, Reason> {
    let Some(event) = event(row, step, at) else { return Err(Reason::SubjectUnreadable) };
    match entry.applies(&event, facts) {
        Verdict::Holds if facts.client.status == ClientStatus::Closed => Err(Reason::ClientClosed),
        Verdict::Holds => {
            let circle = Circle { audience: entry.hookpoint.audience, users: entry.hookpoint.users };
            let (told, left_out) = recipients(facts, circle, people);
            match (told.len(), left_out.first()) {
                (0, Some(one)) => Err(one.reason),
                (n, _) => Ok(n),
            }
        }
        Verdict::No { reason, .. } | Verdict::NotYet { reason, .. } => Err(reason),
    }
}

/// The event that the step will be.
fn event(row: &Anchored, step: &Step, at: Timestamp) -> Option<HookEvent> {
    let new = steps::event(row, &Come { step, at }, at);
    envelope::parse(&new.id, SCHEDULE, new.body.as_bytes()).ok()
}

fn subject(row: &Anchored) -> Subject {
    Subject { kind: row.anchor.subject(), id: row.id }
}

fn schedules<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    only: Option<&str>,
) -> impl Iterator<Item = (&'a Entry, &'a Schedule)> {
    let named = move |entry: &&Entry| only.is_none_or(|name| entry.hookpoint.id.as_str() == name);
    let steps = |trigger: &'a Trigger| trigger.schedule.as_ref();
    entries
        .filter(named)
        .flat_map(move |entry| entry.hookpoint.triggers.iter().filter_map(steps).map(move |schedule| (entry, schedule)))
}

fn later(day: Date, days: i32) -> Result<Date, AdminError> {
    day.checked_add(days.days()).map_err(|_| AdminError::invalid("day", "is beyond the calendar"))
}
