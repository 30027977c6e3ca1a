//! Owns: the wiring of the sending numbers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;

use super::{gateway, seconds};
use crate::config::Config;
use crate::config::section::SenderConfig;
use crate::dispatch::backoff::Backoff;
use crate::dispatch::leadership::Leadership;
use crate::dispatch::pacer::Rates;
use crate::dispatch::recipient_quota::RecipientQuota;
use crate::dispatch::retry_policy::{AfterUnknown, Patience, UnknownPolicy};
use crate::dispatch::{Lane, LaneSettings, lane};

/// All numbers, and the leases that they need.
pub(super) struct Lanes {
    pub lanes: Vec<Arc<Lane>>,
    pub leaderships: Vec<Arc<Leadership>>,
}

/// What the numbers of a portfolio share.
type Shared = (Arc<Leadership>, Arc<Mutex<RecipientQuota>>);

/// A lane per sending number. Those of a portfolio share its lease and its 24-hour count, so one instance sends for all of
/// them.
pub(super) fn lanes(config: &Config, parts: &lane::Parts, owner: &str) -> anyhow::Result<Lanes> {
    let length = Duration::from_millis(config.dispatch.lease_ms);
    let mut shared: BTreeMap<String, Shared> = BTreeMap::new();
    let mut lanes = Vec::new();
    for (name, sender) in &config.senders {
        let (leadership, day) = shared.entry(sender.portfolio.clone()).or_insert_with(|| {
            let leadership = Leadership::new(sender.portfolio.clone(), owner.to_owned(), length, parts.clock.clone());
            (leadership, Arc::default())
        });
        let settings = lane_settings(config, sender)?;
        let lane = Lane::start(gateway(name, sender)?, settings, parts.clone(), leadership.clone(), day.clone());
        lanes.push(Arc::new(lane));
    }
    Ok(Lanes { lanes, leaderships: shared.into_values().map(|(leadership, _)| leadership).collect() })
}

/// Names this process among the instances: for people (machine and process), and never the same twice.
pub(super) fn instance_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String =
        host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(40).collect();
    format!("{host}-{}-{}", std::process::id(), uuid::Uuid::now_v7().as_simple())
}

fn lane_settings(config: &Config, sender: &SenderConfig) -> anyhow::Result<LaneSettings> {
    let d = &config.dispatch;
    let after = |text: &str| AfterUnknown::parse(text).context("what to do after an unknown outcome");
    Ok(LaneSettings {
        rates: Rates {
            per_second: sender.rate_per_s,
            headroom_percent: sender.rate_headroom_percent,
            pair_interval_s: sender.pair_interval_s,
            pair_burst: sender.pair_burst,
        },
        recipients_per_day: sender.recipients_per_day,
        portfolio: sender.portfolio.clone(),
        in_flight_max: sender.in_flight_max,
        batch: d.batch,
        poll: Duration::from_millis(d.poll_ms),
        patience: Patience {
            attempts_max: d.attempts_max,
            backoff: Backoff { first_ms: d.backoff_ms, max_ms: d.backoff_max_ms },
            template_hold: seconds(d.template_hold_s),
            number_hold: seconds(d.number_hold_s),
            unknown: UnknownPolicy {
                receipt_wait: seconds(d.unknown_wait_s),
                security: after(&d.unknown_security)?,
                status: after(&d.unknown_status)?,
                notice: after(&d.unknown_notice)?,
            },
        },
        sending_timeout: SignedDuration::from_millis(i64::try_from(d.sending_timeout_ms)?),
    })
}
