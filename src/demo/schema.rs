//! Owns: the billing platform's tables (8.13 form) as the platform itself creates them, zero dates, `utf8mb3`, no foreign
//! keys. They need `sql_mode=''`, as the platform does.

use mysql_async::Conn;
use mysql_async::prelude::Queryable;

/// The platform's tables, by idea; each file is a list of `CREATE TABLE`.
pub const BILLING_SCHEMA: &[&str] = &[
    include_str!("billing_schema/clients.sql"),
    include_str!("billing_schema/invoices.sql"),
    include_str!("billing_schema/services.sql"),
    include_str!("billing_schema/domains_quotes.sql"),
    include_str!("billing_schema/system.sql"),
];

/// Creates the database `db` and the platform's tables in it, with one round trip. Leaves the connection inside `db`.
///
/// # Errors
/// What the server answers, `db` being there already among it.
pub async fn create_billing(conn: &mut Conn, db: &str) -> mysql_async::Result<()> {
    let mut all = format!(
        "SET SESSION sql_mode='';\nCREATE DATABASE `{db}` CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci;\nUSE `{db}`;\n"
    );
    for file in BILLING_SCHEMA {
        all.push_str(file);
    }
    conn.query_drop(all).await
}
