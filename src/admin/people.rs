//! Owns: the administrators' accounts: their names, and the changes that programs do not make.

use super::{AdminError, Desk};
use crate::domain::admin::{NAME_KEY_CHARS_MAX, Who, look_alike, name_key};
use crate::domain::locale::Locale;
use crate::store::account::{self, Account, Amendment, Change};
use crate::store::{audit, repeated};

/// Longest name of an account, in characters.
const NAME_CHARS_MAX: usize = 64;

/// The account called `name`.
///
/// # Errors
/// There is none; the database.
pub async fn named(desk: &Desk, name: &str) -> Result<Account, AdminError> {
    account::named(&desk.store, name).await?.ok_or(AdminError::NotFound("administrator"))
}

/// Whether somebody may be called so.
#[must_use]
pub fn name_fits(name: &str) -> bool {
    let key = name_key(name).chars().count();
    (1..=NAME_KEY_CHARS_MAX).contains(&key)
        && name.chars().count() <= NAME_CHARS_MAX
        && !name.chars().any(|c| c.is_control() || c == ':')
}

/// Whether nobody has a name that people would take for this one.
///
/// # Errors
/// The database.
pub async fn name_is_free(desk: &Desk, name: &str) -> Result<bool, AdminError> {
    Ok(!account::all(&desk.store).await?.iter().any(|one| look_alike(&one.name, name)))
}

/// Changes an account in what is no operation of programs: by a link of the platform, or somebody's own account at the page.
///
/// # Errors
/// The database; then nothing is changed.
pub(super) async fn amend(
    desk: &Desk,
    who: &Who,
    account: &Account,
    what: &Amendment<'_>,
    (action, detail): (&str, Option<String>),
) -> Result<(), AdminError> {
    let record = desk.record(who, action, (&account.name, detail), false);
    repeated(|| async {
        let mut tx = desk.store.begin().await?;
        account::amend(&mut tx, account.id, what, &who.name, record.now).await?;
        audit::write(&mut tx, &record).await?;
        Ok(tx.commit().await?)
    })
    .await
}

/// Ends all of somebody's own sessions but `kept`.
///
/// # Errors
/// The database.
pub async fn end_sessions(desk: &Desk, who: &Who, account: &Account, kept: &[u8]) -> Result<(), AdminError> {
    let what = Amendment { sessions_but: Some(kept), ..Amendment::default() };
    amend(desk, who, account, &what, ("sessions.end", None)).await
}

/// Remembers the language of somebody's pages.
///
/// # Errors
/// The database.
pub async fn set_locale(desk: &Desk, account: &Account, locale: Locale) -> Result<(), AdminError> {
    Ok(account::change(&desk.store, account.id, Change::Locale(locale)).await?)
}
