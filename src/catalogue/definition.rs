//! Owns: the TOML shape of a hookpoint, and what is checked before it becomes one.

use std::collections::BTreeMap;

use jiff::civil::Time;
use serde::Deserialize;

use super::manifest::LOOKUPS;
use super::{CatalogueError, secret, steps};
use crate::domain::hookpoint::{
    Audience, Class, Condition, Hookpoint, HookpointId, Quiet, Right, SubjectKind, Transition, Trigger,
};
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
    #[serde(default)]
    users: Option<String>,
    subject: String,
    on: Vec<TriggerWire>,
    #[serde(default)]
    when: Vec<ConditionWire>,
    #[serde(default)]
    still: Vec<ConditionWire>,
    transition: TransitionWire,
    #[serde(default)]
    answers: Option<String>,
    #[serde(default)]
    quiet: Option<QuietWire>,
    expires_after_min: u32,
    #[serde(default)]
    settle_s: u32,
    #[serde(default)]
    mass_max: Option<u32>,
    #[serde(default)]
    client_day_max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietWire {
    from: String,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerWire {
    #[serde(default)]
    hook: String,
    #[serde(default)]
    id: Vec<String>,
    #[serde(default)]
    schedule: Option<ScheduleWire>,
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
pub(super) struct ScheduleWire {
    pub(super) of: String,
    #[serde(default)]
    pub(super) plus: Option<String>,
    pub(super) days: Vec<i16>,
    pub(super) at: String,
    pub(super) late_max_min: u32,
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

/// Hooks of one hookpoint, conditions of one kind, and fields of one hook, at most. The stub takes no more fields.
const TRIGGERS_MAX: usize = 20;
const CONDITIONS_MAX: usize = 20;
const PATHS_MAX: usize = 64;
/// Segments of a path.
const DEPTH_MAX: usize = 4;
/// Characters of a title.
const TITLE_CHARS_MAX: usize = 120;
/// Characters of an expression.
const EXPRESSION_CHARS_MAX: usize = 1000;
/// Longest life of a message, in minutes: 30 days.
pub(super) const EXPIRES_MIN_MAX: usize = 43_200;
/// Longest time to let the platform's rows settle, in seconds.
pub(super) const SETTLE_S_MAX: u32 = 600;
/// Longest wait for the platform's rows, in seconds: an hour.
const WAIT_S_MAX: usize = 3_600;

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

/// One hookpoint out of JSON in the shape of the TOML.
///
/// # Errors
/// What is wrong with it, in words.
pub fn of_json(name: &str, value: serde_json::Value) -> Result<Hookpoint, String> {
    hookpoint(name, serde_json::from_value(value).map_err(|e| e.to_string())?)
}

fn hookpoint(name: &str, wire: HookpointWire) -> Result<Hookpoint, String> {
    let subject = known(SubjectKind::parse(&wire.subject), "subject", &wire.subject)?;
    let class = known(Class::parse(&wire.class), "class", &wire.class)?;
    within("`on`", wire.on.len(), 1, TRIGGERS_MAX)?;
    within("`when`", wire.when.len(), 0, CONDITIONS_MAX)?;
    within("`still`", wire.still.len(), 0, CONDITIONS_MAX)?;
    wire.introduced.parse::<jiff::civil::Date>().map_err(|_| "`introduced` is not a date".to_owned())?;
    within("`expires_after_min`", wire.expires_after_min as usize, 1, EXPIRES_MIN_MAX)?;
    within("`settle_s`", wire.settle_s as usize, 0, SETTLE_S_MAX as usize)?;
    if wire.client_day_max == Some(0) {
        return Err("`client_day_max` must be at least 1".to_owned());
    }
    let mut title = BTreeMap::new();
    for locale in Locale::PAGES {
        let text = wire.title.get(locale.code()).ok_or_else(|| format!("`title.{}` is missing", locale.code()))?;
        let text = text.trim();
        within(&format!("characters of `title.{}`", locale.code()), text.chars().count(), 1, TITLE_CHARS_MAX)?;
        if text.chars().any(|c| c.is_control() || is_direction(c)) {
            return Err(format!("`title.{}` must be one line without direction marks", locale.code()));
        }
        title.insert(locale, text.to_owned());
    }
    let audience = known(Audience::parse(&wire.audience), "audience", &wire.audience)?;
    Ok(Hookpoint {
        id: HookpointId::parse(name).ok_or("its name must be 1 to 64 of a-z 0-9 _")?,
        title,
        introduced: wire.introduced,
        enabled: wire.enabled,
        class,
        audience,
        users: users(wire.users.as_deref(), audience)?,
        subject,
        triggers: wire.on.into_iter().map(|t| trigger(name, t, subject)).collect::<Result<_, _>>()?,
        conditions: wire.when.into_iter().map(condition).collect::<Result<_, _>>()?,
        still: wire.still.into_iter().map(condition).collect::<Result<_, _>>()?,
        transition: match wire.transition {
            TransitionWire::Once => Transition::Once,
            TransitionWire::Request => Transition::Request,
            TransitionWire::Key(expression) => Transition::Key(expression),
            TransitionWire::State { machine, to } => {
                let machine = HookpointId::parse(&machine).ok_or("`machine` must be 1 to 64 of a-z 0-9 _")?;
                Transition::State { machine: machine.to_string(), to }
            }
        },
        answers: match wire.answers {
            None => None,
            Some(name) => Some(HookpointId::parse(&name).ok_or("`answers` names no hookpoint")?),
        },
        expires_after_min: wire.expires_after_min,
        settle_s: wire.settle_s,
        quiet: wire.quiet.map(|quiet| quiet_hours(&quiet, class)).transpose()?,
        mass_max: wire.mass_max,
        client_day_max: wire.client_day_max,
    })
}

fn quiet_hours(wire: &QuietWire, class: Class) -> Result<Quiet, String> {
    let time = |text: &str| clock(text).map_err(|mistake| format!("`quiet`: {mistake}"));
    let quiet = Quiet { from: time(&wire.from)?, to: time(&wire.to)? };
    match class {
        Class::Security => Err("`quiet`: a security alert is never delayed".to_owned()),
        _ if quiet.from == quiet.to => Err("`quiet`: `from` and `to` must differ".to_owned()),
        _ => Ok(quiet),
    }
}

/// A time of the day, as people write it.
pub(super) fn clock(text: &str) -> Result<Time, String> {
    let good = text.len() == 5 && text.as_bytes()[2] == b':';
    good.then(|| text.parse().ok()).flatten().ok_or_else(|| format!("`{text}` is no time like 22:00"))
}

pub(super) fn within(what: &str, n: usize, least: usize, most: usize) -> Result<(), String> {
    if (least..=most).contains(&n) { Ok(()) } else { Err(format!("{what} must be {least} to {most}, not {n}")) }
}

/// What makes the text around it read backwards: no title needs it.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A path that the stub takes, of something that may leave PHP.
fn path(text: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let segments: Vec<&str> = text.split('.').collect();
    let fits = |one: &&str| (1..=64).contains(&one.len()) && one.chars().all(good);
    if segments.len() > DEPTH_MAX || !segments.iter().all(fits) {
        return Err(format!("`{text}` is no path of a field"));
    }
    if secret::refuses(text) { Err(format!("`{text}` may hold a secret: it never leaves PHP")) } else { Ok(()) }
}

/// The right that a login needs: as named, else the one that stands for the audience.
pub(super) fn users(word: Option<&str>, audience: Audience) -> Result<Option<Right>, String> {
    match word {
        None => Ok(audience.right()),
        Some("none") => Ok(None),
        Some(_) if audience == Audience::Owner => Err("`users`: an alert to the owner goes to nobody else".to_owned()),
        Some(word) => known(Right::parse(word), "users", word).map(Some),
    }
}

fn trigger(hookpoint: &str, mut wire: TriggerWire, subject: SubjectKind) -> Result<Trigger, String> {
    if let Some(schedule) = wire.schedule.take() {
        let alone = wire.hook.is_empty() && wire.id.is_empty() && wire.fields.is_empty() && wire.only.is_empty();
        return if alone {
            steps::trigger(hookpoint, schedule, subject)
        } else {
            Err("`schedule`: a trigger by date has no hook, no `id`, no `fields` and no `only`".to_owned())
        };
    }
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
    let starts = wire.hook.starts_with(|c: char| c.is_ascii_alphabetic());
    if wire.hook.len() > 64 || !starts || !wire.hook.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("`{}` is no name of a hook", wire.hook));
    }
    let mut fields = wire.id.clone();
    fields.extend(wire.fields.into_iter().chain(wire.former.iter().cloned()).chain(wire.only.keys().cloned()));
    fields.sort();
    fields.dedup();
    within(&format!("fields of `{}`", wire.hook), fields.len().max(wire.diff.len()), 1, PATHS_MAX)?;
    for one in fields.iter().chain(&wire.diff) {
        path(one).map_err(|mistake| format!("hook `{}`: {mistake}", wire.hook))?;
    }
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
        schedule: None,
    })
}

fn condition(wire: ConditionWire) -> Result<Condition, String> {
    within("characters of a condition", wire.expression.chars().count(), 1, EXPRESSION_CHARS_MAX)?;
    within("`wait_s`", wire.wait_s as usize, 0, WAIT_S_MAX)?;
    let otherwise = known(Reason::parse(&wire.otherwise), "else", &wire.otherwise)?;
    Ok(Condition { expression: wire.expression, otherwise, wait_s: wire.wait_s, moves: wire.moves })
}

pub(super) fn known<T>(value: Option<T>, key: &str, text: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("`{key}` does not know `{text}`"))
}
