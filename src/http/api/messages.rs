//! Owns: messages: search, a message's whole way, what an operator may do about it, or about many.

use serde_json::{Value, json};

use super::operation::{act, change};
use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::messages;
use crate::admin::messages::retry::{self, Picked};
use crate::admin::{AdminError, shape};
use crate::domain::admin::Role;
use crate::ops::messages::{CancelMessage, ResendMessage, SettleMessage};
use crate::store::walk::Found;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/messages", Role::Viewer, list),
    endpoint("POST", "/messages/retry", Role::Operator, retry_many),
    endpoint("GET", "/messages/:id", Role::Viewer, show),
    act::<ResendMessage>("/messages/:id/resend"),
    change::<CancelMessage>("/messages/:id/cancel"),
    change::<SettleMessage>("/messages/:id/settle"),
];

/// A page of a list that may have looked through a part only.
#[must_use]
pub fn page<T>(found: &Found<T>, one: impl Fn(&T) -> Value) -> Value {
    json!({
        "items": found.items.iter().map(one).collect::<Vec<_>>(),
        "next": found.next.as_ref().map(ToString::to_string),
        "looked_until": found.looked_until.map(|at| at.to_string()),
    })
}

fn list(call: Call) -> Answering {
    Box::pin(async move {
        let get = |name: &str| call.query.get(name).map(str::to_owned);
        let search = call.desk.message_search(&get, call.limit()?).await?;
        Ok(page(&messages::list(&call.desk, &search).await?, shape::message))
    })
}

fn show(call: Call) -> Answering {
    Box::pin(async move {
        let whole = messages::whole(&call.desk, messages::id(call.param(0))?).await?;
        Ok(shape::message_and_heirs(&whole))
    })
}

/// A yes or no of the body; missing is no.
fn flag(call: &Call, name: &str) -> Result<bool, AdminError> {
    match &call.body[name] {
        Value::Null => Ok(false),
        value => value.as_bool().ok_or_else(|| AdminError::invalid(name, "must be true or false")),
    }
}

fn retry_many(call: Call) -> Answering {
    Box::pin(async move {
        let picked = picked(&call).await?;
        let (dry_run, twice) = (flag(&call, "dry_run")?, flag(&call, "twice")?);
        if dry_run {
            return Ok(shape::plan(&retry::plan(&call.desk, &picked).await?));
        }
        Ok(shape::report(&retry::retry(&call.desk, &call.who, &picked, twice).await?))
    })
}

/// The messages that the body names: by `ids`, or by a `search` with the list's parameters.
async fn picked(call: &Call) -> Result<Picked, AdminError> {
    match (&call.body["ids"], &call.body["search"]) {
        (Value::Array(ids), Value::Null) => {
            let ids: Option<Vec<_>> = ids.iter().map(|id| messages::id(id.as_str()?).ok()).collect();
            ids.map(Picked::Ids).ok_or_else(|| AdminError::invalid("ids", "must be ids of messages"))
        }
        (Value::Null, Value::Object(search)) => {
            let text = |name: &str| match search.get(name)? {
                Value::String(text) => Some(text.clone()),
                Value::Null => None,
                other => Some(other.to_string()),
            };
            Ok(Picked::All(Box::new(call.desk.message_search(&text, 0).await?)))
        }
        _ => Err(AdminError::invalid("ids", "give `ids`, or a `search`")),
    }
}
