//! Owns: finding what needs a person. Each part looks at one thing, in few bounded reads.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::need::{Kind, Need, Past, Value, of_stub};
use super::{Number, Overview, Queue, counted_at};
use crate::admin::View;
use crate::admin::care::{Care, care, losing};
use crate::admin::notify::STAFF;
use crate::config::section::SweepConfig;
use crate::domain::reason::Reason;
use crate::domain::time::earlier;
use crate::figures::{self, stubs::stubs};
use crate::health::{Counted, Finding, Problem, Report, remembered};
use crate::notify::Channel;
use crate::store::figure::{self, HOUR, hour_of};
use crate::store::hold::{self, HoldState};
use crate::store::needs::{self, Tally};
use crate::store::version::{self, Kind as Versioned};
use crate::store::{StoreError, inbox, mirror, moved, notice, outbox, replies, restored};

/// What is past is named for so long, unless somebody took note before.
const PAST: SignedDuration = SignedDuration::from_hours(24 * 7);
/// A message that waits for longer for anything but a set time is a reason to look.
const LONG: SignedDuration = SignedDuration::from_hours(1);
/// Failed alerts of a day are a reason to look from so many, and so many percent of all.
const FAILED_MIN: u64 = 10;
const FAILED_PERCENT: u64 = 10;
/// From so much of its limit on, a number's recipients of the last 24 hours are a reason to look.
const RECIPIENTS_PERCENT: u64 = 90;
/// The sweep may be late by so much, besides its interval.
const SWEEP_LATE: SignedDuration = SignedDuration::from_mins(30);
/// Counts that are older are not kept by anybody: no instance runs.
const COUNTED_MAX: SignedDuration = SignedDuration::from_mins(10);
/// A channel to administrators that fails for so long is a reason to look.
const NOTICES_FAIL: SignedDuration = SignedDuration::from_mins(3);
/// Names that are listed at most.
const NAMES_MAX: usize = 8;

/// What needs a person, the urgent first.
///
/// # Errors
/// The database.
pub async fn needs(view: &View, state: &Overview) -> Result<Vec<Need>, StoreError> {
    let at = state.at;
    let mut all = Vec::new();
    if !needs::is_writable(&view.store).await? {
        all.push(Need::new(Kind::ReadOnly, 1, None));
    }
    instances(state, &mut all);
    queues(view, state, &mut all).await?;
    waits(view, state, &mut all).await?;
    saved(view, &mut all).await?;
    held(view, &state.numbers, &mut all).await?;
    past(view, state, &mut all).await?;
    for line in figures::hooks(&view.store, &view.catalogue.load(), at).await? {
        if let Some(last) = line.last_at.filter(|_| line.is_silent(at)) {
            let silent = Need::new(Kind::Silent, 1, Some(last)).text("hook", line.hook);
            all.push(silent.with("span", Value::Span(last)));
        }
    }
    for stub in stubs(&view.store, &view.config.sources, at).await? {
        all.extend(stub.troubles.iter().map(|trouble| of_stub(*trouble, &stub.last)));
    }
    let changed = moved::open(&view.store).await?;
    push(&mut all, Kind::NumberChanged, changed, None);
    let (_, unseen) = replies::unseen(&view.store).await?;
    push(&mut all, Kind::Replies, unseen, None);
    let sweep = &view.config.sweep;
    let next = mirror::next_turn(&view.store).await?;
    if sweep.enabled && next.is_none_or(|next| sweep_is_late(sweep, next, at)) {
        all.push(Need::new(Kind::SweepLate, 1, next));
    }
    notices(view, at, &mut all).await?;
    let last = counted_at(view, at).await?;
    if last.is_none_or(|last| at.duration_since(last) > COUNTED_MAX) {
        all.push(Need::new(Kind::NotCounted, 1, last).with("last", Value::Ago(last)));
    }
    all.sort_by_key(|need| !need.is_urgent());
    Ok(all)
}

fn push(all: &mut Vec<Need>, kind: Kind, n: u64, since: Option<Timestamp>) {
    if n > 0 {
        all.push(Need::new(kind, n, since));
    }
}

/// A few names, and that there are more.
fn names(all: BTreeSet<String>) -> String {
    let more = all.len() > NAMES_MAX;
    let mut text = all.into_iter().take(NAMES_MAX).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", …");
    }
    text
}

/// What the instances report of themselves, now.
fn instances(state: &Overview, all: &mut Vec<Need>) {
    let missing = |one: &&Problem| one.finding == Finding::TaskMissing;
    let tasks = state.instances.iter().flat_map(|one| one.report.problems.iter().filter(missing));
    let tasks: Vec<String> = tasks.map(|one| one.detail.clone()).collect();
    if !tasks.is_empty() {
        let n = tasks.len() as u64;
        all.push(Need::new(Kind::TaskMissing, n, None).text("tasks", names(tasks.into_iter().collect())));
    }
}

/// Whether what is due moves: by the same bound as `/readyz`.
async fn queues(view: &View, state: &Overview, all: &mut Vec<Need>) -> Result<(), StoreError> {
    let at = state.at;
    let bound = SignedDuration::from_secs(i64::try_from(view.config.server.ready_late_max_s).unwrap_or(i64::MAX));
    let late = earlier(at, bound);
    if let Some(oldest) = inbox::stuck_since(&view.store, late).await? {
        all.push(Need::new(Kind::InboxOld, state.inbox.depth, Some(oldest)));
    }
    for number in &state.numbers {
        if let Some(stop) = &number.stopped {
            let need = Need::new(Kind::Stopped, number.queued.depth, None).text("lane", &number.name);
            all.push(need.with("until", Value::Clock(stop.until)).text("why", &stop.detail));
        } else if let Queue { depth, oldest: Some(oldest) } = number.queued
            && oldest < late
        {
            all.push(Need::new(Kind::OutboxOld, depth, Some(oldest)).text("lane", &number.name));
        }
        let (used, max) = (number.recipients, number.recipients_max);
        if max > 0 && used * 100 >= u64::from(max) * RECIPIENTS_PERCENT {
            let need = Need::new(Kind::NearLimit, used, None).text("lane", &number.name);
            all.push(need.with("max", Value::Number(max.into())));
        }
    }
    for (lane, _, depth, oldest) in outbox::depth(&view.store).await? {
        if !view.config.senders.contains_key(&lane) {
            all.push(Need::new(Kind::NumberGone, depth, oldest).text("lane", lane));
        }
    }
    Ok(())
}

/// What queued messages wait for, where that is a reason to look. Each time that one is put off moves what is due into the
/// future, so that only the moment it was queued at tells how long it really waits.
async fn waits(view: &View, state: &Overview, all: &mut Vec<Need>) -> Result<(), StoreError> {
    let (mut messages, mut since, mut texts) = (0, None::<Timestamp>, BTreeSet::new());
    let mut long: BTreeMap<Reason, (u64, Timestamp)> = BTreeMap::new();
    for one in needs::waiting(&view.store).await? {
        let put_off = match care(one.reason) {
            Care::Waits(Kind::TextsHeld) => {
                messages += one.messages;
                since = since.map_or(Some(one.since), |before| Some(before.min(one.since)));
                texts.insert(format!("{} ({})", one.template, one.language));
                continue;
            }
            // A number that is stopped has a need of its own.
            Care::Waits(Kind::Stopped) => state.numbers.iter().all(|number| number.stopped.is_none()),
            Care::Design(_) => one.reason == Reason::ServiceChanged,
            _ => true,
        };
        if put_off && state.at.duration_since(one.since) > LONG {
            let (n, oldest) = long.entry(one.reason).or_insert((0, one.since));
            *n += one.messages;
            *oldest = one.since.min(*oldest);
        }
    }
    let used: BTreeSet<(String, String)> = {
        let templates = view.templates.load();
        templates.iter().map(|(_, locale, text)| (text.name.clone(), locale.code().to_owned())).collect()
    };
    for news in needs::texts(&view.store).await? {
        if used.contains(&(news.name.clone(), news.language.clone())) {
            since = since.map_or(Some(news.at), |before| Some(before.min(news.at)));
            texts.insert(format!("{} ({})", news.name, news.language));
        }
    }
    if !texts.is_empty() {
        let need = Need::new(Kind::TextsHeld, texts.len() as u64, since).text("texts", names(texts));
        all.push(need.with("messages", Value::Number(messages)));
    }
    for (reason, (n, oldest)) in long {
        all.push(Need::new(Kind::Waiting, n, Some(oldest)).with("reason", Value::Reason(reason)));
    }
    Ok(())
}

/// What somebody saved and is not in force.
async fn saved(view: &View, all: &mut Vec<Need>) -> Result<(), StoreError> {
    let left_out = view.left_out.load_full();
    if !left_out.is_empty() {
        let since = left_out.iter().filter_map(|one| one.at).min();
        let need = Need::new(Kind::LeftOut, left_out.len() as u64, since);
        all.push(need.text("names", names(left_out.iter().map(|one| one.name.clone()).collect())));
    }
    let newest = version::newest(&view.store, Versioned::Template).await?;
    let drafts: Vec<_> = newest.into_iter().filter(|one| !one.live).collect();
    if !drafts.is_empty() {
        let since = drafts.iter().map(|one| one.at).min();
        let need = Need::new(Kind::Drafts, drafts.len() as u64, since);
        all.push(need.text("names", names(drafts.into_iter().map(|one| one.name).collect())));
    }
    Ok(())
}

/// What waits for somebody's decision.
async fn held(view: &View, numbers: &[Number], all: &mut Vec<Need>) -> Result<(), StoreError> {
    let holds = hold::all(&view.store).await?;
    let asked: Vec<_> = holds.iter().filter(|hold| hold.state == HoldState::Asked).collect();
    if !asked.is_empty() {
        let alerts = numbers.iter().map(|number| number.held.depth).sum();
        let need = Need::new(Kind::Held, alerts, asked.iter().map(|hold| hold.since).min());
        all.push(need.with("holds", Value::Number(asked.len() as u64)));
    }
    let waiting = restored::waiting(&view.store).await?;
    if waiting > 0 {
        all.push(Need::new(Kind::Restored, waiting, restored::look(&view.store).await?.restored_at));
    }
    let unknown = needs::unknown(&view.store).await?;
    push(all, Kind::Unknown, unknown.n, unknown.since);
    Ok(())
}

/// What happened since somebody last took note.
async fn past(view: &View, state: &Overview, all: &mut Vec<Need>) -> Result<(), StoreError> {
    let (at, seen) = (state.at, needs::seen(&view.store).await?);
    let since = |past: Past| seen.get(past.code()).copied().unwrap_or(Timestamp::MIN).max(earlier(at, PAST));
    let mut tally = |kind, found: Tally| push(all, kind, found.n, found.since);
    tally(Kind::EventsFailed, needs::failed_events(&view.store, since(Past::EventsFailed)).await?);
    tally(Kind::Missed, needs::missed(&view.store, since(Past::Missed)).await?);
    let lost = needs::ended(&view.store, &losing(), STAFF, since(Past::Lost)).await?;
    if !lost.is_empty() {
        let first = lost.iter().filter_map(|(_, one)| one.since).min();
        let need = Need::new(Kind::Lost, lost.iter().map(|(_, one)| one.n).sum(), first);
        all.push(need.with("why", Value::Reasons(lost.into_iter().map(|(reason, one)| (reason, one.n)).collect())));
    }
    let day = since(Past::Failing).max(at - HOUR * 24);
    let day = figure::by_hour(&view.store, figure::Kind::Alert, hour_of(day)).await?;
    let total: u64 = day.iter().map(|one| one.n).sum();
    let failed: u64 = day.iter().filter(|one| one.name == "failed").map(|one| one.n).sum();
    if failed >= FAILED_MIN && failed * 100 >= total * FAILED_PERCENT {
        let first = day.iter().find(|one| one.name == "failed").map(|one| one.hour);
        all.push(Need::new(Kind::Failing, failed, first).with("all", Value::Number(total)));
    }
    let new = |counted: &Counted, past: Past| counted.n > 0 && counted.last_at.is_some_and(|last| last > since(past));
    let remembered = remembered(&view.store, at).await?;
    let of = |past: Past, pick: fn(&Report) -> &Counted| {
        let counted = remembered.iter().map(|one| pick(&one.report)).filter(|one| new(one, past));
        counted.fold((0, None::<Timestamp>), |(n, first), one| (n + one.n, first.into_iter().chain(one.since).min()))
    };
    for (kind, (n, first)) in [
        (Kind::Refused, of(Past::Refused, |report| &report.refused)),
        (Kind::LogDropped, of(Past::LogDropped, |report| &report.log_lines_dropped)),
    ] {
        push(all, kind, n, first);
    }
    let (panics, first) = of(Past::Caught, |report| &report.panics);
    let (restarts, again) = of(Past::Caught, |report| &report.restarts);
    if panics + restarts > 0 {
        let need = Need::new(Kind::Caught, panics.max(restarts), first.into_iter().chain(again).min());
        all.push(need.with("restarts", Value::Number(restarts)));
    }
    let corrected = state.instances.iter().filter(|one| new(&one.report.corrected, Past::Corrected));
    let settings: BTreeSet<String> = corrected.clone().flat_map(|one| one.report.settings.iter().cloned()).collect();
    if !settings.is_empty() {
        let since = corrected.filter_map(|one| one.report.corrected.since).min();
        all.push(Need::new(Kind::Corrected, settings.len() as u64, since).text("settings", names(settings)));
    }
    Ok(())
}

/// Channels to administrators that failed for longer than a network needs.
async fn notices(view: &View, at: Timestamp, all: &mut Vec<Need>) -> Result<(), StoreError> {
    let config = &view.config.notify;
    if !config.is_on() {
        return Ok(());
    }
    let need = |channel: Channel, n: u32, since: Timestamp, why: &str| {
        let need = Need::new(Kind::NoticesFail, u64::from(n), Some(since)).text("channel", channel.code());
        need.text("why", why)
    };
    for one in notice::channels(&view.store).await? {
        let channel = Channel::parse(&one.channel).filter(|channel| channel.is_on(config));
        if let (Some(channel), Some(since)) = (channel, one.failed_at)
            && at.duration_since(since) >= NOTICES_FAIL
        {
            all.push(need(channel, one.failures, since, one.error.as_deref().unwrap_or_default()));
        }
    }
    if Channel::WhatsApp.is_on(config)
        && let Some(last) = notice::last_to_staff(&view.store, STAFF, earlier(at, HOUR * 24)).await?
        && last.state != "sent"
    {
        all.push(need(Channel::WhatsApp, 1, last.at, last.reason.as_deref().unwrap_or(&last.state)));
    }
    Ok(())
}

/// Whether a sweep that was due at `next` should be over.
#[must_use]
pub fn sweep_is_late(sweep: &SweepConfig, next: Timestamp, at: Timestamp) -> bool {
    at.duration_since(next) > SignedDuration::from_mins(sweep.every_min.into()) + SWEEP_LATE
}
