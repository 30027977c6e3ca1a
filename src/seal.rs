//! Owns: what our own database must not hold in the clear: sealed with a key that only the configuration has.
//! ChaCha20-Poly1305 with a random nonce; each kind of secret has a key of its own (HKDF-SHA256), so that one cannot be put
//! in the place of another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use secrecy::{ExposeSecret, SecretString};

use crate::signature::{Key, KeyError};

/// Seals and opens.
#[derive(Clone)]
pub struct Sealer {
    root: Prk,
    signer: std::sync::Arc<Key>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

/// It cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("this was sealed with another `admin.key`: put the old key back, or make the secret anew")]
pub struct SealError;

impl Sealer {
    /// # Errors
    /// The key is none: `whsec_` and the base64 of 24 to 64 bytes.
    pub fn new(key: &SecretString) -> Result<Self, KeyError> {
        let signer = Key::parse(key)?;
        let text = key.expose_secret().trim();
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).unwrap_or_default();
        Ok(Self { root: Salt::new(HKDF_SHA256, b"hookbridge").extract(&bytes), signer: std::sync::Arc::new(signer) })
    }

    /// With a key that nobody keeps.
    ///
    /// # Panics
    /// Without randomness: the machine is broken.
    #[must_use]
    pub fn of_nobody() -> Self {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).expect("the machine has randomness");
        let key = SecretString::from(format!("whsec_{}", STANDARD.encode(bytes)));
        Self::new(&key).expect("32 bytes are a key")
    }

    /// # Panics
    /// Without randomness: the machine is broken, and nothing secret can be made on it.
    #[must_use]
    pub fn seal(&self, kind: &str, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the machine has randomness");
        let mut sealed = secret.to_vec();
        self.key(kind)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .expect("a secret is short");
        [&nonce[..], &sealed].concat()
    }

    /// # Errors
    /// It was sealed with another key, as another kind, or was changed.
    pub fn open(&self, kind: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let open = self.key(kind).open_in_place(nonce, Aad::empty(), &mut rest).map_err(|_| SealError)?;
        Ok(open.to_vec())
    }

    /// A word that only we can make of `text`: for forms that must come from our own pages.
    #[must_use]
    pub fn word(&self, kind: &str, text: &str) -> String {
        self.signer.sign(kind, "0", text.as_bytes())
    }

    fn key(&self, kind: &str) -> LessSafeKey {
        let info = [kind.as_bytes()];
        let okm = self.root.expand(&info, &CHACHA20_POLY1305).expect("one key's length is allowed");
        LessSafeKey::new(UnboundKey::from(okm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(letter: &str) -> Sealer {
        Sealer::new(&format!("whsec_{}", STANDARD.encode(letter.repeat(32))).into()).expect("a key")
    }

    #[test]
    fn only_the_same_key_and_kind_open_what_nobody_changed() {
        let sealed = sealer("a").seal("totp", b"secret");
        assert_eq!(sealer("a").open("totp", &sealed).expect("it opens"), b"secret");
        assert_ne!(sealed, sealer("a").seal("totp", b"secret"), "never twice the same");
        assert!(sealer("b").open("totp", &sealed).is_err());
        assert!(sealer("a").open("source", &sealed).is_err());
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert!(sealer("a").open("totp", &changed).is_err());
        assert!(sealer("a").open("totp", &sealed[..5]).is_err());
    }
}
