//! `GET /holds`, `hookbridge holds list`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Code, Context, Operation, Read, codes};
use crate::store::hold::{self, HoldState};

/// Alerts on hold: those that wait for an operator, and those that were released.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ListHolds {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Holds {
    pub items: Vec<Hold>,
}

/// A hold of a hookpoint's alerts, or of those to one client.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hold {
    pub hookpoint: String,
    /// Null: everybody's.
    pub client_id: Option<u64>,
    #[schema(schema_with = codes::<HoldState>)]
    pub state: Code<HoldState>,
    pub since: Timestamp,
    /// Until when the answer holds.
    pub until: Option<Timestamp>,
    /// Alerts that were counted, and how many are usual at most.
    pub alerts: u64,
    pub allowed: u64,
}

impl Operation for ListHolds {
    const ID: &'static str = "holds";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Viewer;
    type Output = Holds;
}

impl Read for ListHolds {
    async fn read(self, context: Context<'_>) -> Result<Holds, AdminError> {
        let all = hold::all(&context.desk.store).await?;
        Ok(Holds { items: all.into_iter().map(Hold::from).collect() })
    }
}

impl From<hold::Hold> for Hold {
    fn from(one: hold::Hold) -> Self {
        Self {
            hookpoint: one.hookpoint.as_str().to_owned(),
            client_id: one.client_id.map(|id| id.0),
            state: Code(one.state),
            since: one.since,
            until: one.until,
            alerts: one.counted.into(),
            allowed: one.allowed.into(),
        }
    }
}
