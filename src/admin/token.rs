//! Owns: tokens of programs that use the API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Via, Who};
use crate::signature::sha256;
use crate::store::account;
use crate::store::api_token::{self, ApiToken, New};

/// What every token begins with, so that people and scanners of secrets know one when they see it.
const PREFIX: &str = "hbk_";
/// A token's use is noted at most this often.
const NOTED: SignedDuration = SignedDuration::from_hours(1);

/// All tokens, newest first.
///
/// # Errors
/// The role; the database.
pub async fn all(desk: &Desk, who: &Who) -> Result<Vec<ApiToken>, AdminError> {
    desk.require(who, Role::Administrator)?;
    Ok(api_token::all(&desk.store).await?)
}

/// Makes a token. What is returned is shown once; nobody can read it back.
///
/// # Errors
/// The role, no name; the database.
pub async fn create(
    desk: &Desk,
    who: &Who,
    name: &str,
    role: Role,
    until: Option<Timestamp>,
) -> Result<SecretString, AdminError> {
    desk.require(who, Role::Administrator)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(AdminError::invalid("name", "people.name_bad"));
    }
    if until.is_some_and(|until| until <= desk.now()) {
        return Err(AdminError::invalid("until", "people.until_past"));
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
    let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = sha256(token.as_bytes());
    let new = New { name, hash: &hash, role, by: &who.name, owner_id: who.account, until };
    let record = desk.record(who, "token.create", (name, Some(role.code().to_owned())), false);
    api_token::create(&desk.store, new, &record).await?;
    Ok(token.into())
}

/// Ends a token.
///
/// # Errors
/// The role, there is none that is valid; the database.
pub async fn end(desk: &Desk, who: &Who, id: u64) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let record = desk.record(who, "token.end", (id.to_string(), None), false);
    if !api_token::end(&desk.store, id, &record).await? {
        return Err(AdminError::NotFound("token"));
    }
    Ok(())
}

/// Who holds `token`. A token of somebody is worth no more than its person: nothing once that is disabled, and no more than the
/// role that it has now.
///
/// # Errors
/// The database.
pub async fn holder(desk: &Desk, token: &SecretString, address: &str) -> Result<Option<Who>, AdminError> {
    let now = desk.now();
    if !token.expose_secret().starts_with(PREFIX) {
        return Ok(None);
    }
    let hash = sha256(token.expose_secret().as_bytes());
    let Some(found) = api_token::valid(&desk.store, &hash, now).await? else { return Ok(None) };
    let role = match found.owner_id {
        None => found.role,
        Some(id) => {
            let owner = account::of(&desk.store, id).await?.filter(|owner| owner.disabled_at.is_none());
            let Some(owner) = owner else { return Ok(None) };
            found.role.min(owner.role)
        }
    };
    if found.used_at.is_none_or(|used| now.duration_since(used) > NOTED) {
        api_token::used(&desk.store, found.id, now).await?;
    }
    let name = format!("token:{}", found.name);
    Ok(Some(Who { name, role, via: Via::Api, address: Some(address.to_owned()), account: found.owner_id }))
}
