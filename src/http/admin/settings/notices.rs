//! Owns: how notices to administrators stand, by channel, and trying one.

use maud::{Markup, html};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge};
use super::super::notices::Pen;
use super::{head, shown};
use crate::admin::notify::{self, Standing};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::notice::Notice;
use crate::notify::Channel;

const HERE: &str = "/admin/settings/notices";

/// All channels; `wrong` is a channel whose test did not go out, and why.
pub(super) async fn show(ask: &Ask, wrong: Option<(Channel, &str)>) -> Result<Answer, AdminError> {
    let all = notify::all(&ask.desk, &ask.who).await?;
    let body = html! {
        (head(ask, "notices"))
        @if all.iter().all(|one| !one.is_on) { p.notice.waiting { (ask.t("notices.none")) } }
        @for one in &all { (card(ask, one, wrong.filter(|(channel, _)| *channel == one.channel).map(|(_, why)| why))) }
    };
    let mistakes: Vec<Mistake> = wrong.iter().map(|(channel, why)| Mistake::new(channel.code(), *why)).collect();
    shown(ask, "notices", &mistakes, body)
}

fn card(ask: &Ask, one: &Standing, wrong: Option<&str>) -> Markup {
    let failing = one.is_on && one.state.failures > 0;
    let tone = if failing {
        Tone::Bad
    } else if one.is_on {
        Tone::Good
    } else {
        Tone::Plain
    };
    let word = if failing {
        "notices.failing"
    } else if one.is_on {
        "notices.on"
    } else {
        "notices.off"
    };
    html! {
        section.card id=(one.channel.code()) {
            div.spread { h2 { (ask.t(&format!("notices.{}", one.channel))) } (badge(tone, ask.t(word))) }
            @if let Some(why) = wrong {
                p.notice.bad role="alert" { (ask.t("notices.failed")) " " (ask.t(why)) }
            }
            @if one.is_on {
                (facts(ask, one))
                @if ask.may(Role::Operator) {
                    div.line { (ask.button(&format!("{HERE}/{}/test", one.channel), "main", ask.t("notices.test"))) }
                }
                @if !one.told.is_empty() { (told(ask, &one.told)) }
            } @else {
                p.soft { (ask.tf("notices.set_up", &[("channel", &one.channel)])) }
            }
        }
    }
}

fn facts(ask: &Ask, one: &Standing) -> Markup {
    let manner = one.channel.manner(&ask.desk.config.notify);
    let yes_no = |yes: bool| ask.t(if yes { "notices.yes" } else { "notices.no" });
    let quiet = match (manner.quiet.as_str(), manner.quiet_urgent) {
        ("", _) => ask.t("notices.quiet_none").to_owned(),
        (span, true) => ask.tf("notices.quiet_but", &[("span", &span)]),
        (span, false) => span.to_owned(),
    };
    let repeat = match manner.repeat_h {
        0 => ask.t("notices.repeat_never").to_owned(),
        n => ask.tf("notices.repeat_h", &[("n", &n)]),
    };
    html! {
        dl.facts {
            dt { (ask.t("notices.to")) } dd { @for to in &one.to { div { (to) } } }
            @if one.channel == Channel::WhatsApp {
                dt { (ask.t("notices.by_number")) }
                dd { @match &one.number { Some(name) => (name), None => (badge(Tone::Bad, ask.t("notices.no_number"))) } }
            }
            dt { (ask.t("notices.severity")) } dd { (ask.t(&format!("notices.severity_{}", manner.severity))) }
            dt { (ask.t("notices.quiet")) } dd { (quiet) }
            dt { (ask.t("notices.repeat")) } dd { (repeat) }
            dt { (ask.t("notices.recovery")) } dd { (yes_no(manner.recovery)) }
            dt { (ask.t("notices.digest")) }
            dd { (yes_no(manner.digest && !ask.desk.config.notify.digest_day.is_empty())) }
            dt { (ask.t("notices.last")) }
            dd {
                @match one.state.sent_at {
                    Some(at) => {
                        (ask.tf("notices.sent_n", &[("at", &ask.localizer.clock(at)), ("n", &ask.localizer.number(one.state.sent))]))
                    }
                    None => { (ask.t("notices.never")) }
                }
            }
            @if let Some(error) = &one.state.error {
                dt { (ask.t("notices.error")) }
                dd {
                    (error)
                    @if let Some(next) = one.state.next_at {
                        br; span.soft { (ask.tf("notices.next", &[("at", &ask.localizer.clock(next))])) }
                    }
                }
            }
        }
    }
}

fn told(ask: &Ask, all: &[Notice]) -> Markup {
    html! {
        h3 { (ask.t("notices.told")) }
        div.scroll tabindex="0" { table.cards {
            thead { tr { th scope="col" { (ask.t("notices.need")) } th scope="col" { (ask.t("notices.notified_at")) } } }
            tbody {
                @for one in all {
                    tr {
                        td data-label=(ask.t("notices.need")) { span { (one.says) } }
                        td data-label=(ask.t("notices.notified_at")) {
                            @match one.notified_at { Some(at) => (ask.time(at)), None => (ask.t("notices.not_told")) }
                        }
                    }
                }
            }
        } }
    }
}

pub(super) fn test(ask: Ask) -> Answering {
    Box::pin(async move {
        let channel = notify::channel_named(ask.param(0))?;
        match notify::test(&ask.desk, &ask.who, channel, &Pen::of(&ask.desk.config)).await {
            Err(AdminError::Conflict(why)) => show(&ask, Some((channel, &why))).await,
            other => {
                other?;
                Answer::done(HERE, "notice_sent")
            }
        }
    })
}
