//! Owns: what operators do about one message: cancel it, settle it, resend it.

mod cancel;
mod resend;
mod settle;

pub use cancel::CancelMessage;
pub use resend::{ResendMessage, Resent};
pub use settle::{SettleMessage, Verdict};

use super::Context;
use crate::admin::{AdminError, messages};
use crate::domain::ids::MessageId;

const AREA: &str = "messages";

/// The id of a message that exists.
async fn known(context: Context<'_>, id: &str) -> Result<MessageId, AdminError> {
    let id = messages::id(id)?;
    messages::one(context.desk, id).await.map(|_| id)
}
