//! Owns: the audit log: search, and a file of it.

use maud::html;

use super::super::ask::{Answer, Ask};
use super::super::layout::{nothing, older};
use super::{head, shown};
use crate::admin::AdminError;
use crate::admin::log::{self, Format};
use crate::domain::admin::Role;
use crate::store::audit::{self, Filter};

const HERE: &str = "/admin/settings/log";
const ROWS: usize = 50;

fn filter(ask: &Ask) -> Filter {
    let text = |name: &str| ask.query.get(name).map(str::to_owned);
    Filter {
        actor: text("actor"),
        action: text("action"),
        target: text("target"),
        before: ask.query.get("before").and_then(|id| id.parse().ok()),
        limit: ROWS,
    }
}

pub(super) async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let (entries, next) = log::list(&ask.desk, &filter(ask)).await?;
    let actions = audit::actions(&ask.desk.store).await?;
    let next = next.map(|id| id.to_string());
    let body = html! {
        (head(ask, "log"))
        form.search method="get" action=(HERE) role="search" {
            div.field { label for="actor" { (ask.t("log.actor")) } input id="actor" name="actor" maxlength="100" value=(ask.query.text("actor")); }
            div.field {
                label for="action" { (ask.t("log.action")) }
                select id="action" name="action" {
                    option value="" { (ask.t("form.all")) }
                    @for action in &actions { option value=(action) selected[ask.query.get("action") == Some(action)] { (action) } }
                }
            }
            div.field { label for="target" { (ask.t("log.target")) } input id="target" name="target" maxlength="128" value=(ask.query.text("target")); }
            button.main type="submit" { (ask.t("form.search")) }
        }
        @if ask.may(Role::Operator) {
            p.line {
                a href={ (HERE) "/export?" (ask.query.with("format", "csv")) } { (ask.t("log.csv")) }
                a href={ (HERE) "/export?" (ask.query.with("format", "jsonl")) } { (ask.t("log.jsonl")) }
                span.soft { (ask.tf("log.export_hint", &[("n", &log::EXPORT_MAX)])) }
            }
        }
        @if entries.is_empty() { (nothing(ask.t("list.nothing"))) } @else {
            div.scroll tabindex="0" { table.cards {
                thead { tr {
                    th { (ask.t("log.at")) } th { (ask.t("log.actor")) } th { (ask.t("log.action")) } th { (ask.t("log.target")) } th { (ask.t("log.detail")) }
                } }
                tbody { @for one in &entries { tr {
                    td.nowrap data-label=(ask.t("log.at")) { (ask.time(one.at)) }
                    td data-label=(ask.t("log.actor")) { (one.actor) " " small { (ask.t(&format!("log.via_{}", one.via))) " " (one.address.as_deref().unwrap_or_default()) } }
                    td data-label=(ask.t("log.action")) { code { (one.action) } }
                    td data-label=(ask.t("log.target")) { (one.target) }
                    td data-label=(ask.t("log.detail")) { (one.detail.as_deref().unwrap_or("–")) }
                } } }
            } }
        }
        (older(ask, HERE, next.as_deref()))
    };
    shown(ask, "log", &[], body)
}

pub(super) async fn export(ask: &Ask) -> Result<Answer, AdminError> {
    let (format, name, kind) = match ask.query.get("format") {
        Some("jsonl") => (Format::JsonLines, "hookbridge-log.jsonl", "application/jsonl; charset=utf-8"),
        _ => (Format::Csv, "hookbridge-log.csv", "text/csv; charset=utf-8"),
    };
    let bytes = log::export(&ask.desk, &filter(ask), format).await?;
    ask.desk.note(&ask.who, "log.export", name, None).await?;
    Ok(Answer::File { name: name.to_owned(), kind, bytes })
}
