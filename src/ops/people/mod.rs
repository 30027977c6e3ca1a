//! Owns: the operations on administrators: making, changing and disabling accounts.

mod create;
mod disable;
mod drop_factor;
mod enable;
mod list;
mod renew_codes;
mod set_password;
mod set_role;
mod unlock;

pub use create::{CreateAdministrator, NewAdministrator};
pub use disable::DisableAdministrator;
pub use drop_factor::DropFactor;
pub use enable::EnableAdministrator;
pub use list::{Administrator, Administrators, ListAdministrators};
pub use renew_codes::{RecoveryCodes, RenewCodes};
pub use set_password::SetPassword;
pub use set_role::SetRole;
pub use unlock::UnlockAdministrator;

use super::{Context, Done, Nothing};
use crate::admin::{AdminError, people};
use crate::domain::admin::Role;
use crate::store::Tx;
use crate::store::account::{self, Account, Amended, Amendment};

const AREA: &str = "access";

/// The account called `name`, for its own person at the page, or for an administrator. Others do not learn whether it exists.
async fn own_or_any(context: Context<'_>, name: &str) -> Result<Account, AdminError> {
    let found = people::named(context.desk, name).await;
    if !found.as_ref().is_ok_and(|account| context.who.is_in_person(account.id)) {
        context.desk.require(context.who, Role::Administrator)?;
    }
    found
}

/// Changes an account, with all that follows.
async fn amend(
    tx: &mut Tx,
    context: Context<'_>,
    account: &Account,
    (action, detail): (&'static str, Option<String>),
    what: &Amendment<'_>,
) -> Result<Done<Nothing>, AdminError> {
    match account::amend(tx, account.id, what, &context.who.name, context.now).await? {
        Amended::Last => Err(AdminError::Conflict("people.last_administrator".to_owned())),
        Amended::Done { tokens } => {
            let ended = (tokens > 0).then(|| format!("API tokens that ended: {tokens}"));
            let detail = ended.or(detail);
            Ok(Done { output: Nothing {}, action, target: account.name.clone(), detail, raises: false })
        }
    }
}
