//! Owns: what stands on the first page: is all well, at a glance. Two parts renew themselves: how things stand every ten
//! seconds, what history says every minute.

mod chart;

use jiff::Timestamp;
use maud::{Markup, html};

use self::chart::{Step, chart};
use super::ask::{Answer, Ask, Page, get};
use super::layout::{Tone, badge};
use crate::admin::overview::{History, Need, Number, Overview, Queue, Why, history, now};
use crate::domain::admin::Role;
use crate::domain::heartbeat::{Received, Trouble};
use crate::domain::reason::Reason;

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/", Role::Viewer, |ask| {
        Box::pin(async move {
            let (state, past) = (now(&ask.desk, &ask.who).await?, history(&ask.desk, &ask.who).await?);
            let body = html! {
                h1 { (ask.t("menu.overview")) }
                (standing(&ask, &state))
                (figures(&ask, &past, state.at))
            };
            Answer::page("/admin", ask.t("menu.overview"), body)
        })
    }),
    get("/overview/now", Role::Viewer, |ask| {
        Box::pin(async move {
            let state = now(&ask.desk, &ask.who).await?;
            Ok(Answer::Part(standing(&ask, &state)))
        })
    }),
    get("/overview/history", Role::Viewer, |ask| {
        Box::pin(async move {
            let past = history(&ask.desk, &ask.who).await?;
            Ok(Answer::Part(figures(&ask, &past, ask.desk.now())))
        })
    }),
];

/// How things stand now.
fn standing(ask: &Ask, state: &Overview) -> Markup {
    html! {
        div #now data-poll hx-get="/admin/overview/now" hx-trigger="every 10s" hx-swap="outerHTML" {
            (needs(ask, state))
            div.tiles {
                (tile(ask, "inbox", state.inbox, "/admin/events?state=received", state.at))
                @let sum = |pick: fn(&Number) -> Queue| total(state.numbers.iter().map(pick));
                (tile(ask, "queued", sum(|n| n.queued), "/admin/messages?state=queued", state.at))
                (tile(ask, "sending", sum(|n| n.sending), "/admin/messages?state=sending", state.at))
                (tile(ask, "held", sum(|n| n.held), "/admin/holds", state.at))
                (tile(ask, "unknown", sum(|n| n.unknown), "/admin/messages?state=unknown", state.at))
            }
            div.columns {
                @for number in &state.numbers { (number_card(ask, number, state.at)) }
            }
        }
    }
}

fn total(queues: impl Iterator<Item = Queue>) -> Queue {
    queues.fold(Queue::default(), |sum, one| Queue {
        depth: sum.depth + one.depth,
        oldest: [sum.oldest, one.oldest].into_iter().flatten().min(),
    })
}

/// The first line: in words.
fn needs(ask: &Ask, state: &Overview) -> Markup {
    if state.needs.is_empty() {
        return html! {
            p.notice.good { strong { (ask.t("overview.well")) } " " (ask.t("overview.well_detail")) }
        };
    }
    let urgent = state.needs.iter().any(Need::is_urgent);
    html! {
        section.notice.bad[urgent].waiting[!urgent] aria-labelledby="needs" {
            h2 id="needs" { (ask.tf("overview.needs", &[("n", &state.needs.len())])) }
            ul {
                @for (index, need) in state.needs.iter().enumerate() {
                    li {
                        (need_text(ask, need, state.at)) " "
                        @if let Some(path) = need_path(need) {
                            @let word = if matches!(need, Need::Stub { .. }) { "stub" } else { need.code() };
                            a id={ "need-" (index) } href=(path) { (ask.t(&format!("overview.to_{word}"))) }
                        }
                    }
                }
            }
        }
    }
}

fn need_text(ask: &Ask, need: &Need, at: Timestamp) -> String {
    let key = format!("overview.need_{}", need.code());
    let ago = |then: &Timestamp| ask.tongue.ago(*then, at);
    let number = |n: u64| ask.tongue.number(n);
    match need {
        Need::Stopped { lane, until, why } => {
            ask.tf(&key, &[("lane", lane), ("until", &ask.tongue.clock(*until)), ("why", why)])
        }
        Need::Held { alerts, holds } => ask.tf(&key, &[("n", &number(*alerts)), ("holds", holds)]),
        Need::Restored { messages } | Need::Unknown { messages } => ask.tf(&key, &[("n", &number(*messages))]),
        Need::InboxOld { oldest } => ask.tf(&key, &[("ago", &ago(oldest))]),
        Need::OutboxOld { lane, oldest } => ask.tf(&key, &[("lane", lane), ("ago", &ago(oldest))]),
        Need::Silent { hook, last } => {
            ask.tf(&key, &[("hook", hook), ("span", &ask.tongue.span(at.duration_since(*last).as_secs()))])
        }
        Need::Stub { trouble, last } => stub_text(ask, *trouble, last, at),
        Need::Failing { failed, all } => ask.tf(&key, &[("n", &number(*failed)), ("all", &number(*all))]),
        Need::NearLimit { lane, used, max } => {
            ask.tf(&key, &[("lane", lane), ("n", &number(*used)), ("max", &number(u64::from(*max)))])
        }
        Need::NumberChanged { n } => ask.tf(&key, &[("n", &number(*n))]),
        Need::Replies { replies } => ask.tf(&key, &[("n", &number(*replies))]),
        Need::SweepLate => ask.t(&key).to_owned(),
        Need::NotCounted { last } => {
            let last = last.map_or_else(|| ask.t("overview.never").to_owned(), |last| ago(&last));
            ask.tf(&key, &[("last", &last)])
        }
    }
}

/// What is wrong with a stub, and what to do.
pub(super) fn stub_text(ask: &Ask, trouble: Trouble, last: &Received, at: Timestamp) -> String {
    let said = &last.said;
    ask.tf(
        &format!("overview.need_stub_{trouble}"),
        &[
            ("who", &last.who()),
            ("ago", &ask.tongue.ago(last.since(trouble), at)),
            ("n", &ask.tongue.number(last.count(trouble))),
            ("names", &last.missing.join(", ")),
            ("version", &said.stub),
            ("fault", &said.fault),
        ],
    )
}

/// Where the answer is given, or more is seen.
fn need_path(need: &Need) -> Option<&'static str> {
    match need {
        Need::Stopped { .. } | Need::NearLimit { .. } => Some("/admin/settings/numbers"),
        Need::Held { .. } => Some("/admin/holds"),
        Need::Restored { .. } => Some("/admin/settings/restored"),
        Need::Unknown { .. } => Some("/admin/messages?state=unknown"),
        Need::InboxOld { .. } => Some("/admin/events?state=received"),
        Need::OutboxOld { .. } => Some("/admin/messages?state=queued"),
        Need::Replies { .. } => Some("/admin/replies?which=unseen"),
        Need::Failing { .. } => Some("/admin/messages?state=failed"),
        Need::NumberChanged { .. } => Some("/admin/phones/moved"),
        Need::Stub { .. } => Some("/admin/settings/sources"),
        Need::Silent { .. } | Need::SweepLate | Need::NotCounted { .. } => None,
    }
}

fn tile(ask: &Ask, what: &str, queue: Queue, path: &str, at: Timestamp) -> Markup {
    let name = ask.tongue.known(&format!("overview.tile_{what}")).unwrap_or_default();
    html! {
        div.tile {
            span.soft { (name) }
            b { (ask.tongue.number(queue.depth)) }
            @if queue.depth > 0 {
                small {
                    // What is queued for later is not late.
                    @if let Some(oldest) = queue.oldest.filter(|oldest| *oldest < at && what != "held" && what != "unknown") {
                        (ask.tf("overview.oldest", &[("span", &ask.tongue.span(at.duration_since(oldest).as_secs()))])) " · "
                    }
                    a id={ "tile-" (what) } href=(path) { (ask.t("overview.see")) span.hidden { ": " (name) } }
                }
            }
        }
    }
}

fn number_card(ask: &Ask, number: &Number, at: Timestamp) -> Markup {
    let of = |n: u64, max: u64| {
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("n", &ask.tongue.number(n)), ("max", &ask.tongue.number(max))];
        ask.tf("overview.n_of", &values)
    };
    let pace = format!("{:.1} / {}", number.pace, number.pace_max);
    html! {
        section.card {
            div.spread {
                h2 { (ask.t("overview.number")) " " (number.name) }
                @if number.stopped.is_some() {
                    (badge(Tone::Bad, ask.t("overview.stopped")))
                } @else {
                    (badge(Tone::Good, ask.t("overview.sends")))
                }
            }
            @if let Some(stop) = &number.stopped {
                p { (ask.tf("overview.stopped_until", &[("until", &ask.tongue.clock(stop.until)), ("why", &stop.detail)])) }
            }
            dl.facts {
                dt { (ask.t("overview.pace")) }
                dd {
                    progress aria-label=(ask.t("overview.pace")) max=(number.pace_max) value=(format!("{:.1}", number.pace)) {}
                    (ask.tf("overview.per_second", &[("pace", &pace)]))
                }
                dt { (ask.t("overview.recipients")) }
                dd {
                    @if number.recipients_max > 0 {
                        progress aria-label=(ask.t("overview.recipients")) max=(number.recipients_max) value=(number.recipients) {}
                        (of(number.recipients, u64::from(number.recipients_max)))
                    } @else {
                        (ask.tongue.number(number.recipients)) " " span.soft { (ask.t("overview.no_limit")) }
                    }
                }
                dt { (ask.t("overview.waiting")) }
                dd { (queue_text(ask, number, at)) }
                @if let Some(news) = &number.news {
                    dt { (ask.t("overview.provider_says")) }
                    dd {
                        (news.event)
                        @if let Some(limit) = &news.daily_limit { " " (limit) }
                        " " span.soft { (ask.tongue.ago(news.at, at)) }
                    }
                }
            }
        }
    }
}

/// `12 en cola (la más vieja, 3 min), 2 retenidos`.
fn queue_text(ask: &Ask, number: &Number, at: Timestamp) -> String {
    let states =
        [("queued", number.queued), ("sending", number.sending), ("held", number.held), ("unknown", number.unknown)];
    let parts: Vec<String> = states
        .iter()
        .filter(|(_, queue)| queue.depth > 0)
        .map(|(state, queue)| {
            let key = format!("state.{state}");
            let text = format!("{} {}", ask.tongue.number(queue.depth), ask.t(&key));
            match queue.oldest.filter(|oldest| *oldest < at && *state == "queued") {
                Some(oldest) => {
                    let span = ask.tongue.span(at.duration_since(oldest).as_secs());
                    format!("{text} ({})", ask.tf("overview.oldest", &[("span", &span)]))
                }
                None => text,
            }
        })
        .collect();
    if parts.is_empty() { ask.t("overview.nothing_waits").to_owned() } else { parts.join(", ") }
}

/// What history says.
fn figures(ask: &Ask, past: &History, at: Timestamp) -> Markup {
    html! {
        div #history data-poll hx-get="/admin/overview/history" hx-trigger="every 60s" hx-swap="outerHTML" {
            div.columns {
                section.card { (chart(ask, "day", Step::Hour, &past.day)) }
                section.card { (chart(ask, "month", Step::Day, &past.month)) }
            }
            div.columns {
                section.card {
                    h2 { (ask.t("overview.failures")) }
                    (reasons(ask, &past.failures, "overview.no_failures", "/admin/messages?state=failed&"))
                }
                section.card {
                    h2 { (ask.t("overview.skips")) }
                    p.hint { (ask.t("overview.skips_hint")) }
                    (reasons(ask, &past.skips, "overview.no_skips", "/admin/events?"))
                }
            }
            (hooks(ask, past, at))
            p.hint {
                @match past.counted_at {
                    Some(counted) => { (ask.tf("overview.counted", &[("ago", &ask.tongue.ago(counted, at))])) }
                    None => { (ask.t("overview.not_counted")) }
                }
            }
        }
    }
}

/// Reasons with how often; each leads to what it stopped, found by `list`.
fn reasons(ask: &Ask, all: &[Why], none: &str, list: &str) -> Markup {
    if all.is_empty() {
        return super::layout::nothing(ask.t(none));
    }
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { (ask.t("overview.reason")) }
                    th.end scope="col" { (ask.t("overview.last_day")) }
                    th.end scope="col" { (ask.t("overview.last_month")) }
                } }
                tbody {
                    @for why in all {
                        tr {
                            td {
                                // A code that this version does not know cannot be searched for.
                                @if Reason::parse(&why.reason).is_some() {
                                    a href={ (list) "reason=" (why.reason) } { (ask.t(&format!("reason.{}", why.reason))) }
                                    " " small.mono { (why.reason) }
                                } @else { (reason(ask, &why.reason)) }
                            }
                            td.end { (ask.tongue.number(why.day)) }
                            td.end { (ask.tongue.number(why.month)) }
                        }
                    }
                }
            }
        }
    }
}

/// A reason in words, with its code where there are words.
pub(super) fn reason(ask: &Ask, code: &str) -> Markup {
    match ask.tongue.known(&format!("reason.{code}")) {
        Some(words) => html! { (words) " " small.mono { (code) } },
        None if code.is_empty() => html! { (ask.t("overview.no_reason")) },
        None => html! { span.mono { (code) } },
    }
}

fn hooks(ask: &Ask, past: &History, at: Timestamp) -> Markup {
    html! {
        section.card {
            h2 { (ask.t("overview.hooks")) }
            p.hint { (ask.t("overview.hooks_hint")) }
            div.scroll tabindex="0" {
                table.cards {
                    thead { tr {
                        th scope="col" { (ask.t("overview.hook")) }
                        th scope="col" { (ask.t("overview.last_event")) }
                        th.end scope="col" { (ask.t("overview.last_day")) }
                        th scope="col" { (ask.t("overview.usual")) }
                    } }
                    tbody {
                        @for line in &past.hooks {
                            tr {
                                td data-label=(ask.t("overview.hook")) {
                                    a href={ "/admin/events?hook=" (line.hook) } { (line.hook) }
                                    @if !line.used { " " (badge(Tone::Plain, ask.t("overview.unused"))) }
                                }
                                td data-label=(ask.t("overview.last_event")) {
                                    span {
                                        @match line.last_at {
                                            Some(last) => { (ask.tongue.ago(last, at)) }
                                            None => { span.soft { (ask.t("overview.no_event")) } }
                                        }
                                        @if line.is_silent(at) { " " (badge(Tone::Bad, ask.t("overview.silent"))) }
                                    }
                                }
                                td.end data-label=(ask.t("overview.last_day")) { (ask.tongue.number(line.day)) }
                                td data-label=(ask.t("overview.usual")) {
                                    @match line.limit {
                                        Some(limit) => { (ask.tf("overview.up_to", &[("span", &ask.tongue.span(limit.as_secs()))])) }
                                        None => { span.soft { (ask.t("overview.no_rhythm")) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
