//! Owns: what the database server is and can do, and which of its settings would lose or refuse events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mysql_async::Row;
use mysql_async::prelude::Queryable;

use super::pool::bounded;
use super::row::Reader;
use super::{Store, StoreError};

/// Statements that one connection of the driver keeps prepared at most.
const PREPARED_PER_CONNECTION: u64 = 32;
/// Beside an event's body, its row and its statement take so many bytes at most.
const ROW_BYTES: u64 = 4 * 1024;
/// With less than this, batches of events become so small that many at once are slow.
const PACKET_BYTES_GOOD: u64 = 4 * 1024 * 1024;

/// The server behind our schema.
#[derive(Clone, Debug)]
pub struct Server {
    pub version: String,
    /// `FOR UPDATE SKIP LOCKED`: MariaDB 10.6, MySQL 8.0.
    pub skips_locked: bool,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_ahead_s: i64,
    /// Global settings, and the count of prepared statements, by their names in small letters.
    settings: BTreeMap<String, String>,
}

/// What the service needs of a server.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    pub event_bytes_max: usize,
    pub pool_max: usize,
}

/// How one setting of the server stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    pub check: &'static str,
    pub state: Fit,
    /// What was found, and what to do about it.
    pub says: String,
}

/// Whether the service can work with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    Good,
    /// It works, and less well than was promised.
    Doubtful,
    /// No event could be stored.
    Unfit,
}

impl Server {
    /// What the service needs and this server lacks altogether.
    #[must_use]
    pub fn lacks(&self) -> Option<String> {
        (!self.skips_locked).then(|| format!("{}; needs MariaDB 10.6 or MySQL 8.0 for SKIP LOCKED", self.version))
    }

    /// How the settings stand that decide whether an event that was answered 202 is there.
    #[must_use]
    pub fn remarks(&self, needs: Needs) -> Vec<Remark> {
        vec![self.writable(), self.binary_log(), self.durability(), self.packet(needs), self.prepared(needs)]
    }

    fn is_on(&self, name: &str) -> bool {
        self.settings.get(name).is_some_and(|value| !matches!(value.as_str(), "OFF" | "0" | ""))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.settings.get(name)?.parse().ok()
    }

    fn writable(&self) -> Remark {
        let names = ["read_only", "super_read_only", "innodb_read_only"];
        let on: Vec<&str> = names.into_iter().filter(|name| self.is_on(name)).collect();
        if on.is_empty() {
            return remark("writable", Fit::Good, "the server takes writes");
        }
        let says = format!(
            "the server only reads ({}): after a failover point `database.url` at the new primary, or make this one \
             writable again",
            on.join(", ")
        );
        remark("writable", Fit::Unfit, says)
    }

    fn binary_log(&self) -> Remark {
        let format = self.settings.get("binlog_format").map_or("", String::as_str);
        if self.is_on("log_bin") && format == "STATEMENT" {
            let says = "binlog_format is STATEMENT: the server refuses our transactions (1665). Set binlog_format = ROW or \
                        MIXED in the server's configuration, and restart what is connected";
            return remark("binary log", Fit::Unfit, says);
        }
        remark("binary log", Fit::Good, if self.is_on("log_bin") { format } else { "off" })
    }

    fn durability(&self) -> Remark {
        match self.settings.get("innodb_flush_log_at_trx_commit").map(String::as_str) {
            Some("1" | "3") | None => remark("durability", Fit::Good, "a commit is on the disk"),
            Some(other) => {
                let says = format!(
                    "innodb_flush_log_at_trx_commit is {other}: a power cut loses the last second of events that were \
                     answered 202. Set it to 1, unless a cluster's other nodes keep them"
                );
                remark("durability", Fit::Doubtful, says)
            }
        }
    }

    fn packet(&self, needs: Needs) -> Remark {
        let Some(bytes) = self.number("max_allowed_packet") else {
            return remark("packet size", Fit::Doubtful, "max_allowed_packet cannot be read");
        };
        let needed = needs.event_bytes_max as u64 + ROW_BYTES;
        let says = |why: &str| format!("max_allowed_packet is {bytes} bytes: {why}. Set it to 16M");
        if bytes < needed {
            let why = format!("an event of `server.event_bytes_max` needs {needed}");
            return remark("packet size", Fit::Unfit, says(&why));
        }
        if bytes < PACKET_BYTES_GOOD {
            return remark(
                "packet size",
                Fit::Doubtful,
                says("large events that come at once are stored a few at a time"),
            );
        }
        remark("packet size", Fit::Good, format!("max_allowed_packet is {bytes} bytes"))
    }

    fn prepared(&self, needs: Needs) -> Remark {
        let Some(limit) = self.number("max_prepared_stmt_count") else {
            return remark("prepared statements", Fit::Good, "the server has no limit");
        };
        let used = self.number("prepared_stmt_count").unwrap_or(0);
        // The two connections of ingest come beside the pool.
        let needed = (needs.pool_max as u64 + 2) * PREPARED_PER_CONNECTION;
        let says = |then: &str| format!("max_prepared_stmt_count is {limit}, {used} are in use{then}");
        if limit == 0 {
            return remark("prepared statements", Fit::Unfit, says(": none can be made. Set it to 16382"));
        }
        if limit.saturating_sub(used) < needed {
            let then = format!(", and this instance may need {needed}. Raise it, or lower `database.pool_max`");
            return remark("prepared statements", Fit::Doubtful, says(&then));
        }
        remark("prepared statements", Fit::Good, says(""))
    }
}

fn remark(check: &'static str, state: Fit, says: impl Into<String>) -> Remark {
    Remark { check, state, says: says.into() }
}

impl Store {
    /// Asks the server about itself. Works without our tables, too.
    ///
    /// # Errors
    /// The database.
    pub async fn server(&self, now: Timestamp) -> Result<Server, StoreError> {
        bounded(async {
            let mut connection = self.connection().await?;
            let row: Option<Row> = connection.query_first("SELECT VERSION() AS v, UNIX_TIMESTAMP() AS t").await?;
            let skips = connection.query_drop("SELECT seq FROM inbox LIMIT 0 FOR UPDATE SKIP LOCKED").await;
            let syntax = matches!(&skips, Err(mysql_async::Error::Server(e)) if e.code == 1064);
            let settings = connection
                .query(
                    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('read_only', 'super_read_only', 'innodb_read_only', \
                     'log_bin', 'binlog_format', 'innodb_flush_log_at_trx_commit', 'max_allowed_packet', \
                     'max_prepared_stmt_count')",
                )
                .await?;
            let used = connection.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'").await?;
            let Some(row) = row else { return Err(StoreError::Slow) };
            let reader = Reader::new("server", &row, "");
            Ok(Server {
                version: reader.get("v")?,
                skips_locked: !syntax,
                clock_ahead_s: reader.get::<i64>("t")? - now.as_second(),
                settings: settings.iter().chain(&used).filter_map(pair).collect(),
            })
        })
        .await
    }
}

fn pair(row: &Row) -> Option<(String, String)> {
    let text = |column: usize| row.get_opt::<String, _>(column)?.ok();
    Some((text(0)?.to_lowercase(), text(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: Needs = Needs { event_bytes_max: 64 * 1024, pool_max: 16 };

    fn with(settings: &[(&str, &str)]) -> Vec<(&'static str, Fit)> {
        let good = [
            ("read_only", "OFF"),
            ("log_bin", "ON"),
            ("binlog_format", "MIXED"),
            ("innodb_flush_log_at_trx_commit", "1"),
            ("max_allowed_packet", "16777216"),
            ("max_prepared_stmt_count", "16382"),
            ("prepared_stmt_count", "12"),
        ];
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let settings = good.iter().chain(settings).map(own).collect();
        let server = Server { version: "11.8.9".to_owned(), skips_locked: true, clock_ahead_s: 0, settings };
        server
            .remarks(NEEDS)
            .into_iter()
            .filter(|one| one.state != Fit::Good)
            .map(|one| (one.check, one.state))
            .collect()
    }

    #[test]
    fn each_setting_that_would_lose_or_refuse_an_event_is_named() {
        assert_eq!(with(&[]), []);
        assert_eq!(with(&[("read_only", "ON")]), [("writable", Fit::Unfit)]);
        assert_eq!(with(&[("super_read_only", "1")]), [("writable", Fit::Unfit)]);
        assert_eq!(with(&[("read_only", "NO_LOCK_NO_ADMIN")]), [("writable", Fit::Unfit)]);
        assert_eq!(with(&[("binlog_format", "STATEMENT")]), [("binary log", Fit::Unfit)]);
        assert_eq!(with(&[("binlog_format", "STATEMENT"), ("log_bin", "OFF")]), []);
        assert_eq!(with(&[("innodb_flush_log_at_trx_commit", "2")]), [("durability", Fit::Doubtful)]);
        assert_eq!(with(&[("max_allowed_packet", "1048576")]), [("packet size", Fit::Doubtful)]);
        assert_eq!(with(&[("max_allowed_packet", "65536")]), [("packet size", Fit::Unfit)]);
        assert_eq!(with(&[("prepared_stmt_count", "16000")]), [("prepared statements", Fit::Doubtful)]);
        assert_eq!(with(&[("max_prepared_stmt_count", "0")]), [("prepared statements", Fit::Unfit)]);
    }
}
