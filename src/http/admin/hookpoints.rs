//! Owns: hookpoints: list, switch, change, make new ones.

mod ahead;
mod detail;
mod edit;
mod form;
mod new;
mod trial;

use maud::html;

use super::ask::{Answer, Answering, Ask, Page, get, post};
use super::layout::{self, Tone, badge};
use crate::admin::AdminError;
use crate::admin::hookpoints::{self, Line, Origin, change};
use crate::domain::admin::Role;

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/hookpoints", Role::Viewer, |ask| Box::pin(async move { list(&ask).await })),
    get("/hookpoints/new", Role::Administrator, |ask| Box::pin(async move { new::show(&ask) })),
    post("/hookpoints/new", Role::Administrator, |ask| Box::pin(async move { new::create(&ask).await })),
    get("/hookpoints/ahead", Role::Viewer, |ask| Box::pin(async move { ahead::show(&ask).await })),
    get("/hookpoints/ahead/:name", Role::Viewer, |ask| Box::pin(async move { ahead::day(&ask).await })),
    get("/hookpoints/hooks", Role::Viewer, |ask| Box::pin(async move { Ok(new::found(&ask)) })),
    post("/hookpoints/check", Role::Viewer, |ask| Box::pin(async move { Ok(form::typed(&ask)) })),
    post("/hookpoints/try", Role::Viewer, |ask| Box::pin(async move { trial::of_form(&ask).await })),
    get("/hookpoints/:name", Role::Viewer, |ask| Box::pin(async move { detail::show(&ask).await })),
    get("/hookpoints/:name/try", Role::Viewer, |ask| Box::pin(async move { trial::saved(&ask).await })),
    get("/hookpoints/:name/versions/:id", Role::Viewer, |ask| Box::pin(async move { detail::version(&ask).await })),
    post("/hookpoints/:name/switch", Role::Administrator, switch),
    get("/hookpoints/:name/edit", Role::Administrator, |ask| Box::pin(async move { edit::show(&ask).await })),
    post("/hookpoints/:name/edit", Role::Administrator, |ask| Box::pin(async move { edit::save(&ask).await })),
    get("/hookpoints/:name/text", Role::Administrator, |ask| Box::pin(async move { edit::show_text(&ask).await })),
    post("/hookpoints/:name/text", Role::Administrator, |ask| Box::pin(async move { edit::save_text(&ask).await })),
    post("/hookpoints/:name/roll-back", Role::Administrator, roll_back),
    post("/hookpoints/:name/built-in", Role::Administrator, built_in),
];

const AT: &str = "/admin/hookpoints";

async fn list(ask: &Ask) -> Result<Answer, AdminError> {
    let all = hookpoints::all(&ask.desk, &ask.who).await?;
    let body = html! {
        div.spread {
            h1 { (ask.t("hookpoints.title")) }
            @if ask.may(Role::Administrator) { a.button.main href="/admin/hookpoints/new" { (ask.t("hookpoints.new")) } }
        }
        p { (ask.t("hookpoints.intro")) " " a href={ (AT) "/ahead" } { (ask.t("ahead.title")) } }
        @for mistake in &all.left_out {
            p.notice.bad role="alert" { (ask.t("hookpoints.left_out")) " " span.mono { (mistake) } }
        }
        section.card { div.scroll tabindex="0" { table.cards {
            thead { tr {
                @for key in ["name", "on", "class", "audience", "hooks", "day", "week"] {
                    th scope="col" { (ask.t(&format!("hookpoints.{key}"))) }
                }
            } }
            tbody { @for line in &all.lines { (row(ask, line)) } }
        } } }
    };
    Answer::page(AT, ask.t("hookpoints.title"), body)
}

fn row(ask: &Ask, line: &Line) -> maud::Markup {
    let hookpoint = &line.hookpoint;
    let label = |key: &str| ask.t(&format!("hookpoints.{key}")).to_owned();
    let hooks: Vec<&str> = hookpoint.triggers.iter().map(|trigger| trigger.hook.as_str()).collect();
    html! {
        tr {
            td data-label=(label("name")) {
                span {
                    a href={ (AT) "/" (hookpoint.id) } { (hookpoint.title[&ask.localizer.locale]) }
                    br; small.mono { (hookpoint.id) }
                    @if line.origin != Origin::BuiltIn || line.by_config { br; (origin(ask, line)) }
                    @if !line.without_text.is_empty() {
                        br; a href={ "/admin/templates?q=" (hookpoint.id) } { (badge(Tone::Waiting, ask.t("hookpoints.text_missing"))) }
                    }
                }
            }
            td data-label=(label("on")) { (on(ask, line)) }
            td data-label=(label("class")) { (ask.t(&format!("class.{}", hookpoint.class))) }
            td data-label=(label("audience")) { (ask.t(&format!("hookpoints.audience_{}", hookpoint.audience))) }
            td data-label=(label("hooks")) { span.mono { (hooks.join(", ")) } }
            td.end data-label=(label("day")) { (ask.localizer.number(line.day)) }
            td.end data-label=(label("week")) { (ask.localizer.number(line.week)) }
        }
    }
}

/// Whether it is on, and by whom.
fn on(ask: &Ask, line: &Line) -> maud::Markup {
    let (tone, key) = if line.enabled { (Tone::Good, "hookpoints.is_on") } else { (Tone::Plain, "hookpoints.is_off") };
    badge(tone, ask.t(key))
}

/// Where it comes from.
fn origin(ask: &Ask, line: &Line) -> maud::Markup {
    let tone = match line.origin {
        Origin::BuiltIn => Tone::Plain,
        Origin::Changed | Origin::Own => Tone::Good,
        Origin::Unfit => Tone::Bad,
    };
    html! {
        (badge(tone, ask.t(&format!("hookpoints.origin_{}", line.origin))))
        @if line.by_config { " " (badge(Tone::Waiting, ask.t("hookpoints.by_config"))) }
    }
}

/// The address of one hookpoint.
fn address(name: &str) -> String {
    format!("{AT}/{}", percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC))
        .replace("%5F", "_")
}

/// A number of a form, if it is there; the version that a page was made from.
fn based_on(ask: &Ask) -> Result<Option<u64>, AdminError> {
    ask.form.number("based_on").map_err(|mistake| AdminError::Invalid(vec![mistake]))
}

fn switch(ask: Ask) -> Answering {
    Box::pin(async move {
        let on = ask.form.text("to") == "on";
        match change::switch(&ask.desk, &ask.who, ask.param(0), on).await {
            Err(AdminError::Invalid(mistakes)) => {
                Err(AdminError::Conflict(mistakes.first().map(|one| one.text.clone()).unwrap_or_default()))
            }
            other => {
                other?;
                Answer::done(&address(ask.param(0)), if on { "hookpoint_on" } else { "hookpoint_off" })
            }
        }
    })
}

fn roll_back(ask: Ask) -> Answering {
    Box::pin(async move {
        let to = ask.form.number("version").map_err(|one| AdminError::Invalid(vec![one]))?.unwrap_or(0);
        change::roll_back(&ask.desk, &ask.who, ask.param(0), to, based_on(&ask)?).await?;
        Answer::done(&address(ask.param(0)), "hookpoint_back")
    })
}

fn built_in(ask: Ask) -> Answering {
    Box::pin(async move {
        let own = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?.line.origin == Origin::Own;
        change::built_in(&ask.desk, &ask.who, ask.param(0), based_on(&ask)?).await?;
        if own { Answer::done(AT, "hookpoint_gone") } else { Answer::done(&address(ask.param(0)), "hookpoint_back") }
    })
}

/// The menu's entry, for the files below.
fn page(title: &str, body: maud::Markup) -> Result<Answer, AdminError> {
    Answer::page(AT, title, body)
}

/// Back to the list or to one of it.
fn back(ask: &Ask, to: &str, label: &str) -> maud::Markup {
    html! { p { a href=(to) { "‹ " (ask.t(label)) } } }
}

/// A reason in words, with its code.
fn reason(ask: &Ask, code: &str) -> String {
    ask.localizer.known(&format!("reason.{code}")).map_or_else(|| code.to_owned(), |text| format!("{text} ({code})"))
}

pub(super) use layout::field;
