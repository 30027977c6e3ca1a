//! Owns: clients who cannot be alerted, for programs: ids and reasons, no numbers and no names.

use serde_json::{Value, json};

use super::{Endpoint, endpoint};
use crate::admin::AdminError;
use crate::admin::phones::{Problem, page};
use crate::domain::admin::Role;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[endpoint("GET", "/phones", Role::Viewer, |call| {
    Box::pin(async move {
        let read = |code: &str| {
            let all = Problem::ALL.iter().map(|one| one.code()).collect::<Vec<_>>().join(", ");
            Problem::parse(code).ok_or_else(|| AdminError::invalid("reason", format!("must be one of {all}")))
        };
        let problem = call.query.get("reason").map(read).transpose()?;
        let after = call.number("before")?.unwrap_or(0);
        let page = page(&call.desk, &call.who, problem, after, call.limit()?).await?;
        let items: Vec<Value> = page
            .found
            .iter()
            .map(|one| {
                json!({ "client_id": one.client, "country": one.country, "reason": one.problem.code(), "why": one.why })
            })
            .collect();
        Ok(json!({ "items": items, "looked_at": page.looked, "next": page.next.map(|next| next.to_string()) }))
    })
})];
