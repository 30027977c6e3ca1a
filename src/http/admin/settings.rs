//! Owns: settings: the index and the addresses. Each part is a file.

mod clients;
mod consent;
mod holds;
mod log;
mod notices;
mod numbers;
mod people;
mod restored;
mod retention;
mod sources;
mod tokens;

use maud::{Markup, html};

use super::ask::{Answer, Ask, Page, get, post};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;

const AT: &str = "/admin/settings";

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/settings", Role::Viewer, |ask| Box::pin(async move { index(&ask) })),
    get("/settings/numbers", Role::Viewer, |ask| Box::pin(async move { numbers::show(&ask, "", &[]).await })),
    post("/settings/numbers/:name/pause", Role::Operator, numbers::pause),
    post("/settings/numbers/:name/resume", Role::Operator, numbers::resume),
    post("/settings/numbers/:name/pace", Role::Administrator, numbers::pace),
    get("/settings/sources", Role::Viewer, |ask| Box::pin(async move { sources::show(&ask, "", &[]).await })),
    post("/settings/sources/:name/rotate", Role::Administrator, sources::rotate),
    post("/settings/sources/:name/forget", Role::Operator, sources::forget),
    post("/settings/secrets/:id/end", Role::Administrator, sources::end),
    get("/settings/people", Role::Administrator, |ask| Box::pin(async move { people::list(&ask, &[]).await })),
    post("/settings/people", Role::Administrator, people::create),
    get("/settings/people/:id", Role::Administrator, |ask| Box::pin(async move { people::show(&ask, &[]).await })),
    post("/settings/people/:id/role", Role::Administrator, people::role),
    post("/settings/people/:id/password", Role::Administrator, people::password),
    post("/settings/people/:id/disable", Role::Administrator, people::disable),
    post("/settings/people/:id/enable", Role::Administrator, people::enable),
    post("/settings/people/:id/drop-factor", Role::Administrator, people::drop_factor),
    post("/settings/people/:id/unlock", Role::Administrator, people::unlock),
    get("/settings/tokens", Role::Administrator, |ask| Box::pin(async move { tokens::show(&ask, &[]).await })),
    post("/settings/tokens", Role::Administrator, tokens::create),
    post("/settings/tokens/:id/end", Role::Administrator, tokens::end),
    get("/settings/log", Role::Viewer, |ask| Box::pin(async move { log::show(&ask).await })),
    get("/settings/log/export", Role::Operator, |ask| Box::pin(async move { log::export(&ask).await })),
    get("/settings/notices", Role::Viewer, |ask| Box::pin(async move { notices::show(&ask, None).await })),
    post("/settings/notices/:channel/test", Role::Operator, notices::test),
    get("/settings/retention", Role::Viewer, |ask| Box::pin(async move { retention::show(&ask).await })),
    get("/settings/restored", Role::Viewer, restored::show),
    post("/settings/restored/:word", Role::Operator, restored::answer),
    get("/settings/clients", Role::Administrator, |ask| Box::pin(async move { clients::show(&ask, &[]).await })),
    get("/settings/clients/:id/export", Role::Administrator, clients::export),
    post("/settings/clients/:id/erase", Role::Administrator, clients::erase),
    get("/consent", Role::Viewer, |ask| Box::pin(async move { consent::show(&ask, &[]).await })),
    post("/consent", Role::Operator, consent::set),
    get("/holds", Role::Viewer, |ask| Box::pin(async move { holds::show(&ask, &[]).await })),
    post("/holds/:hookpoint/:word", Role::Operator, holds::answer),
];

/// The parts: address, key of its words, who sees it.
const PARTS: [(&str, &str, Role); 11] = [
    ("/admin/settings/numbers", "numbers", Role::Viewer),
    ("/admin/holds", "holds", Role::Viewer),
    ("/admin/settings/notices", "notices", Role::Viewer),
    ("/admin/settings/sources", "sources", Role::Viewer),
    ("/admin/settings/people", "people_page", Role::Administrator),
    ("/admin/settings/tokens", "tokens", Role::Administrator),
    ("/admin/consent", "consent", Role::Viewer),
    ("/admin/settings/clients", "clients", Role::Administrator),
    ("/admin/settings/retention", "kept", Role::Viewer),
    ("/admin/settings/restored", "restored", Role::Viewer),
    ("/admin/settings/log", "log", Role::Viewer),
];

fn index(ask: &Ask) -> Result<Answer, AdminError> {
    let body = html! {
        h1 { (ask.t("settings.title")) }
        div.columns.even {
            @for (path, part, role) in PARTS {
                @if ask.may(role) {
                    section.card {
                        h2 { a href=(path) { (ask.t(&format!("{part}.title"))) } }
                        p { (ask.t(&format!("{part}.about"))) }
                    }
                }
            }
        }
    };
    Answer::page(AT, ask.t("settings.title"), body)
}

/// The head of a part, with the way back.
fn head(ask: &Ask, part: &str) -> Markup {
    html! {
        p { a href=(AT) { "‹ " (ask.t("settings.title")) } }
        h1 { (ask.t(&format!("{part}.title"))) }
        p.soft { (ask.t(&format!("{part}.about"))) }
    }
}

/// The page, or the page again with what is wrong.
fn shown(ask: &Ask, part: &str, mistakes: &[Mistake], body: Markup) -> Result<Answer, AdminError> {
    let title = ask.t(&format!("{part}.title")).to_owned();
    if mistakes.is_empty() { Answer::page(AT, title, body) } else { Answer::again(AT, title, body) }
}

/// A select of a role.
fn role_select(ask: &Ask, id: &str, chosen: Role) -> Markup {
    html! {
        select id=(id) name="role" {
            @for role in Role::ALL {
                option value=(role.code()) selected[*role == chosen] { (ask.t(&format!("role.{role}"))) }
            }
        }
    }
}

/// Something that is shown this once.
fn once(ask: &Ask, secret: &str) -> Markup {
    html! {
        p.notice.waiting role="status" { (ask.t("settings.once")) }
        p { code.secret { (secret) } }
    }
}
