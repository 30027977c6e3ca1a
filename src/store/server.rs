//! Owns: what the database server is and can do.

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::Reader;
use super::{Store, StoreError};

/// The server behind our schema.
#[derive(Clone, Debug)]
pub struct Server {
    pub version: String,
    /// `FOR UPDATE SKIP LOCKED`: MariaDB 10.6, MySQL 8.0.
    pub skips_locked: bool,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_ahead_s: i64,
}

impl Store {
    /// Asks the server about itself.
    ///
    /// # Errors
    /// The database.
    pub async fn server(&self, now: Timestamp) -> Result<Server, StoreError> {
        bounded(async {
            let mut connection = self.connection().await?;
            let row: Option<Row> = connection.query_first("SELECT VERSION() AS v, UNIX_TIMESTAMP() AS t").await?;
            let skips = connection.query_drop("SELECT seq FROM inbox LIMIT 0 FOR UPDATE SKIP LOCKED").await;
            let syntax = matches!(&skips, Err(mysql_async::Error::Server(e)) if e.code == 1064);
            let Some(row) = row else { return Err(StoreError::Slow) };
            let reader = Reader::new("server", &row, "");
            Ok(Server {
                version: reader.get("v")?,
                skips_locked: !syntax,
                clock_ahead_s: reader.get::<i64>("t")? - now.as_second(),
            })
        })
        .await
    }
}
