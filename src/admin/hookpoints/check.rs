//! Owns: what is looked at before a hookpoint is saved, and while somebody types it: expressions, names, hooks, texts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::admin::templates::trial::TEST;
use crate::admin::{AdminError, Desk, Mistake};
use crate::catalogue::{Catalogue, context, definition, hooks, names};
use crate::domain::event::{Actor, FieldValue, HookEvent};
use crate::domain::hookpoint::{Condition, Hookpoint, HookpointId, SubjectKind, Transition, Trigger};
use crate::domain::ids::EventId;
use crate::domain::locale::Locale;
use crate::domain::schedule::{Anchor, DATE_REACHED};
use crate::expression::aside;
use crate::render::sample;
pub use names::Wrong;

/// Largest text of a definition, in bytes.
pub const TEXT_BYTES_MAX: usize = 65_536;

/// Where an expression stands: in `still` there is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    When,
    Still,
}

/// What an expression is checked against.
#[derive(Clone, Debug)]
pub struct Scene {
    subject: SubjectKind,
    moves: bool,
    event: HookEvent,
}

impl Scene {
    /// A sample of what `triggers` send about a `subject`.
    #[must_use]
    pub fn of(subject: SubjectKind, triggers: &[Trigger]) -> Self {
        let fields = triggers.iter().flat_map(|trigger| trigger.fields.clone());
        Self::with(subject, fields, triggers.iter().any(|trigger| !trigger.former_at.is_empty()))
    }

    /// The same of a form that is not complete yet. `moves`: something changes its owner.
    #[must_use]
    pub fn with(subject: SubjectKind, fields: impl Iterator<Item = String>, moves: bool) -> Self {
        let mut fields: BTreeMap<String, FieldValue> =
            fields.map(|path| (path, FieldValue::Text("1".to_owned()))).collect();
        let anchor = Anchor::ALL.iter().find(|anchor| anchor.subject() == subject);
        let by_date =
            anchor.filter(|_| ["day", "days", "hookpoint", "of"].iter().all(|name| fields.contains_key(*name)));
        if let Some(anchor) = by_date {
            fields.insert("of".to_owned(), FieldValue::Text(anchor.code().to_owned()));
            fields.insert("day".to_owned(), FieldValue::Text("2026-12-07".to_owned()));
            fields.insert("days".to_owned(), FieldValue::Int(-7));
        }
        let gone = [("domain", "example.com"), ("userid", "1"), ("payment_id", "1")];
        Self {
            subject,
            moves,
            event: HookEvent {
                id: EventId::parse("evt_sample").expect("a constant"),
                source: "sample".to_owned(),
                hook: if by_date.is_some() { DATE_REACHED } else { "InvoiceCreated" }.to_owned(),
                occurred_at: Timestamp::UNIX_EPOCH,
                request: Some("r1".to_owned()),
                actor: Actor::default(),
                fields,
                changed: vec!["phonenumber".to_owned()],
                gone: gone.map(|(name, value)| (name.to_owned(), FieldValue::Text(value.to_owned()))).into(),
                otherwise_at: None,
                day: Some(jiff::civil::date(2026, 11, 30)),
            },
        }
    }

    /// The names that an expression may use, each with an example.
    #[must_use]
    pub fn names(&self, place: Place) -> BTreeMap<String, String> {
        let mut facts = sample::facts(self.subject);
        if !self.moves {
            facts.moved = None;
        }
        match place {
            Place::When => names::of(&context::of_event(&self.event, &facts)),
            Place::Still => names::of(&context::of_facts(&facts)),
        }
    }

    /// Checks one expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, place: Place, text: &str) -> Result<(), Wrong> {
        let mut facts = sample::facts(self.subject);
        if !self.moves {
            facts.moved = None;
        }
        aside(|| match place {
            Place::When => names::check(text, &context::of_event(&self.event, &facts)),
            Place::Still => names::check(text, &context::of_facts(&facts)),
        })
    }
}

/// Every expression of `hookpoint` that does not fit, by the field of the form that it stands in.
#[must_use]
pub fn expressions(hookpoint: &Hookpoint) -> Vec<(String, Wrong)> {
    let scene = Scene::of(hookpoint.subject, &hookpoint.triggers);
    let listed = |place, name: &'static str, conditions: &[Condition]| -> Vec<(String, Wrong)> {
        let one = |(n, condition): (usize, &Condition)| {
            Some((format!("{name}{n}_if"), scene.check(place, &condition.expression).err()?))
        };
        conditions.iter().enumerate().filter_map(one).collect()
    };
    let mut wrong = listed(Place::When, "when", &hookpoint.conditions);
    wrong.extend(listed(Place::Still, "still", &hookpoint.still));
    if let Transition::Key(text) | Transition::State { to: text, .. } = &hookpoint.transition
        && let Err(error) = scene.check(Place::When, text)
    {
        wrong.push(("transition_value".to_owned(), error));
    }
    wrong
}

/// Hooks of `hookpoint` that no alert can be made of, with the code of why.
#[must_use]
pub fn unfit_hooks(hookpoint: &Hookpoint) -> Vec<(String, &'static str)> {
    let of = |trigger: &Trigger| Some((trigger.hook.clone(), hooks::named(&trigger.hook)?.unfit?.code()));
    hookpoint.triggers.iter().filter_map(of).collect()
}

/// Everything that speaks against saving.
///
/// # Errors
/// All mistakes, in plain words.
pub fn whole(hookpoint: &Hookpoint, catalogue: &Catalogue) -> Result<(), AdminError> {
    let mut mistakes: Vec<Mistake> = expressions(hookpoint)
        .into_iter()
        .map(|(field, wrong)| match wrong {
            Wrong::Text(text) => Mistake::new(&field, text),
            Wrong::Name(name) => Mistake::new(&field, format!("there is no `{name}` here")),
        })
        .collect();
    if hookpoint.id.as_str() == TEST {
        mistakes.push(Mistake::new("name", "hookpoints.name_reserved"));
    }
    for (hook, why) in unfit_hooks(hookpoint) {
        mistakes.push(Mistake::new("on", format!("`{hook}` cannot be used: {why}")));
    }
    if let Some(answers) = &hookpoint.answers
        && (*answers == hookpoint.id || catalogue.entry(answers).is_none())
    {
        mistakes.push(Mistake::new("answers", format!("there is no other hookpoint `{answers}`")));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(AdminError::Invalid(mistakes)) }
}

/// Languages whose text cannot be written for the hookpoint: there is none, or it names what its subject has not.
#[must_use]
pub fn texts(desk: &Desk, hookpoint: &Hookpoint) -> Vec<Locale> {
    let templates = desk.templates.load();
    let platform = sample::platform();
    let fits = |locale: Locale| {
        let values = sample::values(hookpoint.subject, locale, &platform);
        templates.render(&hookpoint.id, locale, &values, &platform.system_url).is_ok()
    };
    Locale::ALL.into_iter().filter(|locale| !fits(*locale)).collect()
}

/// Reads the text of one hookpoint.
///
/// # Errors
/// It is none, or one of another name, or too long.
pub fn read(name: &str, text: &str) -> Result<Hookpoint, AdminError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(AdminError::invalid("text", format!("must be at most {TEXT_BYTES_MAX} bytes")));
    }
    let catalogue =
        Catalogue::read(text, &BTreeMap::new()).map_err(|error| AdminError::invalid("text", error.to_string()))?;
    let mut all = catalogue.entries().map(|entry| entry.hookpoint.clone());
    match (all.next(), all.next()) {
        (Some(one), None) if one.id.as_str() == name => Ok(one),
        _ => Err(AdminError::invalid("text", format!("must hold the section [{name}] and no other"))),
    }
}

/// Reads a definition as JSON.
///
/// # Errors
/// What is wrong with it.
pub fn of_json(name: &str, definition: serde_json::Value) -> Result<Hookpoint, AdminError> {
    definition::of_json(name, definition).map_err(|error| AdminError::invalid("definition", error))
}

/// The name of a new hookpoint.
///
/// # Errors
/// It is none.
pub fn name(text: &str) -> Result<HookpointId, AdminError> {
    HookpointId::parse(text).ok_or_else(|| AdminError::invalid("name", "hookpoints.name_bad"))
}
