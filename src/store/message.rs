//! Owns: reading messages back as they were queued.

use std::collections::HashMap;

use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::outbox::{hex_list, message_id};
use super::pool::bounded;
use super::row::Reader;
use super::{Store, StoreError};
use crate::domain::hookpoint::{Class, HookpointId, Subject};
use crate::domain::ids::{ClientId, ContactId, EventId, MessageId, UserId};
use crate::domain::locale::Locale;
use crate::domain::message::{FreeForm, Message, Parameters, Print, TemplateCall};
use crate::domain::phone::E164;
use crate::sql::Inconsistent;

/// The messages `ids`, in the order asked for.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn load(store: &Store, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
    Ok(load_each(store, ids).await?.into_iter().map(|(_, read)| read).collect::<Result<_, _>>()?)
}

/// The messages `ids` that exist, in the order asked for, each read on its own.
///
/// # Errors
/// The database.
pub async fn load_each(
    store: &Store,
    ids: &[MessageId],
) -> Result<Vec<(MessageId, Result<Message, Inconsistent>)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT id, event_id, hookpoint, subject, client_id, contact_id, user_id, recipient, locale, class, lane, \
             template, language, parameters, body, created_at, expires_at FROM message WHERE id IN ({})",
            hex_list(ids)
        );
        let rows: Vec<Row> = connection.query(sql).await?;
        let mut found: HashMap<MessageId, Result<Message, Inconsistent>> = HashMap::with_capacity(rows.len());
        for row in &rows {
            let id = message_id(&Reader::new("message", row, ""), "id")?;
            found.insert(id, message(row, id));
        }
        Ok(ids.iter().filter_map(|id| Some((*id, found.remove(id)?))).collect())
    })
    .await
}

fn message(row: &Row, id: MessageId) -> Result<Message, Inconsistent> {
    let reader = Reader::new("message", row, id.to_string());
    Ok(Message {
        id,
        event_id: reader.parse("event_id", EventId::parse)?,
        hookpoint: reader.parse("hookpoint", HookpointId::parse)?,
        subject: reader.parse("subject", Subject::parse)?,
        client_id: ClientId(reader.get("client_id")?),
        contact_id: reader.get::<Option<u64>>("contact_id")?.map(ContactId),
        user_id: reader.get::<Option<u64>>("user_id")?.map(UserId),
        to: reader.parse("recipient", E164::trusted)?,
        locale: reader.parse("locale", |code| Locale::ALL.into_iter().find(|locale| locale.code() == code))?,
        class: reader.parse("class", Class::parse)?,
        lane: reader.get("lane")?,
        call: TemplateCall {
            name: reader.get("template")?,
            language: reader.get("language")?,
            parameters: reader.parse("parameters", parameters)?,
            button: reader.parse("parameters", |text| Some(button(text)))?,
        },
        free_form: reader.parse("parameters", |text| Some(free_form(text)))?,
        text: reader.get("body")?,
        queued_at: reader.time("created_at")?,
        wait: None,
        print: Print::default(),
        expires_at: reader.time("expires_at")?,
    })
}

fn parameters(text: &str) -> Option<Parameters> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    if let Some(named) = json.get("named") {
        return serde_json::from_value(named.clone()).ok().map(Parameters::Named);
    }
    serde_json::from_value(json.get("body")?.clone()).ok().map(Parameters::Positional)
}

/// `{"body":[],"buttons":[["id","title"],…]}` of a message without a template.
fn free_form(text: &str) -> Option<FreeForm> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::from_value(json.get("buttons")?.clone()).ok().map(|buttons| FreeForm { buttons })
}

fn button(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    json.get("button")?.as_str().map(str::to_owned)
}
