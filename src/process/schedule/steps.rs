//! Owns: which steps of a row have come, and when the next one does. Pure.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::catalogue::Catalogue;
use crate::domain::event::SCHEDULE;
use crate::domain::ids::EventId;
use crate::domain::record::Platform;
use crate::domain::schedule::{Anchor, DATE_REACHED, Plus, Schedule, Zones, moment};
use crate::signature::{hex, sha256};
use crate::store::anchor::Anchored;
use crate::store::inbox::NewEvent;

/// One step of one hookpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub hookpoint: String,
    pub anchor: Anchor,
    /// Days from the date, as the hookpoint names the step.
    pub days: i16,
    /// The same with what the platform's settings add.
    pub offset: i32,
    pub at: Time,
    /// What came before the hookpoint was switched on leads to no event.
    pub since: Timestamp,
}

/// A step whose moment has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Come<'a> {
    pub step: &'a Step,
    pub at: Timestamp,
}

/// Days that the platform's settings add; `None`: it does not do that by itself, and no alert says that it will.
#[must_use]
pub fn offset(schedule: &Schedule, platform: &Platform) -> Option<i32> {
    let days = match schedule.plus {
        None => Some(0),
        Some(Plus::Suspension) => platform.suspension_days,
        Some(Plus::Termination) => platform.termination_days,
    };
    days.map(i32::from)
}

/// The names of the hookpoints that are switched on and have steps.
#[must_use]
pub fn on(catalogue: &Catalogue) -> Vec<&str> {
    let all = catalogue.entries().map(|entry| &entry.hookpoint).filter(|one| one.enabled && one.is_by_date());
    all.map(|one| one.id.as_str()).collect()
}

/// All steps of the hookpoints in `since`, each since when it is on.
#[must_use]
pub fn of(catalogue: &Catalogue, platform: &Platform, since: &[(String, Timestamp)]) -> Vec<Step> {
    let mut steps = Vec::new();
    for hookpoint in catalogue.entries().map(|entry| &entry.hookpoint) {
        let Some((name, since)) = since.iter().find(|(name, _)| *name == hookpoint.id.as_str()) else { continue };
        for schedule in hookpoint.triggers.iter().filter_map(|trigger| trigger.schedule.as_ref()) {
            let Some(plus) = offset(schedule, platform) else { continue };
            steps.extend(schedule.days.iter().map(|days| Step {
                hookpoint: name.clone(),
                anchor: schedule.of,
                days: *days,
                offset: plus + i32::from(*days),
                at: schedule.at,
                since: *since,
            }));
        }
    }
    steps
}

/// A digest of the steps and zones: another one means that the next moments of all rows are to be found anew.
#[must_use]
pub fn print(steps: &[Step], zones: &Zones) -> u64 {
    let name = |zone: &TimeZone| zone.iana_name().unwrap_or("?").to_owned();
    let mut all = name(&zones.company);
    for (country, zone) in &zones.own {
        // Writing into a String cannot fail.
        let _ = write!(all, "\n{country} {}", name(zone));
    }
    for step in steps {
        let _ = write!(all, "\n{} {} {} {} {}", step.hookpoint, step.anchor, step.days, step.offset, step.at);
        let _ = write!(all, " {}", step.since.as_millisecond());
    }
    let digest = sha256(all.as_bytes());
    // Never 0, which stands for "none yet".
    u64::from_be_bytes(digest[..8].try_into().unwrap_or_default()).max(1)
}

/// What has come of `row` by `now`, and when the next step does.
#[must_use]
pub fn look<'a>(
    row: &Anchored,
    steps: &'a [Step],
    zone: &TimeZone,
    now: Timestamp,
) -> (Vec<Come<'a>>, Option<Timestamp>) {
    let (mut come, mut next) = (Vec::new(), None::<Timestamp>);
    for step in steps.iter().filter(|step| step.anchor == row.anchor) {
        let Some(at) = moment(row.day, step.offset, step.at, zone) else { continue };
        if at > now {
            next = Some(next.map_or(at, |next| next.min(at)));
        } else if at > row.settled_at && at > step.since {
            come.push(Come { step, at });
        }
    }
    (come, next)
}

/// The event of a step. Its id says which step of which row and date it is, so that making it twice makes one event.
#[must_use]
pub fn event(row: &Anchored, come: &Come<'_>, now: Timestamp) -> NewEvent {
    let Come { step, at } = come;
    let what = format!("{}\n{}\n{}\n{}\n{}", step.hookpoint, row.anchor, row.id, row.day, step.days);
    let digest = hex(&sha256(what.as_bytes()));
    let name = format!("{SCHEDULE}-{}", &digest[..32]);
    let body = json!({
        "v": crate::envelope::VERSION, "hook": DATE_REACHED, "occurred_at": at.to_string(), "request": name,
        "actor": { "kind": "system" },
        "fields": {
            "hookpoint": step.hookpoint, "of": row.anchor.code(), "id": row.id, "day": row.day.to_string(),
            "days": step.days,
        },
    })
    .to_string();
    NewEvent {
        id: EventId::parse(&name).expect("letters, digits and a dash"),
        source: SCHEDULE.to_owned(),
        hook: DATE_REACHED.to_owned(),
        occurred_at: *at,
        received_at: now,
        key_index: 0,
        urgent: false,
        body_sha256: sha256(body.as_bytes()),
        body,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::ToSpan as _;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn moment_of(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn step(days: i16) -> Step {
        Step {
            hookpoint: "invoice_reminder".to_owned(),
            anchor: Anchor::InvoiceDue,
            days,
            offset: days.into(),
            at: jiff::civil::time(10, 0, 0, 0),
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn row(day: jiff::civil::Date, settled_at: Timestamp) -> Anchored {
        Anchored { anchor: Anchor::InvoiceDue, id: 7, owner: Some(1), day, settled_at }
    }

    #[test]
    fn a_row_that_is_ten_years_overdue_has_nothing_to_tell_and_is_not_looked_at_again() {
        let steps = [step(1), step(3), step(15)];
        let now = moment_of("2026-12-01T12:00:00Z");
        assert_eq!(look(&row(date(2016, 12, 1), now), &steps, &TimeZone::UTC, now), (Vec::new(), None));
    }

    #[test]
    fn what_came_before_the_hookpoint_was_switched_on_is_not_told() {
        let now = moment_of("2026-12-01T12:00:00Z");
        let late = Step { since: moment_of("2026-12-01T11:00:00Z"), ..step(0) };
        let one = row(date(2026, 12, 1), moment_of("2026-11-01T00:00:00Z"));
        assert!(look(&one, &[late], &TimeZone::UTC, now).0.is_empty());
        assert_eq!(look(&one, &[step(0)], &TimeZone::UTC, now).0.len(), 1);
    }

    /// What happens to one row: time passes, its date moves, an instance dies before it remembers, the steps change their hour.
    #[derive(Clone, Debug)]
    enum Happens {
        Hours(i64),
        Moves(i64),
        Looks { dies: bool, back_h: i64 },
        At(i8),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            (1i64..60).prop_map(Happens::Hours),
            (-20i64..20).prop_map(Happens::Moves),
            (any::<bool>(), 0i64..3).prop_map(|(dies, back_h)| Happens::Looks { dies, back_h }),
            (0i8..24).prop_map(Happens::At),
        ]
    }

    proptest! {
        #[test]
        fn no_sequence_tells_a_step_twice_or_one_that_was_over_before_it_was_known(
            all in proptest::collection::vec(happens(), 1..80),
            zone in prop_oneof![Just("America/Argentina/Buenos_Aires"), Just("Europe/Madrid"), Just("America/Santiago")],
        ) {
            let zone = TimeZone::get(zone).expect("a zone");
            let mut now = moment_of("2026-03-20T12:00:00Z");
            let mut steps = vec![step(-7), step(-3), step(-1), step(0), step(1), step(15)];
            let known = now;
            let mut it = row(date(2026, 3, 25), known);
            // What the inbox and the record of events know.
            let mut seen: BTreeSet<String> = BTreeSet::new();
            let mut messages = Vec::new();
            for one in all {
                match one {
                    Happens::Hours(hours) => now += jiff::SignedDuration::from_hours(hours),
                    Happens::Moves(days) => it.day = it.day.checked_add(days.days()).expect("a day"),
                    Happens::At(hour) => steps.iter_mut().for_each(|step| step.at = jiff::civil::time(hour, 0, 0, 0)),
                    // Two instances with clocks that are apart: one may look with an earlier time.
                    Happens::Looks { dies, back_h } => {
                        let now = now - jiff::SignedDuration::from_hours(back_h);
                        let (come, next) = look(&it, &steps, &zone, now);
                        for come in &come {
                            prop_assert!(come.at > known, "it was over before the row was known");
                            prop_assert!(come.at <= now);
                            if seen.insert(event(&it, come, now).id.to_string()) {
                                messages.push((it.day, come.step.days));
                            }
                        }
                        prop_assert!(next.is_none_or(|next| next > now));
                        if !dies {
                            it.settled_at = it.settled_at.max(now);
                            prop_assert!(look(&it, &steps, &zone, now).0.is_empty(), "what was looked at is over");
                        }
                    }
                }
            }
            let once: BTreeSet<_> = messages.iter().collect();
            prop_assert_eq!(once.len(), messages.len(), "a step led to two events");
        }
    }
}
