//! `GET /numbers`, `hookbridge lanes list`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::admin::numbers::{self, Number};
use crate::domain::admin::Role;
use crate::ops::{Context, Operation, Read};

/// Sending numbers: pace, queue, which instance sends, and whether one is paused.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ListNumbers {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Numbers {
    pub items: Vec<Number>,
}

impl Operation for ListNumbers {
    const ID: &'static str = "numbers";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Viewer;
    type Output = Numbers;
}

impl Read for ListNumbers {
    async fn read(self, context: Context<'_>) -> Result<Numbers, AdminError> {
        Ok(Numbers { items: numbers::all(context.desk).await? })
    }
}
