//! Owns: the provider's side of the texts: which it has, in which state, and making or changing one there.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Key, Present, is_move};
use crate::admin::{AdminError, Desk};
use crate::config::section::SenderConfig;
use crate::domain::admin::{Role, Who};
use crate::domain::locale::Locale;
use crate::provider_texts::definition;
use crate::render::sample;
use crate::render::template::{Source, Template};
use crate::store::{StoreError, needs};
use crate::whatsapp::{AccountError, CloudApi, Gateway, TemplateDefinition, TemplateInfo, creation_json};

/// A template as the provider has it.
pub type Known = TemplateInfo;

/// How long the provider's list is good enough. Meta counts such questions: 200 an hour at least.
const AGE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// The provider's list, or why there is none.
#[derive(Clone, Debug, Default)]
pub struct AtProvider {
    by_key: BTreeMap<(String, String), Known>,
    /// Why the list is not there, in plain words.
    pub error: Option<String>,
}

impl AtProvider {
    /// What it has under `name` in one language.
    #[must_use]
    pub fn known(&self, name: &str, locale: Locale) -> Option<&Known> {
        self.by_key.get(&(name.to_owned(), locale.code().to_owned()))
    }
}

/// The provider's list, and when it was asked; never an error: without it everything else still works.
pub async fn at_provider(desk: &Desk) -> Arc<(Timestamp, AtProvider)> {
    let ask = async { Ok::<_, std::convert::Infallible>(ask(desk).await) };
    match desk.shelf.provider.get(desk.now(), AGE_MAX, ask).await {
        Ok(kept) => kept,
        Err(never) => match never {},
    }
}

/// Asks anew with the next look.
pub fn forget(desk: &Desk) {
    desk.shelf.provider.forget();
}

async fn ask(desk: &Desk) -> AtProvider {
    let failed = |error: String| AtProvider { error: Some(error), ..AtProvider::default() };
    let (api, sender) = match api(desk) {
        Ok(both) => both,
        Err(error) => return failed(error.to_string()),
    };
    match api.list_templates(&sender.waba_id).await {
        Ok(all) => {
            let by_key = all.into_iter().map(|one| ((one.name.clone(), one.language.clone()), one)).collect();
            let found = AtProvider { by_key, error: None };
            if let Err(error) = forget_news(desk, &found).await {
                tracing::warn!(%error, "what the provider reported of texts before is not forgotten");
            }
            found
        }
        Err(error) => failed(error.to_string()),
    }
}

/// A webhook that says that a text is approved again may be lost: the list says it, too.
async fn forget_news(desk: &Desk, found: &AtProvider) -> Result<(), StoreError> {
    for news in needs::texts(&desk.store).await? {
        let known = found.by_key.get(&(news.name.clone(), news.language.clone()));
        if known.is_some_and(Known::is_approved) {
            needs::note_text(&desk.store, &news, true).await?;
        }
    }
    Ok(())
}

/// The client of the number that carries the alerts.
pub(in crate::admin) fn api(desk: &Desk) -> Result<(Arc<CloudApi>, &SenderConfig), AdminError> {
    let name = &desk.config.alerts.sender;
    let sender = desk.config.senders.get(name).ok_or(AdminError::NotFound("sending number"))?;
    if sender.waba_id.is_empty() {
        return Err(AdminError::Conflict(format!(
            "`senders.{name}.waba_id` is empty: the provider's texts are not known"
        )));
    }
    // Building a client reads the system's certificates: once.
    if let Some(known) = desk.shelf.api.load_full() {
        return Ok((known, sender));
    }
    let gateway = Gateway::of(name, sender).map_err(|error| AdminError::Internal(error.to_string()))?;
    let Gateway::CloudApi(api) = gateway;
    let api = Arc::new(api);
    desk.shelf.api.store(Some(api.clone()));
    Ok((api, sender))
}

/// The body of the call that makes `source` at the provider, for those who do it by hand.
///
/// # Errors
/// There is no such alert; a mistake in the text; the platform's database.
pub async fn creation(desk: &Desk, key: &Key, source: &Source) -> Result<Value, AdminError> {
    Ok(creation_json(&describe(desk, key, source).await?))
}

async fn describe(desk: &Desk, key: &Key, source: &Source) -> Result<TemplateDefinition, AdminError> {
    let present = Present::of(desk).await?;
    let hookpoint = present.hookpoint(&key.alert)?;
    let template = Template::of(source.clone()).map_err(|error| AdminError::invalid(error.field, error.text))?;
    let values = sample::values_for(hookpoint.subject, is_move(hookpoint), key.locale, &present.platform);
    definition(&template, key.locale, &values, &present.platform.system_url)
        .map_err(|error| AdminError::invalid("body", error.to_string()))
}

/// What the provider answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether it is new there; else the text of an existing one was replaced.
    pub created: bool,
    /// `APPROVED`, `PENDING` …
    pub state: String,
    pub category: String,
}

/// Makes the text in force at the provider, or replaces the wording of the one that is there.
///
/// # Errors
/// The role; no text; the provider refuses (a conflict that says why); the platform's database.
pub async fn submit(desk: &Desk, who: &Who, key: &Key) -> Result<Answered, AdminError> {
    desk.require(who, Role::Administrator)?;
    let (_, text) = super::one(desk, key).await?;
    let source = text.draft().or(text.source).ok_or(AdminError::NotFound("text"))?;
    forget(desk);
    let before = at_provider(desk).await;
    if let Some(error) = &before.1.error {
        return Err(AdminError::Conflict(error.clone()));
    }
    let answered = put(desk, who, key, &source, before.1.known(&source.name, key.locale)).await?;
    forget(desk);
    Ok(answered)
}

/// Makes `source` at the provider, or replaces the wording of `known`. What is done there can be in no transaction of ours: one line
/// of the log says before that it is asked, and another what the provider answered.
pub(super) async fn put(
    desk: &Desk,
    who: &Who,
    key: &Key,
    source: &Source,
    known: Option<&Known>,
) -> Result<Answered, AdminError> {
    let described = describe(desk, key, source).await?;
    let (api, sender) = api(desk)?;
    let note = async |what: String| desk.note(who, "template.provider", &key.name(), Some(&what)).await;
    note(format!("asks to {} {}", if known.is_some() { "edit" } else { "create" }, source.name)).await?;
    let answered: Result<Answered, AccountError> = if let Some(known) = known {
        let (state, category) = (known.status.clone(), known.category.clone());
        api.edit_template(&known.id, &described).await.map(|()| Answered { created: false, state, category })
    } else {
        let made = api.create_template(&sender.waba_id, &described).await;
        made.map(|made| Answered { created: true, state: made.status, category: made.category })
    };
    match &answered {
        Ok(done) => {
            let what = if done.created { "created" } else { "edited" };
            note(format!("{what} {}: {}", source.name, done.state)).await?;
        }
        Err(error) => note(format!("{} was not taken: {error}", source.name)).await?,
    }
    answered.map_err(|error| AdminError::Conflict(error.to_string()))
}
