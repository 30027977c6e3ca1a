//! Owns: what all pages have around them: head, menu, the line that says what was done; and small parts that many use.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::answers::CONFIRMATION;
use super::ask::{Ask, View};
use super::assets;
use crate::admin::difference::{Change, Line};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::hookpoint::HookpointId;
use crate::domain::locale::Locale;
use crate::i18n::Localizer;

/// What htmx may do: no `eval`, no styles of its own, no other hosts. An error's answer is shown where the part would be.
const HTMX: &str = r#"{"allowEval":false,"includeIndicatorStyles":false,"selfRequestsOnly":true,"historyCacheSize":0,"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"[45]..","swap":true,"error":false}]}"#;

/// The menu: path, word, who sees it.
const MENU: [(&str, &str, Role); 10] = [
    ("/admin", "menu.overview", Role::Viewer),
    ("/admin/messages", "menu.messages", Role::Viewer),
    ("/admin/replies", "menu.replies", Role::Viewer),
    ("/admin/events", "menu.events", Role::Viewer),
    ("/admin/why", "menu.why", Role::Viewer),
    ("/admin/hookpoints", "menu.hookpoints", Role::Viewer),
    ("/admin/templates", "menu.templates", Role::Viewer),
    ("/admin/rules", "menu.rules", Role::Viewer),
    ("/admin/phones", "menu.phones", Role::Viewer),
    ("/admin/settings", "menu.settings", Role::Viewer),
];

/// The frame of every page, of people logged in or not.
#[must_use]
pub fn document(localizer: &Localizer, theme: Option<&str>, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(localizer.locale.tag()) data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=(HTMX);
                title { (title) " · hookbridge" }
                link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
                link rel="stylesheet" href=(assets::address("style.css"));
                script src=(assets::address("htmx.min.js")) defer {}
                script src=(assets::address("page.js")) defer {}
            }
            (body)
        }
    }
}

/// A page of somebody who is logged in.
#[must_use]
pub fn page(ask: &Ask, view: &View) -> Markup {
    let csrf = serde_json::json!({ "X-CSRF-Token": ask.csrf }).to_string();
    document(
        &ask.localizer,
        ask.theme,
        &view.title,
        &html! {
            body hx-headers=(csrf) {
                a.skip href="#main" { (ask.t("menu.skip")) }
                (header(ask, view.at))
                main id="main" tabindex="-1" {
                    @if let Some(done) = ask.query.get("done").and_then(|done| ask.localizer.known(&format!("done.{done}"))) {
                        p.notice.good role="status" { (done) }
                    }
                    (view.body)
                }
            }
        },
    )
}

fn header(ask: &Ask, at: &str) -> Markup {
    html! {
        header.top {
            a.brand href="/admin" { (mark()) span { "hookbridge" } }
            (super::find::field(ask))
            details.menu open {
                summary { (ask.t("menu.menu")) }
                nav aria-label=(ask.t("menu.menu")) {
                    ul {
                        @for (path, word, role) in MENU {
                            @if ask.may(role) && is_there(path) {
                                li { a href=(path) aria-current=[(path == at).then_some("page")] { (ask.t(word)) } }
                            }
                        }
                    }
                    div.me {
                        a href="/admin/me" aria-current=[(at == "/admin/me").then_some("page")] {
                            (ask.who.name) " " small { (ask.t(&format!("role.{}", ask.who.role))) }
                        }
                        (ask.button("/admin/logout", "plain", ask.t("menu.logout")))
                    }
                }
            }
        }
    }
}

/// Whether an entry of the menu leads anywhere.
fn is_there(path: &str) -> bool {
    let below = path.strip_prefix("/admin").filter(|rest| !rest.is_empty()).unwrap_or("/");
    super::pages().iter().any(|page| !page.post && page.pattern == below)
}

/// The mark: a bridge over a hook.
#[must_use]
pub fn mark() -> Markup {
    PreEscaped(include_str!("assets/icon.svg").to_owned())
}

/// Links to this page in the other languages, for people who are not logged in.
#[must_use]
pub fn languages(current: Locale) -> Markup {
    html! {
        p.languages {
            @for locale in Locale::PAGES {
                a href={ "?lang=" (locale.code()) } lang=(locale.tag()) hreflang=(locale.tag())
                    aria-current=[(locale == current).then_some("true")] { (language_name(locale)) }
            }
        }
    }
}

/// A language in its own words.
#[must_use]
pub const fn language_name(locale: Locale) -> &'static str {
    match locale {
        Locale::EsAr => "Español",
        Locale::Es => "Español (neutro)",
        Locale::En => "English",
        Locale::PtBr => "Português",
    }
}

/// What went wrong, for people.
#[must_use]
pub fn failure(localizer: &Localizer, error: &AdminError) -> (u16, Markup) {
    let (status, title, detail) = match error {
        AdminError::Forbidden(role) => {
            let role = localizer.t(&format!("role.{role}")).to_owned();
            (403, "fail.forbidden", localizer.tf("fail.forbidden_detail", &[("role", &role)]))
        }
        AdminError::NotFound(_) => (404, "fail.not_found", localizer.t("fail.not_found_detail").to_owned()),
        AdminError::Invalid(mistakes) => {
            let all: Vec<&str> = mistakes.iter().map(|one| localizer.t(&one.text)).collect();
            (422, "fail.invalid", all.join(" "))
        }
        AdminError::Conflict(text) => (409, "fail.conflict", localizer.t(text).to_owned()),
        AdminError::Store(_) | AdminError::Billing(_) => {
            (503, "fail.database", localizer.t("fail.database_detail").to_owned())
        }
        AdminError::Internal(_) => (500, "fail.internal", localizer.t("fail.internal_detail").to_owned()),
    };
    (status, html! { section.failure { h1 { (localizer.t(title)) } p.notice.bad role="alert" { (detail) } } })
}

/// A labelled field with what is wrong with it. `input` is the control, whose id must be `name`.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "the control is made for it, where it is called")]
pub fn field(ask: &Ask, mistakes: &[Mistake], name: &str, label: &str, hint: Option<&str>, input: Markup) -> Markup {
    let wrong = ask.mistake(mistakes, name);
    html! {
        div.field.wrong[wrong.is_some()] {
            label for=(name) { (label) }
            (input)
            @if let Some(hint) = hint { p.hint id={ (name) "-hint" } { (hint) } }
            @if let Some(wrong) = wrong { p.mistake id={ (name) "-mistake" } role="alert" { (wrong) } }
        }
    }
}

/// A state as a coloured word: never by colour alone.
#[must_use]
pub fn badge(tone: Tone, text: &str) -> Markup {
    html! { span.badge.(tone.class()) { (text) } }
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Waiting,
    Bad,
    Plain,
}

impl Tone {
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Waiting => "waiting",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }

    /// The tone of a message's standing or an event's state.
    #[must_use]
    pub fn of(state: &str) -> Self {
        match state {
            "delivered" | "read" | "processed" | "allow" | "on" => Self::Good,
            "queued" | "sending" | "accepted" | "sent" | "received" | "held" | "review" | "adjust" | "later" => {
                Self::Waiting
            }
            "failed" | "unknown" | "deny" => Self::Bad,
            _ => Self::Plain,
        }
    }
}

/// A state with its tone and the word for people.
#[must_use]
pub fn state(ask: &Ask, state: &str) -> Markup {
    badge(Tone::of(state), ask.t(&format!("state.{state}")))
}

/// Nothing to show, and what to do about it.
#[must_use]
pub fn nothing(text: &str) -> Markup {
    html! { p.nothing { (text) } }
}

/// An alert's name for people; its code where it is deleted.
#[must_use]
pub fn alert_title(ask: &Ask, id: &str) -> String {
    if id == CONFIRMATION {
        return ask.t("replies.confirmation").to_owned();
    }
    let catalogue = ask.desk.catalogue.load();
    let known = HookpointId::parse(id).and_then(|id| catalogue.entry(&id));
    known.map_or_else(|| id.to_owned(), |entry| entry.hookpoint.title[&ask.localizer.locale].clone())
}

/// An alert's name for people, above its code.
#[must_use]
pub fn alert(ask: &Ask, id: &str) -> Markup {
    let title = alert_title(ask, id);
    html! { span { @if title == id { span.mono { (id) } } @else { (title) br; small.mono { (id) } } } }
}

/// The link to the next page of a list by keys. `next` is the value of the query's `before`.
#[must_use]
pub fn older(ask: &Ask, path: &str, next: Option<&str>) -> Markup {
    pages(ask, path, next, ["list.newest", "list.older"])
}

/// The same for a list that is not in the order of time.
#[must_use]
pub fn following(ask: &Ask, path: &str, next: Option<&str>) -> Markup {
    pages(ask, path, next, ["list.first", "list.next"])
}

fn pages(ask: &Ask, path: &str, next: Option<&str>, [first, following]: [&str; 2]) -> Markup {
    html! {
        @if let Some(next) = next {
            nav.pages aria-label=(ask.t("list.pages")) {
                @if ask.query.get("before").is_some() {
                    a href={ (path) "?" (ask.query.with("before", "")) } { (ask.t(first)) }
                }
                a href={ (path) "?" (ask.query.with("before", next)) } rel="next" { (ask.t(following)) }
            }
        } @else if ask.query.get("before").is_some() {
            nav.pages aria-label=(ask.t("list.pages")) {
                a href={ (path) "?" (ask.query.with("before", "")) } { (ask.t(first)) }
            }
        }
    }
}

/// A difference, line by line.
#[must_use]
pub fn difference(ask: &Ask, lines: &[Line]) -> Markup {
    html! {
        pre.diff {
            @for line in lines {
                @match line.change {
                    Change::Same => span { "  " (line.text) "\n" },
                    Change::Gone => del { span.hidden { (ask.t("list.line_gone")) } "- " (line.text) "\n" },
                    Change::New => ins { span.hidden { (ask.t("list.line_new")) } "+ " (line.text) "\n" },
                }
            }
        }
    }
}
