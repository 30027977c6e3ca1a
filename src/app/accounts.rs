//! Owns: the database work of a first installation: which platforms a server holds, and the statements that make the bridge's schema
//! and its two accounts, with only the grants whose columns exist there.

use std::collections::{BTreeMap, BTreeSet};

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Opts};

use crate::billing::grants::{BILLING_NOTE, READABLE, grants_sql_of, quoted_account, quoted_name};

/// A connection of somebody who may make accounts: as a rule root's, by the server's socket.
#[derive(Debug)]
pub struct Administrator(Conn);

/// An account that is to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// `name@host`.
    pub name: String,
    pub password: String,
}

/// One statement: what runs, and what may be shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sql: String,
    pub shown: String,
}

impl Statement {
    fn open(sql: String) -> Self {
        Self { shown: sql.clone(), sql }
    }
}

impl Administrator {
    /// # Errors
    /// The URL cannot be read, or the server refuses.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let opts = Opts::from_url(url).map_err(|_| anyhow::anyhow!("the administrator's URL is not readable"))?;
        Ok(Self(Conn::new(opts).await?))
    }

    /// Databases that look like the platform's: they hold its invoices, clients and settings.
    ///
    /// # Errors
    /// The database.
    pub async fn platforms(&mut self) -> anyhow::Result<Vec<String>> {
        let sql = "SELECT table_schema FROM information_schema.tables WHERE table_name IN ('tblinvoices', 'tblclients', \
                   'tblconfiguration') GROUP BY table_schema HAVING COUNT(*) = 3 ORDER BY table_schema";
        Ok(self.0.query(sql).await?)
    }

    /// The host that accounts get: the one that this connection comes from, as the server sees it.
    ///
    /// # Errors
    /// The database.
    pub async fn host(&mut self) -> anyhow::Result<String> {
        let host: Option<String> = self.0.query_first("SELECT SUBSTRING_INDEX(USER(), '@', -1)").await?;
        Ok(host.unwrap_or_else(|| "localhost".to_owned()))
    }

    /// The statements that give `own` its schema and let `reader` read `platform`, column by column, as far as they exist.
    ///
    /// # Errors
    /// The database.
    pub async fn plan(
        &mut self,
        schema: &str,
        own: &NewAccount,
        reader: &NewAccount,
        platform: &str,
    ) -> anyhow::Result<Vec<Statement>> {
        let rows: Vec<(String, String)> = self
            .0
            .exec("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ?", (platform,))
            .await?;
        let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (table, column) in rows {
            there.entry(table).or_default().insert(column);
        }
        let mut plan = vec![Statement::open(format!(
            "CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            quoted_name(schema)
        ))];
        plan.extend(account(own));
        plan.push(Statement::open(format!(
            "GRANT ALL PRIVILEGES ON {}.* TO {}",
            quoted_name(&schema.replace('_', "\\_")),
            quoted_account(&own.name)
        )));
        plan.extend(account(reader));
        let grants = grants_sql_of(&existing(&there), &reader.name, platform);
        plan.extend(grants.into_iter().map(Statement::open));
        Ok(plan)
    }

    /// # Errors
    /// The database, with what may be shown of the statement that failed.
    pub async fn run(&mut self, plan: &[Statement]) -> anyhow::Result<()> {
        for one in plan {
            self.0.query_drop(&one.sql).await.map_err(|error| anyhow::anyhow!("{}: {error}", one.shown))?;
        }
        Ok(())
    }

    /// # Errors
    /// The database.
    pub async fn end(self) -> anyhow::Result<()> {
        Ok(self.0.disconnect().await?)
    }
}

/// An account that is there keeps its rights and gets the new password.
fn account(new: &NewAccount) -> [Statement; 2] {
    let name = quoted_account(&new.name);
    ["CREATE USER IF NOT EXISTS", "ALTER USER"].map(|verb| Statement {
        sql: format!("{verb} {name} IDENTIFIED BY '{}'", new.password),
        shown: format!("{verb} {name} IDENTIFIED BY '(a new password)'"),
    })
}

/// What may be read of the columns that this platform has.
fn existing(there: &BTreeMap<String, BTreeSet<String>>) -> Vec<(String, Vec<String>)> {
    let has = |table: &str, column: &str| there.get(table).is_some_and(|columns| columns.contains(column));
    let mut all: Vec<(String, Vec<String>)> = READABLE
        .iter()
        .map(|(table, columns)| {
            let columns = columns.iter().filter(|column| has(table, column)).map(|column| (*column).to_owned());
            ((*table).to_owned(), columns.collect())
        })
        .collect();
    let (table, column) = BILLING_NOTE;
    if has(table, column)
        && let Some((_, columns)) = all.iter_mut().find(|(name, _)| name == table)
    {
        columns.push(column.to_owned());
    }
    all.retain(|(_, columns)| !columns.is_empty());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_columns_that_exist_are_granted_and_the_credit_notes_mark_where_it_is() {
        let there = BTreeMap::from([
            (
                "tblaccounts".to_owned(),
                BTreeSet::from(["id".to_owned(), "billingnoteid".to_owned(), "cardnum".to_owned()]),
            ),
            ("tblunknown".to_owned(), BTreeSet::from(["id".to_owned()])),
        ]);
        assert_eq!(existing(&there), [("tblaccounts".to_owned(), vec!["id".to_owned(), "billingnoteid".to_owned()])]);
    }

    #[test]
    fn a_password_is_never_shown() {
        for one in account(&NewAccount { name: "hb".into(), password: "0123456789".into() }) {
            assert!(one.sql.contains("0123456789") && !one.shown.contains("0123456789"));
        }
    }
}
