//! Owns: stored decisions: the list, one with all that it saw, and what the platform went on without.

use maud::{Markup, html};
use serde_json::Value;

use super::super::ask::{Answer, Ask};
use super::super::layout::{Tone, badge, field, nothing, older, state};
use super::super::naming;
use super::{AT, about, choice, facts, name, tabs, verdict};
use crate::admin::decisions::{self, Asked, Whole};
use crate::admin::names::Names;
use crate::admin::wish::PAGE_ROWS;
use crate::admin::{AdminError, Mistake};
use crate::domain::decision::{Rule, Verdict};
use crate::domain::hookpoint::SubjectKind;
use crate::store::decision::Kept;
use crate::store::missed::{self, MissedDecision};
use crate::store::walk::Place;

const HERE: &str = "/admin/rules/decisions";
const MISSED: &str = "/admin/rules/missed";

pub(super) async fn list(ask: &Ask) -> Result<Answer, AdminError> {
    let get = |name: &str| ask.query.get(name).map(str::to_owned);
    let title = ask.t("rule.decisions");
    let filter = match ask.desk.decision_search(&get, PAGE_ROWS) {
        Ok(filter) => filter,
        Err(AdminError::Invalid(mistakes)) => {
            let body = html! { h1 { (title) } (tabs(ask, HERE)) (search(ask, &mistakes)) };
            return Answer::again(AT, title, body);
        }
        Err(other) => return Err(other),
    };
    let found = decisions::list(&ask.desk, &filter).await?;
    let names = naming::of_page(ask, found.items.iter().filter_map(|one| one.client_id), []).await;
    let next = found.next.as_ref().map(ToString::to_string);
    let body = html! {
        h1 { (title) }
        (tabs(ask, HERE))
        p.soft { (ask.t("rule.decisions_about")) }
        (search(ask, &[]))
        @if let Some(until) = found.looked_until {
            p.notice { (ask.tf("rule.looked", &[("until", &ask.localizer.clock(until))])) }
        }
        @if found.items.is_empty() { (nothing(ask.t("list.nothing"))) } @else { (table(ask, &found.items, &names)) }
        (older(ask, HERE, next.as_deref()))
    };
    Answer::page(AT, title, body)
}

fn search(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    let input = |name: &str, kind: &str| {
        html! { input id=(name) name=(name) type=(kind) value=(ask.query.text(name)); }
    };
    let given = |name: &str| ask.query.get(name);
    let rules = Rule::ALL.iter().map(|rule| (rule.code(), name(ask, *rule).to_owned()));
    let verdicts = Verdict::ALL.iter().map(|one| (one.code(), ask.t(&format!("state.{one}")).to_owned()));
    let asked = Asked::ALL.iter().map(|one| (one.code(), ask.t(&format!("rule.asked_{one}")).to_owned()));
    html! {
        form.search method="get" action=(HERE) {
            (field(ask, mistakes, "rule", ask.t("rule.rule"), None, choice(ask, "rule", given("rule"), Some("form.all"), rules)))
            (field(ask, mistakes, "decision", ask.t("rule.decision"), None,
                choice(ask, "decision", given("decision"), Some("form.all"), verdicts)))
            (field(ask, mistakes, "client", ask.t("rule.client"), None, input("client", "text")))
            (field(ask, mistakes, "service", ask.t("rule.service"), None, input("service", "text")))
            (field(ask, mistakes, "asked", ask.t("rule.asked_by"), None,
                choice(ask, "asked", given("asked"), Some("form.all"), asked)))
            (field(ask, mistakes, "since", ask.t("rule.since"), None, input("since", "date")))
            (field(ask, mistakes, "until", ask.t("rule.until_day"), None, input("until", "date")))
            button type="submit" { (ask.t("form.search")) }
            a.button href=(HERE) { (ask.t("rule.clear")) }
        }
    }
}

fn table(ask: &Ask, all: &[Kept], names: &Names) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table.cards {
                thead { tr {
                    @for key in ["rule.when", "rule.rule", "rule.decision", "rule.about_what", "rule.client", "rule.asked_by"] {
                        th scope="col" { (ask.t(key)) }
                    }
                } }
                tbody { @for one in all {
                    tr {
                        td.nowrap data-label=(ask.t("rule.when")) {
                            a href={ (HERE) "/" (one.id) } { (ask.time(one.asked_at)) span.hidden { ": " (ask.t("rule.show")) } }
                        }
                        td data-label=(ask.t("rule.rule")) { (name(ask, one.rule)) }
                        td data-label=(ask.t("rule.decision")) { (state(ask, one.verdict.code())) }
                        td data-label=(ask.t("rule.about_what")) { (about(ask, one.subject)) }
                        td data-label=(ask.t("rule.client")) {
                            @match one.client_id { Some(id) => (naming::client(ask, names, id)), None => "–" }
                        }
                        td data-label=(ask.t("rule.asked_by")) { span { (asker(ask, one)) } }
                    }
                } }
            }
        }
    }
}

/// Who asked, and whether it was only a trial.
fn asker(ask: &Ask, one: &Kept) -> Markup {
    let by = ask.localizer.known(&format!("rule.by_{}", one.asked_by)).unwrap_or(&one.asked_by);
    html! {
        @if by.is_empty() { (one.source) } @else { bdi { (by) } }
        @if one.what_if { " " (verdict::only_asked(ask)) } @else { br; small.mono { (one.hook) } }
    }
}

pub(super) async fn one(ask: &Ask) -> Result<Answer, AdminError> {
    let whole = decisions::whole(&ask.desk, decisions::id(ask.param(0))?, ask.localizer.locale).await?;
    let kept = &whole.kept;
    let rows: Vec<(&str, bool, &str)> =
        whole.reasons.iter().map(|one| (one.code.as_str(), one.passed, one.text.as_str())).collect();
    let title = format!("{}: {}", name(ask, kept.rule), about(ask, kept.subject));
    let body = html! {
        h1 { (title) " " (state(ask, kept.verdict.code())) }
        (tabs(ask, ""))
        div.columns {
            section.card {
                h2 { (ask.t("rule.says")) }
                (verdict::conditions(ask, &rows))
                (verdict::table(ask, &values(ask, &whole)))
                (verdict::client_reads(ask, None, whole.message.as_deref(), &whole.notices))
                (verdict::may_except(ask, kept.rule, kept.subject, kept.verdict))
            }
            section.card { (particulars(ask, &whole)) }
        }
        div.columns {
            section.card { h2 { (ask.t("rule.facts")) } (facts::show(ask, &whole.facts)) }
            section.card { h2 { (ask.t("rule.question")) } (facts::show(ask, &whole.question)) }
        }
    };
    Answer::page(AT, title.clone(), body)
}

/// Who asked, where and when, and what came of it.
fn particulars(ask: &Ask, whole: &Whole) -> Markup {
    let kept = &whole.kept;
    html! {
        h2 { (ask.t("rule.did")) }
        @if whole.unheard.is_empty() { p { (ask.t(did(kept))) } }
        @for told in &whole.unheard {
            @let key = if told.missed.on_failure == "closed" { "rule.unheard_closed" } else { "rule.unheard_open" };
            p.notice.waiting {
                (ask.tf(key, &[("cause", &cause(ask, told))])) " "
                a href={ "/admin/events/" (told.event) } { (ask.t("rule.event")) }
            }
        }
        dl.facts {
            dt { (ask.t("rule.when")) } dd { (ask.time(kept.asked_at)) }
            dt { (ask.t("rule.asked_by")) } dd { (asker(ask, kept)) }
            dt { (ask.t("rule.source")) } dd { (kept.source) }
            dt { (ask.t("rule.version")) } dd { (kept.version) }
            @if let Some(request) = &kept.request { dt { (ask.t("rule.request")) } dd { code { (request) } } }
            dt { (ask.t("rule.id")) } dd { code { (kept.id) } }
        }
        ul.plain {
            li { a href=(again(kept)) { (ask.t("rule.ask_again")) } }
            @if let Some(client) = kept.client_id {
                li { a href={ (HERE) "?client=" (client) } { (ask.t("rule.all_of_client")) } }
                li { a href={ "/admin/why?client=" (client) } { (ask.t("rule.why_page")) } }
            }
        }
    }
}

/// The form of the same question.
fn again(kept: &Kept) -> String {
    let client = kept.client_id.map_or_else(String::new, |client| format!("&client={client}"));
    match kept.subject.filter(|subject| matches!(subject.kind, SubjectKind::Service | SubjectKind::Domain)) {
        Some(subject) => format!("{AT}/{}?{}={}{client}", kept.rule, subject.kind, subject.id),
        None => format!("{AT}/{}", kept.rule),
    }
}

/// What the stub does at that hook with that answer (docs/HOOKS.md).
fn did(kept: &Kept) -> &'static str {
    if kept.what_if {
        return "rule.did_nothing";
    }
    match (kept.verdict, kept.hook.as_str()) {
        (Verdict::Allow, _) => "rule.did_went_on",
        (_, "OrderProductUpgradeOverride" | "PreUpgradeCheckout") if kept.verdict != Verdict::Adjust => {
            "rule.did_no_veto"
        }
        (Verdict::Adjust, _) => "rule.did_price",
        (_, "ClientAreaPageUpgrade" | "ClientAreaPageCancellation") => "rule.did_page",
        (_, "PreModuleTerminate") => "rule.did_aborted",
        (_, "ClientDetailsValidation" | "ContactDetailsValidation") => "rule.did_not_saved",
        _ => "rule.did_refused",
    }
}

/// The stored values: amounts as they were kept, with their currency behind.
fn values<'a>(ask: &Ask, whole: &'a Whole) -> Vec<(&'a str, String)> {
    let currency = whole.values["currency"].as_str().unwrap_or_default();
    let named = whole.values.as_object().into_iter().flatten();
    let shown = named.filter_map(|(name, value)| {
        let text = match (name.as_str(), value) {
            ("message" | "notices" | "warnings", _) => return None,
            ("price" | "discount", Value::String(amount)) => format!("{amount} {currency}"),
            ("differences", Value::Array(codes)) => verdict::differences(ask, codes.iter().filter_map(Value::as_str)),
            ("due_invoices", Value::Array(all)) => {
                let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
                let each = all.iter().map(|one| format!("{} ({})", text(one, "number"), text(one, "balance")));
                each.collect::<Vec<_>>().join(", ")
            }
            (_, Value::Bool(flag)) => ask.t(if *flag { "form.yes" } else { "form.no" }).to_owned(),
            (_, Value::String(text)) => facts::word(ask, text),
            (_, other) => other.to_string(),
        };
        (!text.trim().is_empty()).then_some((name.as_str(), text))
    });
    shown.collect()
}

fn cause<'a>(ask: &Ask, told: &'a MissedDecision) -> &'a str {
    ask.localizer.known(&format!("rule.cause_{}", told.missed.cause)).unwrap_or(&told.missed.cause)
}

pub(super) async fn missed(ask: &Ask) -> Result<Answer, AdminError> {
    let before = match ask.query.get("before").map(Place::parse) {
        Some(None) => return Err(AdminError::invalid("before", "messages.place_bad")),
        given => given.flatten(),
    };
    let filter = missed::Filter { before, limit: PAGE_ROWS, ..missed::Filter::default() };
    let found = missed::page(&ask.desk.store, &filter).await?;
    let clients = found.items.iter().filter_map(|one| one.missed.client_id).map(|id| id.0);
    let names = naming::of_page(ask, clients, []).await;
    let next = found.next.as_ref().map(ToString::to_string);
    let title = ask.t("rule.missed_title");
    let body = html! {
        h1 { (title) }
        (tabs(ask, MISSED))
        p.soft { (ask.t("rule.missed_about")) }
        @if found.items.is_empty() { (nothing(ask.t("rule.missed_none"))) } @else { (missed_table(ask, &found.items, &names)) }
        (older(ask, MISSED, next.as_deref()))
    };
    Answer::page(AT, title, body)
}

fn missed_table(ask: &Ask, all: &[MissedDecision], names: &Names) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table.cards {
                thead { tr {
                    @for key in ["rule.when", "rule.rule", "rule.about_what", "rule.client", "rule.missed_why", "rule.missed_did"] {
                        th scope="col" { (ask.t(key)) }
                    }
                } }
                tbody { @for one in all {
                    @let missed = &one.missed;
                    tr {
                        td.nowrap data-label=(ask.t("rule.when")) {
                            a href={ "/admin/events/" (one.event) } { (ask.time(one.at)) span.hidden { ": " (ask.t("rule.event")) } }
                        }
                        td data-label=(ask.t("rule.rule")) {
                            span { (missed.rule.map_or(ask.t("rule.unknown_rule"), |rule| name(ask, rule))) br; small.mono { (missed.hook) } }
                        }
                        td data-label=(ask.t("rule.about_what")) { span { (what_of(ask, one)) } }
                        td data-label=(ask.t("rule.client")) {
                            @match missed.client_id { Some(id) => (naming::client(ask, names, id.0)), None => "–" }
                        }
                        td data-label=(ask.t("rule.missed_why")) { (cause(ask, one)) }
                        td data-label=(ask.t("rule.missed_did")) {
                            @match missed.on_failure.as_str() {
                                "closed" => (badge(Tone::Bad, ask.t("rule.missed_closed"))),
                                "open" => (badge(Tone::Waiting, ask.t("rule.missed_open"))),
                                _ => "?",
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// What it was about, with the way to ask now.
fn what_of(ask: &Ask, one: &MissedDecision) -> Markup {
    let service = one.missed.about.iter().find(|(name, _)| *name == "service_id").map(|(_, id)| *id);
    html! {
        @match (one.missed.rule, service) {
            (Some(rule), Some(id)) => {
                (ask.tf("subject.service", &[("id", &id)])) " · "
                a href={ (AT) "/" (rule) "?service=" (id) } { (ask.t("rule.what_now")) }
            }
            (_, Some(id)) => (ask.tf("subject.service", &[("id", &id)])),
            _ => "–",
        }
    }
}
