//! Owns: how a text is read as a number, and numbers that clients gave up.

use maud::{Markup, html};

use super::ask::{Answer, Answering, Ask, Page, get, post};
use super::layout::{field, nothing};
use crate::admin::number::{self, Given, WHY_CHARS_MAX};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::phone::{Explained, PhoneError, Tried, Written};

const READ: &str = "/admin/phones/read";
const MOVED: &str = "/admin/phones/moved";

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/phones/read", Role::Viewer, |ask| Box::pin(async move { shown(&ask, &[], None) })),
    post("/phones/read", Role::Viewer, read),
    get("/phones/moved", Role::Viewer, |ask| Box::pin(async move { moved(&ask, &[]).await })),
    post("/phones/moved", Role::Operator, answer),
];

/// A text is sent in the form's body, not in the address: it is somebody's number.
fn read(ask: Ask) -> Answering {
    Box::pin(async move {
        let (text, country) = (ask.form.text("text"), ask.form.text("country"));
        match number::read(&ask.desk, &ask.who, text, country).await {
            Ok((explained, _)) => shown(&ask, &[], Some(&explained)),
            Err(AdminError::Invalid(mistakes)) => shown(&ask, &mistakes, None),
            Err(error) => Err(error),
        }
    })
}

fn shown(ask: &Ask, mistakes: &[Mistake], explained: Option<&Explained>) -> Result<Answer, AdminError> {
    let body = html! {
        (back(ask))
        h1 { (ask.t("phones.read_title")) }
        p { (ask.t("phones.read_about")) }
        (form(ask, mistakes))
        @if let Some(explained) = explained { (outcome(ask, explained)) }
    };
    Answer::page("/admin/phones", ask.t("phones.read_title"), body)
}

fn back(ask: &Ask) -> Markup {
    html! { p { a href="/admin/phones" { "‹ " (ask.t("phones.title")) } } }
}

fn form(ask: &Ask, mistakes: &[Mistake]) -> Markup {
    ask.form_to(
        READ,
        html! {
            (field(ask, mistakes, "text", ask.t("phones.read_text"), None,
                html! { input id="text" name="text" autocomplete="off" required value=(ask.form.text("text")); }))
            (field(ask, mistakes, "country", ask.t("phones.read_country"), Some(ask.t("phones.read_country_hint")),
                html! { input id="country" name="country" maxlength="2" autocomplete="off" value=(ask.form.text("country")); }))
            button.main type="submit" { (ask.t("phones.read_button")) }
        },
    )
}

fn outcome(ask: &Ask, explained: &Explained) -> Markup {
    html! {
        section.card {
            @match &explained.result {
                Ok(phone) => {
                    h2 { (ask.t("phones.read_sent")) " " bdi.mono { (phone.e164.as_str()) } }
                    p {
                        @match phone.assumed() {
                            None => (ask.t("phones.read_certain")),
                            Some(guess) => {
                                strong { (ask.t("phones.read_assumed")) } " " (ask.t(&format!("phones.guess_{guess}")))
                            }
                        }
                    }
                }
                Err(error) => {
                    h2 { (ask.t("phones.read_nothing")) }
                    p { (failed(ask, *error)) }
                }
            }
        }
        @if !explained.numbers.is_empty() {
            h2 { (ask.t("phones.read_tried")) }
            div.scroll tabindex="0" {
                table.cards {
                    thead { tr {
                        th scope="col" { (ask.t("phones.read_digits")) }
                        th scope="col" { (ask.t("phones.read_how")) }
                        th scope="col" { (ask.t("phones.country")) }
                        th scope="col" { (ask.t("phones.read_number")) }
                    } }
                    tbody {
                        @for one in &explained.numbers {
                            @if let Some(flaw) = one.flaw {
                                tr {
                                    td data-label=(ask.t("phones.read_digits")) { bdi.mono { (one.digits) } }
                                    td data-label=(ask.t("phones.read_how")) { "-" }
                                    td data-label=(ask.t("phones.country")) { "-" }
                                    td data-label=(ask.t("phones.read_number")) { (failed(ask, flaw)) }
                                }
                            }
                            @for tried in &one.tried { (row(ask, one, tried)) }
                        }
                    }
                }
            }
        }
    }
}

fn row(ask: &Ask, one: &Written, tried: &Tried) -> Markup {
    html! {
        tr {
            td data-label=(ask.t("phones.read_digits")) { bdi.mono { (one.digits) } }
            td data-label=(ask.t("phones.read_how")) { (ask.t(&format!("phones.how_{}", tried.how))) }
            td data-label=(ask.t("phones.country")) { (tried.country.as_deref().unwrap_or("-")) }
            td data-label=(ask.t("phones.read_number")) {
                span {
                    @match &tried.number {
                        Ok(found) => {
                            bdi.mono { (found.as_str()) }
                            br;
                            small { (ask.t(if tried.mobile { "phones.read_mobile" } else { "phones.read_other" })) }
                        }
                        Err(error) => (failed(ask, *error)),
                    }
                    @if tried.chosen && one.chosen { br; strong { (ask.t("phones.read_taken")) } }
                }
            }
        }
    }
}

/// Why a reading is no number, in the reader's language.
fn failed(ask: &Ask, error: PhoneError) -> String {
    let key = match error {
        PhoneError::NotMobile(unfit) => format!("phones.unfit_{unfit}"),
        other => format!("phones.error_{}", other.code()),
    };
    ask.t(&key).to_owned()
}

async fn moved(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let all = number::given_up(&ask.desk, &ask.who).await?;
    let body = html! {
        (back(ask))
        h1 { (ask.t("phones.moved_title")) }
        p { (ask.t("phones.moved_about")) }
        @if all.is_empty() { (nothing(ask.t("phones.moved_none"))) }
        @for (n, one) in all.iter().enumerate() { (card(ask, mistakes, n, one)) }
    };
    Answer::page("/admin/phones", ask.t("phones.moved_title"), body)
}

fn card(ask: &Ask, mistakes: &[Mistake], n: usize, one: &Given) -> Markup {
    let whole = ask.may(Role::Operator);
    let number = |phone: &crate::domain::phone::E164| if whole { phone.as_str().to_owned() } else { phone.masked() };
    let name = format!("why-{n}");
    let wrong = ask.mistake(mistakes, "why").filter(|_| ask.form.text("phone") == one.moved.from.as_str());
    html! {
        section.card {
            h2 {
                bdi.mono { (number(&one.moved.from)) } " → "
                @match &one.moved.to {
                    Some(to) => bdi.mono { (number(to)) },
                    None => (ask.t("phones.moved_unknown")),
                }
            }
            p { (ask.t("phones.moved_since")) " " (ask.time(one.moved.at)) }
            @if !one.clients.is_empty() {
                p {
                    (ask.t("phones.moved_clients"))
                    @for client in &one.clients { " " a href={ "/admin/why?client=" (client) } { (client) } }
                }
            }
            @if whole {
                @if !one.moved.noted {
                    (ask.form_to(MOVED, html! {
                        input type="hidden" name="phone" value=(one.moved.from.as_str());
                        button type="submit" name="do" value="note" { (ask.t("phones.moved_note")) }
                    }))
                }
                (ask.form_to(MOVED, html! {
                    input type="hidden" name="phone" value=(one.moved.from.as_str());
                    div.field.wrong[wrong.is_some()] {
                        label for=(name) { (ask.t("phones.moved_why")) }
                        input id=(name) name="why" maxlength=(WHY_CHARS_MAX) required;
                        @if let Some(wrong) = wrong { p.mistake role="alert" { (wrong) } }
                    }
                    button type="submit" name="do" value="unmark" data-ask=(ask.t("phones.moved_ask")) {
                        (ask.t("phones.moved_unmark"))
                    }
                }))
            }
        }
    }
}

fn answer(ask: Ask) -> Answering {
    Box::pin(async move {
        let phone = ask.form.text("phone");
        let done = match ask.form.text("do") {
            "note" => number::note(&ask.desk, &ask.who, phone).await.map(|()| "phone_noted"),
            "unmark" => {
                number::unmark(&ask.desk, &ask.who, phone, ask.form.text("why")).await.map(|()| "phone_unmarked")
            }
            _ => return Err(AdminError::invalid("do", "form.unknown")),
        };
        match done {
            Err(AdminError::Invalid(mistakes)) => moved(&ask, &mistakes).await,
            other => Answer::done(MOVED, other?),
        }
    })
}
