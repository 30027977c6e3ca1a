//! Owns: getting in by the platform's link: what a link must be, whose account it opens, with which role.
//! Why it is so: the platform's page signs an identity and a role; the bridge takes it once, within a minute, for
//! an account with that id there. A link stands in place of the password only: a second factor that was set up
//! here, or that the configuration requires, is asked as well.

use serde::Deserialize;

use jiff::SignedDuration;

use super::login::{Entered, LoginError, Visitor, enter, of_the_page};
use super::{AdminError, Desk, people};
use crate::config::section::is_empty;
use crate::domain::admin::{Role, Via, Who};
use crate::signature::{Headers, Key, SignatureError, verify_within};
use crate::store::account::{Account, Amendment, Change};
use crate::store::platform_link;
use crate::store::session::Stage;

/// How old a link may be, and how far the platform's clock may be ahead of ours, in seconds.
pub const LIFE_S: i64 = 60;
/// How long a used one is remembered: longer than anybody could use it again.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(5 * LIFE_S);
/// Whom links are for: what was signed for something else is none.
pub const AUDIENCE: &str = "hookbridge-admin";
/// Longest id of a link.
const ID_CHARS_MAX: usize = 64;

/// A link as it came.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
    /// JSON: identity and role.
    pub body: &'a str,
    /// The site whose form brought it, as the browser says.
    pub origin: Option<&'a str>,
}

/// Why nobody got in.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    #[error("`admin.sso_secret` is empty")]
    Off,
    /// The form is not one of the platform's.
    #[error("the form comes from another site than `admin.sso_origin`")]
    Foreign,
    #[error("nobody who may signed this link")]
    Unsigned,
    /// By so many seconds, as the platform's clock and ours have it.
    #[error("the link is {0} s off: it is old, or the clocks differ")]
    Stale(i64),
    #[error("the link was used before")]
    Used,
    /// Signed, but not as the addon page signs.
    #[error("the link is signed, but says: {0}")]
    Unreadable(String),
    #[error("the account is disabled")]
    Disabled,
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<crate::store::StoreError> for SsoError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Admin(error.into())
    }
}

/// What a link says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkWire {
    aud: String,
    admin_id: u64,
    name: String,
    role: String,
}

/// Somebody of the platform.
struct Person {
    id: u64,
    name: String,
    role: Role,
}

/// Lets somebody in by a link.
///
/// # Errors
/// [`SsoError`]
pub async fn with_link(desk: &Desk, link: &Link<'_>, visitor: &Visitor) -> Result<Entered, SsoError> {
    let person = believed(desk, link)?;
    if !platform_link::use_up(&desk.store, link.id, desk.now() + REMEMBERED).await? {
        return Err(SsoError::Used);
    }
    let role = person.role.min(Role::parse(&desk.config.admin.sso_role_max).unwrap_or(Role::Viewer));
    let account = account(desk, &person, role, visitor).await?;
    let stage = if account.totp_sealed.is_some() { Stage::Password } else { Stage::Open };
    let who = of_the_page(&account, visitor);
    let detail = format!("{role}, administrator {} of the platform", person.id);
    if account.disabled_at.is_some() {
        desk.note(&who, "sso.refuse", &account.name, Some("disabled")).await?;
        return Err(SsoError::Disabled);
    }
    let record = desk.record(&who, "sso", (&account.name, Some(detail)), false);
    enter(desk, &account, stage, visitor, Some(record)).await.map_err(|error| match error {
        LoginError::Admin(error) => SsoError::Admin(error),
        other => SsoError::Admin(AdminError::Internal(other.to_string())),
    })
}

/// Who it is, if the platform says so, here and now.
fn believed(desk: &Desk, link: &Link<'_>) -> Result<Person, SsoError> {
    let admin = &desk.config.admin;
    if is_empty(&admin.sso_secret) {
        return Err(SsoError::Off);
    }
    // Without it, whoever may sign in here could make others work under a foreign name, with a form on another page.
    let ours = desk.config.sso_origin();
    if ours.is_none() || link.origin.map(str::to_lowercase) != ours {
        return Err(SsoError::Foreign);
    }
    let good_id = (16..=ID_CHARS_MAX).contains(&link.id.len()) && link.id.bytes().all(|b| b.is_ascii_graphic());
    if !good_id {
        return Err(SsoError::Unsigned);
    }
    let key = Key::parse(&admin.sso_secret).map_err(|e| AdminError::Internal(format!("admin.sso_secret: {e}")))?;
    let headers = Headers { id: link.id, timestamp: link.timestamp, signature: link.signature };
    let keys = [key];
    let verified =
        verify_within(LIFE_S, headers, link.body.as_bytes(), &keys, desk.now()).map_err(|error| match error {
            SignatureError::Stale(off) => SsoError::Stale(off),
            SignatureError::Header(_) | SignatureError::Mismatch => SsoError::Unsigned,
        })?;
    let wire: LinkWire =
        serde_json::from_slice(verified.body()).map_err(|error| SsoError::Unreadable(error.to_string()))?;
    let unreadable = |what: &str| SsoError::Unreadable(what.to_owned());
    if wire.aud != AUDIENCE {
        return Err(unreadable("another audience"));
    }
    if wire.admin_id == 0 {
        return Err(unreadable("no administrator"));
    }
    let name = wire.name.trim().to_owned();
    if !people::name_fits(&name) {
        return Err(unreadable("a name of 1 to 64 characters, without colon"));
    }
    let role = Role::parse(&wire.role).ok_or_else(|| unreadable("a role that does not exist"))?;
    Ok(Person { id: wire.admin_id, name, role })
}

/// The account: made at the first time, with the role that the link says each time.
async fn account(desk: &Desk, person: &Person, role: Role, visitor: &Visitor) -> Result<Account, SsoError> {
    let platform = Who {
        name: "platform".to_owned(),
        role: Role::Administrator,
        via: Via::Page,
        address: Some(visitor.address.clone()),
        account: None,
    };
    if let Some(known) = platform_link::account_of(&desk.store, person.id).await? {
        if known.role != role && known.disabled_at.is_none() {
            let what = Amendment::of(Change::Role(role));
            people::amend(desk, &platform, &known, &what, ("admin.role", Some(role.code().to_owned()))).await?;
        }
        return Ok(Account { role, ..known });
    }
    // A namesake who was made here keeps the account; so does everybody whose name only looks the same.
    let own_name = format!("{} #{}", person.name.chars().take(40).collect::<String>(), person.id);
    let alone = people::name_is_free(desk, &person.name).await?;
    for name in [person.name.as_str(), own_name.as_str()].into_iter().skip(usize::from(!alone)) {
        let record = desk.record(&platform, "admin.create", (name, Some(role.code().to_owned())), false);
        match platform_link::create(&desk.store, person.id, name, role, &record).await {
            Err(error) if error.is_duplicate() => {}
            Err(error) => return Err(error.into()),
            Ok(()) => break,
        }
    }
    // Another link of the same person may have made it meanwhile.
    platform_link::account_of(&desk.store, person.id)
        .await?
        .ok_or_else(|| AdminError::Internal(format!("the name `{own_name}` is taken")).into())
}
