//! Owns: arithmetic on moments that came from outside. The calendar ends; a sum that would go past its end stops there.

use jiff::{SignedDuration, Timestamp};

/// `wait` after `at`, or the end of the calendar.
#[must_use]
pub fn later(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_add(wait).unwrap_or(if wait.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// `wait` before `at`, or the beginning of the calendar.
#[must_use]
pub fn earlier(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.checked_sub(wait).unwrap_or(if wait.is_negative() { Timestamp::MAX } else { Timestamp::MIN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_stop_at_the_ends_of_the_calendar() {
        let hour = SignedDuration::from_hours(1);
        assert_eq!(later(Timestamp::UNIX_EPOCH, hour).as_second(), 3600);
        assert_eq!((later(Timestamp::MAX, hour), earlier(Timestamp::MIN, hour)), (Timestamp::MAX, Timestamp::MIN));
        assert_eq!(later(Timestamp::UNIX_EPOCH, SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(later(Timestamp::UNIX_EPOCH, SignedDuration::MIN), Timestamp::MIN);
        assert_eq!(earlier(Timestamp::MAX, SignedDuration::MIN), Timestamp::MAX);
    }
}
