//! Owns: asking what the bridge knows already, so that the sweep stays silent where a hook was heard. Being wrong here costs
//! an event that leads to nothing: that nobody gets an alert twice is decided where every event is finished.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::compare::Due;
use super::words::{self, Said};
use crate::catalogue::Catalogue;
use crate::domain::event::{FieldValue, HookEvent, SWEEP};
use crate::domain::hookpoint::{HookpointId, Subject, Transition};
use crate::domain::ids::ClientId;
use crate::envelope;
use crate::store::inbox::NewEvent;
use crate::store::transition::CLOCKS_APART;
use crate::store::{Store, StoreError, known_events};

/// A change with an event that tells it.
#[derive(Debug)]
pub struct Telling {
    pub said: Said,
    pub event: NewEvent,
    read: HookEvent,
    client: Option<ClientId>,
    since: Timestamp,
}

impl Telling {
    /// None: no enabled hookpoint uses the hook.
    #[must_use]
    pub fn new(catalogue: &Catalogue, said: Said, due: &Due, now: Timestamp) -> Option<Self> {
        let used = catalogue.fired_by(said.hook).any(|(entry, _)| entry.hookpoint.enabled);
        let event = words::event(&said, due.since, due.first_at, now);
        let read = envelope::parse(&event.id, SWEEP, event.body.as_bytes()).ok().filter(|_| used)?;
        Some(Self { said, event, read, client: due.seen.owner.map(ClientId), since: due.since })
    }
}

/// Leaves out of `tellings` what was heard before. The second value says how many those were.
///
/// # Errors
/// The database.
pub async fn unheard(
    store: &Store,
    catalogue: &Catalogue,
    tellings: Vec<Telling>,
) -> Result<(Vec<Telling>, u64), StoreError> {
    let Some(oldest) = tellings.iter().map(|t| t.since).min() else { return Ok((tellings, 0)) };
    let clients: Vec<ClientId> =
        tellings.iter().filter_map(|t| t.client).collect::<BTreeSet<_>>().into_iter().collect();
    let mut hookpoints: BTreeSet<&HookpointId> = BTreeSet::new();
    let mut machines: BTreeSet<&str> = BTreeSet::new();
    let mut subjects: BTreeSet<Subject> = BTreeSet::new();
    for telling in &tellings {
        for (entry, trigger) in catalogue.fired_by(telling.said.hook).filter(|(entry, _)| entry.hookpoint.enabled) {
            hookpoints.insert(&entry.hookpoint.id);
            if let Transition::State { machine, .. } = &entry.hookpoint.transition {
                machines.insert(machine);
            }
            subjects.extend(telling.read.id_at(&trigger.subject_at).map(|id| Subject { kind: trigger.names, id }));
        }
    }
    let subjects: Vec<Subject> = subjects.into_iter().collect();
    let hookpoints: Vec<&HookpointId> = hookpoints.into_iter().collect();
    let machines: Vec<&str> = machines.into_iter().collect();
    let asked: Vec<ClientId> =
        if tellings.iter().any(|t| t.said.only_if_alerted) { clients.clone() } else { Vec::new() };
    let states = known_events::states(store, &machines, &subjects).await?;
    let alerted = known_events::alerted(store, &asked, &subjects, Timestamp::UNIX_EPOCH).await?;
    let events: Vec<HookEvent> = known_events::events(store, &clients, &hookpoints, oldest - CLOCKS_APART)
        .await?
        .into_iter()
        .filter_map(|e| envelope::parse(&e.id, &e.source, e.body.as_bytes()).ok())
        .collect();

    let count = tellings.len();
    let left: Vec<Telling> = tellings
        .into_iter()
        .filter(|telling| {
            let mut entries = catalogue.fired_by(telling.said.hook).filter(|(entry, _)| entry.hookpoint.enabled);
            !entries.all(|(entry, trigger)| {
                let Some(id) = telling.read.id_at(&trigger.subject_at) else { return false };
                let subject = Subject { kind: trigger.names, id };
                if telling.said.only_if_alerted && !alerted.iter().any(|(one, _)| *one == subject) {
                    return true;
                }
                // A subject that never moved may have been heard of all the same: no alert was due.
                if let Some((machine, to)) = entry.state_entered(&telling.read)
                    && let Some((state, at)) = states.get(&(machine.to_owned(), subject))
                {
                    return *state == to && *at >= telling.since - CLOCKS_APART;
                }
                events.iter().any(|event| {
                    let same = entry
                        .hookpoint
                        .triggers
                        .iter()
                        .any(|trigger| trigger.hook == event.hook && event.id_at(&trigger.subject_at) == Some(id));
                    same && same_payment(&telling.read, event)
                })
            })
        })
        .collect();
    let heard = (count - left.len()) as u64;
    Ok((left, heard))
}

/// An invoice may have several payments: another one's hook says nothing about this.
fn same_payment(found: &HookEvent, heard: &HookEvent) -> bool {
    let payment = |event: &HookEvent| event.gone.get("payment_id").and_then(FieldValue::as_id);
    payment(found).is_none() || payment(found) == payment(heard)
}
