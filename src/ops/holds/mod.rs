//! Owns: the operations on holds: alerts that wait for an operator because there were more than usual.

mod discard;
mod list;
mod postpone;
mod release;

pub use discard::DiscardHold;
pub use list::{Hold, Holds, ListHolds};
pub use postpone::PostponeHold;
pub use release::ReleaseHold;

use serde::Serialize;
use utoipa::ToSchema;

use super::Context;
use crate::admin::AdminError;
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::ClientId;
use crate::store::audit::Record;
use crate::store::hold::{self, Scope};

const AREA: &str = "holds";
/// For how many minutes an answer holds, if nothing else is said; and at most.
pub const MINUTES: u32 = 60;
pub const MINUTES_MAX: u32 = 10_080;

/// How many messages an answer was about.
#[derive(Debug, Serialize, ToSchema)]
pub struct Messages {
    pub messages: usize,
}

fn minutes() -> u32 {
    MINUTES
}

fn checked(minutes: u32) -> Result<(), AdminError> {
    if (1..=MINUTES_MAX).contains(&minutes) { Ok(()) } else { Err(AdminError::invalid("minutes", "holds.minutes_bad")) }
}

/// The hold of `hookpoint`, or the one of one client only.
async fn known(context: Context<'_>, hookpoint: &str, client_id: Option<u64>) -> Result<Scope, AdminError> {
    let hookpoint = HookpointId::parse(hookpoint).ok_or(AdminError::NotFound("hold"))?;
    let scope = Scope { hookpoint, client_id: client_id.map(ClientId) };
    let is_this = |hold: &hold::Hold| hold.hookpoint == scope.hookpoint && hold.client_id == scope.client_id;
    let there = hold::all(&context.desk.store).await?.iter().any(is_this);
    if there { Ok(scope) } else { Err(AdminError::NotFound("hold")) }
}

/// The line of an answer; the store adds how many messages it is about.
fn record<'a>(context: Context<'a>, action: &'a str, scope: &Scope) -> Record<'a> {
    let client = scope.client_id.map(|id| format!(", client {}", id.0));
    context.desk.record(context.who, action, (scope.hookpoint.as_str(), client), false)
}
