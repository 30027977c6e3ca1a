//! Owns: what a hookpoint would have made of the last days' events. With the facts as they are now; nothing is sent or kept.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::admin::{AdminError, Desk};
use crate::billing::Missing;
use crate::catalogue::{Catalogue, Entry, Verdict};
use crate::domain::admin::{Role, Who};
use crate::domain::event::HookEvent;
use crate::domain::hookpoint::{Class, Hookpoint};
use crate::domain::ids::EventId;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::domain::record::Facts;
use crate::envelope;
use crate::process::plan::{Outcome, ask, reason_of};
use crate::rules::recipients::{Circle, Policy, recipients};
use crate::store::consent;
use crate::store::recent_activity::{self, Recent};

/// Events tried at most.
pub const EVENTS_MAX: usize = 200;
/// How far back, in days.
pub const DAYS: i64 = 7;

/// What would have come of one event.
#[derive(Clone, Debug)]
pub struct Tried {
    pub event: EventId,
    pub hook: String,
    pub at: Timestamp,
    /// Messages that would have been sent.
    pub messages: usize,
    /// Why nobody, or not everybody, with more words.
    pub reasons: Vec<(Reason, Option<String>)>,
}

/// What would have come of all.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    pub tried: Vec<Tried>,
    /// There were more events than are tried.
    pub more: bool,
}

impl Trial {
    /// Events that would have led to a message.
    #[must_use]
    pub fn fired(&self) -> usize {
        self.tried.iter().filter(|one| one.messages > 0).count()
    }

    /// Events that would not.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.tried.len() - self.fired()
    }

    #[must_use]
    pub fn messages(&self) -> usize {
        self.tried.iter().map(|one| one.messages).sum()
    }

    /// Each reason, and how often.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<Reason, usize> {
        let mut counts = BTreeMap::new();
        for (reason, _) in self.tried.iter().flat_map(|one| &one.reasons) {
            *counts.entry(*reason).or_default() += 1;
        }
        counts
    }
}

/// Tries `hookpoint` against the newest events of its hooks.
///
/// # Errors
/// The role, an expression that does not compile; a database.
pub async fn run(desk: &Desk, who: &Who, hookpoint: &Hookpoint) -> Result<Trial, AdminError> {
    desk.require(who, Role::Viewer)?;
    let now = desk.now();
    let on = Hookpoint { enabled: true, ..hookpoint.clone() };
    let catalogue = Catalogue::only(on).map_err(|error| AdminError::invalid("definition", error.to_string()))?;
    let hooks: Vec<&str> = hookpoint.triggers.iter().map(|trigger| trigger.hook.as_str()).collect();
    let since = now - SignedDuration::from_hours(24 * DAYS);
    let mut events = recent_activity::of_hooks(&desk.store, &hooks, since, EVENTS_MAX + 1).await?;
    let more = events.len() > EVENTS_MAX;
    events.truncate(EVENTS_MAX);
    let mut tried = decided(desk, &catalogue, &events, now).await?;
    tried.retain(|one| one.messages > 0 || !one.reasons.is_empty());
    Ok(Trial { tried, more })
}

async fn decided(
    desk: &Desk,
    catalogue: &Catalogue,
    events: &[Recent],
    now: Timestamp,
) -> Result<Vec<Tried>, AdminError> {
    let platform = desk.billing.platform(now).await?;
    let policy = Policy::of(&desk.config).at(&platform);
    let parse = |one: &Recent| {
        let mut event = envelope::parse(&one.id, &one.source, one.body.as_bytes()).ok()?;
        event.day = Some(event.occurred_at.to_zoned(desk.zone()).date());
        Some(event)
    };
    let parsed: Vec<Option<HookEvent>> = events.iter().map(parse).collect();
    let (mut tried, mut asked) = (Vec::new(), Vec::new());
    for (index, (recent, event)) in events.iter().zip(&parsed).enumerate() {
        let mut outcome = Outcome::default();
        if let Some(event) = event {
            // Whatever their age by now: it is what would have been when they came.
            let all = ask(catalogue, event, SignedDuration::from_hours(24 * 365), recent.received_at, &mut outcome);
            asked.extend(all.into_iter().map(|one| (index, one)));
        }
        tried.push(Tried {
            event: recent.id.clone(),
            hook: event.as_ref().map(|event| event.hook.clone()).unwrap_or_default(),
            at: recent.received_at,
            messages: 0,
            reasons: outcome.skips.into_iter().map(|skip| (skip.reason, skip.detail)).collect(),
        });
    }
    let wants: Vec<_> = asked.iter().map(|(_, one)| one.want.clone()).collect();
    let facts = desk.billing.gather(&wants, now).await?;
    let mut told: Vec<(usize, E164)> = Vec::new();
    for ((index, one), found) in asked.iter().zip(facts) {
        let Some(event) = &parsed[*index] else { continue };
        let to = would_tell(one.entry, event, found, &policy, &mut tried[*index].reasons);
        told.extend(to.into_iter().map(|to| (*index, to)));
    }
    let everybody: Vec<E164> = told.iter().map(|(_, to)| to.clone()).collect();
    let book = consent::of_numbers(&desk.store, &everybody).await?;
    let class = asked.first().map_or(Class::Notice, |(_, one)| one.entry.hookpoint.class);
    for (index, to) in told {
        if book.number_refuses(&to, class) {
            tried[index].reasons.push((Reason::OptedOut, None));
        } else {
            tried[index].messages += 1;
        }
    }
    Ok(tried)
}

fn would_tell(
    entry: &Entry,
    event: &HookEvent,
    found: Result<Vec<Facts>, Missing>,
    policy: &Policy,
    reasons: &mut Vec<(Reason, Option<String>)>,
) -> Vec<E164> {
    let mut to = Vec::new();
    match found {
        Err(missing) => reasons.push((reason_of(&missing), Some(missing.to_string()))),
        Ok(all) => {
            for facts in all {
                match entry.applies(event, &facts) {
                    Verdict::NotYet { reason, .. } => reasons.push((reason, None)),
                    Verdict::No { reason, detail, .. } => reasons.push((reason, detail)),
                    Verdict::Holds => {
                        let circle = Circle { audience: entry.hookpoint.audience, users: entry.hookpoint.users };
                        let (told, left_out) = recipients(&facts, circle, policy);
                        to.extend(told.into_iter().map(|one| one.to));
                        reasons.extend(left_out.into_iter().map(|one| (one.reason, None)));
                    }
                }
            }
        }
    }
    to
}
