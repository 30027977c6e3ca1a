//! `POST /messages/:id/resend`, `hookbridge messages resend`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::{AdminError, messages};
use crate::domain::admin::Role;
use crate::ops::{Act, Context, Operation};

/// Resend a message that ended badly, as a new one. It is refused if its recipient opted out, or if what it says is not true any
/// more.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct ResendMessage {
    /// The message's id.
    #[schema(min_length = 1, max_length = 64)]
    pub id: String,
    /// It is understood that it may arrive twice: the first may have arrived.
    #[arg(long)]
    #[serde(default)]
    pub twice: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Resent {
    /// The new message's id.
    pub message: String,
}

impl Operation for ResendMessage {
    const ID: &'static str = "resend_message";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    const CONFLICTS: bool = true;
    type Output = Resent;
}

impl Act for ResendMessage {
    async fn act(self, context: Context<'_>) -> Result<Resent, AdminError> {
        let id = messages::id(&self.id)?;
        let new = messages::resend(context.desk, context.who, id, self.twice).await?;
        Ok(Resent { message: new.to_string() })
    }
}
