//! Owns: "why did this client get nothing?": for a client and some days, one line for each event of the client and each
//! recipient, and what the platform did that no hook reported.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::phones::SAID_MAX;
use super::wish::{YEARS, start};
use super::{AdminError, Desk};
use crate::billing::Want;
use crate::billing::find::{Candidate, Found};
use crate::catalogue::Catalogue;
use crate::domain::closed_list::closed_list;
use crate::domain::event::{FieldValue, HookEvent};
use crate::domain::hookpoint::{HookpointId, Subject, SubjectKind};
use crate::domain::ids::ContactId;
use crate::domain::mirror::Kind;
use crate::domain::phone::{normalize, normalize_first};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Facts};
use crate::domain::time::later;
use crate::store::client_history::{self, StoredEvent};
use crate::store::search::{self, MessageSearch};
use crate::store::trail::{MessageTrail, SkipLine};
use crate::store::{consent, moved, receipt};
/// Days that one answer covers at most.
pub const DAYS_MAX: i32 = 31;
/// Clients that a search offers at most.
pub const CANDIDATES_MAX: usize = 20;
/// How long one search looks on; what it did not reach it says.
const LOOK_MAX: Duration = Duration::from_secs(1);
/// How long a search looks on by itself where nobody can be asked whether to go on.
const FURTHER_MAX: Duration = Duration::from_secs(10);
/// Messages and reasons of the client that are read at most.
const LINES_MAX: usize = 500;
/// Reasons of nobody in particular that are looked through at most, and events that wait.
const NOBODYS_MAX: usize = 3_000;
const WAITING_MAX: usize = 1_000;
/// The client's newest rows of each kind that are looked at.
const ROWS_MAX: usize = 500;
/// What was written about an event of a day may be later: the bridge may have been down.
const LATER: SignedDuration = SignedDuration::from_hours(24);

/// Whose days.
#[derive(Clone, Copy, Debug)]
pub struct Days {
    pub client: u64,
    pub from: Date,
    /// The last day, included.
    pub to: Date,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `None`: the platform has no such client (any more).
    pub client: Option<Person>,
    /// The client's contacts who may get alerts.
    pub contacts: Vec<Person>,
    pub lines: Vec<Line>,
    pub untold: Vec<Untold>,
    /// There was more than one answer looks through.
    pub is_cut: bool,
}

/// A possible recipient, as the rows are now.
#[derive(Clone, Debug)]
pub struct Person {
    pub contact_id: Option<u64>,
    pub name: String,
    pub to_masked: Option<String>,
    /// Why no alert can go there now.
    pub obstacle: Option<Reason>,
    /// The provider could not deliver the last alert to this number. The next one is sent all the same.
    pub undeliverable: bool,
}

/// One event, and what each recipient got of it.
#[derive(Clone, Debug)]
pub struct Line {
    pub event_id: String,
    /// Empty if the event is pruned.
    pub hook: String,
    pub at: Timestamp,
    pub state: String,
    pub outcomes: Vec<Outcome>,
}

/// What one recipient got of it, or why not.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub hookpoint: Option<String>,
    pub contact_id: Option<u64>,
    pub message: Option<MessageTrail>,
    /// Why nothing was sent.
    pub skipped: Option<SkipLine>,
}

/// Something on the platform that no event reported.
#[derive(Clone, Debug)]
pub struct Untold {
    pub subject: Subject,
    /// The payment's own id, where the subject is its invoice.
    pub payment: Option<u64>,
    pub hookpoint: HookpointId,
    pub at: Timestamp,
    pub because: Because,
}

closed_list! {
    /// Why no event reported it, as far as we know.
    Because {
        /// The hookpoint is switched off: the stub need not tell.
        Off = "off",
        /// A draft: its client cannot see it.
        Draft = "draft",
        /// The sweep finds it soon.
        SweepSoon = "sweep_soon",
        /// The sweep is switched off, so nothing finds it.
        SweepOff = "sweep_off",
        /// Too old for an alert by now.
        TooOld = "too_old",
        /// No hook reported it, and the sweep did not either.
        NoHook = "no_hook",
    }
}

/// Clients that `words` may mean: a number, an address, a name, a phone; with a number below `before`, if the search goes on.
/// What it did not look at in its time it says.
///
/// # Errors
/// A database.
pub async fn find(desk: &Desk, words: &str, before: Option<u64>) -> Result<Found, AdminError> {
    let words: String = words.chars().take(100).collect();
    let mut found = desk.billing.find_clients(&words, before, CANDIDATES_MAX, LOOK_MAX).await?;
    if before.is_some() {
        return Ok(found);
    }
    // Who was written to at that number, whatever the platform says of it now.
    let digits = words.chars().filter(char::is_ascii_digit).count();
    if digits >= 8
        && let Ok(to) = desk.phone(&words).await
    {
        for client in search::clients_of(&desk.store, &to).await?.into_iter().take(CANDIDATES_MAX) {
            if found.clients.iter().all(|one| one.id.0 != client) {
                found.clients.extend(desk.billing.find_client(client).await?);
            }
        }
    }
    Ok(found)
}

/// The same, looking further until somebody is found, all clients were looked at or a time is over.
///
/// # Errors
/// A database.
pub async fn find_further(desk: &Desk, words: &str) -> Result<Found, AdminError> {
    let until = desk.clock.monotonic() + FURTHER_MAX;
    let mut found = find(desk, words, None).await?;
    while let Some(before) = found.rest.filter(|_| found.clients.len() < CANDIDATES_MAX)
        && desk.clock.monotonic() < until
    {
        let Found { clients, rest } = find(desk, words, Some(before)).await?;
        // Whoever was written to at that number was found at once, and is met again.
        let new = clients.into_iter().filter(|one| found.clients.iter().all(|known| known.id != one.id));
        let new: Vec<Candidate> = new.collect();
        found.clients.extend(new);
        found.rest = rest;
    }
    Ok(found)
}

/// Reads the days asked for (`from`, `to`): like `2026-11-25`; without any, today.
///
/// # Errors
/// What is no day; the last is before the first, or they are too many.
pub fn read(desk: &Desk, client: u64, get: &dyn Fn(&str) -> Option<String>) -> Result<Days, AdminError> {
    let today = desk.now().to_zoned(desk.zone()).date();
    let day = |name: &str, otherwise: Date| match get(name) {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| AdminError::invalid(name, "messages.moment_bad")),
    };
    let from = day("from", today)?;
    days(client, from, day("to", from.max(today))?)
}

/// Checks the days asked for.
///
/// # Errors
/// The last is before the first, or they are too many.
pub fn days(client: u64, from: Date, to: Date) -> Result<Days, AdminError> {
    if !YEARS.contains(&from.year()) {
        return Err(AdminError::invalid("from", "messages.moment_bad"));
    }
    let good = from <= to && from.checked_add(DAYS_MAX.days()).is_ok_and(|end| to < end);
    if good { Ok(Days { client, from, to }) } else { Err(AdminError::invalid("to", "why.days_bad")) }
}

/// What there is about a client's days.
///
/// # Errors
/// A database; days that no calendar has.
pub async fn answer(desk: &Desk, days: Days) -> Result<Answer, AdminError> {
    let zone = desk.zone();
    let bad = || AdminError::invalid("from", "messages.moment_bad");
    let since = start(days.from, &zone).ok_or_else(bad)?;
    let until = days.to.checked_add(1.day()).ok().and_then(|day| start(day, &zone)).ok_or_else(bad)?;
    let read = (since, later(until, LATER));
    let facts = client_now(desk, days.client).await?;
    let mut rows = Rows::of(desk, days.client).await?;
    rows.contacts.extend(facts.iter().flat_map(|facts| &facts.contacts).map(|contact| contact.id));

    let messages = search::of_client(&desk.store, days.client, read, LINES_MAX).await?;
    let mut skips = client_history::skips(&desk.store, Some(days.client), read, LINES_MAX).await?;
    let nobodys = client_history::skips(&desk.store, None, read, NOBODYS_MAX).await?;
    let is_cut = messages.len() == LINES_MAX || skips.len() == LINES_MAX || nobodys.len() == NOBODYS_MAX;
    let mut ids: BTreeSet<String> = messages.iter().map(|one| one.event_id.clone()).collect();
    ids.extend(skips.iter().map(|one| one.event_id.clone()));
    let mut events = client_history::events(&desk.store, &ids.iter().cloned().collect::<Vec<_>>()).await?;

    // Events that led to nothing before anybody knew whose they were.
    let catalogue = desk.catalogue.load_full();
    let strange: BTreeSet<String> = nobodys.iter().map(|one| one.event_id.clone()).collect();
    let strange: Vec<String> = strange.difference(&ids).cloned().collect();
    let mut theirs = client_history::events(&desk.store, &strange).await?;
    theirs.extend(client_history::waiting(&desk.store, WAITING_MAX).await?);
    theirs.retain(|one| rows.concern(&catalogue, &one.event));
    let known: BTreeSet<String> = theirs.iter().map(|one| one.event.id.to_string()).chain(ids).collect();
    skips.extend(nobodys.into_iter().filter(|one| known.contains(&one.event_id)));
    events.extend(theirs);

    let untold = untold(desk, &catalogue, &rows, &events, (since, until)).await?;
    let within = |at: Timestamp| since <= at && at < until;
    let lines = lines(&events, messages, skips).into_iter().filter(|line| within(line.at)).collect();
    let (client, contacts) = people(desk, facts.as_ref()).await?;
    Ok(Answer { client, contacts, lines, untold, is_cut })
}

async fn client_now(desk: &Desk, client: u64) -> Result<Option<Facts>, AdminError> {
    let want = Want::of(Subject { kind: SubjectKind::Client, id: client });
    let found = desk.billing.gather(&[want], desk.now()).await?.pop();
    Ok(found.and_then(Result::ok).and_then(|mut all| all.pop()))
}

/// The client and the client's contacts as they are now.
async fn people(desk: &Desk, facts: Option<&Facts>) -> Result<(Option<Person>, Vec<Person>), AdminError> {
    let Some(facts) = facts else { return Ok((None, Vec::new())) };
    let platform = desk.billing.platform(desk.now()).await?;
    let policy = desk.config.alerts.phone_policy();
    let read = |phone: &str, country: &str| normalize(phone, country, &platform.default_country, &policy);
    let client = &facts.client;
    let name = |first: &str, last: &str, company: &str| {
        let name = format!("{first} {last}");
        if name.trim().is_empty() { company.to_owned() } else { name.trim().to_owned() }
    };
    let mut all = vec![(
        None,
        name(&client.first_name, &client.last_name, &client.company),
        normalize_first(&client.phone_field, &client.phone, &client.country, &platform.default_country, &policy),
    )];
    for contact in &facts.contacts {
        let country = if contact.country.is_empty() { &client.country } else { &contact.country };
        let name = name(&contact.first_name, &contact.last_name, &contact.company);
        all.push((Some(contact.id.0), name, read(&contact.phone, country)));
    }
    let numbers: Vec<_> = all.iter().filter_map(|(.., phone)| phone.as_ref().ok()).map(|p| p.e164.clone()).collect();
    let book = consent::of_numbers(&desk.store, &numbers).await?;
    let moved = moved::moved(&desk.store, &numbers).await?;
    let failed = receipt::undeliverable(&desk.store, &numbers, desk.now() - SAID_MAX).await?;
    let mut people = all.into_iter().map(|(contact_id, name, phone)| Person {
        contact_id,
        name,
        to_masked: phone.as_ref().ok().map(|phone| phone.e164.masked()),
        undeliverable: phone.as_ref().is_ok_and(|phone| failed.contains(&phone.e164)),
        obstacle: match &phone {
            _ if client.status == ClientStatus::Closed => Some(Reason::ClientClosed),
            Ok(phone) if moved.contains(&phone.e164) => Some(Reason::NumberChanged),
            Ok(phone) => book.refuses_all(&phone.e164).then_some(Reason::OptedOut),
            Err(error) => Some(error.reason()),
        },
    });
    Ok((people.next(), people.collect()))
}

/// The client's rows at the platform.
struct Rows {
    client: u64,
    contacts: Vec<ContactId>,
    all: Vec<(Kind, crate::billing::changes::Watched)>,
}

impl Rows {
    async fn of(desk: &Desk, client: u64) -> Result<Self, AdminError> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            let page = desk.billing.watched_of_owner(*kind, client, ROWS_MAX, desk.now()).await?;
            all.extend(page.rows.into_iter().map(|row| (*kind, row)));
        }
        Ok(Self { client, contacts: Vec::new(), all })
    }

    fn has(&self, kind: Kind, id: u64) -> bool {
        self.all.iter().any(|(one, row)| *one == kind && row.seen.id == id)
    }

    /// Whether an event is about one of them, or names the client.
    fn concern(&self, catalogue: &Catalogue, event: &HookEvent) -> bool {
        let names_him = ["userid", "client_id", "clientid", "params.userid"]
            .iter()
            .any(|path| event.fields.get(*path).and_then(FieldValue::as_id) == Some(self.client));
        names_him && event.hook.starts_with("Client")
            || subjects(catalogue, event).iter().any(|subject| self.own(*subject))
            || (names_him && subjects(catalogue, event).is_empty())
    }

    fn own(&self, subject: Subject) -> bool {
        match subject.kind {
            SubjectKind::Client => subject.id == self.client,
            SubjectKind::Contact => self.contacts.contains(&ContactId(subject.id)),
            SubjectKind::Invoice => self.has(Kind::Invoice, subject.id),
            SubjectKind::Service | SubjectKind::Cancellation => self.has(Kind::Service, subject.id),
            SubjectKind::Quote => self.has(Kind::Quote, subject.id),
            SubjectKind::Domain => self.has(Kind::Domain, subject.id),
            SubjectKind::Ticket => self.has(Kind::Ticket, subject.id),
            SubjectKind::User => false,
        }
    }
}

/// What an event is about.
fn subjects(catalogue: &Catalogue, event: &HookEvent) -> Vec<Subject> {
    let fired = catalogue.fired_by(&event.hook).filter(|(_, trigger)| trigger.takes(event));
    let named =
        fired.filter_map(|(_, trigger)| Some(Subject { kind: trigger.names, id: event.id_at(&trigger.subject_at)? }));
    named.collect()
}

fn lines(events: &[StoredEvent], messages: Vec<MessageTrail>, skips: Vec<SkipLine>) -> Vec<Line> {
    let mut all: BTreeMap<String, Line> = BTreeMap::new();
    for told in events {
        let line = Line {
            event_id: told.event.id.to_string(),
            hook: told.event.hook.clone(),
            at: told.event.occurred_at,
            state: told.state.clone(),
            outcomes: Vec::new(),
        };
        all.insert(line.event_id.clone(), line);
    }
    // An event may be pruned before its messages are.
    let pruned = |event_id: &str, at: Timestamp| Line {
        event_id: event_id.to_owned(),
        hook: String::new(),
        at,
        state: "processed".to_owned(),
        outcomes: Vec::new(),
    };
    for message in messages.into_iter().rev() {
        let line = all.entry(message.event_id.clone()).or_insert_with(|| pruned(&message.event_id, message.created_at));
        line.outcomes.push(Outcome {
            hookpoint: Some(message.hookpoint.clone()),
            contact_id: message.contact_id,
            message: Some(message),
            skipped: None,
        });
    }
    for skip in skips {
        let line = all.entry(skip.event_id.clone()).or_insert_with(|| pruned(&skip.event_id, skip.at));
        line.outcomes.push(Outcome {
            hookpoint: skip.hookpoint.clone(),
            contact_id: skip.contact_id,
            message: None,
            skipped: Some(skip),
        });
    }
    let mut all: Vec<Line> = all.into_values().collect();
    all.sort_by(|a, b| (a.at, &a.event_id).cmp(&(b.at, &b.event_id)));
    all
}

/// What a new row of a kind should have led to.
const fn hookpoint_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Client => Some("client_registered"),
        Kind::Invoice => Some("invoice_created"),
        Kind::Payment => Some("payment_received"),
        Kind::Service => Some("service_activated"),
        Kind::Quote => Some("quote_available"),
        Kind::Domain | Kind::Ticket => None,
    }
}

/// New rows of the client's that nothing reported.
async fn untold(
    desk: &Desk,
    catalogue: &Catalogue,
    rows: &Rows,
    events: &[StoredEvent],
    (since, until): (Timestamp, Timestamp),
) -> Result<Vec<Untold>, AdminError> {
    let zone = desk.zone();
    let mut all = Vec::new();
    for (kind, row) in &rows.all {
        let Some(born) = row.born(&zone).map(|born| born.min(desk.now())).filter(|at| since <= *at && *at < until)
        else {
            continue;
        };
        let counts = match kind {
            Kind::Payment => row.seen.state == "in",
            Kind::Quote => row.seen.state == "Delivered",
            Kind::Service => row.seen.state != "Pending",
            _ => true,
        };
        let entry = hookpoint_of(*kind).and_then(HookpointId::parse).and_then(|id| catalogue.entry(&id));
        let (true, Some(entry)) = (counts, entry) else { continue };
        let id = if *kind == Kind::Payment { row.invoice } else { row.seen.id };
        let subject = Subject { kind: entry.hookpoint.subject, id };
        let hooks: Vec<&str> = entry.hookpoint.triggers.iter().map(|trigger| trigger.hook.as_str()).collect();
        let told = events
            .iter()
            .any(|one| hooks.contains(&one.event.hook.as_str()) && subjects(catalogue, &one.event).contains(&subject));
        if told || was_alerted(desk, subject, &entry.hookpoint.id).await? {
            continue;
        }
        let because = because(desk, entry.hookpoint.enabled, row.seen.state == "Draft", born);
        let payment = (*kind == Kind::Payment).then_some(row.seen.id);
        all.push(Untold { subject, payment, hookpoint: entry.hookpoint.id.clone(), at: born, because });
    }
    all.sort_by_key(|one| (one.at, one.subject.id));
    Ok(all)
}

/// Whether an alert about it ever went out: before or after the days that were asked about.
async fn was_alerted(desk: &Desk, subject: Subject, hookpoint: &HookpointId) -> Result<bool, AdminError> {
    let search = MessageSearch {
        subject: Some(subject.to_string()),
        hookpoint: Some(hookpoint.to_string()),
        limit: 1,
        ..MessageSearch::default()
    };
    Ok(!search::messages(&desk.store, &search).await?.items.is_empty())
}

fn because(desk: &Desk, enabled: bool, is_draft: bool, born: Timestamp) -> Because {
    let sweep = &desk.config.sweep;
    let age = desk.now().duration_since(born);
    let soon = SignedDuration::from_mins((sweep.grace_min + 2 * sweep.every_min).into());
    let age_max = SignedDuration::from_hours(desk.config.alerts.event_age_max_h.into());
    match () {
        () if is_draft => Because::Draft,
        () if !enabled => Because::Off,
        () if !sweep.enabled => Because::SweepOff,
        () if age <= soon => Because::SweepSoon,
        () if age > age_max => Because::TooOld,
        () => Because::NoHook,
    }
}
