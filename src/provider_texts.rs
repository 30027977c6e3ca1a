//! Owns: our texts as the provider wants them described. Lies between the texts and the provider's rules, which do not
//! know each other.

use crate::catalogue::Catalogue;
use crate::domain::hookpoint::HookpointId;
use crate::domain::message::Parameters;
use crate::render::{Templates, sample};
use crate::whatsapp::{Examples, TemplateDefinition, UrlButton};

/// All texts with their examples.
///
/// # Errors
/// A text that cannot be rendered with the samples of its subject.
pub fn definitions(
    catalogue: &Catalogue,
    templates: &Templates,
    system_url: &str,
) -> anyhow::Result<Vec<TemplateDefinition>> {
    let mut platform = sample::platform();
    system_url.clone_into(&mut platform.system_url);
    let mut all = Vec::new();
    for (alert, locale, template) in templates.iter() {
        let entry = HookpointId::parse(alert).and_then(|id| catalogue.entry(&id));
        let Some(entry) = entry else { anyhow::bail!("text `{alert}` belongs to no hookpoint") };
        let values = sample::values(entry.hookpoint.subject, locale, &platform);
        let rendered = template.render(locale, &values, system_url)?;
        let button = template.button.as_ref().map(|button| UrlButton {
            text: button.text.clone(),
            url: format!("{system_url}{}{}", button.path, if template.has_button_variable() { "{{1}}" } else { "" }),
            example: rendered.call.button.clone(),
        });
        all.push(TemplateDefinition {
            name: template.name.clone(),
            language: locale.code().to_owned(),
            body: template.provider_body(),
            examples: match rendered.call.parameters {
                Parameters::Positional(values) => Examples::Positional(values),
                Parameters::Named(values) => Examples::Named(values),
            },
            footer: template.footer.clone(),
            button,
        });
    }
    Ok(all)
}
