//! Owns: what is wrong with a text, before anybody gets it: the provider's rules, values that do not exist, languages that lack
//! one, and what differs at the provider.

use super::provider::{AtProvider, Known};
use super::{Key, Present, is_move};
use crate::admin::AdminError;
use crate::domain::hookpoint::Class;
use crate::domain::locale::Locale;
use crate::expression::aside;
use crate::provider_texts::definition;
use crate::render::RenderError;
use crate::render::clean::NOTHING;
use crate::render::sample;
use crate::render::template::{Source, Template, VALUE_CHARS_MAX};
use crate::whatsapp::{BODY_CHARS_MAX, Part, Problem, check};

/// Longest texts that are looked at at all, in characters: far above the provider's limits.
const CHARS_MAX: usize = 4_000;

/// Something that is wrong, or should be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `name`, `body`, `footer`, `button_text`, `button_path`, `button_value`, or `provider`, `languages`.
    pub field: &'static str,
    /// A stable name, with words for it in the pages' languages.
    pub code: &'static str,
    /// What the words name.
    pub values: Vec<(&'static str, String)>,
    /// The same in plain English.
    pub text: String,
    /// Whether it keeps the text from being saved.
    pub blocks: bool,
}

impl Finding {
    fn bad(field: &'static str, code: &'static str, values: Vec<(&'static str, String)>, text: String) -> Self {
        Self { field, code, values, text, blocks: true }
    }

    fn warning(field: &'static str, code: &'static str, values: Vec<(&'static str, String)>, text: String) -> Self {
        Self { field, code, values, text, blocks: false }
    }
}

/// What is wrong with `source` as the text of `key`.
///
/// # Errors
/// There is no such alert.
pub fn text(present: &Present, key: &Key, source: &Source) -> Result<Vec<Finding>, AdminError> {
    aside(|| look(present, key, source))
}

fn look(present: &Present, key: &Key, source: &Source) -> Result<Vec<Finding>, AdminError> {
    let hookpoint = present.hookpoint(&key.alert)?;
    let mut found = shape(source);
    if !found.is_empty() {
        return Ok(found);
    }
    let template = match Template::of(source.clone()) {
        Ok(template) => template,
        Err(error) => {
            let (field, detail) = (error.field, error.text);
            return Ok(vec![Finding::bad(field, "broken", vec![("detail", detail.clone())], detail)]);
        }
    };
    let values = sample::values_for(hookpoint.subject, is_move(hookpoint), key.locale, &present.platform);
    match definition(&template, key.locale, &values, &present.platform.system_url) {
        Err(error) => found.push(unknown(&template, &error)),
        Ok(definition) => {
            found.extend(check(&definition).iter().map(rule));
            if let Ok(shown) = template.preview(key.locale, &values, &present.platform.system_url) {
                let empty = shown.values.iter().filter(|(_, value)| value == NOTHING);
                found.extend(empty.map(|(expression, _)| empty_value(expression)));
                let fixed = shown.body.encode_utf16().count()
                    - shown.values.iter().map(|(_, value)| value.encode_utf16().count()).sum::<usize>();
                let most = fixed + shown.values.len() * VALUE_CHARS_MAX;
                if most > BODY_CHARS_MAX {
                    let values = vec![("chars", most.to_string()), ("max", BODY_CHARS_MAX.to_string())];
                    let text =
                        format!("with long values the body may reach {most} characters; {BODY_CHARS_MAX} are allowed");
                    found.push(Finding::warning("body", "maybe_long", values, text));
                }
            }
        }
    }
    if hookpoint.class == Class::Security {
        found.extend(invitation(source));
    }
    found.extend(neighbours(present, key, source));
    Ok(found)
}

/// Words by which every alert ends, as texts invite to send them.
const ENDING: [&str; 3] = ["BAJA", "STOP", "SAIR"];

/// A security alert that invites to end all of them: who takes it up hears of no break-in any more.
fn invitation(source: &Source) -> Option<Finding> {
    let texts = [("footer", source.footer.as_deref().unwrap_or_default()), ("body", source.body.as_str())];
    texts.into_iter().find_map(|(field, text)| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        let word = words.find(|word| ENDING.contains(word))?;
        let says = format!("a security alert does not invite to send {word}: that ends these alerts, too");
        Some(Finding::warning(field, "invites_to_end", vec![("word", word.to_owned())], says))
    })
}

/// What is wrong without reading it as a template.
fn shape(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut long = |field: &'static str, text: &str| {
        let chars = text.chars().count();
        if chars > CHARS_MAX {
            let values = vec![("chars", chars.to_string()), ("max", CHARS_MAX.to_string())];
            found.push(Finding::bad(field, "too_long", values, format!("{chars} characters; at most {CHARS_MAX}")));
        }
    };
    long("name", &source.name);
    long("body", &source.body);
    long("footer", source.footer.as_deref().unwrap_or_default());
    if let Some(button) = &source.button {
        long("button_text", &button.text);
        long("button_path", &button.path);
        long("button_value", button.value.as_deref().unwrap_or_default());
        let path = &button.path;
        if path.starts_with('/') || path.contains("://") || path.chars().any(char::is_whitespace) || path.contains("{{")
        {
            let text =
                "the address goes on behind the client area's: no https://, no / at its start, no blanks, no {{ }}";
            found.push(Finding::bad("button_path", "path_bad", Vec::new(), text.to_owned()));
        }
    }
    found
}

fn unknown(template: &Template, error: &RenderError) -> Finding {
    let expression = match error {
        RenderError::Value { expression, .. } => expression.clone(),
        RenderError::Missing { .. } => String::new(),
    };
    let in_body = template.variables().any(|one| one == expression);
    let field = if in_body { "body" } else { "button_value" };
    let text = format!("this alert offers no value `{expression}`");
    Finding::bad(field, "unknown_value", vec![("value", expression)], text)
}

fn empty_value(expression: &str) -> Finding {
    let text = format!("`{expression}` is empty in the example: recipients would read `{NOTHING}`");
    Finding::warning("body", "empty_value", vec![("value", expression.to_owned())], text)
}

/// Other texts: languages that lack one, and a name at the provider that two alerts use.
fn neighbours(present: &Present, key: &Key, source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for locale in Locale::ALL {
        if locale != key.locale && present.templates.get(&key.alert, locale).is_none() {
            let text = format!("there is no text in {locale}: clients of that language get nothing");
            found.push(Finding::warning("languages", "language_missing", vec![("language", locale.to_string())], text));
        }
    }
    let same = |alert: &str, template: &Template| alert != key.alert.as_str() && template.name == source.name;
    if let Some((alert, ..)) = present.templates.iter().find(|(alert, _, template)| same(alert, template)) {
        let text = format!("the alert `{alert}` uses the same name at the provider");
        found.push(Finding::warning("name", "name_shared", vec![("alert", alert.to_owned())], text));
    }
    found
}

/// What differs between `source` and what the provider has under its name.
#[must_use]
pub fn provider(at: &AtProvider, key: &Key, source: &Source) -> Vec<Finding> {
    let warn = |code, values: Vec<(&'static str, String)>, text: String| {
        vec![Finding::warning("provider", code, values, text)]
    };
    let Some(known) = at.known(&source.name, key.locale) else {
        if at.error.is_some() {
            return Vec::new();
        }
        let text = format!("the provider has no template `{}` in {}: sends would be refused", source.name, key.locale);
        return warn("not_there", vec![("name", source.name.clone())], text);
    };
    let mut found = Vec::new();
    if !known.is_approved() {
        let text = format!("the provider's template is {}: only APPROVED ones can be sent", known.status);
        found.extend(warn("not_approved", vec![("state", known.status.clone())], text));
    }
    if !known.category.is_empty() && known.category != "UTILITY" {
        let text = format!("the provider bills it as {}", known.category);
        found.extend(warn("category", vec![("category", known.category.clone())], text));
    }
    let Ok(template) = Template::of(source.clone()) else { return found };
    let ours = variables_of(&template);
    if ours != known.body_variables || (template.named != known.named && ours > 0) {
        let text = format!(
            "the provider's template has {} variables, this text {ours}: sends would be refused",
            known.body_variables
        );
        let values = vec![("theirs", known.body_variables.to_string()), ("ours", ours.to_string())];
        found.extend(warn("variables_differ", values, text));
    } else if differs(&template, known) {
        let text = "the provider's wording differs: recipients read the provider's".to_owned();
        found.extend(warn("wording_differs", Vec::new(), text));
    }
    found
}

/// Variables as the provider counts them: one with a name counts once.
fn variables_of(template: &Template) -> usize {
    if !template.named {
        return template.variables().count();
    }
    template.variables().map(Template::variable_name).collect::<std::collections::BTreeSet<_>>().len()
}

/// Whether the provider's template takes the values of `template`.
#[must_use]
pub fn fits(template: &Template, known: &Known) -> bool {
    let ours = variables_of(template);
    let suffix = known.button.as_ref().is_some_and(|(_, url)| url.ends_with("{{1}}"));
    ours == known.body_variables
        && (template.named == known.named || ours == 0)
        && suffix == template.has_button_variable()
}

/// Whether what recipients read is not what stands here.
#[must_use]
pub fn differs(template: &Template, known: &Known) -> bool {
    known.body.trim() != template.provider_body().trim()
        || known.footer != template.footer
        || known.button.as_ref().map(|(text, _)| text) != template.button.as_ref().map(|button| &button.text)
}

/// A rule of the provider, with the field that breaks it.
fn rule(problem: &Problem) -> Finding {
    let part = |part: &Part| match part {
        Part::Body => "body",
        Part::Footer => "footer",
        Part::Button => "button_text",
        Part::Url => "button_path",
    };
    let (field, code, values) = match problem {
        Problem::Name => ("name", "name_bad", Vec::new()),
        Problem::Language => ("name", "language_bad", Vec::new()),
        Problem::Empty(one) => (part(one), "is_empty", Vec::new()),
        Problem::Long { part: one, chars, max } => {
            (part(one), "too_long", vec![("chars", chars.to_string()), ("max", max.to_string())])
        }
        Problem::Brackets(one) => (part(one), "brackets", Vec::new()),
        Problem::Variables(one) => (part(one), "no_variables", Vec::new()),
        Problem::VariableName(name) => ("body", "variable_name", vec![("value", name.clone())]),
        Problem::Gap(n) => ("body", "variable_name", vec![("value", n.to_string())]),
        Problem::VariableFirst => ("body", "variable_first", Vec::new()),
        Problem::VariableLast => ("body", "variable_last", Vec::new()),
        Problem::Adjacent => ("body", "variables_adjacent", Vec::new()),
        Problem::FewWords { variables, words, needed } => {
            let n = |n: &usize| n.to_string();
            ("body", "few_words", vec![("variables", n(variables)), ("words", n(words)), ("needed", n(needed))])
        }
        Problem::ExampleMissing(name) | Problem::ExampleUnused(name) => {
            ("body", "example", vec![("value", name.clone())])
        }
        Problem::ExampleBlanks => ("body", "blanks", Vec::new()),
        Problem::UrlScheme | Problem::UrlVariable => ("button_path", "path_bad", Vec::new()),
    };
    Finding::bad(field, code, values, problem.to_string())
}
