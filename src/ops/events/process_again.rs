//! `POST /events/:id/again`, `hookbridge events again`.

use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::ToSchema;

use super::AREA;
use crate::admin::{AdminError, events};
use crate::catalogue::Catalogue;
use crate::domain::admin::Role;
use crate::domain::hookpoint::{HookpointId, Subject, Transition};
use crate::domain::ids::EventId;
use crate::ops::{Change, Context, Done, Nothing, Operation};
use crate::store::{Tx, replay, trail};

/// Process an event again that failed. Whoever got its message the first time gets no other.
#[derive(Debug, Deserialize, ToSchema, clap::Args)]
pub struct ProcessAgain {
    /// The event's id.
    #[schema(min_length = 1, max_length = 64)]
    pub id: String,
}

/// A failed event, and the states that its first run may have moved.
#[derive(Debug)]
pub struct Failed {
    id: EventId,
    entered: Vec<(String, Subject)>,
}

impl Operation for ProcessAgain {
    const ID: &'static str = "event_again";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Operator;
    const CONFLICTS: bool = true;
    type Output = Nothing;
}

impl Change for ProcessAgain {
    type Prepared = Failed;

    async fn prepare(&self, context: Context<'_>) -> Result<Failed, AdminError> {
        let Context { desk, now, .. } = context;
        let id = events::id(&self.id)?;
        let event = trail::event(&desk.store, &id).await?.ok_or(AdminError::NotFound("event"))?;
        if event.state != "failed" {
            return Err(AdminError::Conflict("events.not_failed".to_owned()));
        }
        let age_max = SignedDuration::from_hours(desk.config.alerts.event_age_max_h.into());
        if now.duration_since(event.occurred_at) > age_max {
            return Err(AdminError::Conflict("reason.event_too_old".to_owned()));
        }
        Ok(Failed { id, entered: entered(&desk.catalogue.load(), &event.steps) })
    }

    async fn run(&self, tx: &mut Tx, context: Context<'_>, failed: &Failed) -> Result<Done<Nothing>, AdminError> {
        if !replay::again(tx, &failed.id, &failed.entered, context.now).await? {
            return Err(AdminError::Conflict("events.not_failed".to_owned()));
        }
        let (action, target) = ("event.again", failed.id.as_str().to_owned());
        Ok(Done { output: Nothing {}, action, target, detail: None, raises: false })
    }
}

/// Which states the first run may have moved, by its steps.
fn entered(catalogue: &Catalogue, steps: &str) -> Vec<(String, Subject)> {
    let steps: Vec<serde_json::Value> = serde_json::from_str(steps).unwrap_or_default();
    let of = |step: &serde_json::Value| {
        let hookpoint = HookpointId::parse(step["detail"]["hookpoint"].as_str()?)?;
        let subject = Subject::parse(step["detail"]["subject"].as_str()?)?;
        match &catalogue.entry(&hookpoint)?.hookpoint.transition {
            Transition::State { machine, .. } => Some((machine.clone(), subject)),
            _ => None,
        }
    };
    let mut all: Vec<(String, Subject)> = Vec::new();
    for one in steps.iter().filter_map(of) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
