//! Owns: what each stub last said of itself.

use jiff::{SignedDuration, Timestamp};
use mysql_async::prelude::Queryable;
use mysql_async::{Params, Row, Value};

use super::pool::bounded;
use super::row::{Reader, at, cut};
use super::{Store, StoreError, Tx};
use crate::domain::heartbeat::{Heartbeat, Received};

/// A process that left nothing and was silent for so long is forgotten: containers change their names.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);
/// One that left events, for so long.
const FORGOTTEN_WITH_EVENTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Rows of one source at most.
const ROWS_MAX: usize = 50;
const COLUMNS: &str = "source, host, owner, received_at, clock_ahead_s, stub, platform, php, sapi, extensions, hooks, missing, \
     missing_since, waiting, oldest_at, aside, lost, lost_at, fault";

/// Keeps the heartbeat in place of the one before. `missing`: hooks of the manifest that it has not registered.
///
/// # Errors
/// The database.
pub async fn keep(
    store: &Store,
    source: &str,
    said: &Heartbeat,
    (missing, clock_ahead_s): (&[String], i64),
    now: Timestamp,
) -> Result<(), StoreError> {
    let since = |holds: bool| if holds { at(now) } else { Value::NULL };
    let clock = i32::try_from(clock_ahead_s).unwrap_or(if clock_ahead_s < 0 { i32::MIN } else { i32::MAX });
    let values: Vec<Value> = vec![
        source.into(),
        cut(&said.host, 64).into(),
        cut(&said.owner, 64).into(),
        at(now),
        clock.into(),
        cut(&said.stub, 32).into(),
        cut(&said.platform, 64).into(),
        cut(&said.php, 64).into(),
        cut(&said.sapi, 32).into(),
        said.extensions.join(",").into(),
        said.hooks.join(",").into(),
        missing.join(",").into(),
        since(!missing.is_empty()),
        said.waiting.into(),
        said.oldest.map_or(Value::NULL, at),
        said.aside.into(),
        said.lost.into(),
        since(said.lost > 0),
        cut(&said.fault, 300).into(),
    ];
    let marks = super::row::marks(values.len());
    let sql = format!(
        "INSERT INTO heartbeat ({COLUMNS}) VALUES ({marks}) ON DUPLICATE KEY UPDATE received_at = VALUES(received_at), \
         clock_ahead_s = VALUES(clock_ahead_s), stub = VALUES(stub), platform = VALUES(platform), php = VALUES(php), \
         sapi = VALUES(sapi), extensions = VALUES(extensions), hooks = VALUES(hooks), missing = VALUES(missing), \
         missing_since = IF(VALUES(missing_since) IS NULL, NULL, COALESCE(missing_since, VALUES(missing_since))), \
         waiting = VALUES(waiting), oldest_at = VALUES(oldest_at), aside = VALUES(aside), lost = lost + VALUES(lost), \
         lost_at = COALESCE(VALUES(lost_at), lost_at), fault = VALUES(fault)"
    );
    bounded(async {
        let mut connection = store.connection().await?;
        connection.exec_drop(sql, Params::Positional(values)).await?;
        let old = |age| at(crate::domain::time::earlier(now, age));
        let sql = "DELETE FROM heartbeat WHERE source = ? AND (received_at < ? OR (received_at < ? AND waiting = 0 AND aside = 0))";
        connection.exec_drop(sql, (source, old(FORGOTTEN_WITH_EVENTS), old(FORGOTTEN))).await?;
        let rows: Option<usize> =
            connection.exec_first("SELECT COUNT(*) FROM heartbeat WHERE source = ?", (source,)).await?;
        let more = rows.unwrap_or_default().saturating_sub(ROWS_MAX);
        if more > 0 {
            let sql = format!("DELETE FROM heartbeat WHERE source = ? ORDER BY received_at LIMIT {more}");
            connection.exec_drop(sql, (source,)).await?;
        }
        Ok(())
    })
    .await
}

/// All of them, the newest of each source first.
///
/// # Errors
/// The database, or a row that does not fit.
pub async fn all(store: &Store) -> Result<Vec<Received>, StoreError> {
    bounded(async {
        let mut connection = store.connection().await?;
        let sql = format!("SELECT {COLUMNS} FROM heartbeat ORDER BY source, received_at DESC, host, owner LIMIT 1000");
        let rows: Vec<Row> = connection.query(sql).await?;
        rows.iter().map(read).collect()
    })
    .await
}

/// Forgets what a process said that runs no more. False: there is none.
///
/// # Errors
/// The database.
pub async fn forget(tx: &mut Tx, source: &str, host: &str, owner: &str) -> Result<bool, StoreError> {
    // The columns hold nothing else, and the server refuses to compare them with it.
    if ![source, host, owner].iter().all(|text| text.is_ascii()) {
        return Ok(false);
    }
    let sql = "DELETE FROM heartbeat WHERE source = ? AND host = ? AND owner = ?";
    tx.0.exec_drop(sql, (source, host, owner)).await?;
    Ok(tx.0.affected_rows() == 1)
}

fn read(row: &Row) -> Result<Received, StoreError> {
    let reader = Reader::new("heartbeat", row, "");
    let list = |column| -> Result<Vec<String>, StoreError> {
        let text: String = reader.get(column)?;
        Ok(text.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect())
    };
    Ok(Received {
        source: reader.get("source")?,
        received_at: reader.time("received_at")?,
        clock_ahead_s: reader.get("clock_ahead_s")?,
        missing: list("missing")?,
        missing_since: reader.optional_time("missing_since")?,
        lost_at: reader.optional_time("lost_at")?,
        said: Heartbeat {
            host: reader.get("host")?,
            owner: reader.get("owner")?,
            stub: reader.get("stub")?,
            platform: reader.get("platform")?,
            php: reader.get("php")?,
            sapi: reader.get("sapi")?,
            extensions: list("extensions")?,
            hooks: list("hooks")?,
            waiting: reader.get("waiting")?,
            oldest: reader.optional_time("oldest_at")?,
            aside: reader.get("aside")?,
            lost: reader.get("lost")?,
            fault: reader.get("fault")?,
        },
    })
}
