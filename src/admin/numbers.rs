//! Owns: sending numbers: how each stands, pausing, resuming, its pace.

use jiff::{SignedDuration, Timestamp};

use super::{AdminError, Desk, Mistake};
use crate::domain::admin::{Role, Who};
use crate::store::contacted::{self, WINDOW};
use crate::store::lane::{self, Pause, PausedBy};
use crate::store::{lane_setting, lease, outbox};

/// Longest pause: a year. Messages expire before.
pub const PAUSE_MAX_MIN: u32 = 525_600;
/// Recipients of a number are counted up to here: twice what Meta's largest limit with a number allows.
const COUNTED_MAX: u32 = 200_000;
/// The pace that is used is looked at over so long.
const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// How a number stands.
#[derive(Debug)]
pub struct Standing {
    pub name: String,
    pub pause: Option<Pause>,
    /// Messages per second now, and at most.
    pub pace: u32,
    pub pace_max: u32,
    /// Different people that its portfolio wrote to in the last minute, in 24 hours, and how many it may (0: no limit).
    pub recent: u64,
    pub day: u64,
    pub day_max: u32,
    /// Which instance sends.
    pub owner: Option<String>,
    pub queued: u64,
    pub held: u64,
    pub sending: u64,
    pub unknown: u64,
    /// App secrets that verify its webhooks: more than one while they are rotated.
    pub app_secrets: usize,
}

/// All numbers.
///
/// # Errors
/// The database.
pub async fn all(desk: &Desk) -> Result<Vec<Standing>, AdminError> {
    let (store, now) = (&desk.store, desk.now());
    let (stops, depth, leases) =
        (lane::paused(store, now).await?, outbox::depth(store).await?, lease::all(store).await?);
    let paces = lane_setting::paces(store).await?;
    let mut all = Vec::new();
    for (name, sender) in &desk.config.senders {
        let count = |state: &str| {
            depth.iter().find(|(lane, one, ..)| lane == name && one == state).map_or(0, |(_, _, n, _)| *n)
        };
        all.push(Standing {
            name: name.clone(),
            pause: stops.iter().find(|stop| stop.lane == *name).cloned(),
            pace: paces.get(name).map_or(sender.rate_per_s, |pace| (*pace).min(sender.rate_per_s)),
            pace_max: sender.rate_per_s,
            recent: contacted::count(store, &sender.portfolio, now - RECENT, COUNTED_MAX).await?,
            day: contacted::count(store, &sender.portfolio, now - WINDOW, COUNTED_MAX).await?,
            day_max: sender.recipients_per_day,
            owner: leases
                .iter()
                .find(|(lease, ..)| *lease == sender.portfolio)
                .and_then(|(_, owner, ..)| owner.clone()),
            queued: count("queued"),
            held: count("held"),
            sending: count("sending"),
            unknown: count("unknown"),
            app_secrets: sender.app_secret.len(),
        });
    }
    Ok(all)
}

/// Stops a number for so many minutes. Its queue is kept.
///
/// # Errors
/// The role, no such number, no time or no reason; the database.
pub async fn pause(desk: &Desk, who: &Who, name: &str, minutes: u32, why: &str) -> Result<Timestamp, AdminError> {
    desk.require(who, Role::Operator)?;
    known(desk, name)?;
    let mut mistakes = Vec::new();
    if !(1..=PAUSE_MAX_MIN).contains(&minutes) {
        mistakes.push(Mistake::new("minutes", "numbers.minutes_bad"));
    }
    if why.trim().is_empty() {
        mistakes.push(Mistake::new("why", "form.needed"));
    }
    if !mistakes.is_empty() {
        return Err(AdminError::Invalid(mistakes));
    }
    let until = desk.now() + SignedDuration::from_mins(minutes.into());
    let detail = format!("{}: {}", who.name, why.trim());
    let stop = Pause { lane: name.to_owned(), until, by: PausedBy::Operator, detail };
    let about = (format!("lane:{name}"), Some(format!("until {until}: {}", why.trim())));
    lane::pause_recorded(&desk.store, &stop, &desk.record(who, "number.pause", about, false)).await?;
    Ok(until)
}

/// Lets a number send again, whoever stopped it.
///
/// # Errors
/// The role, no such number; the database.
pub async fn resume(desk: &Desk, who: &Who, name: &str) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    known(desk, name)?;
    let record = desk.record(who, "number.resume", (format!("lane:{name}"), None), false);
    Ok(lane::resume_recorded(&desk.store, name, &record).await?)
}

/// Sets the messages per second, within the configured ones; `None`: as configured. Every instance takes it over while it
/// runs.
///
/// # Errors
/// The role, no such number, too fast; the database.
pub async fn set_pace(desk: &Desk, who: &Who, name: &str, per_second: Option<u32>) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let most = known(desk, name)?;
    if per_second.is_some_and(|pace| !(1..=most).contains(&pace)) {
        return Err(AdminError::invalid("per_second", "numbers.pace_bad"));
    }
    let detail = per_second.map_or_else(|| "as configured".to_owned(), |pace| format!("{pace} per second"));
    let record = desk.record(who, "number.pace", (format!("lane:{name}"), Some(detail)), true);
    lane_setting::set_pace(&desk.store, name, per_second, &record).await?;
    desk.take_over().await;
    Ok(())
}

/// The configured pace of a number that exists.
fn known(desk: &Desk, name: &str) -> Result<u32, AdminError> {
    desk.config.senders.get(name).map(|sender| sender.rate_per_s).ok_or(AdminError::NotFound("number"))
}
