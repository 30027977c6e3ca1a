//! `POST /sources/:source/forget`, `hookbridge sources forget`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::{Tx, heartbeat};

/// Forget a stub whose host or user does not exist any more. One that still runs is listed again with its next heartbeat.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct ForgetStub {
    /// The source's name, as in the configuration.
    #[schema(min_length = 1, max_length = 64)]
    pub source: String,
    /// The host that the stub reported.
    #[schema(min_length = 1)]
    pub host: String,
    /// The user that PHP ran as.
    #[schema(min_length = 1)]
    pub owner: String,
}

impl Operation for ForgetStub {
    const ID: &'static str = "forget_stub";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = Nothing;
}

impl Change for ForgetStub {
    type Prepared = ();

    async fn prepare(&self, _context: Context<'_>) -> Result<(), AdminError> {
        Ok(())
    }

    async fn run(&self, tx: &mut Tx, _context: Context<'_>, (): &()) -> Result<Done<Nothing>, AdminError> {
        if !heartbeat::forget(tx, &self.source, &self.host, &self.owner).await? {
            return Err(AdminError::NotFound("stub"));
        }
        let detail = Some(format!("{}, {}", self.host, self.owner));
        Ok(Done { output: Nothing {}, action: "source.forget", target: self.source.clone(), detail, raises: false })
    }
}
