//! `POST /administrators/:name/role`, `hookbridge admin role`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, amend};
use crate::admin::{AdminError, people};
use crate::domain::admin::Role;
use crate::ops::{Change, Code, Context, Done, Nothing, Operation, codes};
use crate::store::Tx;
use crate::store::account::{self, Account, Amendment};

/// Give another role. The last administrator keeps it.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct SetRole {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// The new role.
    #[schema(schema_with = codes::<Role>)]
    pub role: Code<Role>,
}

impl Operation for SetRole {
    const ID: &'static str = "set_role";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    const CONFLICTS: bool = true;
    type Output = Nothing;
}

impl Change for SetRole {
    type Prepared = Account;

    async fn prepare(&self, context: Context<'_>) -> Result<Account, AdminError> {
        people::named(context.desk, &self.name).await
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, account: &Account) -> Result<Done<Nothing>, AdminError> {
        let Code(role) = self.role;
        let keep_one = role != Role::Administrator && account.role == Role::Administrator;
        let what = Amendment { keep_one, ..Amendment::of(account::Change::Role(role)) };
        amend(tx, context, account, ("admin.role", Some(role.code().to_owned())), &what).await
    }
}
