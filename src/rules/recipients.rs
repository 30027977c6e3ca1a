//! Owns: who gets an alert: the client, the client's contacts and the logins with a right to that kind of notice. Each who gets none
//! has a reason.

use crate::config::Config;
use crate::domain::closed_list::closed_list;
use crate::domain::hookpoint::{Audience, Right};
use crate::domain::ids::{ContactId, UserId};
use crate::domain::locale::Locale;
use crate::domain::phone::{E164, Guess, PhonePolicy, normalize, normalize_first};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Contact, Facts, Guest, Platform};

/// What the company decided about recipients.
#[derive(Clone, Debug)]
pub struct Policy {
    /// ISO 3166 alpha-2, for numbers without a country.
    pub default_country: String,
    /// For clients who chose no language.
    pub default_locale: Locale,
    pub phone: PhonePolicy,
    /// Who gets alerts about invoices where the client named a billing contact.
    pub billing: BillingContact,
}

impl Policy {
    /// As configured; the platform says the rest.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            default_country: String::new(),
            default_locale: config.alerts.default_locale.parse().unwrap_or(Locale::EsAr),
            phone: config.alerts.phone_policy(),
            billing: BillingContact::parse(&config.billing.contact).unwrap_or(BillingContact::Owner),
        }
    }

    /// The same at a platform.
    #[must_use]
    pub fn at(&self, platform: &Platform) -> Self {
        Self {
            default_country: platform.default_country.clone(),
            default_locale: platform.locale.unwrap_or(self.default_locale),
            ..self.clone()
        }
    }
}

closed_list! {
    /// Who gets alerts about invoices where the client named a billing contact.
    BillingContact {
        /// The client, and the contacts with the right to invoices.
        Owner = "owner",
        /// That contact instead of the client, if it can be reached.
        Billing = "billing",
        Both = "both",
    }
}

/// Whom a hookpoint concerns besides the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circle {
    pub audience: Audience,
    pub users: Option<Right>,
}

/// Why somebody is a recipient.
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
    pub assumed: Option<Guess>,
    pub first_name: String,
    pub company: String,
    pub locale: Locale,
}

/// A possible recipient who is left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub who: Who,
    pub reason: Reason,
}

/// Somebody as the platform's rows describe them.
struct Person<'a> {
    who: Who,
    phone: &'a str,
    /// Empty: nobody has one, or it is empty.
    phone_field: &'a str,
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
    let mut chosen: Vec<Recipient> = Vec::new();
    let mut left_out = Vec::new();
    let instead = is_told_instead(facts, circle, policy);
    for person in people(facts, circle, policy) {
        if instead && person.who == Who::Client {
            left_out.push(LeftOut { who: person.who, reason: Reason::BillingContact });
            continue;
        }
        match normalize_first(person.phone_field, person.phone, person.country, &policy.default_country, &policy.phone)
        {
            Err(error) => left_out.push(LeftOut { who: person.who, reason: error.reason() }),
            Ok(phone) if chosen.iter().any(|r| r.to == phone.e164) => {
                left_out.push(LeftOut { who: person.who, reason: Reason::SamePhone });
            }
            Ok(phone) => chosen.push(Recipient {
                who: person.who,
                assumed: phone.assumed(),
                to: phone.e164,
                first_name: person.first_name.to_owned(),
                company: person.company.to_owned(),
                locale: person.locale,
            }),
        }
    }
    (chosen, left_out)
}

/// Whether the billing contact gets it instead of the client: only one who can be reached.
fn is_told_instead(facts: &Facts, circle: Circle, policy: &Policy) -> bool {
    let Some(contact) = billing_contact(facts, circle, policy).filter(|_| policy.billing == BillingContact::Billing)
    else {
        return false;
    };
    let country = if contact.country.is_empty() { &facts.client.country } else { &contact.country };
    normalize(&contact.phone, country, &policy.default_country, &policy.phone).is_ok()
}

/// The billing contact, where it gets the alert.
fn billing_contact<'a>(facts: &'a Facts, circle: Circle, policy: &Policy) -> Option<&'a Contact> {
    let named = facts.client.billing_contact?;
    let concerned = circle.audience == Audience::Invoice && policy.billing != BillingContact::Owner;
    facts.contacts.iter().find(|contact| concerned && contact.id == named)
}

/// First name and company of `who`, if an alert about `facts` (still) concerns them.
#[must_use]
pub fn addressed<'a>(facts: &'a Facts, circle: Circle, policy: &Policy, who: Who) -> Option<(&'a str, &'a str)> {
    let person = people(facts, circle, policy).into_iter().find(|person| person.who == who)?;
    Some((person.first_name, person.company))
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
    let written_in = |locale: Locale, country: &str| {
        locale.written_in(if country.is_empty() { &policy.default_country } else { country })
    };
    let mut people = vec![Person {
        who: Who::Client,
        phone: &client.phone,
        phone_field: &client.phone_field,
        country: &client.country,
        first_name: &client.first_name,
        company: &client.company,
        locale: written_in(locale, &client.country),
    }];
    let billing = billing_contact(facts, circle, policy).map(|contact| contact.id);
    let concerned = |contact: &&Contact| has_right(contact, circle.audience) || billing == Some(contact.id);
    people.extend(facts.contacts.iter().filter(concerned).map(|contact| {
        // A contact without a country lives where the client does.
        let country = if contact.country.is_empty() { &client.country } else { &contact.country };
        Person {
            who: Who::Contact(contact.id),
            phone: &contact.phone,
            phone_field: "",
            country,
            first_name: &contact.first_name,
            company: &contact.company,
            locale: written_in(locale, country),
        }
    }));
    people.extend(facts.guests.iter().filter(|guest| may(guest, circle.users)).filter_map(|guest| {
        let home = guest.home.as_ref()?;
        Some(Person {
            who: Who::User(guest.user_id),
            phone: &home.phone,
            phone_field: &home.phone_field,
            country: &home.country,
            first_name: &guest.first_name,
            company: &home.company,
            locale: written_in(guest.locale.or(home.locale).unwrap_or(locale), &home.country),
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
