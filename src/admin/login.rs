//! Owns: getting in: password, second factor, session; and how slowly somebody may guess.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Builder, Secret, Totp};

use super::{AdminError, Desk, password};
use crate::domain::admin::{Via, Who};
use crate::signature::{hex, sha256};
use crate::store::account::{self, Account, Change};
use crate::store::session::{self, Session, Stage};
use crate::store::{StoreError, throttle};

/// Wrong tries of one account before it must wait.
const FREE_TRIES: u32 = 5;
/// Wrong tries from one address before it must wait: an office has many people.
const FREE_TRIES_ADDRESS: u32 = 20;
/// The wait doubles from a second up to this.
const WAIT_MAX: SignedDuration = SignedDuration::from_mins(15);
/// Failures older than this are forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);
/// Time for typing the second factor.
const SECOND_FACTOR_TIME: SignedDuration = SignedDuration::from_mins(5);
/// A session is written to at most this often.
const TOUCH: SignedDuration = SignedDuration::from_secs(60);
/// As the second factor's secret is sealed.
const SEAL: &str = "totp";

/// Where a log-in comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub address: String,
    /// The browser's own words.
    pub agent: String,
}

/// Somebody is in, or has the second factor before him.
#[derive(Debug)]
pub struct Entered {
    /// What the browser keeps; we keep its hash.
    pub token: SecretString,
    pub stage: Stage,
}

/// Nobody got in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// It is not said what was wrong.
    #[error("the name, the password or the code is wrong")]
    Wrong,
    #[error("too many wrong tries: wait {0} s")]
    Wait(i64),
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<StoreError> for LoginError {
    fn from(error: StoreError) -> Self {
        Self::Admin(error.into())
    }
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Present {
    pub session: Session,
    pub account: Account,
}

impl Present {
    /// Who acts.
    #[must_use]
    pub fn who(&self, visitor: &Visitor) -> Who {
        Who {
            name: self.account.name.clone(),
            role: self.account.role,
            via: Via::Page,
            address: Some(visitor.address.clone()),
        }
    }
}

/// Checks a password, and opens a session, which may still ask for the second factor.
///
/// # Errors
/// [`LoginError`].
pub async fn with_password(
    desk: &Desk,
    name: &str,
    password: &SecretString,
    visitor: &Visitor,
) -> Result<Entered, LoginError> {
    let counters = counters(name, visitor);
    slow_down(desk, &counters).await?;
    let account = account::named(&desk.store, name).await?.filter(|account| account.disabled_at.is_none());
    let hash = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = password::verify(password, hash).await?;
    let Some(account) = account.filter(|_| right) else {
        count(desk, &counters).await?;
        return Err(LoginError::Wrong);
    };
    // With a second factor to come, guesses of it still count against the account.
    if account.totp_sealed.is_none() {
        throttle::forget(&desk.store, &counters[0].0).await?;
    }
    let stage = if account.totp_sealed.is_some() { Stage::Password } else { Stage::Open };
    enter(desk, &account, stage, visitor).await
}

/// Opens a session for `account`.
///
/// # Errors
/// The database.
pub async fn enter(desk: &Desk, account: &Account, stage: Stage, visitor: &Visitor) -> Result<Entered, LoginError> {
    let now = desk.now();
    let token = random()?;
    let until = match stage {
        Stage::Password => now + SECOND_FACTOR_TIME,
        Stage::Open => until(desk, now, now),
    };
    let row = Session {
        token: hashed(&token),
        admin_id: account.id,
        stage,
        created_at: now,
        seen_at: now,
        until,
        address: visitor.address.clone(),
        agent: visitor.agent.clone(),
    };
    session::open(&desk.store, &row).await?;
    session::sweep(&desk.store, now).await?;
    if stage == Stage::Open {
        let who = Present { session: row, account: account.clone() }.who(visitor);
        desk.note(&who, "login", &account.name, None).await?;
    }
    Ok(Entered { token, stage })
}

/// Checks the second factor of somebody whose password was right; he gets another token.
///
/// # Errors
/// [`LoginError`].
pub async fn with_code(
    desk: &Desk,
    token: &SecretString,
    code: &str,
    visitor: &Visitor,
) -> Result<Entered, LoginError> {
    let Some(session) = session::find(&desk.store, &hashed(token), desk.now()).await? else {
        return Err(LoginError::Wrong);
    };
    let account = account::of(&desk.store, session.admin_id).await?.filter(|account| account.disabled_at.is_none());
    let Some(account) = account.filter(|_| session.stage == Stage::Password) else { return Err(LoginError::Wrong) };
    let counters = counters(&account.name, visitor);
    slow_down(desk, &counters).await?;
    if !code_is_right(desk, &account, code).await? {
        count(desk, &counters).await?;
        return Err(LoginError::Wrong);
    }
    throttle::forget(&desk.store, &counters[0].0).await?;
    session::end(&desk.store, &session.token).await?;
    enter(desk, &account, Stage::Open, visitor).await
}

/// Whether `code` is the account's second factor right now, and was not used before.
///
/// # Errors
/// The database; a secret sealed with another key.
pub async fn code_is_right(desk: &Desk, account: &Account, code: &str) -> Result<bool, AdminError> {
    let Some(sealed) = &account.totp_sealed else { return Ok(false) };
    let secret = desk.sealer.open(SEAL, sealed).map_err(|e| AdminError::Internal(e.to_string()))?;
    let Some(step) = step(&totp(&secret, &account.name)?, code, desk.now()) else { return Ok(false) };
    Ok(account::use_totp_step(&desk.store, account.id, step).await?)
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
pub fn new_factor(desk: &Desk, account: &Account) -> Result<NewFactor, AdminError> {
    let mut secret = [0_u8; 20];
    getrandom::fill(&mut secret).map_err(|e| AdminError::Internal(e.to_string()))?;
    let totp = totp(&secret, &account.name)?;
    Ok(NewFactor {
        secret: totp.secret().to_base32(),
        url: totp.to_url().map_err(|e| AdminError::Internal(e.to_string()))?,
        sealed: desk.sealer.seal("totp-new", &secret),
    })
}

impl NewFactor {
    /// What the form carries until the code comes.
    #[must_use]
    pub fn carried(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.sealed)
    }
}

/// Stores a new second factor, if `code` proves that the app has it.
///
/// # Errors
/// The code is wrong; the database.
pub async fn set_factor(
    desk: &Desk,
    who: &Who,
    account: &Account,
    carried: &str,
    code: &str,
) -> Result<(), AdminError> {
    let again = || AdminError::invalid("code", "people.code_wrong");
    let sealed = URL_SAFE_NO_PAD.decode(carried).map_err(|_| again())?;
    let secret = desk.sealer.open("totp-new", &sealed).map_err(|_| again())?;
    let step = step(&totp(&secret, &account.name)?, code, desk.now()).ok_or_else(again)?;
    account::change(&desk.store, account.id, Change::Totp(Some(desk.sealer.seal(SEAL, &secret)))).await?;
    account::use_totp_step(&desk.store, account.id, step).await?;
    desk.note(who, "second_factor.set", &account.name, None).await
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

/// Who holds `token`, if his session is still open. It lives on for being used.
///
/// # Errors
/// The database.
pub async fn present(desk: &Desk, token: &SecretString) -> Result<Option<Present>, AdminError> {
    let now = desk.now();
    let Some(session) = session::find(&desk.store, &hashed(token), now).await? else { return Ok(None) };
    let account = account::of(&desk.store, session.admin_id).await?.filter(|account| account.disabled_at.is_none());
    let Some(account) = account else { return Ok(None) };
    if session.stage == Stage::Open && now.duration_since(session.seen_at) >= TOUCH {
        session::touch(&desk.store, &session.token, now, until(desk, session.created_at, now)).await?;
    }
    Ok(Some(Present { session, account }))
}

/// Ends the session of `token`.
///
/// # Errors
/// The database.
pub async fn leave(desk: &Desk, token: &SecretString) -> Result<(), AdminError> {
    Ok(session::end(&desk.store, &hashed(token)).await?)
}

fn until(desk: &Desk, created: Timestamp, seen: Timestamp) -> Timestamp {
    let admin = &desk.config.admin;
    let idle = seen + SignedDuration::from_mins(admin.session_idle_min.into());
    idle.min(created + SignedDuration::from_hours(admin.session_max_h.into()))
}

fn random() -> Result<SecretString, AdminError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

fn hashed(token: &SecretString) -> Vec<u8> {
    sha256(token.expose_secret().as_bytes()).to_vec()
}

/// What is counted, and how many tries are free of a wait.
fn counters(name: &str, visitor: &Visitor) -> [(String, u32); 2] {
    let key = |kind: &str, text: &str| format!("{kind}:{}", hex(&sha256(text.as_bytes())));
    [(key("account", &name.to_lowercase()), FREE_TRIES), (key("address", &visitor.address), FREE_TRIES_ADDRESS)]
}

async fn slow_down(desk: &Desk, counters: &[(String, u32)]) -> Result<(), LoginError> {
    let now = desk.now();
    for (subject, free) in counters {
        let Some((failures, last)) = throttle::failures(&desk.store, subject).await? else { continue };
        if failures < *free || now.duration_since(last) > FORGOTTEN {
            continue;
        }
        let wait = SignedDuration::from_secs(1_i64 << (failures - free).min(10)).min(WAIT_MAX);
        let left = wait - now.duration_since(last);
        if left.is_positive() {
            return Err(LoginError::Wait(left.as_secs() + 1));
        }
    }
    Ok(())
}

async fn count(desk: &Desk, counters: &[(String, u32)]) -> Result<(), LoginError> {
    for (subject, _) in counters {
        throttle::count(&desk.store, subject, desk.now(), desk.now() - FORGOTTEN).await?;
    }
    Ok(())
}
