//! Owns: the operations on sources of events: how their stubs are, and the secrets that they sign with.

mod end_secret;
mod forget_stub;
mod list;
mod rotate_secret;

use secrecy::SecretString;

pub use end_secret::EndSecret;
pub use forget_stub::ForgetStub;
pub use list::{ListSources, Secret, Source, Sources, Stub, Trouble};
pub use rotate_secret::{NewSecret, OLD_DAYS, OLD_DAYS_MAX, RotateSecret};

use crate::admin::AdminError;
use crate::seal::Sealer;
use crate::store::source_secret::SourceSecret;

const AREA: &str = "sources";
/// As the secrets are sealed.
const SEAL: &str = "source";

/// A secret as it was made.
///
/// # Errors
/// It was sealed with another `admin.key`.
pub fn opened(sealer: &Sealer, secret: &SourceSecret) -> Result<SecretString, AdminError> {
    let bytes = sealer.open(SEAL, &secret.sealed).map_err(|e| AdminError::Internal(e.to_string()))?;
    String::from_utf8(bytes).map(SecretString::from).map_err(|e| AdminError::Internal(e.to_string()))
}
