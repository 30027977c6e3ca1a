//! Owns: changing a hookpoint: by the form, or as text.

use maud::{Markup, html};
use serde_json::Value;

use super::super::ask::{Answer, Ask, View};
use super::{AT, address, back, based_on, field, form};
use crate::admin::hookpoints::change::{self, Saving};
use crate::admin::hookpoints::{self, check};
use crate::admin::{AdminError, Mistake};
use crate::catalogue::written;
use crate::domain::hookpoint::Hookpoint;
use crate::domain::locale::Locale;

pub async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let detail = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?;
    let definition = written::json(&detail.line.hookpoint);
    Answer::page(AT, ask.t("hookpoints.edit"), body(ask, &definition, detail.version, &[]))
}

fn body(ask: &Ask, definition: &Value, version: u64, mistakes: &[Mistake]) -> Markup {
    let here = address(ask.param(0));
    let title = definition["title"][ask.localizer.locale.code()].as_str().unwrap_or_default();
    html! {
        (back(ask, &here, "hookpoints.back_one"))
        h1 { (ask.t("hookpoints.edit")) ": " (title) }
        (general(ask, mistakes))
        (ask.form_to(&format!("{here}/edit"), html! {
            input type="hidden" name="name" value=(ask.param(0));
            input type="hidden" name="based_on" value=(version);
            (form::fields(ask, definition, mistakes, false))
            (note(ask, mistakes))
            (buttons(ask, &here))
        }))
    }
}

/// What is wrong with the whole, where it belongs to no field.
pub fn general(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    let whole: Vec<&Mistake> =
        mistakes.iter().filter(|one| ["definition", "on", "text"].contains(&one.field.as_str())).collect();
    html! {
        @if !mistakes.is_empty() { p.notice.bad role="alert" { (ask.t("hookpoints.not_saved"))
            @for one in whole { br; (ask.t(&one.text)) } } }
    }
}

pub fn note(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    field(
        ask,
        mistakes,
        "note",
        ask.t("hookpoints.note"),
        Some(ask.t("hookpoints.note_hint")),
        html! {
            input id="note" name="note" maxlength="300" value=(ask.form.text("note"));
        },
    )
}

/// Saving, trying, leaving.
pub fn buttons(ask: &Ask, leave: &str) -> Markup {
    html! {
        div.line.stay {
            button.main type="submit" { (ask.t("form.save")) }
            button type="submit" formaction="/admin/hookpoints/try" formnovalidate hx-post="/admin/hookpoints/try" hx-target="#trial" { (ask.t("hookpoints.try")) }
            a.button href=(leave) { (ask.t("form.cancel")) }
        }
        div id="trial" aria-live="polite" {}
    }
}

/// Reads the form into a hookpoint; mistakes in the person's words.
pub fn entered(ask: &Ask, name: &str) -> Result<Hookpoint, (Value, Vec<Mistake>)> {
    let (definition, mut mistakes) = form::read(&ask.form);
    if !mistakes.is_empty() {
        return Err((definition, mistakes));
    }
    match check::of_json(name, definition.clone()) {
        Err(AdminError::Invalid(all)) => Err((definition, all)),
        Err(error) => Err((definition, vec![Mistake::new("definition", error.to_string())])),
        Ok(hookpoint) => {
            for (field, wrong) in check::expressions(&hookpoint) {
                mistakes.push(Mistake::new(&field, form::wrong(ask, &wrong)));
            }
            for (hook, why) in check::unfit_hooks(&hookpoint) {
                let why = ask.t(&format!("hookpoints.unfit_{why}")).to_owned();
                mistakes.push(Mistake::new("on", format!("{hook}: {why}")));
            }
            if mistakes.is_empty() { Ok(hookpoint) } else { Err((definition, mistakes)) }
        }
    }
}

pub async fn save(ask: &Ask) -> Result<Answer, AdminError> {
    let based_on = based_on(ask)?;
    let again = |definition: &Value, mistakes: &[Mistake]| {
        Answer::again(AT, ask.t("hookpoints.edit"), body(ask, definition, based_on.unwrap_or(0), mistakes))
    };
    let hookpoint = match entered(ask, ask.param(0)) {
        Ok(hookpoint) => hookpoint,
        Err((definition, mistakes)) => return again(&definition, &mistakes),
    };
    let definition = written::json(&hookpoint);
    match change::save(&ask.desk, &ask.who, Saving { hookpoint, based_on, note: ask.form.text("note") }).await {
        Err(AdminError::Invalid(mistakes)) => again(&definition, &mistakes),
        Err(AdminError::Conflict(why)) => {
            let newest = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?.version;
            let body = html! { (meanwhile(ask, &why, newest)) (body(ask, &definition, newest, &[])) };
            Ok(slower(ask, "hookpoints.edit", body))
        }
        other => {
            other?;
            Answer::done(&address(ask.param(0)), "hookpoint_saved")
        }
    }
}

/// Somebody else was faster: what was typed stays, and the other's version is one click away.
fn meanwhile(ask: &Ask, why: &str, newest: u64) -> Markup {
    html! {
        div.notice.bad role="alert" {
            (ask.t(why)) " " (ask.t("hookpoints.kept")) " "
            a href={ (address(ask.param(0))) "/versions/" (newest) } target="_blank" { (ask.t("hookpoints.see_other")) }
        }
    }
}

fn slower(ask: &Ask, title: &str, body: Markup) -> Answer {
    Answer::Page(View { title: ask.t(title).to_owned(), at: AT, status: 409, body })
}

pub async fn show_text(ask: &Ask) -> Result<Answer, AdminError> {
    let detail = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?;
    let body = text_body(ask, &detail.text, detail.version, &detail.line.hookpoint.title[&ask.localizer.locale], &[]);
    Answer::page(AT, ask.t("hookpoints.as_text"), body)
}

fn text_body(ask: &Ask, text: &str, version: u64, title: &str, mistakes: &[Mistake]) -> Markup {
    let here = address(ask.param(0));
    html! {
        (back(ask, &here, "hookpoints.back_one"))
        h1 { (ask.t("hookpoints.as_text")) ": " (title) }
        p { (ask.t("hookpoints.as_text_hint")) }
        @for one in mistakes.iter().filter(|one| !["text", "note"].contains(&one.field.as_str())) {
            p.notice.bad role="alert" { (one.field) ": " (ask.t(&one.text)) }
        }
        (ask.form_to(&format!("{here}/text"), html! {
            input type="hidden" name="based_on" value=(version);
            (field(ask, mistakes, "text", ask.t("hookpoints.definition"), None, html! {
                textarea.code id="text" name="text" rows="26" spellcheck="false" { (text) }
            }))
            (note(ask, mistakes))
            div.line {
                button.main type="submit" { (ask.t("form.save")) }
                a.button href=(here) { (ask.t("form.cancel")) }
            }
        }))
    }
}

pub async fn save_text(ask: &Ask) -> Result<Answer, AdminError> {
    let (name, based_on) = (ask.param(0), based_on(ask)?);
    let text = ask.form.raw("text").unwrap_or_default();
    let saved = match check::read(name, text) {
        Ok(hookpoint) => {
            change::save(&ask.desk, &ask.who, Saving { hookpoint, based_on, note: ask.form.text("note") }).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Err(AdminError::Invalid(mistakes)) => {
            let detail = hookpoints::one(&ask.desk, &ask.who, name).await?;
            let title = &detail.line.hookpoint.title[&ask.localizer.locale];
            let body = text_body(ask, text, based_on.unwrap_or(0), title, &mistakes);
            Answer::again(AT, ask.t("hookpoints.as_text"), body)
        }
        Err(AdminError::Conflict(why)) => {
            let detail = hookpoints::one(&ask.desk, &ask.who, name).await?;
            let title = &detail.line.hookpoint.title[&ask.localizer.locale];
            let form = text_body(ask, text, detail.version, title, &[]);
            let body = html! { (meanwhile(ask, &why, detail.version)) (form) };
            Ok(slower(ask, "hookpoints.as_text", body))
        }
        other => {
            other?;
            Answer::done(&address(name), "hookpoint_saved")
        }
    }
}

/// An empty definition's titles.
pub fn no_title() -> Value {
    Locale::PAGES
        .map(|locale| (locale.code(), ""))
        .into_iter()
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .map(|(code, text)| (code.to_owned(), Value::from(text)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
