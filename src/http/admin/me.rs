//! Owns: one's own account: language, appearance, password, sessions; and the second factor, in a module of its own.

mod factor;

use maud::{Markup, html};
use secrecy::SecretString;

use super::ask::{Answer, Answering, Ask, Page, View, get, post};
use super::entry::{LONG, THEME};
use super::layout::{self, field};
use crate::admin::factor::{Proof, proven};
use crate::admin::guess::GuessError;
use crate::admin::{AdminError, Mistake, password, people};
use crate::domain::admin::Role;
use crate::domain::locale::Locale;
use crate::ops::change;
use crate::ops::people::SetPassword;
use crate::store::session;

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/me", Role::Viewer, |ask| Box::pin(async move { show(&ask, &[]).await })),
    post("/me/language", Role::Viewer, language),
    post("/me/theme", Role::Viewer, theme),
    post("/me/password", Role::Viewer, set_password),
    get("/me/second-factor", Role::Viewer, factor::show),
    post("/me/second-factor", Role::Viewer, factor::set),
    post("/me/second-factor/drop", Role::Viewer, factor::drop),
    post("/me/recovery-codes", Role::Viewer, factor::renew),
    post("/me/sessions/end", Role::Viewer, end_sessions),
];

const AT: &str = "/admin/me";

async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let sessions = session::of(&ask.desk.store, ask.present.account.id, ask.desk.now()).await?;
    let account = &ask.present.account;
    let body = html! {
        h1 { (account.name) }
        (wait_notice(ask, mistakes))
        p { (ask.t(&format!("role.{}", account.role))) ": " (ask.t(&format!("role.{}_detail", account.role))) }
        div.columns {
            section.card {
                h2 { (ask.t("me.look")) }
                (ask.form_to("/admin/me/language", html! {
                    div.field {
                        label for="language" { (ask.t("me.language")) }
                        select id="language" name="language" {
                            @for locale in Locale::PAGES {
                                option value=(locale.code()) selected[locale == ask.localizer.locale] { (layout::language_name(locale)) }
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
            (factor::card(ask, mistakes).await?)
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
    Ok(answer(ask.t("me.title"), mistakes, body))
}

/// A page, again if something was wrong: 429 if it was too early for another try.
fn answer(title: &str, mistakes: &[Mistake], body: Markup) -> Answer {
    let status = match mistakes.first() {
        None => 200,
        Some(first) if first.field == WAIT => 429,
        Some(_) => 422,
    };
    Answer::Page(View { title: title.to_owned(), at: AT, status, body })
}

/// The field of the mistake that is none: too many wrong tries.
const WAIT: &str = "wait";

/// What keeps a secret from being taken: `None` if it was right.
fn refused(
    ask: &Ask,
    right: Result<bool, GuessError>,
    field: &str,
    wrong: &str,
) -> Result<Option<Mistake>, AdminError> {
    match right {
        Ok(true) => Ok(None),
        Ok(false) => Ok(Some(Mistake::new(field, wrong))),
        Err(GuessError::Wait(seconds)) => {
            let text = ask.tf("login.wait", &[("span", &ask.localizer.span(seconds))]);
            Ok(Some(Mistake::new(WAIT, text)))
        }
        Err(GuessError::Admin(error)) => Err(error),
    }
}

/// Says that it is too early, above everything else.
fn wait_notice(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    html! { @if let Some(wait) = ask.mistake(mistakes, WAIT) { p.notice.bad role="alert" { (wait) } } }
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
        let known = proven(&ask.desk, account, Proof::Password, &value("present"), &ask.visitor).await;
        if let Some(mistake) = refused(&ask, known, "present", "me.password_wrong")? {
            return show(&ask, &[mistake]).await;
        }
        if ask.form.raw("password") != ask.form.raw("again") {
            return show(&ask, &[Mistake::new("again", "me.password_differs")]).await;
        }
        let kept = ask.present.session.token.clone();
        let set = SetPassword { name: account.name.clone(), password: value("password"), kept };
        match change(&ask.desk, &ask.who, set).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            other => {
                other?;
                Answer::done(AT, "password")
            }
        }
    })
}

fn end_sessions(ask: Ask) -> Answering {
    Box::pin(async move {
        let account = &ask.present.account;
        people::end_sessions(&ask.desk, &ask.who, account, &ask.present.session.token).await?;
        Answer::done(AT, "saved")
    })
}
