//! Owns: whether all is well: the sending numbers, what waits, what needs an answer, how alerts ended, which hooks are silent.
//! Everything is read from what is small: queues, settings, and the counts per hour. The counts follow within a minute for the
//! last two hours, a quarter of an hour for two days, and six hours for a week.

mod look;
pub mod need;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::look::{needs, sweep_is_late};
use self::need::{Need, Past};
use super::{AdminError, Desk, View};
use crate::domain::admin::{Role, Who};
use crate::domain::closed_list::closed_list;
use crate::figures::{self, HookLine};
use crate::health::{Running, running};
use crate::store::figure::{self, HOUR, Kind, News, hour_of};
use crate::store::lane::{self, Pause};
use crate::store::needs as seen;
use crate::store::recipient_window::{self, WINDOW};
use crate::store::{StoreError, inbox, lane_setting, outbox};
/// The pace is measured over so long.
const PACE: SignedDuration = SignedDuration::from_secs(30);
/// A number without a limit: recipients are counted up to here.
const RECIPIENTS_COUNTED: u32 = 100_000;
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
    /// The instances that run, each with its last report.
    pub instances: Vec<Running>,
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

/// How things stand now.
///
/// # Errors
/// The role, or the database.
pub async fn now(desk: &Desk, who: &Who) -> Result<Overview, AdminError> {
    desk.require(who, Role::Viewer)?;
    Ok(state(&desk.view()).await?)
}

/// The same without asking who looks: for the metrics.
///
/// # Errors
/// The database.
pub async fn state(view: &View) -> Result<Overview, StoreError> {
    let at = view.clock.now();
    let (depth, oldest) = inbox::depth(&view.store).await?;
    let inbox = Queue { depth, oldest };
    let numbers = numbers(view, at).await?;
    let instances = running(&view.store, at).await?;
    let mut state = Overview { at, needs: Vec::new(), inbox, numbers, instances };
    state.needs = needs(view, &state).await?;
    Ok(state)
}

/// Takes note of what a need says of the past: it is not shown again until there is something new.
///
/// # Errors
/// The role; there is no such need, or it is a state that lasts until it is mended; the database.
pub async fn take_note(desk: &Desk, who: &Who, code: &str) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    let past = Past::parse(code).ok_or(AdminError::NotFound("need that one can take note of"))?;
    let record = desk.record(who, "need.seen", (past.code(), None), false);
    Ok(seen::note_seen(&desk.store, past.code(), &record).await?)
}

async fn numbers(view: &View, at: Timestamp) -> Result<Vec<Number>, StoreError> {
    let depth = outbox::depth(&view.store).await?;
    let stops = lane::paused(&view.store, at).await?;
    let attempts = lane::attempts(&view.store, at - PACE).await?;
    let news = figure::news(&view.store).await?;
    let paces = lane_setting::paces(&view.store).await?;
    let mut numbers = Vec::new();
    for (name, sender) in &view.config.senders {
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
            recipients: recipient_window::count(&view.store, &sender.portfolio, at - WINDOW, up_to).await?,
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

/// When an hour was last counted.
async fn counted_at(view: &View, at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    Ok(figure::counted(&view.store, hour_of(at) - HOUR * 24).await?.into_values().max())
}

/// What history says.
///
/// # Errors
/// The role, or the database.
pub async fn history(desk: &Desk, who: &Who) -> Result<History, AdminError> {
    desk.require(who, Role::Viewer)?;
    Ok(history_of(&desk.view(), desk.now()).await?)
}

/// The same without asking who looks: for the weekly digest.
///
/// # Errors
/// The database.
pub async fn history_of(view: &View, at: Timestamp) -> Result<History, StoreError> {
    let zone = TimeZone::get(&view.config.billing.timezone).unwrap_or(TimeZone::UTC);
    let (mut day, mut month) = (hours(at), days(at, &zone));
    let since = month.first().map_or(at, |bar| bar.from).min(day[0].from);
    for one in figure::by_hour(&view.store, Kind::Alert, since).await? {
        for bars in [&mut day, &mut month] {
            // Bars are in order: the last that began before the hour.
            let place = bars.partition_point(|bar| bar.from <= one.hour);
            if let Some(bar) = place.checked_sub(1).and_then(|place| bars.get_mut(place)) {
                bar.add(&one.name, one.n);
            }
        }
    }
    Ok(History {
        counted_at: counted_at(view, at).await?,
        failures: reasons(view, Kind::Alert, day[0].from, since).await?,
        skips: reasons(view, Kind::Skip, day[0].from, since).await?,
        hooks: figures::hooks(&view.store, &view.catalogue.load(), at).await?,
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
async fn reasons(view: &View, kind: Kind, day: Timestamp, month: Timestamp) -> Result<Vec<Why>, StoreError> {
    let mut found: Vec<Why> = Vec::new();
    let counts = |one: &figure::Figure| kind == Kind::Skip || one.name == "failed";
    for one in figure::by_reason(&view.store, kind, month).await?.into_iter().filter(counts) {
        found.push(Why { reason: one.reason, day: 0, month: one.n });
    }
    for one in figure::by_reason(&view.store, kind, day).await?.into_iter().filter(counts) {
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
