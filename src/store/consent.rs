//! Owns: the ledger of who asked not to be written to, with the evidence: a row per statement, nothing is overwritten.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::audit::Record;
use super::pool::{bounded, retried};
use super::row::{Reader, at, cut, in_list, marks, transaction};
use super::{Store, StoreError};
use crate::domain::consent::{How, Said, Scope, person, refuses, refuses_all};
use crate::domain::hookpoint::Class;
use crate::domain::message::Message;
use crate::domain::phone::E164;

/// What was said by and about some people.
#[derive(Clone, Debug, Default)]
pub struct Book(HashMap<String, Vec<Said>>);

impl Book {
    /// Whether nobody of them ever refused anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().flatten().all(|said| !said.opted_out)
    }

    /// Whether a message must not go: its number refuses such alerts, or its recipient does within this account.
    #[must_use]
    pub fn refuses(&self, message: &Message) -> bool {
        let who = person(message.client_id, message.contact_id, message.user_id);
        [message.to.as_str(), &who].iter().any(|key| refuses(self.of(key), message.class))
    }

    /// Whether a number refuses alerts of `class`.
    #[must_use]
    pub fn number_refuses(&self, to: &E164, class: Class) -> bool {
        refuses(self.of(to.as_str()), class)
    }

    /// Whether a number refuses every alert.
    #[must_use]
    pub fn refuses_all(&self, to: &E164) -> bool {
        refuses_all(self.of(to.as_str()))
    }

    /// Whether a number asked for all alerts after `since`, or ever where that is not known.
    #[must_use]
    pub fn asked_for_all(&self, to: &E164, since: Option<Timestamp>) -> bool {
        let all = |one: &Said| one.scope == Scope::All && !one.opted_out && since.is_none_or(|since| one.at > since);
        self.of(to.as_str()).iter().any(all)
    }

    fn of(&self, key: &str) -> &[Said] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

/// What the ledger says of the recipients of `messages`.
///
/// # Errors
/// The database.
pub async fn about(store: &Store, messages: impl Iterator<Item = &Message>) -> Result<Book, StoreError> {
    let (mut numbers, mut people) = (BTreeSet::new(), BTreeSet::new());
    for one in messages {
        numbers.insert(one.to.as_str());
        people.insert(person(one.client_id, one.contact_id, one.user_id));
    }
    read(store, &numbers, &people).await
}

/// What the ledger says of numbers.
///
/// # Errors
/// The database.
pub async fn of_numbers(store: &Store, numbers: &[E164]) -> Result<Book, StoreError> {
    read(store, &numbers.iter().map(E164::as_str).collect(), &BTreeSet::new()).await
}

async fn read(store: &Store, numbers: &BTreeSet<&str>, people: &BTreeSet<String>) -> Result<Book, StoreError> {
    if numbers.is_empty() {
        return Ok(Book::default());
    }
    let keys = numbers.iter().copied().chain(people.iter().map(String::as_str));
    let (all, mut parameters) = in_list(keys.map(Value::from).collect());
    let (of_users, numbers) = in_list(numbers.iter().map(|number| Value::from(*number)).collect());
    // What a user said whose id is known to be of this number counts for the number.
    let sql = format!(
        "SELECT recipient, class, opted_out, at FROM consent WHERE recipient IN ({all}) UNION ALL \
         SELECT u.recipient, c.class, c.opted_out, c.at FROM user_phone u JOIN consent c ON c.recipient = u.user_id \
         WHERE u.recipient IN ({of_users})"
    );
    parameters.extend(numbers);
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection.exec(sql, parameters).await?;
        let mut book = Book::default();
        for row in &rows {
            let reader = Reader::new("consent", row, "");
            let said = Said {
                scope: reader.parse("class", Scope::parse)?,
                opted_out: reader.get("opted_out")?,
                at: reader.time("at")?,
            };
            book.0.entry(reader.get("recipient")?).or_default().push(said);
        }
        Ok(book)
    })
    .await
}

/// One statement, for people.
#[derive(Clone, Debug)]
pub struct Word {
    /// A number, a provider's user id or somebody in an account.
    pub recipient: String,
    pub said: Said,
    /// `None`: from before it was kept.
    pub how: Option<How>,
    /// The reply, or who noted it and why.
    pub evidence: String,
}

/// Every statement under `keys`, newest first.
///
/// # Errors
/// The database.
pub async fn words_of<K: AsRef<str> + Sync>(store: &Store, keys: &[K]) -> Result<Vec<Word>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!(
            "SELECT recipient, class, opted_out, evidence, how, at FROM consent WHERE recipient IN ({}) ORDER BY at DESC, opted_out DESC",
            marks(keys.len())
        );
        let rows: Vec<Row> = connection.exec(sql, keys.iter().map(|key| Value::from(key.as_ref())).collect::<Vec<_>>()).await?;
        rows.iter().map(word).collect()
    })
    .await
}

fn word(row: &Row) -> Result<Word, StoreError> {
    let reader = Reader::new("consent", row, "");
    Ok(Word {
        recipient: reader.get("recipient")?,
        said: Said {
            scope: reader.parse("class", Scope::parse)?,
            opted_out: reader.get("opted_out")?,
            at: reader.time("at")?,
        },
        how: reader.get::<Option<String>>("how")?.and_then(|code| How::parse(&code)),
        evidence: reader.get("evidence")?,
    })
}

/// A statement that is to be kept.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    pub said: Said,
    pub how: How,
    pub evidence: &'a str,
}

/// Keeps a statement under each of `keys`: every spelling of a number, user ids, somebody in an account. An older statement that comes
/// late does not undo a newer one.
///
/// # Errors
/// The database.
pub async fn record<K: AsRef<str> + Sync>(store: &Store, keys: &[K], one: Statement<'_>) -> Result<(), StoreError> {
    noted(store, keys, one, None).await
}

/// The same by somebody at work, with the record of it.
///
/// # Errors
/// The database; then neither is there.
pub async fn record_by<K: AsRef<str> + Sync>(
    store: &Store,
    keys: &[K],
    one: Statement<'_>,
    record: &Record<'_>,
) -> Result<(), StoreError> {
    noted(store, keys, one, Some(record)).await
}

async fn noted<K: AsRef<str> + Sync>(
    store: &Store,
    keys: &[K],
    one: Statement<'_>,
    record: Option<&Record<'_>>,
) -> Result<(), StoreError> {
    retried(|| async {
        let mut connection = store.connection().await?;
        let mut tx = connection.start_transaction(transaction()).await?;
        tx.exec_batch(
            "INSERT INTO consent (recipient, class, opted_out, evidence, how, at) VALUES (?, ?, ?, ?, ?, ?) \
             ON DUPLICATE KEY UPDATE opted_out = VALUES(opted_out), evidence = VALUES(evidence), how = VALUES(how)",
            keys.iter().map(|key| {
                let (scope, out) = (one.said.scope.code(), one.said.opted_out);
                (key.as_ref(), scope, out, cut(one.evidence, 500), one.how.code(), at(one.said.at))
            }),
        )
        .await?;
        if let Some(record) = record {
            record.write(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(())
    })
    .await
}

/// Copies what was said under `from` to `to`: another number or user id of the same person. The statements keep their time, so that
/// what was said there later still counts. Returns how many are new.
///
/// # Errors
/// The database.
pub async fn carry_over(store: &Store, from: &[&str], to: &[&str], now: Timestamp) -> Result<u64, StoreError> {
    let mut new = 0;
    if from.is_empty() {
        return Ok(new);
    }
    for key in to {
        let sql = format!(
            "INSERT IGNORE INTO consent (recipient, class, opted_out, evidence, how, at) SELECT ?, class, opted_out, evidence, 'moved', at \
             FROM consent WHERE recipient IN ({}) AND at <= ?",
            marks(from.len())
        );
        let parameters: Vec<Value> = std::iter::once(Value::from(*key))
            .chain(from.iter().map(|key| Value::from(*key)))
            .chain([at(now)])
            .collect();
        new += bounded(async {
            let mut connection = store.connection().await?;
            connection.exec_drop(sql, parameters).await?;
            Ok(connection.affected_rows())
        })
        .await?;
    }
    Ok(new)
}
