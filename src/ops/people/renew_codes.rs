//! `POST /administrators/:name/recovery-codes`, `hookbridge admin recovery-codes`.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AREA, amend, own_or_any};
use crate::admin::AdminError;
use crate::admin::factor::{MadeCodes, make_codes};
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Operation, secret};
use crate::store::Tx;
use crate::store::account::{Account, Amendment};

/// Make ten new recovery codes for an account with a second factor; the earlier ones no longer work.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct RenewCodes {
    /// The account's name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
}

/// The new codes.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// They cannot be had again.
    #[serde(serialize_with = "secret::all_exposed")]
    #[schema(value_type = Vec<String>)]
    pub codes: Vec<SecretString>,
}

impl Operation for RenewCodes {
    const ID: &'static str = "renew_recovery_codes";
    const AREA: &'static str = AREA;
    /// For one's own; see [`own_or_any`].
    const ROLE: Role = Role::Viewer;
    const CONFLICTS: bool = true;
    type Output = RecoveryCodes;
}

impl Change for RenewCodes {
    type Prepared = (Account, MadeCodes);

    async fn prepare(&self, context: Context<'_>) -> Result<(Account, MadeCodes), AdminError> {
        let account = own_or_any(context, &self.name).await?;
        if account.totp_sealed.is_none() {
            return Err(AdminError::Conflict("people.no_factor".to_owned()));
        }
        let made = make_codes(context.desk, account.id)?;
        Ok((account, made))
    }

    async fn run(
        &self,
        tx: &mut Tx,
        context: Context<'_>,
        (account, made): &(Account, MadeCodes),
    ) -> Result<Done<RecoveryCodes>, AdminError> {
        let what = Amendment { codes: Some(&made.hashes), ..Amendment::default() };
        let done = amend(tx, context, account, ("recovery_codes.make", None), &what).await?;
        let output = RecoveryCodes { codes: made.codes.clone() };
        Ok(Done { output, action: done.action, target: done.target, detail: done.detail, raises: done.raises })
    }
}
