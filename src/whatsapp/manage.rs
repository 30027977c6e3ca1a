//! Owns: making and changing templates at the provider.
//!
//! Meta: only approved, rejected and paused templates can be edited, an approved one once in 24 hours; all components are
//! replaced. A new one waits for review, and its category may come back changed.

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::AccountError;
use super::cloud_api::{CloudApi, is_id};
use super::templates::{TemplateDefinition, creation_json};

/// What the provider made of a new template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub id: String,
    /// Mostly `PENDING`: only `APPROVED` can be sent.
    pub status: String,
    /// What it will be billed as.
    pub category: String,
}

#[derive(Deserialize)]
struct CreatedWire {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    category: String,
}

#[derive(Deserialize)]
struct DoneWire {
    success: bool,
}

impl CloudApi {
    /// Makes a template in the account `waba_id`.
    ///
    /// # Errors
    /// [`AccountError`]; after one of the network it may have been made all the same.
    pub async fn create_template(&self, waba_id: &str, template: &TemplateDefinition) -> Result<Created, AccountError> {
        if !is_id(waba_id) {
            return Err(AccountError::Id("waba_id"));
        }
        let path = format!("{waba_id}/message_templates");
        let wire: CreatedWire = self.tell(&path, &creation_json(template)).await?;
        Ok(Created { id: wire.id, status: wire.status, category: wire.category })
    }

    /// Replaces the text of the template `id`.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn edit_template(&self, id: &str, template: &TemplateDefinition) -> Result<(), AccountError> {
        if !is_id(id) {
            return Err(AccountError::Id("template id"));
        }
        let whole: Value = creation_json(template);
        let done: DoneWire = self.tell(id, &json!({ "components": whole["components"] })).await?;
        if done.success { Ok(()) } else { Err(AccountError::Unreadable(200)) }
    }
}
