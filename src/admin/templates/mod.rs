//! Owns: the texts of alerts: what is in force, saving a new version, going back.
//! A text is kept twice: here, and as a template at the provider, whose wording is what recipients read. `check` compares them.

pub mod all;
pub mod check;
pub mod draft;
pub mod preview;
pub mod provider;
pub mod trial;
pub mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{AdminError, Desk, Mistake};
use crate::catalogue::Catalogue;
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::{Hookpoint, HookpointId};
use crate::domain::locale::Locale;
use crate::domain::record::Platform;
use crate::render::Templates;
use crate::render::sample::{self, Variable};
use crate::render::template::{Source, Template};
use crate::store::outbox;
use crate::store::version::{self, Kind, New, Version};

/// Which text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub alert: HookpointId,
    pub locale: Locale,
}

impl Key {
    /// Reads the parts of an address.
    ///
    /// # Errors
    /// There can be no such text.
    pub fn read(alert: &str, locale: &str) -> Result<Self, AdminError> {
        let exact = Locale::ALL.into_iter().find(|one| one.code() == locale);
        match (HookpointId::parse(alert), exact) {
            (Some(alert), Some(locale)) => Ok(Self { alert, locale }),
            _ => Err(AdminError::NotFound("text")),
        }
    }

    /// As its versions are named: `invoice_created.es_AR`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.alert, self.locale)
    }
}

/// Where the text in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    BuiltIn,
    Saved,
    Missing,
}

impl Origin {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BuiltIn => "built_in",
            Self::Saved => "saved",
            Self::Missing => "missing",
        }
    }
}

/// One text as it stands.
#[derive(Clone, Debug)]
pub struct Text {
    pub key: Key,
    pub origin: Origin,
    /// What is in force.
    pub source: Option<Source>,
    /// The newest version that somebody saved, perhaps one that went back to the built-in text, or a draft.
    pub version: Option<Version>,
}

impl Text {
    /// What a change must be based on.
    #[must_use]
    pub fn based_on(&self) -> u64 {
        self.version.as_ref().map_or(0, |version| version.id)
    }

    /// The text that is kept until the provider has it, if there is one.
    #[must_use]
    pub fn draft(&self) -> Option<Source> {
        let version = self.version.as_ref().filter(|version| !version.live)?;
        Source::read(version.content.as_deref()?).ok()
    }
}

/// What is in force, seen at once.
#[derive(Debug)]
pub struct Present {
    pub catalogue: Arc<Catalogue>,
    pub templates: Arc<Templates>,
    pub platform: Arc<Platform>,
}

impl Present {
    /// # Errors
    /// The platform's database.
    pub async fn of(desk: &Desk) -> Result<Self, AdminError> {
        Ok(Self {
            catalogue: desk.catalogue.load_full(),
            templates: desk.templates.load_full(),
            platform: desk.billing.platform(desk.now()).await?,
        })
    }

    /// The hookpoint that `alert` is the alert of.
    ///
    /// # Errors
    /// There is none.
    pub fn hookpoint(&self, alert: &HookpointId) -> Result<&Hookpoint, AdminError> {
        Ok(&self.catalogue.entry(alert).ok_or(AdminError::NotFound("alert"))?.hookpoint)
    }
}

/// Whether an alert is about a change of owner, and may speak of `moved`.
fn is_move(hookpoint: &Hookpoint) -> bool {
    hookpoint.triggers.iter().any(|trigger| !trigger.former_at.is_empty())
}

/// Every alert in every language, in the order of the hookpoints.
///
/// # Errors
/// The database.
pub async fn list(desk: &Desk) -> Result<Vec<(Hookpoint, Vec<Text>)>, AdminError> {
    let catalogue = desk.catalogue.load_full();
    let saved = version::newest(&desk.store, Kind::Template).await?;
    let saved: BTreeMap<String, Version> = saved.into_iter().map(|one| (one.name.clone(), one)).collect();
    let templates = desk.templates.load_full();
    let of = |hookpoint: &Hookpoint| {
        let texts = Locale::ALL.into_iter().map(|locale| {
            let key = Key { alert: hookpoint.id.clone(), locale };
            let version = saved.get(&key.name()).cloned();
            text(&templates, key, version)
        });
        (hookpoint.clone(), texts.collect())
    };
    Ok(catalogue.entries().map(|entry| of(&entry.hookpoint)).collect())
}

/// One text, and the hookpoint that it belongs to.
///
/// # Errors
/// There is no such alert; the database.
pub async fn one(desk: &Desk, key: &Key) -> Result<(Hookpoint, Text), AdminError> {
    let catalogue = desk.catalogue.load_full();
    let hookpoint = &catalogue.entry(&key.alert).ok_or(AdminError::NotFound("alert"))?.hookpoint;
    let version = version::history(&desk.store, Kind::Template, &key.name(), 1).await?.pop();
    Ok((hookpoint.clone(), text(&desk.templates.load(), key.clone(), version)))
}

fn text(templates: &Templates, key: Key, version: Option<Version>) -> Text {
    let source = templates.exact(&key.alert, key.locale).map(|template| template.source().clone());
    // A draft says nothing of the text in force; that one differs from the built-in text if somebody saved it.
    let saved = match &version {
        Some(version) if !version.live => source.is_some() && !is_built_in(&key, source.as_ref()),
        version => version.as_ref().is_some_and(|version| version.content.is_some()),
    };
    let origin = match &source {
        None => Origin::Missing,
        Some(_) if saved => Origin::Saved,
        Some(_) => Origin::BuiltIn,
    };
    Text { key, origin, source, version }
}

fn is_built_in(key: &Key, source: Option<&Source>) -> bool {
    let built_in = Templates::built_in().ok();
    let text = built_in.as_ref().and_then(|all| all.exact(&key.alert, key.locale)).map(Template::source);
    text.is_some() && text == source
}

/// The values that a text of this alert may use, with examples.
///
/// # Errors
/// The platform's database.
pub async fn variables(desk: &Desk, hookpoint: &Hookpoint, locale: Locale) -> Result<Vec<Variable>, AdminError> {
    let platform = desk.billing.platform(desk.now()).await?;
    Ok(sample::variables(hookpoint.subject, is_move(hookpoint), locale, &platform))
}

/// What is saved with a text.
#[derive(Clone, Copy, Debug)]
pub struct Saving<'a> {
    /// The version that the change was made on; 0 for none.
    pub based_on: u64,
    /// Why, in the person's own words.
    pub note: &'a str,
}

/// What became of a text that was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    pub version: u64,
    /// It is kept, and goes live by itself when the provider has it: now it would be refused, where the present one is taken.
    pub draft: bool,
}

/// Saves a text: from now on it is in force, on every instance; or it is a draft until the provider has it.
///
/// # Errors
/// The role; a mistake in the text; somebody saved another one meanwhile; the database.
pub async fn save(desk: &Desk, who: &Who, key: &Key, source: &Source, how: Saving<'_>) -> Result<Saved, AdminError> {
    desk.require(who, Role::Administrator)?;
    let present = Present::of(desk).await?;
    let bad: Vec<Mistake> = check::text(&present, key, source)?
        .into_iter()
        .filter(|finding| finding.blocks)
        .map(|finding| Mistake::new(finding.field, finding.text))
        .collect();
    if !bad.is_empty() {
        return Err(AdminError::Invalid(bad));
    }
    let content = source.to_toml();
    let live = draft::may_go_live(desk, key, source).await;
    write(desk, who, key, (Some(&content), live), how, "template.save").await
}

/// Goes back: to an earlier version, or (`None`) to what is built in.
///
/// # Errors
/// The role; no such version; one that does not fit any more; nothing is built in; somebody saved meanwhile; the database.
pub async fn back(
    desk: &Desk,
    who: &Who,
    key: &Key,
    version: Option<u64>,
    how: Saving<'_>,
) -> Result<Saved, AdminError> {
    desk.require(who, Role::Administrator)?;
    desk.catalogue.load().entry(&key.alert).ok_or(AdminError::NotFound("alert"))?;
    let content = match version {
        None => None,
        Some(id) => {
            let all = versions::all(desk, key).await?;
            all.into_iter().find(|one| one.id == id).ok_or(AdminError::NotFound("version"))?.content
        }
    };
    let source = if let Some(text) = &content {
        Template::read(text).map_err(|error| AdminError::invalid("version", error))?.source().clone()
    } else {
        let built_in = Templates::built_in().map_err(|all| AdminError::Internal(all.join("\n")))?;
        let none = || AdminError::Conflict("templates.none_built_in".to_owned());
        built_in.exact(&key.alert, key.locale).ok_or_else(none)?.source().clone()
    };
    let live = draft::may_go_live(desk, key, &source).await;
    write(desk, who, key, (content.as_deref(), live), how, "template.back").await
}

async fn write(
    desk: &Desk,
    who: &Who,
    key: &Key,
    (content, live): (Option<&str>, bool),
    how: Saving<'_>,
    action: &str,
) -> Result<Saved, AdminError> {
    let name = key.name();
    let new = New { name: &name, content, who: &who.name, note: how.note, live, now: desk.now() };
    let kept = if live { "" } else { " (draft)" };
    let record =
        |id| desk.record(who, action, (name.as_str(), Some(format!("version {id}{kept}: {}", how.note))), live);
    let saved = version::save(&desk.store, Kind::Template, new, how.based_on, record).await?;
    let id = saved.ok_or_else(|| AdminError::Conflict("templates.stale".to_owned()))?;
    if live {
        desk.take_over().await;
        outbox::wake_held(&desk.store, &key.alert, desk.now()).await?;
    }
    Ok(Saved { version: id, draft: !live })
}
