//! Owns: what a condition may speak about. Raw values for decisions; the words of messages are made elsewhere.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use minijinja::Value;

use crate::domain::event::{FieldValue, HookEvent};
use crate::domain::record::{ClientStatus, Credited, Facts, InvoiceItem, Service, SubjectRow};
use crate::domain::schedule::{Anchor, DATE_REACHED, key};

/// Event and facts.
#[must_use]
pub fn of_event(event: &HookEvent, facts: &Facts) -> Value {
    let mut root = facts_map(facts);
    let is_invoice = matches!(facts.subject, SubjectRow::Invoice(..));
    match step(event, facts) {
        Some(step) => drop(root.insert("step".to_owned(), step)),
        // Without a day due there is none to count from.
        None if is_invoice => {
            let none = [("days", Value::from(0)), ("on", Value::from("")), ("is_current", Value::from(false))];
            let all = none.into_iter().chain([("key", Value::from("none"))]);
            root.insert(
                "step".to_owned(),
                Value::from(all.map(|(k, v)| (k.to_owned(), v)).collect::<BTreeMap<_, _>>()),
            );
        }
        None => {}
    }
    with_event(event, root)
}

/// The date that steps of a row are counted from, as its row says now.
fn anchored(anchor: Anchor, facts: &Facts) -> Option<Date> {
    match (anchor, &facts.subject) {
        (Anchor::InvoiceDue, SubjectRow::Invoice(invoice, _)) => invoice.due,
        (Anchor::ServiceNextDue, SubjectRow::Service(service)) => service.next_due,
        (Anchor::DomainExpires, SubjectRow::Domain(domain)) => domain.expires,
        (Anchor::QuoteSent, SubjectRow::Quote(quote)) => quote.sent,
        (Anchor::QuoteValidUntil, SubjectRow::Quote(quote)) => quote.valid_until,
        (Anchor::TicketAnswered, SubjectRow::Ticket(ticket)) => ticket.answered_on(),
        _ => None,
    }
}

/// Where the event stands to a date of its row: as its own fields say, or, for the platform's own reminders of an invoice, by
/// counting from the day due. The platform names no number of days.
fn step(event: &HookEvent, facts: &Facts) -> Option<Value> {
    let text = |name: &str| event.fields.get(name).and_then(FieldValue::as_text);
    let (day, days, is_current) = if event.hook == DATE_REACHED {
        let day: Date = text("day")?.parse().ok()?;
        let Some(FieldValue::Int(days)) = event.fields.get("days") else { return None };
        (day, *days, anchored(Anchor::parse(text("of")?)?, facts) == Some(day))
    } else {
        let day = anchored(Anchor::InvoiceDue, facts)?;
        (day, i64::from(day.until(event.day?).ok()?.get_days()), true)
    };
    let on = day.checked_add(days.days()).ok()?;
    Some(Value::from(BTreeMap::from([
        ("days".to_owned(), Value::from(days)),
        ("on".to_owned(), Value::from(on.to_string())),
        ("is_current".to_owned(), Value::from(is_current)),
        ("key".to_owned(), Value::from(key(day, days))),
    ])))
}

/// The event alone: what is known before any row was read.
#[must_use]
pub fn of_hook(event: &HookEvent) -> Value {
    with_event(event, BTreeMap::new())
}

fn with_event(event: &HookEvent, mut root: BTreeMap<String, Value>) -> Value {
    root.insert(
        "event".to_owned(),
        Value::from(BTreeMap::from([
            ("hook".to_owned(), Value::from(event.hook.clone())),
            ("actor".to_owned(), Value::from(event.actor.kind.code())),
            ("masquerading".to_owned(), Value::from(event.actor.masquerading)),
            ("day".to_owned(), event.day.map_or(Value::from(()), |day| Value::from(day.to_string()))),
            ("changed".to_owned(), event.changed.iter().cloned().collect::<Value>()),
        ])),
    );
    root.insert("fields".to_owned(), nested(&event.fields));
    root.insert("gone".to_owned(), nested(&event.gone));
    Value::from(root)
}

/// Facts alone: what can be asked again before sending.
#[must_use]
pub fn of_facts(facts: &Facts) -> Value {
    Value::from(facts_map(facts))
}

fn facts_map(facts: &Facts) -> BTreeMap<String, Value> {
    let status = match facts.client.status {
        ClientStatus::Active => "Active",
        ClientStatus::Inactive => "Inactive",
        ClientStatus::Closed => "Closed",
    };
    let mut root = BTreeMap::new();
    let mut put = |name: &str, members: Vec<(&str, Value)>| {
        root.insert(
            name.to_owned(),
            Value::from(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<BTreeMap<_, _>>()),
        );
    };
    put(
        "client",
        vec![
            ("id", Value::from(facts.client.id.0)),
            ("status", Value::from(status)),
            ("country", Value::from(facts.client.country.clone())),
            ("no_overdue_notices", Value::from(facts.client.no_overdue_notices)),
            ("never_suspended", Value::from(facts.client.never_suspended)),
        ],
    );
    if let Some(moved) = facts.moved {
        put("moved", vec![("former", Value::from(moved.former)), ("by_merge", Value::from(moved.by_merge))]);
    }
    match &facts.subject {
        SubjectRow::Client | SubjectRow::User(_) => {}
        SubjectRow::Contact(contact) => put("contact", vec![("exists", Value::from(contact.is_some()))]),
        SubjectRow::Invoice(invoice, payment) => {
            put(
                "invoice",
                vec![
                    ("id", Value::from(invoice.id.0)),
                    ("status", Value::from(invoice.status.clone())),
                    ("is_zero", Value::from(invoice.total.is_zero())),
                    ("is_credited", Value::from(invoice.credited != Credited::Nothing)),
                    ("is_settled", Value::from(invoice.balance.is_zero() || invoice.balance.is_negative())),
                    ("is_negative", Value::from(invoice.total.is_negative())),
                    ("is_bundle", Value::from(invoice.is_bundle())),
                    ("paid_in_bundle", Value::from(invoice.paid_in_bundle)),
                    ("date", invoice.date.map_or(Value::from(()), |day| Value::from(day.to_string()))),
                    ("types", invoice.items.iter().map(|item| item.kind.clone()).collect::<Value>()),
                    ("items", invoice.items.iter().map(item).collect::<Value>()),
                ],
            );
            put(
                "payment",
                vec![
                    ("exists", Value::from(payment.is_some())),
                    ("id", payment.as_ref().map_or(Value::from(()), |p| Value::from(p.id.0))),
                    ("is_refunded", Value::from(payment.as_ref().is_some_and(|p| p.is_refunded))),
                ],
            );
        }
        SubjectRow::Service(row) => put("service", service(row)),
        SubjectRow::Cancellation(cancelling) => {
            put("service", service(&cancelling.service));
            let allowed = cancelling.ruled.as_ref().is_none_or(|ruled| ruled.allowed);
            put(
                "cancellation",
                vec![
                    ("exists", Value::from(cancelling.request.is_some())),
                    ("id", cancelling.request.map_or(Value::from(()), |request| Value::from(request.id))),
                    ("allowed", Value::from(allowed)),
                ],
            );
        }
        SubjectRow::Quote(quote) => {
            put(
                "quote",
                vec![
                    ("id", Value::from(quote.id.0)),
                    ("stage", Value::from(quote.stage.clone())),
                    ("valid_until", quote.valid_until.map_or(Value::from(""), |day| Value::from(day.to_string()))),
                    ("is_over", Value::from(quote.is_over(facts.today))),
                ],
            );
        }
        SubjectRow::Ticket(ticket) => put(
            "ticket",
            vec![
                ("id", Value::from(ticket.id)),
                ("status", Value::from(ticket.status.clone())),
                ("priority", Value::from(ticket.priority.clone())),
                ("department", Value::from(ticket.department.clone())),
                ("is_closed", Value::from(ticket.is_closed)),
                ("is_merged", Value::from(ticket.is_merged)),
            ],
        ),
        SubjectRow::Domain(domain) => put(
            "domain",
            vec![
                ("id", Value::from(domain.id.0)),
                ("name", Value::from(domain.name.clone())),
                ("status", Value::from(domain.status.clone())),
                ("exists", Value::from(!domain.status.is_empty())),
                ("expires", domain.expires.map_or(Value::from(()), |day| Value::from(day.to_string()))),
                ("do_not_renew", Value::from(domain.do_not_renew)),
            ],
        ),
    }
    root
}

fn item(item: &InvoiceItem) -> Value {
    Value::from(BTreeMap::from([
        ("type", Value::from(item.kind.clone())),
        ("description", Value::from(item.description.clone())),
        ("relid", item.relates_to.map_or(Value::from(()), Value::from)),
    ]))
}

fn service(service: &Service) -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::from(service.id.0)),
        ("status", Value::from(service.status.clone())),
        ("domain", Value::from(service.domain.clone())),
        ("product", Value::from(service.product.clone())),
        ("is_free", Value::from(service.recurring.is_zero())),
        ("is_owed_for", Value::from(!service.owed.is_empty())),
        ("is_cancelling", Value::from(service.is_cancelling)),
        ("suspension_is_off", Value::from(service.not_suspended.is_some_and(|until| outlasts(until, service)))),
    ]
}

/// Whether the word not to suspend a service is in force on the day that it is due.
fn outlasts(until: Date, service: &Service) -> bool {
    service.next_due.is_none_or(|due| until > due)
}

/// Dotted paths as nested objects: `params.serviceid` is `fields.params.serviceid`.
fn nested(fields: &BTreeMap<String, FieldValue>) -> Value {
    let mut here: BTreeMap<String, Value> = BTreeMap::new();
    let mut below: BTreeMap<String, BTreeMap<String, FieldValue>> = BTreeMap::new();
    for (path, value) in fields {
        match path.split_once('.') {
            None => {
                here.insert(path.clone(), plain(value));
            }
            Some((first, rest)) => {
                below.entry(first.to_owned()).or_default().insert(rest.to_owned(), value.clone());
            }
        }
    }
    for (first, inner) in &below {
        here.insert(first.clone(), nested(inner));
    }
    Value::from(here)
}

fn plain(value: &FieldValue) -> Value {
    match value {
        FieldValue::Null => Value::from(()),
        FieldValue::Bool(b) => Value::from(*b),
        FieldValue::Int(n) => Value::from(*n),
        FieldValue::Decimal(text) | FieldValue::Text(text) => Value::from(text.clone()),
    }
}
