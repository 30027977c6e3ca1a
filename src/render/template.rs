//! Owns: one template: a text whose `{{ expressions }}` become the provider's variables.

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Deserialize;

use super::context::UNWRITABLE;
use super::{RenderError, Rendered, clean, digest};
use crate::domain::locale::Locale;
use crate::domain::message::{Parameters, Print, TemplateCall};
use crate::expression::Expression;

/// Longest value of one variable: the whole filled body must stay below the provider's 1,024 characters.
pub const VALUE_CHARS_MAX: usize = 120;

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

/// A template as people write it, not yet compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub named: bool,
    pub body: String,
    pub footer: Option<String>,
    pub button: Option<ButtonSource>,
}

/// A button as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ButtonSource {
    pub text: String,
    pub path: String,
    pub value: Option<String>,
}

impl Source {
    /// Reads a template file.
    ///
    /// # Errors
    /// What is wrong with its shape, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let wire: TemplateWire = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        let button = wire.button.map(|b| ButtonSource { text: b.text, path: b.path, value: b.value });
        Ok(Self { name: wire.name, named: wire.named, body: wire.body.trim().to_owned(), footer: wire.footer, button })
    }

    /// The same as a template file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut table = toml::Table::new();
        table.insert("name".to_owned(), self.name.clone().into());
        if self.named {
            table.insert("named".to_owned(), true.into());
        }
        table.insert("body".to_owned(), self.body.clone().into());
        if let Some(footer) = &self.footer {
            table.insert("footer".to_owned(), footer.clone().into());
        }
        if let Some(button) = &self.button {
            let mut inner = toml::Table::new();
            inner.insert("text".to_owned(), button.text.clone().into());
            inner.insert("path".to_owned(), button.path.clone().into());
            if let Some(value) = &button.value {
                inner.insert("value".to_owned(), value.clone().into());
            }
            table.insert("button".to_owned(), inner.into());
        }
        toml::to_string_pretty(&table).unwrap_or_default()
    }
}

/// What is wrong with a source, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Flaw {
    /// `name`, `body` or `button_value`.
    pub field: &'static str,
    pub text: String,
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
    /// Digest of the whole text.
    pub wording: u64,
    source: Source,
    parts: Vec<Part>,
}

/// A template filled, part by part: as a phone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub body: String,
    pub footer: Option<String>,
    /// Its text, and the address that it opens.
    pub button: Option<(String, String)>,
    /// The body's expressions and what became of each.
    pub values: Vec<(String, String)>,
}

/// A button that opens a page of the client area.
#[derive(Debug)]
pub struct Button {
    pub text: String,
    /// Behind the base of the client area; the variable follows it.
    pub path: String,
    value: Option<(String, Expression)>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Value { text: String, expression: Expression },
}

impl Template {
    /// Reads a template file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        Self::of(Source::read(text)?).map_err(|flaw| flaw.text)
    }

    /// Compiles a source.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn of(source: Source) -> Result<Self, Flaw> {
        let flaw = |field| move |text: String| Flaw { field, text };
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if source.name.is_empty() || source.name.len() > 128 || !source.name.chars().all(good) {
            return Err(flaw("name")("`name` must be 1 to 128 of a-z 0-9 _ (the provider's rule)".to_owned()));
        }
        let button = match &source.button {
            None => None,
            Some(button) => {
                let compiled = |text: &String| compile(text).map(|e| (text.clone(), e));
                let value = button.value.as_ref().map(compiled).transpose().map_err(flaw("button_value"))?;
                Some(Button { text: button.text.clone(), path: button.path.clone(), value })
            }
        };
        let parts = split(source.body.trim()).map_err(flaw("body"))?;
        let (name, named, footer) = (source.name.clone(), source.named, source.footer.clone());
        let wording = digest::wording(&source);
        Ok(Self { name, named, footer, button, wording, source, parts })
    }

    /// As people wrote it.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
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
        let (mut text, values) = self.fill(locale, context)?;
        let suffix = self.suffix(locale, context)?;
        if let Some(button) = &self.button {
            let end = suffix.as_deref().unwrap_or_default();
            text = format!("{text}\n\n{}: {system_url}{}{end}", button.text, button.path);
        }
        let parameters = if self.named {
            // One that stands twice is reported once.
            let mut seen = BTreeSet::new();
            let named = values.iter().map(|(source, value)| (Self::variable_name(source), value.clone()));
            Parameters::Named(named.filter(|(name, _)| seen.insert(name.clone())).collect())
        } else {
            Parameters::Positional(values.into_iter().map(|(_, value)| value).collect())
        };
        let call =
            TemplateCall { name: self.name.clone(), language: locale.code().to_owned(), parameters, button: suffix };
        Ok(Rendered { call, text, print: Print { wording: self.wording, facts: 0 } })
    }

    /// Fills the template, part by part.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn preview(&self, locale: Locale, context: &Value, system_url: &str) -> Result<Shown, RenderError> {
        let (body, values) = self.fill(locale, context)?;
        let suffix = self.suffix(locale, context)?.unwrap_or_default();
        let button = self.button.as_ref().map(|b| (b.text.clone(), format!("{system_url}{}{suffix}", b.path)));
        Ok(Shown { body, footer: self.footer.clone(), button, values })
    }

    /// The body's words, and each expression with its value.
    fn fill(&self, locale: Locale, context: &Value) -> Result<(String, Vec<(String, String)>), RenderError> {
        let mut text = String::new();
        let mut values = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(words) => text.push_str(words),
                Part::Value { text: source, expression } => {
                    let value = self.value(locale, source, expression, context)?;
                    text.push_str(&value);
                    values.push((source.clone(), value));
                }
            }
        }
        Ok((text, values))
    }

    /// The variable end of the button's address.
    fn suffix(&self, locale: Locale, context: &Value) -> Result<Option<String>, RenderError> {
        let value = self.button.as_ref().and_then(|button| button.value.as_ref());
        value.map(|(source, expression)| self.value(locale, source, expression, context)).transpose()
    }

    fn value(
        &self,
        locale: Locale,
        source: &str,
        expression: &Expression,
        context: &Value,
    ) -> Result<String, RenderError> {
        let fail = |error: String| RenderError::Value {
            template: self.name.clone(),
            locale,
            expression: source.to_owned(),
            error,
        };
        let value = expression.value(context).map_err(fail)?.to_string();
        if value.contains(UNWRITABLE) {
            return Err(fail("an amount in a currency that cannot be read".to_owned()));
        }
        Ok(clean::parameter(&value, VALUE_CHARS_MAX))
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

fn compile(text: &str) -> Result<Expression, String> {
    Expression::compile(text).map_err(|error| format!("`{text}`: {error}"))
}
