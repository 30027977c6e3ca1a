//! `POST /sources/:source/rotate`, `hookbridge sources rotate`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AREA, SEAL};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::{Change, Context, Done, Operation, secret};
use crate::store::{Tx, source_secret};

/// For how many days the secrets before a new one stay valid.
pub const OLD_DAYS: u32 = 7;
/// The most of them.
pub const OLD_DAYS_MAX: u32 = 90;

/// Make a new secret of a source; it is shown this once. Those that were made before stay valid for a while, so that the stub's
/// configuration can follow without a lost event.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct RotateSecret {
    /// The source's name, as in the configuration.
    #[schema(min_length = 1, max_length = 64)]
    pub source: String,
    /// For how many days the secrets before it stay valid.
    #[arg(long, default_value_t = OLD_DAYS)]
    #[serde(default = "old_days")]
    #[schema(maximum = 90, default = 7)]
    pub days: u32,
}

fn old_days() -> u32 {
    OLD_DAYS
}

/// The new secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewSecret {
    /// What the stub's `config.php` needs. It cannot be had again.
    #[serde(serialize_with = "secret::exposed")]
    #[schema(value_type = String)]
    pub secret: SecretString,
}

impl Operation for RotateSecret {
    const ID: &'static str = "rotate_source";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = NewSecret;
}

/// A secret that is not stored yet.
#[derive(Debug)]
pub struct Made {
    secret: SecretString,
    sealed: Vec<u8>,
}

impl Change for RotateSecret {
    type Prepared = Made;

    async fn prepare(&self, context: Context<'_>) -> Result<Made, AdminError> {
        if !context.desk.config.sources.contains_key(&self.source) {
            return Err(AdminError::NotFound("source"));
        }
        if self.days > OLD_DAYS_MAX {
            return Err(AdminError::invalid("days", "sources.days_bad"));
        }
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
        let secret = SecretString::from(format!("whsec_{}", STANDARD.encode(bytes)));
        let sealed = context.desk.sealer.seal(SEAL, secret.expose_secret().as_bytes());
        Ok(Made { secret, sealed })
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, made: &Made) -> Result<Done<NewSecret>, AdminError> {
        let old_until: Timestamp = context.now + SignedDuration::from_hours(24 * i64::from(self.days));
        let new = (self.source.as_str(), made.sealed.as_slice());
        let id = source_secret::rotate(tx, new, &context.who.name, old_until, context.now).await?;
        Ok(Done {
            output: NewSecret { secret: made.secret.clone() },
            action: "source.rotate",
            target: self.source.clone(),
            detail: Some(format!("secret {id}; the ones before it end at {old_until}")),
            raises: true,
        })
    }
}
