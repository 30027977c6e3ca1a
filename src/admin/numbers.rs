//! Owns: how each sending number stands.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AdminError, Desk};
use crate::store::lane::{self, PausedBy};
use crate::store::recipient_window::{self, WINDOW};
use crate::store::{lane_setting, lease, outbox};

/// Recipients of a number are counted up to here: twice what Meta's largest limit with a number allows.
const COUNTED_MAX: u32 = 200_000;
/// The pace that is used is looked at over so long.
const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// How a sending number stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Number {
    pub name: String,
    /// Null: it sends.
    pub paused_until: Option<Timestamp>,
    /// Why it is paused.
    pub why: Option<String>,
    /// Messages per second now, and at most.
    pub per_second: u32,
    pub per_second_max: u32,
    /// Different people that its portfolio wrote to in the last minute.
    pub recipients_minute: u64,
    /// The same in 24 hours.
    pub recipients_day: u64,
    /// How many they may be. 0: no limit.
    pub recipients_day_max: u32,
    /// Which instance sends.
    pub owner: Option<String>,
    pub queued: u64,
    pub held: u64,
    pub sending: u64,
    pub unknown: u64,
    /// App secrets that verify its webhooks: more than one while they are rotated.
    pub app_secrets: usize,
    /// For pages: a person paused it, and not the provider.
    #[serde(skip)]
    #[schema(ignore)]
    pub by_operator: bool,
}

/// All numbers.
///
/// # Errors
/// The database.
pub async fn all(desk: &Desk) -> Result<Vec<Number>, AdminError> {
    let (store, now) = (&desk.store, desk.now());
    let (stops, depth, leases) =
        (lane::paused(store, now).await?, outbox::depth(store).await?, lease::all(store).await?);
    let paces = lane_setting::paces(store).await?;
    let mut all = Vec::new();
    for (name, sender) in &desk.config.senders {
        let count = |state: &str| {
            depth.iter().find(|(lane, one, ..)| lane == name && one == state).map_or(0, |(_, _, n, _)| *n)
        };
        let pause = stops.iter().find(|stop| stop.lane == *name);
        all.push(Number {
            name: name.clone(),
            paused_until: pause.map(|pause| pause.until),
            why: pause.map(|pause| pause.detail.clone()),
            per_second: paces.get(name).map_or(sender.rate_per_s, |pace| (*pace).min(sender.rate_per_s)),
            per_second_max: sender.rate_per_s,
            recipients_minute: recipient_window::count(store, &sender.portfolio, now - RECENT, COUNTED_MAX).await?,
            recipients_day: recipient_window::count(store, &sender.portfolio, now - WINDOW, COUNTED_MAX).await?,
            recipients_day_max: sender.recipients_per_day,
            owner: leases
                .iter()
                .find(|(lease, ..)| *lease == sender.portfolio)
                .and_then(|(_, owner, ..)| owner.clone()),
            queued: count("queued"),
            held: count("held"),
            sending: count("sending"),
            unknown: count("unknown"),
            app_secrets: sender.app_secret.len(),
            by_operator: pause.is_some_and(|pause| pause.by == PausedBy::Operator),
        });
    }
    Ok(all)
}
