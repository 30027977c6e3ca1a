//! Owns: a person with a browser, without the browser: cookies, forms, the second factor. Pages are read as text.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hookbridge::admin::Desk;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::ops::people::CreateAdministrator;
use hookbridge::ops::tokens::CreateToken;
use hookbridge::ops::{self, Code};
use secrecy::SecretString;
use totp_rs::{Builder, Secret};

/// What everybody's password is in tests.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody who visits the page.
pub struct Person {
    base: String,
    http: reqwest::Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A page as it came.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub text: String,
    pub location: Option<String>,
    pub headers: reqwest::header::HeaderMap,
}

impl Seen {
    /// The value of the input called `name`.
    pub fn field(&self, name: &str) -> String {
        let from =
            self.text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name}: {}", self.text));
        let tag = &self.text[from..from + self.text[from..].find('>').expect("the tag ends")];
        tag.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }

    /// What a browser would send of the form to `action`, were its button pressed at once.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let from = self.text.split(&format!("action=\"{action}\"")).nth(1);
        let form = from.and_then(|rest| rest.split("</form>").next());
        let form = form.unwrap_or_else(|| panic!("no form to {action}: {}", self.text));
        let value = |tag: &str, name: &str| Some(plain(tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?));
        let mut all: Vec<(String, String)> = Vec::new();
        let mut chosen = false;
        for part in form.split('<').skip(1) {
            let (tag, text) = part.split_once('>').unwrap_or((part, ""));
            match tag.split(' ').next().unwrap_or_default() {
                "input" => {
                    let box_off = tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"");
                    if !box_off || tag.contains(" checked") {
                        all.extend(value(tag, "name").map(|name| (name, value(tag, "value").unwrap_or_default())));
                    }
                }
                "textarea" => all.extend(value(tag, "name").map(|name| (name, plain(text)))),
                "select" => {
                    chosen = false;
                    all.extend(value(tag, "name").map(|name| (name, String::new())));
                }
                // The first one, unless another is marked.
                "option" if tag.contains(" selected") || !chosen => {
                    chosen = true;
                    if let Some(last) = all.last_mut() {
                        last.1 = value(tag, "value").unwrap_or_default();
                    }
                }
                _ => {}
            }
        }
        all
    }

    #[track_caller]
    pub fn shows(&self, text: &str) {
        assert!(self.text.contains(text), "{} does not show {text}:\n{}", self.status, self.text);
    }

    #[track_caller]
    pub fn hides(&self, text: &str) {
        assert!(!self.text.contains(text), "{} shows {text}:\n{}", self.status, self.text);
    }
}

/// Text of HTML as people read it.
fn plain(html: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    pairs.iter().fold(html.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Makes an administrator called `name` with [`PASSWORD`].
pub async fn hire(desk: &Desk, name: &str, role: Role) {
    let who = Who::at_the_command_line("test");
    let create = CreateAdministrator { name: name.to_owned(), role: Code(role), password: Some(PASSWORD.into()) };
    ops::change(desk, &who, create).await.expect("an administrator can be made");
}

/// A token of that name and role, made by `who`.
pub async fn token(desk: &Desk, who: &Who, name: &str, role: Role) -> SecretString {
    let create = CreateToken { name: name.to_owned(), role: Code(role), days: None };
    ops::change(desk, who, create).await.expect("a token can be made").token
}

impl Person {
    pub fn at(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { base: base.trim_end_matches('/').to_owned(), http, cookies: Mutex::default() }
    }

    /// Somebody with that role, logged in.
    pub async fn logged_in(desk: &Desk, base: &str, role: Role) -> Self {
        Self::named(desk, base, &format!("{role} of tests"), role).await
    }

    /// Somebody of that name and role, logged in.
    pub async fn named(desk: &Desk, base: &str, name: &str, role: Role) -> Self {
        hire(desk, name, role).await;
        let person = Self::at(base);
        let seen = person.log_in(name, PASSWORD).await;
        assert_eq!((seen.status, seen.location.as_deref()), (303, Some("/admin")), "{}", seen.text);
        person
    }

    pub async fn log_in(&self, name: &str, password: &str) -> Seen {
        self.post("/admin/login", &[("name", name), ("password", password)]).await
    }

    pub async fn get(&self, path: &str) -> Seen {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    /// As htmx asks for a part of a page.
    pub async fn part(&self, path: &str) -> Seen {
        self.send(self.http.get(format!("{}{path}", self.base)).header("hx-request", "true")).await
    }

    /// Sends a form as it is given.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Seen {
        self.post_from(path, &[("sec-fetch-site", "same-origin")], form).await
    }

    /// The same from elsewhere: with what a browser would say of that.
    pub async fn post_from(&self, path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Seen {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = self
            .http
            .post(format!("{}{path}", self.base))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Sends a form of a page of ours: with the word that the page `from` carries.
    pub async fn submit(&self, from: &str, to: &str, form: &[(&str, &str)]) -> Seen {
        let word = self.get(from).await.field("_csrf");
        let all: Vec<(&str, &str)> = [("_csrf", word.as_str())].into_iter().chain(form.iter().copied()).collect();
        self.post(to, &all).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Seen {
        let jar = self.cookies.lock().expect("cookies").clone();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await.expect("the page answers");
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().expect("a cookie").split(';').next().unwrap_or_default().to_owned();
            let (name, value) = pair.split_once('=').expect("name and value");
            self.cookies.lock().expect("cookies").insert(name.to_owned(), value.to_owned());
        }
        let text = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (status, location, headers) = (answer.status().as_u16(), text("location"), answer.headers().clone());
        Seen { status, location, headers, text: answer.text().await.expect("a body") }
    }
}

/// The code that an app shows at `unix_s` for a secret typed in by hand.
pub fn code(secret_base32: &str, unix_s: u64) -> String {
    let secret = Secret::try_from_base32(secret_base32).expect("base32");
    let totp = Builder::new()
        .with_secret(secret)
        .with_account_name("x")
        .with_issuer(Some("hookbridge"))
        .build()
        .expect("a factor");
    totp.generate(unix_s).to_string()
}
