//! Owns: settings: numbers, holds, sources, people, tokens, audit log.

use secrecy::SecretString;
use serde_json::{Value, json};

use super::operation::{act, change, read};
use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::{AdminError, factor, log, people};
use crate::domain::admin::Role;
use crate::ops::holds::{DiscardHold, ListHolds, PostponeHold, ReleaseHold};
use crate::ops::numbers::{ListNumbers, PauseNumber, ResumeNumber, SetPace};
use crate::ops::restored::{DiscardRestored, ReleaseRestored, SayRestored, ShowRestored};
use crate::ops::sources::{EndSecret, ForgetStub, ListSources, RotateSecret};
use crate::ops::tokens::{CreateToken, EndToken, ListTokens};
use crate::store::account::Account;
use crate::store::audit::Filter;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    read::<ListNumbers>("/numbers"),
    change::<PauseNumber>("/numbers/:name/pause"),
    change::<ResumeNumber>("/numbers/:name/resume"),
    change::<SetPace>("/numbers/:name/pace"),
    read::<ListHolds>("/holds"),
    act::<ReleaseHold>("/holds/:hookpoint/go"),
    act::<DiscardHold>("/holds/:hookpoint/drop"),
    act::<PostponeHold>("/holds/:hookpoint/later"),
    read::<ShowRestored>("/restored"),
    act::<SayRestored>("/restored/say"),
    act::<ReleaseRestored>("/restored/release"),
    act::<DiscardRestored>("/restored/discard"),
    read::<ListSources>("/sources"),
    change::<RotateSecret>("/sources/:source/rotate"),
    change::<ForgetStub>("/sources/:source/forget"),
    change::<EndSecret>("/secrets/:id/end"),
    endpoint("GET", "/administrators", Role::Administrator, list_people),
    endpoint("POST", "/administrators", Role::Administrator, create_person),
    endpoint("POST", "/administrators/:name/role", Role::Administrator, set_role),
    endpoint("POST", "/administrators/:name/password", Role::Administrator, set_password),
    endpoint("POST", "/administrators/:name/disable", Role::Administrator, |call| set_disabled(call, true)),
    endpoint("POST", "/administrators/:name/enable", Role::Administrator, |call| set_disabled(call, false)),
    endpoint("POST", "/administrators/:name/drop-factor", Role::Administrator, drop_factor),
    endpoint("POST", "/administrators/:name/unlock", Role::Administrator, unlock),
    endpoint("POST", "/administrators/:name/recovery-codes", Role::Administrator, renew_codes),
    read::<ListTokens>("/tokens"),
    change::<CreateToken>("/tokens"),
    change::<EndToken>("/tokens/:id/end"),
    endpoint("GET", "/log", Role::Viewer, list_log),
];

/// A number of the body, if it is there.
pub(super) fn number(call: &Call, field: &str) -> Result<Option<u32>, AdminError> {
    match &call.body[field] {
        Value::Null => Ok(None),
        value => {
            let read = value.as_u64().and_then(|number| u32::try_from(number).ok());
            read.map(Some).ok_or_else(|| AdminError::invalid(field, "must be a whole number"))
        }
    }
}

fn role(call: &Call) -> Result<Role, AdminError> {
    Role::parse(call.text("role")?).ok_or_else(|| AdminError::invalid("role", "viewer, operator or administrator"))
}

fn list_people(call: Call) -> Answering {
    Box::pin(async move {
        let all = people::all(&call.desk).await?;
        Ok(json!({ "items": all.iter().map(person_json).collect::<Vec<_>>() }))
    })
}

/// An administrator for programs: no secrets, only that they are set.
#[must_use]
pub fn person_json(one: &Account) -> Value {
    json!({
        "name": one.name, "role": one.role.code(), "second_factor": one.totp_sealed.is_some(),
        "password": one.password_hash.is_some(), "disabled": one.disabled_at.is_some(),
        "created_at": one.created_at.to_string(), "created_by": one.created_by,
    })
}

fn create_person(call: Call) -> Answering {
    Box::pin(async move {
        let password = call.optional_text("password")?.map(SecretString::from);
        people::create(&call.desk, &call.who, call.text("name")?, role(&call)?, password.as_ref()).await?;
        Ok(json!({ "name": call.text("name")?.trim() }))
    })
}

async fn person(call: &Call) -> Result<Account, AdminError> {
    people::named(&call.desk, call.param(0)).await
}

fn set_role(call: Call) -> Answering {
    Box::pin(async move {
        people::set_role(&call.desk, &call.who, &person(&call).await?, role(&call)?).await?;
        Ok(json!({}))
    })
}

fn set_password(call: Call) -> Answering {
    Box::pin(async move {
        let password = SecretString::from(call.text("password")?);
        people::set_password(&call.desk, &call.who, &person(&call).await?, &password, b"").await?;
        Ok(json!({}))
    })
}

fn set_disabled(call: Call, disabled: bool) -> Answering {
    Box::pin(async move {
        people::set_disabled(&call.desk, &call.who, &person(&call).await?, disabled).await?;
        Ok(json!({}))
    })
}

fn drop_factor(call: Call) -> Answering {
    Box::pin(async move {
        people::drop_factor(&call.desk, &call.who, &person(&call).await?).await?;
        Ok(json!({}))
    })
}

fn unlock(call: Call) -> Answering {
    Box::pin(async move {
        people::unlock(&call.desk, &call.who, &person(&call).await?).await?;
        Ok(json!({}))
    })
}

fn renew_codes(call: Call) -> Answering {
    Box::pin(async move {
        let codes = factor::renew_codes(&call.desk, &call.who, &person(&call).await?).await?;
        Ok(json!({ "codes": codes.iter().map(secrecy::ExposeSecret::expose_secret).collect::<Vec<_>>() }))
    })
}

fn list_log(call: Call) -> Answering {
    Box::pin(async move {
        let text = |name: &str| call.query.get(name).map(str::to_owned);
        let filter = Filter {
            actor: text("actor"),
            action: text("action"),
            target: text("target"),
            before: call.number("before")?,
            limit: call.limit()?,
        };
        let (entries, next) = log::list(&call.desk, &filter).await?;
        let items = entries.iter().map(log::as_json).collect::<Vec<_>>();
        Ok(json!({ "items": items, "next": next.map(|id| id.to_string()) }))
    })
}
