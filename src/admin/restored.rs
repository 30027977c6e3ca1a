//! Owns: what is held because the bridge's schema was restored from an older dump: saying so by hand, letting it go, dropping it.

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::store::restored::{self, Watch};

/// How it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub watch: Watch,
    /// Messages that wait for an answer.
    pub waiting: u64,
}

/// How it stands.
///
/// # Errors
/// The database.
pub async fn state(desk: &Desk) -> Result<Restored, AdminError> {
    Ok(Restored { watch: restored::look(&desk.store).await?, waiting: restored::waiting(&desk.store).await? })
}

/// Says that the schema was restored. Returns how many messages are held by it.
///
/// # Errors
/// The role; the database.
pub async fn say(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    desk.require(who, Role::Operator)?;
    let held = restored::hold(&desk.store, &format!("{} said so", who.name), desk.now()).await?;
    desk.note(who, "restored.say", "schema", Some(&format!("{held} messages"))).await?;
    Ok(held)
}

/// Sends what is held because of it. Returns how many.
///
/// # Errors
/// The role; the database.
pub async fn release(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    desk.require(who, Role::Operator)?;
    let count = restored::release(&desk.store, desk.now()).await?;
    desk.note(who, "restored.release", "schema", Some(&format!("{count} messages"))).await?;
    Ok(count)
}

/// Ends what is held because of it. Returns how many.
///
/// # Errors
/// The role; the database.
pub async fn discard(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    desk.require(who, Role::Operator)?;
    let count = restored::discard(&desk.store, desk.now()).await?;
    desk.note(who, "restored.discard", "schema", Some(&format!("{count} messages"))).await?;
    Ok(count)
}
