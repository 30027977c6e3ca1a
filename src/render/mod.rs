//! Owns: from facts to the words of a message, in the recipient's language. One text serves both the provider's template
//! and what people read: each `{{ value }}` in it is one variable at the provider.
//! Must not know: the database, the provider's API.

pub mod clean;
pub mod confirmation;
pub mod format;
pub mod names;

pub mod context;
pub mod digest;
pub mod notice;
pub mod phrases;
pub mod preferences;
pub mod sample;
pub mod template;

use std::collections::BTreeMap;

use rust_embed::RustEmbed;

use crate::domain::hookpoint::HookpointId;
use crate::domain::locale::Locale;
use crate::domain::message::{Print, TemplateCall};
use template::Template;

#[derive(RustEmbed)]
#[folder = "src/render/templates/"]
struct Files;

/// All texts, by alert and language.
#[derive(Debug)]
pub struct Templates {
    by_key: BTreeMap<(String, Locale), Template>,
}

/// A message's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub call: TemplateCall,
    /// What the recipient will read, with the button's address behind it.
    pub text: String,
    /// Of the text alone; whoever knows the facts adds theirs.
    pub print: Print,
}

/// Why there are no words.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("no template `{hookpoint}` in {locale}")]
    Missing { hookpoint: String, locale: Locale },
    #[error("template `{template}` in {locale}, `{expression}`: {error}")]
    Value { template: String, locale: Locale, expression: String, error: String },
}

impl Templates {
    /// The built-in texts.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn built_in() -> Result<Self, Vec<String>> {
        let mut by_key = BTreeMap::new();
        let mut mistakes = Vec::new();
        for file in Files::iter() {
            let text = String::from_utf8_lossy(&Files::get(&file).expect("an embedded file").data).into_owned();
            let key = file.strip_suffix(".toml").and_then(|name| name.rsplit_once('.'));
            let key = key.and_then(|(alert, code)| Some((alert.to_owned(), code.parse::<Locale>().ok()?)));
            match (key, Template::read(&text)) {
                (Some(key), Ok(template)) => drop(by_key.insert(key, template)),
                (None, _) => mistakes.push(format!("{file}: must be named <alert>.<language>.toml")),
                (_, Err(error)) => mistakes.push(format!("{file}: {error}")),
            }
        }
        if mistakes.is_empty() { Ok(Self { by_key }) } else { Err(mistakes) }
    }

    /// The built-in texts with what administrators saved, named by alert and language (`invoice_created.es_AR`). The second half
    /// of the answer says which are left out, and why.
    ///
    /// # Errors
    /// As [`Templates::built_in`].
    pub fn with_saved<'a>(
        saved: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(Self, Vec<String>), Vec<String>> {
        let mut all = Self::built_in()?;
        let mut left_out = Vec::new();
        for (name, text) in saved {
            let key = name.rsplit_once('.').and_then(|(alert, code)| Some((alert, code.parse::<Locale>().ok()?)));
            match (key, Template::read(text)) {
                (Some((alert, locale)), Ok(template)) => drop(all.by_key.insert((alert.to_owned(), locale), template)),
                (None, _) => left_out.push(format!("`{name}`: must be <alert>.<language>")),
                (_, Err(error)) => left_out.push(format!("`{name}`: {error}")),
            }
        }
        Ok((all, left_out))
    }

    /// The text of an alert in one language: there is no silent fall-back to another, except between the two kinds of Spanish.
    #[must_use]
    pub fn get(&self, hookpoint: &HookpointId, locale: Locale) -> Option<&Template> {
        self.resolve(hookpoint, locale).map(|(_, template)| template)
    }

    /// The text of an alert in exactly one language.
    #[must_use]
    pub fn exact(&self, hookpoint: &HookpointId, locale: Locale) -> Option<&Template> {
        self.by_key.get(&(hookpoint.as_str().to_owned(), locale))
    }

    fn resolve(&self, hookpoint: &HookpointId, locale: Locale) -> Option<(Locale, &Template)> {
        let here = self.exact(hookpoint, locale).map(|template| (locale, template));
        here.or_else(|| locale.nearest().and_then(|near| Some((near, self.exact(hookpoint, near)?))))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Locale, &Template)> {
        self.by_key.iter().map(|((alert, locale), template)| (alert.as_str(), *locale, template))
    }

    /// The words of one alert for one recipient.
    ///
    /// # Errors
    /// No template in this language, or a value that it names does not exist.
    pub fn render(
        &self,
        hookpoint: &HookpointId,
        locale: Locale,
        context: &minijinja::Value,
        system_url: &str,
    ) -> Result<Rendered, RenderError> {
        let missing = || RenderError::Missing { hookpoint: hookpoint.to_string(), locale };
        let (written_in, template) = self.resolve(hookpoint, locale).ok_or_else(missing)?;
        template.render(written_in, context, system_url)
    }
}
