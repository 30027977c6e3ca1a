//! Owns: messages: search, a message's whole way, what an operator may do about it.

mod retry;

use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get, post};
use super::layout::{alert, alert_title, field, nothing, older, state};
use super::naming;
use crate::admin::messages::{self, Whole};
use crate::admin::names::Names;
use crate::admin::wish::PAGE_ROWS;
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::event::SWEEP;
use crate::domain::hookpoint::Subject;
use crate::domain::message::Standing;
use crate::domain::reason::Reason;
use crate::ops::messages::{CancelMessage, ResendMessage, SettleMessage, Verdict};
use crate::ops::{Code, act, change};
use crate::store::trail::MessageTrail;

const AT: &str = "/admin/messages";

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/messages", Role::Viewer, |ask| Box::pin(async move { list(&ask).await })),
    get("/messages/retry", Role::Operator, |ask| Box::pin(async move { retry::confirm(&ask).await })),
    post("/messages/retry", Role::Operator, |ask| Box::pin(async move { retry::run(&ask).await })),
    get("/messages/:id", Role::Viewer, |ask| Box::pin(async move { one(&ask).await })),
    post("/messages/:id/resend", Role::Operator, |ask| {
        Box::pin(async move {
            let resend = ResendMessage { id: ask.param(0).to_owned(), twice: ask.form.ticked("twice") };
            let new = act(&ask.desk, &ask.who, resend).await?.message;
            Answer::done(&format!("{AT}/{new}"), "message_resent")
        })
    }),
    post("/messages/:id/cancel", Role::Operator, |ask| {
        Box::pin(async move {
            let id = ask.param(0).to_owned();
            change(&ask.desk, &ask.who, CancelMessage { id: id.clone() }).await?;
            Answer::done(&format!("{AT}/{id}"), "message_cancelled")
        })
    }),
    post("/messages/:id/settle", Role::Operator, |ask| {
        Box::pin(async move {
            let id = ask.param(0).to_owned();
            let verdict = Verdict::parse(ask.form.text("verdict"));
            let verdict = verdict.ok_or_else(|| AdminError::invalid("verdict", "form.unknown"))?;
            change(&ask.desk, &ask.who, SettleMessage { id: id.clone(), verdict: Code(verdict) }).await?;
            Answer::done(&format!("{AT}/{id}"), "message_settled")
        })
    }),
];

async fn list(ask: &Ask) -> Result<Answer, AdminError> {
    let get = |name: &str| ask.query.get(name).map(str::to_owned);
    let search = match ask.desk.message_search(&get, PAGE_ROWS).await {
        Ok(search) => search,
        Err(AdminError::Invalid(mistakes)) => {
            let body = html! { h1 { (ask.t("messages.title")) } (form(ask, &mistakes)) };
            return Answer::again(AT, ask.t("messages.title"), body);
        }
        Err(other) => return Err(other),
    };
    let found = messages::list(&ask.desk, &search).await?;
    let next = found.next.as_ref().map(ToString::to_string);
    let body = html! {
        h1 { (ask.t("messages.title")) }
        (form(ask, &[]))
        @if let Some(until) = found.looked_until {
            p.notice { (ask.tf("messages.looked", &[("until", &ask.localizer.clock(until))])) }
        }
        @if found.items.is_empty() { (nothing(ask.t("list.nothing"))) } @else {
            (table(ask, &found.items, &names(ask, &found.items).await, ask.may(Role::Operator)))
            (retry::offer(ask, search.state, found.items.iter().any(MessageTrail::is_over)))
        }
        (older(ask, AT, next.as_deref()))
    };
    Answer::page(AT, ask.t("messages.title"), body)
}

fn form(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    let input = |name: &str, kind: &str| {
        html! { input id=(name) name=(name) type=(kind) value=(ask.query.text(name)); }
    };
    html! {
        form.search method="get" action=(AT) {
            (field(ask, mistakes, "client", ask.t("messages.client"), None, input("client", "text")))
            (field(ask, mistakes, "phone", ask.t("messages.phone"), Some(ask.t("messages.phone_hint")), input("phone", "text")))
            (field(ask, mistakes, "invoice", ask.t("messages.invoice"), None, input("invoice", "text")))
            (field(ask, mistakes, "hookpoint", ask.t("messages.hookpoint"), None, input("hookpoint", "text")))
            (field(ask, mistakes, "state", ask.t("messages.state"), None, html! {
                select id="state" name="state" {
                    option value="" { (ask.t("form.all")) }
                    @for one in Standing::ALL {
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

/// All reasons, to choose one.
pub(super) fn reasons(ask: &Ask) -> Markup {
    html! {
        select id="reason" name="reason" {
            option value="" { (ask.t("form.all")) }
            @for one in Reason::ALL {
                option value=(one) selected[ask.query.get("reason") == Some(one.code())] { (reason(ask, one.code())) }
            }
        }
    }
}

/// A reason in words.
pub(super) fn reason<'a>(ask: &Ask, code: &'a str) -> &'a str {
    ask.localizer.known(&format!("reason.{code}")).unwrap_or(code)
}

/// What those are called whom messages went to, and what they are about.
pub(super) async fn names(ask: &Ask, all: &[MessageTrail]) -> Names {
    let subjects = all.iter().map(|m| Subject::parse(&m.subject));
    naming::of_page(ask, all.iter().map(|m| m.client_id), subjects).await
}

/// Messages, one a row; with boxes to choose those that can be sent again, if `to_choose`.
pub(super) fn table(ask: &Ask, all: &[MessageTrail], names: &Names, to_choose: bool) -> Markup {
    let to_choose = to_choose && all.iter().any(MessageTrail::is_over);
    html! {
        div.scroll {
            table.cards {
                thead { tr {
                    @for key in ["messages.when", "messages.hookpoint", "messages.to", "messages.about", "messages.state"] {
                        th scope="col" { (ask.t(key)) }
                    }
                    @if to_choose { th scope="col" { (ask.t("messages.retry_mark")) } }
                } }
                tbody {
                    @for m in all {
                        tr {
                            td data-label=(ask.t("messages.when")) {
                                a href={ (AT) "/" (m.id) } { (ask.time(m.created_at)) span.hidden { ": " (ask.t("messages.show")) } }
                            }
                            td data-label=(ask.t("messages.hookpoint")) { (alert(ask, &m.hookpoint)) }
                            td data-label=(ask.t("messages.to")) {
                                span { (naming::client(ask, names, m.client_id)) br; bdi.mono { (m.to.masked()) } }
                            }
                            td data-label=(ask.t("messages.about")) { (naming::about(ask, names, &m.subject, m.client_id)) }
                            td data-label=(ask.t("messages.state")) {
                                span {
                                    (state(ask, m.standing()))
                                    @if let Some(code) = &m.reason { br; small { (reason(ask, code)) } }
                                }
                            }
                            @if to_choose {
                                @if m.is_over() {
                                    td data-label=(ask.t("messages.retry_mark")) { (retry::tick(ask, m.id)) }
                                } @else { td {} }
                            }
                        }
                    }
                }
            }
        }
    }
}

async fn one(ask: &Ask) -> Result<Answer, AdminError> {
    let whole = messages::whole(&ask.desk, messages::id(ask.param(0))?).await?;
    let m = &whole.message;
    let class = format!("class.{}", m.class);
    let names = names(ask, std::slice::from_ref(m)).await;
    let body = html! {
        h1 { (alert_title(ask, &m.hookpoint)) " " (state(ask, m.standing())) }
        @if let Some(code) = &m.reason {
            @let failed = m.stands() == Standing::Failed || m.standing() == "failed";
            p.notice.bad[failed] {
                strong { (reason(ask, code)) }
                @if let Some(advice) = advice(ask, m) { " " (advice) }
                @if let Some(detail) = &m.detail { br; small { (detail) } }
            }
        }
        div.columns {
            section.card {
                h2 { (ask.t("messages.text")) }
                div.bubble { (m.text) }
                dl.facts {
                    dt { (ask.t("messages.hookpoint")) }
                    dd { a.mono href={ "/admin/hookpoints/" (m.hookpoint) } { (m.hookpoint) } }
                    dt { (ask.t("messages.to")) }
                    dd {
                        (naming::client(ask, &names, m.client_id)) " "
                        @if let Some(contact) = m.contact_id { (ask.tf("messages.contact_n", &[("id", &contact)])) " " }
                        bdi.mono { @if ask.may(Role::Operator) { (m.to.as_str()) } @else { (m.to.masked()) } }
                        " " a href={ (AT) "?client=" (m.client_id) } { (ask.t("messages.his")) }
                    }
                    dt { (ask.t("messages.about")) } dd { (naming::about(ask, &names, &m.subject, m.client_id)) }
                    dt { (ask.t("messages.event")) }
                    dd { @if whole.event.is_some() { a.mono href={ "/admin/events/" (m.event_id) } { (m.event_id) } } @else { (m.event_id) } }
                    dt { (ask.t("messages.language")) } dd { (m.language) }
                    dt { (ask.t("messages.class")) } dd { (ask.t(&class)) }
                    dt { (ask.t("messages.lane")) } dd { (m.lane) }
                    dt { (ask.t("messages.expires")) } dd { (ask.time(m.expires_at)) }
                    @if let Some(at) = m.rewritten_at { dt { (ask.t("messages.rewritten")) } dd { (ask.time(at)) } }
                }
                @if let Some(first) = m.resend_of { p { a href={ (AT) "/" (first) } { (ask.t("messages.resend_of")) } } }
                @if let Some(new) = whole.resent_as { p { a href={ (AT) "/" (new) } { (ask.t("messages.resent_as")) } } }
                @if ask.may(Role::Operator) { (deeds(ask, &whole)) }
            }
            section.card { h2 { (ask.t("messages.way")) } (way(ask, &whole)) }
        }
        p { a href=(AT) { (ask.t("messages.back")) } }
    };
    Answer::page(AT, alert_title(ask, &m.hookpoint), body)
}

/// What to do about the provider's code, where we know.
fn advice(ask: &Ask, m: &MessageTrail) -> Option<&'static str> {
    let told = m.receipts.iter().rev().find_map(|receipt| receipt.code);
    let code = told.or_else(|| m.attempts.iter().rev().find_map(|attempt| attempt.code))?;
    ask.localizer.known(&format!("code.c{code}"))
}

fn way(ask: &Ask, whole: &Whole) -> Markup {
    let m = &whole.message;
    html! {
        ol.trail {
            @if let Some(told) = &whole.event {
                @if told.event.source == SWEEP {
                    li.good { (ask.t("messages.found")) br; small { (ask.time(told.received_at)) } }
                } @else {
                    li.good { (ask.tf("messages.fired", &[("hook", &told.event.hook)])) br; small { (ask.time(told.event.occurred_at)) } }
                    li.good { (ask.tf("messages.received", &[("source", &told.event.source)])) br; small { (ask.time(told.received_at)) } }
                }
            }
            li.good { (ask.t("messages.queued")) br; small { (ask.time(m.created_at)) } }
            @if m.snoozes > 0 { li.waiting { (ask.tf("messages.snoozed", &[("n", &m.snoozes)])) } }
            @for a in &m.attempts {
                li.good[a.outcome == "accepted"].bad[a.outcome != "accepted"] {
                    (ask.t("messages.attempt")) ": "
                    (ask.localizer.known(&format!("messages.attempt_{}", a.outcome)).unwrap_or(&a.outcome))
                    @if let Some(code) = a.code { " (" (ask.tf("messages.code", &[("code", &code)])) ")" }
                    @if let Some(detail) = &a.detail { br; (detail) }
                    br; small { (ask.time(a.started_at)) }
                }
            }
            @for r in &m.receipts {
                li.good[r.status != "failed"].bad[r.status == "failed"] {
                    (ask.localizer.known(&format!("messages.receipt_{}", r.status)).unwrap_or(&r.status))
                    @if let Some(code) = r.code { " (" (ask.tf("messages.code", &[("code", &code)])) ")" }
                    br; small { (ask.time(r.at)) }
                }
            }
            @if let Some(at) = m.run_at.filter(|_| m.stands().is_open()) {
                li.waiting { (ask.tf("messages.next", &[("at", &ask.localizer.clock(at))])) }
            }
        }
    }
}

/// What an operator may do about it now.
fn deeds(ask: &Ask, whole: &Whole) -> Markup {
    let m = &whole.message;
    let to = |deed: &str| format!("{AT}/{}/{deed}", m.id);
    let verdict = |verdict: Verdict, question: Option<&str>| {
        html! { button type="submit" name="verdict" value=(verdict) data-ask=[question] { (ask.t(&format!("messages.{verdict}"))) } " " }
    };
    html! {
        @if m.is_over() && whole.resent_as.is_none() {
            (ask.form_to(&to("resend"), html! {
                @if m.may_have_arrived() {
                    p { label { input type="checkbox" name="twice" required; " " (ask.t("messages.twice")) } }
                }
                button type="submit" data-ask=(ask.t("messages.resend_ask")) { (ask.t("messages.resend")) }
            }))
        }
        @if matches!(m.stands(), Standing::Queued | Standing::Held) {
            (ask.form_to(&to("cancel"), html! {
                button type="submit" data-ask=(ask.t("messages.cancel_ask")) { (ask.t("messages.cancel")) }
            }))
        }
        @if m.stands() == Standing::Unknown {
            h2 { (ask.t("messages.settle")) }
            p.hint { (ask.t("messages.settle_hint")) }
            (ask.form_to(&to("settle"), html! {
                (verdict(Verdict::Arrived, None))
                (verdict(Verdict::Again, Some(ask.t("messages.again_ask"))))
                (verdict(Verdict::GiveUp, Some(ask.t("messages.give_up_ask"))))
            }))
        }
    }
}
