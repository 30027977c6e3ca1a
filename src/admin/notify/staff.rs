//! Owns: notices to the staff's phones: messages like any other (number, pace, receipts), by a number that can send and that the
//! notice is not about.

use jiff::SignedDuration;
use uuid::Uuid;

use super::Overview;
use crate::admin::overview::need::{Kind, Value};
use crate::admin::templates::provider::{api, at_provider, forget};
use crate::admin::{AdminError, Desk, View};
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::{Class, HookpointId, Subject, SubjectKind};
use crate::domain::ids::{ClientId, EventId, MessageId};
use crate::domain::locale::Locale;
use crate::domain::message::{Message, Print};
use crate::domain::phone::E164;
use crate::notify::{Failure, Letter};
use crate::provider_texts::notice_definition;
use crate::render::notice;
use crate::signature::sha256;
use crate::store::{StoreError, finish, test_message};

/// The hookpoint that notices to the staff are filed under. No alert has this name.
pub const STAFF: &str = "staff_notice";
/// A notice that could not be sent by then is sent again with what holds then.
const LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The number that may carry a notice now: the first configured one that sends, and that no need is about.
pub(super) fn number<'a>(view: &'a View, overview: &Overview) -> Option<&'a str> {
    let config = &view.config;
    let wanted = &config.notify.whatsapp.senders;
    let main = &config.alerts.sender;
    let rest = config.senders.keys().filter(|name| *name != main);
    let all: Vec<&String> =
        if wanted.is_empty() { std::iter::once(main).chain(rest).collect() } else { wanted.iter().collect() };
    let is_named = |name: &str| {
        overview.needs.iter().any(|need| {
            let about =
                |(field, value): &(&'static str, Value)| *field == "lane" && *value == Value::Text(name.to_owned());
            matches!(need.kind, Kind::Stopped | Kind::OutboxOld | Kind::NearLimit) && need.values.iter().any(about)
        })
    };
    let sends = |name: &str| overview.numbers.iter().any(|one| one.name == name && one.stopped.is_none());
    all.into_iter().map(String::as_str).find(|name| sends(name) && !is_named(name))
}

/// Queues `letter` for each phone. The ids follow from the notice's: what was queued by a try before is there already.
pub(super) async fn queue(
    view: &View,
    letter: &Letter,
    overview: &Overview,
) -> Result<Result<(), Failure>, StoreError> {
    let Some(lane) = number(view, overview) else {
        return Ok(Err(Failure::new("no sending number can carry it: each is stopped, or the notice is about it")));
    };
    let now = view.clock.now();
    for to in &view.config.notify.whatsapp.to {
        let Some(message) = message(view, lane, to, letter) else { continue };
        match test_message::queue_notice(&view.store, &message, finish::priority(Class::Security), now).await {
            Err(error) if error.is_duplicate() => {}
            other => other?,
        }
    }
    Ok(Ok(()))
}

fn message(view: &View, lane: &str, to: &str, letter: &Letter) -> Option<Message> {
    let to = E164::trusted(to)?;
    let id = MessageId(of_phone(letter.id, &to));
    let locale = view.config.notify.locale();
    let (call, text) = notice::call(locale, &letter.line);
    let now = view.clock.now();
    Some(Message {
        id,
        event_id: EventId::parse(&format!("notice-{id}"))?,
        hookpoint: HookpointId::parse(STAFF)?,
        subject: Subject { kind: SubjectKind::Client, id: 0 },
        client_id: ClientId(0),
        contact_id: None,
        user_id: None,
        wait: None,
        print: Print::default(),
        to,
        locale,
        // It is about no client whose account could be looked at again.
        class: Class::Security,
        lane: lane.to_owned(),
        call,
        free_form: None,
        text,
        queued_at: now,
        expires_at: now + LIFE,
    })
}

/// The id of the message to one phone: of the notice's time, and always the same.
fn of_phone(notice: Uuid, to: &E164) -> Uuid {
    let (time, _) = notice.as_bytes().split_at(6);
    let millis = time.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let print = sha256(format!("{notice}\n{}", to.as_str()).as_bytes());
    let mut rest = [0; 10];
    rest.copy_from_slice(&print[..10]);
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// Makes the text of notices at the provider, or replaces the one that is there. Returns its state.
///
/// # Errors
/// The role; the provider refuses (a conflict that says why); the database.
pub async fn submit_text(desk: &Desk, who: &Who, locale: Locale) -> Result<String, AdminError> {
    desk.require(who, Role::Administrator)?;
    forget(desk);
    let known = at_provider(desk).await;
    if let Some(error) = &known.1.error {
        return Err(AdminError::Conflict(error.clone()));
    }
    let (api, sender) = api(desk)?;
    let definition = notice_definition(locale);
    let known = known.1.known(notice::NAME, locale);
    // What is done at the provider can be in no transaction of ours: the log says before that it is asked, and after what it said.
    let note =
        async |what: String| desk.note(who, "notice.text", notice::NAME, Some(&format!("{locale}: {what}"))).await;
    note("asks to create or edit".to_owned()).await?;
    let answered = match known {
        Some(known) if known.body == definition.body => Ok(known.status.clone()),
        Some(known) => api.edit_template(&known.id, &definition).await.map(|()| known.status.clone()),
        None => api.create_template(&sender.waba_id, &definition).await.map(|made| made.status),
    };
    note(answered.as_ref().map_or_else(ToString::to_string, Clone::clone)).await?;
    let state = answered.map_err(|error| AdminError::Conflict(error.to_string()))?;
    forget(desk);
    Ok(state)
}

/// How the text of notices stands at the provider, in words of its own; an error says why that is not known.
///
/// # Errors
/// The provider's list is not there.
pub async fn text_at_provider(desk: &Desk, locale: Locale) -> Result<Option<String>, String> {
    let known = at_provider(desk).await;
    match &known.1.error {
        Some(error) => Err(error.clone()),
        None => Ok(known.1.known(notice::NAME, locale).map(|one| one.status.clone())),
    }
}
