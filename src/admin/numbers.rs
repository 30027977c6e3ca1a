//! Owns: how each sending number stands.

use jiff::SignedDuration;

use super::{AdminError, Desk};
use crate::store::lane::{self, Pause};
use crate::store::recipient_window::{self, WINDOW};
use crate::store::{lane_setting, lease, outbox};

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
            recent: recipient_window::count(store, &sender.portfolio, now - RECENT, COUNTED_MAX).await?,
            day: recipient_window::count(store, &sender.portfolio, now - WINDOW, COUNTED_MAX).await?,
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
