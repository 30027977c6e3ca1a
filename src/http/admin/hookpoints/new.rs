//! Owns: a new hookpoint: finding the platform's hook, and the form that begins with what is known of it.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::ask::{Answer, Ask};
use super::super::layout::{Tone, badge};
use super::{AT, address, back, edit, field, form};
use crate::admin::hookpoints::change;
use crate::admin::{AdminError, Mistake};
use crate::catalogue::hooks::{self, Hook};
use crate::domain::hookpoint::{Hookpoint, HookpointId, SubjectKind};

/// Hooks that a search shows.
const FOUND_MAX: usize = 60;

pub fn show(ask: &Ask) -> Result<Answer, AdminError> {
    match ask.query.get("hook") {
        None => Answer::page(AT, ask.t("hookpoints.new"), search_page(ask)),
        Some(name) => {
            let hook = hooks::named(name).ok_or(AdminError::NotFound("hook"))?;
            Answer::page(AT, ask.t("hookpoints.new"), body(ask, &begun(ask, hook), &proposed(hook), &[]))
        }
    }
}

fn search_page(ask: &Ask) -> Markup {
    html! {
        (back(ask, AT, "hookpoints.title"))
        h1 { (ask.t("hookpoints.new")) }
        p { (ask.t("hookpoints.new_intro")) }
        form.search method="get" action="/admin/hookpoints/new" role="search" {
            div.field {
                label for="q" { (ask.t("hookpoints.search_hook")) }
                input id="q" name="q" type="search" value=(ask.query.text("q")) placeholder="TicketOpen"
                    hx-get="/admin/hookpoints/hooks" hx-trigger="input changed delay:250ms, search" hx-target="#hooks";
            }
            button type="submit" { (ask.t("form.search")) }
        }
        div id="hooks" { (results(ask)) }
    }
}

/// The search's part of the page.
pub fn found(ask: &Ask) -> Answer {
    Answer::Part(results(ask))
}

fn results(ask: &Ask) -> Markup {
    let found = hooks::search(ask.query.text("q"));
    let used = ask.desk.catalogue.load();
    let label = |key: &str| ask.t(&format!("hookpoints.{key}")).to_owned();
    html! {
        p.soft role="status" { (ask.tf("hookpoints.found", &[("n", &found.len()), ("all", &hooks::all().len())])) }
        div.scroll tabindex="0" { table.cards {
            thead { tr { @for key in ["hook", "group", "parameters", "standing"] { th scope="col" { (label(key)) } } } }
            tbody {
                @for hook in found.iter().take(FOUND_MAX) {
                    tr {
                        td data-label=(label("hook")) {
                            @if hook.unfit.is_none() { a.mono href={ "/admin/hookpoints/new?hook=" (hook.name) } { (hook.name) } }
                            @else { span.mono { (hook.name) } }
                        }
                        td data-label=(label("group")) { (hook.group) }
                        td data-label=(label("parameters")) { span.mono { (hook.parameters.join(" ")) } }
                        td data-label=(label("standing")) { span {
                            @if let Some(why) = hook.unfit { (badge(Tone::Plain, ask.t(&format!("hookpoints.unfit_{why}")))) }
                            @if let Some(mind) = hook.mind { (badge(Tone::Waiting, ask.t(&format!("hookpoints.mind_{mind}")))) }
                            @for (entry, _) in used.fired_by(hook.name) {
                                " " a href=(address(entry.hookpoint.id.as_str())) { (entry.hookpoint.title[&ask.localizer.locale]) }
                            }
                        } }
                    }
                }
            }
        } }
        @if found.len() > FOUND_MAX { p.soft { (ask.t("hookpoints.found_more")) } }
    }
}

/// What a form begins with.
fn begun(ask: &Ask, hook: &Hook) -> Value {
    let subjects = hook.subjects();
    let (subject, id) = subjects.into_iter().next().unwrap_or((SubjectKind::Client, Vec::new()));
    let fields: Vec<&str> = hook.parameters.iter().copied().filter(|path| !id.contains(path)).collect();
    json!({
        "title": edit::no_title(), "introduced": ask.desk.now().to_zoned(TimeZone::UTC).date().to_string(),
        "class": "notice", "audience": audience(subject), "subject": subject.code(), "enabled": false,
        "on": [{ "hook": hook.name, "id": id, "fields": fields }],
        "transition": "request", "expires_after_min": 1440,
    })
}

fn audience(subject: SubjectKind) -> &'static str {
    match subject {
        SubjectKind::Invoice => "invoice",
        SubjectKind::Service | SubjectKind::Cancellation => "product",
        SubjectKind::Domain => "domain",
        SubjectKind::Quote => "general",
        SubjectKind::Ticket => "support",
        SubjectKind::Client | SubjectKind::User | SubjectKind::Contact => "owner",
    }
}

/// `TicketOpen` is `ticket_open`.
fn proposed(hook: &Hook) -> String {
    let mut name = String::new();
    let mut before = 'A';
    for c in hook.name.chars() {
        if c.is_ascii_uppercase() && !before.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
        before = c;
    }
    name
}

fn body(ask: &Ask, definition: &Value, name: &str, mistakes: &[Mistake]) -> Markup {
    let hook = definition["on"][0]["hook"].as_str().unwrap_or_default();
    html! {
        (back(ask, "/admin/hookpoints/new", "hookpoints.another_hook_back"))
        h1 { (ask.t("hookpoints.new")) ": " (hook) }
        p.notice.waiting { (ask.t("hookpoints.new_off")) }
        @if let Some(mind) = hooks::named(hook).and_then(|hook| hook.mind) { p.notice.waiting { (ask.t(&format!("hookpoints.mind_{mind}_detail"))) } }
        (edit::general(ask, mistakes))
        (ask.form_to("/admin/hookpoints/new", html! {
            section.card {
                (field(ask, mistakes, "name", ask.t("hookpoints.form_name"), Some(ask.t("hookpoints.form_name_hint")), html! {
                    input.mono id="name" name="name" required pattern="[a-z0-9_]{1,64}" maxlength="64" value=(name);
                }))
            }
            (form::fields(ask, definition, mistakes, true))
            (edit::note(ask, mistakes))
            (edit::buttons(ask, AT))
        }))
    }
}

pub async fn create(ask: &Ask) -> Result<Answer, AdminError> {
    let name = ask.form.text("name");
    let again = |definition: &Value, mistakes: &[Mistake]| {
        Answer::again(AT, ask.t("hookpoints.new"), body(ask, definition, name, mistakes))
    };
    if HookpointId::parse(name).is_none() {
        let (definition, _) = form::read(&ask.form);
        return again(&definition, &[Mistake::new("name", "hookpoints.name_bad")]);
    }
    let hookpoint = match edit::entered(ask, name) {
        // It has no texts yet.
        Ok(hookpoint) => Hookpoint { enabled: false, ..hookpoint },
        Err((definition, mistakes)) => return again(&definition, &mistakes),
    };
    let definition = crate::catalogue::written::json(&hookpoint);
    match change::create(&ask.desk, &ask.who, hookpoint, ask.form.text("note")).await {
        Err(AdminError::Invalid(mistakes)) => again(&definition, &mistakes),
        other => {
            other?;
            Answer::done(&address(name), "hookpoint_made")
        }
    }
}
