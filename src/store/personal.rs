//! Owns: all that our tables hold about one client, read as it stands, kind by kind.
//! Must not know: what the document looks like around it.

use std::collections::BTreeSet;

use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};
use serde_json::{Map, Value as Json};

use super::pool::bounded;
use super::row::marks;
use super::{Store, StoreError};
use crate::domain::phone::E164;
use crate::signature::hex;

/// Rows of a kind that are read at most. A client has some hundreds.
pub const ROWS_MAX: usize = 20_000;
/// Numbers of one client that are looked at at most.
const NUMBERS_MAX: usize = 500;

/// One kind of what we hold, and how it is read. Each `?` is the client's id.
const KINDS: [(&str, &str); 12] = [
    (
        "messages",
        "SELECT LOWER(HEX(id)) AS id, event_id, hookpoint, subject, contact_id, user_id, recipient, locale, class, lane, \
         template, language, parameters, body, created_at, expires_at, state, state_at, reason, detail, attempts, \
         provider_id, receipt, receipt_at, LOWER(HEX(resend_of)) AS resend_of FROM message WHERE client_id = ? \
         ORDER BY created_at, id",
    ),
    (
        "queued",
        "SELECT LOWER(HEX(o.message_id)) AS message_id, o.state, o.run_at, o.recipient, o.waiting_for, o.last_error FROM message m \
         JOIN outbox o ON o.message_id = m.id WHERE m.client_id = ? ORDER BY o.message_id",
    ),
    (
        "attempts",
        "SELECT LOWER(HEX(a.message_id)) AS message_id, a.started_at, a.ended_at, a.outcome, a.code, a.detail FROM message m \
         JOIN attempt a ON a.message_id = m.id WHERE m.client_id = ? ORDER BY a.id",
    ),
    (
        "receipts",
        "SELECT LOWER(HEX(r.message_id)) AS message_id, r.provider_id, r.status, r.at, r.received_at, r.code, r.detail \
         FROM message m JOIN receipt r ON r.message_id = m.id WHERE m.client_id = ? ORDER BY r.at, r.provider_id, r.status",
    ),
    (
        "skips",
        "SELECT event_id, hookpoint, contact_id, reason, detail, at FROM skip WHERE client_id = ? ORDER BY at, id",
    ),
    (
        "events",
        "SELECT e.id, e.source, e.hook, e.occurred_at, e.received_at, e.body, e.state, e.processed_at, e.trail FROM (SELECT \
         event_id FROM message WHERE client_id = ? UNION SELECT event_id FROM skip WHERE client_id = ?) AS theirs JOIN event e \
         ON e.id = theirs.event_id ORDER BY e.received_at, e.id",
    ),
    (
        "decisions",
        "SELECT LOWER(HEX(id)) AS id, rule, version, verdict, subject, asked_at, source, hook, asked_by, what_if, question, \
         facts, answer FROM decision WHERE client_id = ? ORDER BY asked_at, id",
    ),
    (
        "overrides",
        "SELECT o.id, o.rule, o.subject, o.who, o.why, o.made_at, o.until_at, o.ended_at, o.ended_by FROM (SELECT subject \
         FROM decision WHERE client_id = ? UNION SELECT CONVERT(CONCAT('client:', ?) USING ascii) COLLATE ascii_bin) AS theirs JOIN \
         decision_override o ON o.subject = theirs.subject ORDER BY o.id",
    ),
    (
        "replies",
        "SELECT id, lane, at, recipient, user_id, LOWER(HEX(message_id)) AS message_id, kind, body, meaning, matched, outcome, \
         LOWER(HEX(confirmation_id)) AS confirmation_id, seen_at, seen_by FROM reply WHERE client_id = ? ORDER BY id",
    ),
    (
        "preferences",
        "SELECT c.recipient, c.class, c.opted_out, c.evidence, c.how, c.at FROM (SELECT CONVERT(CONCAT('client:', ?) USING ascii) \
         COLLATE ascii_bin AS name UNION SELECT CONVERT(CONCAT('contact:', contact_id) USING ascii) COLLATE ascii_bin FROM message \
         WHERE client_id = ? AND contact_id IS NOT NULL) AS theirs JOIN consent c ON c.recipient = theirs.name UNION \
         SELECT recipient, class, opted_out, evidence, how, at FROM consent WHERE recipient LIKE CONCAT('login:%/', ?) \
         ORDER BY recipient, at",
    ),
    ("remembered", "SELECT kind, id, state, name, seen_at, pending FROM mirror WHERE owner = ? ORDER BY kind, id"),
    ("deeds", "SELECT at, actor, via, action, detail FROM audit WHERE target = CONCAT('client:', ?) ORDER BY id"),
];

/// Columns that hold JSON.
const DOCUMENTS: [&str; 6] = ["parameters", "body", "trail", "question", "facts", "answer"];

/// What we hold of one kind.
#[derive(Clone, Debug)]
pub struct Held {
    pub kind: &'static str,
    pub rows: Vec<Json>,
    /// There are more than [`ROWS_MAX`].
    pub more: bool,
}

/// Everything that we hold about a client by id, kind by kind.
///
/// # Errors
/// The database.
pub async fn of_client(store: &Store, client: u64) -> Result<Vec<Held>, StoreError> {
    let mut all = Vec::with_capacity(KINDS.len());
    for (kind, sql) in KINDS {
        let values = vec![Value::from(client); sql.matches('?').count()];
        all.push(read(store, kind, sql, values).await?);
    }
    Ok(all)
}

/// Everything that we hold about numbers: what was said of them, and when they were last written to.
///
/// # Errors
/// The database.
pub async fn of_numbers(store: &Store, portfolios: &BTreeSet<&str>, numbers: &[E164]) -> Result<Vec<Held>, StoreError> {
    if numbers.is_empty() || portfolios.is_empty() {
        return Ok(Vec::new());
    }
    let values: Vec<Value> = numbers.iter().take(NUMBERS_MAX).map(|to| to.as_str().into()).collect();
    let list = marks(values.len());
    let consents = format!(
        "SELECT recipient, class, opted_out, evidence, how, at FROM consent WHERE recipient IN ({list}) UNION \
         SELECT c.recipient, c.class, c.opted_out, c.evidence, c.how, c.at FROM user_phone u JOIN consent c \
         ON c.recipient = u.user_id WHERE u.recipient IN ({list}) ORDER BY recipient, at"
    );
    let users = format!(
        "SELECT user_id, recipient, portfolio, at FROM user_phone WHERE recipient IN ({list}) ORDER BY user_id"
    );
    // Those of the client's alerts are there already; these came before any alert.
    let replies = format!(
        "SELECT id, lane, at, recipient, user_id, kind, body, meaning FROM reply WHERE client_id IS NULL AND recipient IN ({list}) \
         ORDER BY id"
    );
    let contacted = format!(
        "SELECT portfolio, recipient, at FROM contacted WHERE portfolio IN ({}) AND recipient IN ({}) ORDER BY at, recipient",
        marks(portfolios.len()),
        marks(values.len())
    );
    let moved = format!(
        "SELECT recipient, moved_to, at, noted_at FROM moved_number WHERE recipient IN ({list}) OR moved_to IN ({list}) \
         ORDER BY at, recipient"
    );
    let of_portfolios = portfolios.iter().map(|one| Value::from(*one)).chain(values.iter().cloned()).collect();
    Ok(vec![
        read(store, "consents", &consents, [values.clone(), values.clone()].concat()).await?,
        read(store, "provider_users", &users, values.clone()).await?,
        read(store, "unmatched_replies", &replies, values.clone()).await?,
        read(store, "moved_numbers", &moved, [values.clone(), values.clone()].concat()).await?,
        read(store, "contacted", &contacted, of_portfolios).await?,
    ])
}

/// The numbers that messages of a client went to.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn numbers_of(store: &Store, client: u64) -> Result<Vec<E164>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!("SELECT DISTINCT recipient FROM message WHERE client_id = ? LIMIT {NUMBERS_MAX}");
        let rows: Vec<Row> = connection.exec(sql, (client,)).await?;
        rows.iter()
            .map(|row| Ok(super::row::Reader::new("message", row, "").parse("recipient", E164::trusted)?))
            .collect()
    })
    .await
}

async fn read(store: &Store, kind: &'static str, sql: &str, values: Vec<Value>) -> Result<Held, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let mut rows: Vec<Row> = connection.exec(format!("{sql} LIMIT {}", ROWS_MAX + 1), values).await?;
        let more = rows.len() > ROWS_MAX;
        rows.truncate(ROWS_MAX);
        Ok(Held { kind, rows: rows.iter().map(as_json).collect(), more })
    })
    .await
}

/// A row as it is: times in UTC, JSON as JSON, bytes that are no text in hexadecimal.
fn as_json(row: &Row) -> Json {
    let mut object = Map::new();
    for (index, column) in row.columns_ref().iter().enumerate() {
        let name = column.name_str().into_owned();
        let value = row.as_ref(index).map_or(Json::Null, |value| plain(&name, value));
        object.insert(name, value);
    }
    Json::Object(object)
}

fn plain(name: &str, value: &Value) -> Json {
    match value {
        Value::NULL | Value::Time(..) => Json::Null,
        Value::Int(number) => (*number).into(),
        Value::UInt(number) => (*number).into(),
        Value::Float(number) => f64::from(*number).into(),
        Value::Double(number) => (*number).into(),
        Value::Date(y, mo, d, h, mi, s, us) => {
            format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{:03}Z", us / 1000).into()
        }
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Err(_) => hex(bytes).into(),
            Ok(text) if DOCUMENTS.contains(&name) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            Ok(text) => text.into(),
        },
    }
}
