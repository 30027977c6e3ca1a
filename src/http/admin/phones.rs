//! Owns: clients who cannot be alerted.

use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get};
use super::layout::{following, nothing};
use super::naming;
use crate::admin::names::Names;
use crate::admin::phones::{self, Problem};
use crate::admin::reach::counted;
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;

/// Rows of a page.
const ROWS: usize = 50;

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/phones", Role::Viewer, |ask| Box::pin(async move { list(&ask).await })),
    get("/phones/counts", Role::Viewer, |ask| {
        Box::pin(async move {
            let body = counts(&ask).await?;
            if ask.htmx {
                return Ok(Answer::Part(body));
            }
            let title = ask.t("phones.counts").to_owned();
            Answer::page("/admin/phones", title.clone(), html! { h1 { (title) } (body) })
        })
    }),
    get("/phones/export", Role::Viewer, |ask| {
        Box::pin(async move {
            let problem = problem(&ask).map_err(|mistake| AdminError::Invalid(vec![mistake]))?;
            let bytes = phones::export(&ask.desk, &ask.who, problem).await?;
            Ok(Answer::File { name: "phones.csv".to_owned(), kind: "text/csv; charset=utf-8", bytes })
        })
    }),
];

fn problem(ask: &Ask) -> Result<Option<Problem>, Mistake> {
    let read = |code: &str| Problem::parse(code).ok_or_else(|| Mistake::new("reason", "form.unknown"));
    ask.query.get("reason").map(read).transpose()
}

async fn list(ask: &Ask) -> Result<Answer, AdminError> {
    let (problem, after) = match (problem(ask), ask.query.number("before")) {
        (Ok(problem), Ok(after)) => (problem, after.unwrap_or(0)),
        (Err(mistake), _) | (_, Err(mistake)) => return Err(AdminError::Invalid(vec![mistake])),
    };
    let page = phones::page(&ask.desk, &ask.who, problem, after, ROWS).await?;
    let export = problem.map_or_else(String::new, |problem| format!("?reason={problem}"));
    let names = naming::of_page(ask, page.found.iter().map(|one| one.client), []).await;
    let next = page.next.map(|next| next.to_string());
    let body = html! {
        h1 { (ask.t("phones.title")) }
        p { (ask.t("phones.about")) }
        section.card id="counts" hx-get="/admin/phones/counts" hx-trigger="load" {
            a href="/admin/phones/counts" { (ask.t("phones.count")) }
        }
        form.search method="get" action="/admin/phones" {
            div.field {
                label for="reason" { (ask.t("phones.reason")) }
                select id="reason" name="reason" {
                    option value="" { (ask.t("form.all")) }
                    @for one in Problem::ALL {
                        option value=(one) selected[problem == Some(*one)] { (words(ask, *one)) }
                    }
                }
            }
            button type="submit" { (ask.t("form.search")) }
            a.button href={ "/admin/phones/export" (export) } { (ask.t("phones.export")) }
            a.button href="/admin/consent" { (ask.t("consent.title")) }
            a.button href="/admin/phones/read" { (ask.t("phones.read_link")) }
            a.button href="/admin/phones/moved" { (ask.t("phones.moved_link")) }
        }
        @match &next {
            // Rows with a rare reason are far between: an empty part of the list goes on by itself.
            Some(next) if page.found.is_empty() => {
                div id="found" hx-get={ "/admin/phones?" (ask.query.with("before", next)) } hx-trigger="load"
                    hx-select="#found" hx-swap="outerHTML" {
                    (nothing(&ask.tf("phones.none_here", &[("n", &ask.localizer.number(page.looked))])))
                    (following(ask, "/admin/phones", Some(next)))
                }
            }
            next => div id="found" {
                @if page.found.is_empty() { (nothing(ask.t("phones.none"))) } @else { (table(ask, &page.found, &names)) }
                (following(ask, "/admin/phones", next.as_deref()))
            }
        }
    };
    Answer::page("/admin/phones", ask.t("phones.title"), body)
}

fn table(ask: &Ask, found: &[phones::Unreachable], names: &Names) -> Markup {
    let whole = ask.may(Role::Operator);
    html! {
        div.scroll tabindex="0" {
            table.cards {
                thead { tr {
                    th scope="col" { (ask.t("phones.client")) }
                    th scope="col" { (ask.t("phones.reason")) }
                    th scope="col" { (ask.t("phones.country")) }
                    @if whole { th scope="col" { (ask.t("phones.stored")) } }
                    th scope="col" { (ask.t("phones.look")) }
                } }
                tbody {
                    @for one in found {
                        tr {
                            td data-label=(ask.t("phones.client")) { (naming::client(ask, names, one.client)) }
                            td data-label=(ask.t("phones.reason")) {
                                span { (words(ask, one.problem)) br; small { (hint(ask, one.problem)) } }
                            }
                            td data-label=(ask.t("phones.country")) { (one.country) }
                            @if whole { td data-label=(ask.t("phones.stored")) { bdi.mono { (one.stored) } } }
                            td.nowrap data-label=(ask.t("phones.look")) {
                                span {
                                    a href={ "/admin/why?client=" (one.client) } { (ask.t("phones.why")) }
                                    " · "
                                    a href={ "/admin/messages?client=" (one.client) } { (ask.t("phones.messages")) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn words(ask: &Ask, problem: Problem) -> &'static str {
    ask.localizer.known(&format!("phones.problem_{problem}")).unwrap_or(problem.code())
}

/// What to do about it.
fn hint(ask: &Ask, problem: Problem) -> &'static str {
    ask.localizer.known(&format!("phones.hint_{problem}")).unwrap_or_default()
}

/// The sums over all clients: a walk over all of them, kept for some minutes.
async fn counts(ask: &Ask) -> Result<Markup, AdminError> {
    let kept = counted(&ask.desk).await?;
    let (at, reach) = &*kept;
    let number = |n: u64| ask.localizer.number(n);
    let counts = &reach.counts;
    Ok(html! {
        p {
            strong { (ask.tf("phones.sum", &[("n", &number(counts.reachable)), ("all", &number(counts.read - counts.closed))])) }
            " " (ask.tf("phones.sum_more", &[("guess", &number(counts.assumed)), ("closed", &number(counts.closed))]))
        }
        ul.plain {
            @for (reason, n) in &counts.unreachable {
                @let problem = Problem::parse(reason.code()).unwrap_or(Problem::Invalid);
                li {
                    a href={ "/admin/phones?reason=" (problem) } { (words(ask, problem)) } ": " (number(*n))
                }
            }
        }
        p.hint {
            (ask.tf("phones.counted", &[("ago", &ask.localizer.ago(*at, ask.desk.now()))]))
            @if !reach.complete { " " (ask.t("phones.incomplete")) }
        }
    })
}
