//! Owns: the two accounts the bridge works with, made on the private server: one that may read a list of columns of the
//! platform, one that owns the bridge's schema. They have no password; the socket is ours alone.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use crate::billing::grants::{BILLING_NOTE, billing_note_sql, grants_sql};

/// May read the columns of [`crate::billing::grants::READABLE`], and do nothing else.
pub const READER: &str = "hb_reader";
/// May do everything in the bridge's own schema, and nothing elsewhere.
pub const BRIDGE: &str = "hb_bridge";

/// Creates both accounts if they are missing.
///
/// # Errors
/// What the server answers.
pub async fn create(conn: &mut Conn) -> mysql_async::Result<()> {
    conn.query_drop(format!(
        "CREATE USER IF NOT EXISTS '{READER}'@'localhost'; CREATE USER IF NOT EXISTS '{BRIDGE}'@'localhost'"
    ))
    .await
}

/// Lets [`READER`] read database `billing`, and [`BRIDGE`] rule over database `own`. Grants outlive the databases they
/// name.
///
/// # Errors
/// What the server answers; a column that the platform's table does not have is named.
pub async fn grant(conn: &mut Conn, billing: &str, own: &str) -> mysql_async::Result<()> {
    let mut all = grants_sql(READER, billing);
    let sql = "SELECT 1 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND column_name = ?";
    if conn.exec_first::<u8, _, _>(sql, (billing, BILLING_NOTE.0, BILLING_NOTE.1)).await?.is_some() {
        all.push(billing_note_sql(READER, billing));
    }
    // In a grant on a whole database `_` and `%` are wildcards.
    let own = own.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%");
    all.push(format!("GRANT ALL PRIVILEGES ON `{own}`.* TO '{BRIDGE}'@'localhost'"));
    conn.query_drop(all.join(";\n")).await
}
