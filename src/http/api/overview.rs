//! Owns: whether all is well, for programs.

use serde_json::{Value, json};

use super::{Endpoint, endpoint};
use crate::admin::overview::{Bar, History, Need, Overview, Queue, Standing, Why, history, now};
use crate::domain::admin::Role;
use crate::domain::heartbeat::{Received, Trouble};
use crate::domain::locale::Locale;
use crate::http::admin::words::text;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[endpoint("GET", "/overview", Role::Viewer, |call| {
    Box::pin(async move {
        let (state, past) = (now(&call.desk, &call.who).await?, history(&call.desk, &call.who).await?);
        Ok(overview(&state, &past))
    })
})];

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
    json!({ "code": need.code(), "urgent": need.is_urgent(), "says": says(need) })
}

/// What stands in the sentence about a stub, for machines and terminals.
fn stub_values(trouble: Trouble, last: &Received) -> Vec<(&'static str, String)> {
    let said = &last.said;
    vec![
        ("who", last.who()),
        ("ago", last.since(trouble).to_string()),
        ("n", last.count(trouble).to_string()),
        ("names", last.missing.join(", ")),
        ("version", said.stub.clone()),
        ("fault", said.fault.clone()),
    ]
}

/// What is wrong with a stub, in English.
#[must_use]
pub fn stub_says(trouble: Trouble, last: &Received) -> String {
    says(&Need::Stub { trouble, last: Box::new(last.clone()) })
}

/// A need in English: moments as they are, for machines and terminals.
#[must_use]
pub fn says(need: &Need) -> String {
    let key = format!("overview.need_{}", need.code());
    let values: Vec<(&str, String)> = match need {
        Need::Stopped { lane, until, why } => {
            vec![("lane", lane.clone()), ("until", until.to_string()), ("why", why.clone())]
        }
        Need::Held { alerts, holds } => vec![("n", alerts.to_string()), ("holds", holds.to_string())],
        Need::Restored { messages } | Need::Unknown { messages } => vec![("n", messages.to_string())],
        Need::InboxOld { oldest } => vec![("ago", oldest.to_string())],
        Need::OutboxOld { lane, oldest } => vec![("lane", lane.clone()), ("ago", oldest.to_string())],
        Need::Silent { hook, last } => vec![("hook", hook.clone()), ("span", format!("so long (last {last})"))],
        Need::Stub { trouble, last } => stub_values(*trouble, last),
        Need::Failing { failed, all } => vec![("n", failed.to_string()), ("all", all.to_string())],
        Need::NearLimit { lane, used, max } => {
            vec![("lane", lane.clone()), ("n", used.to_string()), ("max", max.to_string())]
        }
        Need::NumberChanged { n } => vec![("n", n.to_string())],
        Need::Replies { replies } => vec![("n", replies.to_string())],
        Need::SweepLate => Vec::new(),
        Need::NotCounted { last } => {
            vec![("last", last.map_or_else(|| "never".to_owned(), |last| last.to_string()))]
        }
    };
    values
        .iter()
        .fold(text(Locale::En, &key).to_owned(), |says, (name, value)| says.replace(&format!("{{{name}}}"), value))
}
