//! Owns: every keyed hash of the service. Standard Webhooks (stub → bridge) and `X-Hub-Signature-256` (provider →
//! bridge), over raw bytes, in constant time.
//! Must not know: what the bytes mean. Why one file: a second place that hashes is a second place to get it wrong.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};

/// Clock difference between stub and bridge that is still accepted, in seconds (Standard Webhooks advises 5 minutes).
pub const TOLERANCE_S: i64 = 300;
/// Signatures of one header that are looked at; more are ignored, so that a long header is no work amplifier.
pub const SIGNATURES_MAX: usize = 8;

/// A Standard Webhooks key, decoded from its `whsec_<base64>` text.
#[derive(Clone, Debug)]
pub struct Key(SecretSlice<u8>);

/// Why a text is not a usable key. Never shows the text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    #[error("a secret starts with `whsec_`")]
    Prefix,
    #[error("the part behind `whsec_` is not base64")]
    Base64,
    #[error("a secret holds 24 to 64 bytes, this one holds {0}")]
    Length(usize),
}

/// Why a request is not believed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    #[error("header `{0}` is missing or not readable")]
    Header(&'static str),
    #[error("`webhook-timestamp` differs from the bridge's clock by {0} seconds; at most {TOLERANCE_S} are accepted")]
    Stale(i64),
    #[error("no signature matches a key of this source")]
    Mismatch,
}

/// The three Standard Webhooks headers as received.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
}

/// Bytes whose signature was checked. The only way to a body: unverified bytes cannot be parsed by accident.
#[derive(Debug)]
pub struct Verified<'a> {
    id: &'a str,
    body: &'a [u8],
    key_index: usize,
}

impl<'a> Verified<'a> {
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Which of the source's keys matched: 0 is the newest.
    #[must_use]
    pub fn key_index(&self) -> usize {
        self.key_index
    }
}

impl Key {
    /// Reads `whsec_<base64>`.
    ///
    /// # Errors
    /// [`KeyError`] when the text is not such a secret.
    pub fn parse(text: &SecretString) -> Result<Self, KeyError> {
        let encoded = text.expose_secret().strip_prefix("whsec_").ok_or(KeyError::Prefix)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| KeyError::Base64)?;
        if !(24..=64).contains(&bytes.len()) {
            return Err(KeyError::Length(bytes.len()));
        }
        Ok(Self(bytes.into()))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(self.0.expose_secret());
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }

    /// The `webhook-signature` header for these parts.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, timestamp, body).finalize().into_bytes()))
    }
}

/// Checks the headers of a request against the keys of its source, newest key first.
///
/// # Errors
/// [`SignatureError`]: `Stale` only when the timestamp is readable, so that an operator sees which clock is off.
pub fn verify<'a>(
    headers: Headers<'a>,
    body: &'a [u8],
    keys: &[Key],
    now: Timestamp,
) -> Result<Verified<'a>, SignatureError> {
    verify_within(TOLERANCE_S, headers, body, keys, now)
}

/// The same, for what lives shorter: sender's and our clock may differ by `tolerance_s`.
///
/// # Errors
/// As [`verify`].
pub fn verify_within<'a>(
    tolerance_s: i64,
    headers: Headers<'a>,
    body: &'a [u8],
    keys: &[Key],
    now: Timestamp,
) -> Result<Verified<'a>, SignatureError> {
    let sent: i64 = headers.timestamp.parse().map_err(|_| SignatureError::Header("webhook-timestamp"))?;
    let off = sent.saturating_sub(now.as_second());
    if off.saturating_abs() > tolerance_s {
        return Err(SignatureError::Stale(off));
    }
    let offered: Vec<Vec<u8>> = headers
        .signature
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(SIGNATURES_MAX)
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .collect();
    for (key_index, key) in keys.iter().enumerate() {
        // The text of the timestamp is signed, not the number that we read from it.
        let mac = key.mac(headers.id, headers.timestamp, body);
        if offered.iter().any(|tag| mac.clone().verify_slice(tag).is_ok()) {
            return Ok(Verified { id: headers.id, body, key_index });
        }
    }
    Err(SignatureError::Mismatch)
}

/// Whether `header` (`sha256=<64 hex>`) is the provider's signature over the raw `body`.
/// Source: Meta's rules: HMAC-SHA256 keyed with the app secret, hex, over the bytes as received.
#[must_use]
pub fn verify_hub(header: &str, body: &[u8], app_secret: &SecretString) -> bool {
    let Some(hex) = header.strip_prefix("sha256=") else { return false };
    let Some(tag) = unhex(hex) else { return false };
    let mut mac = keyed(app_secret.expose_secret().as_bytes());
    mac.update(body);
    mac.verify_slice(&tag).is_ok()
}

/// The `X-Hub-Signature-256` header for `body`: what the stand-in provider sends.
#[must_use]
pub fn sign_hub(body: &[u8], app_secret: &SecretString) -> String {
    let mut mac = keyed(app_secret.expose_secret().as_bytes());
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

/// SHA-256 of `bytes`: the checksum of bodies and migration files.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}
