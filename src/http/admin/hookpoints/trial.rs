//! Owns: a trial of a hookpoint on the last days' events, as a part of the form or as a page.

use maud::{Markup, html};

use super::super::ask::{Answer, Ask};
use super::super::layout::{Tone, badge};
use super::{AT, address, back, edit, reason};
use crate::admin::AdminError;
use crate::admin::hookpoints;
use crate::admin::hookpoints::trial::{DAYS, EVENTS_MAX, Trial, run};

pub async fn saved(ask: &Ask) -> Result<Answer, AdminError> {
    let detail = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?;
    let trial = run(&ask.desk, &ask.who, &detail.line.hookpoint).await?;
    let body = html! {
        (back(ask, &address(ask.param(0)), "hookpoints.back_one"))
        h1 { (ask.t("hookpoints.try")) ": " (detail.line.hookpoint.title[&ask.localizer.locale]) }
        (outcome(ask, &trial))
    };
    Answer::page(AT, ask.t("hookpoints.try"), body)
}

pub async fn of_form(ask: &Ask) -> Result<Answer, AdminError> {
    let part = match edit::entered(ask, ask.form.get("name").unwrap_or("draft")) {
        Ok(hookpoint) => outcome(ask, &run(&ask.desk, &ask.who, &hookpoint).await?),
        Err((_, mistakes)) => html! {
            div.notice.bad role="alert" {
                p { (ask.t("hookpoints.try_first")) }
                ul { @for one in mistakes { li { (one.field) ": " (ask.t(&one.text)) } } }
            }
        },
    };
    if ask.htmx {
        return Ok(Answer::Part(part));
    }
    Answer::page(AT, ask.t("hookpoints.try"), html! { h1 { (ask.t("hookpoints.try")) } (part) })
}

fn outcome(ask: &Ask, trial: &Trial) -> Markup {
    let values: [(&str, &dyn std::fmt::Display); 4] =
        [("fired", &trial.fired()), ("messages", &trial.messages()), ("skipped", &trial.skipped()), ("days", &DAYS)];
    html! {
        section.card {
            @if trial.tried.is_empty() {
                p { (ask.tf("hookpoints.tried_none", &[("days", &DAYS)])) }
            } @else {
                p { b { (ask.tf("hookpoints.tried", &values)) } }
                p.soft { (ask.t("hookpoints.tried_hint")) }
                @if trial.more { p.soft { (ask.tf("hookpoints.tried_more", &[("n", &EVENTS_MAX)])) } }
                @if !trial.reasons().is_empty() {
                    ul { @for (code, n) in trial.reasons() { li { (n) " × " (reason(ask, code.code())) } } }
                }
                details {
                    summary { (ask.t("hookpoints.tried_each")) }
                    ul.plain {
                        @for one in &trial.tried {
                            li {
                                a href={ "/admin/events/" (one.event) } { (ask.time(one.at)) " · " (one.hook) } " "
                                @if one.messages > 0 { (badge(Tone::Good, &ask.tf("hookpoints.tried_sent", &[("n", &one.messages)]))) }
                                @for (code, detail) in &one.reasons {
                                    br; small { (reason(ask, code.code())) @if let Some(detail) = detail { ": " (detail) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
