//! Owns: one template: a text whose `{{ expressions }}` become the provider's variables.

use std::sync::LazyLock;

use minijinja::{Environment, Expression, UndefinedBehavior, Value};
use serde::Deserialize;

use super::{RenderError, Rendered, clean};
use crate::domain::locale::Locale;
use crate::domain::message::{Parameters, TemplateCall};

/// Longest value of one variable: the whole filled body must stay below the provider's 1,024 characters.
const VALUE_CHARS_MAX: usize = 120;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(10_000));
    environment
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateWire {
    name: String,
    #[serde(default)]
    named: bool,
    body: String,
    #[serde(default)]
    footer: Option<String>,
    #[serde(default)]
    button: Option<ButtonWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonWire {
    text: String,
    path: String,
    #[serde(default)]
    value: Option<String>,
}

/// A compiled template.
#[derive(Debug)]
pub struct Template {
    /// Its name at the provider.
    pub name: String,
    /// Whether the provider knows its variables by name instead of by position.
    pub named: bool,
    pub footer: Option<String>,
    pub button: Option<Button>,
    parts: Vec<Part>,
}

/// A button that opens a page of the client area.
#[derive(Debug)]
pub struct Button {
    pub text: String,
    /// Behind the base of the client area; the variable follows it.
    pub path: String,
    value: Option<(String, Expression<'static, 'static>)>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value { text: String, expression: Expression<'static, 'static> },
}

impl Template {
    /// Reads a template file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let wire: TemplateWire = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if wire.name.is_empty() || wire.name.len() > 128 || !wire.name.chars().all(good) {
            return Err("`name` must be 1 to 128 of a-z 0-9 _ (the provider's rule)".to_owned());
        }
        let button = match wire.button {
            None => None,
            Some(button) => {
                let value = button.value.map(|text| compile(&text).map(|e| (text, e))).transpose()?;
                Some(Button { text: button.text, path: button.path, value })
            }
        };
        let parts = split(wire.body.trim())?;
        Ok(Self { name: wire.name, named: wire.named, footer: wire.footer, button, parts })
    }

    /// The expressions of the body in order: the provider's variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value { text, .. } => Some(text.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The provider's name of a variable, for templates with names: `invoice.number` is `invoice_number`.
    #[must_use]
    pub fn variable_name(expression: &str) -> String {
        expression.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    }

    /// The body as the provider stores it, with `{{1}}` or `{{name}}`.
    #[must_use]
    pub fn provider_body(&self) -> String {
        let mut n = 0;
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Value { text, .. } if self.named => format!("{{{{{}}}}}", Self::variable_name(text)),
                Part::Value { .. } => {
                    n += 1;
                    format!("{{{{{n}}}}}")
                }
            })
            .collect()
    }

    /// Whether the button's address ends in a variable.
    #[must_use]
    pub fn has_button_variable(&self) -> bool {
        self.button.as_ref().is_some_and(|button| button.value.is_some())
    }

    /// Fills the template.
    ///
    /// # Errors
    /// A value that the context does not have.
    pub fn render(&self, locale: Locale, context: &Value, system_url: &str) -> Result<Rendered, RenderError> {
        let mut text = String::new();
        let mut values = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Value { text: source, expression } => {
                    let value = self.value(locale, source, expression, context)?;
                    text.push_str(&value);
                    values.push((Self::variable_name(source), value));
                }
            }
        }
        let mut suffix = None;
        if let Some(button) = &self.button {
            if let Some((source, expression)) = &button.value {
                suffix = Some(self.value(locale, source, expression, context)?);
            }
            let end = suffix.as_deref().unwrap_or_default();
            text = format!("{text}\n\n{}: {system_url}{}{end}", button.text, button.path);
        }
        let parameters = if self.named {
            Parameters::Named(values)
        } else {
            Parameters::Positional(values.into_iter().map(|(_, value)| value).collect())
        };
        let call =
            TemplateCall { name: self.name.clone(), language: locale.code().to_owned(), parameters, button: suffix };
        Ok(Rendered { call, text })
    }

    fn value(
        &self,
        locale: Locale,
        source: &str,
        expression: &Expression<'static, 'static>,
        context: &Value,
    ) -> Result<String, RenderError> {
        let fail = |error: String| RenderError::Value {
            template: self.name.clone(),
            locale,
            expression: source.to_owned(),
            error,
        };
        let value = expression.eval(context).map_err(|e| fail(e.kind().to_string()))?;
        if value.is_undefined() {
            return Err(fail("it has no value here".to_owned()));
        }
        Ok(clean::parameter(&value.to_string(), VALUE_CHARS_MAX))
    }
}

/// Cuts a body into words and expressions. Only `{{ … }}` is known: the provider's templates have no conditions.
fn split(body: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(start) = rest.find("{{") {
        if start > 0 {
            parts.push(Part::Text(rest[..start].to_owned()));
        }
        let end = rest[start..].find("}}").ok_or("a `{{` without its `}}`")? + start;
        let text = rest[start + 2..end].trim().to_owned();
        let expression = compile(&text)?;
        parts.push(Part::Value { text, expression });
        rest = &rest[end + 2..];
    }
    if rest.contains("}}") || rest.contains("{%") {
        return Err("only `{{ value }}` is allowed in a text".to_owned());
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn compile(text: &str) -> Result<Expression<'static, 'static>, String> {
    ENVIRONMENT.compile_expression_owned(text.to_owned()).map_err(|e| format!("`{text}`: {}", e.kind()))
}
