//! Owns: what a page's handler gets, and what it gives back.

use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};
use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use crate::admin::login::{Present, Visitor};
use crate::admin::{AdminError, Desk, Mistake};
use crate::domain::admin::{Role, Who};
use crate::i18n::Localizer;

/// Names and values of a query or a form, in their order. A name may come more than once.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of `name`, without the spaces around it; `None` if it is missing or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(self.raw(name)?.trim()).filter(|value| !value.is_empty())
    }

    /// The first value of `name` as it came.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name`, or nothing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// All values of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Whether a box was ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A number, if one was given.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Mistake> {
        self.get(name).map(str::parse).transpose().map_err(|_| Mistake::new(name, "form.not_a_number"))
    }

    /// All pairs, for carrying a search over into links.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same as a query, with `name` set to `value`.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (one, old) in self.iter().filter(|(one, old)| *one != name && !old.is_empty()) {
            query.append_pair(one, old);
        }
        query.append_pair(name, value).finish()
    }
}

/// Segments of a path, decoded.
#[must_use]
pub fn segments(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect()
}

/// The variable parts of `path`, if it fits `pattern` (`/messages/:id`).
#[must_use]
pub fn fit(pattern: &str, path: &[String]) -> Option<Vec<String>> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    if parts.len() != path.len() {
        return None;
    }
    let mut found = Vec::new();
    for (part, given) in parts.iter().zip(path) {
        if part.starts_with(':') {
            found.push(given.clone());
        } else if part != given {
            return None;
        }
    }
    Some(found)
}

/// A request of somebody who is logged in.
#[derive(Debug)]
pub struct Ask {
    pub desk: Arc<Desk>,
    pub who: Who,
    pub present: Present,
    pub visitor: Visitor,
    /// What the browser holds.
    pub token: SecretString,
    pub localizer: Localizer,
    /// The variable parts of the address.
    pub params: Vec<String>,
    pub query: Fields,
    pub form: Fields,
    /// Only a part of the page is wanted.
    pub htmx: bool,
    /// The word that forms must carry.
    pub csrf: String,
    pub theme: Option<&'static str>,
    /// The address asked for, with its query: where to come back to.
    pub here: String,
}

impl Ask {
    #[must_use]
    pub fn t<'a>(&self, key: &'a str) -> &'a str {
        self.localizer.t(key)
    }

    #[must_use]
    pub fn tf(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        self.localizer.tf(key, values)
    }

    /// A moment: by the platform's clock, exactly in UTC for machines and on hovering.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> Markup {
        html! { time datetime=(at) title=(at) { (self.localizer.clock(at)) } }
    }

    /// The n-th variable part of the address.
    #[must_use]
    pub fn param(&self, n: usize) -> &str {
        self.params.get(n).map(String::as_str).unwrap_or_default()
    }

    /// Whether a button for something that needs `role` is shown.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.who.may(role)
    }

    /// A form that posts to `action`, with the word that proves that it is ours.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a form's content is made for it, where it is called")]
    pub fn form_to(&self, action: &str, content: Markup) -> Markup {
        html! {
            form method="post" action=(action) {
                input type="hidden" name="_csrf" value=(self.csrf);
                (content)
            }
        }
    }

    /// A form that is only a button.
    #[must_use]
    pub fn button(&self, action: &str, class: &str, label: &str) -> Markup {
        self.form_to(action, html! { button class=(class) type="submit" { (label) } })
    }

    /// What is wrong, in words: keys of words are looked up, other texts stand for themselves.
    #[must_use]
    pub fn mistake(&self, mistakes: &[Mistake], field: &str) -> Option<String> {
        mistakes.iter().find(|one| one.field == field).map(|one| self.t(&one.text).to_owned())
    }
}

/// A whole page.
#[derive(Debug)]
pub struct View {
    pub title: String,
    /// Which entry of the menu is lit: its path.
    pub at: &'static str,
    pub status: u16,
    pub body: Markup,
}

/// What a handler gives back.
#[derive(Debug)]
pub enum Answer {
    Page(View),
    /// A part of a page, for htmx.
    Part(Markup),
    /// Go there: after something was done.
    To(String),
    /// Go there, and let the browser keep something that is no secret.
    Kept {
        cookie: &'static str,
        value: String,
        age: &'static str,
        to: String,
    },
    /// Something to save.
    File {
        name: String,
        kind: &'static str,
        bytes: Vec<u8>,
    },
}

impl Answer {
    /// A page.
    ///
    /// # Errors
    /// None: so that a handler can end with it, as with the two below.
    pub fn page(at: &'static str, title: impl Into<String>, body: Markup) -> Result<Self, AdminError> {
        Ok(Self::Page(View { title: title.into(), at, status: 200, body }))
    }

    /// The page again, with what is wrong in its form.
    ///
    /// # Errors
    /// None.
    pub fn again(at: &'static str, title: impl Into<String>, body: Markup) -> Result<Self, AdminError> {
        Ok(Self::Page(View { title: title.into(), at, status: 422, body }))
    }

    /// Go to `path`, where a line says what was done: a key of the words' section `done`.
    ///
    /// # Errors
    /// None.
    pub fn done(path: &str, done: &str) -> Result<Self, AdminError> {
        let join = if path.contains('?') { '&' } else { '?' };
        Ok(Self::To(format!("{path}{join}done={done}")))
    }
}

/// A handler's future.
pub type Answering = std::pin::Pin<Box<dyn Future<Output = Result<Answer, AdminError>> + Send>>;

/// One address.
#[derive(Clone, Copy)]
pub struct Page {
    /// Whether it changes something.
    pub post: bool,
    /// Below `/admin`, with `:name` for variable parts.
    pub pattern: &'static str,
    pub role: Role,
    pub run: fn(Ask) -> Answering,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", if self.post { "POST" } else { "GET" }, self.pattern, self.role)
    }
}

/// An address that shows.
pub const fn get(pattern: &'static str, role: Role, run: fn(Ask) -> Answering) -> Page {
    Page { post: false, pattern, role, run }
}

/// An address that changes.
pub const fn post(pattern: &'static str, role: Role, run: fn(Ask) -> Answering) -> Page {
    Page { post: true, pattern, role, run }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fit_their_pattern_and_nothing_else() {
        let path = segments("/messages/a%2Fb/");
        assert_eq!(fit("/messages/:id", &path), Some(vec!["a/b".to_owned()]));
        assert_eq!(fit("/messages", &path), None);
        assert_eq!(fit("/events/:id", &path), None);
        assert_eq!(fit("/", &segments("/")), Some(Vec::new()));
    }

    #[test]
    fn a_search_is_carried_over_with_one_thing_changed() {
        let fields = Fields::read(b"client=7&state=&before=x+y");
        assert_eq!(fields.with("before", "a&b"), "client=7&before=a%26b");
        assert_eq!((fields.get("state"), fields.number("client")), (None, Ok(Some(7))));
        assert!(fields.number("before").is_err());
    }
}
