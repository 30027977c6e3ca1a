//! Owns: what administrators see of events, and processing one again that was set aside as failed.

use jiff::SignedDuration;

use super::{AdminError, Desk};
use crate::catalogue::Catalogue;
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::{HookpointId, Subject, Transition};
use crate::domain::ids::EventId;
use crate::store::search_events::{self, EventRow, EventSearch};
use crate::store::told::{self, Told};
use crate::store::trail::{self, EventTrail};
use crate::store::walk::Found;

/// An event with all that came of it.
#[derive(Clone, Debug)]
pub struct Whole {
    pub trail: EventTrail,
    /// What it said; `None` if it cannot be read.
    pub told: Option<Told>,
}

/// Events, newest first.
///
/// # Errors
/// The database.
pub async fn list(desk: &Desk, search: &EventSearch) -> Result<Found<EventRow>, AdminError> {
    Ok(search_events::events(&desk.store, search).await?)
}

/// An event with all that came of it.
///
/// # Errors
/// There is none; the database.
pub async fn whole(desk: &Desk, id: &EventId) -> Result<Whole, AdminError> {
    let trail = trail::event(&desk.store, id).await?.ok_or(AdminError::NotFound("event"))?;
    Ok(Whole { trail, told: told::event(&desk.store, id).await? })
}

/// Reads an id.
///
/// # Errors
/// There can be no such event.
pub fn id(text: &str) -> Result<EventId, AdminError> {
    EventId::parse(text).ok_or(AdminError::NotFound("event"))
}

/// Processes an event again that was set aside as failed. Who got his message the first time gets no other.
///
/// # Errors
/// The role; it did not fail, or is too old by now; the database.
pub async fn again(desk: &Desk, who: &Who, id: &EventId) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    let event = trail::event(&desk.store, id).await?.ok_or(AdminError::NotFound("event"))?;
    let conflict = |key: &str| Err(AdminError::Conflict(key.to_owned()));
    if event.state != "failed" {
        return conflict("events.not_failed");
    }
    let age_max = SignedDuration::from_hours(desk.config.alerts.event_age_max_h.into());
    if desk.now().duration_since(event.occurred_at) > age_max {
        return conflict("reason.event_too_old");
    }
    let entered = entered(&desk.catalogue.load(), &event.steps);
    let record = desk.record(who, "event.again", (id.as_str(), None), false);
    if !crate::store::again::again(&desk.store, id, &entered, &record).await? {
        return conflict("events.not_failed");
    }
    Ok(())
}

/// Which states the first run may have moved, by its steps.
fn entered(catalogue: &Catalogue, steps: &str) -> Vec<(String, Subject)> {
    let steps: Vec<serde_json::Value> = serde_json::from_str(steps).unwrap_or_default();
    let of = |step: &serde_json::Value| {
        let hookpoint = HookpointId::parse(step["detail"]["hookpoint"].as_str()?)?;
        let subject = Subject::parse(step["detail"]["subject"].as_str()?)?;
        match &catalogue.entry(&hookpoint)?.hookpoint.transition {
            Transition::State { machine, .. } => Some((machine.clone(), subject)),
            _ => None,
        }
    };
    let mut all: Vec<(String, Subject)> = Vec::new();
    for one in steps.iter().filter_map(of) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
