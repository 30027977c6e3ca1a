//! Owns: tokens of programs that use the API. A new one is shown once.

use jiff::SignedDuration;
use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, field, nothing};
use super::{AT, head, once, role_select, shown};
use crate::admin::{AdminError, Mistake, token};
use crate::domain::admin::Role;
use crate::store::api_token::ApiToken;

const HERE: &str = "/admin/settings/tokens";

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = token::all(&ask.desk, &ask.who).await?;
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

fn list(ask: &Ask, all: &[ApiToken]) -> Markup {
    let now = ask.desk.now();
    html! {
        div.scroll tabindex="0" { table.cards {
            thead { tr {
                th { (ask.t("tokens.name")) } th { (ask.t("people_page.role")) } th { (ask.t("sources.made")) }
                th { (ask.t("tokens.used")) } th { (ask.t("sources.until")) } th { (ask.t("sources.deed")) }
            } }
            tbody { @for one in all {
                @let valid = one.ended_at.is_none() && one.until.is_none_or(|until| until > now);
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
        let days = match ask.form.number("days") {
            Ok(days) if days.is_none_or(|days| (1..=3650).contains(&days)) => days,
            _ => return show(&ask, &[Mistake::new("days", "tokens.days_bad")]).await,
        };
        let Some(role) = Role::parse(ask.form.text("role")) else {
            return show(&ask, &[Mistake::new("role", "form.unknown")]).await;
        };
        let until =
            days.map(|days| ask.desk.now() + SignedDuration::from_hours(24 * i64::try_from(days).unwrap_or_default()));
        let made = match token::create(&ask.desk, &ask.who, ask.form.text("name"), role, until).await {
            Err(AdminError::Invalid(mistakes)) => return show(&ask, &mistakes).await,
            other => other?,
        };
        let body = html! {
            (head(&ask, "tokens"))
            section.card {
                h2 { (ask.form.text("name")) }
                (once(&ask, made.expose_secret()))
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
        token::end(&ask.desk, &ask.who, id).await?;
        Answer::done(HERE, "token_ended")
    })
}
