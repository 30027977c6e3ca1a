//! Owns: whether a number may be written to, and noting what somebody said by another way than a reply.

use std::collections::BTreeSet;

use super::{AdminError, Desk};
use crate::billing::phones::StoredPhone;
use crate::domain::admin::{Role, Who};
use crate::domain::phone::{E164, PhoneError, aliases, normalize, normalize_first};
use crate::domain::reason::Reason;
use crate::store::consent::{self, Word};

/// Longest note, in characters.
pub const WHY_CHARS_MAX: usize = 300;

/// One number, and whether it may be written to.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The contact it is of; `None`: the client himself, or nobody asked whose it is.
    pub contact: Option<u64>,
    /// The number as we write to it, or why there is none.
    pub phone: Result<E164, Reason>,
    /// The last that was said of it, under whichever spelling.
    pub word: Option<Word>,
}

impl Standing {
    /// Whether alerts may go there, as far as the number is concerned.
    #[must_use]
    pub fn may_be_written_to(&self) -> bool {
        self.phone.is_ok() && !self.word.as_ref().is_some_and(|word| word.opted_out)
    }
}

/// How a number stands.
///
/// # Errors
/// The role; it is no number; a database.
pub async fn of_phone(desk: &Desk, who: &Who, written: &str) -> Result<Standing, AdminError> {
    desk.require(who, Role::Viewer)?;
    let phone = desk.phone(written).await?;
    Ok(Standing { contact: None, word: word(desk, &phone).await?, phone: Ok(phone) })
}

/// How the numbers of a client and his contacts stand, as the platform has them now.
///
/// # Errors
/// The role; there is no such client; a database.
pub async fn of_client(desk: &Desk, who: &Who, client: u64) -> Result<Vec<Standing>, AdminError> {
    desk.require(who, Role::Viewer)?;
    let numbers = numbers_of(desk, client).await?.ok_or(AdminError::NotFound("client"))?;
    let mut all = Vec::with_capacity(numbers.len());
    for (contact, phone) in numbers {
        let word = match &phone {
            Ok(phone) => word(desk, phone).await?,
            Err(_) => None,
        };
        all.push(Standing { contact, phone, word });
    }
    Ok(all)
}

/// The numbers of a client and his contacts on the platform; `None`: it has no such client.
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

async fn word(desk: &Desk, phone: &E164) -> Result<Option<Word>, AdminError> {
    Ok(consent::words_of(&desk.store, &aliases(phone)).await?.into_iter().next())
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
    consent::record(&desk.store, &aliases(&phone), opted_out, &evidence, desk.now()).await?;
    let deed = if opted_out { "consent.out" } else { "consent.in" };
    desk.note(who, deed, &phone.masked(), Some(why)).await?;
    of_phone(desk, who, phone.as_str()).await
}
