//! Owns: what one event asks for, and what its facts make of it. No IO: the worker reads and writes in batches around it.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::{missed, ownership_changes};
use crate::billing::{Missing, Want};
use crate::catalogue::{Catalogue, Entry, Verdict};
use crate::domain::event::{HookEvent, SCHEDULE};
use crate::domain::hookpoint::{Audience, HookpointId, Subject, SubjectKind, Transition};
use crate::domain::ids::{ClientId, MessageId};
use crate::domain::message::Message;
use crate::domain::missed::HOOK;
use crate::domain::money::NoCurrency;
use crate::domain::reason::Reason;
use crate::domain::record::{Facts, Platform, SubjectRow, UnreadablePerson};
use crate::domain::schedule::Zones;
use crate::domain::time::later;
use crate::render::context::{About, build};
use crate::render::{RenderError, Templates, digest};
use crate::rules::quiet::quiet_until;
use crate::rules::recipients::{Circle, Policy, Recipient, out_of_reach, recipients};
use crate::store::finish::{Alert, Once, Skip, login};

/// What one hookpoint wants to know about an event.
#[derive(Debug)]
pub struct HookpointMatch<'a> {
    pub entry: &'a Entry,
    pub want: Want,
    /// Another event of the batch tells of this one as well.
    pub told_with: bool,
}

/// Everything that deciding needs besides the event and its facts.
#[derive(Debug)]
pub struct DecisionContext<'a> {
    pub policy: Policy,
    pub platform: &'a Platform,
    pub templates: &'a Templates,
    pub zone: &'a jiff::tz::TimeZone,
    /// The clocks of clients.
    pub zones: &'a Zones,
    pub lane: &'a str,
    pub now: Timestamp,
}

/// What came of one event so far.
#[derive(Debug, Default)]
pub struct Outcome {
    pub alerts: Vec<Alert>,
    pub skips: Vec<Skip>,
    pub steps: Vec<serde_json::Value>,
    pub failed: bool,
    /// Look again at this time instead of deciding now.
    pub defer: Option<Timestamp>,
}

impl Outcome {
    pub fn step(&mut self, step: &str, detail: &serde_json::Value) {
        self.steps.push(json!({ "step": step, "detail": detail }));
    }

    pub fn skip(
        &mut self,
        hookpoint: Option<&HookpointId>,
        client: Option<ClientId>,
        reason: Reason,
        detail: Option<String>,
    ) {
        self.skips.push(Skip { hookpoint: hookpoint.cloned(), client_id: client, contact_id: None, reason, detail });
    }
}

/// Which hookpoints an event fires, and what each needs to know. Reasons go into `outcome`.
pub fn ask<'a>(
    catalogue: &'a Catalogue,
    event: &'a HookEvent,
    age_max: SignedDuration,
    now: Timestamp,
    outcome: &mut Outcome,
) -> Vec<HookpointMatch<'a>> {
    let mut asked = Vec::new();
    let mut used = false;
    // Only the bridge's own clock says that a date has come.
    let by_clock = event.source == SCHEDULE;
    let fired = catalogue.fired_by(&event.hook).filter(|(_, trigger)| trigger.takes(event));
    for (entry, trigger) in fired.filter(|(_, trigger)| trigger.schedule.is_none() || by_clock) {
        used = true;
        let id = &entry.hookpoint.id;
        if !entry.hookpoint.enabled {
            outcome.skip(Some(id), None, Reason::HookpointOff, None);
        } else if trigger
            .schedule
            .as_ref()
            .is_some_and(|steps| now.duration_since(event.occurred_at) > steps.late_max())
        {
            outcome.skip(Some(id), None, Reason::StepLate, None);
        } else if now.duration_since(event.occurred_at) > age_max {
            outcome.skip(Some(id), None, Reason::EventTooOld, None);
        } else if let Some(row) = event.id_at(&trigger.subject_at) {
            asked.push(HookpointMatch { entry, want: Want::of_event(event, trigger, row), told_with: false });
        } else {
            // The platform changed the hook's shape: nobody must overlook that.
            outcome.failed = true;
            let paths = trigger.subject_at.join(", ");
            outcome.skip(Some(id), None, Reason::FieldMissing, Some(format!("none of the fields {paths} holds an id")));
        }
    }
    if event.hook == HOOK {
        missed::note(event, outcome);
    } else if !used {
        outcome.skip(None, None, Reason::HookNotUsed, None);
    }
    asked
}

/// Decides about one hookpoint with the facts that were found.
pub fn decide(
    desk: &DecisionContext<'_>,
    event: &HookEvent,
    asked: &HookpointMatch<'_>,
    facts: &Result<Vec<Facts>, Missing>,
    outcome: &mut Outcome,
) {
    let id = &asked.entry.hookpoint.id;
    match facts {
        Err(missing) => {
            let reason = reason_of(missing);
            outcome.failed |= reason == Reason::SubjectUnreadable;
            outcome.step("facts", &json!({ "hookpoint": id.as_str(), "missing": missing.to_string() }));
            outcome.skip(Some(id), None, reason, Some(missing.to_string()));
        }
        Ok(_) if asked.told_with => outcome.skip(Some(id), None, Reason::ToldTogether, None),
        Ok(all) => {
            if let Some(former) = ownership_changes::missing_former(asked, all) {
                outcome.skip(Some(id), Some(former), Reason::FormerOwnerGone, None);
            }
            for facts in all {
                one_client(desk, event, asked, facts, outcome);
            }
        }
    }
}

/// The code of why there are no facts.
#[must_use]
pub fn reason_of(missing: &Missing) -> Reason {
    match missing {
        Missing::Row(_) => Reason::SubjectMissing,
        Missing::Prospect => Reason::Prospect,
        Missing::Guest => Reason::TicketGuest,
        Missing::UserWithoutClient => Reason::UserWithoutClient,
        Missing::OwnerMismatch { .. } => Reason::OwnerMismatch,
        Missing::Unreadable(_) | Missing::Refused(_) => Reason::SubjectUnreadable,
    }
}

fn one_client(
    desk: &DecisionContext<'_>,
    event: &HookEvent,
    asked: &HookpointMatch<'_>,
    facts: &Facts,
    outcome: &mut Outcome,
) {
    let entry = asked.entry;
    let id = &entry.hookpoint.id;
    let client = facts.client.id;
    // A login's alert is about the account: two logins of one account are still one account.
    let subject = match facts.subject {
        SubjectRow::User(_) => Subject { kind: SubjectKind::Client, id: client.0 },
        _ if ownership_changes::is_many(facts) => Subject { kind: SubjectKind::Client, id: client.0 },
        _ => asked.want.subject,
    };
    outcome.step("facts", &json!({ "hookpoint": id.as_str(), "subject": subject.to_string(), "client": client.0 }));
    let verdict = entry.applies(event, facts);
    let age = desk.now.duration_since(event.occurred_at);
    if let Verdict::NotYet { wait_s, .. } = verdict {
        let wait = SignedDuration::from_secs(wait_s.into());
        if age < wait {
            outcome.defer = Some(later(event.occurred_at, wait));
            return;
        }
    }
    let once = match once(entry, event, facts) {
        Ok(once) => once,
        Err(error) => {
            outcome.failed = true;
            return outcome.skip(Some(id), Some(client), Reason::ConditionFailed, Some(error));
        }
    };
    let mut alert = Alert { hookpoint: id.clone(), subject, client_id: client, once, messages: Vec::new() };
    // Whether the subject's state is remembered: what was no transition of it must not hide the next real one.
    let mut counts = true;
    match verdict {
        Verdict::Holds => fill(desk, event, entry, facts, &mut alert, outcome),
        Verdict::NotYet { reason, moves, .. } => {
            outcome.skip(Some(id), Some(client), reason, None);
            counts = moves;
        }
        Verdict::No { reason, detail, moves } => {
            counts = moves;
            outcome.failed |= reason == Reason::ConditionFailed;
            outcome.skip(Some(id), Some(client), reason, detail);
        }
    }
    let rule = if alert.messages.is_empty() { "no message" } else { "send" };
    outcome.step("rule", &json!({ "hookpoint": id.as_str(), "decision": rule, "recipients": alert.messages.len() }));
    if counts {
        outcome.alerts.push(alert);
    }
}

fn once(entry: &Entry, event: &HookEvent, facts: &Facts) -> Result<Once, String> {
    if let Some(key) = ownership_changes::key(event, facts) {
        return Ok(Once::Key(key));
    }
    Ok(match &entry.hookpoint.transition {
        Transition::Once => Once::Key("once".to_owned()),
        // An old stub that sends no request id: its event id is the best there is.
        Transition::Request => Once::Key(event.request.clone().unwrap_or_else(|| event.id.to_string())),
        Transition::Key(_) => Once::Key(entry.transition_value(event, facts)?),
        Transition::State { machine, .. } => Once::State {
            machine: machine.clone(),
            to: entry.transition_value(event, facts)?,
            otherwise_at: event.otherwise_at,
        },
    })
}

/// Writes a message per recipient.
fn fill(
    desk: &DecisionContext<'_>,
    event: &HookEvent,
    entry: &Entry,
    facts: &Facts,
    alert: &mut Alert,
    outcome: &mut Outcome,
) {
    let hookpoint = &entry.hookpoint;
    let client = facts.client.id;
    let circle = Circle { audience: hookpoint.audience, users: hookpoint.users };
    let (chosen, left_out) = recipients(facts, circle, &desk.policy);
    for one in left_out {
        outcome.skips.push(Skip {
            hookpoint: Some(hookpoint.id.clone()),
            client_id: Some(client),
            contact_id: one.who.contact_id(),
            reason: one.reason,
            detail: one.who.user_id().map(login),
        });
    }
    for person in facts.unreadable.iter().filter(|person| concerns(person, circle)) {
        outcome.failed = true;
        outcome.skip(Some(&hookpoint.id), Some(client), Reason::SubjectUnreadable, Some(person.why.clone()));
    }
    let out_of_reach: Vec<u64> = out_of_reach(facts, circle).iter().map(|user| user.0).collect();
    if !out_of_reach.is_empty() {
        outcome.step("logins without a phone", &json!({ "hookpoint": hookpoint.id.as_str(), "logins": out_of_reach }));
    }
    for recipient in chosen {
        let about = About {
            facts,
            platform: desk.platform,
            zone: desk.zone,
            occurred_at: event.occurred_at,
            hook: &event.hook,
            changed: &event.changed,
            first_name: &recipient.first_name,
            company: &recipient.company,
        };
        let context = build(&about, recipient.locale);
        match desk.templates.render(&hookpoint.id, recipient.locale, &context, &desk.platform.system_url) {
            Ok(mut rendered) => {
                let name = (recipient.first_name.as_str(), recipient.company.as_str());
                rendered.print.facts = digest::facts(facts, desk.platform, name);
                alert.messages.push(message(desk, event, (entry, facts), alert, &recipient, rendered));
            }
            Err(error) => {
                // One broken text must not stop the other languages, nor the other alerts.
                outcome.failed = true;
                let (reason, detail) = match &error {
                    RenderError::Missing { .. } => (Reason::TemplateMissing, error.to_string()),
                    RenderError::Value { .. } => match no_currency(facts) {
                        // The text names an amount that cannot be written.
                        Some(none) => (Reason::SubjectUnreadable, none.why.clone()),
                        None => (Reason::RenderFailed, error.to_string()),
                    },
                };
                outcome.skips.push(Skip {
                    hookpoint: Some(hookpoint.id.clone()),
                    client_id: Some(client),
                    contact_id: recipient.who.contact_id(),
                    reason,
                    detail: Some(detail),
                });
            }
        }
    }
}

/// Whether somebody whose row cannot be understood may have a right to this.
fn concerns(person: &UnreadablePerson, circle: Circle) -> bool {
    if person.is_login { circle.users.is_some() } else { circle.audience != Audience::Owner }
}

fn no_currency(facts: &Facts) -> Option<&NoCurrency> {
    let own = match &facts.subject {
        SubjectRow::Quote(quote) => &quote.currency,
        _ => &facts.client.currency,
    };
    own.as_ref().err()
}

fn message(
    desk: &DecisionContext<'_>,
    event: &HookEvent,
    (entry, facts): (&Entry, &Facts),
    alert: &Alert,
    recipient: &Recipient,
    rendered: crate::render::Rendered,
) -> Message {
    let life = SignedDuration::from_mins(entry.hookpoint.expires_after_min.into());
    // What comes by date keeps to the client's clock.
    let zone = if entry.hookpoint.is_by_date() { desk.zones.of(&facts.client.country) } else { desk.zone };
    let quiet = entry.hookpoint.quiet.and_then(|quiet| quiet_until(quiet, desk.now, zone));
    // A clock of the platform's that is ahead makes no longer wait.
    let settled = event.occurred_at.min(desk.now) + SignedDuration::from_secs(entry.hookpoint.settle_s.into());
    let settles = (desk.now < settled).then_some((settled, Reason::Settling));
    Message {
        id: MessageId(Uuid::now_v7()),
        event_id: event.id.clone(),
        hookpoint: alert.hookpoint.clone(),
        subject: alert.subject,
        client_id: alert.client_id,
        contact_id: recipient.who.contact_id(),
        user_id: recipient.who.user_id(),
        to: recipient.to.clone(),
        locale: recipient.locale,
        class: entry.hookpoint.class,
        lane: desk.lane.to_owned(),
        call: rendered.call,
        free_form: None,
        text: rendered.text,
        queued_at: desk.now,
        wait: quiet.map(|until| (until, Reason::QuietHours)).or(settles),
        print: rendered.print,
        // What waited for the morning still gets its whole time.
        expires_at: later(quiet.unwrap_or(desk.now), life),
    }
}
