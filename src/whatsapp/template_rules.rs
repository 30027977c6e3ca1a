//! Owns: Meta's rules for a template's texts, so that an operator hears of a mistake before Meta's review does.
//! Sources: Meta's rules (Meta's limits; the rules about variables from its error subcodes 2388293 and 2388299).

use std::fmt;

use super::templates::{Examples, TemplateDefinition, UrlButton, pieces, variables};

pub const NAME_CHARS_MAX: usize = 512;
pub const BODY_CHARS_MAX: usize = 1024;
pub const FOOTER_CHARS_MAX: usize = 60;
pub const BUTTON_CHARS_MAX: usize = 25;
pub const URL_CHARS_MAX: usize = 2000;

/// A rule that a template breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("the name must be 1 to {NAME_CHARS_MAX} characters out of a-z, 0-9 and _")]
    Name,
    #[error("the language must look like `es` or `es_AR`")]
    Language,
    #[error("the {0} is empty")]
    Empty(Part),
    #[error("the {part} has {chars} characters; at most {max} are allowed")]
    Long { part: Part, chars: usize, max: usize },
    #[error("the brackets of the {0}'s variables do not pair")]
    Brackets(Part),
    #[error("the {0} may not hold variables")]
    Variables(Part),
    #[error("`{{{{{0}}}}}` is not how variables of this template are written")]
    VariableName(String),
    #[error("variables must be numbered from 1 without gaps; `{{{{{0}}}}}` is missing")]
    Gap(usize),
    #[error("the body may not begin with a variable")]
    VariableFirst,
    #[error("the body may not end with a variable")]
    VariableLast,
    #[error("two variables of the body stand side by side")]
    Adjacent,
    #[error("{variables} variables need at least {needed} other words; the body has {words}")]
    FewWords { variables: usize, words: usize, needed: usize },
    #[error("`{{{{{0}}}}}` has no example")]
    ExampleMissing(String),
    #[error("there is an example for `{{{{{0}}}}}`, which the text does not use")]
    ExampleUnused(String),
    #[error("an example may not hold a new line, a tab or more than four blanks in a row")]
    ExampleBlanks,
    #[error("the button's address must begin with https:// or http://")]
    UrlScheme,
    #[error("the button's address may hold one variable, `{{{{1}}}}`, at its end")]
    UrlVariable,
}

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Body,
    Footer,
    Button,
    Url,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => "body",
            Self::Footer => "footer",
            Self::Button => "button's text",
            Self::Url => "button's address",
        })
    }
}

/// All rules that a template breaks; none means that Meta's review has nothing formal to say.
#[must_use]
pub fn check(template: &TemplateDefinition) -> Vec<Problem> {
    let mut problems = Vec::new();
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !(1..=NAME_CHARS_MAX).contains(&template.name.len()) || !template.name.chars().all(of_name) {
        problems.push(Problem::Name);
    }
    if !is_language(&template.language) {
        problems.push(Problem::Language);
    }
    check_body(template, &mut problems);
    if let Some(footer) = &template.footer {
        check_length(Part::Footer, footer, FOOTER_CHARS_MAX, &mut problems);
        check_no_variables(Part::Footer, footer, &mut problems);
    }
    if let Some(button) = &template.button {
        check_button(button, &mut problems);
    }
    problems
}

/// Meta: two or three small letters, and perhaps `_` and two capital ones. Case matters.
fn is_language(code: &str) -> bool {
    let (language, region) = code.split_once('_').map_or((code, None), |(language, region)| (language, Some(region)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && region.is_none_or(|region| region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase()))
}

fn check_length(part: Part, text: &str, max: usize, problems: &mut Vec<Problem>) {
    // UTF-16 units: the largest of the counts that the provider may mean.
    let chars = text.encode_utf16().count();
    if text.trim().is_empty() {
        problems.push(Problem::Empty(part));
    }
    if chars > max {
        problems.push(Problem::Long { part, chars, max });
    }
}

fn check_no_variables(part: Part, text: &str, problems: &mut Vec<Problem>) {
    if text.contains("{{") || text.contains("}}") {
        problems.push(Problem::Variables(part));
    }
}

fn check_body(template: &TemplateDefinition, problems: &mut Vec<Problem>) {
    check_length(Part::Body, &template.body, BODY_CHARS_MAX, problems);
    let Some(pieces) = pieces(template.body.trim()) else {
        problems.push(Problem::Brackets(Part::Body));
        return;
    };
    check_places(&pieces, problems);
    let mut used: Vec<&str> = pieces.iter().filter_map(|(_, variable)| *variable).collect();
    used.sort_unstable();
    used.dedup();
    match &template.examples {
        Examples::Positional(examples) => check_positional(&used, examples, problems),
        Examples::Named(examples) => check_named(&used, examples, problems),
    }
}

/// Where the variables stand, and how much is said around them.
fn check_places(pieces: &[(&str, Option<&str>)], problems: &mut Vec<Problem>) {
    let Some(variables) = pieces.len().checked_sub(1).filter(|count| *count > 0) else { return };
    if pieces.first().is_some_and(|(text, _)| text.is_empty()) {
        problems.push(Problem::VariableFirst);
    }
    if pieces.last().is_some_and(|(text, _)| text.is_empty()) {
        problems.push(Problem::VariableLast);
    }
    if pieces[1..variables].iter().any(|(text, _)| text.trim().is_empty()) {
        problems.push(Problem::Adjacent);
    }
    let is_word = |word: &&str| word.chars().any(char::is_alphanumeric);
    let words = pieces.iter().flat_map(|(text, _)| text.split_whitespace()).filter(is_word).count();
    let needed = 2 * variables + 1;
    if words < needed {
        problems.push(Problem::FewWords { variables, words, needed });
    }
}

fn check_positional(used: &[&str], examples: &[String], problems: &mut Vec<Problem>) {
    let mut numbers: Vec<usize> = Vec::new();
    for name in used {
        match name.parse::<usize>() {
            Ok(number) if number > 0 && number.to_string() == **name => numbers.push(number),
            _ => problems.push(Problem::VariableName((*name).to_owned())),
        }
    }
    numbers.sort_unstable();
    if let Some((index, _)) = numbers.iter().enumerate().find(|(index, number)| **number != index + 1) {
        problems.push(Problem::Gap(index + 1));
    }
    let missing = numbers.iter().filter(|number| examples.get(**number - 1).is_none_or(|text| text.trim().is_empty()));
    problems.extend(missing.map(|number| Problem::ExampleMissing(number.to_string())));
    let unused = (1..=examples.len()).filter(|number| !numbers.contains(number));
    problems.extend(unused.map(|number| Problem::ExampleUnused(number.to_string())));
    check_blanks(examples.iter(), problems);
}

fn check_named(used: &[&str], examples: &[(String, String)], problems: &mut Vec<Problem>) {
    let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    for name in used {
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(of_name) {
            problems.push(Problem::VariableName((*name).to_owned()));
        }
        if !examples.iter().any(|(known, text)| known == name && !text.trim().is_empty()) {
            problems.push(Problem::ExampleMissing((*name).to_owned()));
        }
    }
    let unused = examples.iter().filter(|(known, _)| !used.contains(&known.as_str()));
    problems.extend(unused.map(|(known, _)| Problem::ExampleUnused(known.clone())));
    check_blanks(examples.iter().map(|(_, text)| text), problems);
}

/// Meta: the rule for values (code 132018) holds for examples too.
fn check_blanks<'a>(mut examples: impl Iterator<Item = &'a String>, problems: &mut Vec<Problem>) {
    if examples.any(|text| text.contains(['\n', '\r', '\t']) || text.contains("     ")) {
        problems.push(Problem::ExampleBlanks);
    }
}

fn check_button(button: &UrlButton, problems: &mut Vec<Problem>) {
    check_length(Part::Button, &button.text, BUTTON_CHARS_MAX, problems);
    check_no_variables(Part::Button, &button.text, problems);
    check_length(Part::Url, &button.url, URL_CHARS_MAX, problems);
    if !button.url.starts_with("https://") && !button.url.starts_with("http://") {
        problems.push(Problem::UrlScheme);
    }
    let Some(used) = variables(&button.url) else {
        problems.push(Problem::Brackets(Part::Url));
        return;
    };
    let variable = !used.is_empty();
    if variable && (used != ["1"] || !button.url.ends_with("{{1}}")) {
        problems.push(Problem::UrlVariable);
    }
    let example = button.example.as_deref().is_some_and(|text| !text.trim().is_empty());
    if variable && !example {
        problems.push(Problem::ExampleMissing("1".to_owned()));
    }
    if !variable && button.example.is_some() {
        problems.push(Problem::ExampleUnused("1".to_owned()));
    }
    check_blanks(button.example.iter(), problems);
}
