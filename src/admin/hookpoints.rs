//! Owns: hookpoints as administrators see them: what is in force, where it comes from, how much it alerts.

pub mod change;
pub mod check;
pub mod trial;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::{AdminError, Desk};
use crate::catalogue::{Catalogue, written};
use crate::domain::admin::{Role, Who};
use crate::domain::closed_list::closed_list;
use crate::domain::hookpoint::{Hookpoint, HookpointId};
use crate::domain::locale::Locale;
use crate::store::recent_activity;
use crate::store::version::{self, Kind, Version};
/// Versions that are shown.
pub const VERSIONS_MAX: usize = 100;

closed_list! {
    /// Where a hookpoint comes from.
    Origin {
        /// As this version of hookbridge has it.
        BuiltIn = "built_in",
        /// Built in, and changed here.
        Changed = "changed",
        /// The company's own.
        Own = "own",
        /// Changed, but what was saved does not fit this version: the built-in one is in force.
        Unfit = "unfit",
    }
}

/// A hookpoint and how it stands.
#[derive(Clone, Debug)]
pub struct Line {
    /// Without what the configuration file says.
    pub hookpoint: Hookpoint,
    pub origin: Origin,
    /// With it.
    pub enabled: bool,
    pub expires_after_min: u32,
    /// The configuration file says something about it.
    pub by_config: bool,
    /// The configuration file decides whether it is on.
    pub switch_by_config: bool,
    /// Alerts queued in the last 24 hours and 7 days.
    pub day: u64,
    pub week: u64,
    /// Languages without a text.
    pub without_text: Vec<Locale>,
}

/// Everything about one.
#[derive(Clone, Debug)]
pub struct Detail {
    pub line: Line,
    /// The definition as text.
    pub text: String,
    /// The newest version; 0: none was ever saved.
    pub version: u64,
    /// Newest first.
    pub versions: Vec<Version>,
}

/// All hookpoints, and what was saved but cannot be in force.
#[derive(Clone, Debug)]
pub struct All {
    pub lines: Vec<Line>,
    pub left_out: Vec<String>,
}

/// All hookpoints, in the order of their introduction.
///
/// # Errors
/// The role; the database.
pub async fn all(desk: &Desk, who: &Who) -> Result<All, AdminError> {
    desk.require(who, Role::Viewer)?;
    let saved = version::newest(&desk.store, Kind::Hookpoint).await?;
    let (catalogue, left_out) = merged(&saved)?;
    let now = desk.now();
    let names: Vec<&str> = catalogue.entries().map(|entry| entry.hookpoint.id.as_str()).collect();
    let day = now - SignedDuration::from_hours(24);
    let volumes = recent_activity::volumes(&desk.store, &names, day, now - SignedDuration::from_hours(7 * 24)).await?;
    let built_in = names_built_in()?;
    let contents: BTreeMap<&str, &str> =
        saved.iter().filter_map(|one| Some((one.name.as_str(), one.content.as_deref()?))).collect();
    let lines = catalogue.entries().map(|entry| line(desk, &entry.hookpoint, &built_in, &contents, &volumes));
    Ok(All { lines: lines.collect(), left_out })
}

/// One hookpoint.
///
/// # Errors
/// The role, no such hookpoint; the database.
pub async fn one(desk: &Desk, who: &Who, name: &str) -> Result<Detail, AdminError> {
    let id = HookpointId::parse(name).ok_or(AdminError::NotFound("hookpoint"))?;
    let all = all(desk, who).await?;
    let line = all.lines.into_iter().find(|line| line.hookpoint.id == id).ok_or(AdminError::NotFound("hookpoint"))?;
    let versions = version::history(&desk.store, Kind::Hookpoint, name, VERSIONS_MAX).await?;
    let text = written::toml(&line.hookpoint);
    Ok(Detail { line, text, version: versions.first().map_or(0, |newest| newest.id), versions })
}

fn merged(saved: &[Version]) -> Result<(Catalogue, Vec<String>), AdminError> {
    let contents = saved.iter().filter_map(|one| Some((one.name.as_str(), one.content.as_deref()?)));
    Catalogue::with_saved(contents, &BTreeMap::new()).map_err(|error| AdminError::Internal(error.to_string()))
}

/// The names that are built in.
fn names_built_in() -> Result<BTreeSet<HookpointId>, AdminError> {
    let built_in = Catalogue::built_in(&BTreeMap::new()).map_err(|error| AdminError::Internal(error.to_string()))?;
    Ok(built_in.entries().map(|entry| entry.hookpoint.id.clone()).collect())
}

fn line(
    desk: &Desk,
    hookpoint: &Hookpoint,
    built_in: &BTreeSet<HookpointId>,
    contents: &BTreeMap<&str, &str>,
    volumes: &BTreeMap<String, (u64, u64)>,
) -> Line {
    let name = hookpoint.id.as_str();
    let config = desk.config.hookpoints.get(name);
    let origin = match (contents.get(name), built_in.contains(&hookpoint.id)) {
        (None, _) => Origin::BuiltIn,
        (Some(_), false) => Origin::Own,
        (Some(text), true) if Catalogue::read(text, &BTreeMap::new()).is_err() => Origin::Unfit,
        (Some(_), true) => Origin::Changed,
    };
    let (day, week) = volumes.get(name).copied().unwrap_or_default();
    Line {
        origin,
        enabled: config.and_then(|config| config.enabled).unwrap_or(hookpoint.enabled),
        expires_after_min: config.and_then(|config| config.expires_after_min).unwrap_or(hookpoint.expires_after_min),
        by_config: config.is_some(),
        switch_by_config: config.is_some_and(|config| config.enabled.is_some()),
        day,
        week,
        without_text: without_text(desk, &hookpoint.id),
        hookpoint: hookpoint.clone(),
    }
}

/// The languages in which an alert has no text.
#[must_use]
pub fn without_text(desk: &Desk, id: &HookpointId) -> Vec<Locale> {
    let templates = desk.templates.load();
    Locale::ALL.into_iter().filter(|locale| templates.get(id, *locale).is_none()).collect()
}

/// The text of a built-in hookpoint.
#[must_use]
pub fn built_in_text(name: &str) -> Option<String> {
    let all = Catalogue::built_in(&BTreeMap::new()).ok()?;
    all.entry(&HookpointId::parse(name)?).map(|entry| written::toml(&entry.hookpoint))
}
