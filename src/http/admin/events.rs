//! Owns: events: search, and what came of one.

use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get, post};
use super::layout::{self, field, nothing, older, state};
use super::messages::{reason, reasons, table as message_table};
use super::naming;
use crate::admin::events::{self, Whole};
use crate::admin::names::Names;
use crate::admin::wish::PAGE_ROWS;
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::hookpoint::Subject;
use crate::ops::change;
use crate::ops::events::ProcessAgain;
use crate::store::search_events::{EventRow, EventState};
use crate::store::trail::SkipLine;

const AT: &str = "/admin/events";

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/events", Role::Viewer, |ask| Box::pin(async move { list(&ask).await })),
    get("/events/:id", Role::Viewer, |ask| Box::pin(async move { one(&ask).await })),
    post("/events/:id/again", Role::Operator, |ask| {
        Box::pin(async move {
            let id = ask.param(0).to_owned();
            change(&ask.desk, &ask.who, ProcessAgain { id: id.clone() }).await?;
            Answer::done(&format!("{AT}/{id}"), "event_again")
        })
    }),
];

async fn list(ask: &Ask) -> Result<Answer, AdminError> {
    let get = |name: &str| ask.query.get(name).map(str::to_owned);
    let search = match ask.desk.event_search(&get, PAGE_ROWS) {
        Ok(search) => search,
        Err(AdminError::Invalid(mistakes)) => {
            let body = html! { h1 { (ask.t("events.title")) } (form(ask, &mistakes)) };
            return Answer::again(AT, ask.t("events.title"), body);
        }
        Err(other) => return Err(other),
    };
    let found = events::list(&ask.desk, &search).await?;
    let next = found.next.as_ref().map(ToString::to_string);
    let body = html! {
        h1 { (ask.t("events.title")) }
        (form(ask, &[]))
        @if let Some(until) = found.looked_until {
            p.notice { (ask.tf("messages.looked", &[("until", &ask.localizer.clock(until))])) }
        }
        @if found.items.is_empty() { (nothing(ask.t("list.nothing"))) } @else { (table(ask, &found.items)) }
        (older(ask, AT, next.as_deref()))
    };
    Answer::page(AT, ask.t("events.title"), body)
}

fn form(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    let input = |name: &str, kind: &str| {
        html! { input id=(name) name=(name) type=(kind) value=(ask.query.text(name)); }
    };
    html! {
        form.search method="get" action=(AT) {
            (field(ask, mistakes, "hook", ask.t("events.hook"), None, input("hook", "text")))
            (field(ask, mistakes, "client", ask.t("messages.client"), None, input("client", "text")))
            (field(ask, mistakes, "state", ask.t("messages.state"), None, html! {
                select id="state" name="state" {
                    option value="" { (ask.t("form.all")) }
                    @for one in EventState::ALL {
                        option value=(one) selected[ask.query.get("state") == Some(one.code())] {
                            (ask.t(&format!("state.{one}")))
                        }
                    }
                }
            }))
            (field(ask, mistakes, "reason", ask.t("messages.reason"), None, reasons(ask)))
            (field(ask, mistakes, "since", ask.t("messages.since"), None, input("since", "date")))
            (field(ask, mistakes, "until", ask.t("messages.until"), None, input("until", "date")))
            button type="submit" { (ask.t("form.search")) }
            a.button href=(AT) { (ask.t("messages.clear")) }
        }
    }
}

fn table(ask: &Ask, all: &[EventRow]) -> Markup {
    html! {
        div.scroll {
            table.cards {
                thead { tr {
                    @for key in ["events.received", "events.hook", "events.source", "messages.state"] {
                        th scope="col" { (ask.t(key)) }
                    }
                } }
                tbody {
                    @for e in all {
                        tr {
                            td data-label=(ask.t("events.received")) {
                                a href={ (AT) "/" (e.id) } { (ask.time(e.received_at)) span.hidden { ": " (ask.t("events.show")) } }
                            }
                            td data-label=(ask.t("events.hook")) { span.mono { (e.hook) } }
                            td data-label=(ask.t("events.source")) { (e.source) }
                            td data-label=(ask.t("messages.state")) { (state(ask, &e.state)) }
                        }
                    }
                }
            }
        }
    }
}

async fn one(ask: &Ask) -> Result<Answer, AdminError> {
    let whole = events::whole(&ask.desk, &events::id(ask.param(0))?).await?;
    let e = &whole.trail;
    let clients = e.messages.iter().map(|m| m.client_id).chain(e.skips.iter().filter_map(|s| s.client_id));
    let about = e.messages.iter().map(|m| Subject::parse(&m.subject));
    let names = naming::of_page(ask, clients, about).await;
    let body = html! {
        h1 { (e.hook) " " (state(ask, &e.state)) }
        section.card {
            dl.facts {
                dt { (ask.t("messages.event")) } dd { span.mono { (e.id) } }
                dt { (ask.t("events.source")) } dd { (e.source) }
                dt { (ask.t("events.occurred")) } dd { (ask.time(e.occurred_at)) }
                dt { (ask.t("events.received")) } dd { (ask.time(e.received_at)) }
                @if let Some(at) = e.processed_at { dt { (ask.t("events.processed")) } dd { (ask.time(at)) } }
            }
            @if let Some((n, at, error)) = &e.waiting {
                p.notice.waiting {
                    (ask.tf("events.waiting", &[("n", n), ("at", &ask.localizer.clock(*at))]))
                    @if let Some(error) = error { " " (error) }
                }
            }
            @if e.state == "failed" && ask.may(Role::Operator) {
                (ask.form_to(&format!("{AT}/{}/again", e.id), html! {
                    button type="submit" data-ask=(ask.t("events.again_ask")) { (ask.t("events.again")) }
                }))
            }
        }
        section.card {
            h2 { (ask.t("events.skips")) }
            @if e.skips.is_empty() { (nothing(ask.t("events.no_skips"))) } @else { (skips(ask, &whole, &names)) }
        }
        @if !e.messages.is_empty() { section.card { h2 { (ask.t("events.messages")) } (message_table(ask, &e.messages, &names, false)) } }
        (said(ask, &whole))
    };
    Answer::page(AT, e.hook.clone(), body)
}

fn skips(ask: &Ask, whole: &Whole, names: &Names) -> Markup {
    html! {
        ul.plain {
            @for s in &whole.trail.skips {
                li {
                    @if let Some(hookpoint) = &s.hookpoint { (layout::alert_title(ask, hookpoint)) " " small.mono { (hookpoint) } ": " }
                    (reason(ask, &s.reason))
                    @if let Some(client) = s.client_id { " " span.soft { (naming::client(ask, names, client)) } }
                    @if let Some(detail) = &s.detail { br; small { (detail) } }
                    @if let Some(path) = decisions(s) { " " a href=(path) { (ask.t("rule.tab_decisions")) } }
                }
            }
        }
    }
}

/// Where the decision behind a reason is found.
fn decisions(skip: &SkipLine) -> Option<String> {
    match skip.reason.as_str() {
        "decision_missed" => Some("/admin/rules/missed".to_owned()),
        "cancellation_refused" => Some(match skip.client_id {
            Some(client) => format!("/admin/rules/decisions?client={client}"),
            None => "/admin/rules/decisions?rule=cancellation".to_owned(),
        }),
        _ => None,
    }
}

/// What the hook said: for operators, since it may hold what people wrote.
fn said(ask: &Ask, whole: &Whole) -> Markup {
    html! {
        @if let Some(told) = whole.told.as_ref().filter(|_| ask.may(Role::Operator)) {
            section.card {
                h2 { (ask.t("events.said")) }
                dl.facts {
                    @for (name, value) in &told.event.fields { dt { (name) } dd { (value.as_text().map_or_else(|| value.as_id().map(|id| id.to_string()).unwrap_or_default(), str::to_owned)) } }
                }
            }
        }
    }
}
