//! `POST /tokens`, `hookbridge admin token create`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::{AdminError, Mistake, token};
use crate::domain::admin::Role;
use crate::ops::{Change, Code, Context, Done, Operation, codes, secret};
use crate::signature::sha256;
use crate::store::{Tx, api_token};

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The most days that a token with an end is valid.
const DAYS_MAX: u32 = 3650;

/// Make a token; it is in this answer and nowhere else.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct CreateToken {
    /// Which program it is for.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// What the program may do; never more than its maker.
    #[arg(long, default_value = "viewer")]
    #[schema(schema_with = codes::<Role>)]
    pub role: Code<Role>,
    /// Valid for so many days; without it, until ended
    #[arg(long)]
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u32>,
}

/// The new token.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewToken {
    /// It cannot be had again.
    #[serde(serialize_with = "secret::exposed")]
    #[schema(value_type = String)]
    pub token: SecretString,
}

impl Operation for CreateToken {
    const ID: &'static str = "create_token";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = NewToken;
}

impl Change for CreateToken {
    type Prepared = SecretString;

    async fn prepare(&self, _context: Context<'_>) -> Result<SecretString, AdminError> {
        let (name, mut mistakes) = (self.name.trim(), Vec::new());
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            mistakes.push(Mistake::new("name", "people.name_bad"));
        }
        if self.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
            mistakes.push(Mistake::new("days", "tokens.days_bad"));
        }
        if !mistakes.is_empty() {
            return Err(AdminError::Invalid(mistakes));
        }
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|e| AdminError::Internal(e.to_string()))?;
        Ok(format!("{}{}", token::PREFIX, URL_SAFE_NO_PAD.encode(bytes)).into())
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, made: &SecretString) -> Result<Done<NewToken>, AdminError> {
        let Context { who, now, .. } = context;
        let (name, Code(role)) = (self.name.trim(), self.role);
        let hash = sha256(made.expose_secret().as_bytes());
        let until = self.days.map(|days| now + SignedDuration::from_hours(24 * i64::from(days)));
        let new = api_token::New { name, hash: &hash, role, by: &who.name, owner_id: who.account, until };
        api_token::create(tx, new, now).await?;
        Ok(Done {
            output: NewToken { token: made.clone() },
            action: "token.create",
            target: name.to_owned(),
            detail: Some(role.code().to_owned()),
            raises: false,
        })
    }
}
