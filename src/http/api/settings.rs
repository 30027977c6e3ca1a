//! Owns: settings: numbers, holds, sources, people, tokens, audit log.

use serde_json::json;

use super::operation::{act, change, read};
use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::log;
use crate::domain::admin::Role;
use crate::ops::holds::{DiscardHold, ListHolds, PostponeHold, ReleaseHold};
use crate::ops::numbers::{ListNumbers, PauseNumber, ResumeNumber, SetPace};
use crate::ops::people::{
    CreateAdministrator, DisableAdministrator, DropFactor, EnableAdministrator, ListAdministrators, RenewCodes,
    SetPassword, SetRole, UnlockAdministrator,
};
use crate::ops::restored::{DiscardRestored, ReleaseRestored, SayRestored, ShowRestored};
use crate::ops::sources::{EndSecret, ForgetStub, ListSources, RotateSecret};
use crate::ops::tokens::{CreateToken, EndToken, ListTokens};
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
    read::<ListAdministrators>("/administrators"),
    change::<CreateAdministrator>("/administrators"),
    change::<SetRole>("/administrators/:name/role"),
    of_others(change::<SetPassword>("/administrators/:name/password")),
    change::<DisableAdministrator>("/administrators/:name/disable"),
    change::<EnableAdministrator>("/administrators/:name/enable"),
    of_others(change::<DropFactor>("/administrators/:name/drop-factor")),
    change::<UnlockAdministrator>("/administrators/:name/unlock"),
    of_others(change::<RenewCodes>("/administrators/:name/recovery-codes")),
    read::<ListTokens>("/tokens"),
    change::<CreateToken>("/tokens"),
    change::<EndToken>("/tokens/:id/end"),
    endpoint("GET", "/log", Role::Viewer, list_log),
];

/// What anybody may do to their own account in person: no program does.
const fn of_others(endpoint: Endpoint) -> Endpoint {
    Endpoint { role: Role::Administrator, ..endpoint }
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
