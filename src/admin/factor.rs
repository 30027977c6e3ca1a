//! Owns: the second factor: codes of an app (TOTP), and recovery codes for whoever lost the phone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Builder, Secret, Totp};

use super::guess::{self, GuessError, Whose};
use super::login::{Visitor, of_the_page};
use super::{AdminError, Desk, password, people};
use crate::domain::admin::Who;
use crate::signature::sha256;
use crate::store::account::{self, Account, Amendment, Change};
use crate::store::recovery;

/// As the second factor's secret is sealed.
pub const SEAL: &str = "totp";
/// As one is sealed that no code proved yet.
const SEAL_NEW: &str = "totp-new";
/// Recovery codes of an account.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code: 80 bits.
const RECOVERY_CHARS: usize = 16;
/// No letter or digit that is taken for another one.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Whether `code` opens the account right now: the app's, or a recovery code. Each works once. Nothing is counted here.
///
/// # Errors
/// The database; a secret sealed with another key.
pub(super) async fn opens(desk: &Desk, account: &Account, code: &str, visitor: &Visitor) -> Result<bool, AdminError> {
    let Some(sealed) = &account.totp_sealed else { return Ok(false) };
    if let Some(plain) = recovery_code(code) {
        let who = of_the_page(account, visitor);
        let record = desk.record(&who, "recovery_codes.use", (&account.name, None), false);
        return Ok(recovery::use_up(&desk.store, account.id, &kept(desk, account.id, &plain), &record).await?);
    }
    let secret = desk.sealer.open(SEAL, sealed).map_err(|e| AdminError::Internal(e.to_string()))?;
    let Some(step) = step(&totp(&secret, &account.name)?, code, desk.now()) else { return Ok(false) };
    Ok(account::use_totp_step(&desk.store, account.id, step).await?)
}

/// What somebody inside a session may show to prove to be the account's person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Password,
    /// Of the app, or a recovery code.
    Code,
    Either,
}

/// Whether `typed` is such a proof. Guesses count as at the log-in.
///
/// # Errors
/// It must wait; the database.
pub async fn proven(
    desk: &Desk,
    account: &Account,
    proof: Proof,
    typed: &SecretString,
    visitor: &Visitor,
) -> Result<bool, GuessError> {
    let turn = guess::begin(desk, Whose::Account(account.id), guess::Secret::Code, visitor).await?;
    let code = proof != Proof::Password && opens(desk, account, typed.expose_secret().trim(), visitor).await?;
    let hash = account.password_hash.as_deref();
    let right = code || (proof != Proof::Code && password::verify(typed, hash).await?);
    if right {
        turn.right(desk).await?;
    }
    Ok(right)
}

fn step(totp: &Totp, code: &str, now: Timestamp) -> Option<u64> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    totp.check(&digits, u64::try_from(now.as_second()).ok()?)
}

/// A second factor that is being set up.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
pub struct NewFactor {
    /// For typing it in, base32.
    pub secret: String,
    /// For the picture: `otpauth://…`.
    pub url: String,
    sealed: Vec<u8>,
}

/// A new secret for the account's second factor; nothing is stored until a code proves that it was read.
///
/// # Errors
/// No randomness.
pub fn new(desk: &Desk, account: &Account) -> Result<NewFactor, AdminError> {
    let mut secret = [0_u8; 20];
    getrandom::fill(&mut secret).map_err(|e| AdminError::Internal(e.to_string()))?;
    shown(account, &secret, desk.sealer.seal(SEAL_NEW, &secret))
}

/// The one that a form carried: after a mistyped code the app still has the right secret.
///
/// # Errors
/// The form did not come from us.
pub fn carried(desk: &Desk, account: &Account, carried: &str) -> Result<NewFactor, AdminError> {
    let sealed = URL_SAFE_NO_PAD.decode(carried).map_err(|_| wrong())?;
    let secret = desk.sealer.open(SEAL_NEW, &sealed).map_err(|_| wrong())?;
    shown(account, &secret, sealed)
}

fn shown(account: &Account, secret: &[u8], sealed: Vec<u8>) -> Result<NewFactor, AdminError> {
    let totp = totp(secret, &account.name)?;
    let url = totp.to_url().map_err(|e| AdminError::Internal(e.to_string()))?;
    Ok(NewFactor { secret: totp.secret().to_base32(), url, sealed })
}

impl NewFactor {
    /// What the form carries until the code comes.
    #[must_use]
    pub fn carried(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.sealed)
    }
}

fn wrong() -> AdminError {
    AdminError::invalid("code", "people.code_wrong")
}

/// Stores a new second factor, if `code` proves that the app has it; and makes recovery codes, shown once. Whoever has a
/// factor already must be [`proven`] before.
///
/// # Errors
/// The code is wrong; the database.
pub async fn set(
    desk: &Desk,
    who: &Who,
    account: &Account,
    carried: &str,
    code: &str,
) -> Result<Vec<SecretString>, AdminError> {
    let sealed = URL_SAFE_NO_PAD.decode(carried).map_err(|_| wrong())?;
    let secret = desk.sealer.open(SEAL_NEW, &sealed).map_err(|_| wrong())?;
    let step = step(&totp(&secret, &account.name)?, code, desk.now()).ok_or_else(wrong)?;
    let MadeCodes { codes, hashes } = make_codes(desk, account.id)?;
    let change = Change::Totp(Some(desk.sealer.seal(SEAL, &secret)));
    let what = Amendment { codes: Some(&hashes), ..Amendment::of(change) };
    people::amend(desk, who, account, &what, ("second_factor.set", None)).await?;
    account::use_totp_step(&desk.store, account.id, step).await?;
    Ok(codes)
}

/// New recovery codes.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct MadeCodes {
    /// As they are shown, this once.
    pub codes: Vec<SecretString>,
    /// As the table holds them.
    pub hashes: Vec<Vec<u8>>,
}

/// Makes recovery codes of an account; nothing is stored.
///
/// # Errors
/// No randomness.
pub fn make_codes(desk: &Desk, account: u64) -> Result<MadeCodes, AdminError> {
    let mut bytes = [0_u8; RECOVERY_CODES * RECOVERY_CHARS];
    getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
    let codes: Vec<String> = bytes
        .chunks(RECOVERY_CHARS)
        .map(|chunk| chunk.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect())
        .collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| kept(desk, account, code)).collect();
    let grouped = |code: &String| code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-");
    Ok(MadeCodes { codes: codes.iter().map(|code| SecretString::from(grouped(code))).collect(), hashes })
}

/// What is typed, if it has the shape of a recovery code.
fn recovery_code(typed: &str) -> Option<String> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase();
    (plain.len() == RECOVERY_CHARS && plain.bytes().all(|b| ALPHABET.contains(&b))).then_some(plain)
}

/// As the table holds a code. Keyed with `admin.key`: the table alone opens nothing.
fn kept(desk: &Desk, account: u64, code: &str) -> Vec<u8> {
    sha256(desk.sealer.word("recovery", &format!("{account}.{code}")).as_bytes()).to_vec()
}

fn totp(secret: &[u8], name: &str) -> Result<Totp, AdminError> {
    // The name stands before a colon in the address.
    let name: String = name.chars().filter(|c| *c != ':').collect();
    Builder::new()
        .with_secret(Secret::from(secret.to_vec()))
        .with_account_name(name)
        .with_issuer(Some("hookbridge"))
        .build()
        .map_err(|e| AdminError::Internal(format!("the second factor: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_read_as_people_type_it_and_a_password_is_none() {
        assert_eq!(recovery_code(" ABCD-efgh-jkmn 2345 ").as_deref(), Some("abcdefghjkmn2345"));
        for other in ["123456", "abcd-efgh-jkmn-234", "abcd-efgh-jkmn-2341", "correct horse battery"] {
            assert_eq!(recovery_code(other), None, "{other}");
        }
    }
}
