//! Owns: the pages before one is in: name and password, second factor; and leaving.

use maud::{Markup, html};
use secrecy::SecretString;
use warp::http::{HeaderMap, Method};
use warp::reply::Response;

use super::super::refusals::Refusals;
use super::{Knock, cookie, go, layout, page, set_cookie, sso};
use crate::admin::Desk;
use crate::admin::login::{self, Entered, LoginError, Present};
use crate::i18n::Localizer;
use crate::store::session::Stage;

/// The session's cookie. The prefix makes browsers refuse it from anywhere but us.
pub const SESSION: &str = "__Host-hookbridge";
/// The language of people who are not logged in.
pub const LANGUAGE: &str = "__Host-hookbridge-language";
/// Light or dark, if not the machine's own.
pub const THEME: &str = "__Host-hookbridge-theme";
/// What shows that somebody got in by this browser before.
pub const DEVICE: &str = "__Host-hookbridge-device";
/// A year: for what opens nothing.
pub const LONG: &str = "; Max-Age=31536000";
const GONE: &str = "; Max-Age=0";

/// The theme that was chosen.
#[must_use]
pub fn theme(headers: &HeaderMap) -> Option<&'static str> {
    match cookie(headers, THEME)?.as_str() {
        "light" => Some("light"),
        "dark" => Some("dark"),
        _ => None,
    }
}

/// The log-in, with the way back to `here`.
#[must_use]
pub fn login_address(here: &str) -> String {
    let next = form_urlencoded::Serializer::new(String::new()).append_pair("next", here).finish();
    format!("/admin/login?{next}")
}

/// Answers what is for people who are not in yet; `None` for every other address.
pub(super) async fn answer(
    desk: &Desk,
    localizer: &Localizer,
    knock: &Knock,
    token: Option<&SecretString>,
    here: Option<&Present>,
) -> Option<Response> {
    let post = knock.method == Method::POST;
    let path: Vec<&str> = knock.path.iter().map(String::as_str).collect();
    let mut response = match (post, &path[..]) {
        (false, ["login"]) if here.is_some_and(|here| here.session.stage == Stage::Open) => go("/admin"),
        (false, ["login"]) => show(200, localizer, knock, &password_form(localizer, &next(knock), None)),
        (true, ["login"]) => password(desk, localizer, knock).await,
        (_, ["code"]) if here.is_none_or(|here| here.session.stage == Stage::Open) => go("/admin/login"),
        (false, ["code"]) => show(200, localizer, knock, &code_form(localizer, &next(knock), None)),
        (true, ["code"]) => code(desk, localizer, knock, token?).await,
        (true, ["sso"]) => sso::answer(desk, localizer, knock).await,
        (false, ["sso"]) => go("/admin"),
        (true, ["logout"]) => {
            // Leaving needs no proof that the form was ours: the cookie is not sent along from elsewhere.
            if let Some(token) = token
                && let Err(error) = login::leave(desk, token).await
            {
                tracing::warn!(%error, "a session could not be ended");
            }
            let mut response = go("/admin/login");
            set_cookie(&mut response, SESSION, &SecretString::from(""), GONE);
            response
        }
        _ => return None,
    };
    if let Some(language) = knock.query.get("lang").filter(|_| !post) {
        let known = language.parse::<crate::domain::locale::Locale>().map(|locale| locale.code().to_owned());
        if let Ok(code) = known {
            set_cookie(&mut response, LANGUAGE, &code.into(), LONG);
        }
    }
    Some(response)
}

async fn password(desk: &Desk, localizer: &Localizer, knock: &Knock) -> Response {
    let password = SecretString::from(knock.form.raw("password").unwrap_or_default());
    match login::with_password(desk, knock.form.text("name"), &password, &knock.visitor).await {
        Ok(entered) => enter(&entered, &next(knock)),
        Err(error) => {
            let (status, text) = refusal(localizer, &error);
            show(status, localizer, knock, &password_form(localizer, &next(knock), Some(&text)))
        }
    }
}

async fn code(desk: &Desk, localizer: &Localizer, knock: &Knock, token: &SecretString) -> Response {
    match login::with_code(desk, token, knock.form.text("code"), &knock.visitor).await {
        Ok(entered) => enter(&entered, &next(knock)),
        Err(error) => {
            let (status, text) = refusal(localizer, &error);
            show(status, localizer, knock, &code_form(localizer, &next(knock), Some(&text)))
        }
    }
}

/// Gives the browser its token, and sends it on.
pub(super) fn enter(entered: &Entered, next: &str) -> Response {
    let mut response = match entered.stage {
        Stage::Open => go(next),
        Stage::Password => {
            let next = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            go(&format!("/admin/code?{next}"))
        }
    };
    keep(&mut response, entered);
    response
}

/// Gives the browser what it keeps.
pub(super) fn keep(response: &mut Response, entered: &Entered) {
    set_cookie(response, SESSION, &entered.token, "");
    if let Some(device) = &entered.device {
        set_cookie(response, DEVICE, device, LONG);
    }
}
/// What is written of log-ins that the database kept from being looked at.
static FAILURES: Refusals = Refusals::new();

fn refusal(localizer: &Localizer, error: &LoginError) -> (u16, String) {
    match error {
        LoginError::Wrong => (401, localizer.t("login.wrong").to_owned()),
        LoginError::Wait(seconds) => (429, localizer.tf("login.wait", &[("span", &localizer.span(*seconds))])),
        LoginError::Admin(error) => {
            if let Some(unsaid) = FAILURES.say_now() {
                tracing::error!(%error, unsaid, "nobody can log in");
            }
            (503, localizer.t("fail.database_detail").to_owned())
        }
    }
}

/// Where to go afterwards: a page of ours, nothing else.
fn next(knock: &Knock) -> String {
    let asked = knock.form.get("next").or(knock.query.get("next")).unwrap_or("/admin");
    let ours = (asked == "/admin" || asked.starts_with("/admin/") || asked.starts_with("/admin?"))
        && !asked.contains(['\\', '\n', '\r']);
    if ours { asked.to_owned() } else { "/admin".to_owned() }
}

fn password_form(localizer: &Localizer, next: &str, wrong: Option<&str>) -> Markup {
    html! {
        h1 { (localizer.t("login.title")) }
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form method="post" action="/admin/login" {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="name" { (localizer.t("login.name")) }
                input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus;
            }
            div.field {
                label for="password" { (localizer.t("login.password")) }
                input id="password" name="password" type="password" autocomplete="current-password" required;
            }
            button.main type="submit" { (localizer.t("login.enter")) }
        }
        p.hint { (localizer.t("login.forgotten")) }
    }
}

fn code_form(localizer: &Localizer, next: &str, wrong: Option<&str>) -> Markup {
    html! {
        h1 { (localizer.t("login.code_title")) }
        @if let Some(wrong) = wrong { p.notice.bad role="alert" { (wrong) } }
        form method="post" action="/admin/code" {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="code" { (localizer.t("login.code")) }
                input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,8}" required autofocus
                    aria-describedby="code-hint";
                p.hint id="code-hint" { (localizer.t("login.code_hint")) }
            }
            button.main type="submit" { (localizer.t("login.enter")) }
        }
        details {
            summary { (localizer.t("login.recovery")) }
            form method="post" action="/admin/code" {
                input type="hidden" name="next" value=(next);
                div.field {
                    label for="recovery" { (localizer.t("login.recovery_code")) }
                    input id="recovery" name="code" autocomplete="off" autocapitalize="none" spellcheck="false" required
                        aria-describedby="recovery-hint";
                    p.hint id="recovery-hint" { (localizer.t("login.recovery_hint")) }
                }
                button type="submit" { (localizer.t("login.enter")) }
            }
        }
        form method="post" action="/admin/logout" { button.plain type="submit" { (localizer.t("login.other")) } }
    }
}

/// A page of people who are not in yet.
pub(super) fn show(status: u16, localizer: &Localizer, knock: &Knock, content: &Markup) -> Response {
    let body = html! {
        body.entry {
            main id="main" {
                p.brand { (layout::mark()) span { "hookbridge" } }
                section.card { (content) }
                (layout::languages(localizer.locale))
            }
        }
    };
    page(status, &layout::document(localizer, theme(&knock.headers), localizer.t("login.title"), &body))
}
