//! Owns: triggers by date as data: what may stand in `schedule`, and the trigger that it becomes.

use std::collections::BTreeMap;

use super::definition::{ScheduleWire, clock, known, within};
use crate::domain::hookpoint::{SubjectKind, Trigger};
use crate::domain::schedule::{Anchor, DATE_REACHED, Plus, Schedule};

/// Steps of one trigger.
const STEPS_MAX: usize = 12;
/// Days before or after the date: two years.
const DAYS_MAX: i16 = 730;
/// A step leads to an alert within a week, or not at all; and a minute must do.
const LATE_MIN_MAX: u32 = 10_080;

/// The trigger of `hookpoint` that the bridge's own clock pulls.
pub(super) fn trigger(hookpoint: &str, wire: ScheduleWire, subject: SubjectKind) -> Result<Trigger, String> {
    let of = known(Anchor::parse(&wire.of), "schedule.of", &wire.of)?;
    if of.subject() != subject {
        return Err(format!("`schedule.of`: `{of}` is a date of a {}, the subject is a {subject}", of.subject()));
    }
    let plus = wire.plus.as_deref().map(|word| known(Plus::parse(word), "schedule.plus", word)).transpose()?;
    if plus.is_some() && of != Anchor::ServiceNextDue {
        return Err(format!("`schedule.plus` goes with `{}` only", Anchor::ServiceNextDue));
    }
    let mut days = wire.days;
    days.sort_unstable();
    days.dedup();
    within("`schedule.days`", days.len(), 1, STEPS_MAX)?;
    if let Some(day) = days.iter().find(|day| day.abs() > DAYS_MAX) {
        return Err(format!("`schedule.days`: {day} is not within {DAYS_MAX} days"));
    }
    within("`schedule.late_max_min`", wire.late_max_min as usize, 1, LATE_MIN_MAX as usize)?;
    let at = clock(&wire.at).map_err(|mistake| format!("`schedule.at`: {mistake}"))?;
    let schedule = Schedule { of, plus, days, at, late_max_min: wire.late_max_min };
    Ok(Trigger {
        hook: DATE_REACHED.to_owned(),
        ours: true,
        subject_at: vec!["id".to_owned()],
        names: subject,
        former_at: Vec::new(),
        fields: ["day", "days", "hookpoint", "id", "of"].map(str::to_owned).into(),
        lookups: Vec::new(),
        only: BTreeMap::from([
            ("hookpoint".to_owned(), vec![hookpoint.to_owned()]),
            ("of".to_owned(), vec![of.code().to_owned()]),
        ]),
        diff: Vec::new(),
        schedule: Some(schedule),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::definition::of_json;

    #[test]
    fn a_schedule_says_what_is_wrong_with_it() {
        let refused = |schedule: serde_json::Value| {
            let title = json!({ "es_AR": "a", "en": "b", "pt_BR": "c" });
            let definition = json!({
                "title": title, "introduced": "2026-12-01", "class": "notice", "audience": "invoice", "subject": "invoice",
                "on": [{ "schedule": schedule }], "transition": { "key": "step.key" }, "expires_after_min": 60,
            });
            of_json("odd", definition).map(|one| one.triggers[0].schedule.clone())
        };
        let good = json!({ "of": "invoice.due", "days": [3, -7, 3], "at": "10:00", "late_max_min": 600 });
        assert_eq!(refused(good.clone()).expect("good").expect("steps").days, [-7, 3], "in order, each once");
        for (key, value, named) in [
            ("of", json!("invoice.date"), "schedule.of"),
            ("of", json!("domain.expires"), "date of a domain"),
            ("plus", json!("suspension"), "schedule.plus"),
            ("days", json!([]), "schedule.days"),
            ("days", json!([731]), "schedule.days"),
            ("at", json!("10"), "schedule.at"),
            ("late_max_min", json!(0), "schedule.late_max_min"),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            let mistake = refused(bad).expect_err(named);
            assert!(mistake.contains(named), "{mistake}");
        }
    }
}
