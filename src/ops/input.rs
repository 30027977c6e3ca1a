//! Owns: making an operation's input of what a program sent: the parts of its address, its query, its body. Checked by the
//! input's own schema, so that the description and the refusals cannot disagree.

use serde_json::{Map, Value};

use super::{Operation, schema};
use crate::admin::{AdminError, Mistake};

/// What a program sent.
#[derive(Clone, Debug, Default)]
pub struct Sent<'a> {
    /// The variable parts of the address, by their names.
    pub address: Vec<(&'a str, &'a str)>,
    pub query: Vec<(&'a str, &'a str)>,
    /// An object.
    pub body: Value,
}

/// The input of `T`.
///
/// # Errors
/// [`AdminError::NotFound`] for a part of the address that cannot be, [`AdminError::Invalid`] with all that is wrong else.
pub fn read<T: Operation>(sent: Sent<'_>) -> Result<T, AdminError> {
    let schema = schema::of::<T>();
    let properties = schema::properties(&schema);
    let known = |(name, text): (&str, &str)| Some((name.to_owned(), typed(properties.get(name)?, text)));
    let mut fields = match sent.body {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    // In a query an empty value is none.
    fields.extend(sent.query.into_iter().filter(|(_, text)| !text.is_empty()).filter_map(known));
    let address: Map<String, Value> = sent.address.into_iter().filter_map(known).collect();
    for (name, value) in &address {
        if mistake(name, &properties[name], value).is_some() {
            return Err(AdminError::NotFound("address"));
        }
    }
    fields.extend(address);
    let missing = schema::required(&schema).filter(|name| !fields.contains_key(*name));
    let mut mistakes: Vec<Mistake> = missing.map(|name| Mistake::new(name, "is missing")).collect();
    mistakes.extend(fields.iter().filter_map(|(name, value)| mistake(name, properties.get(name)?, value)));
    if !mistakes.is_empty() {
        return Err(AdminError::Invalid(mistakes));
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| AdminError::Internal(format!("the input of `{}` does not fit its schema: {error}", T::ID)))
}

/// A text out of an address, as the type that `property` wants; itself if it is none of that type.
fn typed(property: &Value, text: &str) -> Value {
    let read = if schema::takes(property, "integer") {
        text.parse::<u64>().map(Value::from).or_else(|_| text.parse::<i64>().map(Value::from)).ok()
    } else if schema::takes(property, "boolean") {
        text.parse::<bool>().map(Value::from).ok()
    } else {
        None
    };
    read.unwrap_or_else(|| Value::from(text))
}

/// What is wrong with `value`.
fn mistake(name: &str, property: &Value, value: &Value) -> Option<Mistake> {
    let says = |text: String| Some(Mistake::new(name, text));
    match value {
        Value::Null if schema::takes(property, "null") => None,
        Value::String(text) if schema::takes(property, "string") => of_text(name, property, text),
        Value::Number(n) if schema::takes(property, "integer") => {
            let (least, most) = (property["minimum"].as_i64(), property["maximum"].as_i64());
            let fits = n.as_u64().is_some() || n.as_i64().is_some();
            let value = n.as_i64().unwrap_or(i64::MAX);
            if !fits {
                says("must be a whole number".to_owned())
            } else if least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most) {
                says(match (least, most) {
                    (Some(least), Some(most)) => format!("must be {least} to {most}"),
                    (Some(least), None) => format!("must be at least {least}"),
                    (None, most) => format!("must be at most {}", most.unwrap_or(i64::MAX)),
                })
            } else {
                None
            }
        }
        Value::Bool(_) if schema::takes(property, "boolean") => None,
        Value::Array(_) if schema::takes(property, "array") => None,
        Value::Object(_) if schema::takes(property, "object") => None,
        _ => says(wanted(property).to_owned()),
    }
}

fn of_text(name: &str, property: &Value, text: &str) -> Option<Mistake> {
    let says = |text: String| Some(Mistake::new(name, text));
    let limit = |key: &str| property[key].as_u64().and_then(|limit| usize::try_from(limit).ok());
    let length = text.chars().count();
    if let Some(codes) = property["enum"].as_array()
        && !codes.iter().any(|code| code == text)
    {
        let codes = codes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        return says(format!("must be one of: {codes}"));
    }
    if property["format"] == "date-time" && text.parse::<jiff::Timestamp>().is_err() {
        return says("must be a moment like 2026-11-25T10:00:00Z".to_owned());
    }
    if limit("minLength").is_some_and(|least| length < least) {
        return says("must not be empty".to_owned());
    }
    limit("maxLength")
        .filter(|most| length > *most)
        .and_then(|most| says(format!("must have at most {most} characters")))
}

fn wanted(property: &Value) -> &'static str {
    const NAMES: [(&str, &str); 5] = [
        ("string", "must be a text"),
        ("integer", "must be a whole number"),
        ("boolean", "must be true or false"),
        ("array", "must be a list"),
        ("object", "must be an object"),
    ];
    NAMES.iter().find(|(kind, _)| schema::takes(property, kind)).map_or("does not fit", |(_, text)| text)
}
