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
    all
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
