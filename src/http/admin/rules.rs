//! Owns: the company's rules: the addresses, the list of rules, and parts that the others share. Each part is a file.

mod decisions;
mod exceptions;
mod facts;
mod form;
mod one;
mod verdict;

use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get, post};
use super::layout::{Tone, badge};
use crate::admin::AdminError;
use crate::admin::rules::{self, Standing};
use crate::domain::admin::Role;
use crate::domain::decision::Rule;
use crate::domain::hookpoint::Subject;

const AT: &str = "/admin/rules";

/// The addresses. Those without a variable part come first.
pub const PAGES: &[Page] = &[
    get("/rules", Role::Viewer, |ask| Box::pin(async move { all(&ask).await })),
    get("/rules/decisions", Role::Viewer, |ask| Box::pin(async move { decisions::list(&ask).await })),
    get("/rules/decisions/:id", Role::Viewer, |ask| Box::pin(async move { decisions::one(&ask).await })),
    get("/rules/missed", Role::Viewer, |ask| Box::pin(async move { decisions::missed(&ask).await })),
    get("/rules/overrides", Role::Viewer, |ask| Box::pin(async move { exceptions::list(&ask).await })),
    get("/rules/overrides/new", Role::Administrator, |ask| Box::pin(async move { exceptions::new(&ask) })),
    post("/rules/overrides", Role::Administrator, |ask| Box::pin(async move { exceptions::make(&ask).await })),
    post("/rules/overrides/:id/end", Role::Administrator, |ask| Box::pin(async move { exceptions::end(&ask).await })),
    get("/rules/:rule", Role::Viewer, |ask| Box::pin(async move { one::show(&ask).await })),
    post("/rules/:rule/ask", Role::Viewer, |ask| Box::pin(async move { one::asked(&ask).await })),
];

/// The parts: address and key of its words.
const TABS: [(&str, &str); 4] = [
    (AT, "rule.tab_rules"),
    ("/admin/rules/decisions", "rule.tab_decisions"),
    ("/admin/rules/missed", "rule.tab_missed"),
    ("/admin/rules/overrides", "rule.tab_overrides"),
];

/// The ways between the parts.
fn tabs(ask: &Ask, at: &str) -> Markup {
    html! {
        nav.line aria-label=(ask.t("rule.tabs")) {
            @for (path, word) in TABS {
                a.button href=(path) aria-current=[(path == at).then_some("page")] { (ask.t(word)) }
            }
        }
    }
}

async fn all(ask: &Ask) -> Result<Answer, AdminError> {
    let all = rules::all(&ask.desk.store, &ask.desk.config.rules, ask.desk.now()).await?;
    let body = html! {
        h1 { (ask.t("rule.title")) }
        (tabs(ask, AT))
        p.soft { (ask.t("rule.about")) }
        div.columns { @for standing in &all { (card(ask, standing)) } }
    };
    Answer::page(AT, ask.t("rule.title"), body)
}

fn card(ask: &Ask, standing: &Standing) -> Markup {
    let rule = standing.rule;
    html! {
        section.card {
            div.spread {
                h2 { a href={ (AT) "/" (rule) } { (name(ask, rule)) } }
                span { small { (ask.tf("rule.version_n", &[("n", &standing.version)])) } " " (in_use(ask, standing)) }
            }
            p { (ask.t(&format!("rule.{rule}_about"))) }
            dl.facts { (counts(ask, standing)) }
            div.line {
                a.button.main href={ (AT) "/" (rule) } { (ask.t("rule.try")) span.hidden { ": " (name(ask, rule)) } }
                a.button href={ (AT) "/decisions?rule=" (rule) } {
                    (ask.t("rule.decisions_of")) span.hidden { ": " (name(ask, rule)) }
                }
            }
        }
    }
}

fn in_use(ask: &Ask, standing: &Standing) -> Markup {
    if standing.ask.enabled { badge(Tone::Good, ask.t("rule.on")) } else { badge(Tone::Waiting, ask.t("rule.off")) }
}

/// How often it was asked, and what happens without an answer.
fn counts(ask: &Ask, standing: &Standing) -> Markup {
    let counts = &standing.counts;
    let number = |n: u64| ask.localizer.number(n);
    let deadline = format!("rule.deadline_{}", standing.ask.on_failure.code());
    html! {
        dt { (ask.t("rule.asked")) } dd { (number(counts.asked())) }
        dt { (ask.t("rule.refused")) } dd { (number(counts.refused())) }
        dt { (ask.t("rule.missed")) }
        dd {
            @if counts.missed() > 0 { a href={ (AT) "/missed" } { (number(counts.missed())) } } @else { "0" }
        }
        dt { (ask.t("rule.last")) }
        dd { @match counts.last_at { Some(at) => (ask.time(at)), None => (ask.t("rule.never")) } }
        dt { (ask.t("rule.deadline")) } dd { (ask.tf(&deadline, &[("ms", &standing.ask.deadline_ms)])) }
    }
}

/// A rule in words.
fn name(ask: &Ask, rule: Rule) -> &'static str {
    ask.localizer.known(&format!("rule.{rule}")).unwrap_or(rule.code())
}

/// What a decision or an exception is about, in words.
fn about(ask: &Ask, subject: Option<Subject>) -> String {
    match subject {
        Some(subject) => ask.tf(&format!("subject.{}", subject.kind), &[("id", &subject.id)]),
        None => ask.t("rule.nobody_particular").to_owned(),
    }
}

/// A select out of a closed list: codes and the key of each one's words.
fn choice<'a>(
    ask: &Ask,
    name: &str,
    chosen: Option<&str>,
    first: Option<&str>,
    all: impl Iterator<Item = (&'a str, String)>,
) -> Markup {
    html! {
        select id=(name) name=(name) {
            @if let Some(first) = first { option value="" { (ask.t(first)) } }
            @for (code, word) in all {
                option value=(code) selected[chosen == Some(code)] { (word) }
            }
        }
    }
}
