//! Every status that the platform's rows can have, and what each built-in hookpoint makes of it: the table of `docs/RULES.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hookbridge::catalogue::{Catalogue, Entry, Verdict};
use hookbridge::domain::event::HookEvent;
use hookbridge::domain::hookpoint::SubjectKind;
use hookbridge::domain::ids::EventId;
use hookbridge::domain::money::Money;
use hookbridge::domain::record::{Facts, SubjectRow};
use hookbridge::domain::schedule::Anchor;
use hookbridge::envelope;
use hookbridge::render::sample;
use serde_json::json;

const INVOICE: [&str; 7] = ["Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending"];
const SERVICE: [&str; 7] = ["Pending", "Active", "Suspended", "Terminated", "Cancelled", "Fraud", "Completed"];
const QUOTE: [&str; 6] = ["Draft", "Delivered", "On Hold", "Accepted", "Lost", "Dead"];
const TICKET: [&str; 6] = ["Open", "Answered", "Customer-Reply", "On Hold", "In Progress", "Closed"];
const DOMAIN: [&str; 11] = [
    "(deleted)",
    "Pending",
    "Pending Registration",
    "Pending Transfer",
    "Active",
    "Grace",
    "Redemption",
    "Expired",
    "Transferred Away",
    "Cancelled",
    "Fraud",
];

fn facts(kind: SubjectKind, status: &str) -> Facts {
    let mut facts = sample::facts(kind);
    facts.moved = None;
    match &mut facts.subject {
        SubjectRow::Invoice(invoice, _) => {
            status.clone_into(&mut invoice.status);
            if status == "Paid" {
                invoice.balance = Money::zero(facts.client.currency_id());
            }
        }
        SubjectRow::Service(service) => status.clone_into(&mut service.status),
        SubjectRow::Quote(quote) => status.clone_into(&mut quote.stage),
        SubjectRow::Domain(domain) if status == "(deleted)" => domain.status.clear(),
        SubjectRow::Ticket(ticket) => {
            status.clone_into(&mut ticket.status);
            ticket.is_closed = status == "Closed";
        }
        SubjectRow::Domain(domain) => status.clone_into(&mut domain.status),
        other => panic!("{other:?} has no status"),
    }
    facts
}

fn event(entry: &Entry) -> HookEvent {
    let trigger = &entry.hookpoint.triggers[0];
    let mut fields = json!({ "params": { "serviceid": 1 } });
    if let Some(schedule) = &trigger.schedule {
        let day = match schedule.of {
            Anchor::InvoiceDue | Anchor::ServiceNextDue => "2026-12-07",
            Anchor::DomainExpires => "2026-12-23",
            Anchor::QuoteSent | Anchor::TicketAnswered => "2026-11-20",
            Anchor::QuoteValidUntil => "2026-12-31",
        };
        fields = json!({ "of": schedule.of.code(), "day": day, "days": schedule.days[0] });
    }
    let body = json!({
        "v": 1, "hook": trigger.hook, "occurred_at": "2026-11-23T12:00:00Z", "actor": { "kind": "system" }, "fields": fields,
    });
    let id = EventId::parse("evt_1").expect("an id");
    envelope::parse(&id, "billing", body.to_string().as_bytes()).expect("an event")
}

/// What comes of it once every wait is over.
fn outcome(entry: &Entry, facts: &Facts) -> String {
    let verdicts = [entry.applies(&event(entry), facts), entry.still_true(facts)];
    let reason = verdicts.into_iter().find_map(|verdict| match verdict {
        Verdict::Holds => None,
        Verdict::No { reason, detail, .. } => {
            assert!(detail.is_none(), "{}: {detail:?}", entry.hookpoint.id);
            Some(reason)
        }
        Verdict::NotYet { reason, .. } => Some(reason),
    });
    reason.map_or_else(|| "**sent**".to_owned(), |reason| format!("`{reason}`"))
}

fn table(catalogue: &Catalogue, kind: SubjectKind, statuses: &[&str]) -> String {
    let mut lines = format!("| {kind} | {} |\n|{}\n", statuses.join(" | "), "---|".repeat(statuses.len() + 1));
    for entry in catalogue.entries().filter(|entry| entry.hookpoint.subject == kind) {
        // It compares owners, not statuses.
        if entry.hookpoint.triggers.iter().any(|trigger| !trigger.former_at.is_empty()) {
            continue;
        }
        let cells: Vec<String> = statuses.iter().map(|status| outcome(entry, &facts(kind, status))).collect();
        writeln!(lines, "| `{}` | {} |", entry.hookpoint.id, cells.join(" | ")).expect("into a text");
    }
    lines
}

#[test]
fn what_is_sent_at_each_status_is_what_the_document_says() {
    let catalogue = Catalogue::built_in(&BTreeMap::new()).expect("the catalogue is right");
    let document = crate::support::files::read("docs/RULES.md");
    let mut tables = Vec::new();
    for (kind, statuses) in [
        (SubjectKind::Invoice, &INVOICE[..]),
        (SubjectKind::Service, &SERVICE[..]),
        (SubjectKind::Quote, &QUOTE[..]),
        (SubjectKind::Domain, &DOMAIN[..]),
        (SubjectKind::Ticket, &TICKET[..]),
    ] {
        tables.push(table(&catalogue, kind, statuses));
    }
    let tables = tables.join("\n");
    assert!(document.contains(&tables), "docs/RULES.md, section 2, must say:\n{tables}");
}
