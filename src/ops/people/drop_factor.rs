//! `POST /administrators/:name/drop-factor`, `hookbridge admin drop-factor`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, amend, own_or_any};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::Tx;
use crate::store::account::{self, Account, Amendment};

/// Take the second factor away, e.g. because the phone is lost. All sessions of the account end.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct DropFactor {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

impl Operation for DropFactor {
    const ID: &'static str = "drop_factor_administrator";
    const AREA: &'static str = AREA;
    /// For one's own; see [`own_or_any`].
    const ROLE: Role = Role::Viewer;
    type Output = Nothing;
}

impl Change for DropFactor {
    type Prepared = Account;

    async fn prepare(&self, context: Context<'_>) -> Result<Account, AdminError> {
        own_or_any(context, &self.name).await
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, account: &Account) -> Result<Done<Nothing>, AdminError> {
        let what =
            Amendment { sessions_but: Some(b""), codes: Some(&[]), ..Amendment::of(account::Change::Totp(None)) };
        amend(tx, context, account, ("second_factor.drop", None), &what).await
    }
}
