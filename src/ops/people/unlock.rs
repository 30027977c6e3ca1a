//! `POST /administrators/:name/unlock`, `hookbridge admin unlock`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::AREA;
use crate::admin::{AdminError, guess, people};
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::Tx;
use crate::store::account::Account;

/// Forget the wrong tries of an account, so that its person need not wait.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct UnlockAdministrator {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

impl Operation for UnlockAdministrator {
    const ID: &'static str = "unlock_administrator";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = Nothing;
}

impl Change for UnlockAdministrator {
    type Prepared = Account;

    async fn prepare(&self, context: Context<'_>) -> Result<Account, AdminError> {
        people::named(context.desk, &self.name).await
    }

    async fn run(&self, tx: &mut Tx, _context: Context<'_>, account: &Account) -> Result<Done<Nothing>, AdminError> {
        guess::unlock(tx, account.id).await?;
        let target = account.name.clone();
        Ok(Done { output: Nothing {}, action: "admin.unlock", target, detail: None, raises: false })
    }
}
