//! Owns: what a message was made from, as digests: its text, and the platform's rows that a text may speak of.

use std::cmp::Ordering;
use std::fmt::{self, Debug, Write as _};
use std::hash::{DefaultHasher, Hasher as _};

use super::context::suspended_on;
use super::template::Source;
use crate::domain::record::{Facts, Platform, SubjectRow};

/// Takes what is written to it.
struct Feed(DefaultHasher);

impl fmt::Write for Feed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl Feed {
    fn new() -> Self {
        Self(DefaultHasher::new())
    }

    fn put(&mut self, value: &impl Debug) {
        // Writing into a digest cannot fail.
        let _ = write!(self, "{value:?}\u{1f}");
    }

    /// Never 0, which stands for "unknown".
    fn end(&self) -> u64 {
        self.0.finish().max(1)
    }
}

/// Of a text.
#[must_use]
pub fn wording(source: &Source) -> u64 {
    let mut feed = Feed::new();
    feed.put(source);
    feed.end()
}

/// What the calendar changes in a text while no row changes: `due today` is `was due` a day later.
fn of_the_day(facts: &Facts, platform: &Platform) -> Option<(Option<Ordering>, bool)> {
    match &facts.subject {
        SubjectRow::Invoice(invoice, _) => {
            let due = invoice.due.map(|due| due.cmp(&facts.today));
            Some((due, suspended_on(invoice, facts, platform).is_some()))
        }
        SubjectRow::Quote(quote) => Some((None, quote.is_over(facts.today))),
        _ => None,
    }
}

/// Of everything in the platform's rows that a text to `name` (first name, company) may speak of. What a rule of the company
/// said of them is left out, and so is where they came from: both follow from the event.
#[must_use]
pub fn facts(facts: &Facts, platform: &Platform, name: (&str, &str)) -> u64 {
    let mut feed = Feed::new();
    match &facts.subject {
        SubjectRow::Cancellation(cancelling) => feed.put(&(&cancelling.service, &cancelling.request)),
        // A login's alert is about its account.
        SubjectRow::User(_) | SubjectRow::Client => {}
        subject => feed.put(subject),
    }
    feed.put(&of_the_day(facts, platform));
    let client = &facts.client;
    feed.put(&(&client.first_name, &client.last_name, &client.company, &client.currency));
    feed.put(&(client.no_overdue_notices, client.never_suspended));
    feed.put(&(&platform.company_name, &platform.system_url, name));
    feed.end()
}
