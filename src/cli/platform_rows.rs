//! What `hookbridge doctor` looks at in the platform's rows: texts that are encoded twice, and the clocks of what writes them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::doctor::{Finding, finding};
use crate::app::{open_billing, open_store};
use crate::billing::Billing;
use crate::config::Config;
use crate::domain::event::ActorKind;
use crate::envelope;
use crate::store::{Store, recent_activity};

/// How far back payments are looked at, and how many.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 14);
const PAYMENTS_MAX: usize = 200;
/// Zones differ by multiples of this, in minutes; what is further from one than that is a time that somebody typed.
const STEP_MIN: i64 = 15;
const NEAR_MIN: i64 = 3;
/// Payments from which on a clock is judged.
const ENOUGH: usize = 3;

/// What is found; nothing where a database does not answer, which other checks say.
pub(super) async fn look(config: &Config, now: Timestamp) -> Vec<Finding> {
    let (Ok(billing), Ok(store)) = (open_billing(config), open_store(config)) else { return Vec::new() };
    let findings = [encoding(&billing).await, clocks(config, &billing, &store, now).await];
    billing.database().clone().close().await;
    store.database().clone().close().await;
    findings.into_iter().flatten().collect()
}

async fn encoding(billing: &Billing) -> Option<Finding> {
    let found = billing.double_encoded().await.ok()?;
    if found.count == 0 {
        return Some(finding("text encoding", "ok", "no text is encoded twice, as far as was looked"));
    }
    let more = if found.count > found.places.len() { ", …" } else { "" };
    let says = format!(
        "{} texts are UTF-8 kept as latin1 (like `MarÃ­a`): {}{more}. What clients are sent is mended; mend the rows for everything else",
        found.count,
        found.places.join(", ")
    );
    Some(finding("text encoding", "warn", says))
}

/// Compares when payments were booked by the platform's rows with when their hooks fired, by whom: PHP of the web and PHP of the
/// cron may have different zones.
async fn clocks(config: &Config, billing: &Billing, store: &Store, now: Timestamp) -> Option<Finding> {
    let zone = TimeZone::get(&config.billing.timezone).ok()?;
    let events = recent_activity::of_hooks(store, &["AddInvoicePayment"], now - LOOK_BACK, PAYMENTS_MAX).await.ok()?;
    let events: Vec<_> = events
        .iter()
        .filter_map(|event| envelope::parse(&event.id, &event.source, event.body.as_bytes()).ok())
        .filter_map(|event| Some((event.gone.get("payment_id")?.as_id()?, event.actor.kind, event.occurred_at)))
        .collect();
    let ids: Vec<u64> = events.iter().map(|(id, ..)| *id).collect();
    let times = billing.payment_times(&ids).await.ok()?;
    let mut ahead: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (id, kind, at) in events {
        let Some(local) = times.get(&id) else { continue };
        let expected = at.to_zoned(zone.clone()).datetime();
        let minutes = local.duration_since(expected).as_mins();
        let whole = (minutes + STEP_MIN / 2).div_euclid(STEP_MIN) * STEP_MIN;
        if (minutes - whole).abs() <= NEAR_MIN {
            ahead.entry(who(kind)).or_default().push(whole);
        }
    }
    judge(&ahead, &config.billing.timezone)
}

fn who(kind: ActorKind) -> &'static str {
    if kind == ActorKind::Cron { "the cron" } else { "the web" }
}

/// `ahead`: by whom, how many minutes its payments are ahead of the configured zone.
fn judge(ahead: &BTreeMap<&str, Vec<i64>>, zone: &str) -> Option<Finding> {
    let clocks: Vec<(&str, i64)> =
        ahead.iter().filter(|(_, all)| all.len() >= ENOUGH).filter_map(|(who, all)| Some((*who, most(all)?))).collect();
    let first = clocks.first()?.1;
    if clocks.iter().all(|(_, minutes)| *minutes == 0) {
        return Some(finding("platform clock", "ok", format!("payments are booked in the zone {zone}")));
    }
    let each: Vec<String> = clocks.iter().map(|(who, minutes)| format!("{who} {minutes:+} min")).collect();
    let what = if clocks.iter().all(|(_, minutes)| *minutes == first) {
        "set `billing.timezone` to the zone in which the platform writes"
    } else {
        "PHP of the web and of the cron have different zones: set one for both by date_default_timezone_set() in the platform's \
         configuration.php"
    };
    let says = format!("payments are booked in another zone than {zone} (ahead of it: {}): {what}", each.join(", "));
    Some(finding("platform clock", "warn", says))
}

/// What occurs most often; of equals the smallest.
fn most(all: &[i64]) -> Option<i64> {
    let count = |value: i64| all.iter().filter(|other| **other == value).count();
    all.iter().copied().max_by_key(|value| (count(*value), std::cmp::Reverse(*value)))
}
