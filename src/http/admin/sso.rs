//! Owns: the one address that takes a form of another site: the platform's addon page, which brings somebody in by a link.
//! Why a page and not a redirection: a browser does not send our cookie along (`SameSite=Strict`) where another site's form
//! led to; it does where our own page leads to.

use maud::html;
use warp::http::header::{HeaderValue, REFRESH};
use warp::reply::Response;

use super::super::refusals::Refusals;
use super::super::request::text;
use super::Knock;
use super::entry::{keep, show};
use crate::admin::Desk;
use crate::admin::sso::{Link, SsoError, with_link};
use crate::i18n::Localizer;
use crate::store::session::Stage;

/// Whether that is the address.
pub(super) fn is_here(knock: &Knock) -> bool {
    knock.path == ["sso"]
}

/// Lets somebody in, or says why not.
pub(super) async fn answer(desk: &Desk, localizer: &Localizer, knock: &Knock) -> Response {
    let entered =
        if in_a_window(knock) { with_link(desk, &link(knock), &knock.visitor).await } else { Err(SsoError::Foreign) };
    match entered {
        Ok(entered) => {
            let next = if entered.stage == Stage::Open { "/admin" } else { "/admin/code?next=%2Fadmin" };
            let body = html! {
                h1 { (localizer.t("sso.title")) }
                p role="status" { (localizer.t("sso.in")) }
                p { a.button.main href=(next) { (localizer.t("sso.go_on")) } }
            };
            let mut response = show(200, localizer, knock, &body);
            if let Ok(value) = HeaderValue::from_str(&format!("0;url={next}")) {
                response.headers_mut().insert(REFRESH, value);
            }
            keep(&mut response, &entered);
            response
        }
        Err(error) => refused(localizer, knock, &error),
    }
}

fn link(knock: &Knock) -> Link<'_> {
    let field = |name: &str| knock.form.raw(name).unwrap_or_default();
    Link {
        id: field("id"),
        timestamp: field("timestamp"),
        signature: field("signature"),
        body: field("body"),
        origin: text(&knock.headers, "origin"),
    }
}

/// A browser that says so must be opening a page: no script's request, no frame.
fn in_a_window(knock: &Knock) -> bool {
    let is = |name: &str, wanted: &str| text(&knock.headers, name).is_none_or(|value| value == wanted);
    is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
}

/// What is written of links: a stranger must not fill the log.
static REFUSALS: Refusals = Refusals::new();
static FAILURES: Refusals = Refusals::new();

fn refused(localizer: &Localizer, knock: &Knock, error: &SsoError) -> Response {
    let (status, key) = match error {
        SsoError::Off => (404, "sso.off"),
        SsoError::Foreign => (403, "sso.foreign"),
        SsoError::Unsigned => (401, "sso.unsigned"),
        SsoError::Stale(_) => (401, "sso.stale"),
        SsoError::Used => (401, "sso.used"),
        SsoError::Unreadable(_) => (422, "sso.unreadable"),
        SsoError::Disabled => (403, "sso.disabled"),
        SsoError::Admin(_) => (503, "fail.database_detail"),
    };
    match error {
        SsoError::Admin(error) => {
            if let Some(unsaid) = FAILURES.say_now() {
                tracing::error!(%error, unsaid, "nobody can come by a link");
            }
        }
        error => {
            if let Some(unsaid) = REFUSALS.say_now() {
                tracing::warn!(%error, unsaid, "a link was refused");
            }
        }
    }
    let seconds = if let SsoError::Stale(off) = error { off.saturating_abs() } else { 0 };
    let body = html! {
        h1 { (localizer.t("sso.title")) }
        p.notice.bad role="alert" { (localizer.tf(key, &[("n", &seconds), ("life", &crate::admin::sso::LIFE_S)])) }
        p { a href="/admin/login" { (localizer.t("sso.password")) } }
    };
    show(status, localizer, knock, &body)
}
