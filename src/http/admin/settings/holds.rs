//! Owns: held alerts, and an operator's word on them.

use maud::{Markup, html};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, nothing};
use super::{head, shown};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::ops::holds::{DiscardHold, Hold, ListHolds, MINUTES, MINUTES_MAX, PostponeHold, ReleaseHold};
use crate::ops::{act, read};
use crate::store::hold::HoldState;

const HERE: &str = "/admin/holds";

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = read(&ask.desk, &ask.who, ListHolds {}).await?.items;
    let body = html! {
        (head(ask, "holds"))
        @if let Some(one) = mistakes.first() { p.notice.bad role="alert" { (ask.t(&one.text)) } }
        @if all.is_empty() { (nothing(ask.t("holds.none"))) }
        @for (n, one) in all.iter().enumerate() { (card(ask, n, one)) }
    };
    shown(ask, "holds", mistakes, body)
}

fn card(ask: &Ask, n: usize, one: &Hold) -> Markup {
    let asked = one.state.0 != HoldState::Go;
    let client = one.client_id;
    let form = |word: &str, content: Markup| {
        ask.form_to(
            &format!("{HERE}/{}/{word}", one.hookpoint),
            html! {
                @if let Some(client) = client { input type="hidden" name="client" value=(client); }
                (content)
            },
        )
    };
    let minutes = |word: &str| {
        let id = format!("{word}-minutes-{n}");
        html! {
            div.field {
                label for=(id) { (ask.t(&format!("holds.{word}_minutes"))) }
                input id=(id) name="minutes" type="number" min="1" max=(MINUTES_MAX) value=(MINUTES) required;
            }
        }
    };
    html! {
        section.card {
            div.spread {
                h2 { a href={ "/admin/hookpoints/" (one.hookpoint) } { (one.hookpoint) } }
                (badge(if asked { Tone::Waiting } else { Tone::Good }, ask.t(&format!("holds.state_{}", one.state))))
            }
            p {
                @match client {
                    Some(client) => { (ask.tf("holds.client", &[("client", &client), ("n", &one.alerts), ("max", &one.allowed)])) }
                    None => { (ask.tf("holds.all", &[("n", &one.alerts), ("max", &one.allowed)])) }
                }
                " " (ask.t("holds.since")) " " (ask.time(one.since)) "."
                @if let Some(until) = one.until { " " (ask.t("numbers.until")) " " (ask.time(until)) "." }
            }
            @if asked && ask.may(Role::Operator) {
                div.columns {
                    (form("go", html! { (minutes("go")) button.main type="submit" { (ask.t("holds.go")) } }))
                    (form("later", html! { (minutes("later")) button type="submit" { (ask.t("holds.later")) } }))
                    (form("drop", html! { button.danger type="submit" data-ask=(ask.t("holds.drop_ask")) { (ask.t("holds.drop")) } }))
                }
            }
        }
    }
}

pub(super) fn answer(ask: Ask) -> Answering {
    Box::pin(async move {
        let hookpoint = ask.param(0).to_owned();
        let client_id = ask.form.get("client").and_then(|id| id.parse().ok());
        let minutes = ask.form.text("minutes").parse().unwrap_or(0);
        let (answered, done) = match ask.param(1) {
            "go" => (act(&ask.desk, &ask.who, ReleaseHold { hookpoint, client_id, minutes }).await, "hold_go"),
            "drop" => (act(&ask.desk, &ask.who, DiscardHold { hookpoint, client_id }).await, "hold_drop"),
            "later" => (act(&ask.desk, &ask.who, PostponeHold { hookpoint, client_id, minutes }).await, "hold_later"),
            _ => return Err(AdminError::NotFound("page")),
        };
        match answered {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            other => {
                other?;
                Answer::done(HERE, done)
            }
        }
    })
}
