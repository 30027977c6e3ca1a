//! Owns: one hookpoint as it is, and its versions.

use maud::{Markup, html};

use super::super::ask::{Answer, Ask};
use super::super::layout::{self, Tone, badge, language_name};
use super::{AT, address, back, on, origin, page, reason};
use crate::admin::AdminError;
use crate::admin::difference::difference;
use crate::admin::hookpoints::{self, Detail, Line, Origin, check};
use crate::domain::admin::Role;
use crate::domain::hookpoint::{Condition, Hookpoint, Transition, Trigger};
use crate::domain::locale::Locale;

pub async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let detail = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?;
    let hookpoint = &detail.line.hookpoint;
    let title = hookpoint.title[&ask.localizer.locale].clone();
    let here = address(ask.param(0));
    let body = html! {
        (back(ask, AT, "hookpoints.title"))
        div.spread {
            h1 { (title) }
            span { (on(ask, &detail.line)) " " (origin(ask, &detail.line)) }
        }
        @if !hookpoint.enabled && !detail.line.without_text.is_empty() {
            p.notice.waiting { (ask.t("hookpoints.off_until_texts")) }
        }
        @if detail.line.switch_by_config { p.hint { (ask.t("hookpoints.by_config_switch")) } }
        (buttons(ask, &detail, &here))
        div.columns {
            section.card { h2 { (ask.t("hookpoints.what")) } (facts(ask, &detail.line)) }
            section.card { h2 { (ask.t("hookpoints.texts")) } (texts(ask, &detail.line)) }
        }
        section.card { h2 { (ask.t("hookpoints.hooks")) } (triggers(ask, hookpoint)) }
        div.columns {
            section.card { h2 { (ask.t("hookpoints.when")) } (conditions(ask, &hookpoint.conditions)) }
            section.card { h2 { (ask.t("hookpoints.still")) } (conditions(ask, &hookpoint.still)) }
        }
        section.card { h2 { (ask.t("hookpoints.versions")) } (versions(ask, &detail, &here)) }
    };
    page(&title, body)
}

fn buttons(ask: &Ask, detail: &Detail, here: &str) -> Markup {
    let enabled = detail.line.hookpoint.enabled;
    html! {
        div.line {
            @if ask.may(Role::Administrator) {
                @if !detail.line.switch_by_config {
                    (ask.form_to(&format!("{here}/switch"), html! {
                        input type="hidden" name="to" value=(if enabled { "off" } else { "on" });
                        button class=(if enabled { "" } else { "main" }) type="submit" {
                            (ask.t(if enabled { "hookpoints.switch_off" } else { "hookpoints.switch_on" }))
                        }
                    }))
                }
                a.button href={ (here) "/edit" } { (ask.t("hookpoints.edit")) }
                a.button href={ (here) "/text" } { (ask.t("hookpoints.as_text")) }
            }
            a.button href={ (here) "/try" } { (ask.t("hookpoints.try")) }
            @if ask.may(Role::Administrator) && detail.line.origin != Origin::BuiltIn {
                @let own = detail.line.origin == Origin::Own;
                (ask.form_to(&format!("{here}/built-in"), html! {
                    input type="hidden" name="based_on" value=(detail.version);
                    button.danger type="submit" data-ask=(ask.t(if own { "hookpoints.remove_ask" } else { "hookpoints.built_in_ask" })) {
                        (ask.t(if own { "hookpoints.remove" } else { "hookpoints.built_in" }))
                    }
                }))
            }
        }
    }
}

fn facts(ask: &Ask, line: &Line) -> Markup {
    let hookpoint = &line.hookpoint;
    let same = match &hookpoint.transition {
        Transition::Once => ask.t("hookpoints.transition_once").to_owned(),
        Transition::Request => ask.t("hookpoints.transition_request").to_owned(),
        Transition::Key(key) => format!("{} {key}", ask.t("hookpoints.transition_key")),
        Transition::State { machine, to } => format!("{} {machine} → {to}", ask.t("hookpoints.transition_state")),
    };
    let quiet = hookpoint.quiet.map_or_else(
        || ask.t("hookpoints.none").to_owned(),
        |quiet| format!("{} – {}", quiet.from.strftime("%H:%M"), quiet.to.strftime("%H:%M")),
    );
    let most = |most: Option<u32>| {
        most.map_or_else(|| ask.t("hookpoints.usual").to_owned(), |n| ask.localizer.number(n.into()))
    };
    let rows = [
        ("hookpoints.name", hookpoint.id.to_string()),
        ("hookpoints.introduced", hookpoint.introduced.clone()),
        ("hookpoints.class", ask.t(&format!("class.{}", hookpoint.class)).to_owned()),
        ("hookpoints.audience", ask.t(&format!("hookpoints.audience_{}", hookpoint.audience)).to_owned()),
        ("hookpoints.subject", ask.t(&format!("hookpoints.subject_{}", hookpoint.subject)).to_owned()),
        ("hookpoints.transition", same),
        (
            "hookpoints.answers",
            hookpoint.answers.as_ref().map_or_else(|| ask.t("hookpoints.none").to_owned(), ToString::to_string),
        ),
        ("hookpoints.quiet", quiet),
        ("hookpoints.expires", ask.localizer.span(i64::from(line.expires_after_min) * 60)),
        ("hookpoints.mass_max", most(hookpoint.mass_max)),
        ("hookpoints.client_day_max", most(hookpoint.client_day_max)),
        ("hookpoints.alerts_day", ask.localizer.number(line.day)),
        ("hookpoints.alerts_week", ask.localizer.number(line.week)),
    ];
    html! { dl.facts { @for (key, value) in rows { dt { (ask.t(key)) } dd { (value) } } } }
}

fn texts(ask: &Ask, line: &Line) -> Markup {
    let wrong = check::texts(&ask.desk, &line.hookpoint);
    html! {
        ul.plain {
            @for locale in Locale::ALL {
                li.spread {
                    a href={ "/admin/templates/" (line.hookpoint.id) "/" (locale.code()) } lang=(locale.tag()) { (language_name(locale)) }
                    @if line.without_text.contains(&locale) { (badge(Tone::Bad, ask.t("hookpoints.text_missing"))) }
                    @else if wrong.contains(&locale) { (badge(Tone::Bad, ask.t("hookpoints.text_unfit"))) }
                    @else { (badge(Tone::Good, ask.t("hookpoints.text_there"))) }
                }
            }
        }
        a href={ "/admin/templates?q=" (line.hookpoint.id) } { (ask.t("hookpoints.texts_all")) }
    }
}

fn triggers(ask: &Ask, hookpoint: &Hookpoint) -> Markup {
    let label = |key: &str| ask.t(&format!("hookpoints.{key}")).to_owned();
    html! {
        div.scroll tabindex="0" { table.cards {
            thead { tr { @for key in ["hook", "id", "fields", "only", "diff", "lookups"] { th scope="col" { (label(key)) } } } }
            tbody {
                @for trigger in &hookpoint.triggers {
                    tr {
                        td data-label=(label("hook")) { span { span.mono { (trigger.hook) } @if trigger.ours { " " (badge(Tone::Plain, &label("ours"))) } } }
                        td data-label=(label("id")) { span.mono { (place(trigger)) } }
                        td data-label=(label("fields")) { span.mono { (trigger.fields.join(", ")) } }
                        td data-label=(label("only")) { span.mono {
                            @for (path, values) in &trigger.only { (path) " = " (values.join(" | ")) " " }
                        } }
                        td data-label=(label("diff")) { span.mono { (trigger.diff.join(", ")) } }
                        td data-label=(label("lookups")) { span.mono { (trigger.lookups.join(", ")) } }
                    }
                }
            }
        } }
    }
}

/// Where the subject is named; of a trigger by date, its steps.
fn place(trigger: &Trigger) -> String {
    let Some(steps) = &trigger.schedule else { return trigger.subject_at.join(", ") };
    let days: Vec<String> = steps.days.iter().map(|days| format!("{days:+}")).collect();
    let plus = steps.plus.map_or_else(String::new, |plus| format!(" + {plus}"));
    format!("{}{plus}: {} ({})", steps.of, days.join(", "), steps.at.strftime("%H:%M"))
}

fn conditions(ask: &Ask, conditions: &[Condition]) -> Markup {
    html! {
        @if conditions.is_empty() { p.soft { (ask.t("hookpoints.no_condition")) } }
        @else {
            ol {
                @for one in conditions {
                    li {
                        code { (one.expression) }
                        br; small {
                            (ask.t("hookpoints.otherwise")) ": " (reason(ask, one.otherwise.code()))
                            @if one.wait_s > 0 { " · " (ask.tf("hookpoints.waits", &[("n", &one.wait_s)])) }
                            @if one.moves { " · " (ask.t("hookpoints.moves")) }
                        }
                    }
                }
            }
        }
    }
}

fn versions(ask: &Ask, detail: &Detail, here: &str) -> Markup {
    html! {
        @if detail.versions.is_empty() { p.soft { (ask.t("hookpoints.no_version")) } }
        ul.plain {
            @for version in &detail.versions {
                li {
                    a href={ (here) "/versions/" (version.id) } { (ask.time(version.at)) }
                    " · " (version.who)
                    @if version.content.is_none() { " · " (ask.t("hookpoints.origin_built_in")) }
                    @if !version.note.is_empty() { " · " (version.note) }
                }
            }
        }
    }
}

/// One version: what it changed, and the way back to it.
pub async fn version(ask: &Ask) -> Result<Answer, AdminError> {
    let detail = hookpoints::one(&ask.desk, &ask.who, ask.param(0)).await?;
    let id: u64 = ask.param(1).parse().map_err(|_| AdminError::NotFound("version"))?;
    let place = detail.versions.iter().position(|one| one.id == id).ok_or(AdminError::NotFound("version"))?;
    let version = &detail.versions[place];
    let before = detail.versions.get(place + 1).and_then(|one| one.content.clone());
    let built_in = hookpoints::built_in_text(ask.param(0));
    let text = |content: Option<&String>| content.or(built_in.as_ref()).cloned().unwrap_or_default();
    let here = address(ask.param(0));
    let body = html! {
        (back(ask, &here, "hookpoints.back_one"))
        h1 { (ask.t("hookpoints.version")) " " (version.id) }
        p { (ask.time(version.at)) " · " (version.who) @if !version.note.is_empty() { " · " (version.note) } }
        section.card {
            h2 { (ask.t("hookpoints.changed_then")) }
            (layout::difference(ask, &difference(&text(before.as_ref()), &text(version.content.as_ref()))))
        }
        @if place > 0 {
            section.card {
                h2 { (ask.t("hookpoints.differs_now")) }
                (layout::difference(ask, &difference(&text(version.content.as_ref()), &detail.text)))
            }
            @if ask.may(Role::Administrator) {
                (ask.form_to(&format!("{here}/roll-back"), html! {
                    input type="hidden" name="version" value=(version.id);
                    input type="hidden" name="based_on" value=(detail.version);
                    button.main type="submit" { (ask.t("hookpoints.roll_back")) }
                }))
            }
        }
    };
    page(ask.t("hookpoints.version"), body)
}
