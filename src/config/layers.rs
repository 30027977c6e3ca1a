//! Owns: how the layers are laid over each other, and which keys exist. A key that the defaults do not have is a mistake,
//! never silently ignored.

use std::path::Path;

use toml::{Table, Value};

use super::{ConfigError, DEFAULTS};
use crate::domain::near::distance;

/// Prefix of the environment's variables.
const PREFIX: &str = "HOOKBRIDGE__";
/// Sections whose entries are named by the user; each entry starts from the default entry of that name.
const NAMED: [(&str, &str); 2] = [("sources", "billing"), ("senders", "main")];
/// Texts that may be lists of texts.
const MANY: [&str; 1] = ["app_secret"];
/// Sections whose keys are the user's own; their readers check the content.
const FREE: [&str; 3] = ["hookpoints", "billing.languages", "schedule.zones"];

/// Defaults, file and environment as one table.
///
/// # Errors
/// Every unknown key and unreadable value.
pub fn merged(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Table, ConfigError> {
    let defaults: Table = DEFAULTS.parse().expect("the embedded defaults are TOML");
    let mut given = match file {
        None => Table::new(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| ConfigError::one(format!("cannot read {}: {e}", path.display())))?
            .parse()
            .map_err(|e| ConfigError::one(format!("{} is not TOML: {e}", path.display())))?,
    };
    let mut mistakes = Vec::new();
    for (name, text) in environment {
        if let Some(path) = name.strip_prefix(PREFIX) {
            let path: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            if let Err(mistake) = set(&mut given, &defaults, &path, &text) {
                mistakes.push(format!("{name}: {mistake}"));
            }
        }
    }
    let mut result = defaults.clone();
    for (section, model) in NAMED {
        name_entries(&mut result, &given, section, model);
    }
    overlay(&mut result, given, "", &mut mistakes);
    if mistakes.is_empty() { Ok(result) } else { Err(ConfigError { mistakes }) }
}

/// Makes an entry per user-given name, each a copy of the default one. Without any, the default entry stays.
fn name_entries(result: &mut Table, given: &Table, section: &str, model: &str) {
    let Some(Value::Table(names)) = given.get(section) else { return };
    let Some(Value::Table(entries)) = result.get_mut(section) else { return };
    let Some(base) = entries.remove(model) else { return };
    for name in names.keys() {
        entries.insert(name.clone(), base.clone());
    }
}

fn overlay(base: &mut Table, given: Table, path: &str, mistakes: &mut Vec<String>) {
    for (key, value) in given {
        let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (base.get_mut(&key), value) {
            _ if FREE.contains(&path) || path.starts_with("hookpoints.") => {
                unreachable!("free sections are taken whole")
            }
            (Some(Value::Table(inner)), Value::Table(table)) if FREE.contains(&here.as_str()) => *inner = table,
            (Some(Value::Table(inner)), Value::Table(table)) => overlay(inner, table, &here, mistakes),
            (Some(Value::Float(_)), Value::Integer(n)) => {
                let text = n.to_string();
                base.insert(key, Value::Float(text.parse().unwrap_or_default()));
            }
            (Some(old), value) if old.same_type(&value) => *old = value,
            (Some(old), value @ Value::Array(_)) if MANY.contains(&key.as_str()) => *old = value,
            (Some(old), value) => {
                mistakes.push(format!("`{here}` must be {}, not {}", type_name(old), type_name(&value)));
            }
            (None, _) => mistakes.push(unknown(&here, &key, base)),
        }
    }
}

fn unknown(here: &str, key: &str, known: &Table) -> String {
    let near = known.keys().min_by_key(|name| distance(name, key)).filter(|name| distance(name, key) <= 3);
    match near {
        Some(name) => format!("`{here}` is not a setting; did you mean `{name}`?"),
        None => format!("`{here}` is not a setting; `hookbridge config --defaults` lists all"),
    }
}

/// Puts `text` at `path`, in the type that the default of that path has.
fn set(given: &mut Table, defaults: &Table, path: &[String], text: &str) -> Result<(), String> {
    let value = typed(default_at(defaults, path), text)?;
    let (last, parents) = path.split_last().ok_or("names no setting")?;
    let mut table = given;
    for parent in parents {
        let entry = table.entry(parent.clone()).or_insert_with(|| Value::Table(Table::new()));
        table = entry.as_table_mut().ok_or_else(|| format!("`{parent}` is not a section"))?;
    }
    table.insert(last.clone(), value);
    Ok(())
}

fn default_at<'a>(defaults: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (section, rest) = path.split_first()?;
    let mut value = defaults.get(section)?;
    for (depth, key) in rest.iter().enumerate() {
        let model = NAMED.iter().find(|(name, _)| depth == 0 && name == section).map(|(_, model)| *model);
        value = value.as_table()?.get(model.unwrap_or(key))?;
    }
    Some(value)
}

fn typed(default: Option<&Value>, text: &str) -> Result<Value, String> {
    match default {
        Some(Value::Integer(_)) => text.parse().map(Value::Integer).map_err(|_| "must be a whole number".to_owned()),
        Some(Value::Float(_)) => text.parse().map(Value::Float).map_err(|_| "must be a number".to_owned()),
        Some(Value::Boolean(_)) => text.parse().map(Value::Boolean).map_err(|_| "must be true or false".to_owned()),
        Some(Value::Array(_)) => Ok(Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        )),
        Some(Value::Table(_)) => Err("is a section, not a setting".to_owned()),
        Some(_) => Ok(Value::String(text.to_owned())),
        // Unknown keys are reported by the overlay; free sections take booleans and numbers too.
        None => Ok(text
            .parse()
            .map(Value::Boolean)
            .or_else(|_| text.parse().map(Value::Integer))
            .unwrap_or_else(|_: std::num::ParseIntError| Value::String(text.to_owned()))),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_whose_keys_are_the_users_own_takes_them_from_a_file_and_from_the_environment() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "[billing]\nlanguages = { criollo = \"es_AR\" }\n").expect("it is written");
        let zone = ("HOOKBRIDGE__SCHEDULE__ZONES__BR".to_owned(), "America/Bahia".to_owned());
        let all = merged(Some(file.path()), [zone]).expect("both are settings");
        assert_eq!(all["billing"]["languages"]["criollo"].as_str(), Some("es_AR"));
        assert_eq!(all["schedule"]["zones"]["br"].as_str(), Some("America/Bahia"));
        let odd = ("HOOKBRIDGE__SCHEDULE__ZONE".to_owned(), "UTC".to_owned());
        assert!(merged(None, [odd]).expect_err("no setting").to_string().contains("did you mean `zones`"));
    }
}
