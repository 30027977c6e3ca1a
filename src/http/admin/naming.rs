//! Owns: how clients and the platform's rows are called on pages, and where they are at the platform: `Lucía Fernández · #1`,
//! `Factura FC-0001-00000112`.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::ask::Ask;
use crate::admin::names::{self, Names};
use crate::domain::hookpoint::{Subject, SubjectKind};

/// Where a row is in the platform's administration; `None`: nobody said where that is.
#[must_use]
pub fn platform_link(ask: &Ask, subject: Subject, client: u64) -> Option<String> {
    let base = ask.desk.config.billing.admin_url.trim_end_matches('/');
    if base.is_empty() {
        return None;
    }
    let id = subject.id;
    let path = match subject.kind {
        SubjectKind::Client => format!("clientssummary.php?userid={id}"),
        SubjectKind::Contact => format!("clientscontacts.php?userid={client}&contactid={id}"),
        SubjectKind::Invoice => format!("invoices.php?action=edit&id={id}"),
        SubjectKind::Service | SubjectKind::Cancellation => format!("clientsservices.php?userid={client}&id={id}"),
        SubjectKind::Domain => format!("clientsdomains.php?userid={client}&id={id}"),
        SubjectKind::Quote => format!("quotes.php?action=manage&id={id}"),
        SubjectKind::Ticket => format!("supporttickets.php?action=view&id={id}"),
        SubjectKind::User => return None,
    };
    Some(format!("{base}/{path}"))
}

/// The arrow that leads to the platform, in a tab of its own.
#[must_use]
pub fn out(ask: &Ask, subject: Subject, client: u64) -> Markup {
    let label = ask.t("find.at_platform");
    html! {
        @if let Some(link) = platform_link(ask, subject, client) {
            " " a.out href=(link) target="_blank" rel="noopener noreferrer" title=(label) {
                span aria-hidden="true" { "↗" } span.hidden { (label) }
            }
        }
    }
}

/// What the rows and clients of a page are called: one read of each kind.
pub async fn of_page(
    ask: &Ask,
    clients: impl IntoIterator<Item = u64>,
    subjects: impl IntoIterator<Item = Option<Subject>>,
) -> Names {
    let clients = clients.into_iter().map(|id| Subject { kind: SubjectKind::Client, id });
    let all: BTreeSet<Subject> = clients.chain(subjects.into_iter().flatten()).collect();
    names::names(&ask.desk, &ask.who, all).await
}

/// A client: the name with the number, which leads to the platform.
#[must_use]
pub fn client(ask: &Ask, names: &Names, id: u64) -> Markup {
    let subject = Subject { kind: SubjectKind::Client, id };
    html! {
        @if id == 0 { "–" } @else {
            span.called {
                @match names.client(id) {
                    Some(name) => { bdi { (name) } " · #" (id) }
                    None => (ask.tf("messages.client_n", &[("id", &id)])),
                }
                (out(ask, subject, id))
            }
        }
    }
}

/// A row that something is about: `Factura FC-0001-00000112`. `client` is whose it is.
#[must_use]
pub fn about(ask: &Ask, names: &Names, text: &str, client: u64) -> Markup {
    let Some(subject) = Subject::parse(text) else { return html! { span.mono { (text) } } };
    if subject.id == 0 {
        return html! { "–" };
    }
    html! { span.called { (title(ask, names, subject)) (out(ask, subject, client)) } }
}

/// The same without a link.
#[must_use]
pub fn title(ask: &Ask, names: &Names, subject: Subject) -> Markup {
    let kind = ask.t(match subject.kind {
        SubjectKind::Client => "find.one_client",
        SubjectKind::User => "find.one_user",
        SubjectKind::Contact => "find.one_contact",
        SubjectKind::Invoice => "find.one_invoice",
        SubjectKind::Service => "find.one_service",
        SubjectKind::Cancellation => "find.one_cancellation",
        SubjectKind::Quote => "find.one_quote",
        SubjectKind::Domain => "find.one_domain",
        SubjectKind::Ticket => "find.one_ticket",
    });
    html! { (kind) " " @match names.of(subject) { Some(name) => bdi { (name) }, None => { "#" (subject.id) } } }
}
