//! Owns: what a rule said, as people look at it: the verdict, each condition, the values, what the client reads.

use maud::{Markup, html};

use super::super::ask::Ask;
use super::super::layout::{Tone, badge, language_name, state};
use super::AT;
use super::facts;
use crate::admin::rules::WhatIf;
use crate::decide::Answer;
use crate::domain::admin::Role;
use crate::domain::decision::{Rule, Value, Verdict};
use crate::domain::hookpoint::Subject;
use crate::domain::locale::Locale;

/// The answer to a question that was just asked.
pub(super) fn what_if(ask: &Ask, said: &WhatIf) -> Markup {
    let (rule, kept) = (said.kept.rule, &said.kept);
    let facts = serde_json::from_str(&kept.facts).unwrap_or_default();
    let rows: Vec<(&str, bool, &str)> = said
        .read
        .decision
        .conditions
        .iter()
        .zip(&said.read.texts)
        .map(|(one, text)| (one.code, one.passed, text.as_str()))
        .collect();
    html! {
        section.inset id="said" aria-live="polite" tabindex="-1" {
            h2 { (ask.t("rule.says")) ": " (state(ask, kept.verdict.code())) }
            (conditions(ask, &rows))
            (values(ask, &said.read))
            (client_reads(ask, Some(said.answer.locale), said.answer.message.as_deref(), &said.answer.notices))
            @if said.answer.locale != ask.localizer.locale {
                (translated(ask, &said.read))
            }
            (may_except(ask, rule, kept.subject, kept.verdict))
            details { summary { (ask.t("rule.facts")) } (facts::show(ask, &facts)) }
            p.hint {
                (ask.t("rule.kept_as")) " "
                a href={ (AT) "/decisions/" (kept.id) } { code { (kept.id) } }
            }
        }
    }
}

/// Conditions, each with a mark that is also a word.
pub(super) fn conditions(ask: &Ask, all: &[(&str, bool, &str)]) -> Markup {
    html! {
        @if !all.is_empty() {
            h3 { (ask.t("rule.seen")) }
            ul.checks {
                @for (code, passed, text) in all {
                    li.good[*passed].bad[!*passed] {
                        (mark(ask, *passed)) " " span { (text) " " small { code { (code) } } }
                    }
                }
            }
        }
    }
}

fn mark(ask: &Ask, passed: bool) -> Markup {
    if passed {
        html! { b aria-hidden="true" { "✓" } span.hidden { (ask.t("rule.passed")) ": " } }
    } else {
        html! { b aria-hidden="true" { "✗" } span.hidden { (ask.t("rule.failed")) ": " } }
    }
}

fn values(ask: &Ask, read: &Answer) -> Markup {
    let shown: Vec<(&str, String)> = read
        .shown()
        .into_iter()
        .map(|(name, text)| match read.decision.values.get(name) {
            Some(Value::List(codes)) if name == "differences" => {
                (name, differences(ask, codes.iter().map(String::as_str)))
            }
            Some(Value::Flag(flag)) => (name, ask.t(if *flag { "form.yes" } else { "form.no" }).to_owned()),
            _ => (name, text),
        })
        .filter(|(_, text)| !text.is_empty())
        .collect();
    table(ask, &shown)
}

/// Values by name; the names are known.
pub(super) fn table(ask: &Ask, all: &[(&str, String)]) -> Markup {
    html! {
        @if !all.is_empty() {
            h3 { (ask.t("rule.values")) }
            dl.facts {
                @for (name, text) in all {
                    dt { (ask.localizer.known(&format!("rule.v_{name}")).unwrap_or_default()) }
                    dd { bdi { (text) } }
                }
            }
        }
    }
}

/// Where two accounts differ, in words.
pub(super) fn differences<'a>(ask: &Ask, codes: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = codes.map(|code| ask.localizer.known(&format!("rule.d_{code}")).unwrap_or(code)).collect();
    words.join(", ")
}

/// The sentences for the client, to be copied. Without a language: it was not kept.
pub(super) fn client_reads(ask: &Ask, language: Option<Locale>, message: Option<&str>, notices: &[String]) -> Markup {
    let all: Vec<&str> = message.into_iter().chain(notices.iter().map(String::as_str)).collect();
    html! {
        h3 { (ask.t("rule.client_reads")) }
        @if all.is_empty() { p.soft { (ask.t("rule.says_nothing")) } } @else {
            @if let Some(language) = language {
                p.soft { (ask.tf("rule.client_language", &[("language", &language_name(language))])) }
            }
            div.bubble lang=[language.map(Locale::tag)] { bdi { (all.join("\n\n")) } }
            p {
                button type="button" data-copy=(all.join("\n\n")) data-copied=(ask.t("rule.copied")) {
                    (ask.t("rule.copy"))
                }
            }
        }
    }
}

fn translated(ask: &Ask, read: &Answer) -> Markup {
    let all: Vec<&str> = read.message.iter().chain(&read.notices).map(String::as_str).collect();
    html! {
        @if !all.is_empty() {
            details {
                summary { (ask.t("rule.in_short")) }
                @for one in all { p { bdi { (one) } } }
            }
        }
    }
}

/// The way to an exception, where it would change something and whoever looks may make one.
pub(super) fn may_except(ask: &Ask, rule: Rule, subject: Option<Subject>, verdict: Verdict) -> Markup {
    let refused = matches!(verdict, Verdict::Deny | Verdict::Review);
    html! {
        @if let Some(subject) = subject.filter(|_| refused && ask.may(Role::Administrator)) {
            p {
                a.button href={ (AT) "/overrides/new?rule=" (rule) "&kind=" (subject.kind) "&number=" (subject.id) } {
                    (ask.t("rule.make_override"))
                }
            }
        }
    }
}

/// A what-if among decisions that somebody acted on.
pub(super) fn only_asked(ask: &Ask) -> Markup {
    badge(Tone::Plain, ask.t("rule.what_if"))
}
