//! `POST /holds/:hookpoint/later`, `hookbridge holds later`.

use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, MINUTES, Messages, checked, known, record};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};
use crate::store::hold;

/// Decide later: it stays on hold and asks again.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct PostponeHold {
    /// The hookpoint's name.
    #[schema(min_length = 1, max_length = 64)]
    pub hookpoint: String,
    /// Only the hold of this client.
    #[arg(long = "client")]
    #[schema(minimum = 1)]
    pub client_id: Option<u64>,
    /// In how many minutes it asks again.
    #[arg(long, default_value_t = MINUTES)]
    #[serde(default = "super::minutes")]
    #[schema(minimum = 1, maximum = 10_080, default = 60)]
    pub minutes: u32,
}

impl Operation for PostponeHold {
    const ID: &'static str = "hold_later";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = Messages;
}

impl Act for PostponeHold {
    async fn act(self, context: Context<'_>) -> Result<Messages, AdminError> {
        let scope = known(context, &self.hookpoint, self.client_id).await?;
        checked(self.minutes)?;
        let until = context.now + SignedDuration::from_mins(self.minutes.into());
        let record = record(context, "hold.later", &scope);
        hold::later(&context.desk.store, &scope, until, Some(&record)).await?;
        Ok(Messages { messages: 0 })
    }
}
