//! Owns: what stands on the first page: is all well, at a glance. Two parts renew themselves: how things stand every ten
//! seconds, what history says every minute.

mod chart;

use jiff::Timestamp;
use maud::{Markup, html};

use self::chart::{Step, chart};
use super::ask::{Answer, Ask, Page, get, post};
use super::layout::{Tone, badge};
use crate::admin::overview::need::{Kind, Need, Value, of_stub};
use crate::admin::overview::{History, Number, Overview, Queue, Why, history, now, take_note};
use crate::domain::admin::Role;
use crate::domain::heartbeat::{Received, Trouble};
use crate::domain::reason::Reason;
use crate::i18n::Localizer;

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
    post("/overview/seen/:code", Role::Operator, |ask| {
        Box::pin(async move {
            take_note(&ask.desk, &ask.who, ask.param(0)).await?;
            Answer::done("/admin", "saved")
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
            (instances(ask, state))
        }
    }
}

/// The instances that run, and how each says it is.
fn instances(ask: &Ask, state: &Overview) -> Markup {
    html! {
        section.card id="instances" {
            h2 { (ask.t("overview.instances")) }
            p.hint { (ask.t("overview.instances_hint")) }
            @if state.instances.is_empty() { p { (badge(Tone::Bad, ask.t("overview.no_instance"))) } }
            @for one in &state.instances {
                p {
                    span.mono { (short(&one.name)) } " "
                    @if one.report.is_ready() { (badge(Tone::Good, ask.t("overview.ready"))) }
                    @else { (badge(Tone::Bad, ask.t("overview.not_ready"))) }
                    " " span.soft { (ask.tf("overview.since", &[("at", &ask.localizer.clock(one.started_at))])) }
                    @for problem in &one.report.problems {
                        br; (ask.t(&format!("overview.finding_{}", problem.finding))) ": " (problem.detail)
                    }
                    @for (what, n) in one.report.counts().into_iter().filter(|(_, n)| *n > 0) {
                        br; (ask.localizer.number(n)) " " (ask.t(&format!("overview.counted_{what}")))
                    }
                    @if !one.report.settings.is_empty() { br; span.mono { (one.report.settings.join(", ")) } }
                }
            }
        }
    }
}

/// A name without the part that only machines need.
fn short(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(machine, _)| machine)
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
                        (need_text(&ask.localizer, need, state.at)) " "
                        @if let Some(since) = need.since.filter(|_| !says_since(need.kind)) {
                            span.soft { (ask.tf("overview.since", &[("at", &ask.localizer.clock(since))])) } " "
                        }
                        a id={ "need-" (index) } href=(need_path(need)) { (ask.t(&format!("overview.to_{}", to(need)))) }
                        @if need.kind.is_past() && ask.may(Role::Operator) {
                            " " (ask.form_to(&format!("/admin/overview/seen/{}", need.code()), html! {
                                button.link type="submit" { (ask.t("overview.take_note")) }
                            }))
                        }
                    }
                }
            }
        }
    }
}

/// Whether its sentence says since when.
fn says_since(kind: Kind) -> bool {
    matches!(kind, Kind::InboxOld | Kind::OutboxOld | Kind::Waiting | Kind::Silent | Kind::NotCounted) || is_stubs(kind)
}

fn is_stubs(kind: Kind) -> bool {
    kind.code().starts_with("stub_")
}

/// Under which name the words of its link are kept.
fn to(need: &Need) -> &'static str {
    if is_stubs(need.kind) { "stub" } else { need.code() }
}

/// What is wrong with a stub, and what to do.
pub(super) fn stub_text(ask: &Ask, trouble: Trouble, last: &Received, at: Timestamp) -> String {
    need_text(&ask.localizer, &of_stub(trouble, last), at)
}

/// A need's sentence.
pub(super) fn need_text(localizer: &Localizer, need: &Need, at: Timestamp) -> String {
    let key = format!("overview.need_{}", need.code());
    need.values().fold(localizer.t(&key).to_owned(), |text, (name, value)| {
        let value = match value {
            Value::Text(text) => text,
            Value::Number(n) => localizer.number(n),
            Value::Clock(at) => localizer.clock(at),
            Value::Ago(then) => {
                then.map_or_else(|| localizer.t("overview.never").to_owned(), |then| localizer.ago(then, at))
            }
            Value::Span(then) => localizer.span(at.duration_since(then).as_secs()),
            Value::Reason(reason) => localizer.t(&format!("reason.{reason}")).to_owned(),
            Value::Reasons(all) => {
                let one = |(reason, n): &(Reason, u64)| {
                    format!("{} {}", localizer.number(*n), localizer.t(&format!("reason.{reason}")))
                };
                all.iter().map(one).collect::<Vec<_>>().join(", ")
            }
        };
        text.replace(&format!("{{{name}}}"), &value)
    })
}

/// Where it is mended, or more is seen.
#[must_use]
pub fn need_path(need: &Need) -> String {
    let path = match need.kind {
        Kind::Stopped | Kind::NearLimit | Kind::NumberGone => "/admin/settings/numbers",
        Kind::Held => "/admin/holds",
        Kind::Restored => "/admin/settings/restored",
        Kind::Unknown => "/admin/messages?state=unknown",
        Kind::InboxOld => "/admin/events?state=received",
        Kind::OutboxOld | Kind::Waiting => "/admin/messages?state=queued",
        Kind::EventsFailed => "/admin/events?state=failed",
        Kind::Failing => "/admin/messages?state=failed",
        // The most frequent reason leads there; the list can be searched for the others.
        Kind::Lost => return need.values.iter().find_map(most).unwrap_or_else(|| "/admin/messages".to_owned()),
        Kind::TextsHeld | Kind::Drafts => "/admin/templates",
        Kind::LeftOut => "/admin/hookpoints",
        Kind::Missed => "/admin/rules/missed",
        Kind::Refused
        | Kind::StubSilent
        | Kind::StubFault
        | Kind::StubSkewed
        | Kind::StubWaits
        | Kind::StubLost
        | Kind::StubAside
        | Kind::StubHooks
        | Kind::StubOld => "/admin/settings/sources",
        Kind::Replies => "/admin/replies?which=unseen",
        Kind::NumberChanged => "/admin/phones/moved",
        Kind::Silent => "/admin#hooks",
        Kind::ReadOnly
        | Kind::TaskMissing
        | Kind::NotCounted
        | Kind::SweepLate
        | Kind::Caught
        | Kind::LogDropped
        | Kind::Corrected => "/admin#instances",
        Kind::NoticesFail => "/admin/settings/notices",
    };
    path.to_owned()
}

fn most((_, value): &(&'static str, Value)) -> Option<String> {
    let Value::Reasons(all) = value else { return None };
    Some(format!("/admin/messages?reason={}", all.first()?.0))
}

fn tile(ask: &Ask, what: &str, queue: Queue, path: &str, at: Timestamp) -> Markup {
    let name = ask.localizer.known(&format!("overview.tile_{what}")).unwrap_or_default();
    html! {
        div.tile {
            span.soft { (name) }
            b { (ask.localizer.number(queue.depth)) }
            @if queue.depth > 0 {
                small {
                    // What is queued for later is not late.
                    @if let Some(oldest) = queue.oldest.filter(|oldest| *oldest < at && what != "held" && what != "unknown") {
                        (ask.tf("overview.oldest", &[("span", &ask.localizer.span(at.duration_since(oldest).as_secs()))])) " · "
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
            [("n", &ask.localizer.number(n)), ("max", &ask.localizer.number(max))];
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
                p { (ask.tf("overview.stopped_until", &[("until", &ask.localizer.clock(stop.until)), ("why", &stop.detail)])) }
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
                        (ask.localizer.number(number.recipients)) " " span.soft { (ask.t("overview.no_limit")) }
                    }
                }
                dt { (ask.t("overview.waiting")) }
                dd { (queue_text(ask, number, at)) }
                @if let Some(news) = &number.news {
                    dt { (ask.t("overview.provider_says")) }
                    dd {
                        (news.event)
                        @if let Some(limit) = &news.daily_limit { " " (limit) }
                        " " span.soft { (ask.localizer.ago(news.at, at)) }
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
            let text = format!("{} {}", ask.localizer.number(queue.depth), ask.t(&key));
            match queue.oldest.filter(|oldest| *oldest < at && *state == "queued") {
                Some(oldest) => {
                    let span = ask.localizer.span(at.duration_since(oldest).as_secs());
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
                    Some(counted) => { (ask.tf("overview.counted", &[("ago", &ask.localizer.ago(counted, at))])) }
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
                            td.end { (ask.localizer.number(why.day)) }
                            td.end { (ask.localizer.number(why.month)) }
                        }
                    }
                }
            }
        }
    }
}

/// A reason in words, with its code where there are words.
pub(super) fn reason(ask: &Ask, code: &str) -> Markup {
    match ask.localizer.known(&format!("reason.{code}")) {
        Some(words) => html! { (words) " " small.mono { (code) } },
        None if code.is_empty() => html! { (ask.t("overview.no_reason")) },
        None => html! { span.mono { (code) } },
    }
}

fn hooks(ask: &Ask, past: &History, at: Timestamp) -> Markup {
    html! {
        section.card id="hooks" {
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
                                            Some(last) => { (ask.localizer.ago(last, at)) }
                                            None => { span.soft { (ask.t("overview.no_event")) } }
                                        }
                                        @if line.is_silent(at) { " " (badge(Tone::Bad, ask.t("overview.silent"))) }
                                    }
                                }
                                td.end data-label=(ask.t("overview.last_day")) { (ask.localizer.number(line.day)) }
                                td data-label=(ask.t("overview.usual")) {
                                    @match line.limit {
                                        Some(limit) => { (ask.tf("overview.up_to", &[("span", &ask.localizer.span(limit.as_secs()))])) }
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
