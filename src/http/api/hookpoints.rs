//! Owns: hookpoints: list, switch, change, make new ones, try.

use serde_json::{Value, json};

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::AdminError;
use crate::admin::hookpoints::change::{self, Saving};
use crate::admin::hookpoints::trial::{self, Trial};
use crate::admin::hookpoints::{self, Line, check};
use crate::catalogue::{hooks, written};
use crate::domain::admin::Role;
use crate::domain::hookpoint::Hookpoint;
use crate::store::version::Version;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/hookpoints", Role::Viewer, list),
    endpoint("POST", "/hookpoints", Role::Administrator, create),
    endpoint("GET", "/hookpoints/:name", Role::Viewer, show),
    endpoint("PUT", "/hookpoints/:name", Role::Administrator, save),
    endpoint("POST", "/hookpoints/:name/switch", Role::Administrator, switch),
    endpoint("GET", "/hookpoints/:name/versions", Role::Viewer, versions),
    endpoint("POST", "/hookpoints/:name/roll-back", Role::Administrator, roll_back),
    endpoint("POST", "/hookpoints/:name/built-in", Role::Administrator, built_in),
    endpoint("POST", "/hookpoints/:name/try", Role::Viewer, try_it),
    endpoint("GET", "/hooks", Role::Viewer, |call| Box::pin(async move { Ok(all_hooks(call.query.text("search"))) })),
];

/// A line of the list.
#[must_use]
pub fn line_json(line: &Line) -> Value {
    let hookpoint = &line.hookpoint;
    json!({
        "name": hookpoint.id.as_str(),
        "title": hookpoint.title.iter().map(|(locale, text)| (locale.code(), text)).collect::<std::collections::BTreeMap<_, _>>(),
        "introduced": hookpoint.introduced,
        "enabled": line.enabled,
        "origin": line.origin.code(),
        "by_config": line.by_config,
        "class": hookpoint.class.code(),
        "audience": hookpoint.audience.code(),
        "subject": hookpoint.subject.code(),
        "hooks": hookpoint.triggers.iter().map(|trigger| trigger.hook.as_str()).collect::<Vec<_>>(),
        "alerts_24_h": line.day,
        "alerts_7_d": line.week,
        "without_text": line.without_text.iter().map(|locale| locale.code()).collect::<Vec<_>>(),
    })
}

/// A version without its text.
#[must_use]
pub fn version_json(version: &Version) -> Value {
    json!({
        "version": version.id, "at": version.at.to_string(), "who": version.who, "note": version.note, "text": version.content,
    })
}

/// What a trial said.
#[must_use]
pub fn trial_json(trial: &Trial) -> Value {
    let reasons: serde_json::Map<String, Value> =
        trial.reasons().into_iter().map(|(reason, n)| (reason.code().to_owned(), json!(n))).collect();
    let events: Vec<Value> = trial
        .tried
        .iter()
        .map(|one| {
            let reasons: Vec<&str> = one.reasons.iter().map(|(reason, _)| reason.code()).collect();
            json!({ "event": one.event.as_str(), "hook": one.hook, "at": one.at.to_string(), "messages": one.messages, "reasons": reasons })
        })
        .collect();
    json!({
        "fired": trial.fired(), "skipped": trial.skipped(), "messages": trial.messages(), "more": trial.more,
        "reasons": reasons, "events": events,
    })
}

/// The platform's hooks.
#[must_use]
pub fn all_hooks(search: &str) -> Value {
    let items: Vec<Value> = hooks::search(search)
        .into_iter()
        .map(|hook| {
            let subjects: Vec<Value> = hook
                .subjects()
                .into_iter()
                .map(|(kind, paths)| json!({ "subject": kind.code(), "id": paths }))
                .collect();
            json!({
                "name": hook.name, "group": hook.group, "parameters": hook.parameters, "subjects": subjects,
                "unfit": hook.unfit.map(crate::catalogue::hooks::Unfit::code),
                "mind": hook.mind.map(crate::catalogue::hooks::Mind::code),
            })
        })
        .collect();
    json!({ "items": items, "next": null })
}

fn list(call: Call) -> Answering {
    Box::pin(async move {
        let all = hookpoints::all(&call.desk, &call.who).await?;
        Ok(
            json!({ "items": all.lines.iter().map(line_json).collect::<Vec<_>>(), "next": null, "left_out": all.left_out }),
        )
    })
}

fn show(call: Call) -> Answering {
    Box::pin(async move { detail(&call, call.param(0)).await })
}

async fn detail(call: &Call, name: &str) -> Result<Value, AdminError> {
    let detail = hookpoints::one(&call.desk, &call.who, name).await?;
    let mut all = line_json(&detail.line);
    all["definition"] = written::json(&detail.line.hookpoint);
    all["text"] = json!(detail.text);
    all["version"] = json!(detail.version);
    Ok(all)
}

/// The definition of the body: as JSON, or as text.
fn definition(call: &Call, name: &str) -> Result<Option<Hookpoint>, AdminError> {
    match (&call.body["definition"], call.optional_text("text")?) {
        (Value::Null, None) => Ok(None),
        (Value::Null, Some(text)) => check::read(name, text).map(Some),
        (definition @ Value::Object(_), None) => check::of_json(name, definition.clone()).map(Some),
        (Value::Object(_), Some(_)) => Err(AdminError::invalid("definition", "give it or `text`, not both")),
        _ => Err(AdminError::invalid("definition", "must be an object")),
    }
}

fn needed(found: Option<Hookpoint>) -> Result<Hookpoint, AdminError> {
    found.ok_or_else(|| AdminError::invalid("definition", "is needed, or `text`"))
}

/// A number of the body that may be missing.
fn number(call: &Call, field: &str) -> Result<Option<u64>, AdminError> {
    match &call.body[field] {
        Value::Null => Ok(None),
        value => value.as_u64().map(Some).ok_or_else(|| AdminError::invalid(field, "must be a whole number")),
    }
}

fn create(call: Call) -> Answering {
    Box::pin(async move {
        let name = check::name(call.text("name")?)?.to_string();
        let hookpoint = needed(definition(&call, &name)?)?;
        change::create(&call.desk, &call.who, hookpoint, call.optional_text("note")?.unwrap_or_default()).await?;
        detail(&call, &name).await
    })
}

fn save(call: Call) -> Answering {
    Box::pin(async move {
        let name = call.param(0);
        hookpoints::one(&call.desk, &call.who, name).await?;
        let hookpoint = needed(definition(&call, name)?)?;
        let (based_on, note) = (number(&call, "based_on")?, call.optional_text("note")?.unwrap_or_default());
        change::save(&call.desk, &call.who, Saving { hookpoint, based_on, note }).await?;
        detail(&call, name).await
    })
}

fn switch(call: Call) -> Answering {
    Box::pin(async move {
        let on =
            call.body["enabled"].as_bool().ok_or_else(|| AdminError::invalid("enabled", "must be true or false"))?;
        change::switch(&call.desk, &call.who, call.param(0), on).await?;
        detail(&call, call.param(0)).await
    })
}

fn versions(call: Call) -> Answering {
    Box::pin(async move {
        let detail = hookpoints::one(&call.desk, &call.who, call.param(0)).await?;
        Ok(json!({ "items": detail.versions.iter().map(version_json).collect::<Vec<_>>(), "next": null }))
    })
}

fn roll_back(call: Call) -> Answering {
    Box::pin(async move {
        let to = number(&call, "version")?.ok_or_else(|| AdminError::invalid("version", "is needed"))?;
        hookpoints::one(&call.desk, &call.who, call.param(0)).await?;
        change::roll_back(&call.desk, &call.who, call.param(0), to, number(&call, "based_on")?).await?;
        // A version that deletes leaves nothing to show.
        match detail(&call, call.param(0)).await {
            Err(AdminError::NotFound(_)) => Ok(json!({ "name": call.param(0), "gone": true })),
            other => other,
        }
    })
}

fn built_in(call: Call) -> Answering {
    Box::pin(async move {
        change::built_in(&call.desk, &call.who, call.param(0), number(&call, "based_on")?).await?;
        match detail(&call, call.param(0)).await {
            Err(AdminError::NotFound(_)) => Ok(json!({ "name": call.param(0), "gone": true })),
            other => other,
        }
    })
}

fn try_it(call: Call) -> Answering {
    Box::pin(async move {
        let name = check::name(call.param(0)).map_err(|_| AdminError::NotFound("hookpoint"))?.to_string();
        let hookpoint = match definition(&call, &name)? {
            Some(hookpoint) => hookpoint,
            None => hookpoints::one(&call.desk, &call.who, &name).await?.line.hookpoint,
        };
        check::whole(&hookpoint, &call.desk.catalogue.load())?;
        Ok(trial_json(&trial::run(&call.desk, &call.who, &hookpoint).await?))
    })
}
