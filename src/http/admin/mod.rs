//! Owns: `/admin`: who may see which page, and what every answer carries for safety. Each area of the page is a file with its
//! addresses; this one finds the address, checks the role, and wraps what comes back.

pub mod ask;
pub mod assets;
pub mod entry;
pub mod layout;
pub mod me;
mod sso;

pub mod events;
pub mod find;
pub mod hookpoints;
pub mod messages;
pub mod naming;
pub mod notices;
pub mod number;
pub mod overview;
pub mod phones;
pub mod replies;
pub mod rules;
pub mod settings;
pub mod templates;
pub mod why;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use futures_util::Stream;
use jiff::tz::TimeZone;
use maud::Markup;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use warp::Filter;
use warp::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use warp::path::FullPath;
use warp::reply::Response;

use self::ask::{Answer, Ask, Fields, Page, fit, segments};
use super::Route;
use super::body::read_body;
use super::refusals::Refusals;
use super::request::text;
use super::server::Peer;
use crate::admin::login::{Present, Visitor, present};
use crate::admin::{AdminError, Desk};
use crate::domain::locale::Locale;
use crate::i18n::Localizer;
use crate::store::session::Stage;

/// Largest form, in bytes: a hookpoint's or a template's whole text is far below.
const FORM_BYTES_MAX: usize = 262_144;
/// How long a form may take.
const FORM_TIME: Duration = Duration::from_secs(10);
/// What may run and load: our own files, nothing inline, nothing from elsewhere; and nobody may frame us.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Every address of people who are logged in, by area.
#[must_use]
pub fn pages() -> Vec<Page> {
    [
        overview::PAGES,
        find::PAGES,
        messages::PAGES,
        events::PAGES,
        why::PAGES,
        hookpoints::PAGES,
        templates::PAGES,
        rules::PAGES,
        number::PAGES,
        replies::PAGES,
        phones::PAGES,
        settings::PAGES,
        me::PAGES,
    ]
    .concat()
}

/// What the router works with.
struct Door {
    desk: Arc<Desk>,
    pages: Vec<Page>,
    zone: TimeZone,
}

/// A request, before anybody knows who sent it.
pub(super) struct Knock {
    pub method: Method,
    /// Below `/admin`.
    pub path: Vec<String>,
    pub here: String,
    pub query: Fields,
    pub headers: HeaderMap,
    pub form: Fields,
    pub visitor: Visitor,
}

/// The route of everything below `/admin`.
#[must_use]
pub fn route(desk: Arc<Desk>) -> Route {
    let zone = TimeZone::get(&desk.config.billing.timezone).unwrap_or(TimeZone::UTC);
    let door = Arc::new(Door { desk, pages: pages(), zone });
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    warp::path("admin")
        .and(warp::path::full())
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Peer>())
        .and(warp::body::stream())
        .then(move |path: FullPath, method, query: String, headers: HeaderMap, peer: Option<Peer>, body| {
            let door = door.clone();
            async move {
                let visitor = visitor(&headers, peer);
                let here =
                    if query.is_empty() { path.as_str().to_owned() } else { format!("{}?{query}", path.as_str()) };
                let path = segments(path.as_str()).split_off(1);
                let knock = Knock {
                    method,
                    path,
                    here,
                    query: Fields::read(query.as_bytes()),
                    headers,
                    form: Fields::default(),
                    visitor,
                };
                door.answer(knock, body).await
            }
        })
        .boxed()
}

/// Where a request comes from. What a web server before us says counts only on this machine, and of it only what that server
/// itself added: the last value of the last line. Everything before is what a stranger wrote.
#[must_use]
pub fn visitor(headers: &HeaderMap, peer: Option<Peer>) -> Visitor {
    let peer = peer.map(|peer| peer.0.ip());
    let lines = headers.get_all("x-forwarded-for");
    let last = lines.iter().next_back().and_then(|line| line.to_str().ok());
    let forwarded = last.and_then(|list| address(list.rsplit(',').next()?.trim()));
    let address = if peer.is_none_or(|ip| ip.is_loopback()) { forwarded.or(peer) } else { peer };
    Visitor {
        address: address.map(|ip| ip.to_canonical().to_string()).unwrap_or_default(),
        agent: text(headers, "user-agent").unwrap_or_default().to_owned(),
        device: cookie(headers, entry::DEVICE).map(SecretString::from),
    }
}

/// An address as web servers write it: some add the port, some the brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

impl Door {
    async fn answer<B: Buf, E>(&self, mut knock: Knock, body: impl Stream<Item = Result<B, E>>) -> Response {
        if let [folder, name] = &knock.path[..]
            && folder == "assets"
        {
            return assets::answer(name).unwrap_or_else(|| plain(StatusCode::NOT_FOUND));
        }
        if knock.method == Method::POST {
            let length = text(&knock.headers, "content-length").and_then(|length| length.parse().ok());
            match read_body(body, length, FORM_BYTES_MAX, FORM_TIME).await {
                Ok(bytes) => knock.form = Fields::read(&bytes),
                Err(_) => return plain(StatusCode::PAYLOAD_TOO_LARGE),
            }
            if !from_our_pages(&knock.headers) && !sso::is_here(&knock) {
                return plain(StatusCode::FORBIDDEN);
            }
        } else if knock.method != Method::GET && knock.method != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        let mut response = self.let_in(knock).await;
        guard(&mut response);
        response
    }

    async fn let_in(&self, knock: Knock) -> Response {
        let localizer = Localizer { locale: chosen(&knock, None), zone: self.zone.clone() };
        let token = cookie(&knock.headers, entry::SESSION).map(SecretString::from);
        let here = match &token {
            None => None,
            Some(token) => match present(&self.desk, token).await {
                Ok(here) => here,
                Err(error) => return failed(&localizer, &error, &knock),
            },
        };
        if let Some(response) = entry::answer(&self.desk, &localizer, &knock, token.as_ref(), here.as_ref()).await {
            return response;
        }
        match (token, here.filter(|here| here.session.stage == Stage::Open)) {
            (Some(token), Some(here)) => self.show(knock, token, here).await,
            // A part of a page cannot be a log-in: htmx goes there.
            _ if text(&knock.headers, "hx-request").is_some() => {
                let mut response = plain(StatusCode::UNAUTHORIZED);
                response.headers_mut().insert("hx-redirect", HeaderValue::from_static("/admin/login"));
                response
            }
            _ => go(&entry::login_address(&knock.here)),
        }
    }

    /// The page of somebody who is logged in.
    async fn show(&self, knock: Knock, token: SecretString, here: Present) -> Response {
        let localizer = Localizer { locale: chosen(&knock, here.account.locale), zone: self.zone.clone() };
        let post = knock.method == Method::POST;
        let found = self
            .pages
            .iter()
            .filter(|page| page.post == post)
            .find_map(|page| Some((page, fit(page.pattern, &knock.path)?)));
        let csrf = self.desk.sealer.word("csrf", &crate::signature::hex(&here.session.token));
        let must_enrol = self.desk.config.admin.second_factor == "required" && here.account.totp_sealed.is_none();
        if must_enrol && !knock.path.first().is_some_and(|first| first == "me" || first == "logout") {
            return go("/admin/me/second-factor");
        }
        let given = knock.form.raw("_csrf").or(text(&knock.headers, "x-csrf-token")).unwrap_or_default();
        let ours = !post || bool::from(given.as_bytes().ct_eq(csrf.as_bytes()));
        let ask = Ask {
            desk: self.desk.clone(),
            who: here.who(&knock.visitor),
            present: here,
            visitor: knock.visitor.clone(),
            token,
            localizer,
            params: Vec::new(),
            query: knock.query.clone(),
            form: knock.form.clone(),
            htmx: text(&knock.headers, "hx-request").is_some(),
            csrf,
            theme: entry::theme(&knock.headers),
            here: knock.here.clone(),
        };
        let frame = Ask { form: Fields::default(), ..ask.again() };
        let answer = match found {
            None => Err(AdminError::NotFound("page")),
            Some(_) if !ours => Err(AdminError::Conflict("fail.stale_form".to_owned())),
            Some((page, _)) if !ask.may(page.role) => Err(AdminError::Forbidden(page.role)),
            Some((page, params)) => (page.run)(Ask { params, ..ask }).await,
        };
        match answer {
            Ok(answer) => wrap(&frame, answer),
            Err(error) => {
                log(&error, &knock);
                let (status, body) = layout::failure(&frame.localizer, &error);
                if frame.htmx {
                    return page(status, &body);
                }
                let title = frame.t("fail.title").to_owned();
                wrap(&frame, Answer::Page(ask::View { title, at: "", status, body }))
            }
        }
    }
}

impl Ask {
    /// The same request, for the frame around what a handler gives back.
    fn again(&self) -> Self {
        Self {
            desk: self.desk.clone(),
            who: self.who.clone(),
            present: self.present.clone(),
            visitor: self.visitor.clone(),
            token: self.token.clone(),
            localizer: self.localizer.clone(),
            params: Vec::new(),
            query: self.query.clone(),
            form: Fields::default(),
            htmx: self.htmx,
            csrf: self.csrf.clone(),
            theme: self.theme,
            here: self.here.clone(),
        }
    }
}

/// What a handler gave back, as an answer.
fn wrap(ask: &Ask, answer: Answer) -> Response {
    match answer {
        Answer::Page(view) => page(view.status, &layout::page(ask, &view)),
        Answer::Part(part) => page(200, &part),
        Answer::To(path) if ask.htmx => {
            let mut response = plain(StatusCode::NO_CONTENT);
            if let Ok(path) = HeaderValue::from_str(&path) {
                response.headers_mut().insert("hx-redirect", path);
            }
            response
        }
        Answer::To(path) => go(&path),
        Answer::Kept { cookie, value, age, to } => {
            let mut response = go(&to);
            set_cookie(&mut response, cookie, &value.into(), age);
            response
        }
        Answer::File { name, kind, bytes } => file(&name, kind, bytes),
    }
}

/// What went wrong before anybody was in.
fn failed(localizer: &Localizer, error: &AdminError, knock: &Knock) -> Response {
    log(error, knock);
    let (status, body) = layout::failure(localizer, error);
    page(
        status,
        &layout::document(localizer, None, localizer.t("fail.title"), &maud::html! { body { main { (body) } } }),
    )
}

/// What is written of pages that could not be shown: nobody in particular asks for them.
static FAILURES: Refusals = Refusals::new();

fn log(error: &AdminError, knock: &Knock) {
    if matches!(error, AdminError::Store(_) | AdminError::Billing(_) | AdminError::Internal(_)) {
        let page = knock.path.first().map(String::as_str).unwrap_or_default();
        if let Some(unsaid) = FAILURES.say_now() {
            tracing::error!(%error, page, unsaid, "a page could not be shown");
        }
    }
}

/// A browser says where a request comes from; one that does not is recognised by the session's token.
fn from_our_pages(headers: &HeaderMap) -> bool {
    match text(headers, "sec-fetch-site") {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => match (text(headers, "origin"), text(headers, "host")) {
            (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, at)| at == host),
            _ => true,
        },
    }
}

/// The language of a page: what was clicked, the account's, the cookie's, the browser's.
fn chosen(knock: &Knock, account: Option<Locale>) -> Locale {
    let read = |code: &str| code.parse::<Locale>().ok();
    let clicked = || knock.query.get("lang").and_then(read);
    let kept = || cookie(&knock.headers, entry::LANGUAGE).and_then(|code| read(&code));
    let browser = || {
        let list = text(&knock.headers, "accept-language")?;
        list.split(',').find_map(|one| match one.trim().get(..2)? {
            "es" => Some(Locale::EsAr),
            "en" => Some(Locale::En),
            "pt" => Some(Locale::PtBr),
            _ => None,
        })
    };
    account.or_else(clicked).or_else(kept).or_else(browser).unwrap_or(Locale::EsAr)
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(';'))
        .find_map(|pair| {
            let (one, value) = pair.trim().split_once('=')?;
            (one == name).then(|| value.to_owned())
        })
}

/// What every answer carries.
fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// HTML.
pub(super) fn page(status: u16, markup: &Markup) -> Response {
    let mut response = Response::new(markup.0.clone().into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Go there, by GET.
pub(super) fn go(path: &str) -> Response {
    let mut response = plain(StatusCode::SEE_OTHER);
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

fn file(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(bytes.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(status.canonical_reason().unwrap_or_default().into());
    *response.status_mut() = status;
    response
}

/// A cookie of ours. Secure everywhere: browsers take that on loopback, too.
pub(super) fn set_cookie(response: &mut Response, name: &str, value: &SecretString, age: &str) {
    let cookie = format!("{name}={}; Path=/; HttpOnly; Secure; SameSite=Strict{age}", value.expose_secret());
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_web_server_added_says_where_a_request_comes_from() {
        let peer = |address: &str| Some(Peer(address.parse().expect("an address")));
        let seen = |lines: &[&str], from: &str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_str(line).expect("a header"));
            }
            visitor(&headers, peer(from)).address
        };
        let here = "127.0.0.1:4000";
        assert_eq!(seen(&[], here), "127.0.0.1");
        assert_eq!(seen(&["192.0.2.1, 192.0.2.2"], here), "192.0.2.2");
        assert_eq!(seen(&["192.0.2.1", "192.0.2.9"], here), "192.0.2.9", "HAProxy adds a line of its own");
        assert_eq!(seen(&["192.0.2.1", "nonsense"], here), "127.0.0.1");
        assert_eq!(seen(&["[2001:db8::1]:443"], here), "2001:db8::1");
        assert_eq!(seen(&["192.0.2.1"], "198.51.100.7:4000"), "198.51.100.7", "strangers are not believed");
    }
}
