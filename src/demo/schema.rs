//! Owns: the billing platform's tables (of 8.13, and what 9.0 changed) as the platform itself creates them, zero dates, `utf8mb3`, no foreign
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

/// What 9.0 added to them.
const OF_9_0: &str = include_str!("billing_schema/from_9_0.sql");

/// The platform's releases that differ in what their rows mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// 8.x.
    #[default]
    V8_13,
    /// Credit notes are rows of `tblaccounts`, and `tblinvoices.total` is no longer net of credit.
    V9_0,
}

impl Release {
    /// How they are called, in the order of the variants.
    pub const NAMES: [&str; 2] = ["8.13", "9.0"];

    /// What the platform says in `tblconfiguration`.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V8_13 => "8.13.1-release.1",
            Self::V9_0 => "9.0.5-release.1",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::V8_13, Self::V9_0].into_iter().zip(Self::NAMES).find(|(_, known)| *known == name).map(|(one, _)| one)
    }
}

/// Creates the database `db` and the platform's tables in it, with one round trip. Leaves the connection inside `db`.
///
/// # Errors
/// What the server answers, `db` being there already among it.
pub async fn create_billing(conn: &mut Conn, db: &str, release: Release) -> mysql_async::Result<()> {
    let mut all = format!(
        "SET SESSION sql_mode='';\nCREATE DATABASE `{db}` CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci;\nUSE `{db}`;\n"
    );
    for file in BILLING_SCHEMA {
        all.push_str(file);
    }
    if release == Release::V9_0 {
        all.push_str(OF_9_0);
    }
    conn.query_drop(all).await
}
