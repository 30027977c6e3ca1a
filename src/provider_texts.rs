//! Owns: our texts as the provider wants them described. Lies between the texts and the provider's rules, which do not
//! know each other.

use crate::catalogue::Catalogue;
use crate::domain::hookpoint::HookpointId;
use crate::domain::locale::Locale;
use crate::domain::message::Parameters;
use crate::render::sample::Values;
use crate::render::template::Template;
use crate::render::{RenderError, Templates, notice, sample};
use crate::whatsapp::{Examples, TemplateDefinition, UrlButton};

/// A text that cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("text `{0}` belongs to no hookpoint")]
    NoHookpoint(String),
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// All texts with their examples.
///
/// # Errors
/// A text that cannot be rendered with the samples of its subject.
pub fn definitions(
    catalogue: &Catalogue,
    templates: &Templates,
    system_url: &str,
) -> Result<Vec<TemplateDefinition>, TextError> {
    let mut platform = sample::platform();
    system_url.clone_into(&mut platform.system_url);
    let mut all = Vec::new();
    for (alert, locale, template) in templates.iter() {
        let entry = HookpointId::parse(alert).and_then(|id| catalogue.entry(&id));
        let entry = entry.ok_or_else(|| TextError::NoHookpoint(alert.to_owned()))?;
        let values = sample::values(entry.hookpoint.subject, locale, &platform);
        all.push(definition(template, locale, &values, system_url)?);
    }
    Ok(all)
}

/// The text of notices to the staff's phones.
#[must_use]
pub fn notice_definition(locale: Locale) -> TemplateDefinition {
    TemplateDefinition {
        name: notice::NAME.to_owned(),
        language: locale.code().to_owned(),
        body: notice::body(locale).to_owned(),
        examples: Examples::Positional(vec![notice::EXAMPLE.to_owned()]),
        footer: None,
        button: None,
    }
}

/// One text, with `values` as its examples.
///
/// # Errors
/// It names a value that is not among them.
pub fn definition(
    template: &Template,
    locale: Locale,
    values: &Values,
    system_url: &str,
) -> Result<TemplateDefinition, RenderError> {
    let rendered = template.render(locale, values, system_url)?;
    let button = template.button.as_ref().map(|button| UrlButton {
        text: button.text.clone(),
        url: format!("{system_url}{}{}", button.path, if template.has_button_variable() { "{{1}}" } else { "" }),
        example: rendered.call.button.clone(),
    });
    Ok(TemplateDefinition {
        name: template.name.clone(),
        language: locale.code().to_owned(),
        body: template.provider_body(),
        examples: match rendered.call.parameters {
            Parameters::Positional(values) => Examples::Positional(values),
            Parameters::Named(values) => Examples::Named(values),
        },
        footer: template.footer.clone(),
        button,
    })
}
