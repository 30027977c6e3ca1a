//! `POST /administrators`, `hookbridge admin create`.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::{AdminError, Mistake, password, people};
use crate::domain::admin::Role;
use crate::ops::{Change, Code, Context, Done, Operation, codes, secret};
use crate::store::{Tx, account};

/// Make an account; without a password it is for the platform's link only.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct CreateAdministrator {
    /// What the account is called, at the log-in too.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// What the account may do.
    #[arg(long, default_value = "administrator")]
    #[schema(schema_with = codes::<Role>)]
    pub role: Code<Role>,
    #[arg(skip)]
    #[serde(default, deserialize_with = "secret::maybe_given")]
    #[schema(value_type = Option<String>)]
    pub password: Option<SecretString>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct NewAdministrator {
    /// For the addresses of pages.
    #[serde(skip)]
    #[schema(ignore)]
    pub id: u64,
    pub name: String,
}

impl Operation for CreateAdministrator {
    const ID: &'static str = "create_administrator";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Administrator;
    type Output = NewAdministrator;
}

impl Change for CreateAdministrator {
    /// The password's hash.
    type Prepared = Option<String>;

    async fn prepare(&self, context: Context<'_>) -> Result<Option<String>, AdminError> {
        let name = self.name.trim();
        let mut mistakes = Vec::new();
        if !people::name_fits(name) {
            mistakes.push(Mistake::new("name", "people.name_bad"));
        } else if !people::name_is_free(context.desk, name).await? {
            mistakes.push(Mistake::new("name", "people.name_taken"));
        }
        mistakes.extend(self.password.iter().flat_map(|password| password::mistakes(name, password)));
        if !mistakes.is_empty() {
            return Err(AdminError::Invalid(mistakes));
        }
        match &self.password {
            Some(password) => password::hash(password).await.map(Some),
            None => Ok(None),
        }
    }

    async fn run(
        &self,
        tx: &mut Tx,
        context: Context<'_>,
        hash: &Option<String>,
    ) -> Result<Done<NewAdministrator>, AdminError> {
        let (name, Code(role)) = (self.name.trim().to_owned(), self.role);
        let made = account::create(tx, (&name, role, hash.as_deref()), &context.who.name, context.now).await;
        let id = match made {
            Err(error) if error.is_duplicate() => return Err(AdminError::invalid("name", "people.name_taken")),
            other => other?,
        };
        Ok(Done {
            output: NewAdministrator { id, name: name.clone() },
            action: "admin.create",
            target: name,
            detail: Some(role.code().to_owned()),
            raises: false,
        })
    }
}
