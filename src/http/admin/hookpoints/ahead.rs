//! Owns: the page of what alerts by date would go out in the days to come.

use jiff::civil::Date;
use maud::{Markup, html};

use super::super::ask::{Answer, Ask};
use super::super::layout::{Tone, badge};
use super::{AT, address};
use crate::admin::AdminError;
use crate::admin::ahead::{self, RowAhead, StepAhead};
use crate::domain::hookpoint::HookpointId;
use crate::render::format;

pub(super) async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let all = ahead::steps(&ask.desk, &ask.who, ask.query.get("hookpoint")).await?;
    let columns = ["day", "alert", "is_on", "step", "rows"];
    let body = html! {
        h1 { (ask.t("ahead.title")) }
        p { (ask.tf("ahead.intro", &[("days", &ahead::DAYS)])) }
        @if !all.sweep_runs { p.notice.bad role="alert" { (ask.t("ahead.no_sweep")) } }
        @if all.steps.is_empty() {
            p { (ask.t("ahead.none")) }
        } @else {
            section.card { div.scroll tabindex="0" { table.cards {
                thead { tr { @for column in columns { th scope="col" { (ask.t(&format!("ahead.{column}"))) } } } }
                tbody { @for step in &all.steps { (line(ask, step)) } }
            } } }
        }
    };
    Answer::page(AT, ask.t("ahead.title"), body)
}

fn line(ask: &Ask, step: &StepAhead) -> Markup {
    let label = |key: &str| ask.t(&format!("ahead.{key}")).to_owned();
    let (tone, on) = if step.enabled { (Tone::Good, "hookpoints.is_on") } else { (Tone::Plain, "hookpoints.is_off") };
    html! {
        tr {
            td data-label=(label("day")) { (format::date(step.on, ask.tongue.locale)) }
            td data-label=(label("alert")) { a href=(address(step.hookpoint.as_str())) { (title(ask, &step.hookpoint)) } }
            td data-label=(label("is_on")) { (badge(tone, ask.t(on))) }
            td data-label=(label("step")) { (days(ask, step.days, step.of.code())) }
            td.end data-label=(label("rows")) {
                a href={ (AT) "/ahead/" (step.hookpoint) "?day=" (step.on) } { (ask.tongue.number(step.rows)) }
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
    let heading = format!("{}: {}", title(ask, &name), format::date(day, ask.tongue.locale));
    let columns = ["moment", "about", "client", "step", "outcome"];
    let body = html! {
        p { a href={ (AT) "/ahead" } { (ask.t("ahead.title")) } }
        h1 { (heading) }
        p { (ask.t("ahead.as_of_now")) }
        @if all.is_empty() { p { (ask.t("ahead.none")) } }
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

fn title(ask: &Ask, name: &HookpointId) -> String {
    let catalogue = ask.desk.catalogue.load();
    catalogue.entry(name).map_or_else(|| name.to_string(), |entry| entry.hookpoint.title[&ask.tongue.locale].clone())
}
