//! Owns: whether a number may be written to, and noting what somebody said by another way than a reply.

use std::collections::BTreeSet;

use super::{AdminError, Desk};
use crate::billing::phones::StoredPhone;
use crate::domain::admin::{Role, Who};
use crate::domain::consent::{How, Said, Scope};
use crate::domain::hookpoint::Class;
use crate::domain::phone::{E164, PhoneError, aliases, normalize, normalize_first};
use crate::domain::reason::Reason;
use crate::store::consent::{self, Statement, Word};
use crate::store::user_phone;

/// Statements about one number that are shown at most.
const WORDS_MAX: usize = 20;
/// Longest note, in characters.
pub const WHY_CHARS_MAX: usize = 300;

/// One number, and whether it may be written to.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The contact it is of; `None`: the client, or nobody asked whose it is.
    pub contact: Option<u64>,
    /// The number as we write to it, or why there is none.
    pub phone: Result<E164, Reason>,
    /// Classes of alerts that are refused there.
    pub refused: Vec<Class>,
    /// What was said of it, under whichever spelling or user id, newest first.
    pub words: Vec<Word>,
}

impl Standing {
    /// Whether any alerts may go there, as far as the number is concerned.
    #[must_use]
    pub fn may_be_written_to(&self) -> bool {
        self.phone.is_ok() && self.refused.len() < Class::ALL.len()
    }

    /// The last that was said.
    #[must_use]
    pub fn word(&self) -> Option<&Word> {
        self.words.first()
    }
}

/// How a number stands.
///
/// # Errors
/// The role; it is no number; a database.
pub async fn of_phone(desk: &Desk, who: &Who, written: &str) -> Result<Standing, AdminError> {
    desk.require(who, Role::Viewer)?;
    let phone = desk.phone(written).await?;
    standing(desk, None, Ok(phone)).await
}

/// How the numbers of a client and the client's contacts stand, as the platform has them now.
///
/// # Errors
/// The role; there is no such client; a database.
pub async fn of_client(desk: &Desk, who: &Who, client: u64) -> Result<Vec<Standing>, AdminError> {
    desk.require(who, Role::Viewer)?;
    let numbers = numbers_of(desk, client).await?.ok_or(AdminError::NotFound("client"))?;
    let mut all = Vec::with_capacity(numbers.len());
    for (contact, phone) in numbers {
        all.push(standing(desk, contact, phone).await?);
    }
    Ok(all)
}

/// The numbers of a client and the client's contacts on the platform; `None`: it has no such client.
pub(super) async fn numbers_of(
    desk: &Desk,
    client: u64,
) -> Result<Option<Vec<(Option<u64>, Result<E164, Reason>)>>, AdminError> {
    let Some(before) = client.checked_sub(1) else { return Ok(None) };
    let platform = desk.billing.platform(desk.now()).await?;
    let policy = desk.config.alerts.phone_policy();
    let read = |phone: &str, country: &str| {
        let read = normalize(phone, country, &platform.default_country, &policy);
        read.map(|phone| phone.e164).map_err(PhoneError::reason)
    };
    let Some((_, stored)) = desk.billing.phones(before, 1).await?.into_iter().find(|(id, _)| *id == client) else {
        return Ok(None);
    };
    let (own, country) = match stored {
        Ok(stored) => {
            let StoredPhone { phone_field, phone, country, .. } = stored;
            let own = normalize_first(&phone_field, &phone, &country, &platform.default_country, &policy);
            (own.map(|phone| phone.e164).map_err(PhoneError::reason), country)
        }
        Err(_) => (Err(Reason::SubjectUnreadable), String::new()),
    };
    let mut all = vec![(None, own)];
    for contact in desk.billing.contacts_of(&BTreeSet::from([client])).await? {
        let country = if contact.country.is_empty() { &country } else { &contact.country };
        all.push((Some(contact.id.0), read(&contact.phone, country)));
    }
    Ok(Some(all))
}

async fn standing(desk: &Desk, contact: Option<u64>, phone: Result<E164, Reason>) -> Result<Standing, AdminError> {
    let Ok(number) = &phone else { return Ok(Standing { contact, phone, refused: Vec::new(), words: Vec::new() }) };
    let spellings = aliases(number);
    let book = consent::of_numbers(&desk.store, &spellings).await?;
    let is_refused = |class: &Class| spellings.iter().any(|one| book.number_refuses(one, *class));
    let refused = Class::ALL.iter().copied().filter(is_refused).collect();
    let mut words = consent::words_of(&desk.store, &keys(desk, &spellings).await?).await?;
    // Each statement is kept under every spelling.
    words.dedup_by(|a, b| (a.said, &a.evidence) == (b.said, &b.evidence));
    words.truncate(WORDS_MAX);
    Ok(Standing { contact, phone, refused, words })
}

/// Under which keys the ledger holds what is known of a number: its spellings, and the user ids that are its.
async fn keys(desk: &Desk, spellings: &[E164]) -> Result<Vec<String>, AdminError> {
    let users = user_phone::users_of(&desk.store, spellings).await?;
    let numbers = spellings.iter().map(|one| one.as_str().to_owned());
    Ok(numbers.chain(users.iter().map(|one| one.as_str().to_owned())).collect())
}

/// Notes that somebody wants no alerts (any more), or wants them again, with who noted it and why.
///
/// # Errors
/// The role; no number, no reason; a database.
pub async fn set(desk: &Desk, who: &Who, written: &str, opted_out: bool, why: &str) -> Result<Standing, AdminError> {
    desk.require(who, Role::Operator)?;
    let why = why.trim();
    if why.is_empty() || why.chars().count() > WHY_CHARS_MAX || why.chars().any(char::is_control) {
        return Err(AdminError::invalid("why", "consent.why_bad"));
    }
    let phone = desk.phone(written).await?;
    let evidence = format!("{}: {why}", who.name);
    let said = Said { scope: Scope::All, opted_out, at: desk.now() };
    let keys = keys(desk, &aliases(&phone)).await?;
    let action = if opted_out { "consent.out" } else { "consent.in" };
    let record = desk.record(who, action, (phone.masked(), Some(why.to_owned())), false);
    let one = Statement { said, how: How::Operator, evidence: &evidence };
    consent::record_by(&desk.store, &keys, one, &record).await?;
    of_phone(desk, who, phone.as_str()).await
}
