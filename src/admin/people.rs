//! Owns: the administrators themselves: making, changing and disabling accounts.

use secrecy::SecretString;

use super::{AdminError, Desk, Mistake, guess, password};
use crate::domain::admin::{NAME_KEY_CHARS_MAX, Role, Who, look_alike, name_key};
use crate::domain::locale::Locale;
use crate::store::account::{self, Account, Change};
use crate::store::{api_token, recovery, session};

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
    let key = name_key(name).chars().count();
    (1..=NAME_KEY_CHARS_MAX).contains(&key)
        && name.chars().count() <= NAME_CHARS_MAX
        && !name.chars().any(|c| c.is_control() || c == ':')
}

/// Whether nobody has a name that people would take for this one.
pub(super) async fn name_is_free(desk: &Desk, name: &str) -> Result<bool, AdminError> {
    Ok(!account::all(&desk.store).await?.iter().any(|one| look_alike(&one.name, name)))
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
    if mistakes.is_empty() && !name_is_free(desk, name).await? {
        mistakes.push(Mistake::new("name", "people.name_taken"));
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

/// Disables an account, or lets it in again. Its sessions end; when it is disabled, its API tokens as well.
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
    let tokens = if disabled { api_token::end_all(&desk.store, account.id, &who.name, desk.now()).await? } else { 0 };
    let detail = (tokens > 0).then(|| format!("API tokens that ended: {tokens}"));
    let action = if disabled { "admin.disable" } else { "admin.enable" };
    desk.note(who, action, &account.name, detail.as_deref()).await
}

/// Forgets the wrong tries of an account, so that its person need not wait.
///
/// # Errors
/// The role; the database.
pub async fn unlock(desk: &Desk, who: &Who, account: &Account) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    guess::unlock(desk, account.id).await?;
    desk.note(who, "admin.unlock", &account.name, None).await
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
    if !who.is_in_person(account.id) {
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
    if !who.is_in_person(account.id) {
        desk.require(who, Role::Administrator)?;
    }
    account::change(&desk.store, account.id, Change::Totp(None)).await?;
    recovery::replace(&desk.store, account.id, &[]).await?;
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
