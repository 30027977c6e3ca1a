//! Owns: what administrators see of events.

use super::{AdminError, Desk};
use crate::domain::ids::EventId;
use crate::store::client_history::{self, StoredEvent};
use crate::store::search_events::{self, EventRow, EventSearch};
use crate::store::trail::{self, EventTrail};
use crate::store::walk::Found;

/// An event with all that came of it.
#[derive(Clone, Debug)]
pub struct Whole {
    pub trail: EventTrail,
    /// What it said; `None` if it cannot be read.
    pub told: Option<StoredEvent>,
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
    Ok(Whole { trail, told: client_history::event(&desk.store, id).await? })
}

/// Reads an id.
///
/// # Errors
/// There can be no such event.
pub fn id(text: &str) -> Result<EventId, AdminError> {
    EventId::parse(text).ok_or(AdminError::NotFound("event"))
}
