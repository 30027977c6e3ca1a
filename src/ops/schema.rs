//! Owns: an operation's types as JSON Schema: the same text checks what programs send and describes it to them.

use serde_json::{Map, Value};
use utoipa::{PartialSchema, ToSchema};

/// Where the description keeps the schemas that have a name.
pub const COMPONENTS: &str = "#/components/schemas/";

/// The schema of `T` itself.
#[must_use]
pub fn of<T: PartialSchema>() -> Value {
    // The types of this library always make JSON.
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// Adds the schema of `T`, and of all that it names, to `components`.
///
/// # Panics
/// Two types have the same name: a test makes the whole description.
pub fn add<T: ToSchema>(components: &mut Map<String, Value>) {
    let mut all = Vec::new();
    T::schemas(&mut all);
    let named = all.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()));
    for (name, schema) in named.chain([(T::name().into_owned(), of::<T>())]) {
        let before = components.insert(name.clone(), schema.clone());
        assert!(before.is_none_or(|before| before == schema), "two types are called `{name}`");
    }
}

/// The properties of an object.
#[must_use]
pub fn properties(schema: &Value) -> Map<String, Value> {
    schema["properties"].as_object().cloned().unwrap_or_default()
}

/// The properties that must be there.
pub fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether `property` takes values of the JSON type `kind`.
#[must_use]
pub fn takes(property: &Value, kind: &str) -> bool {
    match &property["type"] {
        Value::String(one) => one == kind,
        Value::Array(all) => all.iter().any(|one| one == kind),
        _ => false,
    }
}
