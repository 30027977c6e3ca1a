//! Owns: the one transaction that ends an event's processing: its messages queued, its reasons written, the event moved from
//! the inbox to the record.
//! Either all of it is there, or nothing and the event is processed again.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Transaction, Value};

use super::hold::{self, Ceilings};
use super::inbox::{Claimed, NewEvent};
use super::pool::retried;
use super::row::{Reader, at, cut, filled, in_list, transaction};
use super::transition::{Key, States};
use super::{Store, StoreError, restored};
use crate::domain::event::{SCHEDULE, SWEEP};
use crate::domain::hookpoint::{Class, HookpointId, Subject};
use crate::domain::ids::{ClientId, ContactId, UserId};
use crate::domain::message::{Message, Parameters};
use crate::domain::reason::Reason;
use crate::road::{Step, mark};
use crate::signature::sha256;
use crate::sql::list;

/// What processing made of one event.
#[derive(Clone, Debug)]
pub struct Processed {
    pub claim: Claimed,
    /// True when something on our side went wrong: an operator should look.
    pub failed: bool,
    /// The steps taken, for people: JSON, without personal data.
    pub trail: String,
    pub alerts: Vec<Alert>,
    /// Reasons that concern the event as a whole.
    pub skips: Vec<Skip>,
}

/// What one hookpoint made of the event.
#[derive(Clone, Debug)]
pub struct Alert {
    pub hookpoint: HookpointId,
    pub subject: Subject,
    pub client_id: ClientId,
    pub once: Once,
    /// One per recipient; may be empty when only the state is to be remembered.
    pub messages: Vec<Message>,
}

/// What makes this alert the same as another.
#[derive(Clone, Debug)]
pub enum Once {
    Key(String),
    State {
        machine: String,
        to: String,
        /// When it is known to have been in another state.
        otherwise_at: Option<Timestamp>,
    },
}

/// Why a recipient, or a hookpoint, or an event got nothing.
#[derive(Clone, Debug)]
pub struct Skip {
    pub hookpoint: Option<HookpointId>,
    pub client_id: Option<ClientId>,
    pub contact_id: Option<ContactId>,
    pub reason: Reason,
    /// More words, without personal data.
    pub detail: Option<String>,
}

impl Skip {
    /// For one recipient, who would have got `message`.
    #[must_use]
    pub fn of(message: &Message, reason: Reason) -> Self {
        Self {
            hookpoint: Some(message.hookpoint.clone()),
            client_id: Some(message.client_id),
            contact_id: message.contact_id,
            reason,
            detail: message.user_id.map(login),
        }
    }
}

/// A login by its id, in the detail of a reason.
#[must_use]
pub fn login(user: UserId) -> String {
    format!("login {user}")
}

/// What [`finish`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    pub queued: usize,
    pub skipped: usize,
    pub failed: usize,
    /// Holds that began, because there were more alerts than usual.
    pub holds: usize,
}

/// What the company decided about repeats and masses.
#[derive(Clone, Debug)]
pub struct AlertLimits {
    /// The same state within this time is the platform repeating itself.
    pub same_transition: SignedDuration,
    pub ceilings: Ceilings,
}

/// How often a batch is looked at anew because another instance was faster. A key that stays in the way is an error.
const LOOKS: u32 = 10;

/// Ends the processing of a batch in one transaction.
///
/// # Errors
/// The database, or a claim that was lost meanwhile; then nothing of the batch was written.
pub async fn finish(
    store: &Store,
    batch: &[Processed],
    limits: &AlertLimits,
    now: Timestamp,
) -> Result<Finished, StoreError> {
    for _ in 1..LOOKS {
        match retried(|| finish_once(store, batch, limits, now)).await {
            // Another instance queued one of the messages in the meantime: look again.
            Err(error) if error.is_duplicate() => {}
            other => return other,
        }
    }
    retried(|| finish_once(store, batch, limits, now)).await
}

async fn finish_once(
    store: &Store,
    batch: &[Processed],
    limits: &AlertLimits,
    now: Timestamp,
) -> Result<Finished, StoreError> {
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    release_claims(&mut tx, batch).await?;
    let before = finished_before(&mut tx, batch).await?;
    let batch = &*without(batch, &before);

    let mut states = States::lock(&mut tx, &state_keys(batch), limits.same_transition).await?;
    let mut candidates: Vec<(usize, [u8; 32], &Message)> = Vec::new();
    let mut skips: Vec<(usize, Skip)> = Vec::new();
    for (index, processed) in batch.iter().enumerate() {
        skips.extend(processed.skips.iter().map(|skip| (index, skip.clone())));
        for alert in &processed.alerts {
            match transition_key(&mut states, alert, processed.claim.event.happened_at()) {
                Ok(key) => {
                    candidates.extend(alert.messages.iter().map(|m| (index, dedupe_key(m, &key), m)));
                }
                // Only the state was to be remembered; its reason is written already.
                Err(_) if alert.messages.is_empty() => {}
                Err(reason) => skips.push((index, skip_of(alert, None, reason))),
            }
        }
    }
    states.save(&mut tx).await?;

    let taken = existing(&mut tx, &candidates).await?;
    let mut seen = HashSet::new();
    let (fresh, repeated): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|(_, key, _)| !taken.contains(key) && seen.insert(*key));
    skips.extend(repeated.iter().map(|(index, _, message)| (*index, Skip::of(message, Reason::AlreadyQueued))));
    insert_messages(&mut tx, batch, &fresh).await?;
    let queued: Vec<&Message> = fresh.iter().map(|(_, _, message)| *message).collect();
    let holds = hold::watch(&mut tx, &queued, &limits.ceilings, now).await?;
    insert_skips(&mut tx, batch, &skips, now).await?;
    let mut finished = Finished { holds, ..close_events(&mut tx, batch, &fresh, now).await? };
    finished.skipped += before.len();
    mark(Step::Finishing);
    tx.commit().await?;
    mark(Step::Finished);
    Ok(finished)
}

/// Events of `batch` that have been finished under the same id. Ingest answers them as duplicates, but a worker may be
/// quicker to claim one than ingest to withdraw it. What was done once is not done again.
async fn finished_before(tx: &mut Transaction<'_>, batch: &[Processed]) -> Result<HashSet<String>, StoreError> {
    let ids: Vec<Value> = batch.iter().map(|processed| processed.claim.event.id.as_str().into()).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let (marks, ids) = in_list(ids);
    let sql = format!("SELECT id FROM event WHERE id IN ({marks})");
    let rows: Vec<Row> = tx.exec(sql, Params::Positional(ids)).await?;
    rows.iter().map(|row| Ok(Reader::new("event", row, "").get("id")?)).collect()
}

fn without<'a>(batch: &'a [Processed], before: &HashSet<String>) -> Cow<'a, [Processed]> {
    if before.is_empty() {
        return Cow::Borrowed(batch);
    }
    batch.iter().filter(|processed| !before.contains(processed.claim.event.id.as_str())).cloned().collect()
}

/// Gives up the claims, and so proves that they are still ours.
async fn release_claims(tx: &mut Transaction<'_>, batch: &[Processed]) -> Result<(), StoreError> {
    let Some(first) = batch.first() else { return Ok(()) };
    let seqs: Vec<u64> = batch.iter().map(|processed| processed.claim.seq).collect();
    let sql = format!("DELETE FROM inbox WHERE locked_by = ? AND seq IN ({})", list(seqs.iter().copied()));
    tx.query_drop(filled(&sql, &[first.claim.token.as_str().into()])).await?;
    let (expected, changed) = (seqs.len() as u64, tx.affected_rows());
    if changed == expected { Ok(()) } else { Err(StoreError::Guard { what: "finish an event", expected, changed }) }
}

fn state_keys(batch: &[Processed]) -> BTreeSet<Key> {
    let alerts = batch.iter().flat_map(|processed| &processed.alerts);
    alerts
        .filter_map(|alert| match &alert.once {
            Once::State { machine, .. } => Some((machine.clone(), alert.subject.to_string())),
            Once::Key(_) => None,
        })
        .collect()
}

fn transition_key(states: &mut States, alert: &Alert, when: Timestamp) -> Result<String, Reason> {
    match &alert.once {
        Once::Key(key) => Ok(key.clone()),
        Once::State { machine, to, otherwise_at } => {
            let epoch = states.enter(&(machine.clone(), alert.subject.to_string()), to, when, *otherwise_at)?;
            Ok(format!("{machine}#{epoch}"))
        }
    }
}

/// Same hookpoint, subject, transition and recipient: the same message.
fn dedupe_key(message: &Message, transition: &str) -> [u8; 32] {
    let parts = [message.hookpoint.as_str(), &message.subject.to_string(), transition, message.to.as_str()];
    sha256(parts.join("\n").as_bytes())
}

fn skip_of(alert: &Alert, contact_id: Option<ContactId>, reason: Reason) -> Skip {
    Skip {
        hookpoint: Some(alert.hookpoint.clone()),
        client_id: Some(alert.client_id),
        contact_id,
        reason,
        detail: None,
    }
}

async fn existing(
    tx: &mut Transaction<'_>,
    candidates: &[(usize, [u8; 32], &Message)],
) -> Result<HashSet<[u8; 32]>, StoreError> {
    if candidates.is_empty() {
        return Ok(HashSet::new());
    }
    let keys: Vec<String> = candidates.iter().map(|(_, key, _)| format!("x'{}'", crate::signature::hex(key))).collect();
    // One statement sees one moment: a key that is just being pruned is in one of the two.
    let keys = keys.join(",");
    let sql = format!(
        "SELECT dedupe_key FROM message WHERE dedupe_key IN ({keys}) \
         UNION ALL SELECT dedupe_key FROM dedupe WHERE dedupe_key IN ({keys})"
    );
    let rows: Vec<Row> = tx.query(sql).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("message", row, "");
            Ok(reader.get::<Vec<u8>>("dedupe_key")?.try_into().map_err(|_| reader.bad("dedupe_key"))?)
        })
        .collect()
}

async fn insert_messages(
    tx: &mut Transaction<'_>,
    batch: &[Processed],
    fresh: &[(usize, [u8; 32], &Message)],
) -> Result<(), StoreError> {
    if fresh.is_empty() {
        return Ok(());
    }
    let restored_at = restored::watched(tx).await?;
    tx.exec_batch(
        "INSERT INTO message (id, event_id, hookpoint, subject, client_id, contact_id, user_id, recipient, locale, class, \
         lane, template, language, parameters, body, dedupe_key, created_at, expires_at, state_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        fresh.iter().map(|(_, key, m)| {
            mysql_async::Params::Positional(vec![
                m.id.0.as_bytes().into(),
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
                m.call.name.as_str().into(),
                m.call.language.as_str().into(),
                parameters_text(m).into(),
                m.text.as_str().into(),
                key.as_slice().into(),
                at(m.queued_at),
                at(m.expires_at),
                at(m.queued_at),
            ])
        }),
    )
    .await?;
    tx.exec_batch(
        "INSERT INTO outbox (message_id, lane, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
         event_at, language, wording, facts, state, waiting_for) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        fresh.iter().map(|(index, _, m)| {
            // What may have been sent before the schema was restored waits for an operator.
            let repeated = restored_at.is_some_and(|restored| known_at(&batch[*index].claim.event) <= restored);
            let waits_for = if repeated { Some(Reason::Restored) } else { m.wait.map(|(_, reason)| reason) };
            mysql_async::Params::Positional(vec![
                m.id.0.as_bytes().into(),
                m.lane.as_str().into(),
                priority(m.class).into(),
                at(m.wait.map_or(m.queued_at, |(until, _)| until)),
                m.to.as_str().into(),
                m.call.name.as_str().into(),
                at(m.expires_at),
                m.hookpoint.as_str().into(),
                m.client_id.0.into(),
                at(batch[*index].claim.event.happened_at()),
                m.call.language.as_str().into(),
                m.print.wording.into(),
                m.print.facts.into(),
                if repeated { "held" } else { "queued" }.into(),
                waits_for.map(Reason::code).into(),
            ])
        }),
    )
    .await?;
    Ok(())
}

/// When at the latest something was known that led to an event. The sweep finds again what a hook reported before the schema was restored
/// from an older dump: its events count as a day older. A step from a date that came before may have led to an alert as well.
fn known_at(event: &NewEvent) -> Timestamp {
    match event.source.as_str() {
        SWEEP => event.received_at - SignedDuration::from_hours(24),
        SCHEDULE => event.happened_at(),
        _ => event.received_at,
    }
}

/// Smaller goes first.
#[must_use]
pub fn priority(class: Class) -> u8 {
    match class {
        Class::Security => 0,
        Class::Status => 1,
        Class::Notice => 2,
    }
}

/// Values as JSON: `{"body":[…]}` or `{"named":[["name","value"],…]}`, and `"button"`; `"buttons"` only without a template.
pub(super) fn parameters_text(message: &Message) -> String {
    let call = &message.call;
    let mut json = serde_json::Map::new();
    match &call.parameters {
        Parameters::Positional(values) => json.insert("body".into(), serde_json::json!(values)),
        Parameters::Named(values) => json.insert("named".into(), serde_json::json!(values)),
    };
    if let Some(button) = &call.button {
        json.insert("button".into(), serde_json::json!(button));
    }
    if let Some(free_form) = &message.free_form {
        json.insert("buttons".into(), serde_json::json!(free_form.buttons));
    }
    serde_json::Value::Object(json).to_string()
}

async fn insert_skips(
    tx: &mut Transaction<'_>,
    batch: &[Processed],
    skips: &[(usize, Skip)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if skips.is_empty() {
        return Ok(());
    }
    tx.exec_batch(
        "INSERT INTO skip (event_id, hookpoint, client_id, contact_id, reason, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        skips.iter().map(|(index, skip)| {
            (
                batch[*index].claim.event.id.as_str(),
                skip.hookpoint.as_ref().map(HookpointId::as_str),
                skip.client_id.map(|id| id.0),
                skip.contact_id.map(|id| id.0),
                skip.reason.code(),
                skip.detail.as_deref().map(|detail| cut(detail, 500)),
                at(now),
            )
        }),
    )
    .await?;
    Ok(())
}

async fn close_events(
    tx: &mut Transaction<'_>,
    batch: &[Processed],
    fresh: &[(usize, [u8; 32], &Message)],
    now: Timestamp,
) -> Result<Finished, StoreError> {
    let mut finished = Finished { queued: fresh.len(), ..Finished::default() };
    let mut rows = Vec::with_capacity(batch.len());
    for (index, processed) in batch.iter().enumerate() {
        let state = if processed.failed {
            finished.failed += 1;
            "failed"
        } else if fresh.iter().any(|(of, _, _)| *of == index) {
            "processed"
        } else {
            finished.skipped += 1;
            "skipped"
        };
        let event = &processed.claim.event;
        rows.push((
            (event.id.as_str(), &event.source, &event.hook, at(event.occurred_at), at(event.received_at)),
            (u8::try_from(event.key_index).unwrap_or(u8::MAX), event.body_sha256.as_slice(), &event.body),
            (state, at(now), &processed.trail),
        ));
    }
    if rows.is_empty() {
        return Ok(finished);
    }
    tx.exec_batch(
        "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, \
         processed_at, trail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows.into_iter().map(
            |((id, source, hook, occurred_at, received_at), (key, sha256, body), (state, at, trail))| {
                (id, source, hook, occurred_at, received_at, key, sha256, body, state, at, trail)
            },
        ),
    )
    .await?;
    Ok(finished)
}
