//! Owns: what is held because the bridge's schema was restored from an older dump.

use maud::html;

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge};
use super::{AT, head};
use crate::admin::AdminError;
use crate::domain::admin::Role;
use crate::ops::restored::{DiscardRestored, ReleaseRestored, SayRestored, ShowRestored};
use crate::ops::{act, read};

const HERE: &str = "/admin/settings/restored";

pub(super) fn show(ask: Ask) -> Answering {
    Box::pin(async move {
        let state = read(&ask.desk, &ask.who, ShowRestored {}).await?;
        let body = html! {
            (head(&ask, "restored"))
            section.card.narrow {
                @match state.restored_at {
                    None => p { (badge(Tone::Good, ask.t("restored.no"))) },
                    Some(at) => p {
                        (ask.t("restored.noticed")) " " (ask.time(at))
                        @if let Some(sign) = &state.sign { ": " (sign) "." }
                    },
                }
                p { (ask.tf("restored.waiting", &[("n", &state.held)])) }
                @if state.held > 0 {
                    p { a href="/admin/messages?state=held" { (ask.t("restored.look")) } }
                    @if ask.may(Role::Operator) {
                        div.columns {
                            (ask.form_to(&format!("{HERE}/discard"), html! {
                                button.danger type="submit" data-ask=(ask.t("restored.discard_ask")) { (ask.t("restored.discard")) }
                            }))
                            (ask.form_to(&format!("{HERE}/release"), html! {
                                button type="submit" data-ask=(ask.t("restored.release_ask")) { (ask.t("restored.release")) }
                            }))
                        }
                    }
                }
            }
            @if ask.may(Role::Operator) {
                section.card.narrow {
                    h2 { (ask.t("restored.say_title")) }
                    p { (ask.t("restored.say_about")) }
                    (ask.form_to(&format!("{HERE}/say"), html! {
                        button.danger type="submit" data-ask=(ask.t("restored.say_ask")) { (ask.t("restored.say")) }
                    }))
                }
            }
        };
        Answer::page(AT, ask.t("restored.title"), body)
    })
}

pub(super) fn answer(ask: Ask) -> Answering {
    Box::pin(async move {
        match ask.param(0) {
            "say" => act(&ask.desk, &ask.who, SayRestored {}).await?,
            "release" => act(&ask.desk, &ask.who, ReleaseRestored {}).await?,
            "discard" => act(&ask.desk, &ask.who, DiscardRestored {}).await?,
            _ => return Err(AdminError::NotFound("page")),
        };
        Answer::done(HERE, "saved")
    })
}
