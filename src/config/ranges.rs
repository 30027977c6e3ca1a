//! Owns: the ranges of the settings that are counts and times. Without them a slip of the finger (a number of milliseconds
//! where seconds are meant) would pass the start and fail later, in arithmetic.

use super::section::Config;

/// A day, in the units of the settings.
const DAY_S: u64 = 86_400;
const DAY_MS: u64 = 1_000 * DAY_S;
const YEAR_H: u64 = 366 * 24;
const CENTURY_DAYS: u64 = 36_600;

/// A setting's key, its value, and the least and the most that it may be.
type Line = (String, u64, u64, u64);

/// Every setting that is out of its range, one sentence each.
pub fn mistakes(config: &Config) -> Vec<String> {
    let wrong = |(key, value, least, most): Line| {
        (!(least..=most).contains(&value)).then(|| format!("`{key}` must be {least} to {most}, not {value}"))
    };
    lines(config).into_iter().chain(senders(config)).filter_map(wrong).collect()
}

fn lines(config: &Config) -> Vec<Line> {
    let line = |key: &str, value: u64, least: u64, most: u64| (key.to_owned(), value, least, most);
    let (server, process, dispatch) = (&config.server, &config.process, &config.dispatch);
    let (alerts, kept) = (&config.alerts, &config.retention);
    vec![
        line("server.header_timeout_ms", server.header_timeout_ms, 1, DAY_MS),
        line("server.body_timeout_ms", server.body_timeout_ms, 1, DAY_MS),
        line("server.drain_timeout_ms", server.drain_timeout_ms, 0, DAY_MS),
        line("server.ingest_wait_ms", server.ingest_wait_ms, 1, DAY_MS),
        line("server.ready_late_max_s", server.ready_late_max_s, 10, 7 * DAY_S),
        line("database.acquire_timeout_ms", config.database.acquire_timeout_ms, 1, DAY_MS),
        line("billing.acquire_timeout_ms", config.billing.acquire_timeout_ms, 1, DAY_MS),
        line("billing.cache_s", config.billing.cache_s, 0, DAY_S),
        line("alerts.event_age_max_h", alerts.event_age_max_h.into(), 1, YEAR_H),
        line("alerts.same_transition_min", alerts.same_transition_min.into(), 0, YEAR_H * 60),
        line("process.poll_ms", process.poll_ms, 1, DAY_MS),
        line("process.lease_ms", process.lease_ms, 1_000, DAY_MS),
        line("dispatch.poll_ms", dispatch.poll_ms, 1, DAY_MS),
        line("dispatch.backoff_ms", dispatch.backoff_ms, 1, DAY_MS),
        line("dispatch.backoff_max_ms", dispatch.backoff_max_ms, 1, 30 * DAY_MS),
        line("dispatch.sending_timeout_ms", dispatch.sending_timeout_ms, 1, DAY_MS),
        line("dispatch.unknown_wait_s", dispatch.unknown_wait_s, 0, 30 * DAY_S),
        line("dispatch.template_hold_s", dispatch.template_hold_s, 1, 30 * DAY_S),
        line("dispatch.number_hold_s", dispatch.number_hold_s, 1, 30 * DAY_S),
        line("retention.event_days", kept.event_days.into(), 0, CENTURY_DAYS),
        line("retention.skip_days", kept.skip_days.into(), 0, CENTURY_DAYS),
        line("retention.message_days", kept.message_days.into(), 0, CENTURY_DAYS),
        line("retention.dedupe_days", kept.dedupe_days.into(), 0, CENTURY_DAYS),
        line("retention.decision_days", kept.decision_days.into(), 0, CENTURY_DAYS),
        line("retention.every_s", kept.every_s, 1, DAY_S),
    ]
}

fn senders(config: &Config) -> impl Iterator<Item = Line> + '_ {
    config.senders.iter().flat_map(|(name, sender)| {
        let line = |key: &str, value: u64, least: u64, most: u64| (format!("senders.{name}.{key}"), value, least, most);
        [
            line("pair_interval_s", sender.pair_interval_s, 0, DAY_S),
            line("pair_burst", sender.pair_burst.into(), 1, 10_000),
            line("timeout_ms", sender.timeout_ms, 100, DAY_MS),
            line("in_flight_max", sender.in_flight_max as u64, 1, 100_000),
        ]
    })
}
