//! Owns: whether all is well, for programs.

use serde_json::{Value, json};

use super::{Endpoint, endpoint};
use crate::admin::overview::need::{Need, says};
use crate::admin::overview::{Bar, History, Overview, Queue, Standing, Why, history, now, take_note};
use crate::domain::admin::Role;
use crate::health::Running;
use crate::http::admin::overview::need_path;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/overview", Role::Viewer, |call| {
        Box::pin(async move {
            let (state, past) = (now(&call.desk, &call.who).await?, history(&call.desk, &call.who).await?);
            Ok(overview(&state, &past))
        })
    }),
    endpoint("POST", "/overview/needs/:code/seen", Role::Operator, |call| {
        Box::pin(async move {
            take_note(&call.desk, &call.who, call.param(0)).await?;
            Ok(json!({}))
        })
    }),
];

/// Both as one object.
#[must_use]
pub fn overview(state: &Overview, past: &History) -> Value {
    let numbers: Vec<Value> = state
        .numbers
        .iter()
        .map(|number| {
            json!({
                "number": number.name,
                "stopped_until": number.stopped.as_ref().map(|stop| stop.until.to_string()),
                "stopped_because": number.stopped.as_ref().map(|stop| stop.detail.clone()),
                "pace_per_s": number.pace, "pace_max_per_s": number.pace_max,
                "recipients_24h": number.recipients,
                "recipients_24h_max": (number.recipients_max > 0).then_some(number.recipients_max),
                "provider_says": number.news.as_ref().map(|news| {
                    json!({ "event": news.event, "daily_limit": news.daily_limit, "at": news.at.to_string() })
                }),
                "queued": queue(number.queued), "sending": queue(number.sending),
                "held": queue(number.held), "unknown": queue(number.unknown),
            })
        })
        .collect();
    let hooks: Vec<Value> = past
        .hooks
        .iter()
        .map(|line| {
            json!({
                "hook": line.hook, "used": line.used, "last_at": line.last_at.map(|at| at.to_string()),
                "events_24h": line.day, "silent": line.is_silent(state.at),
                "silent_after_s": line.limit.map(|limit| limit.as_secs()),
            })
        })
        .collect();
    json!({
        "at": state.at.to_string(), "well": state.needs.is_empty(),
        "needs": state.needs.iter().map(need).collect::<Vec<_>>(),
        "inbox": queue(state.inbox), "numbers": numbers,
        "instances": state.instances.iter().map(instance).collect::<Vec<_>>(),
        "counted_at": past.counted_at.map(|at| at.to_string()),
        "day": bars(&past.day), "month": bars(&past.month),
        "failures": whys(&past.failures), "skips": whys(&past.skips), "hooks": hooks,
    })
}

fn queue(queue: Queue) -> Value {
    json!({ "depth": queue.depth, "oldest_at": queue.oldest.map(|at| at.to_string()) })
}

fn bars(bars: &[Bar]) -> Vec<Value> {
    bars.iter()
        .map(|bar| {
            let mut one = json!({ "from": bar.from.to_string(), "read": bar.read });
            for (standing, n) in Standing::ALL.iter().zip(bar.counts) {
                one[standing.code()] = n.into();
            }
            one
        })
        .collect()
}

fn whys(all: &[Why]) -> Vec<Value> {
    all.iter().map(|why| json!({ "reason": why.reason, "last_24h": why.day, "last_30d": why.month })).collect()
}

fn need(need: &Need) -> Value {
    json!({
        "code": need.code(), "urgent": need.is_urgent(), "says": says(need), "count": need.n,
        "since": need.since.map(|at| at.to_string()), "link": need_path(need), "can_be_seen": need.kind.is_past(),
    })
}

fn instance(one: &Running) -> Value {
    let problems: Vec<Value> = one
        .report
        .problems
        .iter()
        .map(|problem| json!({ "finding": problem.finding.code(), "detail": problem.detail }))
        .collect();
    let counts: serde_json::Map<String, Value> =
        one.report.counts().into_iter().map(|(name, n)| (name.to_owned(), n.into())).collect();
    json!({
        "name": one.name, "started_at": one.started_at.to_string(), "seen_at": one.seen_at.to_string(),
        "ready": one.report.is_ready(), "problems": problems, "counts": counts, "settings": one.report.settings,
    })
}
