//! `POST /tokens/:id/end`, `hookbridge admin token end`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::{Tx, api_token};

/// End a token now.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct EndToken {
    /// Its number, see `list`
    pub id: u64,
}

impl Operation for EndToken {
    const ID: &'static str = "end_token";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Nothing;
}

impl Change for EndToken {
    type Prepared = ();

    async fn prepare(&self, _context: Context<'_>) -> Result<(), AdminError> {
        Ok(())
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, (): &()) -> Result<Done<Nothing>, AdminError> {
        if !api_token::end(tx, self.id, &context.who.name, context.now).await? {
            return Err(AdminError::NotFound("token"));
        }
        let target = self.id.to_string();
        Ok(Done { output: Nothing {}, action: "token.end", target, detail: None, raises: false })
    }
}
