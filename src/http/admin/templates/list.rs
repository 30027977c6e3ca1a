//! Owns: all texts: alerts downwards, languages side by side.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{AT, parts};
use crate::admin::AdminError;
use crate::admin::templates::provider::{AtProvider, at_provider};
use crate::admin::templates::{Origin, Text, check, list};
use crate::domain::hookpoint::Hookpoint;
use crate::domain::locale::Locale;
use crate::http::admin::ask::{Answer, Ask};
use crate::http::admin::layout::{self, Tone, badge};
use crate::render::template::Template;

pub async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let all = list(&ask.desk).await?;
    let kept = at_provider(&ask.desk).await;
    let wanted = ask.query.text("q").to_lowercase();
    let fits = |hookpoint: &Hookpoint| {
        hookpoint.id.as_str().contains(&wanted) || title(ask, hookpoint).to_lowercase().contains(&wanted)
    };
    let rows: Vec<&(Hookpoint, Vec<Text>)> = all.iter().filter(|(hookpoint, _)| fits(hookpoint)).collect();
    let body = html! {
        h1 { (ask.t("menu.templates")) }
        p { (ask.t("templates.intro")) }
        (asked(ask, kept.0, &kept.1, AT))
        form.search method="get" action=(AT) {
            div.field {
                label for="q" { (ask.t("templates.find")) }
                input id="q" name="q" type="search" value=(ask.query.text("q"));
            }
            button type="submit" { (ask.t("form.search")) }
        }
        @if rows.is_empty() { (layout::nothing(ask.t("list.nothing"))) } @else {
            div.card { div.scroll tabindex="0" { table.cards {
                caption.hidden { (ask.t("menu.templates")) }
                thead { tr {
                    th { (ask.t("templates.alert")) }
                    @for locale in Locale::ALL { th { (layout::language_name(locale)) } }
                } }
                tbody {
                    @for (hookpoint, texts) in rows {
                        tr {
                            td data-label=(ask.t("templates.alert")) {
                                div { strong { (title(ask, hookpoint)) } br; small { code { (hookpoint.id) } }
                                    @if !hookpoint.enabled { " " (badge(Tone::Plain, ask.t("templates.off"))) } }
                            }
                            @for text in texts {
                                td data-label=(layout::language_name(text.key.locale)) { (cell(ask, hookpoint, text, &kept.1)) }
                            }
                        }
                    }
                }
            } } }
        }
    };
    Answer::page(AT, ask.t("menu.templates"), body)
}

/// The alert's name for people.
pub fn title(ask: &Ask, hookpoint: &Hookpoint) -> String {
    hookpoint.title.get(&ask.localizer.locale).cloned().unwrap_or_else(|| hookpoint.id.to_string())
}

fn cell(ask: &Ask, hookpoint: &Hookpoint, text: &Text, at: &AtProvider) -> Markup {
    let path = super::path(&text.key);
    let label = ask.tf(
        "templates.open",
        &[("alert", &title(ask, hookpoint)), ("language", &layout::language_name(text.key.locale))],
    );
    let Some(source) = &text.source else {
        return html! { div {
            a href=(path) aria-label={ (ask.t("templates.write")) ": " (label) } { (ask.t("templates.write")) } br;
            (badge(Tone::Bad, ask.t("templates.origin_missing")))
            @if text.draft().is_some() { " " (badge(Tone::Waiting, ask.t("templates.draft_badge"))) }
        } };
    };
    let known = at.known(&source.name, text.key.locale);
    let differs =
        known.is_some_and(|known| Template::of(source.clone()).is_ok_and(|template| check::differs(&template, known)));
    html! {
        div {
            a href=(path) aria-label={ (source.name) ": " (label) } { code { (source.name) } } br;
            @if at.error.is_none() { (parts::state_badge(ask, known)) " " }
            @if text.draft().is_some() { (badge(Tone::Waiting, ask.t("templates.draft_badge"))) " " }
            @if differs { (badge(Tone::Waiting, ask.t("templates.differs_badge"))) " " }
            @if let Some(version) = &text.version {
                br;
                small {
                    @if text.origin == Origin::Saved { (ask.tf("templates.version", &[("n", &version.id)])) " · " }
                    @else { (ask.t("templates.origin_built_in")) " · " }
                    (ask.time(version.at)) " · " (version.who)
                }
            } @else { br; small { (ask.t("templates.origin_built_in")) } }
        }
    }
}

/// When the provider was asked, what came of it, and asking again.
pub fn asked(ask: &Ask, at: Timestamp, provider: &AtProvider, back: &str) -> Markup {
    let again = ask.may(crate::domain::admin::Role::Operator).then(|| {
        ask.form_to(
            "/admin/templates/ask",
            html! {
                input type="hidden" name="to" value=(back);
                button type="submit" { (ask.t("templates.ask_again")) }
            },
        )
    });
    let ago = ask.localizer.ago(at, ask.desk.now());
    html! {
        @if let Some(error) = &provider.error {
            p.notice.waiting role="status" {
                (ask.tf("templates.provider_silent", &[("ago", &ago)])) " " small lang="en" { (error) }
            }
        }
        div.line {
            @if provider.error.is_none() { small { (ask.tf("templates.asked", &[("ago", &ago)])) } }
            @if let Some(again) = again { (again) }
        }
    }
}
