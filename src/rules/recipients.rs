//! Owns: who gets an alert: the client, his contacts and the logins with a right to that kind of notice. Each who gets none
//! has a reason.

use crate::domain::hookpoint::{Audience, Right};
use crate::domain::ids::{ContactId, UserId};
use crate::domain::locale::Locale;
use crate::domain::phone::{Certainty, E164, PhonePolicy, normalize};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Contact, Facts, Guest};

/// What the company decided about recipients.
#[derive(Clone, Debug)]
pub struct Policy {
    /// ISO 3166 alpha-2, for numbers without a country.
    pub default_country: String,
    /// For clients who chose no language.
    pub default_locale: Locale,
    pub phone: PhonePolicy,
}

/// Whom a hookpoint concerns besides the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circle {
    pub audience: Audience,
    pub users: Option<Right>,
}

/// In which part somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Client,
    Contact(ContactId),
    User(UserId),
}

impl Who {
    #[must_use]
    pub fn contact_id(self) -> Option<ContactId> {
        if let Self::Contact(id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub fn user_id(self) -> Option<UserId> {
        if let Self::User(id) = self { Some(id) } else { None }
    }
}

/// Somebody who is to get the alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub who: Who,
    pub to: E164,
    /// What was guessed about the number.
    pub assumed: Option<&'static str>,
    pub first_name: String,
    pub company: String,
    pub locale: Locale,
}

/// Somebody who could have got it, and why he does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub who: Who,
    pub reason: Reason,
}

/// Somebody as the platform's rows describe him.
struct Person<'a> {
    who: Who,
    phone: &'a str,
    country: &'a str,
    first_name: &'a str,
    company: &'a str,
    locale: Locale,
}

/// The recipients of an alert about `facts`: the client first, then contacts, then logins.
#[must_use]
pub fn recipients(facts: &Facts, circle: Circle, policy: &Policy) -> (Vec<Recipient>, Vec<LeftOut>) {
    let client = &facts.client;
    if client.status == ClientStatus::Closed {
        return (Vec::new(), vec![LeftOut { who: Who::Client, reason: Reason::ClientClosed }]);
    }
    let mut told: Vec<Recipient> = Vec::new();
    let mut left_out = Vec::new();
    for person in people(facts, circle, policy) {
        match normalize(person.phone, person.country, &policy.default_country, &policy.phone) {
            Err(error) => left_out.push(LeftOut { who: person.who, reason: error.reason() }),
            Ok(phone) if told.iter().any(|r| r.to == phone.e164) => {
                left_out.push(LeftOut { who: person.who, reason: Reason::SamePhone });
            }
            Ok(phone) => told.push(Recipient {
                who: person.who,
                to: phone.e164,
                assumed: match phone.certainty {
                    Certainty::Certain => None,
                    Certainty::Assumed(what) => Some(what),
                },
                first_name: person.first_name.to_owned(),
                company: person.company.to_owned(),
                locale: person.locale,
            }),
        }
    }
    (told, left_out)
}

/// Logins with the right who have no phone anywhere. They are no recipients and get no reason with each alert: it would be the
/// same again and again.
#[must_use]
pub fn out_of_reach(facts: &Facts, circle: Circle) -> Vec<UserId> {
    let permitted = facts.guests.iter().filter(|guest| may(guest, circle.users));
    permitted.filter(|guest| guest.home.is_none()).map(|guest| guest.user_id).collect()
}

fn people<'a>(facts: &'a Facts, circle: Circle, policy: &Policy) -> Vec<Person<'a>> {
    let client = &facts.client;
    let locale = client.locale.unwrap_or(policy.default_locale);
    let mut people = vec![Person {
        who: Who::Client,
        phone: &client.phone,
        country: &client.country,
        first_name: &client.first_name,
        company: &client.company,
        locale,
    }];
    people.extend(facts.contacts.iter().filter(|contact| has_right(contact, circle.audience)).map(|contact| Person {
        who: Who::Contact(contact.id),
        phone: &contact.phone,
        // A contact without a country lives where his client does.
        country: if contact.country.is_empty() { &client.country } else { &contact.country },
        first_name: &contact.first_name,
        company: &contact.company,
        locale,
    }));
    people.extend(facts.guests.iter().filter(|guest| may(guest, circle.users)).filter_map(|guest| {
        let home = guest.home.as_ref()?;
        Some(Person {
            who: Who::User(guest.user_id),
            phone: &home.phone,
            country: &home.country,
            first_name: &guest.first_name,
            company: &home.company,
            locale: guest.locale.or(home.locale).unwrap_or(locale),
        })
    }));
    people
}

fn may(guest: &Guest, right: Option<Right>) -> bool {
    right.is_some_and(|right| guest.rights.contains(&right))
}

/// Whether a contact has the right to what `audience` names.
#[must_use]
pub fn has_right(contact: &Contact, audience: Audience) -> bool {
    match audience {
        Audience::Owner => false,
        Audience::General => contact.general,
        Audience::Invoice => contact.invoice,
        Audience::Product => contact.product,
        Audience::Domain => contact.domain,
        Audience::Support => contact.support,
        Audience::Affiliate => contact.affiliate,
    }
}
