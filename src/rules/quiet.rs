//! Owns: quiet hours. By the platform's clock, over midnight and over the nights when the clock is changed.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::hookpoint::Quiet;

/// When an alert made `now` may go: `None` is at once.
#[must_use]
pub fn quiet_until(quiet: Quiet, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let here = now.to_zoned(zone.clone()).datetime();
    let time = here.time();
    let day = if quiet.from < quiet.to {
        (quiet.from <= time && time < quiet.to).then_some(here.date())?
    } else if time >= quiet.from {
        here.date().tomorrow().ok()?
    } else {
        (time < quiet.to).then_some(here.date())?
    };
    // Where the clock leaps over the end, it comes as much later; where the end comes twice, the one that lies ahead counts.
    let end = zone.to_ambiguous_timestamp(day.to_datetime(quiet.to));
    [end.compatible().ok()?, end.later().ok()?].into_iter().find(|end| *end > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(from: i8, to: i8, now: &str, zone: &str) -> Option<String> {
        let hour = |hour| jiff::civil::time(hour, 0, 0, 0);
        let quiet = Quiet { from: hour(from), to: hour(to) };
        let zone = TimeZone::get(zone).expect("a zone");
        quiet_until(quiet, now.parse().expect("a moment"), &zone).map(|end| end.to_string())
    }

    #[test]
    fn nights_go_over_midnight_and_days_do_not() {
        let here = "America/Argentina/Buenos_Aires";
        let end = Some("2026-11-26T11:00:00Z".to_owned());
        assert_eq!(until(22, 8, "2026-11-26T01:00:00Z", here), end, "22:00 is quiet");
        assert_eq!(until(22, 8, "2026-11-26T10:59:59Z", here), end, "07:59:59 is quiet");
        assert_eq!(until(22, 8, "2026-11-26T11:00:00Z", here), None, "08:00 is not");
        assert_eq!(until(22, 8, "2026-11-26T00:59:59Z", here), None, "21:59:59 is not");
        assert_eq!(until(13, 15, "2026-11-26T17:00:00Z", here), Some("2026-11-26T18:00:00Z".to_owned()));
        assert_eq!(until(13, 15, "2026-11-26T18:00:00Z", here), None);
        assert_eq!(
            until(22, 0, "2026-11-26T02:30:00Z", here),
            Some("2026-11-26T03:00:00Z".to_owned()),
            "until midnight"
        );
    }

    #[test]
    fn the_end_is_by_the_clock_on_the_wall_when_the_clock_is_changed() {
        let madrid = "Europe/Madrid";
        assert_eq!(
            until(22, 8, "2026-03-28T22:00:00Z", madrid),
            Some("2026-03-29T06:00:00Z".to_owned()),
            "one hour less"
        );
        assert_eq!(
            until(22, 8, "2026-10-24T21:00:00Z", madrid),
            Some("2026-10-25T07:00:00Z".to_owned()),
            "one hour more"
        );
        // 02:00 does not exist on that night, and comes twice on the other.
        assert_eq!(until(22, 2, "2026-03-28T23:00:00Z", madrid), Some("2026-03-29T01:00:00Z".to_owned()));
        let half = |now: &str| {
            let quiet = Quiet { from: jiff::civil::time(22, 0, 0, 0), to: jiff::civil::time(2, 30, 0, 0) };
            let zone = TimeZone::get(madrid).expect("a zone");
            quiet_until(quiet, now.parse().expect("a moment"), &zone).map(|end| end.to_string())
        };
        assert_eq!(half("2026-10-25T00:15:00Z"), Some("2026-10-25T00:30:00Z".to_owned()));
        assert_eq!(
            half("2026-10-25T01:15:00Z"),
            Some("2026-10-25T01:30:00Z".to_owned()),
            "the second time, it lies ahead"
        );
    }
}
