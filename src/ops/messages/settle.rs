//! `POST /messages/:id/settle`, `hookbridge messages settle`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, known};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::domain::closed_list::closed_list;
use crate::domain::ids::MessageId;
use crate::ops::{Change, Code, Context, Done, Nothing, Operation, codes};
use crate::store::Tx;
use crate::store::unknown::{self, Answer};

closed_list! {
    /// What an operator knows of a message whose outcome is unknown, or wants.
    Verdict {
        /// It arrived.
        Arrived = "arrived",
        /// Send it again; it may arrive twice.
        Again = "again",
        /// Leave it.
        GiveUp = "give_up",
    }
}

/// Say what became of a message whose outcome is unknown.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct SettleMessage {
    /// The message's id.
    #[schema(min_length = 1, max_length = 64)]
    pub id: String,
    /// `arrived`, `again` (send it again; it may arrive twice) or `give_up`.
    #[schema(schema_with = codes::<Verdict>)]
    pub verdict: Code<Verdict>,
}

impl Operation for SettleMessage {
    const ID: &'static str = "settle_message";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    const CONFLICTS: bool = true;
    type Output = Nothing;
}

impl Change for SettleMessage {
    type Prepared = MessageId;

    async fn prepare(&self, context: Context<'_>) -> Result<MessageId, AdminError> {
        known(context, &self.id).await
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, id: &MessageId) -> Result<Done<Nothing>, AdminError> {
        let answer = match self.verdict.0 {
            Verdict::Arrived => Answer::Arrived,
            Verdict::Again => Answer::Again,
            Verdict::GiveUp => Answer::GiveUp,
        };
        if !unknown::answer(tx, *id, answer, context.now).await? {
            return Err(AdminError::Conflict("messages.not_unknown".to_owned()));
        }
        let (action, target, detail) = ("message.settle", id.to_string(), Some(self.verdict.to_string()));
        Ok(Done { output: Nothing {}, action, target, detail, raises: false })
    }
}
