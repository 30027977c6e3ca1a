//! Owns: the sending numbers: how they stand, pause, resume, pace.

use maud::{Markup, html};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, field, nothing};
use super::{head, shown};
use crate::admin::numbers::Number;
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::ops::numbers::{ListNumbers, PAUSE_MAX_MIN, PauseNumber, ResumeNumber, SetPace};
use crate::ops::{change, read};

const HERE: &str = "/admin/settings/numbers";
/// Pauses that one can choose, in minutes.
const PAUSES: [u32; 5] = [60, 240, 1440, 10_080, PAUSE_MAX_MIN];

/// All numbers; `wrong` is the one whose form has `mistakes`.
pub(super) async fn show(ask: &Ask, wrong: &str, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = read(&ask.desk, &ask.who, ListNumbers {}).await?.items;
    let body = html! {
        (head(ask, "numbers"))
        @if all.is_empty() { (nothing(ask.t("numbers.none"))) }
        @for one in &all { (card(ask, one, if one.name == wrong { mistakes } else { &[] })) }
    };
    shown(ask, "numbers", mistakes, body)
}

fn card(ask: &Ask, one: &Number, mistakes: &[Mistake]) -> Markup {
    let owner = one.owner.as_deref().map(|owner| owner.rsplit_once('-').map_or(owner, |(name, _)| name));
    html! {
        section.card {
            div.spread {
                h2 { (one.name) }
                @match one.paused_until {
                    Some(_) => { (badge(Tone::Bad, ask.t("numbers.paused"))) }
                    None => { (badge(Tone::Good, ask.t("numbers.open"))) }
                }
            }
            @if let Some(until) = one.paused_until {
                p.notice.bad {
                    (ask.t(if one.by_operator { "numbers.by_operator" } else { "numbers.by_provider" })) " "
                    (ask.t("numbers.until")) " " (ask.time(until)) ". " (one.why.as_deref().unwrap_or_default())
                }
            }
            dl.facts {
                dt { (ask.t("numbers.pace")) }
                dd {
                    (ask.tf("numbers.pace_of", &[("pace", &one.per_second), ("max", &one.per_second_max)]))
                    @if one.per_second < one.per_second_max { " " (badge(Tone::Waiting, ask.t("numbers.slowed"))) }
                }
                dt { (ask.t("numbers.recent")) }
                dd { (one.recipients_minute) }
                dt { (ask.t("numbers.day")) }
                dd {
                    @if one.recipients_day_max == 0 { (one.recipients_day) " " small { (ask.t("numbers.no_limit")) } }
                    @else { (one.recipients_day) " / " (one.recipients_day_max) progress max=(one.recipients_day_max) value=(one.recipients_day) aria-label=(ask.t("numbers.day")) {} }
                }
                dt { (ask.t("numbers.queue")) }
                dd { (ask.tf("numbers.queue_of", &[("queued", &one.queued), ("held", &one.held), ("sending", &one.sending), ("unknown", &one.unknown)])) }
                dt { (ask.t("numbers.app_secrets")) }
                dd {
                    (one.app_secrets)
                    @if one.app_secrets > 1 { " " (badge(Tone::Waiting, ask.t("numbers.rotating"))) }
                }
                dt { (ask.t("numbers.owner")) }
                dd { (owner.unwrap_or(ask.t("numbers.nobody"))) }
            }
            @if ask.may(Role::Operator) {
                @if one.paused_until.is_some() {
                    div.line { (ask.button(&format!("{HERE}/{}/resume", one.name), "main", ask.t("numbers.resume"))) }
                } @else {
                    details open[!mistakes.is_empty()] { summary { (ask.t("numbers.pause")) } (pause_form(ask, one, mistakes)) }
                }
            }
            @if ask.may(Role::Administrator) {
                details open[!mistakes.is_empty()] { summary { (ask.t("numbers.pace_change")) } (pace_form(ask, one, mistakes)) }
            }
        }
    }
}

fn pause_form(ask: &Ask, one: &Number, mistakes: &[Mistake]) -> Markup {
    let id = |name: &str| format!("{name}-{}", one.name);
    ask.form_to(
        &format!("{HERE}/{}/pause", one.name),
        html! {
            div.field {
                label for=(id("minutes")) { (ask.t("numbers.how_long")) }
                select id=(id("minutes")) name="minutes" {
                    @for minutes in PAUSES { option value=(minutes) { (ask.t(&format!("numbers.for_{minutes}"))) } }
                }
            }
            (named(ask, mistakes, "why", &id("why"), ask.t("numbers.why"),
                html! { input id=(id("why")) name="why" maxlength="300" required; }))
            button.danger type="submit" { (ask.t("numbers.pause")) }
        },
    )
}

fn pace_form(ask: &Ask, one: &Number, mistakes: &[Mistake]) -> Markup {
    let id = format!("per_second-{}", one.name);
    let input = html! { input id=(id) name="per_second" type="number" min="1" max=(one.per_second_max) value=(one.per_second); };
    let label = ask.tf("numbers.pace_new", &[("max", &one.per_second_max)]);
    ask.form_to(
        &format!("{HERE}/{}/pace", one.name),
        html! {
            (named(ask, mistakes, "per_second", &id, &label, input))
            p.hint { (ask.t("numbers.pace_hint")) }
            button type="submit" { (ask.t("form.save")) }
        },
    )
}

/// A field whose control has another id than its name, since there are many of it on the page.
fn named(ask: &Ask, mistakes: &[Mistake], name: &str, id: &str, label: &str, input: Markup) -> Markup {
    let own: Vec<Mistake> =
        mistakes.iter().filter(|one| one.field == name).map(|one| Mistake::new(id, one.text.clone())).collect();
    field(ask, &own, id, label, None, input)
}

pub(super) fn pause(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = ask.param(0).to_owned();
        let minutes = ask.form.text("minutes").parse().unwrap_or(0);
        let pause = PauseNumber { name: name.clone(), minutes, why: ask.form.text("why").to_owned() };
        match change(&ask.desk, &ask.who, pause).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &name, &mistakes).await,
            other => {
                other?;
                Answer::done(HERE, "paused")
            }
        }
    })
}

pub(super) fn resume(ask: Ask) -> Answering {
    Box::pin(async move {
        change(&ask.desk, &ask.who, ResumeNumber { name: ask.param(0).to_owned() }).await?;
        Answer::done(HERE, "resumed")
    })
}

pub(super) fn pace(ask: Ask) -> Answering {
    Box::pin(async move {
        let name = ask.param(0).to_owned();
        let per_second = ask.form.get("per_second").map(|text| text.parse().unwrap_or(0));
        match change(&ask.desk, &ask.who, SetPace { name: name.clone(), per_second }).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &name, &mistakes).await,
            other => {
                other?;
                Answer::done(HERE, "pace")
            }
        }
    })
}
