//! Owns: the administrators themselves: making, changing and disabling accounts.

use secrecy::SecretString;

use super::{AdminError, Desk, Mistake, guess, password};
use crate::domain::admin::{NAME_KEY_CHARS_MAX, Role, Who, look_alike, name_key};
use crate::domain::locale::Locale;
use crate::store::account::{self, Account, Amended, Amendment, Change};

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
    let record = desk.record(who, "admin.create", (name, Some(role.code().to_owned())), false);
    match account::create(&desk.store, name, role, hash.as_deref(), &record).await {
        Err(error) if error.is_duplicate() => Err(AdminError::invalid("name", "people.name_taken")),
        other => Ok(other?),
    }
}

/// Gives an account another role.
///
/// # Errors
/// The role; nobody would be left who may; the database.
pub async fn set_role(desk: &Desk, who: &Who, account: &Account, role: Role) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let keep_one = role != Role::Administrator && account.role == Role::Administrator;
    let what = Amendment { keep_one, ..Amendment::of(Change::Role(role)) };
    let record = desk.record(who, "admin.role", (&account.name, Some(role.code().to_owned())), false);
    amended(account::amend(&desk.store, account.id, &what, &record).await?)
}

fn amended(came: Amended) -> Result<(), AdminError> {
    match came {
        Amended::Done { .. } => Ok(()),
        Amended::Last => Err(AdminError::Conflict("people.last_administrator".to_owned())),
    }
}

/// Disables an account, or lets it in again. Its sessions end; when it is disabled, its API tokens as well.
///
/// # Errors
/// The role; nobody would be left who may; the database.
pub async fn set_disabled(desk: &Desk, who: &Who, account: &Account, disabled: bool) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let what = Amendment {
        keep_one: disabled && account.role == Role::Administrator,
        sessions_but: Some(b""),
        end_tokens: disabled,
        ..Amendment::of(Change::Disabled(disabled.then(|| desk.now())))
    };
    let action = if disabled { "admin.disable" } else { "admin.enable" };
    let record = desk.record(who, action, (&account.name, None), false);
    amended(account::amend(&desk.store, account.id, &what, &record).await?)
}

/// Forgets the wrong tries of an account, so that its person need not wait.
///
/// # Errors
/// The role; the database.
pub async fn unlock(desk: &Desk, who: &Who, account: &Account) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let record = desk.record(who, "admin.unlock", (&account.name, None), false);
    guess::unlock(desk, account.id, &record).await?;
    Ok(())
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
    let what = Amendment { sessions_but: Some(kept), ..Amendment::of(Change::Password(hash, desk.now())) };
    let record = desk.record(who, "admin.password", (&account.name, None), false);
    amended(account::amend(&desk.store, account.id, &what, &record).await?)
}

/// Takes the second factor away, e.g. because the phone is lost. All sessions of the account end.
///
/// # Errors
/// The role; the database.
pub async fn drop_factor(desk: &Desk, who: &Who, account: &Account) -> Result<(), AdminError> {
    if !who.is_in_person(account.id) {
        desk.require(who, Role::Administrator)?;
    }
    let what = Amendment { sessions_but: Some(b""), codes: Some(&[]), ..Amendment::of(Change::Totp(None)) };
    let record = desk.record(who, "second_factor.drop", (&account.name, None), false);
    amended(account::amend(&desk.store, account.id, &what, &record).await?)
}

/// Ends all of somebody's own sessions but `kept`.
///
/// # Errors
/// The database.
pub async fn end_sessions(desk: &Desk, who: &Who, account: &Account, kept: &[u8]) -> Result<(), AdminError> {
    let what = Amendment { sessions_but: Some(kept), ..Amendment::default() };
    let record = desk.record(who, "sessions.end", (&account.name, None), false);
    amended(account::amend(&desk.store, account.id, &what, &record).await?)
}

/// Remembers the language of somebody's pages.
///
/// # Errors
/// The database.
pub async fn set_locale(desk: &Desk, account: &Account, locale: Locale) -> Result<(), AdminError> {
    Ok(account::change(&desk.store, account.id, Change::Locale(locale)).await?)
}
