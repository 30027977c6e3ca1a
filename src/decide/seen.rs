//! Owns: the facts of a decision as they are kept beside it. Addresses, names and phones are not needed to understand it:
//! they stay out, or masked.

use serde_json::{Value as Json, json};

use super::answer::decimal;
use crate::domain::case::{Account, CancelRequest, Debt, Hosted, Plan};
use crate::domain::record::DomainName;

pub(super) fn service(service: Option<&Hosted>) -> Json {
    service.map_or(Json::Null, |one| {
        json!({
            "id": one.id.0, "client_id": one.client_id.0, "status": one.status, "product_id": one.product_id,
            "product": one.product, "cycle": one.cycle.map(crate::domain::case::Cycle::code),
            "recurring": decimal(one.recurring), "quantity": one.quantity,
            "next_due": one.next_due.map(|date| date.to_string()),
        })
    })
}

pub(super) fn account(account: Option<&Account>) -> Json {
    account.map_or(Json::Null, |one| {
        json!({
            "id": one.id.0, "status": format!("{:?}", one.status), "currency": one.currency.as_ref().map(|currency| &currency.code),
            "email": masked(&one.email),
            "owner_emails": one.owner_emails.iter().map(|email| masked(email)).collect::<Vec<_>>(),
        })
    })
}

pub(super) fn plan(plan: Option<&Plan>) -> Json {
    plan.map_or(Json::Null, |one| {
        let prices: serde_json::Map<String, Json> =
            one.prices.iter().map(|(cycle, price)| (cycle.code().to_owned(), json!(decimal(*price)))).collect();
        json!({ "product_id": one.product_id, "name": one.name, "prices": prices })
    })
}

pub(super) fn debts(debts: &[Debt]) -> Json {
    debts
        .iter()
        .map(|one| {
            json!({
                "id": one.id.0, "status": one.status, "due": one.due.map(|date| date.to_string()),
                "balance": decimal(one.balance),
            })
        })
        .collect()
}

pub(super) fn domain(domain: Option<&DomainName>) -> Json {
    domain.map_or(Json::Null, |one| {
        json!({
            "id": one.id.0, "client_id": one.client_id.0, "name": one.name, "status": one.status,
            "expires": one.expires.map(|date| date.to_string()),
        })
    })
}

pub(super) fn request(request: Option<&CancelRequest>) -> Json {
    request.map_or(
        Json::Null,
        |one| json!({ "id": one.id, "at": one.at.map(|at| at.to_string()), "type": one.kind.code() }),
    )
}

/// `lucia@correo.example` as `l•••@correo.example`.
pub(super) fn masked(email: &str) -> String {
    match email.trim().split_once('@') {
        Some((name, host)) => format!("{}•••@{host}", name.chars().next().unwrap_or('•')),
        None if email.trim().is_empty() => String::new(),
        None => "•••".to_owned(),
    }
}
