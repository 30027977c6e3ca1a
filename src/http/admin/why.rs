//! Owns: why a client got nothing: one line for each event of those days and each recipient.

use jiff::civil::Date;
use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get};
use super::layout::{self, Tone, badge, field, nothing, state};
use crate::admin::why::{self, Line, Outcome, Person, Untold};
use crate::admin::{AdminError, Mistake};
use crate::billing::find::Found;
use crate::domain::admin::Role;
use crate::domain::hookpoint::Subject;

const HERE: &str = "/admin/why";

/// The addresses.
pub const PAGES: &[Page] = &[get("/why", Role::Viewer, |ask| Box::pin(async move { show(&ask).await }))];

/// What was asked: the days are today's unless others are given.
struct Wish {
    client: Option<u64>,
    from: Date,
    to: Date,
    mistakes: Vec<Mistake>,
}

fn wish(ask: &Ask) -> Wish {
    let mut mistakes = Vec::new();
    let today = ask.desk.now().to_zoned(ask.desk.zone()).date();
    let mut day = |name: &str, otherwise: Date| match ask.query.get(name).map(str::parse::<Date>) {
        None => otherwise,
        Some(Ok(day)) => day,
        Some(Err(_)) => {
            mistakes.push(Mistake::new(name, "messages.moment_bad"));
            otherwise
        }
    };
    let from = day("from", today);
    let to = day("to", from.max(today));
    let client = ask.query.number("client").unwrap_or_else(|mistake| {
        mistakes.push(Mistake::new("who", mistake.text.as_str()));
        None
    });
    Wish { client, from, to, mistakes }
}

async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let mut wish = wish(ask);
    let who = ask.query.get("who");
    let mut found = Found::default();
    if let (None, Some(words)) = (wish.client, who) {
        found = why::find(&ask.desk, words, ask.query.number("before").unwrap_or(None)).await?;
        found.clients = ask.desk.shown(&ask.who, found.clients);
        // One of a part of them may not be the only one.
        if let ([one], None) = (found.clients.as_slice(), found.rest) {
            wish.client = Some(one.id.0);
        }
    }
    let answer = match wish.client {
        Some(client) if wish.mistakes.is_empty() => match why::days(client, wish.from, wish.to) {
            Ok(days) => Some((client, ask.desk.shown_answer(&ask.who, why::answer(&ask.desk, days).await?))),
            Err(AdminError::Invalid(more)) => {
                wish.mistakes.extend(more);
                None
            }
            Err(other) => return Err(other),
        },
        _ => None,
    };
    let title = ask.t("why.title");
    let body = html! {
        h1 { (title) }
        p { (ask.t("why.intro")) }
        (form(ask, &wish))
        @if let Some((client, answer)) = &answer {
            (told(ask, *client, answer))
        } @else if who.is_some() && wish.client.is_none() {
            (which(ask, &wish, &found, who.unwrap_or_default()))
        }
    };
    if wish.mistakes.is_empty() { Answer::page(HERE, title, body) } else { Answer::again(HERE, title, body) }
}

fn form(ask: &Ask, wish: &Wish) -> Markup {
    let who = ask.query.get("who").map(str::to_owned).or_else(|| wish.client.map(|id| id.to_string()));
    let day = |name: &str, day: Date| {
        let typed = ask.query.get(name).map_or_else(|| day.to_string(), str::to_owned);
        html! { input id=(name) name=(name) type="date" required value=(typed); }
    };
    html! {
        form.search method="get" action=(HERE) role="search" {
            (field(ask, &wish.mistakes, "who", ask.t("why.who"), Some(ask.t("why.who_hint")), html! {
                input id="who" name="who" maxlength="100" required value=(who.unwrap_or_default());
            }))
            (field(ask, &wish.mistakes, "from", ask.t("why.from"), None, day("from", wish.from)))
            (field(ask, &wish.mistakes, "to", ask.t("why.to"), None, day("to", wish.to)))
            button.main type="submit" { (ask.t("why.ask")) }
        }
    }
}

/// The clients that the words may mean.
fn which(ask: &Ask, wish: &Wish, found: &Found, words: &str) -> Markup {
    let further = |before: u64| {
        let (before, from, to) = (before.to_string(), wish.from.to_string(), wish.to.to_string());
        let pairs = [("who", words), ("from", &from), ("to", &to), ("before", &before)];
        format!("{HERE}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    };
    html! {
        @if let Some(rest) = found.rest {
            p.notice.waiting role="status" {
                (ask.tf("why.partly", &[("id", &rest)])) " " a href=(further(rest)) { (ask.t("why.further")) }
            }
        }
        @if found.clients.is_empty() {
            @if found.rest.is_none() { (nothing(ask.t("why.nobody"))) }
        } @else {
            section.card {
                h2 { (ask.t("why.which")) }
                ul.plain { @for one in &found.clients {
                    li {
                        a href={ (HERE) "?client=" (one.id.0) "&from=" (wish.from) "&to=" (wish.to) } {
                            (one.id.0) " · " bdi { (one.name) } @if !one.company.is_empty() { " · " bdi { (one.company) } }
                        }
                        " " small { bdi { (one.email) } }
                    }
                } }
            }
        }
    }
}

fn told(ask: &Ask, client: u64, answer: &why::Answer) -> Markup {
    html! {
        @if answer.is_cut { p.notice.waiting role="status" { (ask.t("why.cut")) } }
        section.card {
            h2 { (ask.t("why.now")) }
            @if let Some(himself) = &answer.client {
                ul.plain {
                    @for one in std::iter::once(himself).chain(&answer.contacts) { li { (person(ask, client, one)) } }
                }
            } @else { p { (ask.t("why.no_client")) } }
            p { a href={ "/admin/rules/decisions?client=" (client) } { (ask.t("rule.all_of_client")) } }
        }
        section.card {
            h2 { (ask.t("why.events")) }
            @if answer.lines.is_empty() { (nothing(ask.t("why.none"))) } @else { (events(ask, &answer.lines)) }
        }
        @if !answer.untold.is_empty() {
            section.card {
                h2 { (ask.t("why.untold")) }
                ul.plain { @for one in &answer.untold { li { (untold(ask, one)) } } }
            }
        }
    }
}

fn person(ask: &Ask, client: u64, one: &Person) -> Markup {
    let role = match one.contact_id {
        None => ask.tf("messages.client_n", &[("id", &client)]),
        Some(id) => ask.tf("messages.contact_n", &[("id", &id)]),
    };
    html! {
        bdi { (one.name) } " " small { (role) }
        @if let Some(to) = &one.to_masked { " · " bdi.mono { (to) } }
        " "
        @match one.obstacle {
            None if one.undeliverable => (badge(Tone::Bad, ask.t("phones.problem_undeliverable"))),
            None => (badge(Tone::Good, ask.t("form.yes"))),
            Some(reason) => { (badge(Tone::Bad, ask.t("form.no"))) " " (reason_words(ask, reason.code())) }
        }
    }
}

fn reason_words(ask: &Ask, code: &str) -> String {
    ask.localizer.known(&format!("reason.{code}")).map_or_else(|| code.to_owned(), str::to_owned)
}

fn events(ask: &Ask, lines: &[Line]) -> Markup {
    html! {
        div.scroll { table.cards {
            thead { tr {
                th scope="col" { (ask.t("messages.when")) }
                th scope="col" { (ask.t("messages.event")) }
                th scope="col" { (ask.t("why.person")) }
                th scope="col" { (ask.t("messages.hookpoint")) }
                th scope="col" { (ask.t("messages.state")) }
                th scope="col" { (ask.t("messages.why")) }
            } }
            tbody { @for line in lines {
                @if line.outcomes.is_empty() {
                    tr {
                        (event(ask, line))
                        td data-label=(ask.t("why.person")) { "–" }
                        td data-label=(ask.t("messages.hookpoint")) { "–" }
                        td data-label=(ask.t("messages.state")) { (state(ask, &line.state)) }
                        td data-label=(ask.t("messages.why")) {
                            @if line.state == "received" { (ask.t("why.nothing_came")) } @else { "–" }
                        }
                    }
                }
                @for one in &line.outcomes { tr { (event(ask, line)) (outcome(ask, one)) } }
            } }
        } }
    }
}

fn event(ask: &Ask, line: &Line) -> Markup {
    html! {
        td.nowrap data-label=(ask.t("messages.when")) { (ask.time(line.at)) }
        td data-label=(ask.t("messages.event")) {
            @if line.hook.is_empty() { span.mono { (line.event_id) } } @else {
                a href={ "/admin/events/" (line.event_id) } { (line.hook) }
            }
        }
    }
}

fn outcome(ask: &Ask, one: &Outcome) -> Markup {
    let person = match (one.contact_id, one.message.as_ref()) {
        (Some(id), _) => ask.tf("messages.contact_n", &[("id", &id)]),
        (None, Some(message)) if message.user_id.is_some() => {
            ask.tf("subject.user", &[("id", &message.user_id.unwrap_or_default())])
        }
        // A reason of nobody in particular stopped it before anybody was chosen.
        (None, None) if one.skipped.as_ref().is_some_and(|skip| skip.client_id.is_none()) => "–".to_owned(),
        (None, _) => ask.t("why.himself").to_owned(),
    };
    html! {
        td data-label=(ask.t("why.person")) {
            span { (person) @if let Some(message) = &one.message { " " bdi.mono { (message.to.masked()) } } }
        }
        td data-label=(ask.t("messages.hookpoint")) {
            @match &one.hookpoint { Some(id) => { (layout::alert(ask, id)) }, None => "–" }
        }
        @if let Some(message) = &one.message {
            td data-label=(ask.t("messages.state")) {
                a href={ "/admin/messages/" (message.id) } { (state(ask, message.standing())) }
            }
            td data-label=(ask.t("messages.why")) {
                (cause(ask, message.reason.as_deref(), message.detail.as_deref()))
            }
        } @else {
            td data-label=(ask.t("messages.state")) { (state(ask, "skipped")) }
            td data-label=(ask.t("messages.why")) {
                (cause(ask, one.skipped.as_ref().map(|skip| skip.reason.as_str()),
                    one.skipped.as_ref().and_then(|skip| skip.detail.as_deref())))
            }
        }
    }
}

fn cause(ask: &Ask, reason: Option<&str>, detail: Option<&str>) -> Markup {
    html! {
        span {
            @match reason { Some(code) => (reason_words(ask, code)), None => "–" }
            @if let Some(detail) = detail { br; small { bdi { (detail) } } }
        }
    }
}

fn untold(ask: &Ask, one: &Untold) -> Markup {
    let mut about = subject(ask, one.subject);
    if let Some(id) = one.payment {
        about = ask.tf("why.payment", &[("id", &id), ("about", &about)]);
    }
    html! {
        (ask.time(one.at)) " · " code { (one.hookpoint) } " · "
        (ask.tf("why.untold_one", &[("about", &about)])) " "
        strong { (ask.t(&format!("why.{}", one.because))) }
    }
}

fn subject(ask: &Ask, subject: Subject) -> String {
    ask.tf(&format!("subject.{}", subject.kind), &[("id", &subject.id)])
}
