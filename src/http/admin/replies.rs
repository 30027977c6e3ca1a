//! Owns: the page of what clients answered.

use maud::{Markup, html};

use super::ask::{Answer, Answering, Ask, Page, get, post};
use super::layout::{Tone, alert_title, badge, nothing, older};
use super::naming;
use crate::admin::names::Names;
use crate::admin::{AdminError, replies};
use crate::domain::admin::Role;
use crate::domain::consent::Meaning;
use crate::store::replies::{ReplyFilter, ReplyLine, Seen};

const HERE: &str = "/admin/replies";
const ROWS: usize = 50;

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/replies", Role::Viewer, |ask| Box::pin(async move { show(&ask).await })),
    post("/replies/:id/seen", Role::Operator, |ask| one_seen(ask, Seen::One)),
    post("/replies/:id/all-seen", Role::Operator, |ask| one_seen(ask, Seen::UpTo)),
];

fn filter(ask: &Ask) -> ReplyFilter {
    ReplyFilter {
        unseen: ask.query.get("which") == Some("unseen"),
        meaning: ask.query.get("meaning").and_then(Meaning::parse),
        client_id: ask.query.get("client").and_then(|id| id.parse().ok()),
        before: ask.query.get("before").and_then(|id| id.parse().ok()),
        limit: ROWS,
    }
}

async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let (all, next) = replies::list(&ask.desk, &ask.who, &filter(ask)).await?;
    let names = naming::of_page(ask, all.iter().filter_map(|one| one.client_id), []).await;
    let next = next.map(|id| id.to_string());
    let newest = all.first().map(|one| one.id);
    let unread = all.iter().any(|one| one.seen_at.is_none());
    let days = ask.desk.config.retention.reply_days;
    let body = html! {
        h1 { (ask.t("replies.title")) }
        p.soft {
            (ask.t("replies.about")) " "
            @if days > 0 { (ask.tf("replies.kept", &[("days", &days)])) }
        }
        (search(ask))
        @if ask.may(Role::Operator) && unread && ask.query.get("before").is_none() && let Some(newest) = newest {
            (ask.button(&format!("{HERE}/{newest}/all-seen"), "plain", ask.t("replies.all_seen")))
        }
        @if all.is_empty() { (nothing(ask.t("replies.nothing"))) } @else {
            div.scroll tabindex="0" { table.cards {
                thead { tr {
                    @for head in ["at", "who", "text", "alert", "meaning"] { th { (ask.t(&format!("replies.{head}"))) } }
                    th { span.hidden { (ask.t("replies.seen")) } }
                } }
                tbody { @for one in &all { (row(ask, one, &names)) } }
            } }
        }
        (older(ask, HERE, next.as_deref()))
    };
    Answer::page(HERE, ask.t("replies.title"), body)
}

fn search(ask: &Ask) -> Markup {
    let chosen = ask.query.get("meaning");
    html! {
        form.search method="get" action=(HERE) role="search" {
            div.field {
                label for="which" { (ask.t("replies.which")) }
                select id="which" name="which" {
                    option value="" { (ask.t("form.all")) }
                    option value="unseen" selected[ask.query.get("which") == Some("unseen")] { (ask.t("replies.unseen")) }
                }
            }
            div.field {
                label for="meaning" { (ask.t("replies.meaning")) }
                select id="meaning" name="meaning" {
                    option value="" { (ask.t("form.all")) }
                    @for one in Meaning::ALL {
                        option value=(one.code()) selected[chosen == Some(one.code())] { (ask.t(&format!("replies.means_{one}"))) }
                    }
                }
            }
            div.field {
                label for="client" { (ask.t("consent.client")) }
                input id="client" name="client" inputmode="numeric" value=(ask.query.text("client"));
            }
            button.main type="submit" { (ask.t("form.search")) }
        }
    }
}

fn row(ask: &Ask, one: &ReplyLine, names: &Names) -> Markup {
    let whole = ask.may(Role::Operator);
    html! {
        tr.unread[one.seen_at.is_none()] {
            td.nowrap data-label=(ask.t("replies.at")) { (ask.time(one.at)) }
            td data-label=(ask.t("replies.who")) { (writer(ask, one, whole, names)) }
            // What somebody wrote is shown to who has to judge it.
            td data-label=(ask.t("replies.text")) {
                @if !whole { span.soft { (ask.t("replies.masked")) } }
                @else if one.text.is_empty() { span.soft { (ask.t(&format!("replies.kind_{}", one.kind))) } }
                @else { bdi { (one.text) } }
            }
            td data-label=(ask.t("replies.alert")) {
                @if let Some(id) = one.message_id {
                    a href={ "/admin/messages/" (id) } {
                        @match one.hookpoint.as_deref() {
                            Some(hookpoint) => (alert_title(ask, hookpoint)),
                            None => (ask.t("replies.alert_gone")),
                        }
                    }
                } @else { "–" }
            }
            td data-label=(ask.t("replies.meaning")) { (meaning(ask, one)) }
            td {
                @if let Some(at) = one.seen_at {
                    small { (ask.tf("replies.seen_by", &[("who", &one.seen_by.as_deref().unwrap_or("–"))])) " " (ask.time(at)) }
                } @else if whole {
                    (ask.button(&format!("{HERE}/{}/seen", one.id), "plain", ask.t("replies.seen")))
                } @else { small { (ask.t("replies.unseen")) } }
            }
        }
    }
}

fn writer(ask: &Ask, one: &ReplyLine, whole: bool, names: &Names) -> Markup {
    let number = one.from.as_ref().map(|from| if whole { from.as_str().to_owned() } else { from.masked() });
    let user = one.user_id.as_ref().map(|user| if whole { user.as_str().to_owned() } else { user.masked() });
    html! {
        @if let Some(number) = number { bdi { (number) } } @else if let Some(user) = user { bdi.mono { (user) } } @else { "–" }
        @if let Some(client) = one.client_id { br; small { (naming::client(ask, names, client)) " " a href={ "/admin/why?client=" (client) } { (ask.t("phones.why")) } } }
    }
}

fn meaning(ask: &Ask, one: &ReplyLine) -> Markup {
    let tone = match one.meaning {
        Meaning::Near => Tone::Waiting,
        Meaning::OptOut if !one.matched => Tone::Bad,
        Meaning::Other => Tone::Plain,
        _ => Tone::Good,
    };
    html! {
        (badge(tone, ask.t(&format!("replies.means_{}", one.meaning))))
        @if one.meaning == Meaning::OptOut && !one.matched { br; small { (ask.t("replies.unmatched")) } }
        @if let Some(id) = one.confirmation_id { br; small { a href={ "/admin/messages/" (id) } { (ask.t("replies.confirmed")) } } }
        @else if let Some(reason) = &one.outcome { br; small { (ask.t("replies.unconfirmed")) ": " (ask.t(&format!("reason.{reason}"))) } }
    }
}

fn one_seen(ask: Ask, which: fn(u64) -> Seen) -> Answering {
    Box::pin(async move {
        let id = ask.param(0).parse().map_err(|_| AdminError::NotFound("reply"))?;
        replies::seen(&ask.desk, &ask.who, which(id)).await?;
        Answer::done(HERE, "replies_seen")
    })
}
