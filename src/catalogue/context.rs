//! Owns: what a condition may speak about. Raw values for decisions; the words of messages are made elsewhere.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::domain::event::{FieldValue, HookEvent};
use crate::domain::record::{ClientStatus, Facts, InvoiceItem, Service, SubjectRow};

/// Event and facts.
#[must_use]
pub fn of_event(event: &HookEvent, facts: &Facts) -> Value {
    with_event(event, facts_map(facts))
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
                    ("is_settled", Value::from(invoice.balance.is_zero() || invoice.balance.is_negative())),
                    ("is_negative", Value::from(invoice.total.is_negative())),
                    ("is_bundle", Value::from(invoice.is_bundle())),
                    ("paid_in_bundle", Value::from(invoice.paid_in_bundle)),
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
            put("quote", vec![("id", Value::from(quote.id.0)), ("stage", Value::from(quote.stage.clone()))]);
        }
        SubjectRow::Domain(domain) => put(
            "domain",
            vec![
                ("id", Value::from(domain.id.0)),
                ("name", Value::from(domain.name.clone())),
                ("status", Value::from(domain.status.clone())),
                ("exists", Value::from(!domain.status.is_empty())),
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
    ]
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
