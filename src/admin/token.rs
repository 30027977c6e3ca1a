//! Owns: whose a token is: what a program that uses the API may do.

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};

use super::{AdminError, Desk};
use crate::domain::admin::{Via, Who};
use crate::signature::sha256;
use crate::store::account;
use crate::store::api_token;

/// What every token begins with, so that people and scanners of secrets know one when they see it.
pub const PREFIX: &str = "hbk_";
/// A token's use is noted at most this often.
const NOTED: SignedDuration = SignedDuration::from_hours(1);

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
