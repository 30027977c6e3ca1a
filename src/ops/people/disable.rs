//! `POST /administrators/:name/disable`, `hookbridge admin disable`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, amend};
use crate::admin::{AdminError, people};
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::Tx;
use crate::store::account::{self, Account, Amendment};

/// Disable an account: nobody can log in to it. Its sessions and its API tokens end.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct DisableAdministrator {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

impl Operation for DisableAdministrator {
    const ID: &'static str = "disable_administrator";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    const CONFLICTS: bool = true;
    type Output = Nothing;
}

impl Change for DisableAdministrator {
    type Prepared = Account;

    async fn prepare(&self, context: Context<'_>) -> Result<Account, AdminError> {
        people::named(context.desk, &self.name).await
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, account: &Account) -> Result<Done<Nothing>, AdminError> {
        let what = Amendment {
            keep_one: account.role == Role::Administrator,
            sessions_but: Some(b""),
            end_tokens: true,
            ..Amendment::of(account::Change::Disabled(Some(context.now)))
        };
        amend(tx, context, account, ("admin.disable", None), &what).await
    }
}
