//! Owns: looking up whether somebody may be written to, and noting a request that came by another way than a reply.

use maud::{Markup, html};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{Tone, badge, field};
use super::{head, shown};
use crate::admin::consent::{self, Standing, WHY_CHARS_MAX};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::hookpoint::Class;
use crate::store::consent::Word;

const HERE: &str = "/admin/consent";

/// What was looked for, from the address or from the form that was refused.
fn asked<'a>(ask: &'a Ask, name: &str) -> Option<&'a str> {
    ask.query.get(name).or(ask.form.get(name))
}

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let mut mistakes = mistakes.to_vec();
    let found = match look(ask).await {
        Ok(found) => found,
        Err(AdminError::Invalid(more)) => {
            mistakes.extend(more);
            None
        }
        Err(AdminError::NotFound(_)) => {
            mistakes.push(Mistake::new("client", "consent.no_client"));
            None
        }
        Err(error) => return Err(error),
    };
    let body = html! {
        (head(ask, "consent"))
        form.search method="get" action=(HERE) {
            (field(ask, &mistakes, "phone", ask.t("consent.phone"), None,
                html! { input id="phone" name="phone" inputmode="tel" autocomplete="off" value=(asked(ask, "phone").unwrap_or_default()); }))
            (field(ask, &mistakes, "client", ask.t("consent.client"), None,
                html! { input id="client" name="client" inputmode="numeric" autocomplete="off" value=(asked(ask, "client").unwrap_or_default()); }))
            button.main type="submit" { (ask.t("form.search")) }
        }
        @if let Some(found) = &found {
            @for (n, one) in found.iter().enumerate() { (card(ask, &mistakes, n, one)) }
        }
    };
    shown(ask, "consent", &mistakes, body)
}

async fn look(ask: &Ask) -> Result<Option<Vec<Standing>>, AdminError> {
    if let Some(phone) = asked(ask, "phone") {
        return Ok(Some(vec![consent::of_phone(&ask.desk, &ask.who, phone).await?]));
    }
    let Some(client) = asked(ask, "client") else { return Ok(None) };
    let client = client.parse().map_err(|_| AdminError::invalid("client", "form.not_a_number"))?;
    Ok(Some(consent::of_client(&ask.desk, &ask.who, client).await?))
}

fn card(ask: &Ask, mistakes: &[Mistake], n: usize, one: &Standing) -> Markup {
    let whole = ask.may(Role::Operator);
    let may = one.may_be_written_to();
    html! {
        section.card {
            div.spread {
                h2 {
                    @match &one.phone {
                        Ok(phone) => bdi { (if whole { phone.as_str().to_owned() } else { phone.masked() }) },
                        Err(_) => (ask.t("consent.no_phone")),
                    }
                }
                (badge(if may { Tone::Good } else { Tone::Bad }, ask.t(if may { "consent.may" } else { "consent.may_not" })))
            }
            @if let Some(contact) = one.contact { p.soft { (ask.tf("consent.contact", &[("id", &contact)])) } }
            @match (&one.phone, one.word()) {
                (Err(reason), _) => p { (ask.t(&format!("reason.{reason}"))) },
                (Ok(_), None) => p { (ask.t("consent.nothing_said")) },
                (Ok(_), Some(_)) => {
                    @if may && !one.refused.is_empty() {
                        p { (ask.t("consent.refused")) ": " (refused(ask, &one.refused)) "." }
                    }
                    ul.plain { @for word in &one.words { (said(ask, whole, word)) } }
                }
            }
            @if whole && let Ok(phone) = &one.phone { (form(ask, mistakes, n, phone.as_str(), may)) }
        }
    }
}

fn refused(ask: &Ask, classes: &[Class]) -> String {
    classes.iter().map(|class| ask.t(&format!("class.{class}")).to_owned()).collect::<Vec<_>>().join(", ")
}

/// One statement. What somebody wrote is shown to who has to judge it.
fn said(ask: &Ask, whole: bool, word: &Word) -> Markup {
    html! {
        li {
            (ask.t(if word.said.opted_out { "consent.said_out" } else { "consent.said_in" })) " " (ask.time(word.said.at))
            " · " (ask.t(&format!("consent.scope_{}", word.said.scope)))
            @if let Some(how) = word.how { " · " (ask.t(&format!("consent.how_{how}"))) }
            @if whole { ": " bdi { (word.evidence) } }
        }
    }
}

fn form(ask: &Ask, mistakes: &[Mistake], n: usize, phone: &str, may: bool) -> Markup {
    let name = format!("why-{n}");
    let wrong = ask.mistake(mistakes, "why");
    ask.form_to(
        HERE,
        html! {
            input type="hidden" name="phone" value=(phone);
            input type="hidden" name="word" value=(if may { "out" } else { "in" });
            div.field.wrong[wrong.is_some()] {
                label for=(name) { (ask.t(if may { "consent.why_out" } else { "consent.why_in" })) }
                input id=(name) name="why" maxlength=(WHY_CHARS_MAX) required;
                p.hint { (ask.t("consent.why_hint")) }
                @if let Some(wrong) = wrong { p.mistake role="alert" { (wrong) } }
            }
            button type="submit" data-ask=[(!may).then(|| ask.t("consent.in_ask"))] {
                (ask.t(if may { "consent.set_out" } else { "consent.set_in" }))
            }
        },
    )
}

pub(super) fn set(ask: Ask) -> Answering {
    Box::pin(async move {
        let phone = ask.form.text("phone");
        let (out, done) = match ask.form.text("word") {
            "out" => (true, "consent_out"),
            "in" => (false, "consent_in"),
            _ => return Err(AdminError::invalid("word", "form.unknown")),
        };
        match consent::set(&ask.desk, &ask.who, phone, out, ask.form.text("why")).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            other => {
                other?;
                let query = form_urlencoded::Serializer::new(String::new()).append_pair("phone", phone).finish();
                Answer::done(&format!("{HERE}?{query}"), done)
            }
        }
    })
}
