//! `POST /restored/say`, `hookbridge restored say`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, RestoredMessages, recording};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};
use crate::store::restored;

/// Say that the schema was restored from an older dump. All that is queued is put on hold.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SayRestored {}

impl Operation for SayRestored {
    const ID: &'static str = "restored_say";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = RestoredMessages;
}

impl Act for SayRestored {
    async fn act(self, context: Context<'_>) -> Result<RestoredMessages, AdminError> {
        let sign = format!("{} said so", context.who.name);
        let record = recording(context, "restored.say");
        let messages = restored::hold(&context.desk.store, &sign, Some(&record), context.now).await?;
        Ok(RestoredMessages { messages })
    }
}
