//! `POST /numbers/:name/resume`, `hookbridge lanes resume`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, known, target};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::{Tx, lane};

/// Resume sending from a number, whoever paused it.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct ResumeNumber {
    /// The number, as in the configuration.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

impl Operation for ResumeNumber {
    const ID: &'static str = "resume_number";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = Nothing;
}

impl Change for ResumeNumber {
    type Prepared = ();

    async fn prepare(&self, context: Context<'_>) -> Result<(), AdminError> {
        known(context.desk, &self.name).map(drop)
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, (): &()) -> Result<Done<Nothing>, AdminError> {
        lane::resume(tx, &self.name, context.now).await?;
        let (action, target) = ("number.resume", target(&self.name));
        Ok(Done { output: Nothing {}, action, target, detail: None, raises: false })
    }
}
