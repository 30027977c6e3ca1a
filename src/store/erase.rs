//! Owns: erasing what our tables hold about one client: texts, numbers and the provider's ids go, rows stay, so that counts and
//! the proof of what was sent when remain. In small steps; what was erased is not found again, so a cut run goes on.
//! Must not know: who may do it, and what the page says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Transaction, Value};

use super::outbox::{hex_list, message_id};
use super::pool::{bounded, retried};
use super::row::{Reader, at, transaction};
use super::{Store, StoreError};
use crate::domain::consent::{Said, Scope, refuses, refuses_all};
use crate::domain::hookpoint::Class;
use crate::domain::ids::MessageId;
use crate::domain::phone::{E164, ERASED};

/// Messages of one step.
const STEP: usize = 200;
/// Rows of one step where a row is small.
const ROWS: usize = 1_000;
/// What is left of the statements about a number: the opt-out must stay, or messages would go there again.
const EVIDENCE: &str = "erased on request; the opt-out stays";

/// Open messages of a client: which, and in which state of the queue.
///
/// # Errors
/// The database.
pub async fn open(store: &Store, client: u64) -> Result<Vec<(MessageId, String)>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT m.id, o.state FROM message m JOIN outbox o ON o.message_id = m.id WHERE m.client_id = ? LIMIT {ROWS}"
        );
        let rows: Vec<Row> = connection.exec(sql, (client,)).await?;
        let read = |row: &Row| {
            let reader = Reader::new("outbox", row, "");
            Ok((message_id(&reader, "id")?, reader.get("state")?))
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// Stands in for numbers and the provider's ids while one client is erased; forgotten afterwards, so that nobody can go back.
#[derive(Clone)]
pub struct Mask {
    salt: String,
    numbers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask")
    }
}

impl Mask {
    /// # Panics
    /// Without randomness: the machine is broken.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        Self {
            salt: uuid::Uuid::from_u128(u128::from_be_bytes(random())).simple().to_string(),
            numbers: BTreeMap::new(),
        }
    }

    /// The same for the same number, and of no country.
    fn number(&mut self, number: &str) -> String {
        let make = || format!("{ERASED}{:012}", u64::from_be_bytes(random()) % 1_000_000_000_000);
        self.numbers.entry(number.to_owned()).or_insert_with(make).clone()
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the machine has randomness");
    bytes
}

/// Erases some messages of a client with their attempts and receipts. Returns how many: 0 when all are.
///
/// # Errors
/// The database; then nothing of this step is erased.
pub async fn messages(store: &Store, client: u64, mask: &mut Mask) -> Result<usize, StoreError> {
    let found = bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT id, recipient FROM message WHERE client_id = ? AND state <> 'open' AND recipient NOT LIKE '{ERASED}%' \
             LIMIT {STEP}"
        );
        let rows: Vec<Row> = connection.exec(sql, (client,)).await?;
        let read = |row: &Row| {
            let reader = Reader::new("message", row, "");
            Ok((message_id(&reader, "id")?, reader.get::<String>("recipient")?))
        };
        rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()
    })
    .await?;
    let mut by_number: BTreeMap<String, Vec<MessageId>> = BTreeMap::new();
    for (id, number) in &found {
        by_number.entry(mask.number(number)).or_default().push(*id);
    }
    if !found.is_empty() {
        retried(|| some_messages(store, &by_number, &mask.salt)).await?;
    }
    Ok(found.len())
}

async fn some_messages(
    store: &Store,
    by_number: &BTreeMap<String, Vec<MessageId>>,
    salt: &str,
) -> Result<(), StoreError> {
    // The provider's ids hold the number, encoded.
    let provider_id = "CONCAT('erased:', LEFT(SHA2(CONCAT(?, provider_id), 256), 40))";
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    for (number, ids) in by_number {
        let ids = hex_list(ids);
        tx.exec_drop(
            format!(
                "UPDATE message SET recipient = ?, parameters = '{{\"body\":[]}}', body = '', detail = NULL, \
                 provider_id = {provider_id} WHERE id IN ({ids}) AND state <> 'open'"
            ),
            (number, salt),
        )
        .await?;
        tx.exec_drop(
            format!("UPDATE receipt SET detail = NULL, provider_id = {provider_id} WHERE message_id IN ({ids})"),
            (salt,),
        )
        .await?;
        tx.query_drop(format!("UPDATE attempt SET detail = NULL WHERE message_id IN ({ids})")).await?;
    }
    Ok(tx.commit().await?)
}

/// Events that concern this client and nobody else keep when and which hook, and lose what they said. One that concerns another
/// client, too, stays: it holds ids, no names. Returns how many were changed.
///
/// # Errors
/// The database.
pub async fn events(store: &Store, client: u64) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT e.id FROM (SELECT event_id FROM message WHERE client_id = ? UNION SELECT event_id FROM skip WHERE client_id = ?) \
         AS theirs JOIN event e ON e.id = theirs.event_id WHERE e.body NOT LIKE '%\"erased\":%' \
         AND NOT EXISTS (SELECT 1 FROM message m WHERE m.event_id = e.id AND m.client_id <> ?) \
         AND NOT EXISTS (SELECT 1 FROM skip s WHERE s.event_id = e.id AND s.client_id <> ?) LIMIT {STEP}"
    );
    let mut changed = 0;
    loop {
        let ids: Vec<Value> = bounded(async {
            let mut connection = store.connection().await?;
            let rows: Vec<Row> = connection.exec(&sql, (client, client, client, client)).await?;
            rows.iter().map(|row| Ok(Reader::new("event", row, "").get::<String>("id")?.into())).collect()
        })
        .await?;
        if ids.is_empty() {
            return Ok(changed);
        }
        changed += ids.len() as u64;
        let update = format!(
            "UPDATE event SET trail = '[]', body = JSON_OBJECT('v', 1, 'hook', hook, 'occurred_at', \
             DATE_FORMAT(occurred_at, '%Y-%m-%dT%H:%i:%s.%fZ'), 'actor', JSON_OBJECT('kind', 'unknown'), 'fields', \
             JSON_OBJECT(), 'erased', 1) WHERE id IN ({})",
            super::row::marks(ids.len())
        );
        retried(|| write(store, &update, ids.clone())).await?;
    }
}

/// A reason for no alert keeps its code and loses its detail; decisions keep rule, verdict and time, and lose what they saw;
/// exceptions keep what they allow, and lose the reason that was written down. Returns how many of each.
///
/// # Errors
/// The database.
pub async fn records(store: &Store, client: u64) -> Result<(u64, u64, u64), StoreError> {
    let skips = format!("UPDATE skip SET detail = NULL WHERE client_id = ? AND detail IS NOT NULL LIMIT {ROWS}");
    let decisions = format!(
        "UPDATE decision SET question = '{{}}', facts = '{{}}', request = NULL, answer = \
         JSON_OBJECT('id', CONCAT('dec_', LOWER(HEX(id))), 'decision', verdict, 'reasons', JSON_ARRAY(), 'values', \
         JSON_OBJECT()) WHERE client_id = ? AND question <> '{{}}' LIMIT {ROWS}"
    );
    // A subject that went from one client to another belongs to both: its exception stays as it is.
    let exceptions = "UPDATE decision_override SET why = '' WHERE why <> '' AND (subject = CONCAT('client:', ?) OR subject IN \
                      (SELECT subject FROM decision WHERE client_id = ?)) AND subject NOT IN (SELECT d.subject FROM decision d \
                      WHERE d.subject = decision_override.subject AND d.client_id <> ?)";
    let skips = all(store, &skips, vec![client.into()]).await?;
    let decisions = all(store, &decisions, vec![client.into()]).await?;
    let exceptions = retried(|| write(store, exceptions, vec![client.into(); 3])).await?;
    Ok((skips, decisions, exceptions))
}

/// What is known of a number: an opt-out stays, without its text; an opt-in goes; that the number was written
/// to today stays counted, under another number. That it was given up stays where the platform still has it (`is_stored`), since
/// somebody else would be written to; the new number does not. Nothing changes for a number that messages of somebody else went to.
///
/// # Errors
/// The database.
pub async fn number(
    store: &Store,
    number: &E164,
    is_stored: bool,
    mask: &mut Mask,
    now: Timestamp,
) -> Result<(), StoreError> {
    let to = number.as_str();
    let masked = mask.number(to);
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        let others: Option<Row> = tx.exec_first("SELECT 1 FROM message WHERE recipient = ? LIMIT 1", (to,)).await?;
        if others.is_none() {
            // Before it is forgotten which ids are the number's.
            let sql = format!(
                "UPDATE reply SET {REPLY} WHERE recipient = ? OR user_id IN (SELECT user_id FROM user_phone WHERE recipient = ?)"
            );
            tx.exec_drop(sql, (&mask.salt, to, to)).await?;
            requests(&mut tx, to, now).await?;
            tx.exec_drop("UPDATE moved_number SET moved_to = NULL WHERE ? IN (recipient, moved_to)", (to,)).await?;
            if !is_stored {
                tx.exec_drop("DELETE FROM moved_number WHERE recipient = ?", (to,)).await?;
            }
            tx.exec_drop("UPDATE contacted SET recipient = ? WHERE recipient = ?", (&masked, to)).await?;
        }
        Ok(tx.commit().await?)
    })
    .await
}

/// What is left of a reply: when it came, and what it was taken for.
const REPLY: &str = "provider_id = CONCAT('erased:', LEFT(SHA2(CONCAT(?, provider_id), 256), 40)), recipient = NULL, user_id = NULL, \
                     body = ''";

/// Erases what a client wrote. Returns how many replies.
///
/// # Errors
/// The database.
pub async fn replies(store: &Store, client: u64, mask: &Mask) -> Result<u64, StoreError> {
    let sql = format!("UPDATE reply SET {REPLY} WHERE client_id = ? AND provider_id NOT LIKE 'erased:%' LIMIT {ROWS}");
    all(store, &sql, vec![mask.salt.as_str().into(), client.into()]).await
}

/// Of the statements about the client and the contacts in the account only stays what it refuses, without words. Returns how many
/// statements were changed.
///
/// # Errors
/// The database.
pub async fn preferences(store: &Store, client: u64) -> Result<u64, StoreError> {
    let theirs = "(recipient = CONCAT('client:', ?) OR recipient LIKE CONCAT('login:%/', ?) OR recipient IN (SELECT \
                  CONCAT('contact:', contact_id) FROM message WHERE client_id = ? AND contact_id IS NOT NULL))";
    let asked = format!("DELETE FROM consent WHERE opted_out = FALSE AND {theirs} LIMIT {ROWS}");
    let refused =
        format!("UPDATE consent SET evidence = ? WHERE opted_out AND evidence <> ? AND {theirs} LIMIT {ROWS}");
    let ids = vec![Value::from(client); 3];
    let deleted = all(store, &asked, ids.clone()).await?;
    let kept = all(store, &refused, [vec![EVIDENCE.into(), EVIDENCE.into()], ids].concat()).await?;
    Ok(deleted + kept)
}

/// Of what was said of a number, and under the user ids that are its, only stays what it refuses; the ids go.
async fn requests(tx: &mut Transaction<'_>, to: &str, now: Timestamp) -> Result<(), StoreError> {
    let rows: Vec<Row> = tx
        .exec(
            "SELECT class, opted_out, at FROM consent WHERE recipient = ? OR recipient IN (SELECT user_id FROM user_phone \
             WHERE recipient = ?)",
            (to, to),
        )
        .await?;
    let read = |row: &Row| -> Result<Said, StoreError> {
        let reader = Reader::new("consent", row, "");
        let scope = reader.parse("class", Scope::parse)?;
        Ok(Said { scope, opted_out: reader.get("opted_out")?, at: reader.time("at")? })
    };
    let said = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    tx.exec_drop(
        "DELETE FROM consent WHERE recipient = ? OR recipient IN (SELECT user_id FROM user_phone WHERE recipient = ?)",
        (to, to),
    )
    .await?;
    tx.exec_drop(
        "DELETE FROM user_phone WHERE user_id IN (SELECT user_id FROM (SELECT user_id FROM user_phone WHERE recipient = ?) AS theirs)",
        (to,),
    )
    .await?;
    let scopes: Vec<Scope> = if refuses_all(&said) {
        vec![Scope::All]
    } else {
        Class::ALL.iter().filter(|class| refuses(&said, **class)).map(|class| Scope::from(*class)).collect()
    };
    for scope in scopes {
        let about = said
            .iter()
            .filter(|one| one.opted_out && (one.scope == Scope::All || one.scope == scope || scope == Scope::All));
        let when = about.map(|one| one.at).max().unwrap_or(now).min(now);
        tx.exec_drop(
            "INSERT INTO consent (recipient, class, opted_out, evidence, at) VALUES (?, ?, TRUE, ?, ?)",
            (to, scope.code(), EVIDENCE, at(when)),
        )
        .await?;
    }
    Ok(())
}

/// Runs a bounded change until nothing is left to change.
async fn all(store: &Store, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
    let mut sum = 0;
    loop {
        let changed = retried(|| write(store, sql, values.clone())).await?;
        sum += changed;
        if changed < ROWS as u64 {
            return Ok(sum);
        }
    }
}

async fn write(store: &Store, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
    let mut connection = store.connection().await?;
    connection.exec_drop(sql, values).await?;
    Ok(connection.affected_rows())
}
