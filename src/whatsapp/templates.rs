//! Owns: a template as we define it, and the JSON that creates it at the provider.
//!
//! Meta: `POST /{version}/{WABA_ID}/message_templates`. The category may come back changed, and a name with a language
//! exists once. No text falls back to another language.

use serde_json::{Value, json};

/// A template in one language. Always UTILITY: alerts are about the client's own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateDefinition {
    pub name: String,
    /// The provider's code, e.g. `es_AR`.
    pub language: String,
    /// With `{{1}}`, `{{2}}` … or `{{name}}`, as `examples` says.
    pub body: String,
    pub examples: Examples,
    pub footer: Option<String>,
    pub button: Option<UrlButton>,
}

/// An example for each variable of the body, which also says how the variables are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examples {
    /// First is `{{1}}`.
    Positional(Vec<String>),
    Named(Vec<(String, String)>),
}

/// A button that opens an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlButton {
    pub text: String,
    /// May end in `{{1}}`.
    pub url: String,
    /// What `{{1}}` may be: the end alone, not the whole address.
    pub example: Option<String>,
}

/// The body of the call that creates the template. [`super::check`] first: this does not judge.
#[must_use]
pub fn creation_json(template: &TemplateDefinition) -> Value {
    let footer = template.footer.as_ref().map(|text| json!({"type": "FOOTER", "text": text}));
    let button = template.button.as_ref().map(|button| json!({"type": "BUTTONS", "buttons": [url_button(button)]}));
    let components: Vec<Value> = std::iter::once(body(template)).chain(footer).chain(button).collect();
    let parameter_format = match template.examples {
        Examples::Positional(_) => "positional",
        Examples::Named(_) => "named",
    };
    json!({
        "name": template.name,
        "language": template.language,
        "category": "UTILITY",
        "parameter_format": parameter_format,
        "components": components,
    })
}

fn body(template: &TemplateDefinition) -> Value {
    let mut body = json!({"type": "BODY", "text": template.body});
    match &template.examples {
        // Meta: an array in an array.
        Examples::Positional(values) if !values.is_empty() => body["example"] = json!({"body_text": [values]}),
        Examples::Named(values) if !values.is_empty() => {
            let examples: Vec<Value> =
                values.iter().map(|(name, value)| json!({"param_name": name, "example": value})).collect();
            body["example"] = json!({"body_text_named_params": examples});
        }
        Examples::Positional(_) | Examples::Named(_) => {}
    }
    body
}

fn url_button(button: &UrlButton) -> Value {
    let mut wire = json!({"type": "URL", "text": button.text, "url": button.url});
    if let Some(example) = &button.example {
        wire["example"] = json!([example]);
    }
    wire
}

/// The variables of a text in the order in which they stand: what is between `{{` and `}}`. Nothing when the brackets
/// do not pair.
pub(super) fn variables(text: &str) -> Option<Vec<&str>> {
    pieces(text).map(|pieces| pieces.into_iter().filter_map(|(_, variable)| variable).collect())
}

/// A text cut at its variables: each piece of text with the variable that follows it.
pub(super) fn pieces(text: &str) -> Option<Vec<(&str, Option<&str>)>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (variable, tail) = after.split_once("}}")?;
        if before.contains("}}") || variable.contains(['{', '}']) {
            return None;
        }
        pieces.push((before, Some(variable)));
        rest = tail;
    }
    pieces.push((rest, None));
    (!rest.contains("}}")).then_some(pieces)
}
