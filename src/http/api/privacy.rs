//! Owns: how long history is kept, who may be written to, and one client's data, for programs.

use serde_json::{Value, json};

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::consent::Standing;
use crate::admin::{AdminError, clients, consent, retention};
use crate::domain::admin::Role;
use crate::domain::consent::How;
use crate::domain::phone::E164;
use crate::store::consent::Word;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/retention", Role::Viewer, kept),
    endpoint("GET", "/consent", Role::Viewer, look),
    endpoint("POST", "/consent", Role::Operator, set),
    endpoint("GET", "/clients/:id/data", Role::Administrator, export),
    endpoint("POST", "/clients/:id/erase", Role::Administrator, erase),
];

fn kept(call: Call) -> Answering {
    Box::pin(async move {
        let all = retention::all(&call.desk, &call.who).await?;
        let items: Vec<Value> = all
            .iter()
            .map(|one| {
                let standing = &one.standing;
                json!({
                    "kind": one.kind.code(), "setting": one.setting, "kept_days": one.kept.map(|kept| kept.as_hours() / 24),
                    "rows": one.rows, "oldest": standing.oldest.map(|at| at.to_string()),
                    "overdue_rows": standing.overdue, "pruned_rows": standing.pruned_rows,
                    "pruned_at": standing.pruned_at.map(|at| at.to_string()),
                })
            })
            .collect();
        Ok(json!({ "items": items }))
    })
}

/// How a number stands, for programs. `whole`: the caller may see it.
#[must_use]
pub fn standing_json(one: &Standing, whole: bool) -> Value {
    let shown = |phone: &E164| if whole { phone.as_str().to_owned() } else { phone.masked() };
    json!({
        "contact_id": one.contact,
        "phone": one.phone.as_ref().ok().map(shown),
        "reason": one.phone.as_ref().err().map(|reason| reason.code()),
        "may_be_written_to": one.may_be_written_to(),
        "refused": one.refused.iter().map(|class| class.code()).collect::<Vec<_>>(),
        "opted_out": one.word().map(|word| word.said.opted_out),
        "at": one.word().map(|word| word.said.at.to_string()),
        "evidence": one.word().filter(|_| whole).map(|word| word.evidence.clone()),
        "statements": one.words.iter().map(|word| word_json(word, whole)).collect::<Vec<_>>(),
    })
}

fn word_json(word: &Word, whole: bool) -> Value {
    json!({
        "class": word.said.scope.code(), "opted_out": word.said.opted_out, "at": word.said.at.to_string(),
        "how": word.how.map(How::code), "evidence": Some(&word.evidence).filter(|_| whole),
    })
}

fn look(call: Call) -> Answering {
    Box::pin(async move {
        let found = match (call.query.get("phone"), call.number("client")?) {
            (Some(phone), _) => vec![consent::of_phone(&call.desk, &call.who, phone).await?],
            (None, Some(client)) => consent::of_client(&call.desk, &call.who, client).await?,
            (None, None) => return Err(AdminError::invalid("phone", "give `phone` or `client`")),
        };
        let whole = call.who.may(Role::Operator);
        Ok(json!({ "items": found.iter().map(|one| standing_json(one, whole)).collect::<Vec<_>>() }))
    })
}

fn set(call: Call) -> Answering {
    Box::pin(async move {
        let out = call.body["opted_out"]
            .as_bool()
            .ok_or_else(|| AdminError::invalid("opted_out", "must be true or false"))?;
        let one = consent::set(&call.desk, &call.who, call.text("phone")?, out, call.text("why")?).await?;
        Ok(standing_json(&one, true))
    })
}

fn export(call: Call) -> Answering {
    Box::pin(async move { clients::export(&call.desk, &call.who, call.id(0, "client")?).await })
}

fn erase(call: Call) -> Answering {
    Box::pin(async move {
        let client = call.id(0, "client")?;
        let erased = clients::erase(&call.desk, &call.who, client, call.text("confirm")?).await?;
        Ok(erased_json(&erased))
    })
}

/// What was erased, for programs.
#[must_use]
pub fn erased_json(erased: &clients::Erased) -> Value {
    json!({
        "cancelled": erased.cancelled, "messages": erased.messages, "events": erased.events, "skips": erased.skips,
        "decisions": erased.decisions, "exceptions": erased.exceptions,
    })
}
