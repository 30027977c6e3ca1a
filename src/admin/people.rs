//! Owns: the administrators themselves: making, changing and disabling accounts.

use secrecy::SecretString;

use super::{AdminError, Desk, Mistake, password};
use crate::domain::admin::{Role, Who};
use crate::domain::locale::Locale;
use crate::store::account::{self, Account, Change};
use crate::store::session;

/// Longest name of an account, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Everybody, by name.
///
/// # Errors
/// The database.
pub async fn all(desk: &Desk) -> Result<Vec<Account>, AdminError> {
    Ok(account::all(&desk.store).await?)
}

/// The account called `name`.
///
/// # Errors
/// There is none; the database.
pub async fn named(desk: &Desk, name: &str) -> Result<Account, AdminError> {
    account::named(&desk.store, name).await?.ok_or(AdminError::NotFound("administrator"))
}

/// Whether somebody may be called so.
#[must_use]
pub(super) fn name_fits(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(|c| c.is_control() || c == ':')
}

/// Makes an account.
///
/// # Errors
/// The role, a name that is taken or none, a weak password; the database.
pub async fn create(
    desk: &Desk,
    who: &Who,
    name: &str,
    role: Role,
    password: Option<&SecretString>,
) -> Result<u64, AdminError> {
    desk.require(who, Role::Administrator)?;
    let name = name.trim();
    let mut mistakes = Vec::new();
    if !name_fits(name) {
        mistakes.push(Mistake::new("name", "people.name_bad"));
    }
    mistakes.extend(password.iter().flat_map(|password| password::mistakes(name, password)));
    if !mistakes.is_empty() {
        return Err(AdminError::Invalid(mistakes));
    }
    let hash = match password {
        Some(password) => Some(password::hash(password).await?),
        None => None,
    };
    let id = match account::create(&desk.store, name, role, &who.name, desk.now()).await {
        Err(error) if error.is_duplicate() => return Err(AdminError::invalid("name", "people.name_taken")),
        other => other?,
    };
    if let Some(hash) = hash {
        account::change(&desk.store, id, Change::Password(hash, desk.now())).await?;
    }
    desk.note(who, "admin.create", name, Some(role.code())).await?;
    Ok(id)
}

/// Gives an account another role.
///
/// # Errors
/// The role; nobody would be left who may; the database.
pub async fn set_role(desk: &Desk, who: &Who, account: &Account, role: Role) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    if role != Role::Administrator {
        keep_one(desk, account).await?;
    }
    account::change(&desk.store, account.id, Change::Role(role)).await?;
    desk.note(who, "admin.role", &account.name, Some(role.code())).await
}

/// Disables an account, or lets it in again. Its sessions end.
///
/// # Errors
/// The role; nobody would be left who may; the database.
pub async fn set_disabled(desk: &Desk, who: &Who, account: &Account, disabled: bool) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    if disabled {
        keep_one(desk, account).await?;
    }
    account::change(&desk.store, account.id, Change::Disabled(disabled.then(|| desk.now()))).await?;
    session::end_all(&desk.store, account.id, b"").await?;
    desk.note(who, if disabled { "admin.disable" } else { "admin.enable" }, &account.name, None).await
}

/// Sets a password: one's own, or as an administrator anybody's. All other sessions of the account end.
///
/// # Errors
/// The role, a weak password, the database.
pub async fn set_password(
    desk: &Desk,
    who: &Who,
    account: &Account,
    password: &SecretString,
    kept: &[u8],
) -> Result<(), AdminError> {
    if who.name != account.name {
        desk.require(who, Role::Administrator)?;
    }
    let mistakes = password::mistakes(&account.name, password);
    if !mistakes.is_empty() {
        return Err(AdminError::Invalid(mistakes));
    }
    let hash = password::hash(password).await?;
    account::change(&desk.store, account.id, Change::Password(hash, desk.now())).await?;
    session::end_all(&desk.store, account.id, kept).await?;
    desk.note(who, "admin.password", &account.name, None).await
}

/// Takes the second factor away, e.g. because the phone is lost. All sessions of the account end.
///
/// # Errors
/// The role; the database.
pub async fn drop_factor(desk: &Desk, who: &Who, account: &Account) -> Result<(), AdminError> {
    if who.name != account.name {
        desk.require(who, Role::Administrator)?;
    }
    account::change(&desk.store, account.id, Change::Totp(None)).await?;
    session::end_all(&desk.store, account.id, b"").await?;
    desk.note(who, "second_factor.drop", &account.name, None).await
}

/// Remembers the language of somebody's pages.
///
/// # Errors
/// The database.
pub async fn set_locale(desk: &Desk, account: &Account, locale: Locale) -> Result<(), AdminError> {
    Ok(account::change(&desk.store, account.id, Change::Locale(locale)).await?)
}

/// Refuses to take the last administrator's power away.
async fn keep_one(desk: &Desk, account: &Account) -> Result<(), AdminError> {
    if account.role != Role::Administrator {
        return Ok(());
    }
    let others = account::all(&desk.store).await?;
    let left = others
        .iter()
        .any(|other| other.id != account.id && other.role == Role::Administrator && other.disabled_at.is_none());
    if left { Ok(()) } else { Err(AdminError::Conflict("people.last_administrator".to_owned())) }
}
