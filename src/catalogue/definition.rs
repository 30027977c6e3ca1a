//! Owns: the TOML shape of a hookpoint, and what is checked before it becomes one.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::CatalogueError;
use super::manifest::LOOKUPS;
use crate::domain::hookpoint::{Audience, Class, Condition, Hookpoint, HookpointId, SubjectKind, Transition, Trigger};
use crate::domain::locale::Locale;
use crate::domain::reason::Reason;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HookpointWire {
    title: BTreeMap<String, String>,
    introduced: String,
    #[serde(default = "yes")]
    enabled: bool,
    class: String,
    audience: String,
    subject: String,
    on: Vec<TriggerWire>,
    #[serde(default)]
    when: Vec<ConditionWire>,
    #[serde(default)]
    still: Vec<ConditionWire>,
    transition: TransitionWire,
    #[serde(default)]
    answers: Option<String>,
    expires_after_min: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerWire {
    hook: String,
    id: Vec<String>,
    #[serde(default)]
    ours: bool,
    #[serde(default)]
    names: Option<String>,
    #[serde(default)]
    former: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    lookups: Vec<String>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    diff: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionWire {
    #[serde(rename = "if")]
    expression: String,
    #[serde(rename = "else")]
    otherwise: String,
    #[serde(default)]
    wait_s: u32,
    #[serde(default)]
    moves: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum TransitionWire {
    Once,
    Request,
    Key(String),
    State { machine: String, to: String },
}

fn yes() -> bool {
    true
}

/// Reads all hookpoints of a text, and reports every mistake.
pub(super) fn read(text: &str) -> Result<Vec<Hookpoint>, CatalogueError> {
    let wires: BTreeMap<String, HookpointWire> =
        toml::from_str(text).map_err(|e| CatalogueError(vec![format!("the catalogue: {e}")]))?;
    let mut mistakes = Vec::new();
    let mut hookpoints = Vec::new();
    for (name, wire) in wires {
        match hookpoint(&name, wire) {
            Ok(hookpoint) => hookpoints.push(hookpoint),
            Err(mistake) => mistakes.push(format!("hookpoint `{name}`: {mistake}")),
        }
    }
    // The order of introduction is the order that people know.
    hookpoints.sort_by(|a, b| (&a.introduced, &a.id).cmp(&(&b.introduced, &b.id)));
    if mistakes.is_empty() { Ok(hookpoints) } else { Err(CatalogueError(mistakes)) }
}

fn hookpoint(name: &str, wire: HookpointWire) -> Result<Hookpoint, String> {
    let subject = known(SubjectKind::parse(&wire.subject), "subject", &wire.subject)?;
    if wire.on.is_empty() {
        return Err("`on` names no hook".to_owned());
    }
    wire.introduced.parse::<jiff::civil::Date>().map_err(|_| "`introduced` is not a date".to_owned())?;
    if wire.expires_after_min == 0 {
        return Err("`expires_after_min` must be at least 1".to_owned());
    }
    let mut title = BTreeMap::new();
    for locale in Locale::ALL {
        let text = wire.title.get(locale.code()).ok_or_else(|| format!("`title.{}` is missing", locale.code()))?;
        title.insert(locale, text.clone());
    }
    Ok(Hookpoint {
        id: HookpointId::parse(name).ok_or("its name must be 1 to 64 of a-z 0-9 _")?,
        title,
        introduced: wire.introduced,
        enabled: wire.enabled,
        class: known(Class::parse(&wire.class), "class", &wire.class)?,
        audience: known(Audience::parse(&wire.audience), "audience", &wire.audience)?,
        subject,
        triggers: wire.on.into_iter().map(|t| trigger(t, subject)).collect::<Result<_, _>>()?,
        conditions: wire.when.into_iter().map(condition).collect::<Result<_, _>>()?,
        still: wire.still.into_iter().map(condition).collect::<Result<_, _>>()?,
        transition: match wire.transition {
            TransitionWire::Once => Transition::Once,
            TransitionWire::Request => Transition::Request,
            TransitionWire::Key(expression) => Transition::Key(expression),
            TransitionWire::State { machine, to } => Transition::State { machine, to },
        },
        answers: match wire.answers {
            None => None,
            Some(name) => Some(HookpointId::parse(&name).ok_or("`answers` names no hookpoint")?),
        },
        expires_after_min: wire.expires_after_min,
    })
}

fn trigger(wire: TriggerWire, subject: SubjectKind) -> Result<Trigger, String> {
    let names = match &wire.names {
        None => subject,
        Some(name) => known(SubjectKind::parse(name), "names", name)?,
    };
    if wire.id.is_empty() {
        return Err(format!("hook `{}`: `id` names no field", wire.hook));
    }
    for lookup in &wire.lookups {
        if !LOOKUPS.contains(&lookup.as_str()) {
            return Err(format!("hook `{}`: the stub knows no lookup `{lookup}`", wire.hook));
        }
    }
    let mut fields = wire.id.clone();
    fields.extend(wire.fields.into_iter().chain(wire.former.iter().cloned()).chain(wire.only.keys().cloned()));
    fields.sort();
    fields.dedup();
    Ok(Trigger {
        hook: wire.hook,
        ours: wire.ours,
        subject_at: wire.id,
        names,
        former_at: wire.former,
        fields,
        lookups: wire.lookups,
        only: wire.only,
        diff: wire.diff,
    })
}

fn condition(wire: ConditionWire) -> Result<Condition, String> {
    let otherwise = known(Reason::parse(&wire.otherwise), "else", &wire.otherwise)?;
    Ok(Condition { expression: wire.expression, otherwise, wait_s: wire.wait_s, moves: wire.moves })
}

fn known<T>(value: Option<T>, key: &str, text: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("`{key}` does not know `{text}`"))
}
