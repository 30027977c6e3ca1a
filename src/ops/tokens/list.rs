//! `GET /tokens`, `hookbridge admin token list`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Code, Context, Operation, Read, codes};
use crate::store::api_token::{self, ApiToken};

/// Tokens of programs, newest first. Never the tokens themselves.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ListTokens {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    pub items: Vec<Token>,
}

/// A token: that it is there, not what it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    pub id: u64,
    pub name: String,
    #[schema(schema_with = codes::<Role>)]
    pub role: Code<Role>,
    pub made_at: Timestamp,
    pub made_by: String,
    /// When it was last used, to the hour.
    pub used_at: Option<Timestamp>,
    /// Null: until somebody ends it.
    pub until: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
}

impl Token {
    /// Whether the API takes it.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.until.is_none_or(|until| until > now)
    }
}

impl Operation for ListTokens {
    const ID: &'static str = "tokens";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Tokens;
}

impl Read for ListTokens {
    async fn read(self, context: Context<'_>) -> Result<Tokens, AdminError> {
        let all = api_token::all(&context.desk.store).await?;
        Ok(Tokens { items: all.into_iter().map(Token::from).collect() })
    }
}

impl From<ApiToken> for Token {
    fn from(one: ApiToken) -> Self {
        Self {
            id: one.id,
            name: one.name,
            role: Code(one.role),
            made_at: one.made_at,
            made_by: one.made_by,
            used_at: one.used_at,
            until: one.until,
            ended_at: one.ended_at,
        }
    }
}
