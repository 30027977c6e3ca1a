//! Owns: why a client got nothing, and which client somebody means.

use serde_json::json;

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::{AdminError, shape, why};
use crate::domain::admin::Role;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] =
    &[endpoint("GET", "/why", Role::Viewer, answer), endpoint("GET", "/clients", Role::Viewer, clients)];

fn answer(call: Call) -> Answering {
    Box::pin(async move {
        let client = call.number("client")?.ok_or_else(|| AdminError::invalid("client", "is needed"))?;
        let days = why::read(&call.desk, client, &|name| call.query.get(name).map(str::to_owned))?;
        let answer = why::answer(&call.desk, days).await?;
        Ok(shape::answer(&call.desk.shown_answer(&call.who, answer)))
    })
}

fn clients(call: Call) -> Answering {
    Box::pin(async move {
        let words = call.query.get("search").ok_or_else(|| AdminError::invalid("search", "is needed"))?;
        let found = why::find(&call.desk, words, call.number("before")?).await?;
        let next = found.rest.map(|rest| rest.to_string());
        let clients = call.desk.shown(&call.who, found.clients);
        Ok(json!({ "items": clients.iter().map(shape::candidate).collect::<Vec<_>>(), "next": next }))
    })
}
