//! `GET /administrators`, `hookbridge admin list`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Code, Context, Operation, Read, codes};
use crate::store::account::{self, Account};

/// Who administrates.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ListAdministrators {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Administrators {
    pub items: Vec<Administrator>,
}

/// An account: of its secrets only whether they are there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Administrator {
    /// For the addresses of pages.
    #[serde(skip)]
    #[schema(ignore)]
    pub id: u64,
    pub name: String,
    #[schema(schema_with = codes::<Role>)]
    pub role: Code<Role>,
    /// Whether there is a second factor.
    pub second_factor: bool,
    /// Whether there is a password; without one, the account is for the platform's link only.
    pub password: bool,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub created_by: String,
}

impl Operation for ListAdministrators {
    const ID: &'static str = "administrators";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Administrators;
}

impl Read for ListAdministrators {
    async fn read(self, context: Context<'_>) -> Result<Administrators, AdminError> {
        let all = account::all(&context.desk.store).await?;
        Ok(Administrators { items: all.into_iter().map(Administrator::from).collect() })
    }
}

impl From<Account> for Administrator {
    fn from(one: Account) -> Self {
        Self {
            id: one.id,
            name: one.name,
            role: Code(one.role),
            second_factor: one.totp_sealed.is_some(),
            password: one.password_hash.is_some(),
            disabled: one.disabled_at.is_some(),
            created_at: one.created_at,
            created_by: one.created_by,
        }
    }
}
