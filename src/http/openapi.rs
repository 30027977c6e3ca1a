//! Owns: the description of the API (`OpenAPI` 3.1), put together from one file per area.

use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};

#[derive(RustEmbed)]
#[folder = "src/http/openapi/"]
struct Files;

/// The whole document: what `/api/v1/openapi.json` answers.
///
/// # Panics
/// An embedded file is no JSON: a test reads them all.
#[must_use]
pub fn document() -> Value {
    let mut all = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hookbridge",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the administrators' page does, for programs. See docs/API.md.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/api/v1" }],
        "security": [{ "token": [] }],
    });
    for file in Files::iter() {
        let data = Files::get(&file).expect("an embedded file").data;
        let part: Value = serde_json::from_slice(&data).unwrap_or_else(|error| panic!("openapi/{file}: {error}"));
        merge(&mut all, part);
    }
    merge(&mut all, generated());
    all
}

/// The part that is made of the operations' types.
fn generated() -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for endpoint in super::api::endpoints() {
        if let Some(describe) = endpoint.describe {
            let operation = describe(&endpoint, &mut schemas);
            merge(
                paths.entry(braced(endpoint.pattern)).or_insert(Value::Object(Map::new())),
                json!({ endpoint.method.to_lowercase(): operation }),
            );
        }
    }
    json!({ "paths": paths, "components": { "schemas": schemas } })
}

/// `/messages/:id` as the description writes it.
#[must_use]
pub fn braced(pattern: &str) -> String {
    let braced = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
    pattern.split('/').map(braced).collect::<Vec<_>>().join("/")
}

fn merge(all: &mut Value, part: Value) {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => {
            for (key, value) in part {
                merge(all.entry(key).or_insert(Value::Object(Map::new())), value);
            }
        }
        (all, part) => *all = part,
    }
}
