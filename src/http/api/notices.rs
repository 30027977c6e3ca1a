//! Owns: notices to administrators, for programs.

use serde_json::{Value, json};

use super::{Endpoint, endpoint};
use crate::admin::notify::{self, Standing};
use crate::domain::admin::Role;
use crate::http::admin::notices::Pen;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/notices", Role::Viewer, |call| {
        Box::pin(async move {
            let all = notify::all(&call.desk, &call.who).await?;
            Ok(json!({ "items": all.iter().map(channel).collect::<Vec<_>>() }))
        })
    }),
    endpoint("POST", "/notices/:channel/test", Role::Operator, |call| {
        Box::pin(async move {
            let channel = notify::channel_named(call.param(0))?;
            let number = notify::test(&call.desk, &call.who, channel, &Pen::of(&call.desk.config)).await?;
            Ok(json!({ "number": number }))
        })
    }),
];

/// How a channel stands.
#[must_use]
pub fn channel(one: &Standing) -> Value {
    let moment = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    let told: Vec<Value> = one
        .told
        .iter()
        .map(|told| {
            json!({ "need": told.need, "says": told.says, "urgent": told.urgent,
                "first_at": told.first_at.to_string(), "notified_at": moment(told.notified_at), "resolved_at": moment(told.resolved_at) })
        })
        .collect();
    json!({
        "channel": one.channel.code(), "on": one.is_on, "to": one.to, "number": one.number,
        "sent": one.state.sent, "sent_at": moment(one.state.sent_at), "failures": one.state.failures,
        "error": one.state.error, "next_at": moment(one.state.next_at), "told": told,
    })
}
