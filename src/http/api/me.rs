//! Owns: who the token is.

use serde_json::json;

use super::{Endpoint, endpoint};
use crate::domain::admin::Role;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[endpoint("GET", "/me", Role::Viewer, |call| {
    Box::pin(async move { Ok(json!({ "name": call.who.name, "role": call.who.role.code() })) })
})];
