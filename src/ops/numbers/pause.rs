//! `POST /numbers/:name/pause`, `hookbridge lanes pause`.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AREA, known, target};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Operation};
use crate::store::Tx;
use crate::store::lane::{self, Pause, PausedBy};

/// Longest pause: a year. Messages expire before.
pub const PAUSE_MAX_MIN: u32 = 525_600;

/// Pause a sending number. Its queue is kept; messages that grow too old meanwhile expire.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct PauseNumber {
    /// The number, as in the configuration.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// For how many minutes.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAUSE_MAX_MIN)))]
    #[schema(minimum = 1, maximum = 525_600)]
    pub minutes: u32,
    /// Why, for whoever reads it later.
    #[arg(long)]
    #[schema(min_length = 1)]
    pub why: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Paused {
    pub paused_until: Timestamp,
}

impl Operation for PauseNumber {
    const ID: &'static str = "pause_number";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    type Output = Paused;
}

impl Change for PauseNumber {
    type Prepared = ();

    async fn prepare(&self, context: Context<'_>) -> Result<(), AdminError> {
        known(context.desk, &self.name)?;
        let mut mistakes = Vec::new();
        if !(1..=PAUSE_MAX_MIN).contains(&self.minutes) {
            mistakes.push(Mistake::new("minutes", "numbers.minutes_bad"));
        }
        if self.why.trim().is_empty() {
            mistakes.push(Mistake::new("why", "form.needed"));
        }
        if mistakes.is_empty() { Ok(()) } else { Err(AdminError::Invalid(mistakes)) }
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, (): &()) -> Result<Done<Paused>, AdminError> {
        let (paused_until, why) = (context.now + SignedDuration::from_mins(self.minutes.into()), self.why.trim());
        let detail = format!("{}: {why}", context.who.name);
        let pause = Pause { lane: self.name.clone(), until: paused_until, by: PausedBy::Operator, detail };
        lane::pause_in(tx, &pause, context.now).await?;
        Ok(Done {
            output: Paused { paused_until },
            action: "number.pause",
            target: target(&self.name),
            detail: Some(format!("until {paused_until}: {why}")),
            raises: false,
        })
    }
}
