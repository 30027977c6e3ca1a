//! Owns: one's own account: language, appearance, password, second factor, sessions.

use maud::{Markup, PreEscaped, html};
use qrcode::QrCode;
use qrcode::render::svg;
use secrecy::SecretString;

use super::ask::{Answer, Answering, Ask, Page, get, post};
use super::entry::{LONG, THEME};
use super::layout::{self, field};
use crate::admin::{AdminError, Mistake, login, password, people};
use crate::domain::admin::Role;
use crate::domain::locale::Locale;
use crate::store::session;

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/me", Role::Viewer, |ask| Box::pin(async move { show(&ask, &[]).await })),
    post("/me/language", Role::Viewer, language),
    post("/me/theme", Role::Viewer, theme),
    post("/me/password", Role::Viewer, set_password),
    get("/me/second-factor", Role::Viewer, |ask| Box::pin(async move { factor(&ask, &[]) })),
    post("/me/second-factor", Role::Viewer, set_factor),
    post("/me/second-factor/drop", Role::Viewer, drop_factor),
    post("/me/sessions/end", Role::Viewer, end_sessions),
];

const AT: &str = "/admin/me";

async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let sessions = session::of(&ask.desk.store, ask.present.account.id, ask.desk.now()).await?;
    let account = &ask.present.account;
    let body = html! {
        h1 { (account.name) }
        p { (ask.t(&format!("role.{}", account.role))) ": " (ask.t(&format!("role.{}_detail", account.role))) }
        div.columns {
            section.card {
                h2 { (ask.t("me.look")) }
                (ask.form_to("/admin/me/language", html! {
                    div.field {
                        label for="language" { (ask.t("me.language")) }
                        select id="language" name="language" {
                            @for locale in Locale::PAGES {
                                option value=(locale.code()) selected[locale == ask.tongue.locale] { (layout::language_name(locale)) }
                            }
                        }
                    }
                    button type="submit" { (ask.t("form.save")) }
                }))
                (ask.form_to("/admin/me/theme", html! {
                    div.field {
                        label for="theme" { (ask.t("me.theme")) }
                        select id="theme" name="theme" {
                            @for theme in ["auto", "light", "dark"] {
                                option value=(theme) selected[ask.theme.unwrap_or("auto") == theme] { (ask.t(&format!("me.theme_{theme}"))) }
                            }
                        }
                    }
                    button type="submit" { (ask.t("form.save")) }
                }))
            }
            section.card id="second-factor" {
                h2 { (ask.t("me.factor")) }
                @if account.totp_sealed.is_some() {
                    p { (layout::badge(layout::Tone::Good, ask.t("me.factor_on"))) }
                    (ask.form_to("/admin/me/second-factor/drop", html! {
                        (code_field(ask, mistakes, "drop-code"))
                        button.danger type="submit" { (ask.t("me.factor_drop")) }
                    }))
                } @else {
                    p { (layout::badge(layout::Tone::Waiting, ask.t("me.factor_off"))) }
                    p { (ask.t("me.factor_why")) }
                    a.button href="/admin/me/second-factor" { (ask.t("me.factor_set")) }
                }
            }
            section.card {
                h2 { (ask.t("me.password")) }
                (password_form(ask, mistakes))
            }
            section.card {
                h2 { (ask.t("me.sessions")) }
                (sessions_list(ask, &sessions))
            }
        }
    };
    let title = ask.t("me.title").to_owned();
    if mistakes.is_empty() { Answer::page(AT, title, body) } else { Answer::again(AT, title, body) }
}

fn password_form(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    let secret = |name: &str, complete: &str| {
        html! { input id=(name) name=(name) type="password" autocomplete=(complete) required; }
    };
    let hint = ask.tf("me.password_hint", &[("n", &password::CHARS_MIN)]);
    ask.form_to("/admin/me/password", html! {
        (field(ask, mistakes, "present", ask.t("me.password_present"), None, secret("present", "current-password")))
        (field(ask, mistakes, "password", ask.t("me.password_new"), Some(&hint), secret("password", "new-password")))
        (field(ask, mistakes, "again", ask.t("me.password_again"), None, secret("again", "new-password")))
        button type="submit" { (ask.t("me.password_set")) }
    })
}

fn sessions_list(ask: &Ask, sessions: &[session::Session]) -> Markup {
    html! {
        ul.plain {
            @for one in sessions {
                li {
                    (one.address) " · " (ask.time(one.seen_at))
                    @if one.token == ask.present.session.token { " " (layout::badge(layout::Tone::Good, ask.t("me.this"))) }
                    br;
                    small { (one.agent) }
                }
            }
        }
        (ask.button("/admin/me/sessions/end", "", ask.t("me.sessions_end")))
    }
}

fn code_field(ask: &Ask, mistakes: &[Mistake], id: &str) -> Markup {
    let wrong = ask.mistake(mistakes, "code");
    html! {
        div.field.wrong[wrong.is_some()] {
            label for=(id) { (ask.t("login.code")) }
            input id=(id) name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,8}" required;
            @if let Some(wrong) = wrong { p.mistake role="alert" { (wrong) } }
        }
    }
}

fn language(ask: Ask) -> Answering {
    Box::pin(async move {
        let locale = ask.form.text("language").parse().map_err(|_| AdminError::invalid("language", "form.unknown"))?;
        people::set_locale(&ask.desk, &ask.present.account, locale).await?;
        Answer::done(AT, "saved")
    })
}

fn theme(ask: Ask) -> Answering {
    Box::pin(async move {
        let theme = match ask.form.text("theme") {
            one @ ("light" | "dark" | "auto") => one.to_owned(),
            _ => return Err(AdminError::invalid("theme", "form.unknown")),
        };
        Ok(Answer::Kept { cookie: THEME, value: theme, age: LONG, to: format!("{AT}?done=saved") })
    })
}

fn set_password(ask: Ask) -> Answering {
    Box::pin(async move {
        let value = |name: &str| SecretString::from(ask.form.raw(name).unwrap_or_default());
        let account = &ask.present.account;
        if !password::verify(&value("present"), account.password_hash.as_deref()).await? {
            return show(&ask, &[Mistake::new("present", "me.password_wrong")]).await;
        }
        if ask.form.raw("password") != ask.form.raw("again") {
            return show(&ask, &[Mistake::new("again", "me.password_differs")]).await;
        }
        match people::set_password(&ask.desk, &ask.who, account, &value("password"), &ask.present.session.token).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            other => {
                other?;
                Answer::done(AT, "password")
            }
        }
    })
}

fn factor(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let new = login::new_factor(&ask.desk, &ask.present.account)?;
    let picture = QrCode::new(new.url.as_bytes()).map_err(|e| AdminError::Internal(e.to_string()))?;
    let picture = picture.render::<svg::Color<'_>>().min_dimensions(220, 220).build();
    let picture = picture.split_once("?>").map_or(picture.as_str(), |(_, svg)| svg).to_owned();
    let body = html! {
        h1 { (ask.t("me.factor_set")) }
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
                (code_field(ask, mistakes, "code"))
                button.main type="submit" { (ask.t("me.factor_confirm")) }
            }))
        }
    };
    let title = ask.t("me.factor_set").to_owned();
    if mistakes.is_empty() { Answer::page(AT, title, body) } else { Answer::again(AT, title, body) }
}

fn set_factor(ask: Ask) -> Answering {
    Box::pin(async move {
        let (carried, code) = (ask.form.text("carried"), ask.form.text("code"));
        match login::set_factor(&ask.desk, &ask.who, &ask.present.account, carried, code).await {
            Err(AdminError::Invalid(mistakes)) => factor(&ask, &mistakes),
            other => {
                other?;
                Answer::done(AT, "factor")
            }
        }
    })
}

fn drop_factor(ask: Ask) -> Answering {
    Box::pin(async move {
        if !login::code_is_right(&ask.desk, &ask.present.account, ask.form.text("code")).await? {
            return show(&ask, &[Mistake::new("code", "people.code_wrong")]).await;
        }
        people::drop_factor(&ask.desk, &ask.who, &ask.present.account).await?;
        Ok(Answer::To("/admin/login".to_owned()))
    })
}

fn end_sessions(ask: Ask) -> Answering {
    Box::pin(async move {
        let account = &ask.present.account;
        session::end_all(&ask.desk.store, account.id, &ask.present.session.token).await?;
        ask.desk.note(&ask.who, "sessions.end", &account.name, None).await?;
        Answer::done(AT, "saved")
    })
}
