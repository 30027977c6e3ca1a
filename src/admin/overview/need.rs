//! Owns: what a person may have to look at: the closed list, and one need with its count and since when.

use jiff::Timestamp;

use crate::domain::closed_list::closed_list;
use crate::domain::heartbeat::{Received, Trouble};
use crate::domain::locale::Locale;
use crate::domain::reason::Reason;
use crate::i18n;

closed_list! {
    /// Something that a person should look at. Each is a state that lasts until it is mended, or something of the [`Past`].
    Kind {
        /// Our own schema takes no writes.
        ReadOnly = "read_only",
        /// A task of an instance does not run.
        TaskMissing = "task_missing",
        /// Events are not processed.
        InboxOld = "inbox_old",
        /// A sending number is stopped.
        Stopped = "stopped",
        /// Messages are overdue.
        OutboxOld = "outbox_old",
        /// Messages wait for a number that the configuration does not have (any more).
        NumberGone = "number_gone",
        /// Our schema was restored from an older dump: what was queued before waits.
        Restored = "restored",
        /// Nobody counts: probably no instance runs.
        NotCounted = "not_counted",
        /// The provider does not send texts: paused, rejected, or not there.
        TextsHeld = "texts_held",
        /// Hookpoints or texts that somebody saved do not compile in this version: they are left out.
        LeftOut = "left_out",
        /// Events led to nothing, because something is broken.
        EventsFailed = "events_failed",
        /// Alerts ended unsent, or nobody knows whether they were sent.
        Lost = "lost",
        /// Alerts are held, because there were more than usual.
        Held = "held",
        /// Messages of which nobody knows whether they went out.
        Unknown = "unknown",
        /// Messages wait for the same thing for long.
        Waiting = "waiting",
        /// Events with a valid source were refused: the stub sets them aside.
        Refused = "refused",
        /// The platform went on without an answer of the company's rules.
        Missed = "missed",
        /// Bugs were caught, or tasks started again.
        Caught = "caught",
        /// Lines of the log were dropped.
        LogDropped = "log_dropped",
        /// The database server's defaults would lose work, and are corrected in our sessions.
        Corrected = "corrected",
        /// Many alerts of the last 24 hours failed.
        Failing = "failing",
        /// A number nearly used up its recipients of 24 hours.
        NearLimit = "near_limit",
        /// Texts that somebody saved are not in force: the provider does not have them yet.
        Drafts = "drafts",
        /// Nothing comes from a hook for longer than is usual.
        Silent = "silent",
        /// The platform's cron, or its stub, does not report.
        StubSilent = "stub_silent",
        /// A stub cannot keep events.
        StubFault = "stub_fault",
        /// A stub's clock is off.
        StubSkewed = "stub_skewed",
        /// Events wait at a stub.
        StubWaits = "stub_waits",
        /// A stub has lost events.
        StubLost = "stub_lost",
        /// A stub has set events aside.
        StubAside = "stub_aside",
        /// A stub lacks hooks.
        StubHooks = "stub_hooks",
        /// A stub is of an old version.
        StubOld = "stub_old",
        /// Clients changed their numbers, and nobody took note.
        NumberChanged = "number_changed",
        /// Replies that look like a request about alerts, and opt-outs of somebody to whom no alert of ours went.
        Replies = "replies",
        /// The sweep does not run.
        SweepLate = "sweep_late",
        /// Notices to administrators do not go out by a channel.
        NoticesFail = "notices_fail",
    }
}

closed_list! {
    /// The needs that tell of the past: they stay until somebody took note.
    Past {
        EventsFailed = "events_failed",
        Lost = "lost",
        Refused = "refused",
        Missed = "missed",
        Caught = "caught",
        LogDropped = "log_dropped",
        Corrected = "corrected",
        Failing = "failing",
    }
}

impl Kind {
    /// Whether alerts do not go out because of it, now.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        matches!(
            self,
            Self::ReadOnly
                | Self::TaskMissing
                | Self::InboxOld
                | Self::Stopped
                | Self::OutboxOld
                | Self::NumberGone
                | Self::Restored
                | Self::NotCounted
                | Self::TextsHeld
                | Self::LeftOut
                | Self::StubSilent
                | Self::StubFault
                | Self::StubSkewed
        )
    }

    /// Whether one takes note of it, rather than mends it.
    #[must_use]
    pub fn is_past(self) -> bool {
        Past::parse(self.code()).is_some()
    }
}

/// A value in a need's sentence; each reader writes it in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Number(u64),
    /// A moment.
    Clock(Timestamp),
    /// How long it is ago; `None`: it never was.
    Ago(Option<Timestamp>),
    /// How long it lasts, since then.
    Span(Timestamp),
    Reason(Reason),
    /// Reasons, each with how often, the most first.
    Reasons(Vec<(Reason, u64)>),
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub kind: Kind,
    /// How many: messages, events, texts, as the kind says.
    pub n: u64,
    /// Since when, where it is known.
    pub since: Option<Timestamp>,
    /// The other values of its sentence, by name.
    pub values: Vec<(&'static str, Value)>,
}

impl Need {
    #[must_use]
    pub fn new(kind: Kind, n: u64, since: Option<Timestamp>) -> Self {
        Self { kind, n, since, values: Vec::new() }
    }

    /// With a value of its sentence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.values.push((name, value));
        self
    }

    /// With a text of its sentence.
    #[must_use]
    pub fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with(name, Value::Text(text.into()))
    }

    /// Its name for programs and for the page's words.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Whether alerts do not go out because of it, now.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        self.kind.is_urgent()
    }

    /// All values of its sentence.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        [("n", Value::Number(self.n)), ("ago", Value::Ago(self.since))].into_iter().chain(self.values.iter().cloned())
    }
}

/// What is wrong with a stub.
#[must_use]
pub fn of_stub(trouble: Trouble, last: &Received) -> Need {
    let kind = match trouble {
        Trouble::Silent => Kind::StubSilent,
        Trouble::Fault => Kind::StubFault,
        Trouble::Skewed => Kind::StubSkewed,
        Trouble::Waits => Kind::StubWaits,
        Trouble::Lost => Kind::StubLost,
        Trouble::Aside => Kind::StubAside,
        Trouble::Hooks => Kind::StubHooks,
        Trouble::Old => Kind::StubOld,
    };
    let need = Need::new(kind, last.count(trouble), Some(last.since(trouble)));
    let need = need.text("who", last.who()).text("names", last.missing.join(", "));
    need.text("version", &last.said.stub).text("fault", &last.said.fault)
}

/// What is wrong with a stub, in English.
#[must_use]
pub fn stub_says(trouble: Trouble, last: &Received) -> String {
    says(&of_stub(trouble, last))
}

/// A need in English: moments as they are, for machines and terminals.
#[must_use]
pub fn says(need: &Need) -> String {
    let key = format!("overview.need_{}", need.code());
    need.values().fold(i18n::text(Locale::En, &key).to_owned(), |says, (name, value)| {
        let value = match value {
            Value::Text(text) => text,
            Value::Number(n) => n.to_string(),
            Value::Clock(at) => at.to_string(),
            Value::Ago(then) => then.map_or_else(|| "never".to_owned(), |then| then.to_string()),
            Value::Span(then) => format!("so long (last {then})"),
            Value::Reason(reason) => reason.to_string(),
            Value::Reasons(all) => all.iter().map(|(reason, n)| format!("{n} {reason}")).collect::<Vec<_>>().join(", "),
        };
        says.replace(&format!("{{{name}}}"), &value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_takes_note_of_is_a_need_of_that_name() {
        for past in Past::ALL {
            assert!(Kind::parse(past.code()).is_some_and(|kind| kind.is_past() && !kind.is_urgent()), "{past}");
        }
    }
}
