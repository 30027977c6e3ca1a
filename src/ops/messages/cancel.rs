//! `POST /messages/:id/cancel`, `hookbridge messages cancel`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, known};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::domain::ids::MessageId;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::{Tx, outbox};

/// Cancel a message that waits or is on hold.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct CancelMessage {
    /// The message's id.
    #[schema(min_length = 1, max_length = 64)]
    pub id: String,
}

impl Operation for CancelMessage {
    const ID: &'static str = "cancel_message";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    const CONFLICTS: bool = true;
    type Output = Nothing;
}

impl Change for CancelMessage {
    type Prepared = MessageId;

    async fn prepare(&self, context: Context<'_>) -> Result<MessageId, AdminError> {
        known(context, &self.id).await
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, id: &MessageId) -> Result<Done<Nothing>, AdminError> {
        if !outbox::cancel_by_operator(tx, *id, context.now).await? {
            return Err(AdminError::Conflict("messages.not_waiting".to_owned()));
        }
        let (action, target) = ("message.cancel", id.to_string());
        Ok(Done { output: Nothing {}, action, target, detail: None, raises: false })
    }
}
