//! `GET /numbers`, `hookbridge lanes list`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::admin::numbers::{self, Standing};
use crate::domain::admin::Role;
use crate::ops::{Context, Operation, Read};
use crate::store::lane::PausedBy;

/// Sending numbers: pace, queue, which instance sends, and whether one is paused.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ListNumbers {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Numbers {
    pub items: Vec<Number>,
}

/// How a sending number stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Number {
    pub name: String,
    /// Null: it sends.
    pub paused_until: Option<Timestamp>,
    /// Why it is paused.
    pub why: Option<String>,
    /// Messages per second now, and at most.
    pub per_second: u32,
    pub per_second_max: u32,
    /// Different people that its portfolio wrote to in the last minute.
    pub recipients_minute: u64,
    /// The same in 24 hours.
    pub recipients_day: u64,
    /// How many they may be. 0: no limit.
    pub recipients_day_max: u32,
    /// Which instance sends.
    pub owner: Option<String>,
    pub queued: u64,
    pub held: u64,
    pub sending: u64,
    pub unknown: u64,
    /// App secrets that verify its webhooks: more than one while they are rotated.
    pub app_secrets: usize,
    /// For pages: a person paused it, and not the provider.
    #[serde(skip)]
    #[schema(ignore)]
    pub by_operator: bool,
}

impl Operation for ListNumbers {
    const ID: &'static str = "numbers";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Viewer;
    type Output = Numbers;
}

impl Read for ListNumbers {
    async fn read(self, context: Context<'_>) -> Result<Numbers, AdminError> {
        let all = numbers::all(context.desk).await?;
        Ok(Numbers { items: all.into_iter().map(Number::from).collect() })
    }
}

impl From<Standing> for Number {
    fn from(one: Standing) -> Self {
        Self {
            name: one.name,
            paused_until: one.pause.as_ref().map(|pause| pause.until),
            by_operator: one.pause.as_ref().is_some_and(|pause| pause.by == PausedBy::Operator),
            why: one.pause.map(|pause| pause.detail),
            per_second: one.pace,
            per_second_max: one.pace_max,
            recipients_minute: one.recent,
            recipients_day: one.day,
            recipients_day_max: one.day_max,
            owner: one.owner,
            queued: one.queued,
            held: one.held,
            sending: one.sending,
            unknown: one.unknown,
            app_secrets: one.app_secrets,
        }
    }
}
