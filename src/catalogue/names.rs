//! Owns: the names that a condition may use. Found by looking at what a condition would see with sample facts: so they are
//! never another list than the one that counts.

use std::collections::BTreeMap;

use minijinja::Value;
use minijinja::value::ValueKind;

use crate::expression::Expression;

/// Everything below it depends on the hook's fields: what is listed there.
const OPEN: [&str; 2] = ["fields", "gone"];

/// Dotted names in `context`, each with an example.
#[must_use]
pub fn of(context: &Value) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    walk(context, "", &mut names);
    names
}

fn walk(value: &Value, at: &str, names: &mut BTreeMap<String, String>) {
    if value.kind() != ValueKind::Map {
        let example = match value.kind() {
            ValueKind::String => format!("'{value}'"),
            _ => value.to_string(),
        };
        names.insert(at.to_owned(), example);
        return;
    }
    for key in value.try_iter().into_iter().flatten() {
        let below = if at.is_empty() { key.to_string() } else { format!("{at}.{key}") };
        walk(&value.get_item(&key).unwrap_or_default(), &below, names);
    }
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is no expression, in words.
    Text(String),
    /// It names something that is not there.
    Name(String),
}

/// Checks `text` against the names that there are; `samples` is what they were taken from.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(text: &str, samples: &Value) -> Result<(), Wrong> {
    let expression = Expression::compile(text).map_err(Wrong::Text)?;
    let known = of(samples);
    for name in expression.names() {
        let below = format!("{name}.");
        let is_there = known.contains_key(&name) || known.keys().any(|one| one.starts_with(&below));
        // What lies behind a plain value, as in `event.changed.0`, is the expression's own affair.
        let behind = known.keys().any(|one| name.starts_with(&format!("{one}.")));
        if !(is_there || behind || OPEN.contains(&name.as_str())) {
            return Err(Wrong::Name(name));
        }
    }
    match expression.value(samples) {
        // A filter or test that does not exist is only noticed when it is used.
        Err(error) if error.starts_with("unknown ") => Err(Wrong::Text(error)),
        _ => Ok(()),
    }
}
