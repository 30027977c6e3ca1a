//! Owns: the settings of each room, out of the configuration.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::process::sweep;
use crate::process::{MassSettings, Settings};
use crate::rules::mass::MassPolicy;
use crate::rules::recipients::Policy;
use crate::store::finish::AlertLimits;
use crate::store::hold::Ceilings;

pub(super) fn sweep_settings(config: &Config) -> anyhow::Result<sweep::Settings> {
    let (swept, alerts) = (&config.sweep, &config.alerts);
    Ok(sweep::Settings {
        enabled: swept.enabled,
        every: SignedDuration::from_mins(swept.every_min.into()),
        grace: SignedDuration::from_mins(swept.grace_min.into()),
        rows_max: swept.rows_max,
        events_max: swept.events_max,
        age_max: SignedDuration::from_hours(alerts.event_age_max_h.into()),
        zone: TimeZone::get(&config.billing.timezone)?,
    })
}

pub(super) fn process_settings(config: &Config) -> anyhow::Result<Settings> {
    let alerts = &config.alerts;
    Ok(Settings {
        batch: config.process.batch,
        poll: Duration::from_millis(config.process.poll_ms),
        lease: SignedDuration::from_millis(i64::try_from(config.process.lease_ms)?),
        attempts_max: config.process.attempts_max,
        limits: AlertLimits {
            same_transition: SignedDuration::from_mins(alerts.same_transition_min.into()),
            ceilings: Ceilings {
                window: SignedDuration::from_mins(alerts.mass_window_min.into()),
                client_day_max: alerts.client_day_max,
                ..Ceilings::default()
            },
        },
        mass: MassSettings {
            policy: MassPolicy { min: alerts.mass_min, factor: alerts.mass_factor, window_min: alerts.mass_window_min },
            history: SignedDuration::from_hours(i64::from(alerts.mass_history_days) * 24),
            fixed: config.hookpoints.iter().filter_map(|(name, h)| Some((name.clone(), h.mass_max?))).collect(),
        },
        event_age_max: SignedDuration::from_hours(alerts.event_age_max_h.into()),
        lane: alerts.sender.clone(),
        zones: config.zones(),
        zone: TimeZone::get(&config.billing.timezone)?,
        people: Policy::of(config),
    })
}
