//! Owns: believable facts of each kind of subject, for examples at the provider and for trying every template.

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::context::{About, build};
use crate::domain::case::{CancelKind, CancelRequest, Debt};
use crate::domain::hookpoint::SubjectKind;
use crate::domain::ids::{ClientId, ContactId, CurrencyId, DomainId, InvoiceId, PaymentId, QuoteId, ServiceId, UserId};
use crate::domain::locale::Locale;
use crate::domain::money::{Currency, Money, NumberFormat};
use crate::domain::record::{
    AtRisk, Cancelled, Cancelling, Client, ClientStatus, Contact, Credited, DomainName, Facts, Invoice, InvoiceItem,
    Moved, Payment, Platform, Quote, Service, SubjectRow, Ticket,
};

/// What a text may speak about, ready to be filled in.
pub type Values = minijinja::Value;

/// A template's values as an example, in `locale`.
///
/// # Panics
/// Never: the sample's values are constants.
#[must_use]
pub fn values(kind: SubjectKind, locale: Locale, platform: &Platform) -> Values {
    values_for(kind, true, locale, platform)
}

/// The same for an alert that is about a change of owner, or is not: only the first may speak of `moved`.
///
/// # Panics
/// Never: the sample's values are constants.
#[must_use]
pub fn values_for(kind: SubjectKind, moved: bool, locale: Locale, platform: &Platform) -> Values {
    let mut facts = facts(kind);
    facts.moved = facts.moved.filter(|_| moved);
    let about = About {
        facts: &facts,
        platform,
        zone: &TimeZone::UTC,
        occurred_at: "2026-11-23T15:04:05Z".parse::<Timestamp>().expect("a constant"),
        hook: "ContactEdit",
        changed: &["phonenumber".to_owned(), "email".to_owned()],
        first_name: "Ana",
        company: "",
    };
    build(&about, locale)
}

/// Something that a text may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// As it stands between the brackets: `invoice.number`.
    pub path: String,
    pub example: String,
}

/// Everything that a text about a subject of `kind` may say, by name.
#[must_use]
pub fn variables(kind: SubjectKind, moved: bool, locale: Locale, platform: &Platform) -> Vec<Variable> {
    let root = values_for(kind, moved, locale, platform);
    let keys = |value: &Values| value.try_iter().map(Iterator::collect::<Vec<_>>).unwrap_or_default();
    let mut found = Vec::new();
    for group in keys(&root) {
        let Ok(members) = root.get_item(&group) else { continue };
        for name in keys(&members) {
            let example = members.get_item(&name).map(|value| value.to_string()).unwrap_or_default();
            found.push(Variable { path: format!("{group}.{name}"), example });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A platform for examples.
#[must_use]
pub fn platform() -> Platform {
    Platform {
        system_url: "https://paneldecliente.example/".to_owned(),
        company_name: "Nube Austral".to_owned(),
        locale: Some(Locale::EsAr),
        default_country: "AR".to_owned(),
        version: "8.13.1".to_owned(),
        suspension_days: Some(5),
        termination_days: Some(30),
    }
}

fn service(client_id: ClientId) -> Service {
    Service {
        id: ServiceId(1),
        client_id,
        status: "Active".to_owned(),
        product: "Hosting Pyme".to_owned(),
        group: "Hosting".to_owned(),
        domain: "ejemplo.com.ar".to_owned(),
        suspend_reason: "factura vencida".to_owned(),
        next_due: Some(date(2026, 12, 7)),
        recurring: Money::new(Decimal::new(1_250_000, 2), CurrencyId(1)),
        not_suspended: None,
        is_cancelling: false,
        owed: vec![debt()],
    }
}

fn debt() -> Debt {
    Debt {
        id: InvoiceId(1234),
        number: "2026-1234".to_owned(),
        status: "Unpaid".to_owned(),
        due: Some(date(2026, 12, 7)),
        balance: Money::new(Decimal::new(250_000, 2), CurrencyId(1)),
    }
}

fn contact(client_id: ClientId) -> Contact {
    Contact {
        id: ContactId(1),
        client_id,
        first_name: "Juan".to_owned(),
        last_name: "Pérez".to_owned(),
        company: String::new(),
        phone: String::new(),
        country: String::new(),
        general: false,
        invoice: true,
        product: false,
        domain: false,
        support: false,
        affiliate: false,
    }
}

/// Facts about one subject of `kind`.
#[must_use]
pub fn facts(kind: SubjectKind) -> Facts {
    let id = CurrencyId(1);
    let currency = Currency {
        id,
        code: "ARS".to_owned(),
        prefix: "$ ".to_owned(),
        suffix: String::new(),
        format: NumberFormat::PointComma,
    };
    let money = |hundredths| Money::new(Decimal::new(hundredths, 2), id);
    let client_id = ClientId(1);
    let subject = match kind {
        SubjectKind::Client => SubjectRow::Client,
        SubjectKind::User => SubjectRow::User(UserId(1)),
        SubjectKind::Contact => SubjectRow::Contact(Some(Box::new(contact(client_id)))),
        SubjectKind::Invoice => SubjectRow::Invoice(
            Box::new(Invoice {
                id: InvoiceId(1234),
                client_id,
                number: "2026-1234".to_owned(),
                status: "Unpaid".to_owned(),
                date: Some(date(2026, 11, 23)),
                due: Some(date(2026, 12, 7)),
                total: money(1_250_000),
                balance: money(250_000),
                credited: Credited::Nothing,
                items: vec![InvoiceItem {
                    kind: "Hosting".to_owned(),
                    relates_to: Some(1),
                    description: "Hosting Pyme - ejemplo.com.ar".to_owned(),
                }],
                paid_in_bundle: false,
                at_risk: vec![AtRisk {
                    product: "Hosting Pyme".to_owned(),
                    domain: "ejemplo.com.ar".to_owned(),
                    next_due: date(2026, 12, 7),
                }],
            }),
            Some(Payment {
                id: PaymentId(1),
                amount: money(1_000_000),
                at: Some(date(2026, 11, 23).at(12, 0, 0, 0)),
                is_refunded: false,
            }),
        ),
        SubjectKind::Service => SubjectRow::Service(Box::new(service(client_id))),
        SubjectKind::Cancellation => SubjectRow::Cancellation(Box::new(Cancelling {
            service: service(client_id),
            request: Some(CancelRequest { id: 1, at: None, kind: CancelKind::EndOfPeriod }),
            ruled: Some(Cancelled { allowed: true, effective: Some(date(2026, 12, 7)), due: vec![debt()] }),
        })),
        SubjectKind::Quote => SubjectRow::Quote(Box::new(Quote {
            id: QuoteId(56),
            client_id: Some(client_id),
            subject: "Servidor dedicado".to_owned(),
            stage: "Delivered".to_owned(),
            total: money(9_900_000),
            currency: Ok(currency.clone()),
            valid_until: Some(date(2026, 12, 31)),
            sent: Some(date(2026, 11, 20)),
        })),
        SubjectKind::Ticket => SubjectRow::Ticket(Box::new(Ticket {
            id: 1,
            client_id: Some(client_id),
            number: "ABC-123456".to_owned(),
            department: "Soporte".to_owned(),
            priority: "Medium".to_owned(),
            status: "Answered".to_owned(),
            is_closed: false,
            is_merged: false,
            last_reply: Some(date(2026, 11, 20).at(12, 0, 0, 0)),
        })),
        SubjectKind::Domain => SubjectRow::Domain(DomainName {
            id: DomainId(1),
            client_id,
            name: "ejemplo.com.ar".to_owned(),
            status: String::new(),
            expires: Some(date(2026, 12, 23)),
            do_not_renew: false,
        }),
    };
    let client = Client {
        id: client_id,
        first_name: "Ana".to_owned(),
        last_name: "Pérez".to_owned(),
        company: String::new(),
        phone: "+54.91123456789".to_owned(),
        phone_field: String::new(),
        country: "AR".to_owned(),
        status: ClientStatus::Active,
        locale: Some(Locale::EsAr),
        currency: Ok(currency),
        billing_contact: None,
        no_overdue_notices: false,
        never_suspended: false,
    };
    Facts {
        client,
        contacts: Vec::new(),
        guests: Vec::new(),
        subject,
        moved: Some(Moved { former: false, other: ClientId(2), by_merge: false, together: 1 }),
        today: date(2026, 11, 23),
        unreadable: Vec::new(),
    }
}
