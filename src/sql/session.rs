//! Owns: what every session of both pools is set to, and that it is so. A server's or an account's defaults decide what
//! is committed, cut, compared and converted; so none of them is relied on, and what was set is read back.

use std::collections::BTreeMap;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};

use super::{Access, Refusal, Seen};

/// The order matters: what ends a transaction is set before one is ended.
///
/// - `idle_transaction_timeout` (MariaDB): a process that is stopped in the middle of a transaction must not keep its locks
///   for hours. MySQL has no such setting, and ends an idle session instead; the pool looks before it gives one out.
/// - `sql_select_limit = DEFAULT` would take the server's own limit over, so the number that means "none" is given.
const SETTINGS: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci, SESSION completion_type = 0, \
     SESSION autocommit = 1, SESSION sql_select_limit = 18446744073709551615, SESSION sql_safe_updates = 0, \
     SESSION sql_big_selects = 1, SESSION unique_checks = 1, SESSION sql_auto_is_null = 0, \
     SESSION sql_quote_show_create = 1, SESSION time_zone = '+00:00', SESSION sql_mode = 'STRICT_ALL_TABLES' \
     /*M!100300 , SESSION idle_transaction_timeout = 5 */ /*!80000 , SESSION wait_timeout = 10 */";

/// What the settings must read as. Two have another name on older servers; a name that a server does not know is left out.
const EXPECTED: &[(&str, &str)] = &[
    ("autocommit", "ON"),
    ("character_set_client", "utf8mb4"),
    ("character_set_connection", "utf8mb4"),
    ("character_set_results", "utf8mb4"),
    ("collation_connection", "utf8mb4_unicode_ci"),
    ("completion_type", "NO_CHAIN"),
    ("sql_auto_is_null", "OFF"),
    ("sql_big_selects", "ON"),
    ("sql_mode", "STRICT_ALL_TABLES"),
    ("sql_safe_updates", "OFF"),
    ("sql_select_limit", "18446744073709551615"),
    ("time_zone", "+00:00"),
    ("transaction_isolation", "READ-COMMITTED"),
    ("tx_isolation", "READ-COMMITTED"),
    ("unique_checks", "ON"),
];
/// Whether transactions only read, under both names.
const READ_ONLY: [&str; 2] = ["transaction_read_only", "tx_read_only"];
/// Settings whose usual default differs from ours, so that correcting them says nothing about the server.
const USUALLY_OTHER: &[&str] =
    &["collation_connection", "sql_mode", "time_zone", "transaction_isolation", "tx_isolation", "sql_big_selects"];
/// Read beside them.
const PACKET: &str = "max_allowed_packet";

/// Sets a new session up, and makes sure of it. Sessions on the platform's database may only read, whatever its account
/// may do.
///
/// # Errors
/// The server, or a setting that it did not take ([`Refusal::Session`]).
pub(super) async fn set_up(connection: &mut Conn, access: Access, seen: &Seen) -> mysql_async::Result<()> {
    // Even to look may be refused by a small `max_join_size`.
    connection.query_drop("SET SESSION sql_big_selects = 1").await?;
    let before = variables(connection).await?;
    connection.query_drop(SETTINGS).await?;
    let mode = match access {
        Access::Own => "READ WRITE",
        Access::Platform => "READ ONLY",
    };
    connection.query_drop(format!("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, {mode}")).await?;
    // Whatever `init_connect` began.
    connection.query_drop("ROLLBACK").await?;
    let after = variables(connection).await?;
    let wrong = differences(&after, access);
    if !wrong.is_empty() {
        return Err(Refusal::Session(wrong.join(", ")).into());
    }
    let corrected: Vec<String> = differences(&before, access)
        .into_iter()
        .filter(|one| !USUALLY_OTHER.iter().any(|usual| one.starts_with(usual)))
        .filter(|one| access == Access::Own || !READ_ONLY.iter().any(|name| one.starts_with(name)))
        .collect();
    let packet = after.get(PACKET).and_then(|text| text.parse().ok());
    seen.session(corrected, packet);
    Ok(())
}

async fn variables(connection: &mut Conn) -> mysql_async::Result<BTreeMap<String, String>> {
    let names: Vec<String> = EXPECTED
        .iter()
        .map(|(name, _)| *name)
        .chain(READ_ONLY)
        .chain([PACKET])
        .map(|name| format!("'{name}'"))
        .collect();
    let sql = format!("SHOW SESSION VARIABLES WHERE Variable_name IN ({})", names.join(", "));
    let rows: Vec<Row> = connection.query(sql).await?;
    let read = |row: &Row, column: usize| row.get_opt::<String, _>(column).and_then(Result::ok).unwrap_or_default();
    Ok(rows.iter().map(|row| (read(row, 0).to_lowercase(), read(row, 1))).collect())
}

/// The settings that do not read as they must: `name=value`.
fn differences(variables: &BTreeMap<String, String>, access: Access) -> Vec<String> {
    let read_only = if access == Access::Platform { "ON" } else { "OFF" };
    let expected = EXPECTED.iter().copied().chain(READ_ONLY.map(|name| (name, read_only)));
    let differs = |(name, wanted): (&str, &str)| {
        let found = variables.get(name)?;
        (found != wanted).then(|| format!("{name}={found}"))
    };
    let mut wrong: Vec<String> = expected.filter_map(differs).collect();
    if !variables.contains_key("autocommit") {
        wrong.push("autocommit unknown".to_owned());
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> BTreeMap<String, String> {
        EXPECTED.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_reads_otherwise_is_named_and_what_a_server_lacks_is_not() {
        let mut read = good();
        assert_eq!(differences(&read, Access::Own), Vec::<String>::new());
        read.remove("tx_isolation");
        read.insert("sql_select_limit".to_owned(), "1".to_owned());
        read.insert("tx_read_only".to_owned(), "ON".to_owned());
        assert_eq!(differences(&read, Access::Own), ["sql_select_limit=1", "tx_read_only=ON"]);
        assert_eq!(differences(&read, Access::Platform), ["sql_select_limit=1"]);
        read.remove("autocommit");
        assert!(differences(&read, Access::Own).contains(&"autocommit unknown".to_owned()));
    }
}
