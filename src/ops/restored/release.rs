//! `POST /restored/release`, `hookbridge restored release`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, RestoredMessages, recording};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};
use crate::store::restored;

/// Release what is on hold because of it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReleaseRestored {}

impl Operation for ReleaseRestored {
    const ID: &'static str = "restored_release";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = RestoredMessages;
}

impl Act for ReleaseRestored {
    async fn act(self, context: Context<'_>) -> Result<RestoredMessages, AdminError> {
        let record = recording(context, "restored.release");
        let messages = restored::release(&context.desk.store, &record, context.now).await?;
        Ok(RestoredMessages { messages })
    }
}
