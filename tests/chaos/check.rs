//! Owns: the verdict. The firing side's ledger says what must have come of it; the provider says what it took; the bridge
//! says what it knows. Whatever does not fit is a finding, and one finding fails the run.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::acts::Act;
use crate::books::{Event, Kept, Key, Taken};
use crate::ledger::Fired;

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub hooks_fired: usize,
    /// Hooks whose PHP process was killed inside: their event may be there or not.
    pub hooks_cut_short: usize,
    pub events: usize,
    /// Alerts that had to come: one per act and recipient.
    pub owed: usize,
    /// Of those, taken by the provider exactly once.
    pub once: usize,
    pub delivered: usize,
    /// Not taken by the provider, by the reason on record.
    pub with_reason: BTreeMap<String, usize>,
    /// Messages taken twice because the policy of their class says "send again" after an unknown outcome.
    pub sent_again: usize,
    /// Events that had to lead to nothing, and did, with the right reason.
    pub silent: usize,
    pub lost: Vec<String>,
    pub wrong_recipient: Vec<String>,
    pub twice: Vec<String>,
    /// Messages about something that nobody fired.
    pub ghosts: Vec<String>,
    /// The bridge's record says something else than the provider's.
    pub untrue: Vec<String>,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        self.findings().all(|(_, found)| found.is_empty())
    }

    pub fn findings(&self) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
        [
            ("lost", &self.lost),
            ("to a wrong recipient", &self.wrong_recipient),
            ("sent twice", &self.twice),
            ("about something that nobody fired", &self.ghosts),
            ("on record otherwise than at the provider", &self.untrue),
        ]
        .into_iter()
    }
}

pub fn check(acts: &[Act], ledger: &[Fired], events: &[Event], kept: &[Kept], taken: &[Taken]) -> Verdict {
    let mut verdict = Verdict {
        hooks_fired: ledger.iter().filter(|one| one.ended).count(),
        hooks_cut_short: ledger.iter().filter(|one| !one.ended).count(),
        events: events.len(),
        ..Verdict::default()
    };
    let arrived = at_the_door(ledger, events, &mut verdict);
    let kept_by_key: HashMap<&Key, &Kept> = kept.iter().map(|one| (&one.key, one)).collect();
    let mut taken_by_key: HashMap<&Key, Vec<&Taken>> = HashMap::new();
    for one in taken {
        taken_by_key.entry(&one.key).or_default().push(one);
    }
    let mut owed_keys = HashSet::new();
    for act in acts.iter().filter(|act| arrived.contains_key(&act.number)) {
        for (to, name) in &act.must.to {
            let key = Key {
                template: act.must.template.to_owned(),
                about: act.must.about.clone().unwrap_or_default(),
                to: to.clone(),
            };
            verdict.owed += 1;
            let got = taken_by_key.get(&key).map_or(&[][..], Vec::as_slice);
            one_alert(act, name, kept_by_key.get(&key).copied(), got, &mut verdict);
            owed_keys.insert(key);
        }
        if let Some(reason) = act.must.reason {
            silent(act, reason, arrived[&act.number].as_slice(), &mut verdict);
        }
    }
    strangers(acts, &owed_keys, kept, taken, &mut verdict);
    verdict
}

/// Every hook that ended left its event; nothing else is there. The events of each act that has any.
fn at_the_door<'a>(ledger: &[Fired], events: &'a [Event], verdict: &mut Verdict) -> HashMap<u32, Vec<&'a Event>> {
    let mut by_subject: HashMap<(&str, u64), Vec<&Event>> = HashMap::new();
    for event in events {
        by_subject.entry((event.hook.as_str(), event.subject)).or_default().push(event);
        if event.state == "received" {
            verdict.lost.push(format!("{} of {} was stored and never processed", event.hook, event.subject));
        }
        if event.state == "failed" {
            let reasons = event.reasons.join(", ");
            verdict.lost.push(format!("{} of {} failed: {reasons}", event.hook, event.subject));
        }
    }
    // An act may fire one hook several times: as many events, then.
    let mut fired: BTreeMap<(&str, u64), (u32, usize, usize)> = BTreeMap::new();
    for one in ledger {
        let place = (one.entry.name.as_str(), u64::from(one.entry.subject));
        let (act, least, most) = fired.entry(place).or_default();
        *act = one.entry.act;
        *least += usize::from(one.ended);
        *most += 1;
    }
    let mut arrived: HashMap<u32, Vec<&Event>> = HashMap::new();
    for ((hook, subject), (act, least, most)) in fired {
        let found = by_subject.remove(&(hook, subject)).unwrap_or_default();
        if found.len() < least {
            verdict.lost.push(format!("{hook} of {subject} was fired {least} times, {} events are there", found.len()));
        }
        if found.len() > most {
            verdict
                .ghosts
                .push(format!("{hook} of {subject} was fired {most} times, {} events are there", found.len()));
        }
        if !found.is_empty() {
            arrived.entry(act).or_default().extend(found);
        }
    }
    verdict.ghosts.extend(by_subject.keys().map(|(hook, subject)| format!("an event {hook} of {subject}")));
    arrived
}

/// One alert to one recipient.
fn one_alert(act: &Act, name: &str, kept: Option<&Kept>, got: &[&Taken], verdict: &mut Verdict) {
    let what = format!("act {}: {} about {:?} to {name}", act.number, act.must.template, act.must.about);
    let Some(kept) = kept else {
        return verdict.lost.push(format!("{what}: there is no message, nor a reason"));
    };
    let on_record = format!("{} {} {} {:?}", kept.state, kept.receipt, kept.reason, kept.attempts);
    match got {
        [] => match (kept.state.as_str(), kept.reason.as_str()) {
            ("failed" | "cancelled", reason) if !reason.is_empty() && !HARMLESS.contains(&reason) => {
                *verdict.with_reason.entry(reason.to_owned()).or_default() += 1;
            }
            ("failed" | "cancelled", _) => verdict.lost.push(format!("{what}: {on_record}")),
            _ => verdict.untrue.push(format!("{what}: the provider does not have it, on record is {on_record}")),
        },
        [one] => {
            verdict.once += 1;
            true_record(&what, kept, &[one], &on_record, verdict);
        }
        several => {
            // Once more for each attempt of which nobody knew how it ended.
            let unknown = kept.attempts.iter().filter(|how| *how == "unknown").count();
            if act.must.class == "security" && several.len() <= 1 + unknown {
                verdict.sent_again += 1;
                true_record(&what, kept, several, &on_record, verdict);
            } else {
                verdict.twice.push(format!("{what}: taken {} times, on record is {on_record}", several.len()));
            }
        }
    }
    for one in got {
        if !one.text.contains(name) || one.locale != act.must.locale {
            verdict.wrong_recipient.push(format!("{what}: it reads ({}) {}", one.locale, one.text));
        }
    }
}

/// Reasons with which nothing in a run may end: no fault of a run is one of them.
const HARMLESS: [&str; 3] = ["expired", "opted_out", "service_changed"];

/// What is on record of a message that the provider took.
fn true_record(what: &str, kept: &Kept, got: &[&Taken], on_record: &str, verdict: &mut Verdict) {
    let (delivered, failed) = (got.iter().any(|one| one.delivered), got.iter().any(|one| one.failed));
    verdict.delivered += usize::from(delivered);
    let ok = match kept.state.as_str() {
        "sent" => {
            let receipt = kept.receipt.as_str();
            (!delivered || matches!(receipt, "delivered" | "read")) && (!failed || delivered || receipt == "failed")
        }
        // Nobody told us: no answer, no receipt.
        "failed" | "cancelled" => !delivered && !failed && kept.reason == "outcome_unknown",
        _ => false,
    };
    if !ok {
        let provider = if delivered {
            "delivered"
        } else if failed {
            "failed"
        } else {
            "taken, without a receipt"
        };
        verdict.untrue.push(format!("{what}: the provider says {provider}, on record is {on_record}"));
    }
}

fn silent(act: &Act, reason: &str, events: &[&Event], verdict: &mut Verdict) {
    if events.iter().any(|event| event.reasons.iter().any(|one| one == reason)) {
        verdict.silent += 1;
    } else {
        let found: Vec<_> = events.iter().flat_map(|event| &event.reasons).collect();
        verdict.lost.push(format!("act {} had to say {reason}, it says {found:?}", act.number));
    }
}

/// Messages that nobody was owed.
fn strangers(acts: &[Act], owed: &HashSet<Key>, kept: &[Kept], taken: &[Taken], verdict: &mut Verdict) {
    let subjects: HashSet<(&str, &str)> =
        acts.iter().map(|act| (act.must.template, act.must.about.as_deref().unwrap_or_default())).collect();
    for key in taken.iter().map(|one| &one.key).filter(|key| !owed.contains(*key)) {
        let line = format!("{} about {:?} to {}", key.template, key.about, key.to);
        if subjects.contains(&(key.template.as_str(), key.about.as_str())) {
            verdict.wrong_recipient.push(line);
        } else {
            verdict.ghosts.push(line);
        }
    }
    let mut queued = HashSet::new();
    for key in kept.iter().map(|one| &one.key).filter(|key| !owed.contains(*key) || !queued.insert(*key)) {
        verdict.ghosts.push(format!("a message {} about {:?} to {}", key.template, key.about, key.to));
    }
    // The bridge's own id must be one message's alone.
    let mut seen = HashMap::new();
    for one in taken {
        if seen.insert(&one.opaque, &one.key).is_some_and(|key| *key != one.key) {
            verdict.wrong_recipient.push(format!("id {} went to two recipients", one.opaque));
        }
    }
}
