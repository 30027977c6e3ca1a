//! Owns: from what somebody typed into a search to a search: phones as people write them, days by the platform's clock.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::notify::STAFF;
use super::templates::trial::TEST;
use super::{AdminError, Desk, Mistake};
use crate::catalogue::hooks;
use crate::domain::hookpoint::{HookpointId, Subject};
use crate::domain::ids::EventId;
use crate::domain::message::Standing;
use crate::domain::near::nearest;
use crate::domain::phone::{E164, normalize};
use crate::domain::reason::Reason;
use crate::store::search::MessageSearch;
use crate::store::search_events::{EventSearch, EventState};
use crate::store::walk::Place;

/// Rows of a page.
pub const PAGE_ROWS: usize = 50;
/// Years that a search may name.
pub(super) const YEARS: std::ops::RangeInclusive<i16> = 2000..=2999;

/// Reads fields, and collects what is wrong with them.
pub(super) struct Reading<'a> {
    get: &'a (dyn Fn(&str) -> Option<String> + Sync),
    mistakes: Vec<Mistake>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(get: &'a (dyn Fn(&str) -> Option<String> + Sync)) -> Self {
        Self { get, mistakes: Vec::new() }
    }

    pub(super) fn read<T>(&mut self, field: &str, mistake: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = (self.get)(field).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        let value = read(&text);
        if value.is_none() {
            self.mistakes.push(Mistake::new(field, mistake));
        }
        value
    }

    /// One of a closed list.
    pub(super) fn one_of<T: Copy>(&mut self, field: &str, all: &[T], code: fn(T) -> &'static str) -> Option<T> {
        let text = (self.get)(field).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        let value = all.iter().copied().find(|one| code(*one) == text);
        if value.is_none() {
            let choices = all.iter().map(|one| code(*one)).collect();
            self.mistakes.push(Mistake::none_of(field, &text, choices));
        }
        value
    }

    /// A name of something that may be deleted by now: only what looks like a slip is a mistake.
    pub(super) fn named(&mut self, field: &str, text: Option<String>, known: &[&str]) -> Option<String> {
        let text = text?;
        if !known.contains(&text.as_str())
            && let Some(meant) = nearest(&text, known.iter().copied())
        {
            self.mistakes.push(Mistake::misspelt(field, meant));
        }
        Some(text)
    }

    pub(super) fn number(&mut self, field: &str) -> Option<u64> {
        self.read(field, "form.not_a_number", |text| text.parse().ok())
    }

    pub(super) fn moment(&mut self, field: &str, zone: &TimeZone, is_end: bool) -> Option<Timestamp> {
        self.read(field, "messages.moment_bad", |text| moment(text, zone, is_end))
    }

    pub(super) fn end<T>(self, value: T) -> Result<T, AdminError> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(AdminError::Invalid(self.mistakes)) }
    }
}

/// A moment (`2026-11-25T10:00:00Z`), or a day of `zone`: its beginning, or its end.
#[must_use]
pub fn moment(text: &str, zone: &TimeZone, is_end: bool) -> Option<Timestamp> {
    let at = if let Ok(at) = text.parse::<Timestamp>() {
        at
    } else {
        let day: Date = text.parse().ok().filter(|_| text.len() == 10)?;
        start(if is_end { day.checked_add(1.day()).ok()? } else { day }, zone)?
    };
    YEARS.contains(&at.to_zoned(TimeZone::UTC).year()).then_some(at)
}

/// The first moment of a day.
#[must_use]
pub fn start(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}

impl Desk {
    /// The platform's zone: what its people have on their walls.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.config.billing.timezone).unwrap_or(TimeZone::UTC)
    }

    /// A phone as somebody wrote it, as we would write to it.
    ///
    /// # Errors
    /// It is none.
    pub async fn phone(&self, written: &str) -> Result<E164, AdminError> {
        let country = match self.billing.platform(self.now()).await {
            Ok(platform) => platform.default_country.clone(),
            // A search must not depend on the other database.
            Err(_) => self.config.billing.default_country.clone(),
        };
        match normalize(written, "", &country, &self.config.alerts.phone_policy()) {
            Ok(phone) => Ok(phone.e164),
            Err(_) => Err(AdminError::invalid("phone", "messages.phone_bad")),
        }
    }

    /// Reads a search for messages: `client`, `phone`, `invoice`, `subject`, `event`, `hookpoint`, `state`, `reason`, `since`,
    /// `until`, `before`.
    ///
    /// # Errors
    /// What does not fit, all at once.
    pub async fn message_search(
        &self,
        get: &(dyn Fn(&str) -> Option<String> + Sync),
        limit: usize,
    ) -> Result<MessageSearch, AdminError> {
        let zone = self.zone();
        let mut reading = Reading::new(get);
        let r = &mut reading;
        let hookpoint = r.read("hookpoint", "form.unknown", |text| Some(HookpointId::parse(text)?.to_string()));
        let catalogue = self.catalogue.load_full();
        let known = catalogue.entries().map(|entry| entry.hookpoint.id.as_str());
        let hookpoint = r.named("hookpoint", hookpoint, &known.chain([TEST, STAFF]).collect::<Vec<_>>());
        let invoice = r.number("invoice").map(|id| format!("invoice:{id}"));
        let subject = r.read("subject", "messages.subject_bad", |text| Some(Subject::parse(text)?.to_string()));
        let mut search = MessageSearch {
            client: r.number("client"),
            recipient: None,
            subject: invoice.or(subject),
            event: r.read("event", "messages.event_bad", EventId::parse),
            hookpoint,
            state: r.one_of("state", Standing::ALL, Standing::code),
            reason: r.one_of("reason", Reason::ALL, Reason::code),
            since: r.moment("since", &zone, false),
            until: r.moment("until", &zone, true),
            before: r.read("before", "messages.place_bad", Place::parse),
            limit,
        };
        if let Some(phone) = get("phone").filter(|text| !text.trim().is_empty()) {
            match self.phone(&phone).await {
                Ok(to) => search.recipient = Some(to),
                Err(AdminError::Invalid(more)) => reading.mistakes.extend(more),
                Err(other) => return Err(other),
            }
        }
        reading.end(search)
    }

    /// Reads a search for events: `hook`, `state`, `client`, `reason`, `since`, `until`, `before`.
    ///
    /// # Errors
    /// What does not fit, all at once.
    pub fn event_search(
        &self,
        get: &(dyn Fn(&str) -> Option<String> + Sync),
        limit: usize,
    ) -> Result<EventSearch, AdminError> {
        let zone = self.zone();
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut reading = Reading::new(get);
        let r = &mut reading;
        let hook = r
            .read("hook", "form.unknown", |text| (text.len() <= 64 && text.chars().all(good)).then(|| text.to_owned()));
        let hook = r.named("hook", hook, &hooks::all().iter().map(|hook| hook.name).collect::<Vec<_>>());
        let search = EventSearch {
            hook,
            state: r.one_of("state", EventState::ALL, EventState::code),
            client: r.number("client"),
            reason: r.one_of("reason", Reason::ALL, Reason::code),
            since: r.moment("since", &zone, false),
            until: r.moment("until", &zone, true),
            before: r.read("before", "messages.place_bad", Place::parse),
            limit,
        };
        reading.end(search)
    }
}
