//! Owns: who gets an alert: the client, and his contacts with a right to that kind of notice. Each who gets none has a
//! reason.

use crate::domain::hookpoint::Audience;
use crate::domain::ids::ContactId;
use crate::domain::locale::Locale;
use crate::domain::phone::{Certainty, E164, PhonePolicy, normalize};
use crate::domain::reason::Reason;
use crate::domain::record::{ClientStatus, Contact, Facts};

/// What the company decided about recipients.
#[derive(Clone, Debug)]
pub struct Policy {
    /// ISO 3166 alpha-2, for numbers without a country.
    pub default_country: String,
    /// For clients who chose no language.
    pub default_locale: Locale,
    pub phone: PhonePolicy,
}

/// Somebody who is to get the alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// `None` is the client himself.
    pub contact_id: Option<ContactId>,
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
    pub contact_id: Option<ContactId>,
    pub reason: Reason,
}

/// The recipients of an alert about `facts`, the client first.
#[must_use]
pub fn recipients(facts: &Facts, audience: Audience, policy: &Policy) -> (Vec<Recipient>, Vec<LeftOut>) {
    let client = &facts.client;
    if client.status == ClientStatus::Closed {
        return (Vec::new(), vec![LeftOut { contact_id: None, reason: Reason::ClientClosed }]);
    }
    let locale = client.locale.unwrap_or(policy.default_locale);
    let people = std::iter::once((None, &client.phone, &client.country, &client.first_name, &client.company)).chain(
        facts.contacts.iter().filter(|contact| has_right(contact, audience)).map(|contact| {
            // A contact without a country lives where his client does.
            let country = if contact.country.is_empty() { &client.country } else { &contact.country };
            (Some(contact.id), &contact.phone, country, &contact.first_name, &contact.company)
        }),
    );
    let mut told: Vec<Recipient> = Vec::new();
    let mut left_out = Vec::new();
    for (contact_id, phone, country, first_name, company) in people {
        match normalize(phone, country, &policy.default_country, &policy.phone) {
            Err(error) => left_out.push(LeftOut { contact_id, reason: error.reason() }),
            Ok(phone) if told.iter().any(|r| r.to == phone.e164) => {
                left_out.push(LeftOut { contact_id, reason: Reason::SamePhone });
            }
            Ok(phone) => told.push(Recipient {
                contact_id,
                to: phone.e164,
                assumed: match phone.certainty {
                    Certainty::Certain => None,
                    Certainty::Assumed(what) => Some(what),
                },
                first_name: first_name.clone(),
                company: company.clone(),
                locale,
            }),
        }
    }
    (told, left_out)
}

/// Whether a contact has a right to that kind of notice.
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
