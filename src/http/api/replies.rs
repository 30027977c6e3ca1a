//! Owns: what clients answered, for programs.

use serde_json::{Value, json};

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::{AdminError, replies};
use crate::domain::admin::Role;
use crate::domain::consent::Meaning;
use crate::store::replies::{ReplyFilter, ReplyLine, Seen};

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/replies", Role::Viewer, list),
    endpoint("POST", "/replies/:id/seen", Role::Operator, |call| seen(call, Seen::One)),
    endpoint("POST", "/replies/:id/all-seen", Role::Operator, |call| seen(call, Seen::UpTo)),
];

/// A reply for programs. `whole`: the caller may see who wrote what.
#[must_use]
pub fn reply_json(one: &ReplyLine, whole: bool) -> Value {
    let number = one.from.as_ref().map(|from| if whole { from.as_str().to_owned() } else { from.masked() });
    let user = one.user_id.as_ref().map(|user| if whole { user.as_str().to_owned() } else { user.masked() });
    json!({
        "id": one.id, "at": one.at.to_string(), "sender": one.lane, "phone": number, "user_id": user, "client_id": one.client_id,
        "message_id": one.message_id.map(|id| id.to_string()), "hookpoint": one.hookpoint, "kind": one.kind,
        "text": Some(&one.text).filter(|_| whole), "meaning": one.meaning.code(), "matched": one.matched,
        "confirmation_id": one.confirmation_id.map(|id| id.to_string()), "unconfirmed": one.outcome,
        "seen_at": one.seen_at.map(|at| at.to_string()), "seen_by": one.seen_by,
    })
}

fn list(call: Call) -> Answering {
    Box::pin(async move {
        let meaning = match call.query.get("meaning") {
            None => None,
            Some(code) => Some(Meaning::parse(code).ok_or_else(|| {
                AdminError::invalid("meaning", "must be opt_out, opt_in, security_only, near or other")
            })?),
        };
        let unseen = match call.query.get("unseen") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(AdminError::invalid("unseen", "must be true or false")),
        };
        let filter = ReplyFilter {
            unseen,
            meaning,
            client_id: call.number("client")?,
            before: call.number("before")?,
            limit: call.limit()?,
        };
        let (all, next) = replies::list(&call.desk, &call.who, &filter).await?;
        let whole = call.who.may(Role::Operator);
        Ok(json!({ "items": all.iter().map(|one| reply_json(one, whole)).collect::<Vec<_>>(), "next": next }))
    })
}

fn seen(call: Call, which: fn(u64) -> Seen) -> Answering {
    Box::pin(async move {
        let id = call.id(0, "reply")?;
        let read = replies::seen(&call.desk, &call.who, which(id)).await?;
        Ok(json!({ "read": read }))
    })
}
