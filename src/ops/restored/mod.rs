//! Owns: the operations on what is on hold because the bridge's schema was restored from an older dump.

mod discard;
mod release;
mod say;
mod show;

pub use discard::DiscardRestored;
pub use release::ReleaseRestored;
pub use say::SayRestored;
pub use show::{Restored, ShowRestored};

use serde::Serialize;
use utoipa::ToSchema;

use super::Context;
use crate::store::audit::Record;

const AREA: &str = "restored";

/// How many messages it was about.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestoredMessages {
    pub messages: u64,
}

/// The line of a step about so many messages.
fn recording<'a>(context: Context<'a>, action: &'static str) -> impl Fn(u64) -> Record<'a> + Send + Sync {
    move |count| context.desk.record(context.who, action, ("schema", Some(format!("{count} messages"))), false)
}
