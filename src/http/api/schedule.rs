//! Owns: what alerts by date would go out, for programs.

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::{AdminError, ahead, shape};
use crate::domain::admin::Role;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] =
    &[endpoint("GET", "/schedule", Role::Viewer, steps), endpoint("GET", "/schedule/:name", Role::Viewer, rows)];

fn steps(call: Call) -> Answering {
    Box::pin(async move { Ok(shape::ahead(&ahead::steps(&call.desk, &call.who, call.query.get("hookpoint")).await?)) })
}

fn rows(call: Call) -> Answering {
    Box::pin(async move {
        let day = call.query.get("day").and_then(|day| day.parse().ok());
        let day = day.ok_or_else(|| AdminError::invalid("day", "must be a day like 2026-12-24"))?;
        let (all, more) = ahead::rows(&call.desk, &call.who, call.param(0), day).await?;
        Ok(shape::ahead_rows(&all, more))
    })
}
