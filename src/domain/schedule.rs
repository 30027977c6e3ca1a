//! Owns: triggers by date: which date of which row, the days before and after it, and the moment of such a step in its
//! client's time zone.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::closed_list::closed_list;
use super::hookpoint::SubjectKind;
use super::mirror::Kind;

/// The hook of events that the bridge makes itself when a step's moment comes.
pub const DATE_REACHED: &str = "DateReached";

closed_list! {
    /// A date of one of the platform's rows that steps are counted from.
    Anchor {
        /// `tblinvoices.duedate` of an unpaid invoice.
        InvoiceDue = "invoice.due",
        /// `tblhosting.nextduedate` of an active or suspended service.
        ServiceNextDue = "service.next_due",
        /// `tbldomains.expirydate` of a domain that is still its client's.
        DomainExpires = "domain.expires",
        /// `tblquotes.datesent` of a quote that waits for an answer.
        QuoteSent = "quote.sent",
        /// `tblquotes.validuntil` of the same.
        QuoteValidUntil = "quote.valid_until",
        /// The day of `tbltickets.lastreply` of a ticket that staff answered last.
        TicketAnswered = "ticket.answered",
    }
}

closed_list! {
    /// Days that the platform's settings add to an anchor.
    Plus {
        /// `AutoSuspensionDays`: from the date due to the suspension.
        Suspension = "suspension",
        /// `AutoTerminationDays`: from the date due to the termination.
        Termination = "termination",
    }
}

impl Anchor {
    /// The rows that have it.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::InvoiceDue => Kind::Invoice,
            Self::ServiceNextDue => Kind::Service,
            Self::DomainExpires => Kind::Domain,
            Self::QuoteSent | Self::QuoteValidUntil => Kind::Quote,
            Self::TicketAnswered => Kind::Ticket,
        }
    }

    /// The same as an event's subject.
    #[must_use]
    pub fn subject(self) -> SubjectKind {
        match self {
            Self::InvoiceDue => SubjectKind::Invoice,
            Self::ServiceNextDue => SubjectKind::Service,
            Self::DomainExpires => SubjectKind::Domain,
            Self::QuoteSent | Self::QuoteValidUntil => SubjectKind::Quote,
            Self::TicketAnswered => SubjectKind::Ticket,
        }
    }
}

/// A trigger by date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub of: Anchor,
    pub plus: Option<Plus>,
    /// Days after the date, negative before it; ascending, each once.
    pub days: Vec<i16>,
    /// The hour of sending, by the client's clock.
    pub at: Time,
    /// A step whose moment passed longer ago than this leads to no alert, in minutes.
    pub late_max_min: u32,
}

impl Schedule {
    #[must_use]
    pub fn late_max(&self) -> SignedDuration {
        SignedDuration::from_mins(self.late_max_min.into())
    }
}

/// The moment when it is `at` in `zone`, `days` after `day`. An hour that the clock leaps over comes as much later, one that comes
/// twice counts the first time. `None`: beyond the calendar.
#[must_use]
pub fn moment(day: Date, days: i32, at: Time, zone: &TimeZone) -> Option<Timestamp> {
    let on = day.checked_add(days.days()).ok()?;
    zone.to_ambiguous_timestamp(on.to_datetime(at)).compatible().ok()
}

/// What tells one step of a row from another, whoever tells of it: the row's date and the days from it.
#[must_use]
pub fn key(day: Date, days: i64) -> String {
    format!("{day} {days:+}")
}

/// Which time zone a client's clock shows.
#[derive(Clone, Debug)]
pub struct Zones {
    /// Of countries that are not listed, and of clients without one.
    pub company: TimeZone,
    /// By country (ISO 3166 alpha-2), before the built-in list.
    pub own: BTreeMap<String, TimeZone>,
}

static BUILT_IN: LazyLock<BTreeMap<&str, TimeZone>> = LazyLock::new(|| {
    let lines = include_str!("schedule/zones.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(country, name)| Some((country, TimeZone::get(name).ok()?)))
        .collect()
});

impl Zones {
    #[must_use]
    pub fn of(&self, country: &str) -> &TimeZone {
        let country = country.trim().to_ascii_uppercase();
        self.own.get(&country).or_else(|| BUILT_IN.get(country.as_str())).unwrap_or(&self.company)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    #[test]
    fn every_country_has_a_zone_that_exists_and_the_companys_own_word_goes_first() {
        let lines = include_str!("schedule/zones.txt").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((BUILT_IN.len(), lines), (lines, lines));
        assert!(lines > 240);
        let company = zone("America/Argentina/Buenos_Aires");
        let zones =
            Zones { company: company.clone(), own: BTreeMap::from([("US".to_owned(), zone("America/New_York"))]) };
        assert_eq!(zones.of("es "), &zone("Europe/Madrid"));
        assert_eq!(zones.of("US"), &zone("America/New_York"));
        assert_eq!((zones.of(""), zones.of("XX")), (&company, &company));
    }

    #[test]
    fn a_year_of_steps_has_the_hour_on_the_wall_in_three_zones() {
        let ten = jiff::civil::time(10, 0, 0, 0);
        for name in ["America/Argentina/Buenos_Aires", "Europe/Madrid", "America/Santiago"] {
            let zone = zone(name);
            let mut day = jiff::civil::date(2026, 1, 1);
            let mut before = None;
            for _ in 0..365 {
                let at = moment(day, -7, ten, &zone).expect("a moment");
                let here = at.to_zoned(zone.clone());
                assert_eq!(
                    (here.time(), here.date()),
                    (ten, day.checked_sub(7.days()).expect("a day")),
                    "{name} {day}"
                );
                if let Some(before) = before {
                    let hours = at.duration_since(before).as_hours();
                    assert!((23..=25).contains(&hours), "{name} {day}: {hours} h");
                }
                before = Some(at);
                day = day.tomorrow().expect("a day");
            }
        }
        // 02:30 does not exist on that night in Madrid, and comes twice on the other.
        let half = jiff::civil::time(2, 30, 0, 0);
        let on = |day| moment(day, 0, half, &zone("Europe/Madrid")).expect("a moment").to_string();
        assert_eq!(on(jiff::civil::date(2026, 3, 29)), "2026-03-29T01:30:00Z");
        assert_eq!(on(jiff::civil::date(2026, 10, 25)), "2026-10-25T00:30:00Z");
    }
}
