//! Owns: getting in: password, second factor, session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::guess::{self, GuessError, Secret, Whose};
use super::{AdminError, Desk, factor, password};
use crate::domain::admin::{Via, Who};
use crate::signature::sha256;
use crate::store::account::{self, Account};
use crate::store::audit::Record;
use crate::store::session::{self, Session, Stage};
use crate::store::{StoreError, throttle};

/// Time for typing the second factor.
const SECOND_FACTOR_TIME: SignedDuration = SignedDuration::from_mins(5);
/// A session is written to at most this often.
const TOUCH: SignedDuration = SignedDuration::from_secs(60);

/// Where a log-in comes from.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub address: String,
    /// The browser's own words.
    pub agent: String,
    /// What we gave the browser when somebody got in by it (see [`guess`]).
    pub device: Option<SecretString>,
}

/// The login is done, or the second factor comes next.
#[derive(Debug)]
pub struct Entered {
    /// What the browser keeps; we keep its hash.
    pub token: SecretString,
    pub stage: Stage,
    /// What the browser keeps to be known again, once somebody is in.
    pub device: Option<SecretString>,
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

impl From<GuessError> for LoginError {
    fn from(error: GuessError) -> Self {
        match error {
            GuessError::Wait(seconds) => Self::Wait(seconds),
            GuessError::Admin(error) => Self::Admin(error),
        }
    }
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
        of_the_page(&self.account, visitor)
    }
}

/// Somebody at the page.
pub(super) fn of_the_page(account: &Account, visitor: &Visitor) -> Who {
    Who {
        name: account.name.clone(),
        role: account.role,
        via: Via::Page,
        address: Some(visitor.address.clone()),
        account: Some(account.id),
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
    let account = account::named(&desk.store, name).await?;
    let whose = account.as_ref().map_or(Whose::Nobody(name), |account| Whose::Account(account.id));
    let turn = guess::begin(desk, whose, Secret::Password, visitor).await?;
    let account = account.filter(|account| account.disabled_at.is_none());
    let hash = account.as_ref().and_then(|account| account.password_hash.as_deref());
    let right = password::verify(password, hash).await?;
    let Some(account) = account.filter(|_| right) else { return Err(LoginError::Wrong) };
    // With a second factor to come, guesses of it still count against the account.
    if account.totp_sealed.is_some() {
        turn.void(desk).await?;
    } else {
        turn.right(desk).await?;
    }
    let stage = if account.totp_sealed.is_some() { Stage::Password } else { Stage::Open };
    enter(desk, &account, stage, visitor, None).await
}

/// Opens a session for `account`. What is on record of it, and `also`, is written with it.
///
/// # Errors
/// The database; then there is no session.
pub async fn enter(
    desk: &Desk,
    account: &Account,
    stage: Stage,
    visitor: &Visitor,
    also: Option<Record<'_>>,
) -> Result<Entered, LoginError> {
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
    let who = of_the_page(account, visitor);
    let login = (stage == Stage::Open).then(|| desk.record(&who, "login", (&account.name, None), false));
    let records: Vec<Record<'_>> = also.into_iter().chain(login).collect();
    session::open(&desk.store, &row, &records).await?;
    session::sweep(&desk.store, now).await?;
    throttle::sweep(&desk.store, now - guess::FORGOTTEN).await?;
    let device = if stage == Stage::Open { Some(guess::device(desk, account.id)?) } else { None };
    Ok(Entered { token, stage, device })
}

/// Checks the second factor after the right password; the session gets another token.
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
    let turn = guess::begin(desk, Whose::Account(account.id), Secret::Code, visitor).await?;
    if !factor::opens(desk, &account, code, visitor).await? {
        return Err(LoginError::Wrong);
    }
    turn.right(desk).await?;
    session::end(&desk.store, &session.token).await?;
    enter(desk, &account, Stage::Open, visitor, None).await
}

/// Who holds `token`, if that session is still open. It lives on for being used.
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
