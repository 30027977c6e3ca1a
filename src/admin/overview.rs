//! Owns: whether all is well: the sending numbers, what waits, what needs an answer, how alerts ended, which hooks are silent.
//! Everything is read from what is small: queues, settings, and the counts per hour. The counts follow within a minute for the
//! last two hours, a quarter of an hour for two days, and six hours for a week.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{AdminError, Desk};
use crate::config::section::SweepConfig;
use crate::domain::admin::{Role, Who};
use crate::domain::heartbeat::{Received, Trouble};
use crate::domain::hookpoint::closed_list;
use crate::figures::stubs::stubs;
use crate::figures::{self, HookLine};
use crate::store::contacted::{self, WINDOW};
use crate::store::figure::{self, HOUR, Kind, News, hour_of};
use crate::store::hold::{self, HoldState};
use crate::store::lane::{self, Pause};
use crate::store::{inbox, lane_setting, mirror, moved, outbox, replies, restored};
use std::fmt;

/// The pace is measured over so long.
const PACE: SignedDuration = SignedDuration::from_secs(30);
/// An event that waits longer, or a message that is overdue for longer, is a reason to look.
const WAITING_MAX: SignedDuration = SignedDuration::from_mins(10);
/// Failed alerts of a day are a reason to look from so many, and so many percent of all.
const FAILED_MIN: u64 = 10;
const FAILED_PERCENT: u64 = 10;
/// From so much of its limit on, a number's recipients of the last 24 hours are a reason to look.
const RECIPIENTS_PERCENT: u64 = 90;
/// A number without a limit: recipients are counted up to here.
const RECIPIENTS_COUNTED: u32 = 100_000;
/// The sweep may be late by so much, besides its interval.
const SWEEP_LATE: SignedDuration = SignedDuration::from_mins(30);
/// Counts that are older are not kept by anybody: no instance runs.
const COUNTED_MAX: SignedDuration = SignedDuration::from_mins(10);
/// What the charts show.
const BARS_HOURS: i64 = 24;
const BARS_DAYS: i64 = 30;

/// How things stand.
#[derive(Clone, Debug)]
pub struct Overview {
    pub at: Timestamp,
    /// Empty: all is well. The most urgent first.
    pub needs: Vec<Need>,
    pub inbox: Queue,
    pub numbers: Vec<Number>,
}

/// What history says.
#[derive(Clone, Debug)]
pub struct History {
    /// When the present hour was last counted; `None`: never.
    pub counted_at: Option<Timestamp>,
    /// The last 24 hours, an hour each.
    pub day: Vec<Bar>,
    /// The last 30 days by the platform's calendar, a day each.
    pub month: Vec<Bar>,
    /// Why alerts failed, the most of the last 24 hours first.
    pub failures: Vec<Why>,
    /// What led to no alert.
    pub skips: Vec<Why>,
    pub hooks: Vec<HookLine>,
}

/// What waits, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    pub depth: u64,
    /// When the oldest came, or was due.
    pub oldest: Option<Timestamp>,
}

/// A sending number.
#[derive(Clone, Debug)]
pub struct Number {
    pub name: String,
    pub stopped: Option<Pause>,
    /// Attempts per second, over the last half minute, and how many may be.
    pub pace: f64,
    pub pace_max: u32,
    /// Different recipients of its portfolio within 24 hours, and how many may be; 0: as many as there are.
    pub recipients: u64,
    pub recipients_max: u32,
    /// The last that the provider said of it.
    pub news: Option<News>,
    pub queued: Queue,
    pub sending: Queue,
    pub held: Queue,
    pub unknown: Queue,
}

closed_list! {
    /// How alerts stand, as the charts tell them apart.
    Standing {
        Delivered = "delivered",
        Sent = "sent",
        Open = "open",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl Standing {
    /// Where a counted name belongs.
    fn of(name: &str) -> Self {
        match name {
            "delivered" | "read" => Self::Delivered,
            "accepted" | "sent" => Self::Sent,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => Self::Open,
        }
    }
}

/// Alerts of an hour or a day, by how they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    pub from: Timestamp,
    /// In the order of [`Standing::ALL`].
    pub counts: [u64; 5],
    /// Of the delivered ones.
    pub read: u64,
}

impl Bar {
    const fn new(from: Timestamp) -> Self {
        Self { from, counts: [0; 5], read: 0 }
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn add(&mut self, name: &str, n: u64) {
        let place = Standing::ALL.iter().position(|one| *one == Standing::of(name)).unwrap_or(0);
        self.counts[place] += n;
        self.read += if name == "read" { n } else { 0 };
    }
}

/// A reason, and how often it was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub reason: String,
    pub day: u64,
    pub month: u64,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A sending number is stopped.
    Stopped { lane: String, until: Timestamp, why: String },
    /// Alerts are held, because there were more than usual.
    Held { alerts: u64, holds: usize },
    /// Our schema was restored from an older dump: what was queued before waits.
    Restored { messages: u64 },
    /// Messages of which nobody knows whether they went out.
    Unknown { messages: u64 },
    /// Events are not processed.
    InboxOld { oldest: Timestamp },
    /// Messages are overdue.
    OutboxOld { lane: String, oldest: Timestamp },
    /// Nothing comes from a hook for longer than is usual.
    Silent { hook: String, last: Timestamp },
    /// A stub is not well.
    Stub { trouble: Trouble, last: Box<Received> },
    /// Many alerts of the last 24 hours failed.
    Failing { failed: u64, all: u64 },
    /// A number nearly used up its recipients of 24 hours.
    NearLimit { lane: String, used: u64, max: u32 },
    /// Clients changed their numbers, and nobody took note.
    NumberChanged { n: u64 },
    /// Replies that look like a request about alerts, and opt-outs of somebody to whom no alert of ours went.
    Replies { replies: u64 },
    /// The sweep does not run.
    SweepLate,
    /// Nobody counts: probably no instance runs.
    NotCounted { last: Option<Timestamp> },
}

impl Need {
    /// Its name for programs and for the page's words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stopped { .. } => "stopped",
            Self::Held { .. } => "held",
            Self::Restored { .. } => "restored",
            Self::Unknown { .. } => "unknown",
            Self::InboxOld { .. } => "inbox_old",
            Self::OutboxOld { .. } => "outbox_old",
            Self::Silent { .. } => "silent",
            Self::Stub { trouble, .. } => match trouble {
                Trouble::Silent => "stub_silent",
                Trouble::Fault => "stub_fault",
                Trouble::Skewed => "stub_skewed",
                Trouble::Waits => "stub_waits",
                Trouble::Lost => "stub_lost",
                Trouble::Aside => "stub_aside",
                Trouble::Hooks => "stub_hooks",
                Trouble::Old => "stub_old",
            },
            Self::Failing { .. } => "failing",
            Self::NearLimit { .. } => "near_limit",
            Self::NumberChanged { .. } => "number_changed",
            Self::Replies { .. } => "replies",
            Self::SweepLate => "sweep_late",
            Self::NotCounted { .. } => "not_counted",
        }
    }

    /// Whether alerts do not go out because of it, now.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        matches!(
            self,
            Self::Stub { trouble: Trouble::Silent | Trouble::Fault | Trouble::Skewed, .. }
                | Self::Stopped { .. }
                | Self::Restored { .. }
                | Self::InboxOld { .. }
                | Self::OutboxOld { .. }
                | Self::NotCounted { .. }
        )
    }
}

/// How things stand now.
///
/// # Errors
/// The role, or the database.
pub async fn now(desk: &Desk, who: &Who) -> Result<Overview, AdminError> {
    desk.require(who, Role::Viewer)?;
    let at = desk.now();
    let (depth, oldest) = inbox::depth(&desk.store).await?;
    let inbox = Queue { depth, oldest };
    let numbers = numbers(desk, at).await?;
    let needs = needs(desk, at, inbox, &numbers).await?;
    Ok(Overview { at, needs, inbox, numbers })
}

async fn numbers(desk: &Desk, at: Timestamp) -> Result<Vec<Number>, AdminError> {
    let depth = outbox::depth(&desk.store).await?;
    let stops = lane::paused(&desk.store, at).await?;
    let attempts = lane::attempts(&desk.store, at - PACE).await?;
    let news = figure::news(&desk.store).await?;
    let paces = lane_setting::paces(&desk.store).await?;
    let mut numbers = Vec::new();
    for (name, sender) in &desk.config.senders {
        let queue = |state: &str| {
            let found = depth.iter().find(|(lane, one, ..)| lane == name && one == state);
            found.map_or_else(Queue::default, |(_, _, depth, oldest)| Queue { depth: *depth, oldest: *oldest })
        };
        let made = attempts.iter().find(|(lane, _)| lane == name).map_or(0, |(_, n)| *n);
        let max = sender.recipients_per_day;
        let up_to = if max == 0 { RECIPIENTS_COUNTED } else { max };
        numbers.push(Number {
            name: name.clone(),
            stopped: stops.iter().find(|stop| stop.lane == *name).cloned(),
            pace: f64::from(u32::try_from(made).unwrap_or(u32::MAX)) / PACE.as_secs_f64(),
            pace_max: paces.get(name).map_or(sender.rate_per_s, |pace| (*pace).min(sender.rate_per_s)),
            recipients: contacted::count(&desk.store, &sender.portfolio, at - WINDOW, up_to).await?,
            recipients_max: max,
            news: news.iter().find(|one| one.lane == *name).cloned(),
            queued: queue("queued"),
            sending: queue("sending"),
            held: queue("held"),
            unknown: queue("unknown"),
        });
    }
    Ok(numbers)
}

async fn needs(desk: &Desk, at: Timestamp, inbox: Queue, numbers: &[Number]) -> Result<Vec<Need>, AdminError> {
    let old = |queue: Queue| queue.oldest.filter(|oldest| at.duration_since(*oldest) > WAITING_MAX);
    let mut needs = Vec::new();
    if let Some(oldest) = old(inbox) {
        needs.push(Need::InboxOld { oldest });
    }
    for number in numbers {
        let lane = || number.name.clone();
        if let Some(stop) = &number.stopped {
            needs.push(Need::Stopped { lane: lane(), until: stop.until, why: stop.detail.clone() });
        } else if let Some(oldest) = old(number.queued) {
            needs.push(Need::OutboxOld { lane: lane(), oldest });
        }
        let (used, max) = (number.recipients, number.recipients_max);
        if max > 0 && used * 100 >= u64::from(max) * RECIPIENTS_PERCENT {
            needs.push(Need::NearLimit { lane: lane(), used, max });
        }
    }
    let holds = hold::all(&desk.store).await?.iter().filter(|hold| hold.state == HoldState::Asked).count();
    if holds > 0 {
        needs.push(Need::Held { alerts: numbers.iter().map(|number| number.held.depth).sum(), holds });
    }
    let waiting = restored::waiting(&desk.store).await?;
    if waiting > 0 {
        needs.push(Need::Restored { messages: waiting });
    }
    let unknown: u64 = numbers.iter().map(|number| number.unknown.depth).sum();
    if unknown > 0 {
        needs.push(Need::Unknown { messages: unknown });
    }
    let changed = moved::open(&desk.store).await?;
    if changed > 0 {
        needs.push(Need::NumberChanged { n: changed });
    }
    let day = figure::by_hour(&desk.store, Kind::Alert, hour_of(at - HOUR * 24)).await?;
    let all: u64 = day.iter().map(|one| one.n).sum();
    let failed: u64 = day.iter().filter(|one| one.name == "failed").map(|one| one.n).sum();
    if failed >= FAILED_MIN && failed * 100 >= all * FAILED_PERCENT {
        needs.push(Need::Failing { failed, all });
    }
    for line in figures::hooks(&desk.store, &desk.catalogue.load(), at).await? {
        if let Some(last) = line.last_at.filter(|_| line.is_silent(at)) {
            needs.push(Need::Silent { hook: line.hook, last });
        }
    }
    for stub in stubs(&desk.store, &desk.config.sources, at).await? {
        let need = |trouble: &Trouble| Need::Stub { trouble: *trouble, last: Box::new(stub.last.clone()) };
        needs.extend(stub.troubles.iter().map(need));
    }
    let (_, replies) = replies::unseen(&desk.store).await?;
    if replies > 0 {
        needs.push(Need::Replies { replies });
    }
    let sweep = &desk.config.sweep;
    if sweep.enabled && mirror::next_turn(&desk.store).await?.is_none_or(|next| sweep_is_late(sweep, next, at)) {
        needs.push(Need::SweepLate);
    }
    let last = counted_at(desk, at).await?;
    if last.is_none_or(|last| at.duration_since(last) > COUNTED_MAX) {
        needs.push(Need::NotCounted { last });
    }
    needs.sort_by_key(|need| !need.is_urgent());
    Ok(needs)
}

/// Whether a sweep that was due at `next` should be over.
#[must_use]
pub fn sweep_is_late(sweep: &SweepConfig, next: Timestamp, at: Timestamp) -> bool {
    at.duration_since(next) > SignedDuration::from_mins(sweep.every_min.into()) + SWEEP_LATE
}

/// When an hour was last counted.
async fn counted_at(desk: &Desk, at: Timestamp) -> Result<Option<Timestamp>, AdminError> {
    Ok(figure::counted(&desk.store, hour_of(at) - HOUR * 24).await?.into_values().max())
}

/// What history says.
///
/// # Errors
/// The role, or the database.
pub async fn history(desk: &Desk, who: &Who) -> Result<History, AdminError> {
    desk.require(who, Role::Viewer)?;
    let at = desk.now();
    let zone = TimeZone::get(&desk.config.billing.timezone).unwrap_or(TimeZone::UTC);
    let (mut day, mut month) = (hours(at), days(at, &zone));
    let since = month.first().map_or(at, |bar| bar.from).min(day[0].from);
    for one in figure::by_hour(&desk.store, Kind::Alert, since).await? {
        for bars in [&mut day, &mut month] {
            // Bars are in order: the last that began before the hour.
            let place = bars.partition_point(|bar| bar.from <= one.hour);
            if let Some(bar) = place.checked_sub(1).and_then(|place| bars.get_mut(place)) {
                bar.add(&one.name, one.n);
            }
        }
    }
    Ok(History {
        counted_at: counted_at(desk, at).await?,
        failures: reasons(desk, Kind::Alert, day[0].from, since).await?,
        skips: reasons(desk, Kind::Skip, day[0].from, since).await?,
        hooks: figures::hooks(&desk.store, &desk.catalogue.load(), at).await?,
        day,
        month,
    })
}

fn hours(at: Timestamp) -> Vec<Bar> {
    (0..BARS_HOURS).rev().map(|back| Bar::new(hour_of(at) - HOUR * i32::try_from(back).unwrap_or(0))).collect()
}

/// Days begin at the platform's midnight; in a zone that is apart by half an hour, at the hour after.
fn days(at: Timestamp, zone: &TimeZone) -> Vec<Bar> {
    let today = at.to_zoned(zone.clone()).date();
    (0..BARS_DAYS)
        .rev()
        .filter_map(|back| {
            let date = today.checked_sub(jiff::Span::new().days(back)).ok()?;
            Some(Bar::new(date.to_zoned(zone.clone()).ok()?.timestamp()))
        })
        .collect()
}

/// Reasons of both spans, the most of the last 24 hours first. Of alerts only what failed.
async fn reasons(desk: &Desk, kind: Kind, day: Timestamp, month: Timestamp) -> Result<Vec<Why>, AdminError> {
    let mut found: Vec<Why> = Vec::new();
    let counts = |one: &figure::Figure| kind == Kind::Skip || one.name == "failed";
    for one in figure::by_reason(&desk.store, kind, month).await?.into_iter().filter(counts) {
        found.push(Why { reason: one.reason, day: 0, month: one.n });
    }
    for one in figure::by_reason(&desk.store, kind, day).await?.into_iter().filter(counts) {
        match found.iter_mut().find(|why| why.reason == one.reason) {
            Some(why) => why.day = one.n,
            // Counted just now.
            None => found.push(Why { reason: one.reason, day: one.n, month: one.n }),
        }
    }
    found.sort_by(|a, b| (b.day, b.month, &a.reason).cmp(&(a.day, a.month, &b.reason)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_the_platforms_midnight() {
        let zone = TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
        let at = "2026-11-25T02:30:00Z".parse().expect("a moment");
        let days = days(at, &zone);
        assert_eq!(days.len(), 30);
        assert_eq!(days.last().map(|bar| bar.from.to_string()).as_deref(), Some("2026-11-24T03:00:00Z"));
        let hours = hours(at);
        assert_eq!((hours.len(), hours[23].from.to_string().as_str()), (24, "2026-11-25T02:00:00Z"));
    }
}
