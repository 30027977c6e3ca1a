//! Owns: settings: numbers, holds, sources, people, tokens, audit log.

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::operation::{change, read};
use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::holds::{MINUTES, Word};
use crate::admin::{AdminError, factor, holds, log, numbers, people, restored, token};
use crate::domain::admin::Role;
use crate::domain::hookpoint::HookpointId;
use crate::domain::ids::ClientId;
use crate::ops::sources::{EndSecret, ForgetStub, ListSources, RotateSecret};
use crate::store::account::Account;
use crate::store::api_token::ApiToken;
use crate::store::audit::Filter;
use crate::store::hold::{Hold, Scope};

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/numbers", Role::Viewer, list_numbers),
    endpoint("POST", "/numbers/:name/pause", Role::Operator, pause),
    endpoint("POST", "/numbers/:name/resume", Role::Operator, resume),
    endpoint("POST", "/numbers/:name/pace", Role::Administrator, pace),
    endpoint("GET", "/holds", Role::Viewer, list_holds),
    endpoint("POST", "/holds/:hookpoint/go", Role::Operator, |call| answer(call, "go")),
    endpoint("POST", "/holds/:hookpoint/drop", Role::Operator, |call| answer(call, "drop")),
    endpoint("POST", "/holds/:hookpoint/later", Role::Operator, |call| answer(call, "later")),
    endpoint("GET", "/restored", Role::Viewer, restored_state),
    endpoint("POST", "/restored/say", Role::Operator, |call| restored_answer(call, "say")),
    endpoint("POST", "/restored/release", Role::Operator, |call| restored_answer(call, "release")),
    endpoint("POST", "/restored/discard", Role::Operator, |call| restored_answer(call, "discard")),
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
    endpoint("GET", "/tokens", Role::Administrator, list_tokens),
    endpoint("POST", "/tokens", Role::Administrator, create_token),
    endpoint("POST", "/tokens/:id/end", Role::Administrator, end_token),
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

fn list_numbers(call: Call) -> Answering {
    Box::pin(async move {
        let all = numbers::all(&call.desk).await?;
        let items = all.iter().map(number_json).collect::<Vec<_>>();
        Ok(json!({ "items": items }))
    })
}

/// A number for programs.
#[must_use]
pub fn number_json(one: &numbers::Standing) -> Value {
    json!({
        "name": one.name, "paused_until": one.pause.as_ref().map(|pause| pause.until.to_string()),
        "why": one.pause.as_ref().map(|pause| pause.detail.clone()), "per_second": one.pace,
        "per_second_max": one.pace_max, "recipients_minute": one.recent, "recipients_day": one.day,
        "recipients_day_max": one.day_max, "owner": one.owner, "queued": one.queued, "held": one.held,
        "sending": one.sending, "unknown": one.unknown,
    })
}

fn pause(call: Call) -> Answering {
    Box::pin(async move {
        let minutes = number(&call, "minutes")?.unwrap_or(0);
        let until = numbers::pause(&call.desk, &call.who, call.param(0), minutes, call.text("why")?).await?;
        Ok(json!({ "paused_until": until.to_string() }))
    })
}

fn resume(call: Call) -> Answering {
    Box::pin(async move {
        numbers::resume(&call.desk, &call.who, call.param(0)).await?;
        Ok(json!({}))
    })
}

fn pace(call: Call) -> Answering {
    Box::pin(async move {
        let per_second = number(&call, "per_second")?;
        numbers::set_pace(&call.desk, &call.who, call.param(0), per_second).await?;
        Ok(json!({ "per_second": per_second }))
    })
}

fn list_holds(call: Call) -> Answering {
    Box::pin(async move {
        let all = holds::all(&call.desk).await?;
        Ok(json!({ "items": all.iter().map(hold_json).collect::<Vec<_>>() }))
    })
}

/// Held alerts for programs.
#[must_use]
pub fn hold_json(hold: &Hold) -> Value {
    json!({
        "hookpoint": hold.hookpoint.as_str(), "client_id": hold.client_id.map(|id| id.0), "state": hold.state.code(),
        "since": hold.since.to_string(), "until": hold.until.map(|until| until.to_string()),
        "alerts": hold.counted, "allowed": hold.allowed,
    })
}

fn answer(call: Call, word: &'static str) -> Answering {
    Box::pin(async move {
        let hookpoint = HookpointId::parse(call.param(0)).ok_or(AdminError::NotFound("hold"))?;
        let client_id = number(&call, "client_id")?.map(|id| ClientId(id.into()));
        let minutes = number(&call, "minutes")?.unwrap_or(MINUTES);
        let word = match word {
            "go" => Word::Go(minutes),
            "later" => Word::Later(minutes),
            _ => Word::Drop,
        };
        let count = holds::answer(&call.desk, &call.who, &Scope { hookpoint, client_id }, word).await?;
        Ok(json!({ "messages": count }))
    })
}

fn restored_state(call: Call) -> Answering {
    Box::pin(async move {
        let state = restored::state(&call.desk).await?;
        let at = state.watch.restored_at.map(|at| at.to_string());
        Ok(json!({ "restored_at": at, "sign": state.watch.sign, "held": state.waiting }))
    })
}

fn restored_answer(call: Call, word: &'static str) -> Answering {
    Box::pin(async move {
        let messages = match word {
            "say" => restored::say(&call.desk, &call.who).await?,
            "release" => restored::release(&call.desk, &call.who).await?,
            _ => restored::discard(&call.desk, &call.who).await?,
        };
        Ok(json!({ "messages": messages }))
    })
}

fn list_people(call: Call) -> Answering {
    Box::pin(async move {
        let all = people::all(&call.desk).await?;
        Ok(json!({ "items": all.iter().map(person_json).collect::<Vec<_>>() }))
    })
}

/// An administrator for programs: nothing of his secrets but that they are there.
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

fn list_tokens(call: Call) -> Answering {
    Box::pin(async move {
        let all = token::all(&call.desk, &call.who).await?;
        Ok(json!({ "items": all.iter().map(token_json).collect::<Vec<_>>() }))
    })
}

/// A token for programs, without what it is.
#[must_use]
pub fn token_json(one: &ApiToken) -> Value {
    json!({
        "id": one.id, "name": one.name, "role": one.role.code(), "made_at": one.made_at.to_string(),
        "made_by": one.made_by, "used_at": one.used_at.map(|at| at.to_string()),
        "until": one.until.map(|at| at.to_string()), "ended_at": one.ended_at.map(|at| at.to_string()),
    })
}

fn create_token(call: Call) -> Answering {
    Box::pin(async move {
        let days = number(&call, "days")?;
        if days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return Err(AdminError::invalid("days", "tokens.days_bad"));
        }
        let until = days.map(|days| call.desk.now() + SignedDuration::from_hours(24 * i64::from(days)));
        let made = token::create(&call.desk, &call.who, call.text("name")?, role(&call)?, until).await?;
        Ok(json!({ "token": made.expose_secret() }))
    })
}

fn end_token(call: Call) -> Answering {
    Box::pin(async move {
        token::end(&call.desk, &call.who, call.id(0, "token")?).await?;
        Ok(json!({}))
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
