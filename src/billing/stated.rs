//! Owns: what clients answered on the platform itself when they were asked whether they want alerts: a custom field of theirs (which the
//! order form shows as well, if it is set so there), or the platform's own tick box for news.
//!
//! Platform: `tblcustomfields.type` is `client` for fields of clients; a ticked box is `on`, an empty one an empty text; a client who
//! never saw the field has no row. A field's name may be `key|name for people`.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::pool::{Billing, BillingError};
use super::row::{datetime, flag, id, text};
use crate::sql::{Reader, list};

/// Words for yes and no, in small letters.
const YES: [&str; 12] = ["on", "1", "yes", "y", "si", "sí", "s", "sim", "true", "x", "acepto", "aceito"];
const NO: [&str; 8] = ["", "off", "0", "no", "n", "não", "nao", "false"];

/// Where clients are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Nowhere,
    /// A custom field of clients, by its name.
    Field(String),
    /// `tblclients.marketing_emails_opt_in`.
    Marketing,
}

/// How answers are read.
#[derive(Clone, Debug)]
pub struct Questionnaire {
    pub place: Place,
    /// Whether who never answered is taken to say no.
    pub silence_refuses: bool,
}

impl Default for Questionnaire {
    fn default() -> Self {
        Self { place: Place::Nowhere, silence_refuses: false }
    }
}

/// What a client answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// `None`: nothing, or something that is neither yes nor no.
    pub wanted: Option<bool>,
    /// When the row was last changed, if it says.
    pub at: Option<Timestamp>,
    /// Table, row and what stands there, without personal data.
    pub evidence: String,
}

impl Billing {
    /// What `clients` answered; empty where nobody is asked.
    ///
    /// # Errors
    /// The database.
    pub async fn stated(&self, clients: &BTreeSet<u64>) -> Result<HashMap<u64, Stated>, BillingError> {
        let found = match &self.overrides.questionnaire.place {
            _ if clients.is_empty() => return Ok(HashMap::new()),
            Place::Nowhere => return Ok(HashMap::new()),
            Place::Field(name) => self.of_field(name, clients).await?,
            Place::Marketing => self.of_marketing(clients).await?,
        };
        let silent = || Stated { wanted: None, at: None, evidence: "no answer on the platform".to_owned() };
        Ok(clients.iter().map(|client| (*client, found.get(client).cloned().unwrap_or_else(silent))).collect())
    }

    /// Those of `clients` who want no alerts by what they answered, or did not answer.
    ///
    /// # Errors
    /// The database.
    pub async fn refused(&self, clients: &BTreeSet<u64>) -> Result<HashMap<u64, Stated>, BillingError> {
        let silence = self.overrides.questionnaire.silence_refuses;
        let mut stated = self.stated(clients).await?;
        stated.retain(|_, one| !one.wanted.unwrap_or(!silence));
        Ok(stated)
    }

    /// The ids of the custom fields of clients that are called `name`.
    ///
    /// # Errors
    /// The database.
    pub async fn fields_called(&self, name: &str) -> Result<Vec<u64>, BillingError> {
        let mut connection = self.database.connection().await?;
        let sql = "SELECT id, fieldname FROM tblcustomfields WHERE type = 'client' ORDER BY id".to_owned();
        let mut ids = Vec::new();
        for row in &self.rows(&mut connection, sql).await? {
            let reader = Reader::new("tblcustomfields", row, "");
            let called = text(&reader, "fieldname")?;
            let mut names = std::iter::once(called.as_str()).chain(called.split('|'));
            if names.any(|one| one.trim().eq_ignore_ascii_case(name.trim())) {
                ids.push(id(&reader, "id")?);
            }
        }
        Ok(ids)
    }

    async fn of_field(&self, name: &str, clients: &BTreeSet<u64>) -> Result<HashMap<u64, Stated>, BillingError> {
        let fields = self.fields_called(name).await?;
        if fields.is_empty() {
            tracing::error!(name, "`consent.field` names no custom field of clients: nobody has answered");
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT id, relid, value, updated_at FROM tblcustomfieldsvalues WHERE fieldid IN ({}) AND relid IN ({}) ORDER BY id",
            list(fields),
            list(clients.iter().copied())
        );
        let mut connection = self.database.connection().await?;
        let mut found = HashMap::new();
        for row in &self.rows(&mut connection, sql).await? {
            let key = id(&Reader::new("tblcustomfieldsvalues", row, ""), "id")?;
            let reader = Reader::new("tblcustomfieldsvalues", row, key.to_string());
            let answer = text(&reader, "value")?.to_lowercase();
            let wanted = if YES.contains(&answer.as_str()) {
                Some(true)
            } else {
                NO.contains(&answer.as_str()).then_some(false)
            };
            let at = datetime(&reader, "updated_at")?;
            let at = at.and_then(|at| Some(at.to_zoned(self.overrides.zone.clone()).ok()?.timestamp()));
            let says = match wanted {
                Some(true) => "yes",
                Some(false) => "no",
                None => "neither yes nor no",
            };
            let evidence = format!("custom field `{name}` says {says} (tblcustomfieldsvalues {key})");
            found.insert(id(&reader, "relid")?, Stated { wanted, at, evidence });
        }
        Ok(found)
    }

    async fn of_marketing(&self, clients: &BTreeSet<u64>) -> Result<HashMap<u64, Stated>, BillingError> {
        let sql = format!(
            "SELECT id, marketing_emails_opt_in FROM tblclients WHERE id IN ({})",
            list(clients.iter().copied())
        );
        let mut connection = self.database.connection().await?;
        let mut found = HashMap::new();
        for row in &self.rows(&mut connection, sql).await? {
            let key = id(&Reader::new("tblclients", row, ""), "id")?;
            let wanted = flag(&Reader::new("tblclients", row, key.to_string()), "marketing_emails_opt_in")?;
            let says = if wanted { "yes" } else { "no" };
            let evidence = format!("tblclients.marketing_emails_opt_in of row {key} says {says}");
            found.insert(key, Stated { wanted: Some(wanted), at: None, evidence });
        }
        Ok(found)
    }
}
