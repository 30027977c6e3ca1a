//! Owns: a test of a text: to one number, typed by whoever tests. It goes the way of every message (lane, pace, receipts) under
//! the name of the hookpoint [`TEST`], so that no list takes it for an alert.

use jiff::SignedDuration;
use uuid::Uuid;

use super::{Key, Present, is_move};
use crate::admin::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::{Class, HookpointId, Subject, SubjectKind};
use crate::domain::ids::{ClientId, EventId, MessageId};
use crate::domain::message::Message;
use crate::domain::phone::{E164, normalize};
use crate::render::sample;
use crate::store::trail::{self, MessageFilter, MessageTrail};
use crate::store::{audit, finish, test_message};

/// The hookpoint that test messages are filed under. No alert has this name.
pub const TEST: &str = "test";
/// Tests of one person in [`WINDOW`].
pub const TESTS_MAX: usize = 5;
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// A test that could not be sent by then is not wanted any more.
const LIFE: SignedDuration = SignedDuration::from_mins(10);
const ACTION: &str = "template.test";

/// Sends the text in force, filled with samples, to `to` as it was typed.
///
/// # Errors
/// The role; no text; no number; too many tests within an hour; a database.
pub async fn send(desk: &Desk, who: &Who, key: &Key, to: &str) -> Result<MessageId, AdminError> {
    desk.require(who, Role::Operator)?;
    let present = Present::of(desk).await?;
    let hookpoint = present.hookpoint(&key.alert)?;
    let policy = desk.config.alerts.phone_policy();
    let phone = normalize(to, "", &present.platform.default_country, &policy)
        .map_err(|error| AdminError::invalid("to", error.to_string()))?
        .e164;
    let values = sample::values_for(hookpoint.subject, is_move(hookpoint), key.locale, &present.platform);
    let rendered = present
        .templates
        .render(&key.alert, key.locale, &values, &present.platform.system_url)
        .map_err(|error| AdminError::Conflict(error.to_string()))?;
    let _one_at_a_time = desk.shelf.tests.lock().await;
    within_the_limit(desk, who).await?;
    let message = message(desk, key, phone, rendered)?;
    let detail = format!("to {}, message {}", message.to, message.id);
    let record = desk.record(who, ACTION, (key.name(), Some(detail)), false);
    // Behind every alert: a test can wait.
    test_message::queue(&desk.store, &message, finish::priority(Class::Notice), &record).await?;
    Ok(message.id)
}

async fn within_the_limit(desk: &Desk, who: &Who) -> Result<(), AdminError> {
    let filter = audit::Filter {
        actor: Some(who.name.clone()),
        action: Some(ACTION.to_owned()),
        limit: TESTS_MAX,
        ..audit::Filter::default()
    };
    let latest = audit::list(&desk.store, &filter).await?;
    let many = latest.len() == TESTS_MAX && latest.iter().all(|one| desk.now().duration_since(one.at) < WINDOW);
    if many { Err(AdminError::Conflict("templates.many_tests".to_owned())) } else { Ok(()) }
}

fn message(desk: &Desk, key: &Key, to: E164, rendered: crate::render::Rendered) -> Result<Message, AdminError> {
    let id = MessageId(Uuid::now_v7());
    let internal = || AdminError::Internal("a test message has no name".to_owned());
    let now = desk.now();
    Ok(Message {
        id,
        event_id: EventId::parse(&format!("test-{id}")).ok_or_else(internal)?,
        hookpoint: HookpointId::parse(TEST).ok_or_else(internal)?,
        subject: Subject { kind: SubjectKind::Client, id: 0 },
        client_id: ClientId(0),
        contact_id: None,
        user_id: None,
        wait: None,
        print: rendered.print,
        to,
        locale: key.locale,
        // It is about no client whose account could be looked at again.
        class: Class::Security,
        lane: desk.config.alerts.sender.clone(),
        call: rendered.call,
        free_form: None,
        text: rendered.text,
        queued_at: now,
        expires_at: now + LIFE,
    })
}

/// How a test stands.
///
/// # Errors
/// There is no such test; the database.
pub async fn standing(desk: &Desk, id: &str) -> Result<MessageTrail, AdminError> {
    let id = MessageId::parse(id).ok_or(AdminError::NotFound("test"))?;
    let filter = MessageFilter { id: Some(id), limit: 1, ..MessageFilter::default() };
    let found = trail::messages(&desk.store, &filter).await?.pop();
    found.filter(|message| message.hookpoint == TEST).ok_or(AdminError::NotFound("test"))
}
