//! Owns: held alerts, and an operator's word on them.

use maud::{Markup, html};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, nothing};
use super::{head, shown};
use crate::admin::holds::{self, MINUTES, MINUTES_MAX, Word};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::ClientId;
use crate::store::hold::{Hold, HoldState, Scope};

const HERE: &str = "/admin/holds";

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = holds::all(&ask.desk).await?;
    let body = html! {
        (head(ask, "holds"))
        @if let Some(one) = mistakes.first() { p.notice.bad role="alert" { (ask.t(&one.text)) } }
        @if all.is_empty() { (nothing(ask.t("holds.none"))) }
        @for (n, one) in all.iter().enumerate() { (card(ask, n, one)) }
    };
    shown(ask, "holds", mistakes, body)
}

fn card(ask: &Ask, n: usize, one: &Hold) -> Markup {
    let asked = one.state != HoldState::Go;
    let client = one.client_id.map(|id| id.0);
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
                    Some(client) => { (ask.tf("holds.client", &[("client", &client), ("n", &one.counted), ("max", &one.allowed)])) }
                    None => { (ask.tf("holds.all", &[("n", &one.counted), ("max", &one.allowed)])) }
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
        let hookpoint = HookpointId::parse(ask.param(0)).ok_or(AdminError::NotFound("hold"))?;
        let scope = Scope { hookpoint, client_id: ask.form.get("client").and_then(|id| id.parse().ok()).map(ClientId) };
        let minutes = ask.form.text("minutes").parse().unwrap_or(0);
        let (word, done) = match ask.param(1) {
            "go" => (Word::Go(minutes), "hold_go"),
            "drop" => (Word::Drop, "hold_drop"),
            "later" => (Word::Later(minutes), "hold_later"),
            _ => return Err(AdminError::NotFound("page")),
        };
        match holds::answer(&ask.desk, &ask.who, &scope, word).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            other => {
                other?;
                Answer::done(HERE, done)
            }
        }
    })
}
