//! Owns: the administrators: list, one of them, and what another may do about that account.

use maud::{Markup, html};
use secrecy::SecretString;

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, field};
use super::{AT, head, role_select, shown};
use crate::admin::{AdminError, Mistake, password};
use crate::domain::admin::Role;
use crate::ops::people::{
    CreateAdministrator, DisableAdministrator, DropFactor, EnableAdministrator, ListAdministrators, SetPassword,
    SetRole, UnlockAdministrator,
};
use crate::ops::{Change, Code, change, read};
use crate::store::account::{self, Account};
use crate::store::session;

const HERE: &str = "/admin/settings/people";

pub(super) async fn list(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = read(&ask.desk, &ask.who, ListAdministrators {}).await?.items;
    let body = html! {
        (head(ask, "people_page"))
        div.scroll tabindex="0" { table.cards {
            thead { tr {
                th { (ask.t("people_page.name")) } th { (ask.t("people_page.role")) } th { (ask.t("people_page.factor")) }
                th { (ask.t("people_page.since")) } th { (ask.t("people_page.state")) }
            } }
            tbody { @for one in &all { tr {
                td data-label=(ask.t("people_page.name")) { a href={ (HERE) "/" (one.id) } { (one.name) } }
                td data-label=(ask.t("people_page.role")) { (ask.t(&format!("role.{}", one.role))) }
                td data-label=(ask.t("people_page.factor")) { (ask.t(if one.second_factor { "form.yes" } else { "form.no" })) }
                td data-label=(ask.t("people_page.since")) { (ask.time(one.created_at)) }
                td data-label=(ask.t("people_page.state")) { (standing(ask, one.disabled, one.password)) }
            } } }
        } }
        section.card.narrow {
            h2 { (ask.t("people_page.new")) }
            (ask.form_to(HERE, html! {
                (field(ask, mistakes, "name", ask.t("people_page.name"), Some(ask.t("people_page.name_hint")),
                    html! { input id="name" name="name" maxlength="64" autocomplete="off" required value=(ask.form.text("name")); }))
                (field(ask, mistakes, "role", ask.t("people_page.role"), None, role_select(ask, "role", Role::Viewer)))
                (password_field(ask, mistakes, Some(ask.t("people_page.no_password"))))
                button.main type="submit" { (ask.t("people_page.create")) }
            }))
        }
    };
    shown(ask, "people_page", mistakes, body)
}

fn standing(ask: &Ask, disabled: bool, password: bool) -> Markup {
    match (disabled, password) {
        (true, _) => badge(Tone::Plain, ask.t("people_page.disabled")),
        (false, false) => badge(Tone::Waiting, ask.t("people_page.link_only")),
        (false, true) => badge(Tone::Good, ask.t("people_page.active")),
    }
}

fn password_field(ask: &Ask, mistakes: &[Mistake], hint: Option<&str>) -> Markup {
    let length = ask.tf("me.password_hint", &[("n", &password::CHARS_MIN)]);
    let hint = hint.map_or(length.clone(), |hint| format!("{length} {hint}"));
    let input = html! { input id="password" name="password" type="password" autocomplete="new-password"; };
    field(ask, mistakes, "password", ask.t("me.password_new"), Some(&hint), input)
}

async fn one(ask: &Ask) -> Result<Account, AdminError> {
    let id = ask.param(0).parse().map_err(|_| AdminError::NotFound("administrator"))?;
    account::of(&ask.desk.store, id).await?.ok_or(AdminError::NotFound("administrator"))
}

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let account = one(ask).await?;
    let sessions = session::of(&ask.desk.store, account.id, ask.desk.now()).await?;
    let to = |deed: &str| format!("{HERE}/{}/{deed}", account.id);
    let body = html! {
        p { a href=(HERE) { "‹ " (ask.t("people_page.title")) } }
        h1 { (account.name) }
        p { (standing(ask, account.disabled_at.is_some(), account.password_hash.is_some())) " " (ask.tf("people_page.made", &[("who", &account.created_by)])) " " (ask.time(account.created_at)) }
        @if let Some(id) = account.platform_id { p.notice { (ask.tf("sso.person", &[("id", &id)])) } }
        div.columns {
            section.card {
                h2 { (ask.t("people_page.role")) }
                (ask.form_to(&to("role"), html! {
                    (field(ask, mistakes, "role", ask.t("people_page.role"), None, role_select(ask, "role", account.role)))
                    button type="submit" { (ask.t("form.save")) }
                }))
                ul.plain { @for role in Role::ALL {
                    li { b { (ask.t(&format!("role.{role}"))) } ": " (ask.t(&format!("role.{role}_detail"))) }
                } }
            }
            section.card {
                h2 { (ask.t("me.password")) }
                p { (ask.t("people_page.password_about")) }
                (ask.form_to(&to("password"), html! {
                    (password_field(ask, mistakes, None))
                    button type="submit" { (ask.t("me.password_set")) }
                }))
            }
            section.card {
                h2 { (ask.t("me.factor")) }
                @if account.totp_sealed.is_some() {
                    p { (badge(Tone::Good, ask.t("me.factor_on"))) " " (ask.t("people_page.factor_about")) }
                    (ask.form_to(&to("drop-factor"), html! {
                        button.danger type="submit" data-ask=(ask.t("people_page.factor_ask")) { (ask.t("people_page.factor_drop")) }
                    }))
                } @else { p { (badge(Tone::Waiting, ask.t("me.factor_off"))) } }
            }
            section.card {
                h2 { (ask.t("people_page.access")) }
                p { (ask.tf("people_page.sessions", &[("n", &sessions.len())])) }
                p { (ask.t("people_page.unlock_about")) }
                (ask.button(&to("unlock"), "", ask.t("people_page.unlock")))
                @if account.disabled_at.is_some() {
                    (ask.button(&to("enable"), "main", ask.t("people_page.enable")))
                } @else {
                    (ask.form_to(&to("disable"), html! {
                        button.danger type="submit" data-ask=(ask.t("people_page.disable_ask")) { (ask.t("people_page.disable")) }
                    }))
                }
            }
        }
    };
    if mistakes.is_empty() { Answer::page(AT, account.name, body) } else { Answer::again(AT, account.name, body) }
}

fn typed(ask: &Ask) -> Option<SecretString> {
    ask.form.raw("password").filter(|text| !text.is_empty()).map(SecretString::from)
}

fn chosen_role(ask: &Ask) -> Result<Code<Role>, AdminError> {
    Role::parse(ask.form.text("role")).map(Code).ok_or_else(|| AdminError::invalid("role", "form.unknown"))
}

pub(super) fn create(ask: Ask) -> Answering {
    Box::pin(async move {
        let made = match chosen_role(&ask) {
            Ok(role) => {
                let (name, password) = (ask.form.text("name").to_owned(), typed(&ask));
                change(&ask.desk, &ask.who, CreateAdministrator { name, role, password }).await
            }
            Err(error) => Err(error),
        };
        match made {
            Err(AdminError::Invalid(mistakes)) => list(&ask, &mistakes).await,
            other => Answer::done(&format!("{HERE}/{}", other?.id), "person_made"),
        }
    })
}

/// Changes the account, and shows it again, with what was wrong or that it is done.
async fn changed<T: Change>(ask: &Ask, operation: T, word: &str) -> Result<Answer, AdminError> {
    match change(&ask.desk, &ask.who, operation).await {
        Err(AdminError::Invalid(mistakes)) => show(ask, &mistakes).await,
        Err(AdminError::Conflict(text)) => show(ask, &[Mistake::new("role", text)]).await,
        other => {
            other?;
            Answer::done(&format!("{HERE}/{}", ask.param(0)), word)
        }
    }
}

pub(super) fn role(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = one(&ask).await?.name;
        match chosen_role(&ask) {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            role => changed(&ask, SetRole { name, role: role? }, "saved").await,
        }
    })
}

pub(super) fn password(ask: Ask) -> Answering {
    Box::pin(async move {
        let account = one(&ask).await?;
        // One's own session goes on.
        let kept = if account.id == ask.present.account.id { ask.present.session.token.clone() } else { Vec::new() };
        let set = SetPassword { name: account.name, password: typed(&ask).unwrap_or_default(), kept };
        changed(&ask, set, "person_password").await
    })
}

pub(super) fn disable(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = one(&ask).await?.name;
        changed(&ask, DisableAdministrator { name }, "person_disabled").await
    })
}

pub(super) fn enable(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = one(&ask).await?.name;
        changed(&ask, EnableAdministrator { name }, "person_enabled").await
    })
}

pub(super) fn unlock(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = one(&ask).await?.name;
        changed(&ask, UnlockAdministrator { name }, "saved").await
    })
}

pub(super) fn drop_factor(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = one(&ask).await?.name;
        changed(&ask, DropFactor { name }, "person_factor").await
    })
}
