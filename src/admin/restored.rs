//! Owns: what is held because the bridge's schema was restored from an older dump: saying so by hand, letting it go, dropping it.

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::store::audit::Record;
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
    let sign = format!("{} said so", who.name);
    Ok(restored::hold(&desk.store, &sign, Some(&recording(desk, who, "restored.say")), desk.now()).await?)
}

/// Sends what is held because of it. Returns how many.
///
/// # Errors
/// The role; the database.
pub async fn release(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    desk.require(who, Role::Operator)?;
    Ok(restored::release(&desk.store, &recording(desk, who, "restored.release"), desk.now()).await?)
}

/// Ends what is held because of it. Returns how many.
///
/// # Errors
/// The role; the database.
pub async fn discard(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    desk.require(who, Role::Operator)?;
    Ok(restored::discard(&desk.store, &recording(desk, who, "restored.discard"), desk.now()).await?)
}

/// What is on record of so many messages.
fn recording<'a>(desk: &'a Desk, who: &'a Who, action: &'static str) -> impl Fn(u64) -> Record<'a> + Send + Sync {
    move |count| desk.record(who, action, ("schema", Some(format!("{count} messages"))), false)
}
