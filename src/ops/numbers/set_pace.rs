//! `POST /numbers/:name/pace`, `hookbridge lanes pace`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AREA, known, target};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Operation};
use crate::store::{Tx, lane_setting};

/// Send slower than is configured. Every instance takes it over while it runs, within 2 seconds.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct SetPace {
    /// The number, as in the configuration.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// Messages per second, within the configured ones. Null or missing: as configured.
    #[schema(minimum = 1)]
    pub per_second: Option<u32>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Pace {
    /// Null: as configured.
    pub per_second: Option<u32>,
}

impl Operation for SetPace {
    const ID: &'static str = "pace_number";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Pace;
}

impl Change for SetPace {
    type Prepared = ();

    async fn prepare(&self, context: Context<'_>) -> Result<(), AdminError> {
        let most = known(context.desk, &self.name)?;
        let fits = self.per_second.is_none_or(|pace| (1..=most).contains(&pace));
        if fits { Ok(()) } else { Err(AdminError::invalid("per_second", "numbers.pace_bad")) }
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, (): &()) -> Result<Done<Pace>, AdminError> {
        lane_setting::set_pace(tx, &self.name, self.per_second, &context.who.name, context.now).await?;
        let pace = self.per_second.map_or_else(|| "as configured".to_owned(), |pace| format!("{pace} per second"));
        Ok(Done {
            output: Pace { per_second: self.per_second },
            action: "number.pace",
            target: target(&self.name),
            detail: Some(pace),
            raises: true,
        })
    }
}
