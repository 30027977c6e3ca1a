//! The hooks as each version of the platform fires them: what the real stub makes of them must lead to the subject, and what
//! nobody knows must fail where it is seen. `tests/php/cases/envelope.php` reads the same vectors.

use std::collections::{BTreeMap, BTreeSet};

use hookbridge::catalogue::Catalogue;
use hookbridge::domain::event::FieldValue;
use hookbridge::domain::hookpoint::{HookpointId, SubjectKind};
use hookbridge::domain::ids::EventId;
use hookbridge::domain::reason::Reason;
use hookbridge::envelope;
use hookbridge::process::plan::{Outcome, ask};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../vectors/hooks.json")).expect("vectors are JSON")
}

fn catalogue() -> Catalogue {
    Catalogue::built_in(&BTreeMap::new()).expect("the catalogue is right")
}

/// The envelope that the stub makes of a vector; the PHP tests compare it with real ones, member by member.
fn body(vector: &Value) -> Value {
    let mut body = json!({
        "v": 1, "hook": vector["hook"], "occurred_at": "2026-11-25T07:00:00.000Z", "request": "r1",
        "actor": { "kind": "client" }, "platform": { "version": vector["platform"] }, "stub": "1.0.0",
        "fields": vector["fields"],
    });
    for member in ["changed", "gone"] {
        if let Some(value) = vector.get(member) {
            body[member] = value.clone();
        }
    }
    body
}

/// Where the documentation of the platform says that each hook names its subject.
fn documented(hook: &str, fields: &Value) -> Option<(SubjectKind, u64)> {
    let (kind, places): (SubjectKind, &[&str]) = match hook {
        "ClientAdd" => (SubjectKind::Client, &["/client_id", "/userid"]),
        "ClientEdit" | "ClientChangePassword" => (SubjectKind::Client, &["/userid"]),
        "UserChangePassword" => (SubjectKind::User, &["/userid", "/user_id", "/userId"]),
        "InvoiceCreated" | "InvoiceCancelled" | "InvoicePaid" | "AddInvoicePayment" => {
            (SubjectKind::Invoice, &["/invoiceid"])
        }
        "QuoteCreated" | "QuoteStatusChange" => (SubjectKind::Quote, &["/quoteid"]),
        "EmailPreSend" => (SubjectKind::Quote, &["/mergefields/quote_number"]),
        "DomainDelete" => (SubjectKind::Domain, &["/domainid"]),
        "ContactAdd" | "ContactEdit" | "ContactDelete" => (SubjectKind::Contact, &["/contactid"]),
        "CancellationRequest" => (SubjectKind::Cancellation, &["/relid"]),
        "AfterClientMerge" => (SubjectKind::Client, &["/toUserID"]),
        _ if hook.starts_with("AfterModule") => (SubjectKind::Service, &["/params/serviceid"]),
        // A vector of a hook that is not here yet must be given its place.
        _ => panic!("where does {hook} name its subject?"),
    };
    let id = places.iter().find_map(|place| {
        let value = fields.pointer(place)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    })?;
    Some((kind, id))
}

#[test]
fn every_vector_of_a_hook_leads_to_the_subject_that_the_platform_documents() {
    let catalogue = catalogue();
    let now: Timestamp = "2026-11-25T07:00:01Z".parse().expect("a time");
    let (mut reached, mut failed) = (BTreeSet::new(), Vec::new());
    for vector in vectors().iter().filter(|vector| vector["sent"] == true) {
        let name = vector["name"].as_str().expect("a name");
        let id = EventId::parse("evt_1").expect("an id");
        let event = envelope::parse(&id, "billing", body(vector).to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut outcome = Outcome::default();
        let asked = ask(&catalogue, &event, SignedDuration::from_hours(1), now, &mut outcome);
        if let Some((kind, id)) = documented(&event.hook, &vector["fields"]) {
            assert!(!asked.is_empty() && !outcome.failed, "{name}: no hookpoint takes it: {:?}", outcome.skips);
            for one in &asked {
                let subject = one.want.subject;
                assert_eq!((subject.kind, subject.id), (kind, id), "{name}: {}", one.entry.hookpoint.id);
                reached.insert(one.entry.hookpoint.id.clone());
            }
            let payment = vector.pointer("/gone/payment_id").and_then(Value::as_u64);
            assert!(asked.iter().all(|one| one.want.payment == payment), "{name}");
        } else {
            assert!(asked.is_empty() && outcome.failed, "{name}: an unknown shape was overlooked");
            assert!(outcome.skips.iter().all(|skip| skip.reason == Reason::FieldMissing), "{name}");
            failed.push(name.to_owned());
        }
        let changed: Vec<&str> = vector["changed"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert_eq!(event.changed, changed, "{name}");
    }
    assert_eq!(failed.len(), 1, "{failed:?}");
    // All hookpoints that are on are reached, but for those that the sweep alone fires.
    let ours = HookpointId::parse("service_owner_changed").expect("a name");
    let all: BTreeSet<HookpointId> =
        catalogue.entries().filter(|entry| entry.hookpoint.enabled).map(|entry| entry.hookpoint.id.clone()).collect();
    assert_eq!(all.difference(&reached).collect::<Vec<_>>(), [&ours]);
}

#[test]
fn text_digits_and_integers_are_the_same_id_and_nothing_else_is_one() {
    for (value, id) in [
        (json!(7), Some(7)),
        (json!("7"), Some(7)),
        (json!("007"), Some(7)),
        (json!("7 OR 1=1"), None),
        (json!(0), None),
        (json!(-7), None),
        (json!(7.5), None),
        (json!(true), None),
        (json!(null), None),
        (json!([7]), None),
        (json!({ "id": 7 }), None),
    ] {
        let body = json!({ "v": 1, "hook": "InvoiceCreated", "occurred_at": "2026-11-25T07:00:00Z", "fields": { "invoiceid": value } });
        let key = EventId::parse("evt_1").expect("an id");
        let event = envelope::parse(&key, "billing", body.to_string().as_bytes()).expect("an envelope");
        assert_eq!(event.fields.get("invoiceid").and_then(FieldValue::as_id), id, "{value}");
    }
}
