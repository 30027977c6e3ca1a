//! `POST /restored/discard`, `hookbridge restored discard`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, RestoredMessages, recording};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};
use crate::store::restored;

/// Discard what is on hold because of it: its messages are cancelled.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DiscardRestored {}

impl Operation for DiscardRestored {
    const ID: &'static str = "restored_discard";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = RestoredMessages;
}

impl Act for DiscardRestored {
    async fn act(self, context: Context<'_>) -> Result<RestoredMessages, AdminError> {
        let record = recording(context, "restored.discard");
        let messages = restored::discard(&context.desk.store, &record, context.now).await?;
        Ok(RestoredMessages { messages })
    }
}
