//! Owns: the hookpoints. Built-in ones are a file of data; a new one is a section there and texts, no code.
//! Must not know: SQL, the network, the words of a message.

pub mod context;
pub mod definition;
pub mod hooks;
pub mod manifest;
pub mod names;
pub mod secret;
mod steps;
pub mod written;

use std::collections::BTreeMap;

use crate::config::section::HookpointConfig;
use crate::domain::event::HookEvent;
use crate::domain::hookpoint::{Condition, Hookpoint, HookpointId, SubjectKind, Transition, Trigger};
use crate::domain::reason::Reason;
use crate::domain::record::Facts;
use crate::expression::Expression;

/// The hookpoints that every installation has.
pub const BUILT_IN: &str = include_str!("catalogue.toml");

/// All hookpoints, compiled.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// A hookpoint with its expressions compiled.
#[derive(Debug)]
pub struct Entry {
    pub hookpoint: Hookpoint,
    conditions: Vec<(Expression, Condition)>,
    still: Vec<(Expression, Condition)>,
    key: Option<Expression>,
}

/// Why a catalogue is refused: one sentence per mistake.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct CatalogueError(pub Vec<String>);

/// What the conditions say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    /// Not true (yet): look again until so many seconds after the event.
    NotYet {
        reason: Reason,
        wait_s: u32,
        moves: bool,
    },
    /// Not true. `moves`: the subject entered its new state all the same.
    No {
        reason: Reason,
        detail: Option<String>,
        moves: bool,
    },
}

impl Catalogue {
    /// The built-in hookpoints with the configuration's changes.
    ///
    /// # Errors
    /// All mistakes in the file, and names in the configuration that no hookpoint has.
    pub fn built_in(changes: &BTreeMap<String, HookpointConfig>) -> Result<Self, CatalogueError> {
        Self::read(BUILT_IN, changes)
    }

    /// Hookpoints out of a TOML text.
    ///
    /// # Errors
    /// As [`Catalogue::built_in`].
    pub fn read(text: &str, changes: &BTreeMap<String, HookpointConfig>) -> Result<Self, CatalogueError> {
        Self::of(definition::read(text)?, changes)
    }

    /// The built-in hookpoints with what administrators saved: a text that holds one hookpoint replaces the built-in one of
    /// its name, or adds a new one. The second half of the answer says which texts are left out, and why: one that does not
    /// fit this version must not stop all others.
    ///
    /// # Errors
    /// As [`Catalogue::built_in`].
    pub fn with_saved<'a>(
        saved: impl IntoIterator<Item = (&'a str, &'a str)>,
        changes: &BTreeMap<String, HookpointConfig>,
    ) -> Result<(Self, Vec<String>), CatalogueError> {
        let mut hookpoints = definition::read(BUILT_IN)?;
        let mut left_out = Vec::new();
        for (name, text) in saved {
            match Self::read(text, &BTreeMap::new()) {
                Ok(one) if one.entries.len() == 1 && one.entries[0].hookpoint.id.as_str() == name => {
                    hookpoints.retain(|hookpoint| hookpoint.id.as_str() != name);
                    hookpoints.extend(one.entries.into_iter().map(|entry| entry.hookpoint));
                }
                Ok(_) => left_out.push(format!("`{name}`: the text must hold the section [{name}] and no other")),
                Err(error) => left_out.push(format!("`{name}`: {error}")),
            }
        }
        hookpoints.sort_by(|a, b| (&a.introduced, &a.id).cmp(&(&b.introduced, &b.id)));
        Ok((Self::of(hookpoints, changes)?, left_out))
    }

    /// One hookpoint alone.
    ///
    /// # Errors
    /// An expression that does not compile.
    pub fn only(hookpoint: Hookpoint) -> Result<Self, CatalogueError> {
        Self::of(vec![hookpoint], &BTreeMap::new())
    }

    fn of(mut hookpoints: Vec<Hookpoint>, changes: &BTreeMap<String, HookpointConfig>) -> Result<Self, CatalogueError> {
        let mut mistakes = Vec::new();
        for (name, change) in changes {
            match hookpoints.iter_mut().find(|h| h.id.as_str() == name) {
                None => mistakes.push(format!("`hookpoints.{name}`: there is no such hookpoint")),
                Some(hookpoint) => {
                    hookpoint.enabled = change.enabled.unwrap_or(hookpoint.enabled);
                    if let Some(word) = &change.users {
                        match definition::users(Some(word), hookpoint.audience) {
                            Ok(users) => hookpoint.users = users,
                            Err(mistake) => mistakes.push(format!("`hookpoints.{name}`: {mistake}")),
                        }
                    }
                    match change.settle_s {
                        Some(seconds) if seconds > definition::SETTLE_S_MAX => mistakes.push(format!(
                            "`hookpoints.{name}.settle_s` must be 0 to {}, not {seconds}",
                            definition::SETTLE_S_MAX
                        )),
                        given => hookpoint.settle_s = given.unwrap_or(hookpoint.settle_s),
                    }
                    if let Some(minutes) = change.expires_after_min {
                        if !(1..=definition::EXPIRES_MIN_MAX).contains(&(minutes as usize)) {
                            let most = definition::EXPIRES_MIN_MAX;
                            mistakes.push(format!("`hookpoints.{name}.expires_after_min` must be 1 to {most}"));
                        }
                        hookpoint.expires_after_min = minutes;
                    }
                }
            }
        }
        let mut entries = Vec::new();
        for hookpoint in hookpoints {
            match Entry::compile(hookpoint) {
                Ok(entry) => entries.push(entry),
                Err(mut more) => mistakes.append(&mut more),
            }
        }
        if mistakes.is_empty() { Ok(Self { entries }) } else { Err(CatalogueError(mistakes)) }
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    #[must_use]
    pub fn entry(&self, id: &HookpointId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.hookpoint.id == *id)
    }

    /// The hookpoints that a platform hook fires, each with the trigger that says so.
    pub fn fired_by<'a>(&'a self, hook: &'a str) -> impl Iterator<Item = (&'a Entry, &'a Trigger)> {
        self.entries.iter().flat_map(move |entry| {
            entry.hookpoint.triggers.iter().filter(move |t| t.hook == hook).map(move |trigger| (entry, trigger))
        })
    }
}

impl Entry {
    fn compile(hookpoint: Hookpoint) -> Result<Self, Vec<String>> {
        let mut mistakes = Vec::new();
        let mut compile = |what: &str, text: &str| match Expression::compile(text) {
            Ok(expression) => Some(expression),
            Err(error) => {
                mistakes.push(format!("hookpoint `{}`, {what} `{text}`: {error}", hookpoint.id));
                None
            }
        };
        let mut all = |what: &str, conditions: &[Condition]| -> Vec<(Expression, Condition)> {
            conditions.iter().filter_map(|c| compile(what, &c.expression).map(|e| (e, c.clone()))).collect()
        };
        let conditions = all("condition", &hookpoint.conditions);
        let still = all("condition before sending", &hookpoint.still);
        let key = match &hookpoint.transition {
            Transition::Once | Transition::Request => None,
            Transition::Key(text) | Transition::State { to: text, .. } => compile("transition", text),
        };
        if mistakes.is_empty() { Ok(Self { hookpoint, conditions, still, key }) } else { Err(mistakes) }
    }

    /// Whether the event is to be alerted.
    #[must_use]
    pub fn applies(&self, event: &HookEvent, facts: &Facts) -> Verdict {
        verdict(&self.conditions, &context::of_event(event, facts))
    }

    /// Whether the facts, read again before sending, still allow it.
    #[must_use]
    pub fn still_true(&self, facts: &Facts) -> Verdict {
        verdict(&self.still, &context::of_facts(facts))
    }

    #[must_use]
    pub fn is_rechecked(&self) -> bool {
        !self.still.is_empty()
    }

    /// The value of the transition's expression.
    ///
    /// # Errors
    /// The expression could not be evaluated: in words.
    pub fn transition_value(&self, event: &HookEvent, facts: &Facts) -> Result<String, String> {
        match &self.key {
            None => Ok(String::new()),
            Some(expression) => expression.text(&context::of_event(event, facts)),
        }
    }

    /// The state that the event enters, where the event alone says it.
    #[must_use]
    pub fn state_entered(&self, event: &HookEvent) -> Option<(&str, String)> {
        let Transition::State { machine, .. } = &self.hookpoint.transition else { return None };
        let state = self.key.as_ref()?.text(&context::of_hook(event)).ok()?;
        Some((machine, state))
    }

    /// The subject that transitions and messages are about: a login's alert is about its account.
    #[must_use]
    pub fn subject_kind(&self) -> SubjectKind {
        self.hookpoint.subject
    }
}

fn verdict(conditions: &[(Expression, Condition)], context: &minijinja::Value) -> Verdict {
    for (expression, condition) in conditions {
        match expression.holds(context) {
            Ok(true) => {}
            Ok(false) if condition.wait_s > 0 => {
                let (reason, moves) = (condition.otherwise, condition.moves);
                return Verdict::NotYet { reason, wait_s: condition.wait_s, moves };
            }
            Ok(false) => {
                return Verdict::No { reason: condition.otherwise, detail: None, moves: condition.moves };
            }
            Err(error) => {
                return Verdict::No { reason: Reason::ConditionFailed, detail: Some(error), moves: false };
            }
        }
    }
    Verdict::Holds
}
