//! Owns: one walk over all clients of the platform: who can be alerted, in which language, who cannot, and why. The list of
//! phones, its export, the audit at the command line and the reach of a text all come from it.
//! Pages of clients: memory stays the same however many there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::{AdminError, Desk};
use crate::billing::Billing;
use crate::billing::phones::StoredPhone;
use crate::config::Config;
use crate::domain::hookpoint::Audience;
use crate::domain::locale::Locale;
use crate::domain::phone::{E164, Guess, PhonePolicy, normalize, normalize_first, warm_up};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Contact};
use crate::rules::recipients::has_right;
use crate::sql::Inconsistent;
use crate::store::{Store, consent, moved};

/// Clients read at once.
const PAGE: usize = 1_000;
/// How long the numbers are good enough.
pub const AGE_MAX: SignedDuration = SignedDuration::from_mins(5);
/// How long a page may make its visitor wait; what was counted by then is shown as such.
const TIME_MAX: Duration = Duration::from_secs(15);

/// One client.
#[derive(Clone, Debug)]
pub struct Seen {
    pub client: u64,
    /// ISO 3166 alpha-2 in capitals, or nothing.
    pub country: String,
    /// The language of messages there.
    pub locale: Locale,
    /// As the platform has it: personal data.
    pub stored: String,
    pub standing: Standing,
}

/// Whether a client can be alerted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Reachable {
        phone: E164,
        /// What was guessed about the number.
        assumed: Option<Guess>,
    },
    /// `why`: in plain words, without the number.
    Not { reason: Reason, why: String },
    /// Closed accounts get nothing and miss nothing.
    Closed,
}

/// What a walk counted so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub read: u64,
    pub closed: u64,
    pub reachable: u64,
    /// Reachable ones whose number was read with a guess.
    pub assumed: u64,
    pub unreachable: BTreeMap<Reason, u64>,
    pub by_locale: BTreeMap<Locale, InLocale>,
}

/// The same for the clients of one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InLocale {
    /// All but closed ones.
    pub clients: u64,
    pub reachable: u64,
    pub opted_out: u64,
    /// Whose number or row is of no use.
    pub unusable: u64,
    /// Contacts with a right to that kind of notice and a number of their own, if contacts were counted.
    pub contacts: BTreeMap<Audience, u64>,
}

/// All clients, counted.
#[derive(Clone, Debug)]
pub struct Reach {
    pub counts: Counts,
    /// Whether the walk came to the end in its time.
    pub complete: bool,
}

/// A walk over all clients in the order of their ids.
#[derive(Debug)]
pub struct Walk<'a> {
    billing: &'a Billing,
    store: &'a Store,
    default_country: String,
    default_locale: Locale,
    policy: PhonePolicy,
    with_contacts: bool,
    after: u64,
    pub counts: Counts,
}

impl<'a> Walk<'a> {
    /// A walk from the first client behind the id `after`.
    ///
    /// # Errors
    /// The platform's database.
    pub async fn start(
        billing: &'a Billing,
        store: &'a Store,
        config: &Config,
        after: u64,
        now: Timestamp,
    ) -> Result<Self, AdminError> {
        warm_up();
        let platform = billing.platform(now).await?;
        let fallback = config.alerts.default_locale.parse().unwrap_or(Locale::EsAr);
        Ok(Self {
            billing,
            store,
            default_country: platform.default_country.clone(),
            default_locale: platform.locale.unwrap_or(fallback),
            policy: config.alerts.phone_policy(),
            with_contacts: false,
            after,
            counts: Counts::default(),
        })
    }

    /// Counts contacts as well: a second read per page.
    #[must_use]
    pub fn with_contacts(self) -> Self {
        Self { with_contacts: true, ..self }
    }

    /// The next page of clients, by id; `None` behind the last.
    ///
    /// # Errors
    /// A database.
    pub async fn next(&mut self) -> Result<Option<Vec<Seen>>, AdminError> {
        let page = self.billing.phones(self.after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.after = *last;
        let mut seen: Vec<Seen> = page.into_iter().map(|(client, row)| self.look(client, row)).collect();
        let numbers: Vec<E164> = seen.iter().filter_map(|one| one.phone().cloned()).collect();
        let book = consent::of_numbers(self.store, &numbers).await?;
        let moved = moved::moved(self.store, &numbers).await?;
        for one in &mut seen {
            if one.phone().is_some_and(|phone| book.refuses_all(phone)) {
                let why = "this number asked for no more alerts".to_owned();
                one.standing = Standing::Not { reason: Reason::OptedOut, why };
            }
            if one.phone().is_some_and(|phone| moved.contains(phone)) {
                let why = "the provider says that its user changed to another number".to_owned();
                one.standing = Standing::Not { reason: Reason::NumberChanged, why };
            }
            self.counts.add(one);
        }
        if self.with_contacts {
            self.count_contacts(&seen).await?;
        }
        Ok(Some(seen))
    }

    fn look(&self, client: u64, row: Result<StoredPhone, Inconsistent>) -> Seen {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let standing = Standing::Not { reason: Reason::SubjectUnreadable, why: error.to_string() };
                let (country, stored) = (String::new(), String::new());
                return Seen { client, country, locale: self.default_locale, stored, standing };
            }
        };
        let standing = if row.status == ClientStatus::Closed {
            Standing::Closed
        } else {
            match normalize_first(&row.phone_field, &row.phone, &row.country, &self.default_country, &self.policy) {
                Ok(phone) => Standing::Reachable { assumed: phone.assumed(), phone: phone.e164 },
                Err(error) => Standing::Not { reason: error.reason(), why: error.to_string() },
            }
        };
        let country = plain_country(&row.country);
        let lives_in = if country.is_empty() { &self.default_country } else { &country };
        let locale = row.locale.unwrap_or(self.default_locale).written_in(lives_in);
        // The field first, as it is read.
        let stored =
            if row.phone_field.is_empty() { row.phone } else { format!("{} · {}", row.phone_field, row.phone) };
        Seen { client, country, locale, stored, standing }
    }

    async fn count_contacts(&mut self, seen: &[Seen]) -> Result<(), AdminError> {
        let open: BTreeMap<u64, &Seen> =
            seen.iter().filter(|one| one.standing != Standing::Closed).map(|one| (one.client, one)).collect();
        let contacts = self.billing.contacts_of(&open.keys().copied().collect()).await?;
        let mut found: Vec<(&Seen, &Contact, E164)> = Vec::new();
        for contact in &contacts {
            let Some(client) = open.get(&contact.client_id.0) else { continue };
            let country = if contact.country.is_empty() { &client.country } else { &contact.country };
            let Ok(phone) = normalize(&contact.phone, country, &self.default_country, &self.policy) else { continue };
            // Who shares the client's number gets no separate message.
            if client.phone() != Some(&phone.e164) {
                found.push((client, contact, phone.e164));
            }
        }
        let numbers: Vec<E164> = found.iter().map(|(.., number)| number.clone()).collect();
        let book = consent::of_numbers(self.store, &numbers).await?;
        for (client, contact, _) in found.into_iter().filter(|(.., number)| !book.refuses_all(number)) {
            let counted = &mut self.counts.by_locale.entry(client.locale).or_default().contacts;
            for audience in Audience::ALL.iter().filter(|audience| has_right(contact, **audience)) {
                *counted.entry(*audience).or_default() += 1;
            }
        }
        Ok(())
    }
}

impl Seen {
    /// The number, if it can be used.
    #[must_use]
    pub fn phone(&self) -> Option<&E164> {
        match &self.standing {
            Standing::Reachable { phone, .. } => Some(phone),
            _ => None,
        }
    }
}

impl Counts {
    fn add(&mut self, seen: &Seen) {
        self.read += 1;
        if seen.standing == Standing::Closed {
            self.closed += 1;
            return;
        }
        let here = self.by_locale.entry(seen.locale).or_default();
        here.clients += 1;
        match &seen.standing {
            Standing::Reachable { assumed, .. } => {
                self.reachable += 1;
                self.assumed += u64::from(assumed.is_some());
                here.reachable += 1;
            }
            Standing::Not { reason, .. } => {
                *self.unreachable.entry(*reason).or_default() += 1;
                if *reason == Reason::OptedOut {
                    here.opted_out += 1;
                } else {
                    here.unusable += 1;
                }
            }
            Standing::Closed => {}
        }
    }
}

/// All clients, counted lately, and when. Whoever asks while somebody counts gets that answer.
///
/// # Errors
/// A database.
pub async fn counted(desk: &Desk) -> Result<Arc<(Timestamp, Reach)>, AdminError> {
    let now = desk.now();
    desk.shelf.reach.get(now, AGE_MAX, count(desk, now)).await
}

async fn count(desk: &Desk, now: Timestamp) -> Result<Reach, AdminError> {
    let until = Instant::now() + TIME_MAX;
    let mut walk = Walk::start(&desk.billing, &desk.store, &desk.config, 0, now).await?.with_contacts();
    while walk.next().await?.is_some() {
        if Instant::now() > until {
            return Ok(Reach { counts: walk.counts, complete: false });
        }
    }
    Ok(Reach { counts: walk.counts, complete: true })
}

/// Two letters or nothing: what else stands there is somebody's text.
fn plain_country(text: &str) -> String {
    let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if fits { text.to_ascii_uppercase() } else { String::new() }
}
