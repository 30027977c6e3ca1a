//! `GET /restored`, `hookbridge restored show`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Context, Operation, Read};
use crate::store::restored;

/// Whether the schema was restored from an older dump, what showed it, and how many messages are on hold because of it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ShowRestored {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Restored {
    /// When it was noticed. Null: nothing says so.
    pub restored_at: Option<Timestamp>,
    /// What showed it.
    pub sign: Option<String>,
    /// Messages that wait for an answer.
    pub held: u64,
}

impl Operation for ShowRestored {
    const ID: &'static str = "restored";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Viewer;
    type Output = Restored;
}

impl Read for ShowRestored {
    async fn read(self, context: Context<'_>) -> Result<Restored, AdminError> {
        let store = &context.desk.store;
        let (watch, held) = (restored::look(store).await?, restored::waiting(store).await?);
        Ok(Restored { restored_at: watch.restored_at, sign: watch.sign, held })
    }
}
