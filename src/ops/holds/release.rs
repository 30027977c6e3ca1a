//! `POST /holds/:hookpoint/go`, `hookbridge holds go`.

use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, MINUTES, Messages, checked, known, record};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};
use crate::store::hold;

/// Release what is on hold, and hold no more of it for a while.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct ReleaseHold {
    /// The hookpoint's name.
    #[schema(min_length = 1, max_length = 64)]
    pub hookpoint: String,
    /// Only the hold of this client.
    #[arg(long = "client")]
    #[schema(minimum = 1)]
    pub client_id: Option<u64>,
    /// For how many minutes nothing of it is held again.
    #[arg(long, default_value_t = MINUTES)]
    #[serde(default = "super::minutes")]
    #[schema(minimum = 1, maximum = 10_080, default = 60)]
    pub minutes: u32,
}

impl Operation for ReleaseHold {
    const ID: &'static str = "hold_go";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = Messages;
}

impl Act for ReleaseHold {
    async fn act(self, context: Context<'_>) -> Result<Messages, AdminError> {
        let scope = known(context, &self.hookpoint, self.client_id).await?;
        checked(self.minutes)?;
        let until = context.now + SignedDuration::from_mins(self.minutes.into());
        let record = record(context, "hold.go", &scope);
        let messages = hold::go(&context.desk.store, &scope, until, context.now, Some(&record)).await?;
        Ok(Messages { messages })
    }
}
