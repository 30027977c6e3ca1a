//! Owns: changing hookpoints: switching, saving, making, going back. Each leaves a version and a line in the audit log.

use super::{Detail, Origin, check, names_built_in, one};
use crate::admin::{AdminError, Desk};
use crate::catalogue::written;
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::Hookpoint;
use crate::store::version::{self, Kind, New};

/// Names that are addresses of the page.
const TAKEN: [&str; 3] = ["new", "check", "hooks"];
/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 300;

/// What is to be saved.
#[derive(Clone, Debug)]
pub struct Saving<'a> {
    pub hookpoint: Hookpoint,
    /// The version that it was made from; `None`: whatever is newest.
    pub based_on: Option<u64>,
    pub note: &'a str,
}

/// Switches a hookpoint.
///
/// # Errors
/// The role, no such hookpoint, no texts, the configuration file decides; the database.
pub async fn switch(desk: &Desk, who: &Who, name: &str, on: bool) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    let detail = one(desk, who, name).await?;
    if detail.line.switch_by_config {
        return Err(AdminError::Conflict("hookpoints.by_config_switch".to_owned()));
    }
    if detail.line.hookpoint.enabled == on {
        return Ok(());
    }
    let hookpoint = Hookpoint { enabled: on, ..detail.line.hookpoint };
    has_texts(desk, &hookpoint)?;
    let action = if on { "hookpoint.enable" } else { "hookpoint.disable" };
    let saving = Saving { hookpoint, based_on: Some(detail.version), note: "" };
    put(desk, who, saving, (action, None)).await?;
    Ok(())
}

/// Saves a hookpoint that there is. Returns the version.
///
/// # Errors
/// The role, mistakes, no such hookpoint, somebody else saved meanwhile; the database.
pub async fn save(desk: &Desk, who: &Who, saving: Saving<'_>) -> Result<u64, AdminError> {
    desk.require(who, Role::Administrator)?;
    let name = saving.hookpoint.id.to_string();
    one(desk, who, &name).await?;
    check::whole(&saving.hookpoint, &desk.catalogue.load())?;
    has_texts(desk, &saving.hookpoint)?;
    let note = Some(saving.note.to_owned()).filter(|note| !note.is_empty());
    put(desk, who, saving, ("hookpoint.save", note)).await
}

/// Makes a new hookpoint. It starts switched off, unless it has all its texts.
///
/// # Errors
/// The role, mistakes, a name that is taken; the database.
pub async fn create(desk: &Desk, who: &Who, hookpoint: Hookpoint, note: &str) -> Result<u64, AdminError> {
    desk.require(who, Role::Administrator)?;
    let name = hookpoint.id.to_string();
    let history = version::history(&desk.store, Kind::Hookpoint, &name, 1).await?;
    let is_there = history.first().is_some_and(|newest| newest.content.is_some());
    if is_there || names_built_in()?.contains(&hookpoint.id) || TAKEN.contains(&name.as_str()) {
        return Err(AdminError::invalid("name", "hookpoints.name_taken"));
    }
    check::whole(&hookpoint, &desk.catalogue.load())?;
    has_texts(desk, &hookpoint)?;
    let based_on = Some(history.first().map_or(0, |newest| newest.id));
    let hooks: Vec<&str> = hookpoint.triggers.iter().map(|trigger| trigger.hook.as_str()).collect();
    let hooks = hooks.join(", ");
    put(desk, who, Saving { hookpoint, based_on, note }, ("hookpoint.create", Some(hooks))).await
}

/// Goes back to an older version of it.
///
/// # Errors
/// The role, no such version, it does not fit any more, somebody else saved meanwhile; the database.
pub async fn roll_back(desk: &Desk, who: &Who, name: &str, to: u64, based_on: Option<u64>) -> Result<u64, AdminError> {
    desk.require(who, Role::Administrator)?;
    let versions = version::history(&desk.store, Kind::Hookpoint, name, super::VERSIONS_MAX).await?;
    let old = versions.iter().find(|one| one.id == to).ok_or(AdminError::NotFound("version"))?;
    let Some(text) = &old.content else { return built_in(desk, who, name, based_on).await };
    let hookpoint = check::read(name, text)?;
    check::whole(&hookpoint, &desk.catalogue.load())?;
    has_texts(desk, &hookpoint)?;
    let based_on = based_on.or(versions.first().map(|newest| newest.id));
    let saving = Saving { hookpoint, based_on, note: &format!("= {to}") };
    put(desk, who, saving, ("hookpoint.roll_back", Some(to.to_string()))).await
}

/// Goes back to what is built in; a hookpoint of the company's own is deleted.
///
/// # Errors
/// The role, nothing was changed, the configuration file names it, somebody else saved meanwhile; the database.
pub async fn built_in(desk: &Desk, who: &Who, name: &str, based_on: Option<u64>) -> Result<u64, AdminError> {
    desk.require(who, Role::Administrator)?;
    let Detail { line, version, .. } = one(desk, who, name).await?;
    if line.origin == Origin::BuiltIn {
        return Err(AdminError::Conflict("hookpoints.is_built_in".to_owned()));
    }
    // A file that names a deleted hookpoint would stop the next start.
    if line.origin == Origin::Own && line.by_config {
        return Err(AdminError::Conflict("hookpoints.by_config_remove".to_owned()));
    }
    let others = super::all(desk, who).await?;
    if line.origin == Origin::Own
        && others.lines.iter().any(|other| other.hookpoint.answers.as_ref() == Some(&line.hookpoint.id))
    {
        return Err(AdminError::Conflict("hookpoints.is_answered".to_owned()));
    }
    let new = New { name, content: None, who: &who.name, note: "", live: true, now: desk.now() };
    let action = if line.origin == Origin::Own { "hookpoint.remove" } else { "hookpoint.built_in" };
    let record = |_| desk.record(who, action, (name, None), true);
    let saved = version::save(&desk.store, Kind::Hookpoint, new, based_on.unwrap_or(version), record).await?;
    let id = saved.ok_or_else(|| AdminError::Conflict("hookpoints.somebody_else".to_owned()))?;
    desk.take_over().await;
    Ok(id)
}

/// Saves it with what is on record of it, and takes it over.
async fn put(
    desk: &Desk,
    who: &Who,
    saving: Saving<'_>,
    (action, detail): (&str, Option<String>),
) -> Result<u64, AdminError> {
    if saving.note.chars().count() > NOTE_CHARS_MAX || saving.note.chars().any(char::is_control) {
        return Err(AdminError::invalid("note", "hookpoints.note_bad"));
    }
    let name = saving.hookpoint.id.to_string();
    let based_on = match saving.based_on {
        Some(id) => id,
        None => version::history(&desk.store, Kind::Hookpoint, &name, 1).await?.first().map_or(0, |newest| newest.id),
    };
    let text = written::toml(&saving.hookpoint);
    // What is saved must be what every instance reads.
    let read = check::read(&name, &text)?;
    if written::toml(&read) != text {
        return Err(AdminError::Internal(format!("`{name}` does not read as it was written")));
    }
    let new = New { name: &name, content: Some(&text), who: &who.name, note: saving.note, live: true, now: desk.now() };
    let record = |_| desk.record(who, action, (name.as_str(), detail.clone()), true);
    let saved = version::save(&desk.store, Kind::Hookpoint, new, based_on, record).await?;
    let id = saved.ok_or_else(|| AdminError::Conflict("hookpoints.somebody_else".to_owned()))?;
    desk.take_over().await;
    Ok(id)
}

/// A hookpoint that is on must have a text in every language.
fn has_texts(desk: &Desk, hookpoint: &Hookpoint) -> Result<(), AdminError> {
    if hookpoint.enabled && !check::texts(desk, hookpoint).is_empty() {
        return Err(AdminError::invalid("enabled", "hookpoints.texts_needed"));
    }
    Ok(())
}
