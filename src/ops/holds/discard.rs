//! `POST /holds/:hookpoint/drop`, `hookbridge holds drop`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, Messages, known, record};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};
use crate::store::hold;

/// Discard what is on hold: its messages are cancelled.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct DiscardHold {
    /// The hookpoint's name.
    #[schema(min_length = 1, max_length = 64)]
    pub hookpoint: String,
    /// Only the hold of this client.
    #[arg(long = "client")]
    #[schema(minimum = 1)]
    pub client_id: Option<u64>,
}

impl Operation for DiscardHold {
    const ID: &'static str = "hold_drop";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = Messages;
}

impl Act for DiscardHold {
    async fn act(self, context: Context<'_>) -> Result<Messages, AdminError> {
        let scope = known(context, &self.hookpoint, self.client_id).await?;
        let record = record(context, "hold.drop", &scope);
        let messages = hold::discard(&context.desk.store, &scope, context.now, Some(&record)).await?;
        Ok(Messages { messages })
    }
}
