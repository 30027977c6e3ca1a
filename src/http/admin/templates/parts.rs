//! Owns: parts of the page of a text that are also shown alone: the preview with its findings, the reach, a test's state.

use maud::{Markup, html};

use super::{AT, key, list, path};
use crate::admin::templates::check::{self, Finding};
use crate::admin::templates::preview::{Of, Preview, fill};
use crate::admin::templates::provider::{Known, at_provider};
use crate::admin::templates::{Key, Present, trial};
use crate::admin::{AdminError, Mistake, reach as walk};
use crate::domain::hookpoint::{Audience, SubjectKind};
use crate::http::admin::ask::{Answer, Ask};
use crate::http::admin::layout::{self, Tone, badge};
use crate::render::clean::NOTHING;
use crate::render::template::{Shown, Source};
use crate::store::trail::MessageTrail;

/// A text, looked at.
pub struct Looked {
    pub findings: Vec<Finding>,
    pub preview: Result<Preview, Vec<Mistake>>,
}

/// Checks a text and fills it.
pub async fn look(ask: &Ask, key: &Key, source: &Source, of: Result<Of, Mistake>) -> Result<Looked, AdminError> {
    let present = Present::of(&ask.desk).await?;
    let mut findings = check::text(&present, key, source)?;
    findings.extend(check::provider(&at_provider(&ask.desk).await.1, key, source));
    let preview = match of {
        Err(mistake) => Err(vec![mistake]),
        Ok(of) => match fill(&ask.desk, key, source, of).await {
            Ok(preview) => Ok(preview),
            Err(AdminError::Invalid(mistakes)) => Err(mistakes),
            Err(error) => return Err(error),
        },
    };
    Ok(Looked { findings, preview })
}

/// A finding in the page's language.
pub fn say(ask: &Ask, finding: &Finding) -> String {
    let values: Vec<(&str, &dyn std::fmt::Display)> =
        finding.values.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
    ask.tf(&format!("templates.found_{}", finding.code), &values)
}

/// What the text is like, and the phone.
pub fn shown(ask: &Ask, looked: &Looked) -> Markup {
    let blocks = looked.findings.iter().any(|finding| finding.blocks);
    html! {
        @match &looked.preview {
            Ok(preview) => {
                (bubble(ask, &preview.shown))
                @if let Some((subject, client)) = &preview.subject {
                    p.hint { (ask.tf("templates.about", &[
                        ("kind", &ask.t(kind_word(subject.kind))), ("id", &subject.id), ("client", client),
                    ])) }
                } @else { p.hint { (ask.t("templates.about_sample")) } }
                @if !preview.shown.values.is_empty() { (values(ask, &preview.shown)) }
            }
            // What is wrong with the text itself stands below.
            Err(mistakes) if !blocks => {
                @for mistake in mistakes { p.notice.waiting role="status" { (ask.t(&mistake.text)) } }
            }
            Err(_) => {}
        }
        h3 { (ask.t("templates.checks")) }
        @if looked.findings.is_empty() { p { (badge(Tone::Good, ask.t("templates.no_findings"))) } }
        ul.plain {
            @for finding in &looked.findings {
                li {
                    @if finding.blocks { (badge(Tone::Bad, ask.t("templates.blocks"))) }
                    @else { (badge(Tone::Waiting, ask.t("templates.warns"))) }
                    " " (say(ask, finding))
                }
            }
        }
    }
}

fn bubble(ask: &Ask, shown: &Shown) -> Markup {
    html! {
        div.bubble role="group" aria-label=(ask.t("templates.bubble")) {
            (shown.body)
            @if let Some(footer) = &shown.footer { footer { (footer) } }
            @if let Some((text, address)) = &shown.button { span.tap title=(address) { (text) } }
        }
        @if let Some((_, address)) = &shown.button { p.hint { (ask.t("templates.opens")) " " code { (address) } } }
    }
}

fn values(ask: &Ask, shown: &Shown) -> Markup {
    html! {
        details {
            summary { (ask.t("templates.values")) }
            dl.facts {
                @for (expression, value) in &shown.values {
                    dt { code { (expression) } }
                    dd { (value) @if value == NOTHING { " " (badge(Tone::Waiting, ask.t("templates.empty"))) } }
                }
            }
        }
    }
}

fn kind_word(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Client => "templates.kind_client",
        SubjectKind::User => "templates.kind_user",
        SubjectKind::Contact => "templates.kind_contact",
        SubjectKind::Invoice => "templates.kind_invoice",
        SubjectKind::Service => "templates.kind_service",
        SubjectKind::Cancellation => "templates.kind_cancellation",
        SubjectKind::Quote => "templates.kind_quote",
        SubjectKind::Domain => "templates.kind_domain",
        SubjectKind::Ticket => "templates.kind_ticket",
    }
}

/// How the provider has it.
pub fn state_badge(ask: &Ask, known: Option<&Known>) -> Markup {
    let Some(known) = known else { return badge(Tone::Bad, ask.t("templates.state_not_there")) };
    let code = known.status.to_ascii_lowercase();
    let tone = match code.as_str() {
        "approved" => Tone::Good,
        "rejected" | "disabled" => Tone::Bad,
        _ => Tone::Waiting,
    };
    let word = ask.localizer.known(&format!("templates.state_{code}")).unwrap_or(&known.status);
    html! {
        (badge(tone, word))
        @if !known.category.is_empty() && known.category != "UTILITY" { " " (badge(Tone::Waiting, &known.category)) }
    }
}

/// How many people a text reaches.
pub async fn reach(ask: &Ask) -> Result<Answer, AdminError> {
    let key = key(ask)?;
    let (hookpoint, _) = crate::admin::templates::one(&ask.desk, &key).await?;
    let counted = walk::counted(&ask.desk).await?;
    let (at, reach) = (&counted.0, &counted.1);
    let here = reach.counts.by_locale.get(&key.locale).cloned().unwrap_or_default();
    let n = |n: u64| ask.localizer.number(n);
    let counted_as = |count: u64, word: &str| html! { div.tile { b { (n(count)) } (ask.t(word)) } };
    let part = html! {
        div.tiles {
            (counted_as(here.clients, "templates.reach_clients"))
            (counted_as(here.reachable, "templates.reach_reachable"))
            (counted_as(here.unusable, "templates.reach_unusable"))
            (counted_as(here.opted_out, "templates.reach_opted_out"))
            @if hookpoint.audience != Audience::Owner {
                (counted_as(here.contacts.get(&hookpoint.audience).copied().unwrap_or(0), "templates.reach_contacts"))
            }
        }
        p.hint {
            (ask.tf("templates.reach_of", &[("all", &n(reach.counts.read)), ("ago", &ask.localizer.ago(*at, ask.desk.now()))]))
            @if !reach.complete { " " (ask.t("templates.reach_partly")) }
            " " a href="/admin/phones" { (ask.t("templates.reach_who")) }
        }
    };
    if ask.htmx {
        return Ok(Answer::Part(part));
    }
    let title = list::title(ask, &hookpoint);
    let body = html! {
        p { a href=(path(&key)) { "‹ " (title) } }
        h1 { (ask.t("templates.reach")) }
        (part)
    };
    Answer::page(AT, ask.t("templates.reach"), body)
}

/// A test message: where it is now.
pub async fn tested(ask: &Ask) -> Result<Answer, AdminError> {
    let key = key(ask)?;
    let message = trial::standing(&ask.desk, ask.param(2)).await?;
    let part = standing(ask, &key, &message);
    if ask.htmx {
        return Ok(Answer::Part(part));
    }
    let body = html! {
        p { a href=(path(&key)) { "‹ " (ask.t("templates.back_to_text")) } }
        h1 { (ask.t("templates.test")) }
        section.card.narrow { (part) }
    };
    Answer::page(AT, ask.t("templates.test"), body)
}

fn standing(ask: &Ask, key: &Key, message: &MessageTrail) -> Markup {
    let state = message.standing();
    let over = matches!(state, "delivered" | "read" | "failed" | "cancelled");
    let address = format!("{}/test/{}", path(key), message.id);
    html! {
        div hx-get=[(!over).then_some(&address)] hx-trigger=[(!over).then_some("every 3s")] hx-swap="outerHTML" aria-live="polite" {
            p { (layout::state(ask, state)) " " (ask.tf("templates.test_to", &[("to", &message.to.masked())])) }
            @if let Some(detail) = message.detail.as_deref().filter(|_| state == "failed") { p.notice.bad { (detail) } }
            @else if let Some(reason) = &message.reason {
                p.hint { (ask.localizer.known(&format!("reason.{reason}")).unwrap_or(reason)) }
            }
            ol.trail {
                li { (ask.time(message.created_at)) " · " (ask.t("state.queued")) }
                @for attempt in &message.attempts {
                    li.(if attempt.outcome == "accepted" { "good" } else { "waiting" }) {
                        (ask.time(attempt.started_at)) " · " (ask.t("templates.attempt"))
                        @if let Some(detail) = &attempt.detail { " · " span lang="en" { (detail) } }
                    }
                }
                @for receipt in &message.receipts {
                    li.(if receipt.status == "failed" { "bad" } else { "good" }) {
                        (ask.time(receipt.at)) " · " (ask.t(&format!("state.{}", receipt.status)))
                    }
                }
            }
            p { a href={ "/admin/messages/" (message.id) } { (ask.t("templates.test_trail")) } }
        }
    }
}
