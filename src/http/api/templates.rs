//! Owns: texts: versions, preview, checks, test.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::templates::check::{self, Finding};
use crate::admin::templates::preview::{Of, fill};
use crate::admin::templates::provider::{AtProvider, Known, at_provider, creation};
use crate::admin::templates::versions::{Step, steps};
use crate::admin::templates::{Key, Present, Saving, Text, back, list, one, provider, save, trial, variables};
use crate::admin::{AdminError, Desk, reach};
use crate::domain::admin::Role;
use crate::domain::hookpoint::Hookpoint;
use crate::render::template::{ButtonSource, Source};

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/templates", Role::Viewer, all),
    endpoint("GET", "/templates/:alert/:locale", Role::Viewer, show),
    endpoint("POST", "/templates/:alert/:locale", Role::Administrator, save_text),
    endpoint("POST", "/templates/:alert/:locale/preview", Role::Viewer, preview),
    endpoint("GET", "/templates/:alert/:locale/versions", Role::Viewer, versions),
    endpoint("POST", "/templates/:alert/:locale/back", Role::Administrator, go_back),
    endpoint("GET", "/templates/:alert/:locale/reach", Role::Viewer, reached),
    endpoint("POST", "/templates/:alert/:locale/test", Role::Operator, test),
    endpoint("GET", "/templates/:alert/:locale/provider", Role::Viewer, creation_body),
    endpoint("POST", "/templates/:alert/:locale/provider", Role::Administrator, submit),
];

/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 300;
/// Longest number to test with, in characters.
const PHONE_CHARS_MAX: usize = 40;

fn key(call: &Call) -> Result<Key, AdminError> {
    Key::read(call.param(0), call.param(1))
}

fn all(call: Call) -> Answering {
    Box::pin(async move { list_json(&call.desk).await })
}

/// All texts.
///
/// # Errors
/// The database.
pub async fn list_json(desk: &Desk) -> Result<Value, AdminError> {
    let rows = list(desk).await?;
    let kept = at_provider(desk).await;
    let items: Vec<Value> = rows
        .iter()
        .flat_map(|(hookpoint, texts)| texts.iter().map(move |text| (hookpoint, text)))
        .map(|(hookpoint, text)| line(hookpoint, text, &kept.1))
        .collect();
    Ok(json!({ "items": items, "next": null, "provider": asked(kept.0, &kept.1) }))
}

fn asked(at: Timestamp, provider: &AtProvider) -> Value {
    json!({ "asked_at": at.to_string(), "error": provider.error })
}

fn line(hookpoint: &Hookpoint, text: &Text, at: &AtProvider) -> Value {
    let known = text.source.as_ref().and_then(|source| at.known(&source.name, text.key.locale));
    json!({
        "alert": text.key.alert.as_str(), "locale": text.key.locale.code(), "enabled": hookpoint.enabled,
        "origin": text.origin.code(), "draft": text.draft().is_some(), "name": text.source.as_ref().map(|source| &source.name),
        "version": text.version.as_ref().map(|version| version.id),
        "changed_at": text.version.as_ref().map(|version| version.at.to_string()),
        "changed_by": text.version.as_ref().map(|version| &version.who),
        "at_provider": known.map(there),
    })
}

fn there(known: &Known) -> Value {
    json!({
        "state": known.status, "category": known.category, "variables": known.body_variables, "body": known.body,
        "footer": known.footer,
    })
}

fn show(call: Call) -> Answering {
    Box::pin(async move { text_json(&call.desk, &key(&call)?).await })
}

/// One text with what is wrong with it and what it may use.
///
/// # Errors
/// There is no such alert; a database.
pub async fn text_json(desk: &Desk, key: &Key) -> Result<Value, AdminError> {
    let (hookpoint, text) = one(desk, key).await?;
    let kept = at_provider(desk).await;
    let offered = variables(desk, &hookpoint, key.locale).await?;
    let mut whole = line(&hookpoint, &text, &kept.1);
    whole["text"] = text.source.as_ref().map_or(Value::Null, source_json);
    whole["based_on"] = text.based_on().into();
    whole["variables"] =
        offered.iter().map(|one| json!({ "path": one.path, "example": one.example })).collect::<Vec<_>>().into();
    whole["provider"] = asked(kept.0, &kept.1);
    whole["findings"] = match &text.source {
        None => json!([]),
        Some(source) => findings(desk, key, source).await?.iter().map(finding).collect::<Vec<_>>().into(),
    };
    Ok(whole)
}

/// What is wrong with a text, here and at the provider.
///
/// # Errors
/// There is no such alert; the platform's database.
pub async fn findings(desk: &Desk, key: &Key, source: &Source) -> Result<Vec<Finding>, AdminError> {
    let present = Present::of(desk).await?;
    let mut found = check::text(&present, key, source)?;
    found.extend(check::provider(&at_provider(desk).await.1, key, source));
    Ok(found)
}

/// A finding for programs.
#[must_use]
pub fn finding(one: &Finding) -> Value {
    json!({ "field": one.field, "code": one.code, "text": one.text, "blocks": one.blocks })
}

fn source_json(source: &Source) -> Value {
    let button = source.button.as_ref();
    json!({
        "name": source.name, "named": source.named, "body": source.body, "footer": source.footer,
        "button": button.map(|one| json!({ "text": one.text, "path": one.path, "value": one.value })),
    })
}

/// The member `text` of the body.
fn source(call: &Call) -> Result<Source, AdminError> {
    let text = &call.body["text"];
    if !text.is_object() {
        return Err(AdminError::invalid("text", "must be an object"));
    }
    let needed = |of: &Value, name: &str| {
        let text = of[name].as_str().map(str::to_owned);
        text.ok_or_else(|| AdminError::invalid(name, "must be a text"))
    };
    let optional = |of: &Value, name: &str| match &of[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(AdminError::invalid(name, "must be a text")),
    };
    let button = match &text["button"] {
        Value::Null => None,
        button if button.is_object() => Some(ButtonSource {
            text: needed(button, "text")?,
            path: needed(button, "path")?,
            value: optional(button, "value")?,
        }),
        _ => return Err(AdminError::invalid("button", "must be an object")),
    };
    let named = match &text["named"] {
        Value::Null => false,
        Value::Bool(named) => *named,
        _ => return Err(AdminError::invalid("named", "must be true or false")),
    };
    Ok(Source {
        name: needed(text, "name")?,
        named,
        body: needed(text, "body")?.trim().to_owned(),
        footer: optional(text, "footer")?,
        button,
    })
}

/// A whole number of the body.
fn number(call: &Call, name: &str) -> Result<Option<u64>, AdminError> {
    match &call.body[name] {
        Value::Null => Ok(None),
        value => value.as_u64().map(Some).ok_or_else(|| AdminError::invalid(name, "must be a whole number")),
    }
}

fn note(call: &Call) -> Result<&str, AdminError> {
    let note = call.optional_text("note")?.unwrap_or_default();
    let fits = note.chars().count() <= NOTE_CHARS_MAX;
    if fits { Ok(note) } else { Err(AdminError::invalid("note", format!("at most {NOTE_CHARS_MAX} characters"))) }
}

fn based_on(call: &Call) -> Result<u64, AdminError> {
    number(call, "based_on")?.ok_or_else(|| AdminError::invalid("based_on", "must be the version you saw, 0 for none"))
}

fn save_text(call: Call) -> Answering {
    Box::pin(async move {
        let key = key(&call)?;
        let (text, how) = (source(&call)?, Saving { based_on: based_on(&call)?, note: note(&call)? });
        let saved = save(&call.desk, &call.who, &key, &text, how).await?;
        Ok(json!({ "version": saved.version, "draft": saved.draft }))
    })
}

fn preview(call: Call) -> Answering {
    Box::pin(async move {
        let (key, text) = (key(&call)?, source(&call)?);
        let of = match (call.optional_text("of")?.unwrap_or("sample"), number(&call, "id")?) {
            ("sample", _) => Of::Sample,
            ("newest", _) => Of::Newest,
            ("record", Some(id)) => Of::Record(id),
            ("client", Some(id)) => Of::Client(id),
            ("record" | "client", None) => return Err(AdminError::invalid("id", "must be a whole number")),
            _ => return Err(AdminError::invalid("of", "must be sample, newest, record or client")),
        };
        preview_json(&call.desk, &key, &text, of).await
    })
}

/// A text as a phone would show it.
///
/// # Errors
/// There is no such alert or record; a database.
pub async fn preview_json(desk: &Desk, key: &Key, text: &Source, of: Of) -> Result<Value, AdminError> {
    let found: Value = findings(desk, key, text).await?.iter().map(finding).collect::<Vec<_>>().into();
    let preview = match fill(desk, key, text, of).await {
        Ok(preview) => preview,
        // What is wrong with the text is among the findings.
        Err(AdminError::Invalid(mistakes)) if mistakes.iter().all(|one| one.field != "record") => {
            return Ok(json!({ "findings": found, "shown": null, "subject": null, "client": null }));
        }
        Err(error) => return Err(error),
    };
    let shown = &preview.shown;
    let values: Vec<Value> = shown.values.iter().map(|(path, value)| json!({ "path": path, "value": value })).collect();
    Ok(json!({
        "findings": found,
        "shown": {
            "body": shown.body, "footer": shown.footer, "values": values,
            "button": shown.button.as_ref().map(|(text, url)| json!({ "text": text, "url": url })),
        },
        "subject": preview.subject.map(|(subject, _)| subject.to_string()),
        "client": preview.subject.map(|(_, client)| client.0),
    }))
}

fn versions(call: Call) -> Answering {
    Box::pin(async move {
        let key = key(&call)?;
        one(&call.desk, &key).await?;
        let items: Vec<Value> = steps(&call.desk, &key).await?.iter().map(step_json).collect();
        Ok(json!({ "items": items, "next": null }))
    })
}

/// A version, and what it changed.
#[must_use]
pub fn step_json(step: &Step) -> Value {
    let version = &step.version;
    let lines = step.difference.iter().map(|line| json!({ "change": line.change.code(), "text": line.text }));
    json!({
        "version": version.id, "at": version.at.to_string(), "who": version.who, "note": version.note,
        "content": version.content, "difference": lines.collect::<Vec<_>>(),
    })
}

fn go_back(call: Call) -> Answering {
    Box::pin(async move {
        let key = key(&call)?;
        let how = Saving { based_on: based_on(&call)?, note: note(&call)? };
        let saved = back(&call.desk, &call.who, &key, number(&call, "version")?, how).await?;
        Ok(json!({ "version": saved.version, "draft": saved.draft }))
    })
}

fn reached(call: Call) -> Answering {
    Box::pin(async move { reach_json(&call.desk, &key(&call)?).await })
}

/// Whom a text reaches.
///
/// # Errors
/// There is no such alert; a database.
pub async fn reach_json(desk: &Desk, key: &Key) -> Result<Value, AdminError> {
    let (hookpoint, _) = one(desk, key).await?;
    let counted = reach::counted(desk).await?;
    let (at, reach) = (counted.0, &counted.1);
    let here = reach.counts.by_locale.get(&key.locale).cloned().unwrap_or_default();
    Ok(json!({
        "counted_at": at.to_string(), "complete": reach.complete, "all_clients": reach.counts.read, "clients": here.clients,
        "reachable": here.reachable, "unusable": here.unusable, "opted_out": here.opted_out,
        "contacts": here.contacts.get(&hookpoint.audience).copied().unwrap_or(0),
    }))
}

fn test(call: Call) -> Answering {
    Box::pin(async move {
        let key = key(&call)?;
        let to = call.text("to")?;
        if to.chars().count() > PHONE_CHARS_MAX {
            return Err(AdminError::invalid("to", format!("at most {PHONE_CHARS_MAX} characters")));
        }
        let id = trial::send(&call.desk, &call.who, &key, to).await?;
        Ok(json!({ "message": id.to_string() }))
    })
}

fn creation_body(call: Call) -> Answering {
    Box::pin(async move {
        let key = key(&call)?;
        let (_, text) = one(&call.desk, &key).await?;
        let source = text.source.ok_or(AdminError::NotFound("text"))?;
        creation(&call.desk, &key, &source).await
    })
}

fn submit(call: Call) -> Answering {
    Box::pin(async move {
        let key = key(&call)?;
        let answered = provider::submit(&call.desk, &call.who, &key).await?;
        Ok(json!({ "created": answered.created, "state": answered.state, "category": answered.category }))
    })
}
