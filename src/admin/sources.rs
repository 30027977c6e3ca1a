//! Owns: sources: how their stubs are; their secrets: making the next one while the last is still valid, ending one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::figures::stubs::{StubLine, stubs};
use crate::seal::Sealer;
use crate::store::heartbeat;
use crate::store::source_secret::{self, SourceSecret};

/// As the secrets are sealed.
const SEAL: &str = "source";
/// For how many days the secrets before a new one stay valid.
pub const OLD_DAYS: u32 = 7;
/// The most of them.
pub const OLD_DAYS_MAX: u32 = 90;

/// A source with its secrets.
#[derive(Debug)]
pub struct Standing {
    pub name: String,
    /// Secrets in the configuration.
    pub configured: usize,
    /// Those that were made here, newest first, the last ones that are over too.
    pub made: Vec<SourceSecret>,
    /// Its stubs, as they reported themselves, the newest first.
    pub stubs: Vec<StubLine>,
}

/// Over ones that are still shown, per source.
const OVER_SHOWN: usize = 5;

/// All sources.
///
/// # Errors
/// The database.
pub async fn all(desk: &Desk) -> Result<Vec<Standing>, AdminError> {
    let (now, secrets) = (desk.now(), source_secret::all(&desk.store).await?);
    let lines = stubs(&desk.store, &desk.config.sources, now).await?;
    Ok(desk
        .config
        .sources
        .iter()
        .map(|(name, source)| {
            let mut over = 0;
            let made = secrets.iter().filter(|one| one.source == *name).filter(|one| {
                over += usize::from(!one.is_valid(now));
                one.is_valid(now) || over <= OVER_SHOWN
            });
            let stubs = lines.iter().filter(|line| line.last.source == *name).cloned().collect();
            Standing { name: name.clone(), configured: source.secrets.len(), made: made.cloned().collect(), stubs }
        })
        .collect())
}

/// Makes a new secret of `source`; those made here before stay valid for `days`. What is returned is shown once.
///
/// # Errors
/// The role, no such source, too many days; the database.
pub async fn rotate(desk: &Desk, who: &Who, source: &str, days: u32) -> Result<SecretString, AdminError> {
    desk.require(who, Role::Administrator)?;
    if !desk.config.sources.contains_key(source) {
        return Err(AdminError::NotFound("source"));
    }
    if days > OLD_DAYS_MAX {
        return Err(AdminError::invalid("days", "sources.days_bad"));
    }
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
    let secret = SecretString::from(format!("whsec_{}", STANDARD.encode(bytes)));
    let sealed = desk.sealer.seal(SEAL, secret.expose_secret().as_bytes());
    let now = desk.now();
    let old_until: Timestamp = now + SignedDuration::from_hours(24 * i64::from(days));
    let record = |id| {
        let detail = format!("secret {id}; the ones before it end at {old_until}");
        desk.record(who, "source.rotate", (source, Some(detail)), true)
    };
    source_secret::rotate(&desk.store, (source, &sealed), &who.name, old_until, record, now).await?;
    desk.take_over().await;
    Ok(secret)
}

/// Forgets what a stub said of itself whose host, or whose user, is no more.
///
/// # Errors
/// The role, there is none; the database.
pub async fn forget(desk: &Desk, who: &Who, source: &str, host: &str, owner: &str) -> Result<(), AdminError> {
    desk.require(who, Role::Operator)?;
    let record = desk.record(who, "source.forget", (source, Some(format!("{host}, {owner}"))), false);
    let forgotten = heartbeat::forget(&desk.store, (source, host, owner), &record).await?;
    if forgotten { Ok(()) } else { Err(AdminError::NotFound("stub")) }
}

/// Ends a secret now.
///
/// # Errors
/// The role, there is none that is valid; the database.
pub async fn end(desk: &Desk, who: &Who, id: u64) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let all = source_secret::all(&desk.store).await?;
    let source = all.into_iter().find(|one| one.id == id).map(|one| one.source);
    let source = source.ok_or(AdminError::NotFound("secret"))?;
    let record = desk.record(who, "source.end", (source, Some(format!("secret {id}"))), true);
    if !source_secret::end(&desk.store, id, &record, desk.now()).await? {
        return Err(AdminError::NotFound("secret"));
    }
    desk.take_over().await;
    Ok(())
}

/// A secret as it was made.
///
/// # Errors
/// It was sealed with another `admin.key`.
pub fn opened(sealer: &Sealer, secret: &SourceSecret) -> Result<SecretString, AdminError> {
    let bytes = sealer.open(SEAL, &secret.sealed).map_err(|e| AdminError::Internal(e.to_string()))?;
    String::from_utf8(bytes).map(SecretString::from).map_err(|e| AdminError::Internal(e.to_string()))
}
