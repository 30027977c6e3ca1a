//! Owns: the page of what alerts by date would go out in the days to come.

use jiff::civil::Date;
use maud::{Markup, html};

use super::super::ask::{Answer, Ask};
use super::super::layout::{Tone, alert_title, badge, nothing};
use super::{AT, address};
use crate::admin::AdminError;
use crate::admin::ahead::{self, RowAhead, StepAhead};
use crate::domain::hookpoint::HookpointId;
use crate::render::format;

pub(super) async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let all = ahead::steps(&ask.desk, &ask.who, ask.query.get("hookpoint")).await?;
    let body = html! {
        h1 { (ask.t("ahead.title")) }
        p { (ask.tf("ahead.intro", &[("days", &ahead::DAYS)])) }
        @if !all.sweep_runs { p.notice.bad role="alert" { (ask.t("ahead.no_sweep")) } }
        @if all.steps.is_empty() { (nothing(ask.t("ahead.none"))) }
        // Two weeks of a large company are hundreds of lines: the first day is open, the others tell how much they hold.
        @for (number, steps) in all.steps.chunk_by(|one, next| one.on == next.on).enumerate() {
            (one_day(ask, steps, number == 0))
        }
    };
    Answer::page(AT, ask.t("ahead.title"), body)
}

fn one_day(ask: &Ask, steps: &[StepAhead], open: bool) -> Markup {
    let cases: u64 = steps.iter().map(|step| step.rows).sum();
    let columns = ["alert", "is_on", "step", "rows"];
    html! {
        section.card {
            details open[open] {
                summary {
                    strong { (format::date(steps[0].on, ask.localizer.locale)) }
                    " · " (ask.t("ahead.rows")) ": " (ask.localizer.number(cases))
                }
                div.scroll tabindex="0" { table.cards {
                    thead { tr { @for column in columns { th scope="col" { (ask.t(&format!("ahead.{column}"))) } } } }
                    tbody { @for step in steps { (line(ask, step)) } }
                } }
            }
        }
    }
}

fn line(ask: &Ask, step: &StepAhead) -> Markup {
    let label = |key: &str| ask.t(&format!("ahead.{key}")).to_owned();
    let (tone, on) = if step.enabled { (Tone::Good, "hookpoints.is_on") } else { (Tone::Plain, "hookpoints.is_off") };
    html! {
        tr {
            td data-label=(label("alert")) { a href=(address(step.hookpoint.as_str())) { (alert_title(ask, step.hookpoint.as_str())) } }
            td data-label=(label("is_on")) { (badge(tone, ask.t(on))) }
            td data-label=(label("step")) { (days(ask, step.days, step.of.code())) }
            td.end data-label=(label("rows")) {
                a href={ (AT) "/ahead/" (step.hookpoint) "?day=" (step.on) } { (ask.localizer.number(step.rows)) }
            }
        }
    }
}

pub(super) async fn day(ask: &Ask) -> Result<Answer, AdminError> {
    let day: Date = ask
        .query
        .get("day")
        .and_then(|day| day.parse().ok())
        .ok_or_else(|| AdminError::invalid("day", "messages.moment_bad"))?;
    let (all, more) = ahead::rows(&ask.desk, &ask.who, ask.param(0), day).await?;
    let name = HookpointId::parse(ask.param(0)).ok_or(AdminError::NotFound("hookpoint"))?;
    let heading = format!("{}: {}", alert_title(ask, name.as_str()), format::date(day, ask.localizer.locale));
    let columns = ["moment", "about", "client", "step", "outcome"];
    let body = html! {
        p { a href={ (AT) "/ahead" } { "‹ " (ask.t("ahead.title")) } }
        h1 { (heading) }
        p { (ask.t("ahead.as_of_now")) }
        @if all.is_empty() { (nothing(ask.t("ahead.none"))) }
        @if !all.is_empty() {
            section.card { div.scroll tabindex="0" { table.cards {
                thead { tr { @for column in columns { th scope="col" { (ask.t(&format!("ahead.{column}"))) } } } }
                tbody { @for one in &all { (row(ask, one)) } }
            } } }
        }
        @if more { p.hint { (ask.tf("ahead.more", &[("n", &ahead::ROWS_MAX)])) } }
    };
    Answer::page(AT, heading, body)
}

fn row(ask: &Ask, one: &RowAhead) -> Markup {
    let label = |key: &str| ask.t(&format!("ahead.{key}")).to_owned();
    html! {
        tr {
            td data-label=(label("moment")) { (ask.time(one.at)) }
            td data-label=(label("about")) { span.mono { (one.subject) } }
            td data-label=(label("client")) { @if let Some(client) = one.client { (client) } @else { "–" } }
            td data-label=(label("step")) { (days(ask, one.days, one.of.code())) }
            td data-label=(label("outcome")) {
                @match one.outcome {
                    Ok(people) => (badge(Tone::Good, &ask.tf("ahead.goes", &[("n", &people)]))),
                    Err(reason) => span { (ask.t(&format!("reason.{}", reason.code()))) },
                }
            }
        }
    }
}

/// `3 días antes del vencimiento de la factura`.
fn days(ask: &Ask, days: i16, of: &str) -> String {
    let key = match days {
        0 => "ahead.same_day",
        1 => "ahead.day_after",
        -1 => "ahead.day_before",
        2.. => "ahead.days_after",
        _ => "ahead.days_before",
    };
    let date = ask.t(&format!("ahead.of_{}", of.replace('.', "_"))).to_owned();
    ask.tf(key, &[("n", &days.unsigned_abs()), ("date", &date)])
}
