//! Owns: events: search, what came of one, and processing one again.

use super::messages::page;
use super::operation::change;
use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::{events, shape};
use crate::domain::admin::Role;
use crate::ops::events::ProcessAgain;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/events", Role::Viewer, list),
    endpoint("GET", "/events/:id", Role::Viewer, show),
    change::<ProcessAgain>("/events/:id/again"),
];

fn list(call: Call) -> Answering {
    Box::pin(async move {
        let get = |name: &str| call.query.get(name).map(str::to_owned);
        let search = call.desk.event_search(&get, call.limit()?)?;
        Ok(page(&events::list(&call.desk, &search).await?, shape::event))
    })
}

fn show(call: Call) -> Answering {
    Box::pin(async move {
        let whole = events::whole(&call.desk, &events::id(call.param(0))?).await?;
        Ok(shape::whole_event(&whole, call.who.may(Role::Operator)))
    })
}
