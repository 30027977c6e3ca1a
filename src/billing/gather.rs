//! Owns: the facts of a batch of events, in one bounded set of indexed reads, whatever the batch's size.
//! The client is always the one that the subject's own row names: an id that happens to fit is never used.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;

use super::client::Read;
use super::invoice::{Invoices, complete};
use super::pool::{Billing, BillingError};
use crate::domain::case::CancelRequest;
use crate::domain::event::{FieldValue, HookEvent};
use crate::domain::hookpoint::{Subject, SubjectKind, Trigger};
use crate::domain::ids::{ClientId, CurrencyId, DomainId, UserId};
use crate::domain::money::Money;
use crate::domain::record::{
    Cancelling, Client, Contact, DomainName, Facts, Guest, Moved, Quote, Service, SubjectRow, Ticket, UnreadablePerson,
};
use crate::domain::text::decode_entities;
use crate::sql::{Bisected, Inconsistent, bisect};

/// What an event needs to know.
#[derive(Clone, Debug)]
pub struct Want {
    pub subject: Subject,
    /// The client that the hook named, to be compared with the row's.
    pub claimed_client: Option<u64>,
    /// The client that the subject belonged to before; that client is a recipient as well.
    pub former: Option<u64>,
    /// The payment that the event is about (`tblaccounts.id`).
    pub payment: Option<u64>,
    /// What the stub read because the row would be deleted: the domain's name and its client.
    pub snapshot: Option<(String, u64)>,
}

impl Want {
    #[must_use]
    pub fn of(subject: Subject) -> Self {
        Self { subject, claimed_client: None, former: None, payment: None, snapshot: None }
    }

    /// What `event` says of the row `id` besides its kind, as `trigger` reads it.
    #[must_use]
    pub fn of_event(event: &HookEvent, trigger: &Trigger, id: u64) -> Self {
        let field = |path: &str| event.fields.get(path).and_then(FieldValue::as_id);
        let looked_up = |name: &str| event.gone.get(name);
        let subject = Subject { kind: trigger.names, id };
        let claimed_client = match subject.kind {
            SubjectKind::Service => field("params.userid").or_else(|| field("userid")),
            SubjectKind::Domain => field("userid").or_else(|| field("params.userid")),
            SubjectKind::Contact | SubjectKind::Cancellation => field("userid"),
            _ => None,
        };
        let owner = looked_up("userid").and_then(FieldValue::as_id).or(claimed_client);
        let name = looked_up("domain").and_then(FieldValue::as_text).map(decode_entities);
        Self {
            subject,
            claimed_client,
            former: event.id_at(&trigger.former_at),
            payment: looked_up("payment_id").and_then(FieldValue::as_id),
            snapshot: name.zip(owner),
        }
    }
}

/// Why there are no facts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("{0} does not exist (any more)")]
    Row(Subject),
    #[error("the quote is for a prospect")]
    Prospect,
    #[error("the ticket is of a guest")]
    Guest,
    #[error("the login owns no account")]
    UserWithoutClient,
    #[error("the hook names client {claimed}, the row belongs to client {owner}")]
    OwnerMismatch { claimed: u64, owner: u64 },
    #[error(transparent)]
    Unreadable(#[from] Inconsistent),
    #[error("the billing database does not read it: {0}")]
    Refused(String),
}

/// Facts of one want: one set per client concerned (a login may own several accounts).
pub type Gathered = Result<Vec<Facts>, Missing>;

/// All rows that a batch asked for.
struct Rows {
    clients: HashMap<u64, Read<Client>>,
    contacts: HashMap<u64, Vec<Read<Contact>>>,
    guests: HashMap<u64, Vec<Read<Guest>>>,
    owned: HashMap<u64, Read<Vec<u64>>>,
    named_contacts: HashMap<u64, Read<Contact>>,
    invoices: Invoices,
    services: HashMap<u64, Read<Service>>,
    cancel_requests: HashMap<u64, Read<CancelRequest>>,
    quotes: HashMap<u64, Read<Quote>>,
    domains: HashMap<u64, Read<DomainName>>,
    tickets: HashMap<u64, Result<Ticket, Missing>>,
}

impl Billing {
    /// The facts of each of `wants`, in their order. One that the database does not read harms no other.
    ///
    /// # Errors
    /// The database: all of it is to be asked again later.
    pub async fn gather(&self, wants: &[Want], now: Timestamp) -> Result<Vec<Gathered>, BillingError> {
        let work = |piece: Range<usize>| self.gather_together(&wants[piece], now);
        let Bisected { done, refused, stopped } = bisect(wants.len(), BillingError::is_of_a_row, work).await;
        if let Some((_, error)) = stopped {
            return Err(error);
        }
        let mut found: BTreeMap<usize, Gathered> = BTreeMap::new();
        for (piece, gathered) in done {
            found.extend(piece.zip(gathered));
        }
        found.extend(refused.into_iter().map(|(place, error)| {
            let missing = match error {
                BillingError::Inconsistent(error) => Missing::Unreadable(error),
                error => Missing::Refused(error.to_string()),
            };
            (place, Err(missing))
        }));
        Ok(found.into_values().collect())
    }

    async fn gather_together(&self, wants: &[Want], now: Timestamp) -> Result<Vec<Gathered>, BillingError> {
        let mut reference = self.remembered(now).await?;
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let of = |kind| wants.iter().filter(|w| w.subject.kind == kind).map(|w| w.subject.id).collect::<BTreeSet<_>>();
        let cancelled = of(SubjectKind::Cancellation);
        let services = of(SubjectKind::Service).into_iter().chain(cancelled.iter().copied()).collect();
        let mut rows = Rows {
            owned: self.owned_by(c, &of(SubjectKind::User)).await?,
            named_contacts: self.contacts_by_id(c, &of(SubjectKind::Contact)).await?,
            invoices: self.invoices(c, &of(SubjectKind::Invoice), reference.is_payment).await?,
            services: self.services(c, &services).await?,
            cancel_requests: self.cancel_requests(c, &cancelled).await?,
            quotes: self.quotes(c, &of(SubjectKind::Quote), &reference.currencies).await?,
            domains: self.domain_names(c, &of(SubjectKind::Domain)).await?,
            tickets: self.tickets(c, &of(SubjectKind::Ticket)).await?,
            clients: HashMap::new(),
            contacts: HashMap::new(),
            guests: HashMap::new(),
        };
        let today = now.to_zoned(self.overrides.zone.clone()).date();
        let overdue = rows.invoices.rows.iter().filter(|(_, row)| row.as_ref().is_ok_and(|row| row.is_overdue(today)));
        rows.invoices.parts.at_risk = self.at_risk(c, &overdue.map(|(id, _)| *id).collect()).await?;
        let owners: Vec<Result<Vec<u64>, Missing>> = wants.iter().map(|want| rows.owners(want)).collect();
        let ids: BTreeSet<u64> = owners.iter().flatten().flatten().copied().collect();
        rows.clients = self.clients(c, &ids, &reference.currencies).await?;
        if let Some(fresh) = self.renewed(&reference, rows.unknown_currencies(), now).await? {
            reference = fresh;
            rows.clients = self.clients(c, &ids, &reference.currencies).await?;
            rows.quotes = self.quotes(c, &of(SubjectKind::Quote), &reference.currencies).await?;
        }
        rows.contacts = self.contacts(c, &ids).await?;
        rows.guests = self.guests(c, &ids).await?;
        Ok(wants.iter().zip(owners).map(|(want, owners)| rows.facts(want, &owners?, today)).collect())
    }
}

impl Rows {
    /// Currencies that clients and quotes name and that are not known.
    fn unknown_currencies(&self) -> BTreeSet<CurrencyId> {
        let clients = self.clients.values().flatten().map(|client| &client.currency);
        let quotes = self.quotes.values().flatten().map(|quote| &quote.currency);
        clients.chain(quotes).filter_map(|currency| currency.as_ref().err()).map(|none| none.id).collect()
    }

    /// Clients that the subject's own row belongs to.
    fn owners(&self, want: &Want) -> Result<Vec<u64>, Missing> {
        let subject = want.subject;
        let missing = || Missing::Row(subject);
        let owner = match subject.kind {
            SubjectKind::Client => subject.id,
            SubjectKind::User => {
                let owned = self.owned.get(&subject.id).ok_or(Missing::UserWithoutClient)?;
                return Ok(owned.clone()?);
            }
            // A deleted contact has no row: the hook names the account that it was deleted from.
            SubjectKind::Contact => match self.named_contacts.get(&subject.id) {
                Some(contact) => contact.as_ref().map_err(unreadable)?.client_id.0,
                None => want.claimed_client.ok_or_else(missing)?,
            },
            SubjectKind::Invoice => row(self.invoices.rows.get(&subject.id)).ok_or_else(missing)??.client_id,
            SubjectKind::Service | SubjectKind::Cancellation => {
                row(self.services.get(&subject.id)).ok_or_else(missing)??.client_id.0
            }
            SubjectKind::Quote => {
                let quote = row(self.quotes.get(&subject.id)).ok_or_else(missing)??;
                quote.client_id.ok_or(Missing::Prospect)?.0
            }
            SubjectKind::Ticket => {
                let ticket = self.tickets.get(&subject.id).ok_or_else(missing)?.as_ref().map_err(Missing::clone)?;
                ticket.client_id.ok_or(Missing::Guest)?.0
            }
            SubjectKind::Domain => match row(self.domains.get(&subject.id)) {
                Some(domain) => domain?.client_id.0,
                // The row is deleted, as it should be: the stub looked while it was there.
                None => want.snapshot.as_ref().map(|(_, owner)| *owner).ok_or_else(missing)?,
            },
        };
        match want.claimed_client {
            Some(claimed) if claimed != owner => Err(Missing::OwnerMismatch { claimed, owner }),
            _ => Ok(std::iter::once(owner).chain(want.former.filter(|former| *former != owner)).collect()),
        }
    }

    fn facts(&self, want: &Want, owners: &[u64], today: Date) -> Gathered {
        // A former owner's account may be deleted, e.g. merged away: the present owner gets the alert all the same.
        let is_gone = |owner: &&u64| want.former == Some(**owner) && !matches!(self.clients.get(owner), Some(Ok(_)));
        owners.iter().filter(|owner| !is_gone(owner)).map(|owner| self.of_client(want, *owner, owners, today)).collect()
    }

    fn of_client(&self, want: &Want, owner: u64, owners: &[u64], today: Date) -> Result<Facts, Missing> {
        let missing = || Missing::Row(Subject { kind: SubjectKind::Client, id: owner });
        let client = row(self.clients.get(&owner)).ok_or_else(missing)??.clone();
        let subject = self.subject_row(want, &client)?;
        let mut unreadable = Vec::new();
        let contacts = readable(self.contacts.get(&owner), false, &mut unreadable);
        let guests = readable(self.guests.get(&owner), true, &mut unreadable);
        let moved = want.former.map(|former| {
            let other = if former == owner { owners[0] } else { former };
            Moved { former: former == owner, other: ClientId(other), by_merge: false, together: 1 }
        });
        Ok(Facts { client, contacts, guests, subject, moved, today, unreadable })
    }

    /// A service, with what is owed for it in its client's currency.
    fn service(&self, id: u64, client: &Client) -> Option<Result<Service, Missing>> {
        let read = row(self.services.get(&id))?;
        Some(read.cloned().map(|mut service| {
            for debt in &mut service.owed {
                debt.balance = Money::new(debt.balance.amount(), client.currency_id());
            }
            service.recurring = Money::new(service.recurring.amount(), client.currency_id());
            service
        }))
    }

    fn subject_row(&self, want: &Want, client: &Client) -> Result<SubjectRow, Missing> {
        let id = want.subject.id;
        let missing = || Missing::Row(want.subject);
        Ok(match want.subject.kind {
            SubjectKind::Client => SubjectRow::Client,
            SubjectKind::User => SubjectRow::User(UserId(id)),
            SubjectKind::Contact => {
                SubjectRow::Contact(self.named_contacts.get(&id).cloned().transpose()?.map(Box::new))
            }
            SubjectKind::Invoice => {
                let invoice = row(self.invoices.rows.get(&id)).ok_or_else(missing)??;
                let payments = match self.invoices.payments.get(&id) {
                    Some(read) => read.as_ref().map_err(unreadable)?.as_slice(),
                    None => &[],
                };
                let (invoice, payment) = complete(invoice, payments, &self.invoices.parts, want.payment, client)?;
                SubjectRow::Invoice(Box::new(invoice), payment)
            }
            SubjectKind::Service => SubjectRow::Service(Box::new(self.service(id, client).ok_or_else(missing)??)),
            SubjectKind::Cancellation => SubjectRow::Cancellation(Box::new(Cancelling {
                service: self.service(id, client).ok_or_else(missing)??,
                request: self.cancel_requests.get(&id).cloned().transpose()?,
                ruled: None,
            })),
            SubjectKind::Quote => SubjectRow::Quote(Box::new(row(self.quotes.get(&id)).ok_or_else(missing)??.clone())),
            SubjectKind::Ticket => {
                let ticket = self.tickets.get(&id).ok_or_else(missing)?.as_ref().map_err(Missing::clone)?;
                SubjectRow::Ticket(Box::new(ticket.clone()))
            }
            SubjectKind::Domain => SubjectRow::Domain(if let Some(domain) = row(self.domains.get(&id)) {
                domain?.clone()
            } else {
                let (name, owner) = want.snapshot.clone().ok_or_else(missing)?;
                DomainName {
                    id: DomainId(id),
                    client_id: ClientId(owner),
                    name,
                    status: String::new(),
                    expires: None,
                    do_not_renew: false,
                }
            }),
        })
    }
}

/// A row that was read, or what is wrong with it.
fn row<T>(read: Option<&Read<T>>) -> Option<Result<&T, Missing>> {
    read.map(|read| read.as_ref().map_err(unreadable))
}

fn unreadable(error: &Inconsistent) -> Missing {
    Missing::Unreadable(error.clone())
}

/// The people of a list whose rows can be understood; the others are noted.
fn readable<T: Clone>(read: Option<&Vec<Read<T>>>, is_login: bool, noted: &mut Vec<UnreadablePerson>) -> Vec<T> {
    let mut people = Vec::new();
    for one in read.into_iter().flatten() {
        match one {
            Ok(person) => people.push(person.clone()),
            Err(error) => noted.push(UnreadablePerson { is_login, why: error.to_string() }),
        }
    }
    people
}
