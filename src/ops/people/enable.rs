//! `POST /administrators/:name/enable`, `hookbridge admin enable`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, amend};
use crate::admin::{AdminError, people};
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::Tx;
use crate::store::account::{self, Account, Amendment};

/// Enable a disabled account again. API tokens that ended stay so.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct EnableAdministrator {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

impl Operation for EnableAdministrator {
    const ID: &'static str = "enable_administrator";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Nothing;
}

impl Change for EnableAdministrator {
    type Prepared = Account;

    async fn prepare(&self, context: Context<'_>) -> Result<Account, AdminError> {
        people::named(context.desk, &self.name).await
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, account: &Account) -> Result<Done<Nothing>, AdminError> {
        let what = Amendment { sessions_but: Some(b""), ..Amendment::of(account::Change::Disabled(None)) };
        amend(tx, context, account, ("admin.enable", None), &what).await
    }
}
