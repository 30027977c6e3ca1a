//! Owns: the one search: the field on every page, and what it found.

use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get};
use super::layout::{alert_title, nothing, state};
use super::naming;
use crate::admin::AdminError;
use crate::admin::find::{self, CHARS_MAX, Hit, Kind, Unseen};
use crate::domain::admin::Role;
use crate::domain::hookpoint::{Subject, SubjectKind};

const AT: &str = "/admin/find";

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/find", Role::Viewer, |ask| Box::pin(async move { show(&ask).await })),
    // Asked for when the field gets the focus: then the first search does not wait.
    get("/find/warm", Role::Viewer, |ask| {
        Box::pin(async move {
            find::warm(&ask.desk).await;
            Ok(Answer::Part(html! {}))
        })
    }),
];

/// The field in the frame of every page; `/` leads to it.
#[must_use]
pub fn field(ask: &Ask) -> Markup {
    let value = if ask.here.starts_with(AT) { ask.query.text("q") } else { "" };
    html! {
        form.find method="get" action=(AT) role="search" aria-label=(ask.t("find.title")) {
            label.hidden for="find" { (ask.t("find.title")) }
            input id="find" name="q" type="search" maxlength=(CHARS_MAX) value=(value) placeholder=(ask.t("find.placeholder"))
                autocomplete="off" spellcheck="false" aria-keyshortcuts="/" data-find hx-get="/admin/find/warm" hx-trigger="focus once"
                hx-swap="none" hx-params="none";
        }
    }
}

async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let typed = ask.query.text("q");
    let before = ask.query.number("before").ok().flatten();
    let answer = find::find(&ask.desk, &ask.who, typed, before).await?;
    let title = ask.t("find.title");
    let body = html! {
        h1 { (title) }
        @if typed.is_empty() {
            p { (ask.t("find.help")) }
        } @else {
            p.soft role="status" { (ask.tf("find.found", &[("n", &ask.localizer.number(answer.hits() as u64)), ("q", &typed)])) }
            @for one in &answer.unseen { (unseen(ask, *one)) }
            @if answer.groups.is_empty() { (nothing(ask.t("find.nothing"))) }
            div.columns.even {
                @for (kind, hits) in &answer.groups {
                    section.card {
                        h2 { (ask.t(&format!("find.many_{kind}"))) }
                        ul.plain.hits { @for hit in hits { li { (line(ask, hit, &answer)) } } }
                    }
                }
            }
        }
    };
    Answer::page(AT, title, body)
}

fn unseen(ask: &Ask, one: Unseen) -> Markup {
    html! {
        p.notice.waiting {
            (ask.t(&format!("find.unseen_{}", one.code())))
            @if let Unseen::Invoices(from) = one {
                " " a href={ (AT) "?" (ask.query.with("before", &from.to_string())) } { (ask.t("find.further")) }
            }
        }
    }
}

fn line(ask: &Ask, hit: &Hit, answer: &find::Answer) -> Markup {
    let client = hit.client.unwrap_or_default();
    html! {
        a href=(path(hit)) { (called(ask, hit)) }
        @if let Some(subject) = subject(hit) { (naming::out(ask, subject, client)) }
        @if hit.kind == Kind::Client {
            " " small { a href={ "/admin/why?client=" (hit.id) } { (ask.t("find.why")) } }
        }
        @match hit.kind {
            Kind::Message | Kind::Event => { " " (state(ask, &hit.detail)) }
            _ => { @if !hit.detail.is_empty() { br; small { bdi { (hit.detail) } } } }
        }
        @if client > 0 { br; small { (naming::client(ask, &answer.names, client)) } }
        @if let Some(at) = hit.at { br; small { (ask.time(at)) } }
    }
}

fn called(ask: &Ask, hit: &Hit) -> Markup {
    match hit.kind {
        Kind::Message => html! { (alert_title(ask, &hit.title)) },
        Kind::Event => html! { (hit.title) },
        _ if hit.title.is_empty() => html! { "#" (hit.id) },
        _ => html! { bdi { (hit.title) } " · #" (hit.id) },
    }
}

fn subject(hit: &Hit) -> Option<Subject> {
    Some(Subject { kind: SubjectKind::parse(hit.kind.code())?, id: hit.id.parse().ok()? })
}

/// Where more is seen of it.
#[must_use]
pub fn path(hit: &Hit) -> String {
    match hit.kind {
        Kind::Client => format!("/admin/messages?client={}", hit.id),
        Kind::Contact => format!("/admin/messages?client={}", hit.client.unwrap_or_default()),
        Kind::Message => format!("/admin/messages/{}", hit.id),
        Kind::Event => format!("/admin/events/{}", hit.id),
        kind => format!("/admin/messages?subject={kind}:{}", hit.id),
    }
}
