//! Owns: what a stub says of itself when its platform's cron ends, and what in it a person should look at.

use jiff::{SignedDuration, Timestamp};

use super::closed_list::closed_list;

/// The oldest stub that does all that this bridge relies on.
pub const STUB_LEAST: (u32, u32, u32) = (1, 2, 0);
/// A clock that is off by more is a reason to look: signatures end at five minutes.
pub const CLOCK_OFF_MAX_S: i64 = 60;
/// An event that waits in the stub for longer, although its cron ran, is a reason to look.
const WAITING_MAX: SignedDuration = SignedDuration::from_mins(30);
/// A newer manifest is in force one cron run after the one that fetched it.
const MISSING_MAX: SignedDuration = SignedDuration::from_mins(30);
/// Lost events are shown for so long.
const LOST_SHOWN: SignedDuration = SignedDuration::from_hours(24);

closed_list! {
    /// What is wrong with a stub.
    Trouble {
        /// No heartbeat for longer than the source's `heartbeat_max_min`.
        Silent = "silent",
        /// Its folder cannot be used: events wait in memory, or are lost.
        Fault = "fault",
        /// Its clock and the bridge's are apart.
        Skewed = "skewed",
        /// Events wait although its cron ran.
        Waits = "waits",
        /// Events were lost within the last day.
        Lost = "lost",
        /// Events that the bridge will never take were set aside.
        Aside = "aside",
        /// The manifest names hooks that it has not registered.
        Hooks = "hooks",
        /// It is older than this bridge needs.
        Old = "old",
    }
}

/// What a stub says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub host: String,
    /// The user that PHP runs as.
    pub owner: String,
    pub stub: String,
    pub platform: String,
    pub php: String,
    /// How PHP was started: `cli`, `cgi-fcgi`.
    pub sapi: String,
    pub extensions: Vec<String>,
    /// The hooks it has registered, those that ask a rule included.
    pub hooks: Vec<String>,
    /// Events that wait in its folder, and since when the oldest does.
    pub waiting: u64,
    pub oldest: Option<Timestamp>,
    pub aside: u64,
    /// Events lost since the heartbeat before.
    pub lost: u64,
    /// What is wrong with its folder; empty for nothing.
    pub fault: String,
}

/// A heartbeat as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub source: String,
    pub received_at: Timestamp,
    /// Seconds; negative: the stub's clock is behind the bridge's.
    pub clock_ahead_s: i64,
    /// `lost`: ever.
    pub said: Heartbeat,
    /// Hooks of the manifest that were not registered.
    pub missing: Vec<String>,
    pub missing_since: Option<Timestamp>,
    pub lost_at: Option<Timestamp>,
}

impl Received {
    /// For people: `billing (web1, www-data)`.
    #[must_use]
    pub fn who(&self) -> String {
        format!("{} ({}, {})", self.source, self.said.host, self.said.owner)
    }

    /// What there is so many of, where it is about a number: events, or seconds.
    #[must_use]
    pub fn count(&self, trouble: Trouble) -> u64 {
        match trouble {
            Trouble::Skewed => self.clock_ahead_s.unsigned_abs(),
            Trouble::Waits => self.said.waiting,
            Trouble::Lost => self.said.lost,
            _ => self.said.aside,
        }
    }

    /// Since when: the oldest event waits, or it reported last.
    #[must_use]
    pub fn since(&self, trouble: Trouble) -> Timestamp {
        self.said.oldest.filter(|_| trouble == Trouble::Waits).unwrap_or(self.received_at)
    }

    /// What a person should look at, the worst first. `silent_max`: none, if silence is no reason. `newest`: no other process of
    /// the source reported later; of one that another took over for, silence only matters while events lie in its folder.
    #[must_use]
    pub fn troubles(&self, silent_max: Option<SignedDuration>, newest: bool, now: Timestamp) -> Vec<Trouble> {
        let said = &self.said;
        let silent = silent_max.is_some_and(|max| now.duration_since(self.received_at) > max);
        let late =
            |since: Option<Timestamp>, max| since.is_some_and(|since| self.received_at.duration_since(since) > max);
        let holds = [
            (Trouble::Silent, silent && (newest || said.waiting + said.aside > 0)),
            (Trouble::Fault, !said.fault.is_empty()),
            (Trouble::Skewed, self.clock_ahead_s.abs() > CLOCK_OFF_MAX_S),
            (Trouble::Waits, late(said.oldest, WAITING_MAX)),
            (Trouble::Lost, self.lost_at.is_some_and(|at| now.duration_since(at) < LOST_SHOWN)),
            (Trouble::Aside, said.aside > 0),
            (Trouble::Hooks, !self.missing.is_empty() && late(self.missing_since, MISSING_MAX)),
            (Trouble::Old, is_old(&said.stub)),
        ];
        holds.into_iter().filter(|(_, holds)| *holds).map(|(trouble, _)| trouble).collect()
    }
}

/// Whether a stub of this version lacks something; also one whose version cannot be read.
#[must_use]
pub fn is_old(stub: &str) -> bool {
    let mut parts = stub.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor, patch) = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
    match (major, minor, patch) {
        (Some(major), Some(minor), Some(patch)) => (major, minor, patch) < STUB_LEAST,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn well() -> Received {
        Received {
            source: "billing".into(),
            received_at: at("2026-11-25T10:00:00Z"),
            clock_ahead_s: -2,
            said: Heartbeat {
                host: "web1".into(),
                owner: "www-data".into(),
                stub: "1.2.0".into(),
                platform: "8.13.1".into(),
                php: "8.2.1".into(),
                sapi: "cli".into(),
                extensions: vec!["curl".into()],
                hooks: vec!["ClientAdd".into()],
                waiting: 0,
                oldest: None,
                aside: 0,
                lost: 0,
                fault: String::new(),
            },
            missing: Vec::new(),
            missing_since: None,
            lost_at: None,
        }
    }

    #[test]
    fn each_trouble_has_its_own_cause() {
        let (now, max) = (at("2026-11-25T10:05:00Z"), Some(SignedDuration::from_mins(60)));
        let troubles = |change: fn(&mut Received)| {
            let mut one = well();
            change(&mut one);
            one.troubles(max, true, now)
        };
        assert_eq!(troubles(|_| {}), []);
        assert_eq!(troubles(|one| one.received_at = at("2026-11-25T09:04:59Z")), [Trouble::Silent]);
        assert_eq!(troubles(|one| one.said.fault = "full".into()), [Trouble::Fault]);
        assert_eq!(troubles(|one| one.clock_ahead_s = -61), [Trouble::Skewed]);
        assert_eq!(troubles(|one| one.clock_ahead_s = 60), []);
        assert_eq!(troubles(|one| one.said.oldest = Some(at("2026-11-25T09:29:00Z"))), [Trouble::Waits]);
        assert_eq!(troubles(|one| one.said.oldest = Some(at("2026-11-25T09:31:00Z"))), []);
        assert_eq!(troubles(|one| one.lost_at = Some(at("2026-11-24T10:06:00Z"))), [Trouble::Lost]);
        assert_eq!(troubles(|one| one.said.aside = 1), [Trouble::Aside]);
        assert_eq!(troubles(|one| one.said.stub = "1.1.9".into()), [Trouble::Old]);
        let missing = |since: &str| {
            let mut one = well();
            (one.missing, one.missing_since) = (vec!["InvoicePaid".into()], Some(at(since)));
            one.troubles(max, true, now)
        };
        assert_eq!(missing("2026-11-25T09:29:00Z"), [Trouble::Hooks]);
        assert_eq!(missing("2026-11-25T10:00:00Z"), [], "the next run has the new manifest");
    }

    #[test]
    fn silence_of_one_that_was_replaced_matters_only_while_it_holds_events() {
        let (mut one, now) = (well(), at("2026-11-26T10:00:00Z"));
        let max = Some(SignedDuration::from_mins(60));
        assert_eq!(one.troubles(max, false, now), []);
        assert_eq!(one.troubles(None, true, now), []);
        one.said.waiting = 1;
        assert_eq!(one.troubles(max, false, now), [Trouble::Silent]);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, old) in
            [("1.2.0", false), ("1.10.0", false), ("2.0.0", false), ("1.1.99", true), ("0.9.9", true), ("x", true)]
        {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
