//! `POST /secrets/:id/end`, `hookbridge sources end`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::{Tx, source_secret};

/// End a secret now. Events signed with it are refused from then on, on every instance.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct EndSecret {
    /// The secret's number, as in the list.
    pub id: u64,
}

impl Operation for EndSecret {
    const ID: &'static str = "end_secret";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Nothing;
}

impl Change for EndSecret {
    type Prepared = ();

    async fn prepare(&self, _context: Context<'_>) -> Result<(), AdminError> {
        Ok(())
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, (): &()) -> Result<Done<Nothing>, AdminError> {
        let ended = source_secret::end(tx, self.id, context.now).await?;
        let source = ended.ok_or(AdminError::NotFound("secret"))?;
        let detail = Some(format!("secret {}", self.id));
        Ok(Done { output: Nothing {}, action: "source.end", target: source, detail, raises: true })
    }
}
