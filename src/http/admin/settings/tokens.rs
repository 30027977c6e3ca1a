//! Owns: tokens of programs that use the API. A new one is shown once.

use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, field, nothing};
use super::{AT, head, once, role_select, shown};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::ops::tokens::{CreateToken, EndToken, ListTokens, Token};
use crate::ops::{Code, change, read};

const HERE: &str = "/admin/settings/tokens";

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = read(&ask.desk, &ask.who, ListTokens {}).await?.items;
    let body = html! {
        (head(ask, "tokens"))
        @if all.is_empty() { (nothing(ask.t("tokens.none"))) } @else { (list(ask, &all)) }
        section.card.narrow {
            h2 { (ask.t("tokens.new")) }
            (ask.form_to(HERE, html! {
                (field(ask, mistakes, "name", ask.t("tokens.name"), Some(ask.t("tokens.name_hint")),
                    html! { input id="name" name="name" maxlength="64" required value=(ask.form.text("name")); }))
                (field(ask, mistakes, "role", ask.t("people_page.role"), None, role_select(ask, "role", Role::Viewer)))
                (field(ask, mistakes, "days", ask.t("tokens.days"), Some(ask.t("tokens.days_hint")),
                    html! { input id="days" name="days" type="number" min="1" max="3650"; }))
                button.main type="submit" { (ask.t("tokens.create")) }
            }))
        }
    };
    shown(ask, "tokens", mistakes, body)
}

fn list(ask: &Ask, all: &[Token]) -> Markup {
    let now = ask.desk.now();
    html! {
        div.scroll tabindex="0" { table.cards {
            thead { tr {
                th { (ask.t("tokens.name")) } th { (ask.t("people_page.role")) } th { (ask.t("sources.made")) }
                th { (ask.t("tokens.used")) } th { (ask.t("sources.until")) } th { (ask.t("sources.deed")) }
            } }
            tbody { @for one in all {
                @let valid = one.is_valid(now);
                tr {
                    td data-label=(ask.t("tokens.name")) {
                        (one.name) " "
                        @if valid { (badge(Tone::Good, ask.t("sources.valid"))) } @else { (badge(Tone::Plain, ask.t("sources.over"))) }
                    }
                    td data-label=(ask.t("people_page.role")) { (ask.t(&format!("role.{}", one.role))) }
                    td data-label=(ask.t("sources.made")) { (ask.time(one.made_at)) " · " (one.made_by) }
                    td data-label=(ask.t("tokens.used")) { @match one.used_at { Some(at) => { (ask.time(at)) } None => { "–" } } }
                    td data-label=(ask.t("sources.until")) {
                        @match one.ended_at.or(one.until) { Some(at) => { (ask.time(at)) } None => { (ask.t("tokens.open")) } }
                    }
                    td data-label=(ask.t("sources.deed")) {
                        @if valid {
                            (ask.form_to(&format!("{HERE}/{}/end", one.id), html! {
                                button.danger type="submit" data-ask=(ask.t("tokens.end_ask")) { (ask.t("sources.end")) }
                            }))
                        } @else { "–" }
                    }
                }
            } }
        } }
    }
}

pub(super) fn create(ask: Ask) -> Answering {
    Box::pin(async move {
        let Ok(days) = ask.form.number("days") else {
            return show(&ask, &[Mistake::new("days", "tokens.days_bad")]).await;
        };
        let days = days.map(|days| u32::try_from(days).unwrap_or(u32::MAX));
        let Some(role) = Role::parse(ask.form.text("role")) else {
            return show(&ask, &[Mistake::new("role", "form.unknown")]).await;
        };
        let create = CreateToken { name: ask.form.text("name").to_owned(), role: Code(role), days };
        let made = match change(&ask.desk, &ask.who, create).await {
            Err(AdminError::Invalid(mistakes)) => return show(&ask, &mistakes).await,
            other => other?,
        };
        let body = html! {
            (head(&ask, "tokens"))
            section.card {
                h2 { (ask.form.text("name")) }
                (once(&ask, made.token.expose_secret()))
                p { (ask.t("tokens.how")) }
                pre { code { "Authorization: Bearer hbk_…" } }
                a.button.main href=(HERE) { (ask.t("settings.copied")) }
            }
        };
        Answer::page(AT, ask.t("tokens.title"), body)
    })
}

pub(super) fn end(ask: Ask) -> Answering {
    Box::pin(async move {
        let id = ask.param(0).parse().map_err(|_| AdminError::NotFound("token"))?;
        change(&ask.desk, &ask.who, EndToken { id }).await?;
        Answer::done(HERE, "token_ended")
    })
}
