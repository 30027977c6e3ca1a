//! Owns: one search for everything: people, the platform's rows, messages and events, by whatever somebody has at hand. Each part is
//! an index, memory, or a walk for a bounded time; what was not looked at is said.

pub mod directory;
mod ours;
mod query;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::directory::{Directory, Match};
pub use self::query::Query;
use super::names::{Names, people_of};
use super::{AdminError, Desk};
use crate::billing::BillingError;
use crate::billing::lookup::{Called, Rows, Wanted};
use crate::domain::admin::{Role, Who};
use crate::domain::closed_list::closed_list;
use crate::domain::hookpoint::{Subject, SubjectKind};

/// Hits of one kind.
pub const HITS_MAX: usize = 6;
/// How long memory of who there is is good enough; it is shown as the rows are now.
const DIRECTORY_AGE_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Rows of each table that are kept in memory: about 100 bytes each.
const DIRECTORY_ROWS_MAX: usize = 300_000;
/// A walk over invoices takes so long at first, and so long when somebody asks to look further.
const WALK: Duration = Duration::from_millis(40);
const WALK_FURTHER: Duration = Duration::from_secs(3);
/// Longest search, in characters.
pub const CHARS_MAX: usize = 200;

closed_list! {
    /// What can be found, in the order of the answer.
    Kind {
        Client = "client",
        Contact = "contact",
        Invoice = "invoice",
        Service = "service",
        Domain = "domain",
        Quote = "quote",
        Ticket = "ticket",
        Message = "message",
        Event = "event",
    }
}

impl Kind {
    const fn of(kind: SubjectKind) -> Option<Self> {
        Some(match kind {
            SubjectKind::Client => Self::Client,
            SubjectKind::Contact => Self::Contact,
            SubjectKind::Invoice => Self::Invoice,
            SubjectKind::Service | SubjectKind::Cancellation => Self::Service,
            SubjectKind::Domain => Self::Domain,
            SubjectKind::Quote => Self::Quote,
            SubjectKind::Ticket => Self::Ticket,
            SubjectKind::User => return None,
        })
    }

    const fn subject(self) -> Option<SubjectKind> {
        Some(match self {
            Self::Client => SubjectKind::Client,
            Self::Contact => SubjectKind::Contact,
            Self::Invoice => SubjectKind::Invoice,
            Self::Service => SubjectKind::Service,
            Self::Domain => SubjectKind::Domain,
            Self::Quote => SubjectKind::Quote,
            Self::Ticket => SubjectKind::Ticket,
            Self::Message | Self::Event => return None,
        })
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    pub kind: Kind,
    pub id: String,
    /// What people call it: a name, a number, a domain; of messages and events the alert's or hook's name. Masked where names are not shown.
    pub title: String,
    /// More of it, as the kind says: a company and an address, a state.
    pub detail: String,
    /// Whose it is, where it is not a client itself.
    pub client: Option<u64>,
    pub at: Option<Timestamp>,
}

/// Why an answer is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The oldest clients are not in memory.
    Clients,
    /// Invoices below this id were not looked at by number.
    Invoices(u64),
    /// The platform's database does not answer.
    Platform,
}

impl Unseen {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Invoices(_) => "invoices",
            Self::Platform => "platform",
        }
    }
}

/// What was found, by kind.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Only kinds of which something was found, in their order.
    pub groups: Vec<(Kind, Vec<Hit>)>,
    pub unseen: Vec<Unseen>,
    /// What those who are named in `client` are called.
    pub names: Names,
}

impl Answer {
    #[must_use]
    pub fn hits(&self) -> usize {
        self.groups.iter().map(|(_, hits)| hits.len()).sum()
    }
}

/// Looks for `text`. `before`: look further, among invoices below this id.
///
/// # Errors
/// The role; our own database.
pub async fn find(desk: &Desk, who: &Who, text: &str, before: Option<u64>) -> Result<Answer, AdminError> {
    desk.require(who, Role::Viewer)?;
    let text: String = text.trim().chars().take(CHARS_MAX).collect();
    let query = Query::read(&text);
    if query.is_empty() {
        return Ok(Answer::default());
    }
    let mut answer = Answer::default();
    let (theirs, ours) = tokio::join!(theirs(desk, who, &query, before), ours::find(desk, &query));
    let mut hits = ours?;
    match theirs {
        Ok((found, unseen)) => {
            hits.extend(found);
            answer.unseen = unseen;
        }
        Err(error) => {
            tracing::warn!(%error, "a search goes without the platform's database");
            answer.unseen.push(Unseen::Platform);
        }
    }
    let clients: BTreeSet<u64> = hits.iter().filter_map(|hit| hit.client).collect();
    answer.names = people_of(desk, who, clients).await;
    for kind in Kind::ALL.iter().copied() {
        let of_kind: Vec<Hit> = hits.iter().filter(|hit| hit.kind == kind).take(HITS_MAX).cloned().collect();
        if !of_kind.is_empty() {
            answer.groups.push((kind, of_kind));
        }
    }
    Ok(answer)
}

/// People and rows of the platform.
async fn theirs(
    desk: &Desk,
    who: &Who,
    query: &Query,
    before: Option<u64>,
) -> Result<(Vec<Hit>, Vec<Unseen>), BillingError> {
    let people = async {
        if query.wants_people() && before.is_none() { people(desk, who, query).await } else { Ok((Vec::new(), true)) }
    };
    let rows = async {
        if !query.wants_rows() {
            return Ok(Rows::default());
        }
        let wanted = Wanted {
            id: query.id,
            word: query.word.clone(),
            kinds: query.kinds.iter().filter_map(|kind| kind.subject()).collect(),
        };
        let time = if before.is_some() { WALK_FURTHER } else { WALK };
        desk.billing.find_rows(&wanted, before, time, HITS_MAX).await
    };
    let (people, rows) = tokio::join!(people, rows);
    let ((mut hits, is_whole), rows) = (people?, rows?);
    hits.extend(rows.rows.into_iter().filter_map(|row| hit(row, desk.shows_names(who))));
    let clients = (!is_whole).then_some(Unseen::Clients);
    Ok((hits, clients.into_iter().chain(rows.rest.map(Unseen::Invoices)).collect()))
}

fn hit(row: Called, shows_names: bool) -> Option<Hit> {
    let kind = Kind::of(row.subject.kind)?;
    // A quote's subject is free text.
    let hidden = !shows_names && kind == Kind::Quote;
    Some(Hit {
        kind,
        id: row.subject.id.to_string(),
        title: if hidden { String::new() } else { row.name },
        detail: String::new(),
        client: Some(row.client).filter(|client| *client > 0),
        at: None,
    })
}

/// Whoever is meant, as the rows are now.
async fn people(desk: &Desk, who: &Who, query: &Query) -> Result<(Vec<Hit>, bool), BillingError> {
    let held = directory(desk).await?;
    let is_whole = held.1.is_whole;
    let text = query.text.clone();
    let look = tokio::task::spawn_blocking(move || held.1.find(&text, 2 * HITS_MAX));
    let mut matches: Vec<Match> = look.await.unwrap_or_default();
    if let Some(id) = query.id.filter(|_| query.wants(Kind::Client)) {
        matches.insert(0, Match { client: id, contact: None, score: u32::MAX });
    }
    let subject = |one: &Match| match one.contact {
        None => Subject { kind: SubjectKind::Client, id: one.client },
        Some(contact) => Subject { kind: SubjectKind::Contact, id: contact },
    };
    let cards = desk.billing.cards(&matches.iter().map(subject).collect()).await?;
    let shows = desk.shows_names(who);
    let mut seen = BTreeSet::new();
    let hits = matches.iter().map(subject).filter(|one| seen.insert(*one)).filter_map(|subject| {
        let card = cards.get(&subject)?;
        let kind = Kind::of(subject.kind).filter(|kind| query.wants(*kind))?;
        let (title, detail) = if shows {
            let parts = [card.company.as_str(), card.email.as_str()];
            (card.name.clone(), parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" · "))
        } else {
            (super::names::masked(&card.name), String::new())
        };
        let client = (kind == Kind::Contact).then_some(card.client);
        Some(Hit { kind, id: subject.id.to_string(), title, detail, client, at: None })
    });
    Ok((hits.collect(), is_whole))
}

/// Who there is, in memory.
async fn directory(desk: &Desk) -> Result<Arc<(Timestamp, Directory)>, BillingError> {
    let read = async {
        let people = desk.billing.directory(DIRECTORY_ROWS_MAX).await?;
        Ok(tokio::task::spawn_blocking(move || Directory::of(&people)).await.unwrap_or_default())
    };
    desk.shelf.directory.get(desk.now(), DIRECTORY_AGE_MAX, read).await
}

/// Reads who there is ahead of a search, so that the first one does not wait for it.
pub async fn warm(desk: &Desk) {
    if let Err(error) = directory(desk).await {
        tracing::debug!(%error, "who there is is not known yet");
    }
}
