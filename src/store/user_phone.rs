//! Owns: whose number a provider's user id is, as receipts and messages tell. An id belongs to one user and one portfolio; a number
//! that comes with another id belongs to somebody else by now, and its old pair ends.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Row, Value};

use super::pool::{bounded, retried};
use super::row::{Reader, at, in_list, marks, transaction};
use super::{Store, StoreError};
use crate::domain::ids::ProviderUserId;
use crate::domain::phone::{E164, aliases};
use crate::domain::receipt::KnownUser;

/// Learns pairs. Writes only what is new, since nearly every receipt brings a pair that is known; what contradicts nothing that is
/// known is written at once.
///
/// # Errors
/// The database.
pub async fn learn(
    store: &Store,
    portfolio: &str,
    pairs: &BTreeSet<KnownUser>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if pairs.is_empty() {
        return Ok(());
    }
    let touched = touched(store, pairs).await?;
    let (mut fresh, mut contradicting) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for pair in pairs.iter().filter(|pair| !touched.contains(*pair)) {
        let spellings = aliases(&pair.phone);
        let known = touched.iter().any(|one| one.user_id == pair.user_id || spellings.contains(&one.phone));
        // Two pairs of one webhook may contradict each other, too.
        let first = spellings.iter().all(|one| seen.insert(one.as_str().to_owned()))
            && seen.insert(pair.user_id.as_str().to_owned());
        if known || !first {
            contradicting.push(pair);
        } else {
            fresh.extend(spellings.into_iter().map(|phone| KnownUser { user_id: pair.user_id.clone(), phone }));
        }
    }
    if !fresh.is_empty() {
        retried(|| insert(store, portfolio, &fresh, now)).await?;
    }
    for pair in contradicting {
        retried(|| put(store, portfolio, pair, now)).await?;
    }
    Ok(())
}

/// What is known of any user or number of `pairs`.
async fn touched(store: &Store, pairs: &BTreeSet<KnownUser>) -> Result<BTreeSet<KnownUser>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let numbers: Vec<E164> = pairs.iter().flat_map(|pair| aliases(&pair.phone)).collect();
        let (users, mut values) = in_list(pairs.iter().map(|pair| Value::from(pair.user_id.as_str())).collect());
        let (marks, numbers) = in_list(numbers.iter().map(|one| Value::from(one.as_str())).collect());
        values.extend(numbers);
        // Two ranges, each by its own index.
        let sql = format!(
            "SELECT user_id, recipient FROM user_phone WHERE user_id IN ({users}) UNION \
             SELECT user_id, recipient FROM user_phone WHERE recipient IN ({marks})"
        );
        let rows: Vec<Row> = connection.exec(sql, values).await?;
        let read = |row: &Row| {
            let reader = Reader::new("user_phone", row, "");
            let user_id = reader.parse("user_id", ProviderUserId::parse)?;
            Ok(KnownUser { user_id, phone: reader.parse("recipient", E164::trusted)? })
        };
        rows.iter().map(read).collect()
    })
    .await
}

async fn insert(store: &Store, portfolio: &str, pairs: &[KnownUser], now: Timestamp) -> Result<(), StoreError> {
    let mut connection = store.connection().await?;
    connection
        .exec_batch(
            "INSERT INTO user_phone (user_id, recipient, portfolio, at) VALUES (?, ?, ?, ?) \
             ON DUPLICATE KEY UPDATE at = VALUES(at)",
            pairs.iter().map(|pair| (pair.user_id.as_str(), pair.phone.as_str(), portfolio, at(now))),
        )
        .await?;
    Ok(())
}

async fn put(store: &Store, portfolio: &str, pair: &KnownUser, now: Timestamp) -> Result<(), StoreError> {
    let spellings = aliases(&pair.phone);
    let numbers: Vec<Value> = spellings.iter().map(|one| Value::from(one.as_str())).collect();
    let list = marks(numbers.len());
    let user = pair.user_id.as_str();
    let mut connection = store.connection().await?;
    let mut tx = connection.start_transaction(transaction()).await?;
    let ended = format!(
        "DELETE FROM user_phone WHERE (user_id = ? AND recipient NOT IN ({list})) \
         OR (recipient IN ({list}) AND portfolio = ? AND user_id <> ?)"
    );
    let mut parameters = vec![Value::from(user)];
    parameters.extend(numbers.iter().cloned());
    parameters.extend(numbers.iter().cloned());
    parameters.extend([Value::from(portfolio), Value::from(user)]);
    tx.exec_drop(ended, parameters).await?;
    tx.exec_batch(
        "INSERT INTO user_phone (user_id, recipient, portfolio, at) VALUES (?, ?, ?, ?) ON DUPLICATE KEY UPDATE at = VALUES(at)",
        spellings.iter().map(|one| (user, one.as_str(), portfolio, at(now))),
    )
    .await?;
    Ok(tx.commit().await?)
}

/// The numbers of a user, in every spelling.
///
/// # Errors
/// The database.
pub async fn numbers_of(store: &Store, user: &ProviderUserId) -> Result<Vec<E164>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let rows: Vec<Row> = connection
            .exec("SELECT recipient FROM user_phone WHERE user_id = ? ORDER BY recipient", (user.as_str(),))
            .await?;
        rows.iter().map(|row| Ok(Reader::new("user_phone", row, "").parse("recipient", E164::trusted)?)).collect()
    })
    .await
}

/// The user ids that are known to be of `numbers`.
///
/// # Errors
/// The database.
pub async fn users_of(store: &Store, numbers: &[E164]) -> Result<Vec<ProviderUserId>, StoreError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!("SELECT DISTINCT user_id FROM user_phone WHERE recipient IN ({})", marks(numbers.len()));
        let numbers: Vec<Value> = numbers.iter().map(|one| Value::from(one.as_str())).collect();
        let rows: Vec<Row> = connection.exec(sql, numbers).await?;
        rows.iter().map(|row| Ok(Reader::new("user_phone", row, "").parse("user_id", ProviderUserId::parse)?)).collect()
    })
    .await
}
