//! Owns: questions about the account that send nothing: which templates exist, how the number is rated. For `doctor`.
//!
//! Meta: these count against the management limit (200 calls an hour per account, 5000 with a registered number), so they
//! are asked when an operator asks.

use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::Value;

use super::answer::read_error;
use super::cloud_api::{CloudApi, chain, is_id, read};
use super::templates::variables;

/// Templates per page; Meta's own sample.
const PAGE_TEMPLATES: &str = "100";
/// Pages at most. Meta: an account has 6000 templates at most.
const PAGES_MAX: usize = 100;
/// Bytes of a page at most.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
const TEMPLATE_FIELDS: &str = "id,name,language,status,category,parameter_format,components";
const NUMBER_FIELDS: &str = "display_phone_number,quality_rating,whatsapp_business_manager_messaging_limit";

/// A template as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateInfo {
    pub id: String,
    pub name: String,
    pub language: String,
    /// Only `APPROVED` can be sent.
    pub status: String,
    /// What Meta bills it as, whatever was asked for.
    pub category: String,
    /// Variables of the body, each counted once.
    pub body_variables: usize,
    /// Whether they have names.
    pub named: bool,
    /// What recipients read.
    pub body: String,
    pub footer: Option<String>,
    /// Text and address of the first button that opens one.
    pub button: Option<(String, String)>,
}

impl TemplateInfo {
    /// Whether it can be sent.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        self.status.eq_ignore_ascii_case("APPROVED")
    }
}

/// The sending number as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberInfo {
    /// For people; with blanks and dashes.
    pub display_phone_number: Option<String>,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality_rating: Option<String>,
    /// Unique users in 24 hours, e.g. `TIER_250`. Shared by all numbers of the business.
    pub messaging_limit: Option<String>,
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AccountError {
    #[error("`{0}` must be 1 to 32 digits")]
    Id(&'static str),
    #[error("the provider could not be reached: {0}")]
    Network(String),
    #[error("the provider refused with code {code}: {detail}")]
    Provider { code: i64, detail: String },
    #[error("the provider's answer (HTTP {0}) cannot be read")]
    Unreadable(u16),
    #[error("the provider's list of templates does not end")]
    Endless,
}

#[derive(Deserialize)]
struct PageWire {
    data: Vec<TemplateWire>,
    #[serde(default)]
    paging: Value,
}

#[derive(Deserialize)]
struct TemplateWire {
    #[serde(default)]
    id: String,
    name: String,
    language: String,
    status: String,
    category: String,
    #[serde(default)]
    parameter_format: Value,
    #[serde(default)]
    components: Value,
}

impl TemplateWire {
    fn into_info(self) -> TemplateInfo {
        let components = self.components.as_array().map(Vec::as_slice).unwrap_or_default();
        let of = |kind: &str| components.iter().find(|one| is(&one["type"], kind));
        let text = |one: &Value| one["text"].as_str().unwrap_or_default().to_owned();
        let body = of("body").map(text).unwrap_or_default();
        let buttons = of("buttons").and_then(|one| one["buttons"].as_array()).map(Vec::as_slice).unwrap_or_default();
        let button = buttons.iter().find(|one| is(&one["type"], "url"));
        let mut used = variables(&body).unwrap_or_default();
        used.sort_unstable();
        used.dedup();
        TemplateInfo {
            body_variables: used.len(),
            named: is(&self.parameter_format, "named"),
            footer: of("footer").map(text),
            button: button.map(|one| (text(one), one["url"].as_str().unwrap_or_default().to_owned())),
            id: self.id,
            name: self.name,
            language: self.language.replace('-', "_"),
            status: self.status,
            category: self.category,
            body,
        }
    }
}

fn is(value: &Value, word: &str) -> bool {
    value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word))
}

#[derive(Deserialize)]
struct NumberWire {
    display_phone_number: Option<String>,
    quality_rating: Option<String>,
    whatsapp_business_manager_messaging_limit: Option<String>,
}

impl CloudApi {
    /// All templates of the account `waba_id` (Meta's WABA id), page by page.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn list_templates(&self, waba_id: &str) -> Result<Vec<TemplateInfo>, AccountError> {
        if !is_id(waba_id) {
            return Err(AccountError::Id("waba_id"));
        }
        let path = format!("{waba_id}/message_templates");
        let mut templates = Vec::new();
        let mut after = String::new();
        for _ in 0..PAGES_MAX {
            let mut query = vec![("fields", TEMPLATE_FIELDS), ("limit", PAGE_TEMPLATES)];
            if !after.is_empty() {
                query.push(("after", &after));
            }
            let page: PageWire = self.ask(&path, &query).await?;
            templates.extend(page.data.into_iter().map(TemplateWire::into_info));
            match next(&page.paging) {
                Some(cursor) if cursor != after => after = cursor,
                Some(_) => return Err(AccountError::Endless),
                None => return Ok(templates),
            }
        }
        Err(AccountError::Endless)
    }

    /// How the provider rates the sending number, and how many users it may reach.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn number_info(&self) -> Result<NumberInfo, AccountError> {
        let wire: NumberWire = self.ask(self.phone_number_id(), &[("fields", NUMBER_FIELDS)]).await?;
        Ok(NumberInfo {
            display_phone_number: wire.display_phone_number,
            quality_rating: wire.quality_rating,
            messaging_limit: wire.whatsapp_business_manager_messaging_limit,
        })
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, AccountError> {
        self.read_answer(self.get(path, query)).await
    }

    pub(super) async fn tell<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, AccountError> {
        self.read_answer(self.post(path, body)).await
    }

    async fn read_answer<T: serde::de::DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, AccountError> {
        let network = |detail: String| AccountError::Network(self.mask_token(&detail));
        let mut response = request.send().await.map_err(|error| network(chain(&error.without_url())))?;
        let status = response.status();
        let body = read(&mut response, PAGE_BYTES_MAX).await.map_err(network)?;
        if let Some((code, detail)) = read_error(&body) {
            return Err(AccountError::Provider { code, detail: self.mask_token(&detail) });
        }
        let answer = status.is_success().then(|| serde_json::from_slice(&body).ok()).flatten();
        answer.ok_or(AccountError::Unreadable(status.as_u16()))
    }
}

/// The cursor of the next page. Meta: `next` is absent on the last page; its address is not followed, since it is the
/// provider's word where our token would go.
fn next(paging: &Value) -> Option<String> {
    paging.get("next").filter(|next| next.is_string())?;
    paging.pointer("/cursors/after")?.as_str().filter(|cursor| !cursor.is_empty()).map(str::to_owned)
}
