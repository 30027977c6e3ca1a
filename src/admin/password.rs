//! Owns: passwords. Argon2id with the crate's defaults, which are OWASP's: 19 MiB, 2 passes, 1 lane.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::{AdminError, Mistake};

/// Shortest password, in characters (NIST SP 800-63B: length, not rules of composition).
pub const CHARS_MIN: usize = 12;
/// Longest: more is somebody who wants us to be busy.
pub const CHARS_MAX: usize = 256;

/// Each takes 19 MiB and some ten milliseconds: two at a time, so that a flood of log-ins cannot take the machine.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// What is verified for a name that does not exist, so that it takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

fn hash_now(password: &str) -> Result<String, AdminError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|e| AdminError::Internal(format!("no hash: {e}")))?.to_string())
}

/// What is wrong with `password` for an account called `name`.
#[must_use]
pub fn mistakes(name: &str, password: &SecretString) -> Vec<Mistake> {
    let text = password.expose_secret();
    let chars = text.chars().count();
    let mut mistakes = Vec::new();
    if chars < CHARS_MIN {
        mistakes.push(Mistake::new("password", "people.password_short"));
    }
    if chars > CHARS_MAX {
        mistakes.push(Mistake::new("password", "people.password_long"));
    }
    let plain = text.to_lowercase();
    let easy =
        plain.chars().collect::<std::collections::BTreeSet<_>>().len() < 5 || plain.contains(&name.to_lowercase());
    if chars >= CHARS_MIN && easy {
        mistakes.push(Mistake::new("password", "people.password_easy"));
    }
    mistakes
}

/// The hash of `password` with a new salt.
///
/// # Errors
/// The machine has no memory or randomness for it.
pub async fn hash(password: &SecretString) -> Result<String, AdminError> {
    let text = password.clone();
    busy(move || hash_now(text.expose_secret())).await?
}

/// Whether `password` is the one of `hash`; without a hash it takes as long, and is wrong.
///
/// # Errors
/// The machine has no memory for it.
pub async fn verify(password: &SecretString, hash: Option<&str>) -> Result<bool, AdminError> {
    let text = password.clone();
    let hash = hash.map(str::to_owned);
    busy(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        Argon2::default().verify_password(text.expose_secret().as_bytes(), hash.as_str()).is_ok() && known
    })
    .await
}

async fn busy<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AdminError> {
    let _turn = AT_ONCE.acquire().await.map_err(|e| AdminError::Internal(e.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|e| AdminError::Internal(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_told_from_others_and_from_none() {
        let good = SecretString::from("a long enough secret");
        let hash = hash(&good).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&good, Some(&hash)).await.expect("it can be checked"));
        assert!(!verify(&"a long enough secre".into(), Some(&hash)).await.expect("it can be checked"));
        assert!(!verify(&"nobody has this password".into(), None).await.expect("it can be checked"));
    }

    #[test]
    fn short_easy_and_endless_passwords_are_refused() {
        for (password, mistakes_expected) in
            [("short", 1), ("aaaaaaaaaaaaaaaa", 1), ("marianne-2026!!", 1), ("horse battery staple", 0)]
        {
            assert_eq!(mistakes("Marianne", &password.into()).len(), mistakes_expected, "{password}");
        }
        assert_eq!(mistakes("x", &"abcdefg".repeat(100).into()).len(), 1);
    }
}
