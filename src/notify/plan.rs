//! Owns: what a channel says now, out of what holds, what it said before, and its manner. Pure.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::config::notify::{DAYS, MannerConfig, NotifyConfig, read_span, read_time};
use crate::domain::notice::Notice;

/// What grew so many times since the last notice is reported again, without waiting for the repeat.
const GROWN: u64 = 10;

/// When a channel speaks, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    pub urgent_only: bool,
    /// From and until, by the clock of `zone`.
    pub quiet: Option<(Time, Time)>,
    pub quiet_urgent: bool,
    pub repeat: Option<SignedDuration>,
    pub recovery: bool,
    /// How long something must hold, or be over, before a notice.
    pub after: SignedDuration,
    pub zone: TimeZone,
}

impl Manner {
    #[must_use]
    pub fn of(config: &NotifyConfig, manner: &MannerConfig, zone: &TimeZone) -> Self {
        Self {
            urgent_only: manner.severity == "urgent",
            quiet: read_span(&manner.quiet),
            quiet_urgent: manner.quiet_urgent,
            repeat: (manner.repeat_h > 0).then(|| SignedDuration::from_hours(manner.repeat_h.into())),
            recovery: manner.recovery,
            after: SignedDuration::from_secs(config.after_s.into()),
            zone: zone.clone(),
        }
    }

    /// Whether these are quiet hours. Those over midnight begin on one day and end on the next.
    #[must_use]
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        let Some((from, until)) = self.quiet else { return false };
        let now = at.to_zoned(self.zone.clone()).time();
        if from < until { from <= now && now < until } else { now >= from || now < until }
    }
}

/// Something that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Which need it is, with what it is about.
    pub key: String,
    pub urgent: bool,
    pub n: u64,
    /// Its sentence.
    pub says: String,
}

/// What is known, brought up to what holds now; what no notice was sent of and is over is left out.
#[must_use]
pub fn look(known: &[Notice], holding: &[Holding], at: Timestamp) -> Vec<Notice> {
    let mut all: Vec<Notice> = Vec::new();
    for one in holding {
        let before = known.iter().find(|known| known.need == one.key);
        all.push(match before {
            Some(before) => Notice { urgent: one.urgent, resolved_at: None, ..before.clone() },
            None => Notice {
                need: one.key.clone(),
                urgent: one.urgent,
                first_at: at,
                notified_at: None,
                notified_count: 0,
                resolved_at: None,
                says: one.says.clone(),
            },
        });
    }
    let over =
        known.iter().filter(|known| holding.iter().all(|one| one.key != known.need) && known.notified_at.is_some());
    all.extend(over.map(|one| Notice { resolved_at: one.resolved_at.or(Some(at)), ..one.clone() }));
    all
}

/// What a channel says now: keys of what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub fresh: Vec<String>,
    /// Reported before, and many more by now.
    pub grown: Vec<String>,
    /// Reported before, and holds still.
    pub again: Vec<String>,
    pub over: Vec<String>,
    /// Over, and no notice is due.
    pub forget: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        [&self.fresh, &self.grown, &self.again, &self.over].iter().all(|some| some.is_empty())
    }
}

/// What is due of `known`, which [`look`] brought up to date.
#[must_use]
pub fn plan(known: &[Notice], holding: &[Holding], manner: &Manner, at: Timestamp) -> Plan {
    let quiet = manner.is_quiet(at);
    let mut plan = Plan::default();
    for one in known {
        let now = holding.iter().find(|holding| holding.key == one.need);
        let list = match (now, one.notified_at) {
            (Some(_), None) if at.duration_since(one.first_at) >= manner.after => &mut plan.fresh,
            (Some(now), Some(_)) if now.n >= one.notified_count.max(1).saturating_mul(GROWN) => &mut plan.grown,
            (Some(_), Some(notified)) if manner.repeat.is_some_and(|repeat| at.duration_since(notified) >= repeat) => {
                &mut plan.again
            }
            (None, _) if one.resolved_at.is_some_and(|ended| at.duration_since(ended) >= manner.after) => {
                if manner.recovery { &mut plan.over } else { &mut plan.forget }
            }
            _ => continue,
        };
        list.push(one.need.clone());
    }
    if quiet {
        let urgent = |key: &String| manner.quiet_urgent && known.iter().any(|one| one.need == *key && one.urgent);
        plan.fresh.retain(urgent);
        plan.grown.retain(urgent);
        plan.again.clear();
        plan.over.clear();
    }
    plan
}

/// The moment of the last weekly digest that was due by `at`; `None`: none is wanted.
#[must_use]
pub fn digest_due(config: &NotifyConfig, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let place = DAYS.iter().position(|day| *day == config.digest_day)?;
    let weekday = Weekday::from_monday_zero_offset(i8::try_from(place).ok()?).ok()?;
    let time = read_time(&config.digest_at)?;
    let now = at.to_zoned(zone.clone());
    let back = i64::from(now.date().weekday().since(weekday));
    let on = |back: i64| {
        let day = now.date().checked_sub(back.days()).ok()?;
        Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
    };
    let this = on(back)?;
    if this <= at { Some(this) } else { on(back + 7) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manner() -> Manner {
        Manner {
            urgent_only: false,
            quiet: read_span("22:00-08:00"),
            quiet_urgent: true,
            repeat: Some(SignedDuration::from_hours(4)),
            recovery: true,
            after: SignedDuration::from_mins(1),
            zone: TimeZone::UTC,
        }
    }

    fn at(text: &str) -> Timestamp {
        format!("2026-12-01T{text}Z").parse().expect("a moment")
    }

    fn holding(key: &str, urgent: bool, n: u64) -> Holding {
        Holding { key: key.to_owned(), urgent, n, says: key.to_owned() }
    }

    fn notified(known: Vec<Notice>, at: Timestamp, n: u64) -> Vec<Notice> {
        known.into_iter().map(|one| Notice { notified_at: Some(at), notified_count: n, ..one }).collect()
    }

    #[test]
    fn a_need_is_told_once_again_after_the_interval_when_it_grew_and_when_it_is_over() {
        let manner = manner();
        let now = [holding("lost", false, 3)];
        let known = look(&[], &now, at("10:00:00"));
        assert!(plan(&known, &now, &manner, at("10:00:59")).is_silent(), "it may pass by itself");
        assert_eq!(plan(&known, &now, &manner, at("10:01:00")).fresh, ["lost"]);
        let known = notified(look(&known, &now, at("10:01:00")), at("10:01:00"), 3);
        assert!(plan(&known, &now, &manner, at("14:00:59")).is_silent());
        assert_eq!(plan(&known, &now, &manner, at("14:01:00")).again, ["lost"]);
        assert!(plan(&known, &[holding("lost", false, 29)], &manner, at("10:05:00")).is_silent());
        assert_eq!(plan(&known, &[holding("lost", false, 30)], &manner, at("10:05:00")).grown, ["lost"]);
        let known = look(&known, &[], at("11:00:00"));
        assert!(plan(&known, &[], &manner, at("11:00:59")).is_silent(), "it may come back");
        assert_eq!(plan(&known, &[], &manner, at("11:01:00")).over, ["lost"]);
        let silent = Manner { recovery: false, ..manner.clone() };
        assert_eq!(plan(&known, &[], &silent, at("11:01:00")).forget, ["lost"]);
        let known = look(&known, &now, at("11:00:30"));
        assert_eq!((known[0].resolved_at, known[0].notified_at), (None, Some(at("10:01:00"))), "it was not over");
    }

    #[test]
    fn what_nobody_was_told_of_ends_in_silence() {
        let known = look(&[], &[holding("x", true, 1)], at("10:00:00"));
        assert_eq!(look(&known, &[], at("10:00:30")), []);
    }

    #[test]
    fn quiet_hours_let_urgent_needs_through_and_keep_the_rest_for_the_morning() {
        let manner = manner();
        let now = [holding("stopped", true, 1), holding("drafts", false, 1)];
        let known = look(&[], &now, at("22:30:00"));
        assert_eq!(plan(&known, &now, &manner, at("22:40:00")).fresh, ["stopped"]);
        let silent = Manner { quiet_urgent: false, ..manner.clone() };
        assert!(plan(&known, &now, &silent, at("22:40:00")).is_silent());
        let morning: Timestamp = "2026-12-02T08:00:00Z".parse().expect("a moment");
        assert_eq!(plan(&known, &now, &manner, morning).fresh, ["stopped", "drafts"]);
        assert!(manner.is_quiet(at("07:59:59")) && !manner.is_quiet(at("21:59:59")));
        let known = look(&notified(known, at("22:40:00"), 1), &[], at("23:00:00"));
        assert!(plan(&known, &[], &manner, at("23:10:00")).is_silent(), "good news can wait");
    }

    #[test]
    fn the_digest_is_due_once_a_week_by_the_clock_on_the_wall() {
        let defaults: toml::Table = crate::config::DEFAULTS.parse().expect("the defaults");
        let config: NotifyConfig = defaults["notify"].clone().try_into().expect("the section");
        let zone = TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
        // A Tuesday.
        let due =
            |text: &str| digest_due(&config, &zone, text.parse().expect("a moment")).expect("it is on").to_string();
        assert_eq!(due("2026-12-01T15:00:00Z"), "2026-11-30T12:00:00Z");
        assert_eq!(due("2026-11-30T11:59:59Z"), "2026-11-23T12:00:00Z");
        assert_eq!(due("2026-11-30T12:00:00Z"), "2026-11-30T12:00:00Z");
        assert_eq!(digest_due(&NotifyConfig { digest_day: String::new(), ..config }, &zone, at("10:00:00")), None);
    }
}
