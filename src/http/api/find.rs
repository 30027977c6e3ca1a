//! Owns: the one search, for programs.

use serde_json::{Value, json};

use super::{Endpoint, endpoint};
use crate::admin::AdminError;
use crate::admin::find::{Answer, Hit, Unseen, find};
use crate::domain::admin::Role;
use crate::http::admin::find::path;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[endpoint("GET", "/search", Role::Viewer, |call| {
    Box::pin(async move {
        let text = call.query.get("q").ok_or_else(|| AdminError::invalid("q", "must be what to look for"))?;
        Ok(answer(&find(&call.desk, &call.who, text, call.number("before")?).await?))
    })
})];

/// What was found.
#[must_use]
pub fn answer(answer: &Answer) -> Value {
    let unseen = answer.unseen.iter().map(|one| {
        let before = if let Unseen::Invoices(from) = one { Some(*from) } else { None };
        json!({ "what": one.code(), "before": before })
    });
    let groups = answer.groups.iter().map(|(kind, hits)| {
        json!({ "kind": kind.code(), "hits": hits.iter().map(|one| hit(one, answer)).collect::<Vec<_>>() })
    });
    json!({ "groups": groups.collect::<Vec<_>>(), "unseen": unseen.collect::<Vec<_>>() })
}

fn hit(hit: &Hit, answer: &Answer) -> Value {
    json!({
        "id": hit.id, "title": hit.title, "detail": hit.detail, "client_id": hit.client,
        "client": hit.client.and_then(|client| answer.names.client(client)),
        "at": hit.at.map(|at| at.to_string()), "link": path(hit),
    })
}
