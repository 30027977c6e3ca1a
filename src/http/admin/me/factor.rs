//! Owns: one's own second factor: turning it on, replacing it, turning it off, recovery codes.

use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;
use secrecy::{ExposeSecret, SecretString};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::{self, field};
use super::{AT, answer, refused, wait_notice};
use crate::admin::factor::{self, NewFactor, Proof, RECOVERY_CODES, proven};
use crate::admin::{AdminError, Mistake};
use crate::ops::change;
use crate::ops::people::{DropFactor, RenewCodes};
use crate::store::recovery;

/// So few recovery codes are a reason to make new ones.
const FEW: u64 = 3;

/// What the account's page says of it.
pub(super) async fn card(ask: &Ask, mistakes: &[Mistake]) -> Result<Markup, AdminError> {
    let on = ask.present.account.totp_sealed.is_some();
    let left = if on { recovery::left(&ask.desk.store, ask.present.account.id).await? } else { 0 };
    Ok(html! {
        section.card id="second-factor" {
            h2 { (ask.t("me.factor")) }
            @if on {
                p { (layout::badge(layout::Tone::Good, ask.t("me.factor_on"))) }
                p.notice.waiting[left < FEW] { (ask.tf("me.recovery_left", &[("n", &left)])) }
                (ask.form_to("/admin/me/recovery-codes", html! {
                    (proof_field(ask, mistakes, "recovery-proof"))
                    button type="submit" { (ask.t("me.recovery_make")) }
                }))
                hr;
                p { a.button href="/admin/me/second-factor" { (ask.t("me.factor_replace")) } }
                (ask.form_to("/admin/me/second-factor/drop", html! {
                    (code_field(ask, mistakes, "drop-code", false))
                    button.danger type="submit" { (ask.t("me.factor_drop")) }
                }))
            } @else {
                p { (layout::badge(layout::Tone::Waiting, ask.t("me.factor_off"))) }
                p { (ask.t("me.factor_why")) }
                a.button href="/admin/me/second-factor" { (ask.t("me.factor_set")) }
            }
        }
    })
}

/// A code; `fresh`: of the app alone, which is being set up.
fn code_field(ask: &Ask, mistakes: &[Mistake], id: &str, fresh: bool) -> Markup {
    let wrong = ask.mistake(mistakes, "code");
    html! {
        div.field.wrong[wrong.is_some()] {
            label for=(id) { (ask.t(if fresh { "login.code" } else { "me.code_or_recovery" })) }
            @if fresh {
                input id=(id) name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,8}" required;
            } @else {
                input id=(id) name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required;
            }
            @if let Some(wrong) = wrong { p.mistake role="alert" { (wrong) } }
        }
    }
}

/// What shows that somebody is the account's person, and not only the holder of an open session.
fn proof_field(ask: &Ask, mistakes: &[Mistake], id: &str) -> Markup {
    let input = html! { input id=(id) name="proof" type="password" autocomplete="off" required; };
    let wrong = mistakes.iter().filter(|one| one.field == "proof").map(|one| Mistake::new(id, one.text.clone()));
    field(ask, &wrong.collect::<Vec<_>>(), id, ask.t("me.proof"), Some(ask.t("me.proof_hint")), input)
}

pub(super) fn show(ask: Ask) -> Answering {
    Box::pin(async move { form(&ask, &factor::new(&ask.desk, &ask.present.account)?, &[]) })
}

fn form(ask: &Ask, new: &NewFactor, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let picture = QrCode::new(new.url.as_bytes()).map_err(|e| AdminError::Internal(e.to_string()))?;
    let picture = picture.render::<svg::Color<'_>>().min_dimensions(220, 220).build();
    let picture = picture.split_once("?>").map_or(picture.as_str(), |(_, svg)| svg).to_owned();
    let replaces = ask.present.account.totp_sealed.is_some();
    let title = ask.t(if replaces { "me.factor_replace" } else { "me.factor_set" });
    let body = html! {
        h1 { (title) }
        (wait_notice(ask, mistakes))
        section.card.narrow {
            @if ask.desk.config.admin.second_factor == "required" { p.notice.waiting { (ask.t("me.factor_required")) } }
            ol {
                li { (ask.t("me.factor_scan")) }
                li { (ask.t("me.factor_type")) }
            }
            div.qr role="img" aria-label=(ask.t("me.factor_scan")) { (PreEscaped(picture)) }
            p { (ask.t("me.factor_secret")) " " code.secret { (new.secret) } }
            (ask.form_to("/admin/me/second-factor", html! {
                input type="hidden" name="carried" value=(new.carried());
                (code_field(ask, mistakes, "code", true))
                @if replaces { (proof_field(ask, mistakes, "proof")) }
                button.main type="submit" { (ask.t("me.factor_confirm")) }
            }))
        }
    };
    Ok(answer(title, mistakes, body))
}

pub(super) fn set(ask: Ask) -> Answering {
    Box::pin(async move {
        let account = &ask.present.account;
        let (carried, code) = (ask.form.text("carried"), ask.form.text("code"));
        // The secret that was shown stays, whatever is mistyped: the app has it by now.
        let shown = factor::carried(&ask.desk, account, carried).or_else(|_| factor::new(&ask.desk, account))?;
        if account.totp_sealed.is_some()
            && let Some(mistake) = unproven(&ask, "proof", Proof::Either, "me.proof_wrong").await?
        {
            return form(&ask, &shown, &[mistake]);
        }
        match factor::set(&ask.desk, &ask.who, account, carried, code).await {
            Err(AdminError::Invalid(mistakes)) => form(&ask, &shown, &mistakes),
            other => Ok(codes(&ask, &other?)),
        }
    })
}

async fn unproven(ask: &Ask, name: &str, proof: Proof, wrong: &str) -> Result<Option<Mistake>, AdminError> {
    let typed = SecretString::from(ask.form.raw(name).unwrap_or_default());
    let right = proven(&ask.desk, &ask.present.account, proof, &typed, &ask.visitor).await;
    refused(ask, right, name, wrong)
}

pub(super) fn renew(ask: Ask) -> Answering {
    Box::pin(async move {
        if let Some(mistake) = unproven(&ask, "proof", Proof::Either, "me.proof_wrong").await? {
            return super::show(&ask, &[mistake]).await;
        }
        let renew = RenewCodes { name: ask.present.account.name.clone() };
        Ok(codes(&ask, &change(&ask.desk, &ask.who, renew).await?.codes))
    })
}

/// The recovery codes, this once: to be copied or printed together.
fn codes(ask: &Ask, codes: &[SecretString]) -> Answer {
    let all: Vec<&str> = codes.iter().map(ExposeSecret::expose_secret).collect();
    let body = html! {
        h1 { (ask.t("me.recovery")) }
        section.card.narrow {
            p.notice.waiting role="status" { (ask.t("settings.once")) }
            p { (ask.tf("me.recovery_about", &[("n", &RECOVERY_CODES)])) }
            ol.codes { @for code in &all { li { code.secret { (code) } } } }
            div.line {
                button type="button" data-copy=(all.join("\n")) data-copied=(ask.t("rule.copied")) {
                    (ask.t("me.recovery_copy"))
                }
                button type="button" data-print { (ask.t("me.recovery_print")) }
            }
            a.button.main href=(AT) { (ask.t("settings.copied")) }
        }
    };
    answer(ask.t("me.recovery"), &[], body)
}

pub(super) fn drop(ask: Ask) -> Answering {
    Box::pin(async move {
        if let Some(mistake) = unproven(&ask, "code", Proof::Code, "people.code_wrong").await? {
            return super::show(&ask, &[mistake]).await;
        }
        let name = ask.present.account.name.clone();
        change(&ask.desk, &ask.who, DropFactor { name }).await?;
        Ok(Answer::To("/admin/login".to_owned()))
    })
}
