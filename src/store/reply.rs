//! Owns: what clients wrote, and the confirmation that goes with it: both in one transaction, once for each message of the provider's.

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Transaction, Value};

use super::finish::{parameters_text, priority};
use super::outbox::{key, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, marks, transaction};
use super::{Store, StoreError};
use crate::domain::consent::Meaning;
use crate::domain::ids::{ClientId, ContactId, MessageId, ProviderUserId, UserId};
use crate::domain::locale::Locale;
use crate::domain::message::Message;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::domain::receipt::ReplyKind;
use crate::signature::sha256;

/// The alert that a reply answers.
#[derive(Clone, Debug)]
pub struct Answered {
    pub id: MessageId,
    pub to: E164,
    pub client_id: ClientId,
    pub contact_id: Option<ContactId>,
    pub user_id: Option<UserId>,
    pub locale: Locale,
}

const ANSWERED: &str = "SELECT id, recipient, client_id, contact_id, user_id, locale FROM message";

/// The message that the provider knows under `provider_id`.
///
/// # Errors
/// The database.
pub async fn by_provider_id(store: &Store, provider_id: &str) -> Result<Option<Answered>, StoreError> {
    one(store, format!("{ANSWERED} WHERE provider_id = ? LIMIT 1"), vec![cut(provider_id, 191).into()]).await
}

/// The last message to any of `numbers` before `before`.
///
/// # Errors
/// The database.
pub async fn last_to(store: &Store, numbers: &[E164], before: Timestamp) -> Result<Option<Answered>, StoreError> {
    if numbers.is_empty() {
        return Ok(None);
    }
    let mut values: Vec<Value> = numbers.iter().map(|one| Value::from(one.as_str())).collect();
    values.push(at(before));
    let list = marks(numbers.len());
    let sql =
        format!("{ANSWERED} WHERE recipient IN ({list}) AND created_at <= ? ORDER BY created_at DESC, id DESC LIMIT 1");
    one(store, sql, values).await
}

async fn one(store: &Store, sql: String, values: Vec<Value>) -> Result<Option<Answered>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let row: Option<Row> = connection.exec_first(sql, values).await?;
        let Some(row) = row else { return Ok(None) };
        let reader = Reader::new("message", &row, "");
        let answered = Answered {
            id: message_id(&reader, "id")?,
            to: reader.parse("recipient", E164::trusted)?,
            client_id: ClientId(reader.get("client_id")?),
            contact_id: reader.get::<Option<u64>>("contact_id")?.map(ContactId),
            user_id: reader.get::<Option<u64>>("user_id")?.map(UserId),
            locale: reader.parse("locale", |code| code.parse().ok())?,
        };
        Ok((!answered.to.is_erased()).then_some(answered))
    })
    .await
}

/// A reply that is to be kept.
#[derive(Clone, Debug)]
pub struct NewReply<'a> {
    pub provider_id: &'a str,
    pub lane: &'a str,
    pub at: Timestamp,
    pub from: Option<&'a E164>,
    pub user_id: Option<&'a ProviderUserId>,
    pub answered: Option<&'a Answered>,
    pub kind: ReplyKind,
    /// As the client sees it.
    pub text: &'a str,
    pub meaning: Meaning,
    /// Whether an alert of ours ever went to whoever wrote.
    pub matched: bool,
    /// Why a request is not confirmed; `None` where nothing is to be confirmed, or where it is.
    pub unconfirmed: Option<Reason>,
}

/// A confirmation, and what makes it the same as another.
#[derive(Clone, Debug)]
pub struct Confirming {
    pub message: Message,
    pub once: String,
}

/// Keeps a reply and queues its confirmation. A reply that is known changes nothing. Returns whether a confirmation was queued.
///
/// # Errors
/// The database; then the provider sends it again.
pub async fn keep(
    store: &Store,
    reply: &NewReply<'_>,
    confirming: Option<&Confirming>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    retried(|| keep_once(store, reply, confirming, now)).await
}

async fn keep_once(
    store: &Store,
    reply: &NewReply<'_>,
    confirming: Option<&Confirming>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    tx.exec_drop(
        "INSERT IGNORE INTO reply (provider_id, lane, at, received_at, recipient, user_id, message_id, client_id, kind, body, meaning, \
         matched, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        Params::Positional(vec![
            cut(reply.provider_id, 191).into(),
            reply.lane.into(),
            at(reply.at),
            at(now),
            reply.answered.map(|one| one.to.as_str()).or(reply.from.map(E164::as_str)).into(),
            reply.user_id.map(ProviderUserId::as_str).into(),
            reply.answered.map_or(Value::NULL, |one| key(one.id)),
            reply.answered.map(|one| one.client_id.0).into(),
            reply.kind.code().into(),
            reply.text.into(),
            reply.meaning.code().into(),
            reply.matched.into(),
            reply.unconfirmed.map(Reason::code).into(),
        ]),
    )
    .await?;
    let mut queued = false;
    if tx.affected_rows() == 1
        && let Some(confirming) = confirming
    {
        queued = queue(&mut tx, confirming, reply.at).await?;
        let outcome = (!queued).then(|| Reason::AlreadyConfirmed.code());
        let id = queued.then(|| confirming.message.id.0.as_bytes().to_vec());
        tx.exec_drop(
            "UPDATE reply SET outcome = ?, confirmation_id = ? WHERE provider_id = ?",
            (outcome, id, cut(reply.provider_id, 191)),
        )
        .await?;
    }
    tx.commit().await?;
    Ok(queued)
}

/// Queues a confirmation, unless the same was queued before.
async fn queue(tx: &mut Transaction<'_>, confirming: &Confirming, said_at: Timestamp) -> Result<bool, StoreError> {
    let m = &confirming.message;
    let dedupe = sha256(format!("confirmation\n{}", confirming.once).as_bytes());
    tx.exec_drop(
        "INSERT IGNORE INTO message (id, event_id, hookpoint, subject, client_id, contact_id, user_id, recipient, locale, class, lane, \
         template, language, parameters, body, dedupe_key, created_at, expires_at, state_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?, ?, ?, ?)",
        Params::Positional(vec![
            key(m.id),
            m.event_id.as_str().into(),
            m.hookpoint.as_str().into(),
            m.subject.to_string().into(),
            m.client_id.0.into(),
            m.contact_id.map(|id| id.0).into(),
            m.user_id.map(|id| id.0).into(),
            m.to.as_str().into(),
            m.locale.code().into(),
            m.class.code().into(),
            m.lane.as_str().into(),
            parameters_text(m).into(),
            m.text.as_str().into(),
            dedupe.as_slice().into(),
            at(m.queued_at),
            at(m.expires_at),
            at(m.queued_at),
        ]),
    )
    .await?;
    if tx.affected_rows() == 0 {
        return Ok(false);
    }
    tx.exec_drop(
        "INSERT INTO outbox (message_id, lane, priority, run_at, recipient, template, expires_at, hookpoint, client_id, event_at) \
         VALUES (?, ?, ?, ?, ?, '', ?, ?, ?, ?)",
        (
            key(m.id),
            m.lane.as_str(),
            priority(m.class),
            at(m.queued_at),
            m.to.as_str(),
            at(m.expires_at),
            m.hookpoint.as_str(),
            m.client_id.0,
            at(said_at),
        ),
    )
    .await?;
    Ok(true)
}
