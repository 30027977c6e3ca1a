//! Owns: the sources of events: how their stubs are, and their secrets. A new one is shown once, with the line for the stub's file.

use maud::{Markup, html};
use secrecy::ExposeSecret as _;

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, field};
use super::super::overview::stub_text;
use super::{AT, head, once, shown};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::figures::stubs::StubLine;
use crate::ops::sources::{EndSecret, ForgetStub, ListSources, OLD_DAYS, OLD_DAYS_MAX, RotateSecret, Source};
use crate::ops::{change, read};

const HERE: &str = "/admin/settings/sources";

pub(super) async fn show(ask: &Ask, wrong: &str, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = read(&ask.desk, &ask.who, ListSources {}).await?.items;
    let body = html! {
        (head(ask, "sources"))
        @for one in &all { (card(ask, one, if one.name == wrong { mistakes } else { &[] })) }
    };
    shown(ask, "sources", mistakes, body)
}

fn card(ask: &Ask, one: &Source, mistakes: &[Mistake]) -> Markup {
    html! {
        section.card {
            h2 { (one.name) }
            @for one in &one.stubs { (stub(ask, &one.line)) }
            @if one.stubs.is_empty() { p.nothing { (ask.t("sources.never")) } }
            h3 { (ask.t("sources.secrets")) }
            p { (ask.tf("sources.configured", &[("n", &one.configured_secrets), ("name", &one.name)])) }
            @if !one.secrets.is_empty() {
                div.scroll tabindex="0" { table.cards {
                    thead { tr {
                        th { (ask.t("sources.secret")) } th { (ask.t("sources.made")) } th { (ask.t("sources.until")) } th { (ask.t("sources.deed")) }
                    } }
                    tbody { @for secret in &one.secrets {
                        tr {
                            td data-label=(ask.t("sources.secret")) {
                                "#" (secret.id) " "
                                @if secret.valid { (badge(Tone::Good, ask.t("sources.valid"))) } @else { (badge(Tone::Plain, ask.t("sources.over"))) }
                            }
                            td data-label=(ask.t("sources.made")) { (ask.time(secret.made_at)) " · " (secret.made_by) }
                            td data-label=(ask.t("sources.until")) {
                                @match secret.until { Some(until) => { (ask.time(until)) } None => { (ask.t("sources.open")) } }
                            }
                            td data-label=(ask.t("sources.deed")) {
                                @if secret.valid && ask.may(Role::Administrator) {
                                    (ask.form_to(&format!("/admin/settings/secrets/{}/end", secret.id), html! {
                                        button.danger type="submit" data-ask=(ask.t("sources.end_ask")) { (ask.t("sources.end")) }
                                    }))
                                } @else { "–" }
                            }
                        }
                    } }
                } }
            }
            @if ask.may(Role::Administrator) { (rotate_form(ask, one, mistakes)) }
        }
    }
}

/// A stub, as it reported itself.
fn stub(ask: &Ask, line: &StubLine) -> Markup {
    let (last, said, at) = (&line.last, &line.last.said, ask.desk.now());
    let wrong = !line.troubles.is_empty();
    html! {
        div.spread {
            h3 { (said.host) " · " (said.owner) }
            @if wrong { (badge(Tone::Bad, ask.t("sources.unwell"))) } @else { (badge(Tone::Good, ask.t("sources.well"))) }
        }
        @if wrong {
            ul.notice.bad { @for trouble in &line.troubles { li { (stub_text(ask, *trouble, last, at)) } } }
        }
        dl.facts {
            dt { (ask.t("sources.heartbeat")) } dd { (ask.localizer.ago(last.received_at, at)) }
            dt { (ask.t("sources.versions")) }
            dd { (ask.tf("sources.versions_are", &[("stub", &said.stub), ("platform", &said.platform), ("php", &said.php), ("sapi", &said.sapi)])) }
            dt { (ask.t("sources.waiting")) }
            dd {
                (ask.localizer.number(said.waiting))
                @if let Some(oldest) = said.oldest { " " (ask.tf("overview.oldest", &[("span", &ask.localizer.span(at.duration_since(oldest).as_secs()))])) }
            }
            dt { (ask.t("sources.aside")) } dd { (ask.localizer.number(said.aside)) }
            dt { (ask.t("sources.lost")) } dd { (ask.localizer.number(said.lost)) }
            dt { (ask.t("sources.clock")) } dd { (ask.tf("sources.clock_is", &[("n", &last.clock_ahead_s)])) }
        }
        details {
            summary { (ask.tf("sources.hooks", &[("n", &said.hooks.len())])) }
            p.mono { (said.hooks.join(", ")) }
        }
        details {
            summary { (ask.tf("sources.extensions", &[("n", &said.extensions.len())])) }
            p.mono { (said.extensions.join(", ")) }
        }
        @if wrong && ask.may(Role::Operator) {
            (ask.form_to(&format!("{HERE}/{}/forget", last.source), html! {
                input type="hidden" name="host" value=(said.host);
                input type="hidden" name="owner" value=(said.owner);
                button type="submit" data-ask=(ask.t("sources.forget_ask")) { (ask.t("sources.forget")) }
            }))
        }
    }
}

pub(super) fn forget(ask: Ask) -> Answering {
    Box::pin(async move {
        let [source, host, owner] = [ask.param(0), ask.form.text("host"), ask.form.text("owner")].map(str::to_owned);
        change(&ask.desk, &ask.who, ForgetStub { source, host, owner }).await?;
        Answer::done(HERE, "stub_forgotten")
    })
}

fn rotate_form(ask: &Ask, one: &Source, mistakes: &[Mistake]) -> Markup {
    let id = format!("days-{}", one.name);
    let own: Vec<Mistake> = mistakes.iter().map(|wrong| Mistake::new(&id, wrong.text.clone())).collect();
    let input = html! { input id=(id) name="days" type="number" min="0" max=(OLD_DAYS_MAX) value=(OLD_DAYS) required; };
    ask.form_to(
        &format!("{HERE}/{}/rotate", one.name),
        html! {
            (field(ask, &own, &id, ask.t("sources.days"), Some(ask.t("sources.days_hint")), input))
            button.main type="submit" { (ask.t("sources.rotate")) }
        },
    )
}

pub(super) fn rotate(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = ask.param(0).to_owned();
        let days = ask.form.text("days").parse().unwrap_or(u32::MAX);
        let new = match change(&ask.desk, &ask.who, RotateSecret { source: name.clone(), days }).await {
            Err(AdminError::Invalid(mistakes)) => return show(&ask, &name, &mistakes).await,
            other => other?,
        };
        let secret = new.secret.expose_secret();
        let body = html! {
            (head(&ask, "sources"))
            section.card {
                h2 { (ask.tf("sources.new", &[("name", &name)])) }
                (once(&ask, secret))
                p { (ask.t("sources.where")) }
                pre { code { "'secret' => '" (secret) "'," } }
                p { (ask.t("sources.then")) }
                a.button.main href=(HERE) { (ask.t("settings.copied")) }
            }
        };
        Answer::page(AT, ask.t("sources.title"), body)
    })
}

pub(super) fn end(ask: Ask) -> Answering {
    Box::pin(async move {
        let id = ask.param(0).parse().map_err(|_| AdminError::NotFound("secret"))?;
        change(&ask.desk, &ask.who, EndSecret { id }).await?;
        Answer::done(HERE, "secret_ended")
    })
}
