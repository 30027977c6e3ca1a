//! Owns: how one text is read as a number, and the numbers that clients gave up.

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::domain::phone::{Explained, aliases, explain};
use crate::store::moved::{self, Moved};
use crate::store::search;

/// Characters of a text that is read.
const TEXT_CHARS_MAX: usize = 200;
/// Longest note, in characters.
pub const WHY_CHARS_MAX: usize = 300;

/// How a text is read for a client in `country` (empty: unknown), and the company's country.
///
/// # Errors
/// The role; nothing to read; a country that is none.
pub async fn read(desk: &Desk, who: &Who, text: &str, country: &str) -> Result<(Explained, String), AdminError> {
    desk.require(who, Role::Viewer)?;
    if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        return Err(AdminError::invalid("text", "phones.read_text_bad"));
    }
    if !country.is_empty() && (country.len() != 2 || !country.bytes().all(|b| b.is_ascii_alphabetic())) {
        return Err(AdminError::invalid("country", "phones.read_country_bad"));
    }
    let company = match desk.billing.platform(desk.now()).await {
        Ok(platform) => platform.default_country.clone(),
        // Reading a text must not depend on the other database.
        Err(_) => desk.config.billing.default_country.clone(),
    };
    Ok((explain(text, country, &company, &desk.config.alerts.phone_policy()), company))
}

/// A number that was given up, and the clients who were written to there.
#[derive(Clone, Debug)]
pub struct Given {
    pub moved: Moved,
    pub clients: Vec<u64>,
}

/// The numbers that clients gave up, as the provider reported.
///
/// # Errors
/// The role, or the database.
pub async fn given_up(desk: &Desk, who: &Who) -> Result<Vec<Given>, AdminError> {
    desk.require(who, Role::Viewer)?;
    let mut all = Vec::new();
    for moved in moved::all(&desk.store).await? {
        let mut clients = Vec::new();
        for spelling in aliases(&moved.from) {
            clients.extend(search::clients_of(&desk.store, &spelling).await?);
        }
        clients.sort_unstable();
        clients.dedup();
        all.push(Given { moved, clients });
    }
    Ok(all)
}

/// Takes note of a number that was given up: it stays marked, and nobody is asked to look at it any more.
///
/// # Errors
/// The role; no such mark; the database.
pub async fn note(desk: &Desk, who: &Who, written: &str) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    let phone = desk.phone(written).await?;
    let record = desk.record(who, "phone.noted", (phone.masked(), None), false);
    if !moved::note(&desk.store, &aliases(&phone), &record).await? {
        return Err(AdminError::NotFound("number that was given up"));
    }
    Ok(())
}

/// Takes the mark away: the number belongs to a client again.
///
/// # Errors
/// The role; no such mark, no reason; the database.
pub async fn unmark(desk: &Desk, who: &Who, written: &str, why: &str) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    let why = why.trim();
    if why.is_empty() || why.chars().count() > WHY_CHARS_MAX || why.chars().any(char::is_control) {
        return Err(AdminError::invalid("why", "consent.why_bad"));
    }
    let phone = desk.phone(written).await?;
    let record = desk.record(who, "phone.unmarked", (phone.masked(), Some(why.to_owned())), false);
    if !moved::unmark(&desk.store, &aliases(&phone), &record).await? {
        return Err(AdminError::NotFound("number that was given up"));
    }
    Ok(())
}
