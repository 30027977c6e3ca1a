//! `POST /administrators/:name/password`, `hookbridge admin password`.

use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{AREA, amend, own_or_any};
use crate::admin::{AdminError, password};
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Nothing, Operation, secret};
use crate::store::Tx;
use crate::store::account::{self, Account, Amendment};

/// Set a password; all sessions of the account end.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct SetPassword {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    #[arg(skip)]
    #[serde(deserialize_with = "secret::given")]
    #[schema(value_type = String)]
    pub password: SecretString,
    /// The one session that goes on: of whoever sets their own at the page.
    #[arg(skip)]
    #[serde(skip)]
    #[schema(ignore)]
    pub kept: Vec<u8>,
}

impl Operation for SetPassword {
    const ID: &'static str = "set_password";
    const AREA: &'static str = AREA;
    /// For one's own; see [`own_or_any`].
    const ROLE: Role = Role::Viewer;
    type Output = Nothing;
}

impl Change for SetPassword {
    /// With the password's hash.
    type Prepared = (Account, String);

    async fn prepare(&self, context: Context<'_>) -> Result<(Account, String), AdminError> {
        let account = own_or_any(context, &self.name).await?;
        let mistakes = password::mistakes(&account.name, &self.password);
        if !mistakes.is_empty() {
            return Err(AdminError::Invalid(mistakes));
        }
        Ok((account, password::hash(&self.password).await?))
    }

    async fn run(
        &self,
        tx: &mut Tx,
        context: Context<'_>,
        (account, hash): &(Account, String),
    ) -> Result<Done<Nothing>, AdminError> {
        let change = account::Change::Password(hash.clone(), context.now);
        let what = Amendment { sessions_but: Some(&self.kept), ..Amendment::of(change) };
        amend(tx, context, account, ("admin.password", None), &what).await
    }
}
