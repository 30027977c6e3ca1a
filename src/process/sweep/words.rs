//! Owns: which of the platform's hooks a change should have fired, and the event that takes its place. Pure.
//!
//! Nothing here knows hookpoints. What a hook means, whom it concerns and whether an alert went out already is decided by the
//! same road that the hook itself would have taken. Who edited what, and changed passwords, leave no trace in any row that
//! the bridge may read: those hooks have no second way.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::compare::{Due, Moved};
use crate::domain::event::SWEEP;
use crate::domain::ids::EventId;
use crate::domain::mirror::{ABSENT, Kind};
use crate::signature::{hex, sha256};
use crate::store::inbox::NewEvent;

/// A hook that should have fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub hook: &'static str,
    pub fields: Value,
    /// What the stub would have read.
    pub lookups: Value,
    /// Only worth an alert to who got one about the subject before: "cancelled" alone is no news.
    pub only_if_alerted: bool,
}

fn said(hook: &'static str, fields: Value) -> Said {
    Said { hook, fields, lookups: Value::Object(Map::new()), only_if_alerted: false }
}

/// The hooks of a change. `paid_by`: whether the invoice has a payment of its own, which has an alert of its own.
#[must_use]
pub fn of(due: &Due, paid_by: bool) -> Vec<Said> {
    let id = due.seen.id;
    let owner = due.seen.owner;
    let (before, after) = (due.before.as_str(), due.seen.state.as_str());
    match due.kind {
        Kind::Client if before == ABSENT => vec![said("ClientAdd", json!({ "client_id": id }))],
        Kind::Invoice => invoice(id, before, after, paid_by),
        Kind::Payment if after == "in" => {
            let lookups = json!({ "payment_id": id });
            vec![Said { lookups, ..said("AddInvoicePayment", json!({ "invoiceid": due.invoice })) }]
        }
        Kind::Service => service(before, after)
            .map(|hook| said(hook, json!({ "params": { "serviceid": id, "userid": owner } })))
            .into_iter()
            .collect(),
        // A prospect is nobody's client.
        Kind::Quote if after == "Delivered" && owner.is_some() => {
            let hook = if before == ABSENT { "QuoteCreated" } else { "QuoteStatusChange" };
            vec![said(hook, json!({ "quoteid": id, "status": after }))]
        }
        Kind::Domain if after == ABSENT => {
            let lookups = json!({ "domain": due.seen.name, "userid": owner });
            vec![Said { lookups, ..said("DomainDelete", json!({ "domainid": id, "userid": owner })) }]
        }
        // The platform has no hook for it.
        Kind::Domain if after == "Redemption" => {
            vec![said("DomainRedemption", json!({ "domainid": id, "userid": owner }))]
        }
        // Tickets are looked at for their dates.
        Kind::Client | Kind::Payment | Kind::Quote | Kind::Domain | Kind::Ticket => Vec::new(),
    }
}

fn invoice(id: u64, before: &str, after: &str, paid_by: bool) -> Vec<Said> {
    let unseen = matches!(before, ABSENT | "Draft");
    let mut hooks = Vec::new();
    match after {
        "Draft" => {}
        // Its client never saw the draft. One that is new to us may have been open in between.
        "Cancelled" if before == "Draft" => {}
        "Cancelled" => {
            let fields = json!({ "invoiceid": id });
            hooks.push(Said { only_if_alerted: unseen, ..said("InvoiceCancelled", fields) });
        }
        _ => {
            if unseen {
                hooks.push(said("InvoiceCreated", json!({ "invoiceid": id, "status": after })));
            }
            if after == "Paid" && !paid_by {
                hooks.push(said("InvoicePaid", json!({ "invoiceid": id })));
            }
        }
    }
    hooks
}

fn service(before: &str, after: &str) -> Option<&'static str> {
    match (before, after) {
        // A service that is new and suspended or ended already was brought in from elsewhere.
        (ABSENT, "Active") => Some("AfterModuleCreate"),
        (ABSENT, _) => None,
        ("Suspended", "Active") => Some("AfterModuleUnsuspend"),
        (_, "Active") => Some("AfterModuleCreate"),
        (_, "Suspended") => Some("AfterModuleSuspend"),
        // An order that was cancelled never ran.
        ("Active" | "Suspended", "Terminated" | "Cancelled") => Some("AfterModuleTerminate"),
        _ => None,
    }
}

/// The word of the state machines for a service's status.
#[must_use]
pub fn service_state(status: &str) -> Option<&'static str> {
    match status {
        "Active" => Some("active"),
        "Suspended" => Some("suspended"),
        "Terminated" | "Cancelled" => Some("terminated"),
        _ => None,
    }
}

/// The status that stands for a word of the state machines.
#[must_use]
pub fn service_status(state: &str) -> Option<&'static str> {
    ["Active", "Suspended", "Terminated"].into_iter().find(|status| service_state(status) == Some(state))
}

/// The hook of ours that tells of another owner. The platform has none.
#[must_use]
pub fn of_owner(moved: &Moved) -> Option<Said> {
    let Moved { seen, from, to, .. } = moved;
    match moved.kind {
        Kind::Service => {
            Some(said("ServiceOwnerChanged", json!({ "serviceid": seen.id, "userid": to, "from": from, "to": to })))
        }
        Kind::Domain => {
            Some(said("DomainOwnerChanged", json!({ "domainid": seen.id, "userid": to, "from": from, "to": to })))
        }
        _ => None,
    }
}

/// The event in place of a hook. Its id says what was found and when first, so that finding it twice makes one event.
#[must_use]
pub fn event(said: &Said, since: Timestamp, first_at: Timestamp, now: Timestamp) -> NewEvent {
    let what = format!("{}\n{}\n{}\n{}", said.hook, said.fields, said.lookups, first_at.as_millisecond());
    let digest = hex(&sha256(what.as_bytes()));
    let body = json!({
        "v": crate::envelope::VERSION, "hook": said.hook, "occurred_at": now.to_string(),
        "otherwise_at": since.to_string(), "request": format!("sweep-{}", &digest[..32]), "actor": { "kind": "system" },
        "fields": said.fields, "gone": said.lookups,
    })
    .to_string();
    NewEvent {
        id: EventId::parse(&format!("sweep-{}", &digest[..32])).expect("letters, digits and a dash"),
        source: SWEEP.to_owned(),
        hook: said.hook.to_owned(),
        occurred_at: now,
        received_at: now,
        key_index: 0,
        urgent: false,
        body_sha256: sha256(body.as_bytes()),
        body,
    }
}
