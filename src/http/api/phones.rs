//! Owns: clients who cannot be alerted, how a text is read as a number, and numbers that were given up, for programs. Lists hold
//! ids and reasons, no names; a number only for who may see it.

use serde_json::{Value, json};

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::AdminError;
use crate::admin::number::{self, Given};
use crate::admin::phones::{Problem, page};
use crate::domain::admin::Role;
use crate::domain::phone::{E164, Explained, Guess, Label, Tried, Written};

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/phones", Role::Viewer, list),
    endpoint("POST", "/phones/read", Role::Viewer, read),
    endpoint("GET", "/phones/moved", Role::Viewer, moved),
    endpoint("POST", "/phones/moved/note", Role::Operator, |call| {
        Box::pin(async move {
            number::note(&call.desk, &call.who, call.text("phone")?).await?;
            Ok(json!({}))
        })
    }),
    endpoint("POST", "/phones/moved/unmark", Role::Operator, |call| {
        Box::pin(async move {
            number::unmark(&call.desk, &call.who, call.text("phone")?, call.text("why")?).await?;
            Ok(json!({}))
        })
    }),
];

fn list(call: Call) -> Answering {
    Box::pin(async move {
        let read = |code: &str| {
            let all = Problem::ALL.iter().map(|one| one.code()).collect::<Vec<_>>().join(", ");
            Problem::parse(code).ok_or_else(|| AdminError::invalid("reason", format!("must be one of {all}")))
        };
        let problem = call.query.get("reason").map(read).transpose()?;
        let after = call.number("before")?.unwrap_or(0);
        let page = page(&call.desk, &call.who, problem, after, call.limit()?).await?;
        let items: Vec<Value> = page
            .found
            .iter()
            .map(|one| {
                json!({ "client_id": one.client, "country": one.country, "reason": one.problem.code(), "why": one.why })
            })
            .collect();
        Ok(json!({ "items": items, "looked_at": page.looked, "next": page.next.map(|next| next.to_string()) }))
    })
}

fn read(call: Call) -> Answering {
    Box::pin(async move {
        let country = call.optional_text("country")?.unwrap_or_default();
        let (explained, company) = number::read(&call.desk, &call.who, call.text("text")?, country).await?;
        Ok(explained_json(&explained, country, &company))
    })
}

/// How a text was read, for programs.
#[must_use]
pub fn explained_json(one: &Explained, country: &str, company: &str) -> Value {
    let (phone, error) = (one.result.as_ref().ok(), one.result.as_ref().err());
    json!({
        "country": country.to_ascii_uppercase(), "company_country": company.to_ascii_uppercase(),
        "to": phone.map(|phone| phone.e164.as_str()),
        "certain": phone.map(|phone| phone.assumed().is_none()),
        "assumed": phone.and_then(|phone| Some(phone.assumed()?.code())),
        "assumed_why": phone.and_then(|phone| Some(phone.assumed()?.text())),
        "reason": error.map(|error| error.reason().code()),
        "error": error.map(|error| error.code()),
        "why": error.map(ToString::to_string),
        "numbers": one.numbers.iter().map(written_json).collect::<Vec<_>>(),
    })
}

fn written_json(one: &Written) -> Value {
    let label = match one.label {
        Label::None => None,
        Label::Mobile => Some("mobile"),
        Label::Landline => Some("landline"),
        Label::Fax => Some("fax"),
        Label::NoWhatsApp => Some("no_whatsapp"),
    };
    json!({
        "digits": one.digits, "label": label, "extension": one.extension, "chosen": one.chosen,
        "flaw": one.flaw.map(|flaw| flaw.to_string()), "readings": one.tried.iter().map(tried_json).collect::<Vec<_>>(),
    })
}

fn tried_json(one: &Tried) -> Value {
    json!({
        "how": one.how.code(), "how_text": one.how.text(), "country": one.country,
        "number": one.number.as_ref().ok().map(E164::as_str), "mobile": one.mobile,
        "assumed": one.assumed.map(Guess::code), "chosen": one.chosen,
        "why_not": one.number.as_ref().err().map(ToString::to_string),
    })
}

fn moved(call: Call) -> Answering {
    Box::pin(async move {
        let whole = call.who.may(Role::Operator);
        let all = number::given_up(&call.desk, &call.who).await?;
        Ok(json!({ "items": all.iter().map(|one| given_json(one, whole)).collect::<Vec<_>>() }))
    })
}

/// A number that was given up, for programs. `whole`: the caller may see it.
#[must_use]
pub fn given_json(one: &Given, whole: bool) -> Value {
    let shown = |phone: &E164| if whole { phone.as_str().to_owned() } else { phone.masked() };
    json!({
        "from": shown(&one.moved.from), "to": one.moved.to.as_ref().map(shown), "at": one.moved.at.to_string(),
        "noted": one.moved.noted, "client_ids": one.clients,
    })
}
