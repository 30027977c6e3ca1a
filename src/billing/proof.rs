//! Owns: proving that our account at the platform can only read, before the first use of each connection, and that it
//! cannot read secrets. Asks the server what the account may do; nothing is tried that could change a row.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Row};

use super::grants::{BILLING_NOTE, READABLE, has_billing_notes};
use super::pool::{Billing, BillingError};
use super::rights::{Granted, read};
use crate::sql::{Check, Reader, Refusal};

/// Columns that must be out of reach.
pub const SECRET_COLUMNS: [(&str, &str); 6] = [
    ("tblclients", "password"),
    ("tblusers", "password"),
    ("tblusers", "second_factor_config"),
    ("tblhosting", "password"),
    ("tblservers", "password"),
    ("tblpaymentgateways", "value"),
];
/// The server does not let the account see a column (1142, 1143), or there is no such table or column (1054, 1146).
const OUT_OF_REACH: [u16; 4] = [1054, 1142, 1143, 1146];

/// The proof as each new connection of the pool goes through it.
#[must_use]
pub fn proof() -> Check {
    std::sync::Arc::new(|connection| Box::pin(prove(connection)))
}

/// Refuses an account that may do more than read, and one of which that cannot be seen.
async fn prove(connection: &mut Conn) -> mysql_async::Result<()> {
    let problems = match problems(connection).await {
        Ok(problems) => problems,
        // It came to no answer: the connection broke, and the next one is proved anew.
        Err(error @ (Error::Io(_) | Error::Driver(_))) => return Err(error),
        Err(error) => return Err(Refusal::Unproven(error.to_string()).into()),
    };
    if problems.is_empty() { Ok(()) } else { Err(Refusal::MayWrite(problems).into()) }
}

async fn problems(connection: &mut Conn) -> mysql_async::Result<Vec<String>> {
    // Bare: on MariaDB `FOR CURRENT_USER()` leaves out what everybody may do (PUBLIC).
    let mut rows: Vec<Row> = connection.query("SHOW GRANTS").await?;
    if understood(&rows, &mut Vec::new()).iter().any(|granted| granted.roles.iter().any(|role| role.contains('@'))) {
        // MySQL adds the rights of roles that are switched on to the account's own rows.
        connection.query_drop("SET ROLE NONE").await?;
        rows = connection.query("SHOW GRANTS").await?;
        connection.query_drop("SET ROLE DEFAULT").await?;
    }
    let mut problems = Vec::new();
    if rows.is_empty() {
        problems.push("the server shows no rights at all, not even the right to connect".to_owned());
    }
    let grants = understood(&rows, &mut problems);
    let roles: Vec<&String> = grants.iter().flat_map(|granted| &granted.roles).collect();
    for granted in &grants {
        // On MariaDB a role that is switched on from the start shows its own rows.
        let role = roles.contains(&&granted.to).then_some(granted.to.as_str());
        judge(granted, role, &mut problems);
    }
    // A role of a role comes with the outer one, and cannot be switched on by itself.
    let direct = grants.iter().filter(|granted| !roles.contains(&&granted.to)).flat_map(|granted| &granted.roles);
    for role in direct {
        let more = understood(&of_role(connection, role).await?, &mut problems);
        for granted in more.iter().filter(|granted| !grants.contains(granted)) {
            judge(granted, Some(role), &mut problems);
        }
    }
    Ok(problems)
}

/// What a role lets the account do. MySQL answers for any role the account has; MariaDB for the one that is switched on.
async fn of_role(connection: &mut Conn, role: &str) -> mysql_async::Result<Vec<Row>> {
    if role.contains('@') {
        return connection.query(format!("SHOW GRANTS FOR CURRENT_USER() USING {role}")).await;
    }
    let before: Option<Row> = connection.query_first("SELECT CURRENT_ROLE()").await?;
    let before = before.and_then(|row| row.get_opt::<String, _>(0).and_then(Result::ok));
    connection.query_drop(format!("SET ROLE {role}")).await?;
    let rows = connection.query("SHOW GRANTS").await?;
    let back = before.map_or("NONE".to_owned(), |name| format!("`{}`", name.replace('`', "``")));
    connection.query_drop(format!("SET ROLE {back}")).await?;
    Ok(rows)
}

/// The rows as they are understood; each that is not is a problem, and never a pass.
fn understood(rows: &[Row], problems: &mut Vec<String>) -> Vec<Granted> {
    let mut grants = Vec::new();
    for row in rows {
        let text = row.get_opt::<String, _>(0).and_then(Result::ok);
        match text.as_deref().map(read) {
            Some(Some(granted)) => grants.push(granted),
            Some(None) => problems.push("a row of SHOW GRANTS is not understood: look at it yourself".to_owned()),
            None => problems.push("a row of SHOW GRANTS is not readable text: look at it yourself".to_owned()),
        }
    }
    grants
}

/// Puts into words what `granted` lets the account do beyond reading, and what takes it away.
fn judge(granted: &Granted, role: Option<&str>, problems: &mut Vec<String>) {
    let Granted { beyond, place, roles, to, passes_on } = granted;
    let rights = beyond.join(", ");
    let by_role = role.map(|role| {
        format!(
            "by the role {role}, a set of rights that the account may switch on: take them from the role, or \
             `REVOKE {role} FROM` the account (a role that only reads is fine)"
        )
    });
    if to == "PUBLIC" && !beyond.is_empty() {
        problems.push(format!(
            "{rights} on {place}, which everybody on this server may (PUBLIC): `REVOKE ALL PRIVILEGES ON {place} FROM PUBLIC`"
        ));
    } else if !beyond.is_empty() {
        let what = by_role.clone().unwrap_or_else(|| format!("by `REVOKE {rights} ON {place} FROM {to}`"));
        problems.push(format!("{rights} on {place} {what}"));
    }
    if *passes_on && roles.is_empty() {
        let what = by_role.unwrap_or_else(|| format!("by `REVOKE GRANT OPTION ON {place} FROM {to}`"));
        problems.push(format!("GRANT OPTION on {place} {what}"));
    }
    if *passes_on && !roles.is_empty() {
        let names = roles.join(", ");
        problems.push(format!("ADMIN OPTION for the role {names}: `REVOKE {names} FROM {to}`, and grant it without"));
    }
}

impl Billing {
    /// Proves it on a connection; an `Ok` means that the account can only read.
    ///
    /// # Errors
    /// [`Refusal::MayWrite`] or [`Refusal::Unproven`] within [`BillingError::Connect`], or no connection can be had.
    pub async fn prove_read_only(&self) -> Result<(), BillingError> {
        let mut connection = self.database.connection().await?;
        // One that was proved when it came up, and may have been given rights since.
        prove(&mut connection).await.map_err(|error| BillingError::Connect(error.into()))
    }

    /// Secret columns that the account can read; empty is good.
    ///
    /// # Errors
    /// The database.
    pub async fn readable_secrets(&self) -> Result<Vec<String>, BillingError> {
        let mut connection = self.database.connection().await?;
        let mut readable = Vec::new();
        for (table, column) in SECRET_COLUMNS {
            // Zero rows: only whether the server would let us.
            let sql = format!("SELECT {column} FROM {table} LIMIT 0");
            match self.rows(&mut connection, sql).await {
                Ok(_) => readable.push(format!("{table}.{column}")),
                Err(BillingError::Database(Error::Server(e))) if OUT_OF_REACH.contains(&e.code) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(readable)
    }

    /// Columns that the bridge reads and the account cannot; empty is good.
    ///
    /// # Errors
    /// The database.
    pub async fn unreadable(&self, version: &str) -> Result<Vec<String>, BillingError> {
        let mut connection = self.database.connection().await?;
        let sql = "SELECT table_name AS t, column_name AS c FROM information_schema.columns \
                   WHERE table_schema = DATABASE()";
        let rows = self.rows(&mut connection, sql.to_owned()).await?;
        let mut seen = std::collections::HashSet::new();
        for row in &rows {
            let reader = Reader::new("columns", row, "");
            seen.insert((reader.get::<String>("t")?, reader.get::<String>("c")?));
        }
        let wanted = READABLE.iter().flat_map(|(table, columns)| columns.iter().map(move |column| (*table, *column)));
        let wanted = wanted.chain(has_billing_notes(version).then_some(BILLING_NOTE));
        Ok(wanted
            .filter(|(table, column)| !seen.contains(&((*table).to_owned(), (*column).to_owned())))
            .map(|(table, column)| format!("{table}.{column}"))
            .collect())
    }
}
