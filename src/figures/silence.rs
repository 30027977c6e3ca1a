//! Owns: when a hook has been silent for too long, judged by its own history: no hook has a fixed pace.
//! Pure: hours in, a limit out.

use jiff::{SignedDuration, Timestamp};

/// Silence up to here is never an alarm.
const SILENCE_MIN: SignedDuration = SignedDuration::from_hours(6);
/// So many times the longest pause of its history is too long.
const FACTOR: i32 = 3;
/// The history that is looked at, back from the last event.
pub const HISTORY: SignedDuration = SignedDuration::from_hours(14 * 24);
/// With less of it a weekend would look like silence.
const HISTORY_MIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A hook that came in fewer hours of its history has no rhythm.
const HOURS_MIN: usize = 5;

/// How long a hook may be silent; `None`: its history does not tell. `hours` are those in which it came, in order.
#[must_use]
pub fn limit(hours: &[Timestamp]) -> Option<SignedDuration> {
    let last = *hours.last()?;
    let from = hours.partition_point(|hour| *hour < last - HISTORY);
    let hours = hours.get(from..).unwrap_or_default();
    let first = *hours.first()?;
    if hours.len() < HOURS_MIN || last.duration_since(first) < HISTORY_MIN {
        return None;
    }
    let longest = hours.windows(2).map(|pair| pair[1].duration_since(pair[0])).max()?;
    Some((longest * FACTOR).max(SILENCE_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(numbers: impl IntoIterator<Item = i64>) -> Vec<Timestamp> {
        numbers.into_iter().map(|hour| Timestamp::from_second(hour * 3600).expect("an hour")).collect()
    }

    #[test]
    fn a_hook_may_be_silent_for_three_times_its_longest_pause_and_never_less_than_six_hours() {
        let daily = hours((0..10).map(|day| day * 24));
        assert_eq!(limit(&daily), Some(SignedDuration::from_hours(72)));
        let busy = hours(0..200);
        assert_eq!(limit(&busy), Some(SignedDuration::from_hours(6)));
    }

    #[test]
    fn what_is_rare_or_new_has_no_rhythm_and_what_is_long_past_does_not_count() {
        assert_eq!(limit(&[]), None);
        assert_eq!(limit(&hours([0, 100, 200])), None, "three times in a fortnight");
        assert_eq!(limit(&hours(0..100)), None, "four days old");
        let pause_long_ago = hours([0].into_iter().chain((400..800).step_by(2)));
        assert_eq!(limit(&pause_long_ago), Some(SignedDuration::from_hours(6)));
    }
}
