//! Owns: one client's data: what we hold, downloading it, erasing it.

use maud::{Markup, html};

use super::super::ask::{Answer, Answering, Ask};
use super::super::layout::field;
use super::{head, shown};
use crate::admin::clients::{self, Holding};
use crate::admin::{AdminError, Mistake};

const HERE: &str = "/admin/settings/clients";

pub(super) async fn show(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    let mut mistakes = mistakes.to_vec();
    let asked =
        if ask.params.is_empty() { ask.query.number("client") } else { ask.param(0).parse().map(Some).or(Ok(None)) };
    let client = match asked {
        Ok(client) => client,
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    };
    let holding = match client {
        Some(client) => Some(clients::holding(&ask.desk, &ask.who, client).await?),
        None => None,
    };
    let typed = client.map(|client| client.to_string());
    let body = html! {
        (head(ask, "clients"))
        form.search method="get" action=(HERE) {
            (field(ask, &mistakes, "client", ask.t("clients.client"), None, html! {
                input id="client" name="client" inputmode="numeric" autocomplete="off" required
                    value=(typed.as_deref().or(ask.query.get("client")).unwrap_or_default());
            }))
            button.main type="submit" { (ask.t("form.search")) }
        }
        @if let Some(holding) = &holding { (found(ask, &mistakes, holding)) }
    };
    shown(ask, "clients", &mistakes, body)
}

fn found(ask: &Ask, mistakes: &[Mistake], holding: &Holding) -> Markup {
    let client = holding.client;
    let shown = holding.kinds.iter().filter(|kind| !kind.rows.is_empty());
    let nothing = holding.kinds.iter().all(|kind| kind.rows.is_empty());
    html! {
        section.card {
            h2 { (ask.tf("clients.held", &[("client", &client)])) }
            @if nothing { p { (ask.t("clients.nothing")) } }
            ul.plain {
                @for kind in shown {
                    li {
                        (ask.t(&format!("clients.of_{}", kind.kind))) ": "
                        (ask.localizer.number(kind.rows.len() as u64)) @if kind.more { "+" }
                    }
                }
            }
            p { (ask.t("clients.export_about")) }
            a.button href={ (HERE) "/" (client) "/export" } { (ask.t("clients.export")) }
        }
        section.card.narrow {
            h2 { (ask.t("clients.erase_title")) }
            p { (ask.t("clients.erase_about")) }
            ul {
                @for what in ["goes", "stays", "wish", "platform"] { li { (ask.t(&format!("clients.{what}"))) } }
            }
            (ask.form_to(&format!("{HERE}/{client}/erase"), html! {
                (field(ask, mistakes, "confirm", &ask.tf("clients.confirm", &[("client", &client)]), None,
                    html! { input id="confirm" name="confirm" inputmode="numeric" autocomplete="off" required; }))
                button.danger type="submit" { (ask.t("clients.erase")) }
            }))
        }
    }
}

fn client(ask: &Ask) -> Result<u64, AdminError> {
    ask.param(0).parse().map_err(|_| AdminError::NotFound("client"))
}

pub(super) fn export(ask: Ask) -> Answering {
    Box::pin(async move {
        let client = client(&ask)?;
        let document = clients::export(&ask.desk, &ask.who, client).await?;
        let bytes = serde_json::to_vec_pretty(&document).map_err(|error| AdminError::Internal(error.to_string()))?;
        Ok(Answer::File { name: format!("client-{client}.json"), kind: "application/json", bytes })
    })
}

pub(super) fn erase(ask: Ask) -> Answering {
    Box::pin(async move {
        let client = client(&ask)?;
        match clients::erase(&ask.desk, &ask.who, client, ask.form.text("confirm")).await {
            Err(AdminError::Invalid(mistakes)) => show(&ask, &mistakes).await,
            other => {
                other?;
                Answer::done(&format!("{HERE}?client={client}"), "client_erased")
            }
        }
    })
}
